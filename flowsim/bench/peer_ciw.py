"""The models `clinic` (m1) and `emergency` (m2) in Ciw: a node a unit, in hours.

A ward without waiting room blocks the cubicle before it, which is Ciw's way of holding; priorities hold at the
cubicle only because patients change class around it.
"""

from __future__ import annotations

import math
from typing import Any

import ciw

from flowsim.bench.bare_simpy import PER_DAY
from flowsim.bench.outcome import HOUR_MS, Outcome, Stopwatch, Waits
from flowsim.bench.shapes import A_DAY_IN_EMERGENCY

TRIAGE, CUBICLE, WARD, HOME_CARE = 1, 2, 3, 4
UNITS = {TRIAGE: "triage", CUBICLE: "cubicle", WARD: "ward", HOME_CARE: "home care"}


def clinic(seed: int, patients: int) -> Outcome:
    """m1, from empty until so many have left."""
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=18)],
        service_distributions=[ciw.dists.Exponential(rate=2)],
        number_of_servers=[10],
    )
    simulation = ciw.Simulation(network)
    watch = Stopwatch()
    simulation.simulate_until_max_customers(patients, method="Finish")
    seconds = watch.seconds()
    waits = Waits()
    records = simulation.get_all_records()
    waits.add_sum("clinic", sum(one.waiting_time for one in records) * HOUR_MS, len(records))
    entered = simulation.nodes[0].number_of_individuals
    return Outcome(entered + len(records), entered, waits, seconds)


def emergency(seed: int, days: int, since_day: int = 0) -> Outcome:
    """m2, from empty for some days."""
    ciw.seed(seed)
    plain, urgent, other = classes = ("plain", "urgent", "other")
    stays = [_lognormal(0.18, 0.5), _lognormal(2.0, 0.8), _lognormal(120.0, 1.0), _lognormal(1008.0, 1.0)]
    mean = sum(A_DAY_IN_EMERGENCY) / 24
    arrivals = ciw.dists.PoissonIntervals(
        rates=[PER_DAY / 24 * weight / mean for weight in A_DAY_IN_EMERGENCY],
        endpoints=list(range(1, 25)),
        max_sample_date=24 * days,
    )
    same = {one: {to: float(one == to) for to in classes} for one in classes}
    triaged = {one: {plain: 0.0, urgent: 0.3, other: 0.7} for one in classes}
    again = {one: {plain: 1.0, urgent: 0.0, other: 0.0} for one in classes}
    routes = [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.25, 0.0], [0.0, 0.0, 0.0, 0.2], [0.0] * 4]
    network = ciw.create_network(
        arrival_distributions={
            plain: [arrivals, None, None, None], urgent: [None] * 4, other: [None] * 4,
        },
        service_distributions=dict.fromkeys(classes, stays),
        routing=dict.fromkeys(classes, routes),
        number_of_servers=[2, 24, 325, 525],
        queue_capacities=[math.inf, math.inf, 0, 0],
        priority_classes={plain: 0, urgent: 0, other: 1},
        class_change_matrices=[triaged, again, same, same],
    )  # fmt: skip
    simulation = ciw.Simulation(network)
    watch = Stopwatch()
    simulation.simulate_until_max_time(24 * days)
    seconds = watch.seconds()
    waits = _waits(simulation, 24 * since_day)
    entered = simulation.nodes[0].number_of_individuals
    return Outcome(entered + _ended(simulation, 24 * days), entered, waits, seconds)


def _lognormal(mean: float, cv: float) -> Any:
    variance = math.log1p(cv * cv)
    return ciw.dists.Lognormal(math.log(mean) - variance / 2, math.sqrt(variance))


def _waits(simulation: Any, since: float) -> Waits:
    """Waits by where they are spent: in Ciw a wait for a ward is time blocked in a cubicle."""
    waits = Waits()
    for one in simulation.get_all_records():
        if one.node in (TRIAGE, CUBICLE) and one.service_start_date >= since:
            waits.add_sum(UNITS[one.node], one.waiting_time * HOUR_MS, 1)
        if one.destination in (WARD, HOME_CARE) and one.exit_date >= since:
            waits.add_sum(UNITS[one.destination], one.time_blocked * HOUR_MS, 1)
    return waits


def _ended(simulation: Any, horizon: float) -> int:
    """Stays that are over: those on record, and those of patients who are blocked at the end."""
    blocked = sum(one.is_blocked for node in simulation.transitive_nodes for one in node.all_individuals)
    return int(blocked + sum(one.service_end_date < horizon for one in simulation.get_all_records()))
