"""Replications become a mean with its interval, a paired difference, a number of replications. Knows no
hospitals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

CONFIDENCE = 0.95
FEWEST_TO_STOP = 10
MOST_REPLICATIONS = 1_000_000


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` replications, and its 95% interval by Student's t, in the unit of the values.

    `low` and `high` are None where there is no interval: one replication, or a value that is not finite.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def estimate(values: npt.ArrayLike) -> Estimate:
    """Mean and interval of one value a replication; the order of replications does not matter.

    A value that is not a number (a measure without patients) makes the mean NaN: nothing is left out
    silently. Raises ValueError if there are no values, or not one a replication.
    """
    sample = _one_a_replication(values)
    n = len(sample)
    if not np.isfinite(sample).all():
        with np.errstate(invalid="ignore"):
            return Estimate(float(np.sum(sample)), None, None, n)
    mean = math.fsum(sample) / n
    if n == 1:
        return Estimate(mean, None, None, n)
    half = _half_width(sample, n)
    return Estimate(mean, mean - half, mean + half, n)


def paired_difference(values: npt.ArrayLike, baseline: npt.ArrayLike) -> Estimate:
    """Values minus baseline, replication by replication: both hold the same replications in the same
    order.
    """
    sample, other = _one_a_replication(values), _one_a_replication(baseline)
    if len(sample) != len(other):
        raise ValueError(f"{len(sample)} replications cannot be paired with {len(other)}")
    with np.errstate(invalid="ignore"):
        return estimate(sample - other)


def replications_to_halve(n: int) -> int | None:
    """How many replications more would halve the interval of `n`, if the spread stays; None for n = 1."""
    if n < 2:
        return None
    target = _factor(n) / 2
    return _fewest(lambda count: _factor(count) <= target, n) - n


def replications_for_precision(values: npt.ArrayLike, half_width: float) -> int | None:
    """How many replications in all would make the interval this narrow, if the spread stays; 2 or more.

    None if that cannot be told: fewer than two values, values not finite, or more than a million
    replications.
    """
    sample = _one_a_replication(values)
    if not half_width > 0:
        raise ValueError(f"half_width = {half_width}: must be above 0")
    if len(sample) < 2 or not np.isfinite(sample).all():
        return None
    spread = float(np.std(sample, ddof=1))
    if _factor(MOST_REPLICATIONS) * spread > half_width:
        return None
    return _fewest(lambda count: _factor(count) * spread <= half_width, 2)


def is_precise(values: npt.ArrayLike, share: float) -> bool:
    """Whether replications may stop: the interval is within this share of the true mean, to either side.

    By Law's relative rule the half width may be share / (1 + share) of the estimated mean. Never before ten
    replications, because an interval that was stopped early for being narrow covers less than it says.
    Source: Law, Simulation Modeling and Analysis, 5th edition, section 9.4.1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share = {share}: must be between 0 and 1, such as 0.05")
    result = estimate(values)
    if result.half_width is None or result.n < FEWEST_TO_STOP:
        return False
    return result.half_width <= share / (1 + share) * abs(result.mean)


@dataclass(frozen=True)
class Growth:
    """By how much something grows a year, and whether it clearly does: all of the interval is above 0."""

    per_year: Estimate
    is_growing: bool


def growth(period_means: npt.ArrayLike, periods_per_year: float) -> Growth:
    """Compares the last quarter of the periods with the first, paired within replications.

    `period_means` has a row a replication and a column a period, warm-up left out. The difference is divided
    by the time between the middles of the two quarters. One replication has no interval, so is never clearly
    growing. Seasons do not cancel unless a quarter of the periods is a whole number of years: read it with
    that in mind. Raises ValueError for fewer than four periods.
    """
    table = np.asarray(period_means, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 4 or not len(table):
        raise ValueError("growth needs a row a replication and at least four periods")
    if not periods_per_year > 0:
        raise ValueError(f"periods_per_year = {periods_per_year}: must be above 0")
    quarter = table.shape[1] // 4
    years = (table.shape[1] - quarter) / periods_per_year
    per_year = estimate((table[:, -quarter:].mean(axis=1) - table[:, :quarter].mean(axis=1)) / years)
    return Growth(per_year, per_year.low is not None and per_year.low > 0)


def _one_a_replication(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample):
        raise ValueError("needs one value a replication, and at least one")
    return sample


def _factor(n: int) -> float:
    """Half width of the interval of n values with standard deviation 1."""
    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) / math.sqrt(n)


def _half_width(sample: npt.NDArray[Any], n: int) -> float:
    # All equal is no spread at all, whatever the mean is rounded to.
    if sample.min() == sample.max():
        return 0.0
    mean = math.fsum(sample) / n
    variance = math.fsum((sample - mean) ** 2) / (n - 1)
    return _factor(n) * math.sqrt(variance)


def _fewest(is_enough: Callable[[int], bool], start: int) -> int:
    """The smallest count from `start` that is enough; more is always enough too."""
    step = 1
    while not is_enough(start + step - 1):
        step *= 2
    below, above = start + step // 2 - 1, start + step - 1
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if is_enough(middle) else (middle, above)
    return above
