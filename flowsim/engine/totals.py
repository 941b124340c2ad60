"""Sums of the whole run, added up page by page as it goes: what the laws are checked on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowsim.engine.jit import compiled
from flowsim.engine.ledger import BOOKS, IS_STATE, rows_of
from flowsim.engine.network import Ints, Network


class Totals:
    """Sums of all books over all periods, dense; a state is that of the last period."""

    def __init__(self, network: Network) -> None:
        sizes = [rows_of(network, book.row) for book in BOOKS]
        self._first = np.cumsum([0, *sizes])
        self._sums = np.zeros(self._first[-1], np.int64)
        self._last = len(network.period_starts) - 2

    def add(self, page: Ints) -> None:
        """Add a page of the ledger. Raises IndexError for a book that there is not, or a row that it has not."""
        if not add_page(self._sums, self._first, IS_STATE, self._last, page):
            raise IndexError("a page of the ledger has a row that its book has not")

    def books(self) -> dict[str, Ints]:
        """The sums of each book, one a row."""
        parts = np.split(self._sums, self._first[1:-1])
        return {book.name: sums for book, sums in zip(BOOKS, parts, strict=True)}


@compiled
def add_page(sums: Ints, first: Ints, is_state: NDArray[np.bool_], last: int, page: Ints) -> bool:
    """Whether all rows of a page have their place in the sums; if so they are added."""
    for at in range(len(page)):
        book, row = page[at, 1], page[at, 2]
        if book < 0 or book >= len(is_state) or row < 0 or row >= first[book + 1] - first[book]:
            return False
        if page[at, 0] == last or not is_state[book]:
            sums[first[book] + row] += page[at, 3]
    return True
