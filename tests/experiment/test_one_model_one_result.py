"""One model and one seed give one fingerprint, however and wherever it is run."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

EXPERIMENT = """\
flowsim: 1
name: toy
title: A few more cubicles
question: What do six cubicles more do?
model: emergency
days: {days}
warm_up: 1 days
replications: {replications}
seed: 7
scenarios:
  as it is: []
  more:
    - capacity: {{setting: cubicle, add: 6, from: 2001-01-01}}
baseline: as it is
measures:
  wait: {{measure: mean_wait_hours, of: {{setting: cubicle}}}}
"""


def write_experiment(folder: Path, days: int = 3, replications: int = 2) -> Path:
    file = folder / "toy.yaml"
    file.write_text(EXPERIMENT.format(days=days, replications=replications))
    return file


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "flowsim", *map(str, words)]


def fingerprint(out: Path) -> str:
    said = subprocess.run(command("audit", out, "--json"), capture_output=True, text=True, check=True)
    return json.loads(said.stdout)["fingerprint"]


def run(experiment: Path, out: Path, workers: int = 1, **env: str) -> str:
    words = command("run", experiment, "--out", out, "--workers", workers, "--quiet")
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, **env}, cwd=out.parent)
    return fingerprint(out)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    experiment = write_experiment(folder)
    return experiment, run(experiment, folder / "r")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "C"},
        {"PYTHONHASHSEED": "2", "TZ": "Nowhere/Land", "PYTHONOPTIMIZE": "1"},
        {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F"},
        {"NUMBA_CPU_NAME": "generic"},
        {"NUMBA_DISABLE_JIT": "1"},
    ],
    ids=lambda env: ",".join(env),
)
def test_environment_changes_no_bit(first, tmp_path, env):
    experiment, wanted = first
    assert run(experiment, tmp_path / "r", **env) == wanted


def test_two_workers_give_what_one_gives(first, tmp_path):
    experiment, wanted = first
    assert run(experiment, tmp_path / "r", workers=2) == wanted


def test_another_seed_gives_another_result(first, tmp_path):
    _, wanted = first
    experiment = write_experiment(tmp_path)
    experiment.write_text(experiment.read_text().replace("seed: 7", "seed: 8"))
    assert run(experiment, tmp_path / "r") != wanted


def test_killed_run_goes_on_to_the_same_result(tmp_path):
    experiment = write_experiment(tmp_path, days=20, replications=4)
    wanted = run(experiment, tmp_path / "whole", workers=2)
    out = tmp_path / "killed"
    moments = random.Random(1)
    for _ in range(3):
        words = command("run", experiment, "--out", out, "--workers", 2, "--quiet")
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(moments.uniform(2.0, 5.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if out.exists():
            code = subprocess.run(command("audit", out), capture_output=True).returncode
            assert code in (0, 3)
    assert run(experiment, out, workers=2) == wanted


def test_finished_run_is_left_as_it_is(first, tmp_path):
    experiment, wanted = first
    out = tmp_path / "r"
    run(experiment, out)
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert run(experiment, out) == wanted
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_one_changed_bit_is_noticed(first, tmp_path):
    experiment, _ = first
    out = tmp_path / "r"
    run(experiment, out)
    for file in sorted(p for p in out.rglob("*") if p.is_file() and p.name != ".lock"):
        whole = file.read_bytes()
        place = len(whole) // 2
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        said = subprocess.run(command("audit", out), capture_output=True, text=True)
        assert said.returncode == 3, file
        assert "Traceback" not in said.stderr
        file.write_bytes(whole)
    assert subprocess.run(command("audit", out), capture_output=True).returncode == 0
