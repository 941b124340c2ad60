"""Whether all peers run the same model: their mean waits against theory, and against many runs of the engine."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Iterable
from typing import Any, NamedTuple

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

Judged = dict[str, tuple[float, float, float | None]]
"""For each unit the mean wait found and the one expected, in hours, and the z value of their difference."""


class Sample(NamedTuple):
    """Mean waits in hours, by unit, in each run that a peer made of a form."""

    peer: Peer
    form: Form
    hours: list[dict[str, float]]


def agreement(samples: Iterable[Sample], replications: int) -> list[dict[str, Any]]:
    """Mean waits in hours by peer and unit, what is expected, and how far apart they are in standard errors.

    m1 is expected to agree with theory; m2 and m3 with replications of the compiled engine over the same days, by
    their ranks, since mean waits of one run are far from normal.
    """
    rows: list[dict[str, Any]] = []
    found: Judged
    for peer, form, hours in samples:
        if form.model == "m1":
            mean = statistics.fmean(one["clinic"] for one in hours)
            error = CLINIC_WAIT_HOURS * CLINIC_SPREAD * math.sqrt(1e6 / (form.patients * len(hours)))
            found = {"clinic": (mean, CLINIC_WAIT_HOURS, (mean - CLINIC_WAIT_HOURS) / error)}
        elif peer.name == COMPILED:
            continue
        else:
            found = _by_ranks(hours, expected(form, replications))
        for unit, (mean, wanted, z) in found.items():
            rows.append({
                "model": form.model, "scale": form.scale, "mult": form.mult, "peer": peer.name, "style": peer.style,
                "unit": unit, "runs": len(hours), "mean_wait_hours": mean, "expected_hours": wanted, "z": z,
            })  # fmt: skip
    return rows


def _by_ranks(hours: list[dict[str, float]], expected: list[dict[str, float]]) -> Judged:
    """For each unit both means, and the z value of a rank-sum test (Mann and Whitney); None where all are equal."""
    from scipy import stats

    found: Judged = {}
    for unit in expected[0]:
        ours, theirs = ([one[unit] for one in many if unit in one] for many in (hours, expected))
        if ours and theirs:
            z = None
            if len({*ours, *theirs}) > 1:
                test = stats.mannwhitneyu(ours, theirs, method="asymptotic")
                is_above = test.statistic > len(ours) * len(theirs) / 2
                z = float(stats.norm.isf(test.pvalue / 2)) * (1 if is_above else -1)
            found[unit] = (statistics.fmean(ours), statistics.fmean(theirs), z)
    return found


@functools.lru_cache
def expected(form: Form, replications: int) -> list[dict[str, float]]:
    """Mean waits in replications of the compiled engine."""
    run = runner(form, COMPILED)
    done = [run(1000)]
    count = max(min(replications, MOST_EVENTS // done[0].events), FEWEST_REPLICATIONS)
    done += [run(seed) for seed in range(1001, 1000 + count)]
    return [one.waits.hours() for one in done]


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
