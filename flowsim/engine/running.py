"""One replication of a Network: which engine, under which seed, and whether its ledger obeys the laws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Literal

from flowsim.engine.addresses import stream_key
from flowsim.engine.laws import broken_laws
from flowsim.engine.network import Labels, Network
from flowsim.engine.rules import Stuck
from flowsim.errors import CannotFinish, DamagedError, Gridlock

Engine = Literal["simpy"]
Write = Callable[[int, str, list[int], list[int]], None]
Log = Callable[[tuple[int, ...]], None]


def run_once(
    network: Network, labels: Labels, seed: int, replication: int, write: Write, log: Log | None = None,
    engine: Engine = "simpy",
) -> tuple[int, int, int]:  # fmt: skip
    """Run one replication: events, patients, and patients inside at the end.

    `write` takes (period, book, rows, values) as each period closes, `log` each row of the log (`visits.COLUMNS`).
    Raises Gridlock or CannotFinish where the model cannot go on, and DamagedError if the ledger breaks a law.
    """
    from flowsim.engine import reference  # numba and SimPy are not wanted by those who only check a model

    last = len(network.period_starts) - 2
    totals: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))

    def audited(period: int, book: str, rows: list[int], values: list[int]) -> None:
        kept = totals[book]
        if period == last or not book.startswith("clock_running"):  # a state, not a sum
            for row, value in zip(rows, values, strict=True):
                kept[row] += value
        write(period, book, rows, values)

    keys = [stream_key(seed, name) for name in labels.streams]
    try:
        outcome = reference.run(network, keys, replication, audited, log)
    except Stuck as stuck:
        if stuck.units:
            raise Gridlock([labels.units[unit].name for unit in stuck.units], stuck.at) from None
        steps = [": ".join(labels.steps[step]) for step in stuck.steps]
        raise CannotFinish(steps, "a patient joined without end at one instant") from None
    broken = broken_laws(network, labels, totals)
    if broken:
        raise DamagedError("the run breaks a law of its ledger: " + "; ".join(broken[:5]))
    return outcome
