"""A finished ledger, as the measures read it: sums of a book over the data collection period, and what its rows are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.ledger import BINS, BOOK, BOOKS, rows_of
from flowsim.engine.network import Ints, Labels, Network

NUMBER = {book.name: number for number, book in enumerate(BOOKS)}
Pieces = list[tuple[int, Ints, Ints]]
"""(period, rows, values) of one book; a row stands once in each."""


class Columns(NamedTuple):
    """What an engine wrote, page after page: whole numbers of any size, one entry a row."""

    period: Any
    book: Any  # its number in BOOKS
    row: Any
    value: Ints

    @classmethod
    def of(cls, pages: Sequence[Ints]) -> Columns:
        """Those of pages as an engine hands them over."""
        return cls(*np.concatenate([np.empty((0, 4), np.int64), *pages]).T)

    def page(self) -> Ints:
        """All of it as one page."""
        return np.column_stack(self)

    def pieces(self, name: str) -> Pieces:
        """A book, taken apart by period."""
        at = np.flatnonzero(self.book == NUMBER[name])
        if not len(at):
            return []
        periods, rows, values = self.period[at], self.row[at], self.value[at]
        edges = np.flatnonzero((np.diff(periods) != 0) | (np.diff(at) != 1)) + 1
        return [
            (int(periods[first]), rows[first:last], values[first:last])
            for first, last in zip([0, *edges.tolist()], [*edges.tolist(), len(at)], strict=True)
        ]


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

    `network` and `labels` say what the rows are; `columns` is all that was written, warm-up included. A book is
    looked for in it when it is first asked for: measures read few of them.
    """

    network: Network
    labels: Labels
    window: Window
    columns: Columns
    _pieces: dict[str, Pieces] = field(default_factory=dict)
    _sums: dict[str, Ints] = field(default_factory=dict)
    _parts: dict[frozenset[int], Ledger] = field(default_factory=dict)

    def book(self, name: str) -> Ints:
        """Total of a book in the window, one integer a row."""
        if name not in self._sums:
            sums = np.zeros(rows_of(self.network, BOOK[name].row), np.int64)
            month_of = self.labels.month_of_period
            for period, rows, values in self._written(name):
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
        for period, rows, values in self._written(name):
            if period >= first:
                series[period - first, rows] += values
        return series

    def during(self, months: frozenset[int]) -> Ledger:
        """The ledger over some months only, of those in its own window."""
        months &= self.window.months
        if months not in self._parts:
            window = _window(months, self.labels, self.network)
            self._parts[months] = Ledger(self.network, self.labels, window, self.columns, self._pieces)
        return self._parts[months]

    def _written(self, name: str) -> Pieces:
        if name not in self._pieces:
            self._pieces[name] = self.columns.pieces(name)
        return self._pieces[name]


def first_period(labels: Labels, network: Network) -> int:
    """The fine period with which the data collection period begins."""
    return int(np.searchsorted(network.period_starts, labels.data_start_ms))


def read_ledger(columns: Columns, network: Network, labels: Labels) -> Ledger:
    """What an engine wrote, to be summed over the data collection period.

    Patients inside are written once, at the end; clocks running are summed over the ends of months.
    """
    return Ledger(network, labels, window_of(labels, network), columns)


def window_of(labels: Labels, network: Network) -> Window:
    """The data collection period: from the end of the warm-up to the horizon."""
    return _window(frozenset(labels.month_of_period[first_period(labels, network) :]), labels, network)


def _window(months: frozenset[int], labels: Labels, network: Network) -> Window:
    lengths = np.diff(network.period_starts)
    inside = [month in months for month in labels.month_of_period]
    return Window(months, float(lengths[inside].sum()) / 86_400_000.0)
