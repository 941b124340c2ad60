"""Faults of one line, planted in the compiled engine: comparing it with the SimPy engine finds each of them.

The sources are copied and changed, and run as plain Python in a process of its own. The text of a fault must stand in
its file once: a fault whose line has changed is a fault of this list.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from small import HEAD

import flowsim

PACKAGE = Path(flowsim.__file__).parent
DAYS = 5
NO_FAULT = "no fault"

POOLED = """
settings: {red: {capacity: 1 beds}, blue: {capacity: 1 beds}, green: {capacity: 1 beds}}
groups: {urgency: {high: 0.4, low: rest}}
pools: {colours: {units: [red, blue, green], overflow_after: {green: 2 hours}}}
pathways:
  a:
    arrivals: {timetable: {first: 1 hours, every: 3 hours, batch: 4}}
    steps:
      stay: {in: red, stay: 3 hours, priority: {by: urgency, high: 0, low: 1}, patience: {fixed: 3 hours}}
"""
HELD = """
settings: {ward: {capacity: 3 beds}, care: {capacity: 2 beds}, clinic: {capacity: 1 beds}}
pathways:
  a:
    arrivals: {timetable: {first: 1 hours, every: 4 hours, batch: 3}}
    steps:
      ward: {in: ward, stay: 2 hours, then: {care: 0.3, clinic: rest}}
      care: {in: care, holds: ward, stay: 5 hours}
      clinic: {in: clinic, stay: 1 hours, queue_limit: {waiting: 0}}
clocks: {three hours: {from: ward joined, to: [care started, clinic left], standard: 3 hours}}
"""
OPENED = """
settings:
  clinic: {capacity: 2 slots, opens: [{hours: "08:00-10:00"}, {hours: "10:00-12:00", slots: 3}]}
  ward: {capacity: 6 beds}
pathways:
  a:
    arrivals: {timetable: {first: 0 hours, every: 5 hours}}
    steps:
      clinic: {in: clinic, stay: 1 hours, then: ward}
      ward: {in: ward, stay: {exponential: 20 hours}, rounds: [{at: ["09:00", "15:00"]}]}
responses: {fewer: {follows: {occupancy: ward, over: 2 days}, changes: {capacity: ward}, points: [[0, 1], [1, 0]]}}
"""
TAKEN = """
settings: {ward: {capacity: 2 beds}}
groups: {urgency: {high: 0.4, low: rest}}
pathways:
  a:
    arrivals: {timetable: {first: 1 hours, every: 5 hours, batch: 2}}
    steps:
      stay: {in: ward, stay: 6 hours, preempts: true, priority: {by: urgency, high: 0, low: 1}}
"""
MODELS = {"pooled": POOLED, "held": HELD, "opened": OPENED, "taken": TAKEN}


class Fault(NamedTuple):
    """A line of a file, what it becomes, and the model on which it shows."""

    what: str
    file: str
    old: str
    new: str
    model: str


FAULTS = [
    Fault("tie order", "heap.py", "return event.who < who", "return event.who > who", "held"),
    Fault("capacity check", "compiled_pools.py", "unit.in_use < unit.capacity", "unit.in_use <= unit.capacity", "pooled"),
    Fault("hold release", "compiled_holding.py", "city.ints[step.keeps + held] == 0", "city.ints[step.keeps + held] >= 0", "held"),
    Fault("renege at the same instant", "compiled.py", "(not is_now or kind > START)", "(not is_now or kind > RENEGE)",
          "pooled"),
    Fault("overflow", "compiled.py", "max(joined + city.ints[place], now)", "max(joined + city.ints[place] + 1, now)",
          "pooled"),
    Fault("pool order", "compiled_pools.py",
          "range(line.lane_first, line.lane_last):\n        if waited >= city.lanes[lane].after and is_free",
          "range(line.lane_last - 1, line.lane_first - 1, -1):\n        if waited >= city.lanes[lane].after and is_free",
          "pooled"),
    Fault("priority", "compiled_pools.py", "if line.priority > priority or (line.priority == priority and is_later(",
          "if line.priority < priority or (line.priority == priority and is_later(", "pooled"),
    Fault("daily round", "compiled.py", "(at + run.week_offset) % choices.WEEK_MS",
          "(at + run.week_offset + 60_000) % choices.WEEK_MS", "opened"),
    Fault("response", "compiled_premises.py", "min(response.kept + 1, size)", "min(response.kept + 1, 2)", "opened"),
    Fault("slot renewal", "compiled_premises.py", "unit.session += 1", "unit.session += 2", "opened"),
    Fault("ledger period edge", "compiled_premises.py", "= -rises * now", "= -rises * (now - 1)", "held"),
    Fault("wait bin", "compiled_holding.py", "<< SPLIT_BITS) - 2", "<< SPLIT_BITS) - 1", "pooled"),
    Fault("who gives way", "compiled_pools.py", "return visit.segment > other.segment",
          "return visit.segment < other.segment", "taken"),
    Fault("standard", "compiled_holding.py", "ran > clock.standard", "ran >= clock.standard", "held"),
]  # fmt: skip

RUNNER = """
import json, os, signal, sys, traceback
import numba, numpy, pydantic, ruamel.yaml, scipy.sparse, simpy  # once for all; flowsim itself is each copy's own

def run(copy, models):
    sys.path.insert(0, copy)
    import flowsim
    assert flowsim.__file__.startswith(copy), flowsim.__file__
    from flowsim.engine.building import compile_network
    from flowsim.engine.verify import compare
    from flowsim.model.calendar import DAY_MS, Window
    from flowsim.model.loading import load_model
    for path in models:
        model = load_model(path)
        found = compare(*compile_network(model, Window(model.start, 0, DAYS * DAY_MS, "day")), 1, 1)
        print(os.path.basename(path), found.visits, "visits:", found.difference or "equal")

DAYS = int(sys.argv[1])
for copy, models in json.load(sys.stdin):
    child = os.fork()
    if not child:
        signal.alarm(30)
        with open(os.path.join(copy, "told"), "w") as sys.stdout:
            try:
                run(copy, models)
            except BaseException:
                traceback.print_exc(file=sys.stdout)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What comparing both engines says of each copy with a fault, and of one without: a line for each model."""
    folder = tmp_path_factory.mktemp("faults")
    models = {name: folder / name for name in MODELS}
    for name, path in models.items():
        path.with_suffix(".yaml").write_text(HEAD + MODELS[name], encoding="utf-8")
    jobs = []
    for fault in (None, *FAULTS):
        copy = folder / (fault.what if fault else NO_FAULT)
        shutil.copytree(PACKAGE, copy / "flowsim", ignore=shutil.ignore_patterns("__pycache__"))
        if fault:
            source = copy / "flowsim" / "engine" / fault.file
            source.write_text(source.read_text(encoding="utf-8").replace(fault.old, fault.new), encoding="utf-8")
        jobs.append((str(copy), [f"{models[name]}.yaml" for name in ([fault.model] if fault else MODELS)]))
    plain = {"NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUNNER, str(DAYS)], input=json.dumps(jobs), text=True, check=True,
        cwd=folder, env={**os.environ, **plain},
    )  # fmt: skip
    return {Path(copy).name: Path(copy, "told").read_text(encoding="utf-8") for copy, _ in jobs}


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.what for fault in FAULTS])
def test_a_fault_planted_in_the_compiled_engine_is_found(fault: Fault, told: dict[str, str]) -> None:
    stands = (PACKAGE / "engine" / fault.file).read_text(encoding="utf-8").count(fault.old)
    assert stands == 1, f"{fault.file} has {stands} times `{fault.old}`"
    assert re.fullmatch(r"\S+ \d+ visits: (Visit|Ledger|End)Difference\(.*\n", told[fault.what]), told[fault.what]


def test_without_a_fault_both_engines_are_equal_on_these_models(told: dict[str, str]) -> None:
    lines = told[NO_FAULT].splitlines()
    assert [line.split()[0] for line in lines] == [f"{name}.yaml" for name in MODELS], lines
    assert all(line.endswith("equal") for line in lines), lines
    assert all(int(line.split()[1]) > 15 for line in lines), lines
