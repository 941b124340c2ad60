"""What a measure is: a numerator and a denominator on the rows of a book, summed over a group and then divided.

So a measure of a setting, a level or all London is exact, never a mean of means. Percentiles are read from summed
histograms in the same way. Each family of measures has its file; `catalogue` has them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from flowsim.engine.ledger import BINS, Row, bin_start
from flowsim.engine.network import Floats, Ints, Labels, Network
from flowsim.measure.keys import ATTRIBUTES, keys_of
from flowsim.measure.ledgers import Ledger, window_of
from flowsim.measure.times import TIMES, spans
from flowsim.model.names import near

DAY_MS = 86_400_000.0
HOUR_MS = 3_600_000.0

BIN_EDGES_MS = np.array([bin_start(i) for i in range(BINS)] + [2 * bin_start(BINS - 1)], np.float64)
"""Edges of the wait bins in milliseconds, BINS + 1 of them."""


@dataclass(frozen=True)
class Measure:
    """A measure by name: what it is, in what, on which rows, and how it comes from a ledger.

    `parts(ledger)` gives numerator and denominator, one of each a row; with `percentile` (0 to 1) the numerator is a
    histogram of shape (rows, BINS) and the denominator is not used. `named` is the attribute that a planner would name
    its rows by.
    """

    name: str
    about: str
    measured_in: str
    row: Row
    named: str
    parts: Callable[[Ledger], tuple[Ints | Floats, Ints | Floats | float]]
    percentile: float | None = None
    less_is_better: bool | None = None
    also: Measure | None = None
    """The same on rows of another book, for attributes that its own do not have."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """What it may be told apart by: those of its rows, and parts of the data collection period."""
        more = ATTRIBUTES[self.also.row] if self.also is not None else ()
        return (*dict.fromkeys((*ATTRIBUTES[self.row], *more)), *TIMES)

    def told_by(self, attributes: Iterable[str]) -> Measure:
        """The measure on rows that have all of these attributes. Raises ValueError if none of its rows have."""
        wanted = [one for one in attributes if one not in (*TIMES, "all")]
        for one in (self, self.also):
            if one is not None and set(wanted) <= set(ATTRIBUTES[one.row]):
                return one
        unknown = next((one for one in wanted if one not in self.attributes), None)
        if unknown is not None:
            raise ValueError(f"{self.name} is not told apart by '{unknown}'" + near(unknown, self.attributes))
        raise ValueError(f"{self.name} is not told apart by {' and '.join(dict.fromkeys(wanted))} together")


def measured(
    measure: Measure, ledger: Ledger, by: str | None = None, of: Mapping[str, frozenset[str]] | None = None
) -> dict[str, float]:
    """A measure of one replication, one value for each value of the attribute `by` (the measure's own if None).

    `by="all"` puts everything into one. `of` keeps only rows (or parts of the time) whose attribute is among the given
    texts. Values are NaN where the denominator is 0 (nobody there). Raises ValueError for attributes that the rows of
    the measure do not have, or not together.
    """
    by, of = by or measure.named, dict(of or {})
    measure = measure.told_by((by, *of))
    for time in (one for one in TIMES if one in of):
        wanted = of.pop(time)
        found = spans(ledger.labels, ledger.window.months, time)
        ledger = ledger.during(frozenset().union(*(months for name, months in found.items() if name in wanted)))
    if by in TIMES:
        parts = spans(ledger.labels, ledger.window.months, by)
        each = {name: measured(measure, ledger.during(months), "all", of) for name, months in parts.items()}
        return {name: value["all"] for name, value in each.items() if value}
    if not ledger.window.months:
        return {}
    keys = keys_of(measure.row, ledger.network, ledger.labels)
    groups = np.array(keys[by] if by != "all" else ["all"] * len(next(iter(keys.values()))), dtype=object)
    kept = np.ones(len(groups), bool)
    for attribute, wanted in of.items():
        kept &= np.isin(np.array(keys[attribute], dtype=object).astype(str), list(wanted))
    names = list(dict.fromkeys(groups[kept]))
    index = {name: i for i, name in enumerate(names)}
    where = np.array([index[g] for g in groups[kept]], np.int64)
    above, below = measure.parts(ledger)
    if measure.percentile is not None:
        histogram = np.zeros((len(names), BINS))
        np.add.at(histogram, where, np.asarray(above)[kept])
        values = np.array([percentile(row, measure.percentile) for row in histogram]) / HOUR_MS
        return dict(zip(names, values.tolist(), strict=True))
    total = np.bincount(where, np.asarray(above, float)[kept], len(names))
    if isinstance(below, float):
        return dict(zip(names, (total / below).tolist(), strict=True))
    divisor = np.bincount(where, np.asarray(below, float)[kept], len(names))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(divisor > 0, total / divisor, np.nan)
    return dict(zip(names, values.tolist(), strict=True))


def unknown_values(
    measure: Measure, network: Network, labels: Labels, of: Mapping[str, Iterable[str]]
) -> Iterator[tuple[str, str, str]]:
    """(attribute, value, message) of what is asked for and not there, in this model or in this window."""
    keys = keys_of(measure.told_by(of).row, network, labels)
    for attribute, wanted in of.items():
        if attribute in TIMES:
            known = list(spans(labels, window_of(labels, network).months, attribute))
        else:
            known = list(dict.fromkeys(keys[attribute]))
        for value in wanted:
            if value not in known:
                yield attribute, value, f"there is no {attribute} of this name" + near(value, known)


def percentile(histogram: Floats, share: float) -> float:
    """The wait in milliseconds that `share` of those in a histogram do not exceed; straight lines within a bin.

    NaN for an empty histogram. Bins are at most 6.25% wide, so the error is below that.
    """
    total = histogram.sum()
    if total == 0:
        return float("nan")
    cumulative = np.cumsum(histogram)
    wanted = share * total
    i = int(np.searchsorted(cumulative, wanted))
    if i == 0:
        return 0.0
    before = cumulative[i - 1]
    inside = (wanted - before) / histogram[i] if histogram[i] else 0.0
    return float(BIN_EDGES_MS[i] + inside * (BIN_EDGES_MS[i + 1] - BIN_EDGES_MS[i]))


def share_within(histogram: Floats, limit_ms: float) -> float:
    """Share of those in a histogram who waited at most `limit_ms`; straight lines within a bin. NaN if empty."""
    total = histogram.sum()
    if total == 0:
        return float("nan")
    widths = np.diff(BIN_EDGES_MS)
    inside = np.clip((limit_ms - BIN_EDGES_MS[:-1]) / np.where(widths > 0, widths, 1.0), 0.0, 1.0)
    inside[0] = 1.0
    return float((histogram * inside).sum() / total)
