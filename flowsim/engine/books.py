"""The ledger as the SimPy engine keeps it: plain lists of integers, closed and written period by period.

An integral over time needs no look at the clock but when something changes: when a level rises by 1 at time t its sum
falls by t, when it falls by 1 the sum rises by t, and at the end T of a period the integral is sum + level x T.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from flowsim.engine.ledger import BOOKS, Row, Write, rows_of
from flowsim.engine.network import Network

INTEGRALS = ("in_use_ms", "available_ms", "over_ms", "held_ms", "blocked_ms", "queue_ms")
SPARSE = (Row.AREA, Row.AREA_BIN, Row.CLASS_BIN, Row.CLOCK_BIN, Row.CLOCK_AREA, Row.CLOCK_SITE, Row.MOVE)


class Books:
    """All books of one run, as attributes: lists where most rows are used, else dicts. `write` takes what is closed."""

    in_use_ms: list[int]
    available_ms: list[int]
    over_ms: list[int]
    held_ms: list[int]
    blocked_ms: list[int]
    queue_ms: list[int]
    midnight_in_use: list[int]
    midnight_available: list[int]
    slots_offered: list[int]
    slots_lost: list[int]
    arrivals: list[int]
    wait_ms: list[int]
    reneged: list[int]
    balked: list[int]
    diverted: list[int]
    queued_ms: list[int]
    starts: list[int]
    ends: list[int]
    interrupted: list[int]
    stay_ms: list[int]
    first_inside: list[int]
    first_waiting: list[int]
    inside: list[int]
    waiting: list[int]
    holding: list[int]
    present_ms: list[int]
    exceeded: list[int]
    entered: list[int]
    left: list[int]
    present: list[int]
    gridlock_spells: list[int]
    wait_bins: dict[int, int]
    area_wait_ms: dict[int, int]
    area_wait_bins: dict[int, int]
    moves: dict[int, int]
    clock_started: list[int]
    clock_ms: list[int]
    clock_bins: dict[int, int]
    clock_met: dict[int, int]
    clock_missed: dict[int, int]
    clock_site_met: dict[int, int]
    clock_site_missed: dict[int, int]
    clock_lost: list[int]
    clock_running: list[int]
    clock_running_over: list[int]

    def __init__(self, network: Network, write: Write) -> None:
        self.write = write
        self.closes_month = network.period_closes_month.tolist()
        self.period = 0
        for book in BOOKS:
            empty = defaultdict(int) if book.row in SPARSE else [0] * rows_of(network, book.row)
            setattr(self, book.name, empty)
        self.carried = {name: [0] * len(getattr(self, name)) for name in (*INTEGRALS, "wait_ms", "starts")}

    def so_far(self, book: str, row: int, level: int, at: int) -> int:
        """A sum from the start of the run to `at`; for an integral `level` is its level now, else 0."""
        return self.carried[book][row] + int(getattr(self, book)[row]) + level * at

    def close(self, at: int, levels: Mapping[str, Sequence[int]]) -> None:
        """End the fine period at `at`, and the month if it ends there: write what is not 0 and begin again."""
        columns: list[list[int]] = [[], [], []]  # books, rows, values
        for number, book in enumerate(BOOKS):
            if book.by_month and not self.closes_month[self.period]:
                continue
            kept = getattr(self, book.name)
            if isinstance(kept, dict):
                rows = sorted(row for row, value in kept.items() if value)
                values = [kept[row] for row in rows]
                kept.clear()
            else:
                if book.name in INTEGRALS:
                    level = levels[book.name]
                    sums = [value + level[row] * at for row, value in enumerate(kept)]
                    kept[:] = [-n * at for n in level]
                else:
                    sums = kept[:]
                    kept[:] = [0] * len(kept)
                rows = [row for row, value in enumerate(sums) if value]
                values = [sums[row] for row in rows]
                if book.name in self.carried:
                    carried = self.carried[book.name]
                    for row, value in zip(rows, values, strict=True):
                        carried[row] += value
            for column, more in zip(columns, ([number] * len(rows), rows, values), strict=True):
                column += more
        page = np.empty((len(columns[0]), 4), np.int64)
        page[:, 0], page[:, 1:] = self.period, np.array(columns, np.int64).T
        self.write(page)
        self.period += 1
