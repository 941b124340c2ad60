"""A small experiment, run once for all tests that only look at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowsim import list_shipped
from flowsim.show import cli

EXPERIMENT = """
flowsim: 1
name: wards
title: More or fewer beds for home care
question: What do packages of home care do to the wards and to A&E?
model: small.yaml
days: 30
warm_up: 7 days
replications: 3
scenarios:
  as it is: []
  few packages:
    - capacity: {setting: home care, set: 1, from: 2001-01-01}
  three beds fewer:
    - capacity: {setting: ward, add: -3, from: 2001-01-01}
baseline: as it is
measures:
  beds: {measure: beds_in_use, of: {setting: ward}, label: ward beds in use, more: "fills {n} more beds"}
  four_hour: {measure: within_standard, label: the four-hour share}
  occupancy: {measure: occupancy, by: setting}
  by_month: {measure: within_standard, by: month, label: the four-hour share by month, tips: {below: 0.6}}
answer: "With few packages the hospital {few packages: beds} and {few packages: four_hour}; it {few packages: by_month}."
quick: {days: 2, warm_up: 0 days, replications: 2}
"""


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wards.yaml, its results in results/wards, and of its small form; never written to."""
    folder = tmp_path_factory.mktemp("ran")
    shutil.copy(next(one.file for one in list_shipped("configs") if one.name == "emergency"), folder / "small.yaml")
    small = (folder / "small.yaml").read_text(encoding="utf-8")
    for large, less in (("per_day: 240", "per_day: 60"), ("325 beds", "82 beds"), ("525 beds", "132 beds")):
        assert large in small
        small = small.replace(large, less)
    (folder / "small.yaml").write_text(small, encoding="utf-8")
    (folder / "wards.yaml").write_text(EXPERIMENT, encoding="utf-8")
    out = folder / "results" / "wards"
    always = ["run", str(folder / "wards.yaml"), "--workers", "1", "--quiet"]
    assert cli.run([*always, "--out", str(out)]) == 0
    assert cli.run([*always, "--out", str(folder / "small form"), "--quick"]) == 0
    return folder


@pytest.fixture
def here(ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, with the experiment and its results."""
    folder = tmp_path / "here"
    shutil.copytree(ran, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def flowsim(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a command in this process: (exit code, standard output, standard error)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run
