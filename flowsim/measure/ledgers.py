"""A finished ledger, as the measures read it: sums of a book over the data collection period, and what its rows are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from flowsim.engine.ledger import BINS, BOOK, rows_of
from flowsim.engine.network import Ints, Labels, Network

Entries = Iterable[tuple[int, str, Ints, Ints]]
"""(period, book, rows, values): what an engine wrote; a row stands once in each."""
Kept = dict[str, list[tuple[int, Ints, Ints]]]
"""(period, rows, values) by book."""


class Window(NamedTuple):
    """The months of a ledger that are measured (its coarse periods, by number), and the days that they span."""

    months: frozenset[int]
    days: float

    @property
    def years(self) -> float:
        """Length in years of 365 days."""
        return self.days / 365.0


@dataclass(frozen=True)
class Ledger:
    """One replication's ledger over the data collection period, or a part of it.

    `network` and `labels` say what the rows are; `kept` is all that was written, warm-up included.
    """

    network: Network
    labels: Labels
    window: Window
    kept: Kept
    _sums: dict[str, Ints] = field(default_factory=dict)
    _parts: dict[frozenset[int], Ledger] = field(default_factory=dict)

    def book(self, name: str) -> Ints:
        """Total of a book in the window, one integer a row."""
        if name not in self._sums:
            sums = np.zeros(rows_of(self.network, BOOK[name].row), np.int64)
            month_of = self.labels.month_of_period
            for period, rows, values in self.kept.get(name, ()):
                if month_of[period] in self.window.months:
                    sums[rows] += values
            self._sums[name] = sums
        return self._sums[name]

    def bins(self, name: str) -> Ints:
        """Total of a book of wait bins in the window, shape (rows, BINS)."""
        return self.book(name).reshape(-1, BINS)

    def by_period(self, name: str) -> Ints:
        """A book period by period through the data collection period, shape (periods, rows)."""
        first = first_period(self.labels, self.network)
        periods = len(self.network.period_starts) - 1 - first
        series = np.zeros((periods, rows_of(self.network, BOOK[name].row)), np.int64)
        for period, rows, values in self.kept.get(name, ()):
            if period >= first:
                series[period - first, rows] += values
        return series

    def during(self, months: frozenset[int]) -> Ledger:
        """The ledger over some months only, of those in its own window."""
        months &= self.window.months
        if months not in self._parts:
            window = _window(months, self.labels, self.network)
            self._parts[months] = Ledger(self.network, self.labels, window, self.kept)
        return self._parts[months]


def first_period(labels: Labels, network: Network) -> int:
    """The fine period with which the data collection period begins."""
    return int(np.searchsorted(network.period_starts, labels.data_start_ms))


def read_ledger(entries: Entries, network: Network, labels: Labels) -> Ledger:
    """What an engine wrote, to be summed over the data collection period.

    Patients inside are written once, at the end; clocks running are summed over the ends of months.
    """
    kept: Kept = {}
    for period, book, rows, values in entries:
        kept.setdefault(book, []).append((period, rows, values))
    return Ledger(network, labels, window_of(labels, network), kept)


def window_of(labels: Labels, network: Network) -> Window:
    """The data collection period: from the end of the warm-up to the horizon."""
    return _window(frozenset(labels.month_of_period[first_period(labels, network) :]), labels, network)


def _window(months: frozenset[int], labels: Labels, network: Network) -> Window:
    lengths = np.diff(network.period_starts)
    inside = [month in months for month in labels.month_of_period]
    return Window(months, float(lengths[inside].sum()) / 86_400_000.0)
