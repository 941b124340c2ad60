"""Killed at any call that changes a file, a run leaves nothing that reads as whole, and goes on to the same result."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent.parent / "tools"
TOY = Path(__file__).parent / "toycells.py"


def sweep(folder: Path, *options: str) -> dict:
    toy, fresh = f"{sys.executable} {TOY}", str(folder / "toy")
    judge = f"{toy} audit {fresh}"
    words = [
        sys.executable, str(TOOLS / "kill_sweep.py"), "--fresh", fresh, "--check", judge, "--check-ok", "0,3",
        "--whole", judge, "--fingerprint", judge, "--error-ok", "3,2", "--json", *options,
        "--", sys.executable, str(TOY), fresh, "1", "1", "0",
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout)


needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="needs strace (Debian: apt-get install strace)"
)


@needs_strace
def test_a_kill_at_some_file_changing_calls_harms_nothing(tmp_path):
    sweep(tmp_path, "--points", "1", "--torn")


@needs_strace
@pytest.mark.slow
def test_a_kill_or_an_error_at_every_file_changing_call_harms_nothing(tmp_path):
    sweep(tmp_path, "--torn", "--errors", "ENOSPC,EIO")
