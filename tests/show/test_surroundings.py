"""Odd surroundings, each in a process of its own: no home, another locale, closed streams, a reader gone,
Ctrl-C.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FLOWSIM = [sys.executable, "-m", "flowsim"]
WELSH = "T\u0177 Gwyn"


def command(
    *arguments: str, env: dict[str, str | None] | None = None, shell: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs the command line; `shell` is what follows it in a line of bash."""
    wanted = {key: value for key, value in {**os.environ, **(env or {})}.items() if value is not None}
    line = ["bash", "-c", f'set -o pipefail; "$@" {shell}', "bash", *FLOWSIM, *arguments]
    return subprocess.run(line, capture_output=True, text=True, env=wanted, timeout=120, encoding="utf-8")


@pytest.mark.parametrize(
    "env",
    [
        {
            "HOME": None,
            "XDG_CACHE_HOME": None,
            "XDG_CONFIG_HOME": None,
            "MPLCONFIGDIR": None,
            "PYTHONWARNINGS": "error",
            "TZ": "Nowhere/Land",
            "PYTHONHASHSEED": "7",
        },
        {
            "HOME": "/proc",
            "XDG_CACHE_HOME": None,
            "MPLCONFIGDIR": "/proc/nowhere",
            "PYTHONOPTIMIZE": "1",
            "LC_ALL": "C",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
            "TZ": "Asia/Kathmandu",
        },
    ],
    ids=["no home, warnings are errors", "nothing can be written, plain locale"],
)
def test_results_are_the_same_bytes_wherever_they_are_made(here: Path, env: dict[str, str | None]) -> None:
    done = command("run", "wards.yaml", "--quick", "--out", "there", "--workers", "2", "--json", env=env)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert json.loads(done.stdout)["cells_run_now"] == 6
    made = [path for path in sorted(Path("small form").rglob("*")) if path.is_file()]
    assert len(made) > 10
    for path in made:
        if path.name not in (".lock", "journal.jsonl"):  # cells are listed in the order in which they end
            assert path.read_bytes() == (Path("there") / path.relative_to("small form")).read_bytes(), path


def test_letters_that_a_stream_cannot_hold_become_escapes(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    text = f"flowsim: 1\nname: m\ntitle: {WELSH}\nstart: 2001-01-01\nsettings:\n  ward: {{capacity: 2 beds}}\n"
    text += "pathways:\n  p:\n    arrivals: {per_day: 1}\n    steps:\n      s: {in: ward, stay: 1 day}\n"
    file.write_text(text, encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": None}
    done = command("check", str(file), env=plain)
    assert done.returncode == 0, done.stderr
    assert "T\\u0177 Gwyn" in done.stdout
    assert json.loads(command("check", str(file), "--json", env=plain).stdout)["title"] == WELSH
    assert WELSH in command("check", str(file), env={"PYTHONIOENCODING": "utf-8"}).stdout


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("<&-", 0),
        (">&-", 0),
        ("2>&-", 0),
        ("| head -c 1 >/dev/null", 0),
        ("<&- >&- 2>&-", 0),
        (">/dev/full", 3),
    ],
)
def test_streams_that_are_closed_or_gone_are_no_fault(shell: str, code: int) -> None:
    done = command("check", "emergency", shell=shell)
    assert done.returncode == code
    assert done.stderr.count("\n") == (code != 0)
    assert command("--help", shell=shell).returncode in (0, code)


def test_closed_streams_are_not_taken_by_results(here: Path) -> None:
    arguments = ("run", "wards.yaml", "--quick", "--out", "closed", "--workers", "1")
    assert command(*arguments, shell="<&- >&- 2>&-").returncode == 0
    assert command("audit", "closed").returncode == 0


def is_left_over(group: int) -> bool:
    """Whether any process of a group is there after a few seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_keeps_what_is_finished_and_ends_with_130(here: Path, workers: str) -> None:
    arguments = ["run", "wards.yaml", "--out", "cut", "--workers", workers, "--replications", "200"]
    process = subprocess.Popen(
        [*FLOWSIM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    journal, finished = Path("cut/journal.jsonl"), 0
    while finished < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        finished = journal.read_bytes().count(b'"kind":"cell"') if journal.exists() else 0
    assert finished >= 3
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in err
    assert not is_left_over(process.pid)
    report = json.loads(command("audit", "cut", "--json").stdout)
    assert report["done"] >= 3
    # A worker may have been ended between a file and its line in the journal: going on puts that right.
    again = command("run", "wards.yaml", "--out", "cut", "--workers", "1", "--replications", "2", "--quiet")
    assert again.returncode == 0
    assert command("audit", "cut").returncode == 0


def test_results_outgrowing_their_limit_stop_the_run_in_one_line(here: Path) -> None:
    line = ["bash", "-c", 'ulimit -f 4; "$@"', "bash", *FLOWSIM]
    arguments = ["run", "wards.yaml", "--quick", "--out", "limited", "--workers", "1", "--quiet"]
    done = subprocess.run([*line, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "ulimit -f" in done.stderr
