"""One model and one seed give one fingerprint, however and wherever it is run."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowsim.show import cli

MODEL = Path(__file__).parents[1] / "fixtures" / "busy.yaml"
"""Nearly all that a model can have, with stays of every family that needs a logarithm, a power or a gamma function."""

EXPERIMENT = """\
flowsim: 1
name: toy
title: A few more cubicles
question: What do two cubicles more do?
model: busy.yaml
days: {days}
warm_up: 1 days
replications: {replications}
seed: 7
visits: 0.4
scenarios:
  as it is: []
  more:
    - capacity: {{setting: cubicle, add: 2, from: 2001-01-02}}
    - community shift: {{from: ward, to: home care, share: 0.2, start: 2001-01-02, ramp: 3 days}}
baseline: as it is
measures:
  wait: {{measure: mean_wait_hours, of: {{setting: cubicle}}}}
"""


def write_experiment(folder: Path, days: int = 8, replications: int = 2) -> Path:
    file = folder / "toy.yaml"
    shutil.copy(MODEL, folder)
    file.write_text(EXPERIMENT.format(days=days, replications=replications))
    return file


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "flowsim", *map(str, words)]


def fingerprint(out: Path) -> str:
    said = subprocess.run(command("audit", out, "--json"), capture_output=True, text=True, check=True)
    return json.loads(said.stdout)["fingerprint"]


def run(experiment: Path, out: Path, *options: object, **env: str) -> str:
    words = command("run", experiment, "--out", out, *(options or ("--workers", 1)), "--quiet")
    done = subprocess.run(words, check=True, capture_output=True, env={**os.environ, **env}, cwd=out.parent)
    assert done.stderr == b""
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
        {"NUMBA_DISABLE_JIT": "1"},
    ],
    ids=lambda env: ",".join(env),
)
def test_environment_changes_no_bit(first, tmp_path, env):
    experiment, wanted = first
    assert run(experiment, tmp_path / "r", **env) == wanted


@pytest.mark.slow  # each compiles the engine
@pytest.mark.parametrize(
    "env",
    [{"NUMBA_CPU_NAME": "generic"}, {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F"}],
    ids=lambda env: ",".join(env),
)
def test_the_processor_compiled_for_changes_no_bit(first, tmp_path, env):
    experiment, wanted = first
    assert run(experiment, tmp_path / "r", NUMBA_CACHE_DIR=str(tmp_path / "cache"), **env) == wanted


def test_two_workers_give_what_one_gives(first, tmp_path):
    experiment, wanted = first
    assert run(experiment, tmp_path / "r", "--workers", 2) == wanted


def test_both_engines_give_the_same(first, tmp_path):
    experiment, wanted = first
    assert run(experiment, tmp_path / "r", "--engine", "simpy", "--workers", 2) == wanted


@pytest.mark.slow  # compiles the engine
def test_the_first_run_says_that_it_compiles_and_workers_never_do(tmp_path):
    experiment, cache = write_experiment(tmp_path), tmp_path / "cache"
    env = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}

    def said(*words: object) -> str:
        return subprocess.run(command(*words), env=env, cwd=tmp_path, capture_output=True, text=True, check=True).stderr

    ahead = "from flowsim.engine.warming import compile_ahead; compile_ahead('compiled', print, True)"
    done = subprocess.run([sys.executable, "-c", ahead], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("compiling the engine, once")
    kept = sorted(path for path in cache.rglob("*") if path.is_file())
    assert "compiling" not in said("run", experiment, "--out", "first", "--workers", 2)
    assert sorted(path for path in cache.rglob("*") if path.is_file()) == kept
    shutil.rmtree(cache)
    assert "compiling" not in said("run", experiment, "--out", "second", "--workers", 2, "--quiet")
    assert sorted(path for path in cache.rglob("*") if path.is_file()) == kept


def test_another_seed_gives_another_result(first, tmp_path):
    _, wanted = first
    experiment = write_experiment(tmp_path)
    experiment.write_text(experiment.read_text().replace("seed: 7", "seed: 8"))
    assert run(experiment, tmp_path / "r") != wanted


def test_killed_run_goes_on_to_the_same_result(tmp_path):
    # Killed on the slow engine, which has plenty left to do wherever this is run.
    experiment = write_experiment(tmp_path, days=60, replications=20)
    wanted = run(experiment, tmp_path / "whole")
    out = tmp_path / "killed"
    journal = out / "journal.jsonl"

    def cells() -> int:
        return journal.read_bytes().count(b'"kind":"cell"') if journal.exists() else 0

    moments = random.Random(1)
    for workers in (2, 1, 2):
        words = command("run", experiment, "--out", out, "--workers", workers, "--engine", "simpy", "--quiet")
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        before, deadline = cells(), time.monotonic() + 60
        while cells() == before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(moments.uniform(0.0, 0.1))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert before < cells() < 40
        assert cli.run(["audit", str(out)]) == 3
    assert run(experiment, out) == wanted


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
        assert cli.run(["audit", str(out)]) == 3, file
        file.write_bytes(whole)
    assert cli.run(["audit", str(out)]) == 0
