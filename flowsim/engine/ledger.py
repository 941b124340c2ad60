"""The ledger: integer sums by unit and period, their layout, and how they are handed over.

A ledger is a set of books. A book has one integer for each of its rows in each period; rows are numbered by what the
book is about (units, classes, lanes, ...), as in the Network. Only sums that are not 0 are kept. Time sums are in
milliseconds. All are exact, so sums over cells do not depend on order, and two engines can be compared row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from flowsim.engine.network import Ints, Network

Write = Callable[[Ints], None]
"""Takes a page, [rows, 4]: period, number of the book in `BOOKS`, row, value.

In the order of BOOKS within a period, rows rising, sums of 0 left out. A page may be filled again after the call: copy
what is kept.
"""
Log = Callable[[Ints], None]
"""Takes rows of the visit log, [rows, columns] (`visits.COLUMNS`). Copy what is kept."""

# --- bins of waits --------------------------------------------------------------------------------------------

FINEST_BITS = 15  # waits below 2**15 ms (33 s) share a bin
SPLIT_BITS = 4  # 16 bins for each doubling: at most 6.25% wide
LONGEST_BITS = 37  # 2**37 ms is 4.4 years; longer waits share the last bin
BINS = 2 + ((LONGEST_BITS - FINEST_BITS) << SPLIT_BITS)
"""Bin 0 is a wait of 0, bin 1 anything up to 33 s, then 16 bins for each doubling."""


def bin_of(wait_ms: int) -> int:
    """The bin of a wait in milliseconds (below 0 counts as 0)."""
    if wait_ms <= 0:
        return 0
    bits = wait_ms.bit_length() - 1
    if bits < FINEST_BITS:
        return 1
    if bits >= LONGEST_BITS:
        return BINS - 1
    return 2 + ((bits - FINEST_BITS) << SPLIT_BITS) + ((wait_ms >> (bits - SPLIT_BITS)) & ((1 << SPLIT_BITS) - 1))


def bin_start(number: int) -> int:
    """The shortest wait of a bin, in milliseconds."""
    if number <= 1:
        return number
    doubling, part = divmod(number - 2, 1 << SPLIT_BITS)
    bits = doubling + FINEST_BITS
    return (1 << bits) + (part << (bits - SPLIT_BITS))


# --- books ----------------------------------------------------------------------------------------------------


class Row(StrEnum):
    """What the rows of a book are."""

    UNIT = "unit"
    CLASS = "class"  # patients of one own unit and priority
    LANE = "lane"  # a class in one of the units it may use
    BLOCK = "block"  # a held unit, the own unit its patient waits for, the cause
    MOVE = "move"  # a step and the next step (or leaving): step * (steps + 1) + next + 1
    STREAM = "stream"
    CLASS_BIN = "class bin"  # class * BINS + bin
    AREA = "area"  # (setting * areas + area) * ages + age
    AREA_BIN = "area bin"  # that * BINS + bin
    CLOCK = "clock"
    CLOCK_AREA = "clock area"  # (clock * areas + area) * ages + age
    CLOCK_SITE = "clock site"  # clock * (sites + 1) + site + 1: the site asked for last, 0 for none
    CLOCK_BIN = "clock bin"  # clock * BINS + bin
    RUN = "run"  # the run as a whole


class Book(NamedTuple):
    """A book: its name, what its rows are, whether it is kept by month only, and what it counts."""

    name: str
    row: Row
    by_month: bool
    about: str


BOOKS = (
    Book("in_use_ms", Row.UNIT, False, "time beds were in use: serving, blocked or held"),
    Book("available_ms", Row.UNIT, False, "time beds were available (staffed and open)"),
    Book("over_ms", Row.UNIT, False, "time in use above capacity, after a cut"),
    Book("held_ms", Row.UNIT, False, "time held while the patient was served elsewhere"),
    Book("blocked_ms", Row.BLOCK, False, "time held while the patient waited"),
    Book("midnight_in_use", Row.UNIT, False, "beds in use at midnight, summed over days"),
    Book("midnight_available", Row.UNIT, False, "beds available at midnight, summed over days"),
    Book("slots_offered", Row.UNIT, False, "slots of sessions that opened"),
    Book("slots_lost", Row.UNIT, False, "slots unused when their session closed"),
    Book("arrivals", Row.CLASS, False, "patients who joined"),
    Book("queue_ms", Row.CLASS, False, "time patients spent waiting"),
    Book("wait_ms", Row.CLASS, False, "waits of those who started for the first time, from joining"),
    Book("reneged", Row.CLASS, False, "patients whose patience ended"),
    Book("balked", Row.CLASS, False, "patients who found the queue full"),
    Book("diverted", Row.CLASS, False, "patients who went to another unit because of the queue"),
    Book(
        "queued_ms",
        Row.CLASS,
        False,
        "time in the queue of patients as they left it, summed patient by patient",
    ),
    Book("starts", Row.LANE, False, "patients let in"),
    Book("ends", Row.LANE, False, "stays that ended"),
    Book("interrupted", Row.LANE, False, "patients put back in the queue by one who goes first"),
    Book("stay_ms", Row.LANE, False, "time in the unit, as it is vacated"),
    Book("first_inside", Row.LANE, False, "patients inside on the first day"),
    Book("first_waiting", Row.CLASS, False, "patients waiting on the first day"),
    Book("inside", Row.LANE, False, "patients being served at the end of the run"),
    Book("waiting", Row.CLASS, False, "patients waiting at the end of the run"),
    Book("holding", Row.UNIT, False, "units held at the end of the run"),
    Book("present_ms", Row.UNIT, False, "time in the unit of patients still there at the end of the run"),
    Book("exceeded", Row.UNIT, False, "patients let in without a free place: never, if the engine is right"),
    Book("entered", Row.STREAM, False, "patients who entered the model"),
    Book("left", Row.STREAM, False, "patients who left the model"),
    Book("present", Row.STREAM, False, "patients in the model at the end of the run"),
    Book(
        "gridlock_spells",
        Row.RUN,
        False,
        "checks that found beds stuck until capacity rises or a patience ends",
    ),
    Book("wait_bins", Row.CLASS_BIN, True, "first starts by bin of their wait"),
    Book("area_wait_ms", Row.AREA, True, "waits of first starts, by setting, area of residence and age band"),
    Book("area_wait_bins", Row.AREA_BIN, True, "the same, counted by bin"),
    Book("moves", Row.MOVE, True, "patients who went from one step to another, or left"),
    Book("clock_started", Row.CLOCK, True, "clocks that started"),
    Book("clock_ms", Row.CLOCK, True, "time on clocks that stopped"),
    Book("clock_bins", Row.CLOCK_BIN, True, "clocks that stopped, by bin"),
    Book("clock_met", Row.CLOCK_AREA, True, "clocks that stopped within the standard"),
    Book("clock_missed", Row.CLOCK_AREA, True, "clocks that stopped beyond the standard"),
    Book("clock_site_met", Row.CLOCK_SITE, True, "clocks that stopped within the standard, by site"),
    Book("clock_site_missed", Row.CLOCK_SITE, True, "clocks that stopped beyond the standard, by site"),
    Book("clock_lost", Row.CLOCK, True, "clocks whose patient left the model"),
    Book("clock_running", Row.CLOCK, True, "clocks running at the end of the month"),
    Book("clock_running_over", Row.CLOCK, True, "of these, already beyond the standard"),
)
"""All books, in the order in which a period is written."""

BOOK = {book.name: book for book in BOOKS}
IS_STATE = np.array([book.name in ("clock_running", "clock_running_over") for book in BOOKS])
"""Whether a book says what is there when a month ends, so that its values in several months are no sum."""


class Size(NamedTuple):
    """Sizes of a Network (its `counts`), by name."""

    units: int
    pools: int
    classes: int
    lanes: int
    steps: int
    settings: int
    areas: int
    ages: int
    causes: int
    clocks: int


def sites_of(network: Network) -> int:
    """The number of sites up to the last that has a unit."""
    return int(network.unit_site.max(initial=-1)) + 1


def rows_of(network: Network, row: Row) -> int:
    """The number of rows a book about `row` has."""
    size = Size(*network.counts.tolist())
    area = size.areas * size.ages
    match row:
        case Row.UNIT:
            return size.units
        case Row.CLASS:
            return size.classes
        case Row.LANE:
            return size.lanes
        case Row.BLOCK:
            return len(network.block_unit)
        case Row.MOVE:
            return size.steps * (size.steps + 1)
        case Row.STREAM:
            return len(network.stream_kind)
        case Row.CLASS_BIN:
            return size.classes * BINS
        case Row.AREA:
            return size.settings * area
        case Row.AREA_BIN:
            return size.settings * area * BINS
        case Row.CLOCK:
            return size.clocks
        case Row.CLOCK_AREA:
            return size.clocks * area
        case Row.CLOCK_SITE:
            return size.clocks * (sites_of(network) + 1)
        case Row.CLOCK_BIN:
            return size.clocks * BINS
        case Row.RUN:
            return 1


def entries_of(page: Ints) -> Iterator[tuple[int, str, Ints, Ints]]:
    """(period, name of the book, rows, values) for each book of a page, as parts of the page."""
    if not len(page):
        return
    edges = np.flatnonzero((page[1:, :2] != page[:-1, :2]).any(axis=1)) + 1
    for first, last in zip([0, *edges.tolist()], [*edges.tolist(), len(page)], strict=True):
        period, book = page[first, :2].tolist()
        yield period, BOOKS[book].name, page[first:last, 2], page[first:last, 3]
