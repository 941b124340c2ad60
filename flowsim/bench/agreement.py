"""Whether all peers run the same model: their mean waits against theory, and against many runs of the engine."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Iterable
from typing import Any

from flowsim.bench.ours import runner
from flowsim.bench.peers import COMPILED, Form, Peer
from flowsim.bench.plans import Plan

CLINIC_WAIT_HOURS = 0.334366
"""Mean wait of m1 by Erlang C."""
CLINIC_SPREAD = 0.034
"""Standard deviation of the mean wait of a million patients, as a share of it; it falls with their square root."""
FEWEST_REPLICATIONS, MOST_EVENTS = 5, 60_000_000
"""Of the engine, to know what to expect: as many as fit into so many events."""
THEORY_REPLICATIONS = 40


def agreement(found: Iterable[tuple[Peer, Form, int, dict[str, float]]], replications: int) -> list[dict[str, Any]]:
    """Mean waits in hours by peer and unit, what is expected, and the difference in standard errors.

    m1 is expected to agree with theory, m2 and m3 with replications of the compiled engine over the same days.
    """
    rows: list[dict[str, Any]] = []
    for peer, form, runs, hours in found:
        if form.model == "m1":
            error = CLINIC_WAIT_HOURS * CLINIC_SPREAD * math.sqrt(1e6 / (form.patients * runs))
            expected = {"clinic": (CLINIC_WAIT_HOURS, error)}
        elif peer.name == COMPILED:
            continue
        else:
            expected = {
                unit: (mean, spread * math.sqrt(1 / runs + 1 / count))
                for unit, (mean, spread, count) in expectation(form, replications).items()
            }
        for unit, (mean, error) in expected.items():
            rows.append({
                "model": form.model, "scale": form.scale, "mult": form.mult, "peer": peer.name, "style": peer.style,
                "unit": unit, "mean_wait_hours": hours.get(unit), "expected_hours": mean, "standard_error": error,
                "z": (hours[unit] - mean) / error if unit in hours and error > 0 else None,
            })  # fmt: skip
    return rows


@functools.lru_cache
def expectation(form: Form, replications: int) -> dict[str, tuple[float, float, int]]:
    """For each unit the mean over replications of its mean wait in hours, their spread, and how many."""
    run = runner(form, COMPILED)
    done = [run(1000)]
    count = max(min(replications, MOST_EVENTS // done[0].events), FEWEST_REPLICATIONS)
    done += [run(seed) for seed in range(1001, 1000 + count)]
    hours = [one.waits.hours() for one in done]
    units = [unit for unit in hours[0] if all(unit in one for one in hours)]
    columns = {unit: [one[unit] for one in hours] for unit in units}
    return {unit: (statistics.fmean(x), statistics.stdev(x), count) for unit, x in columns.items()}


def against_theory(plan: Plan) -> dict[str, Any]:
    """m1 in replications of the compiled engine against Erlang C, with the spread of its own replications."""
    form = plan.forms["m1", 1.0, 1]["compiled"]
    run = runner(form, COMPILED)
    waits = [run(seed).waits.mean_hours() for seed in range(2000, 2000 + THEORY_REPLICATIONS)]
    mean, error = statistics.fmean(waits), statistics.stdev(waits) / math.sqrt(len(waits))
    return {
        "model": "m1", "peer": COMPILED, "patients": form.patients, "replications": len(waits),
        "mean_wait_hours": mean, "standard_error": error, "theory_hours": CLINIC_WAIT_HOURS,
        "z": (mean - CLINIC_WAIT_HOURS) / error,
    }  # fmt: skip
