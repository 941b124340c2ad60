"""How far a scenario reached, in words: whose histories changed, where they live and were cared for, through which
pools.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowsim.show.output import table_text

MOST_POOLS = 25
CAUSES = ("directly", "by_response", "by_queue")
WORDS = ("directly", "by a response", "by a queue")


def lines(found: Mapping[str, Any]) -> list[str]:
    """How far one scenario reached, for people."""
    counts = found["patients"]
    if not counts["changed"]:
        return [f"It reached nobody: not one time of {counts['patients']:,} patients differs by a millisecond."]
    ready = counts["only_readiness"]
    causes = [f"{counts[name]:,} {word}" for name, word in zip(CAUSES, WORDS, strict=True)]
    return [
        f"How far the scenario reached: of {counts['patients']:,} patients in either run {counts['changed']:,} have "
        "another history than in the baseline"
        + (f" ({ready:,} of them only in when they were ready to leave)" if ready else "")
        + f": {causes[0]}, by the scenario itself, {causes[1]}, {causes[2]}.",
        "",
        *_homes(found["homes"]),
        "",
        *_pools(found["pools"]),
        f"Changed patients came to {found['pools_entered']:,} of {found['pools_all']:,} pools. Every change that is "
        "not direct began in a pool to which a changed patient had come by then or whose places changed, or by a "
        "response that watches one.",
        f"{counts['met_nobody']:,} patients met no changed patient, and not one of their times differs by a "
        f"millisecond; {counts['met_and_same']:,} met one and are as they were.",
    ]  # fmt: skip


def _homes(homes: Sequence[Mapping[str, Any]]) -> list[str]:
    """A row for each STP of residence, with those changed by the STP in which their care first differed."""
    care = list(dict.fromkeys(stp for one in homes for stp in one["care"]))
    keys = ("patients", "changed", *CAUSES)
    rows = [
        [one["home"], *(f"{one[key]:,}" for key in keys), *(f"{one['care'].get(stp, 0):,}" for stp in care)]
        for one in homes
    ]
    sums = [sum(one[key] for one in homes) for key in keys] + [
        sum(one["care"].get(stp, 0) for one in homes) for stp in care
    ]
    rows.append(["all", *(f"{one:,}" for one in sums)])
    columns = ["patients who live in", "all", "changed", *WORDS, *(f"first in {stp}" for stp in care)]
    return table_text(columns, rows, numbers=len(columns) - 1)


def _pools(pools: Sequence[Mapping[str, Any]]) -> list[str]:
    """Pools by how many changes began there."""
    rows = [
        [one["pool"] + (" (its places changed)" if one["has_other_places"] else ""), one["stp"], f"{one['changes']:,}",
         *(f"{one[name]:,}" for name in CAUSES), one["first_on"]]
        for one in pools[:MOST_POOLS]
    ]  # fmt: skip
    if rest := pools[MOST_POOLS:]:
        sums = (f"{sum(one[name] for one in rest):,}" for name in ("changes", *CAUSES))
        rows.append([f"{len(rest):,} more pools (all with --json)", "", *sums, min(one["first_on"] for one in rest)])
    columns = ["changes began in the pool", "of", "changes", *WORDS, "first on"]
    return table_text(columns, rows, numbers=5)
