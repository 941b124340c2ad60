"""How long flowsim takes to start: seconds on the clock of whole commands, with everything compiled before."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from flowsim.errors import StoppedError

EXPERIMENT = """\
flowsim: 1
name: start
title: A small run
question: How long does a small run take in all?
model: clinic
days: 30
replications: 2
scenarios:
  as it is: []
{more}baseline: as it is
measures: {{wait: mean_wait_hours, occupancy: occupancy}}
"""
MORE = """\
  one server more:
    - capacity: {setting: clinic, add: 1, from: 2001-01-01}
"""
COMMANDS = {
    "flowsim --help": ("--help",),
    "flowsim check clinic": ("check", "clinic"),
    "flowsim run, clinic for 30 days": ("run", "plain.yaml", "--quiet"),
    "the same compared, with its figure": ("run", "compared.yaml", "--quiet"),
}


def start_up(times: int, cold: bool) -> list[dict[str, object]]:
    """Each command some times, the quickest counts; with `cold` also a run that must compile first."""
    with tempfile.TemporaryDirectory(prefix="flowsim-start-") as name:
        folder = Path(name)
        (folder / "plain.yaml").write_text(EXPERIMENT.format(more=""), encoding="utf-8")
        (folder / "compared.yaml").write_text(EXPERIMENT.format(more=MORE), encoding="utf-8")
        rows: list[dict[str, object]] = []
        for command, arguments in COMMANDS.items():
            number = iter(range(times + 1))
            if arguments[0] == "run":
                _seconds(folder, arguments, next(number))
            rows.append({"command": command, "seconds": min(_seconds(folder, arguments, i) for i in number)})
        if cold:
            there = {"NUMBA_CACHE_DIR": str(folder / "cache")}
            arguments = COMMANDS["flowsim run, clinic for 30 days"]
            seconds = _seconds(folder, arguments, times + 1, there)
            rows.append({"command": "the first run ever, which compiles", "seconds": seconds})
    return rows


def _seconds(folder: Path, arguments: tuple[str, ...], number: int, there: dict[str, str] | None = None) -> float:
    """Seconds of one command; each run has a folder of results of its own."""
    out = ("--out", f"{arguments[1].removesuffix('.yaml')}-{number}") if arguments[0] == "run" else ()
    command = [sys.executable, "-m", "flowsim", *arguments, *out]
    surroundings = {**os.environ, **(there or {})}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)  # as others start it: with the bytecode of the run before
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=surroundings)
    seconds = time.perf_counter() - begin
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise StoppedError(f"`flowsim {' '.join(arguments)}` ended with code {done.returncode}: {said}")
    return seconds
