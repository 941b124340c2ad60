"""A finished ledger, as the measures read it: sums of a book over the data collection period, and what its rows are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from flowsim.engine.ledger import BINS, BOOK, rows_of
from flowsim.engine.network import Ints, Labels, Network

Entries = Iterable[tuple[int, str, Ints, Ints]]
"""(period, book, rows, values): what an engine wrote."""


class Window(NamedTuple):
    """Fine periods [first, last) of a ledger, and the years of 365 days and the days they span."""

    first: int
    last: int
    days: float

    @property
    def years(self) -> float:
        """Length in years of 365 days."""
        return self.days / 365.0


@dataclass(frozen=True)
class Ledger:
    """One replication's ledger over the data collection period.

    `network` and `labels` say what the rows are; `sums` has each book's total in the window, dense; `by_period` has the
    books of `SERIES` for every fine period, warm-up included, shape (periods, rows).
    """

    network: Network
    labels: Labels
    window: Window
    sums: dict[str, Ints]
    by_period: dict[str, Ints]

    def book(self, name: str) -> Ints:
        """Total of a book in the window, one integer a row."""
        if name not in self.sums:
            self.sums[name] = np.zeros(rows_of(self.network, BOOK[name].row), np.int64)
        return self.sums[name]

    def bins(self, name: str) -> Ints:
        """Total of a book of wait bins in the window, shape (rows, BINS)."""
        return self.book(name).reshape(-1, BINS)


SERIES = ("in_use_ms", "available_ms", "queue_ms", "arrivals", "midnight_in_use", "midnight_available")
"""Books also kept period by period, for charts through time and for queues that grow."""


def window_of(labels: Labels, network: Network) -> Window:
    """The data collection period: from the end of the warm-up to the horizon."""
    starts = network.period_starts
    first = int(np.searchsorted(starts, labels.data_start_ms))
    days = float(starts[-1] - starts[first]) / 86_400_000.0
    return Window(first, len(starts) - 1, days)


def read_ledger(entries: Entries, network: Network, labels: Labels) -> Ledger:
    """Sum what an engine wrote over the data collection period.

    Patients inside are written once, at the end; clocks running are summed over the ends of months.
    """
    window = window_of(labels, network)
    sums: dict[str, Ints] = {}
    series = {name: np.zeros((window.last, rows_of(network, BOOK[name].row)), np.int64) for name in SERIES}
    for period, book, rows, values in entries:
        if book in series:
            series[book][period, rows] += values
        if period < window.first:
            continue
        if book not in sums:
            sums[book] = np.zeros(rows_of(network, BOOK[book].row), np.int64)
        np.add.at(sums[book], rows, values)
    return Ledger(network, labels, window, sums, series)
