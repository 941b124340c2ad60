"""Bare SimPy is the same model as flowsim's, so that their speeds compare: the same waits, within chance."""

from __future__ import annotations

import math
import statistics

import numpy as np

from flowsim.bench import bare_simpy
from flowsim.engine.building import compile_network
from flowsim.engine.ledger import entries_of
from flowsim.engine.network import Ints
from flowsim.engine.running import run_once
from flowsim.measure.ledgers import read_ledger
from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.loading import load_model

REPLICATIONS, DAYS = 6, 10


def agree(ours: list[float], theirs: list[float]) -> bool:
    """Whether two sets of independent means differ by less than four standard errors."""
    error = math.sqrt((statistics.variance(ours) + statistics.variance(theirs)) / len(ours))
    return abs(statistics.fmean(ours) - statistics.fmean(theirs)) < 4 * error


def test_both_clinics_are_the_same_queue() -> None:
    patients = DAYS * 24 * 18
    bare = [bare_simpy.clinic(seed, patients) for seed in range(REPLICATIONS)]
    assert all(one.events == 2 * patients for one in bare)
    model = load_model("clinic")
    network, labels = compile_network(model, Window(model.start, 0, DAYS * DAY_MS))
    ours = []
    for replication in range(REPLICATIONS):
        entries: list[tuple[int, str, Ints, Ints]] = []
        run_once(network, labels, 1, replication, lambda page, kept=entries: kept.extend(entries_of(page.copy())))
        ledger = read_ledger(entries, network, labels)
        ours.append(ledger.book("wait_ms").sum() / ledger.book("starts").sum() / bare_simpy.HOUR_MS)
    assert agree(ours, [one.waits.hours()["clinic"] for one in bare])


def test_both_emergency_pathways_wait_alike_at_triage_and_cubicle() -> None:
    model = load_model("emergency")
    network, labels = compile_network(model, Window(model.start, 0, DAYS * DAY_MS))
    units = [unit.name for unit in labels.units]
    ours: dict[str, list[float]] = {"triage": [], "cubicle": []}
    events = []
    for replication in range(REPLICATIONS):
        entries: list[tuple[int, str, Ints, Ints]] = []
        outcome = run_once(
            network, labels, 1, replication, lambda page, kept=entries: kept.extend(entries_of(page.copy()))
        )
        events.append(outcome.events)
        ledger = read_ledger(entries, network, labels)
        lanes = np.bincount(network.lane_unit, ledger.book("starts"), len(units))
        waits = np.bincount(network.class_own, ledger.book("wait_ms"), len(units))
        for unit, means in ours.items():
            means.append(float((waits / lanes)[units.index(unit)]) / bare_simpy.HOUR_MS)
    bare = [bare_simpy.emergency(seed, DAYS) for seed in range(REPLICATIONS)]
    for unit, means in ours.items():
        assert agree(means, [one.waits.hours()[unit] for one in bare])
    assert agree([float(one) for one in events], [float(one.events) for one in bare])
