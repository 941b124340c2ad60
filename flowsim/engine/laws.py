"""The laws every ledger obeys, checked exactly after each run and by `audit`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from flowsim.engine.ledger import BINS
from flowsim.engine.network import Ints, Labels, Network, UnitKind


def broken_laws(network: Network, labels: Labels, books: Mapping[str, Ints]) -> list[str]:
    """One line for each law that a run's ledger breaks; none for a sound run.

    `books` are the sums of each book over all periods, one a row, as `totals.Totals` adds them up.
    """
    return list(_broken(network, labels, books))


def _broken(network: Network, labels: Labels, b: Mapping[str, Ints]) -> Iterator[str]:
    classes = len(network.class_pool)
    class_of_lane = np.repeat(np.arange(classes), np.diff(network.lane_first))
    starts = np.bincount(class_of_lane, b["starts"], classes).astype(np.int64)
    interrupted = np.bincount(class_of_lane, b["interrupted"], classes).astype(np.int64)
    units = len(network.unit_kind)

    came = b["arrivals"] + b["first_waiting"] + interrupted
    went = b["balked"] + b["reneged"] + starts + b["waiting"]
    yield from _equal("queue of", labels.classes, "patients who joined", came, "patients who left it or wait", went)

    lanes = [f"{labels.classes[c]} in {labels.units[u].name}" for c, u in labels.lanes]
    came = b["starts"] + b["first_inside"]
    went = b["ends"] + b["interrupted"] + b["inside"]
    yield from _equal("service of", lanes, "patients who started", came, "stays that ended or go on", went)

    yield from _equal("stream", labels.streams, "entered", b["entered"], "left or present", b["left"] + b["present"])

    yield from _equal(
        "Little's law: queue of",
        labels.classes,
        "its integral",
        b["queue_ms"],
        "the sum of waits",
        b["queued_ms"],
    )
    stays = np.bincount(network.lane_unit, b["stay_ms"], units).astype(np.int64) + b["present_ms"]
    yield from _equal(
        "Little's law: beds of", [u.name for u in labels.units],
        "time in use", b["in_use_ms"], "the sum of stays", stays,
    )  # fmt: skip

    stopped = b["clock_bins"].reshape(-1, BINS).sum(axis=1) if len(b["clock_started"]) else b["clock_started"]
    for kind in ("met", "missed") if labels.clocks else ():
        here, there = (b[f"clock_{book}{kind}"].reshape(len(stopped), -1).sum(axis=1) for book in ("", "site_"))
        yield from _equal("clock", labels.clocks, f"{kind} by residence", here, f"{kind} by site", there)
    ended = stopped + b["clock_lost"] + b["clock_running"]
    yield from _equal("clock", labels.clocks, "started", b["clock_started"], "stopped, lost or running", ended)

    beds = network.unit_kind == UnitKind.BEDS
    idle = b["available_ms"] + b["over_ms"] - b["in_use_ms"]
    for unit in np.flatnonzero(beds & (idle < 0)):
        yield f"unit '{labels.units[unit].name}': in use {-idle[unit]} ms longer than it was available"
    for unit in np.flatnonzero(b["exceeded"]):
        yield f"unit '{labels.units[unit].name}': {b['exceeded'][unit]} patients started without a free place"
    blocked = np.bincount(network.block_unit, b["blocked_ms"], units).astype(np.int64) + b["held_ms"]
    for unit in np.flatnonzero(blocked > b["in_use_ms"]):
        yield f"unit '{labels.units[unit].name}': held for longer than it was in use"
    for name, book in b.items():
        if book.min(initial=0) < 0:
            yield f"book {name}: a sum below 0"


def _equal(what: str, names: Sequence[str], left: str, ours: Ints, right: str, theirs: Ints) -> Iterator[str]:
    for row in np.flatnonzero(ours != theirs).tolist():
        yield f"{what} '{names[row]}': {left} {ours[row]}, {right} {theirs[row]}"
