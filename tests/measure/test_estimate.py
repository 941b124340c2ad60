"""Intervals mean what they say."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flowsim.measure.estimate import (
    estimate,
    growth,
    is_precise,
    paired_difference,
    replications_for_precision,
    replications_to_halve,
)

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
SAMPLES = st.lists(NUMBERS, min_size=2, max_size=30)


# ------------------------------------------------------------------ by hand
def test_interval_of_1_to_5_is_that_of_the_tables() -> None:
    # Mean 3, variance 2.5, t of 4 degrees of freedom 2.776445 in printed tables.
    result = estimate([1, 2, 3, 4, 5])
    assert result.mean == 3
    assert result.n == 5
    assert result.low == pytest.approx(3 - 2.776445 * math.sqrt(2.5 / 5), abs=1e-6)
    assert result.high == pytest.approx(3 + 2.776445 * math.sqrt(2.5 / 5), abs=1e-6)
    assert result.half_width == pytest.approx(1.963243, abs=1e-6)


def test_paired_difference_of_three_replications_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, standard deviation 1, t of 2 degrees of freedom 4.302653.
    result = paired_difference([11, 22, 33], [10, 20, 30])
    assert result.mean == 2
    assert result.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)
    assert result.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)


def test_replications_to_halve_by_the_tables() -> None:
    # n = 10: 2.262157 / sqrt(10) / 2 = 0.35768; 32 give 2.039513 / sqrt(32) = 0.36054, 33 give 0.35459.
    assert replications_to_halve(10) == 23
    # n = 2: 12.7062 / sqrt(2) / 2 = 4.4923; three give 4.302653 / sqrt(3) = 2.4841.
    assert replications_to_halve(2) == 1
    assert replications_to_halve(1) is None


def test_replications_for_precision_by_the_tables() -> None:
    # Standard deviation 1: 18 give 2.109816 / sqrt(18) = 0.49729, 17 give 2.119905 / sqrt(17) = 0.51415.
    assert replications_for_precision([1, 2, 3], 0.5) == 18
    assert replications_for_precision([4, 4, 4], 0.1) == 2
    assert replications_for_precision([4], 0.1) is None
    assert replications_for_precision([1, 2, 3], 1e-9) is None
    assert replications_for_precision([1, 2, math.nan], 1) is None


def test_growth_by_hand() -> None:
    # Quarters of two periods: first means 1 and 2, last 7 and 14, six periods of a twelfth of a year apart.
    result = growth([[1, 1, 3, 3, 5, 5, 7, 7], [2, 2, 6, 6, 10, 10, 14, 14]], 12)
    assert result.per_year.mean == pytest.approx((6 + 12) / 2 / 0.5)
    assert result.per_year.half_width == pytest.approx(12.706205 * math.sqrt(72) / math.sqrt(2), rel=1e-6)
    assert not result.is_growing


def test_stopping_rule_by_hand() -> None:
    # Ten values of standard deviation 1.054093 about 100: half width 0.754052, which is 0.75% of 100.
    values = [99, 101] * 5
    assert is_precise(values, 0.008)
    assert not is_precise(values, 0.0075)
    assert not is_precise(values[:8], 0.5)


# ------------------------------------------------------------------ laws
@given(SAMPLES, st.randoms())
def test_order_of_replications_changes_nothing(values: list[float], dice: object) -> None:
    mixed = list(values)
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    assert estimate(mixed) == estimate(values)


@given(SAMPLES, st.sampled_from([-4.0, 0.5, 2.0, 1024.0]))
def test_interval_scales_with_the_unit(values: list[float], factor: float) -> None:
    assume(all(value == 0 or abs(value) > 1e-100 for value in values))
    plain, scaled = estimate(values), estimate([value * factor for value in values])
    assert scaled.mean == plain.mean * factor
    assert plain.half_width is not None
    assert scaled.half_width == pytest.approx(plain.half_width * abs(factor), rel=1e-9, abs=1e-6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=30))
def test_paired_difference_changes_sign_with_its_sides(pairs: list[tuple[float, float]]) -> None:
    one, other = zip(*pairs, strict=True)
    there, back = paired_difference(one, other), paired_difference(other, one)
    assert there.low is not None
    assert there.high is not None
    assert (back.mean, back.low, back.high) == (-there.mean, -there.high, -there.low)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20), st.integers(-1000, 1000))
def test_what_replications_share_leaves_no_width(noise: list[int], shift: int) -> None:
    result = paired_difference([value + shift for value in noise], noise)
    assert (result.mean, result.low, result.high) == (shift, shift, shift)


@given(NUMBERS, st.integers(2, 50))
def test_equal_values_have_an_interval_of_no_width(value: float, n: int) -> None:
    result = estimate([value] * n)
    assert result.half_width == 0
    assert result.mean == pytest.approx(value)


@given(st.integers(2, 3000))
def test_halving_is_reached_with_those_replications_and_not_with_one_fewer(n: int) -> None:
    more = replications_to_halve(n)
    assert more is not None

    def width(count: int) -> float:
        # A sample of standard deviation exactly 1 in expectation: two-point, scaled to the same spread.
        half = estimate(np.tile([0.0, 1.0], count)[:count]).half_width
        spread = float(np.std(np.tile([0.0, 1.0], count)[:count], ddof=1))
        assert half is not None
        return half / spread

    assert width(n + more) <= width(n) / 2 * (1 + 1e-12)
    assert width(n + more - 1) > width(n) / 2 * (1 - 1e-12)


def test_one_replication_has_a_mean_and_no_interval() -> None:
    result = estimate([4.5])
    assert (result.mean, result.low, result.high, result.half_width, result.n) == (4.5, None, None, None, 1)
    assert not growth([[1, 2, 3, 400]], 12).is_growing


def test_value_that_is_not_a_number_is_never_left_out() -> None:
    result = estimate([1, math.nan, 3])
    assert math.isnan(result.mean)
    assert result.low is result.high is None
    assert result.n == 3
    assert math.isinf(estimate([1, math.inf]).mean)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(estimate([-math.inf, math.inf]).mean)
        assert math.isnan(paired_difference([1, math.inf], [1, math.inf]).mean)


def test_what_cannot_be_estimated_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        estimate([])
    with pytest.raises(ValueError, match="one value a replication"):
        estimate([[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="3 replications cannot be paired with 2"):
        paired_difference([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="half_width = 0"):
        replications_for_precision([1, 2], 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        is_precise([1, 2], 5)
    with pytest.raises(ValueError, match="four periods"):
        growth([[1, 2, 3]], 12)
    with pytest.raises(ValueError, match="periods_per_year = 0"):
        growth([[1, 2, 3, 4]], 0)


# ------------------------------------------------------------------ coverage
def test_95_of_100_intervals_cover_the_mean_of_a_normal() -> None:
    dice = np.random.Generator(np.random.Philox(1))
    trials = 4000
    for n in (2, 5, 20):
        results = [estimate(dice.normal(10, 3, n)) for _ in range(trials)]
        covered = sum(one.low <= 10 <= one.high for one in results if one.low is not None and one.high is not None)
        # Five standard errors to either side of 0.95.
        assert abs(covered / trials - 0.95) < 5 * math.sqrt(0.95 * 0.05 / trials)


def test_pairing_covers_the_difference_and_is_narrower_than_the_luck_that_is_shared() -> None:
    dice = np.random.Generator(np.random.Philox(2))
    trials, covered, narrower = 2000, 0, 0
    for _ in range(trials):
        luck = dice.normal(0, 10, 10)
        baseline, values = 50 + luck + dice.normal(0, 1, 10), 48 + luck + dice.normal(0, 1, 10)
        result = paired_difference(values, baseline)
        assert result.low is not None
        assert result.high is not None
        covered += result.low <= -2 <= result.high
        narrower += (result.half_width or 0) < (estimate(values).half_width or 0)
    assert abs(covered / trials - 0.95) < 5 * math.sqrt(0.95 * 0.05 / trials)
    assert narrower == trials


def test_growth_is_found_where_it_is_and_seldom_where_it_is_not() -> None:
    dice = np.random.Generator(np.random.Philox(3))
    trials = 1000
    steady = [growth(dice.normal(20, 2, (10, 24)), 12) for _ in range(trials)]
    false_alarms = sum(one.is_growing for one in steady) / trials
    assert abs(false_alarms - 0.025) < 5 * math.sqrt(0.025 * 0.975 / trials)
    rising = [growth(20 + np.arange(24) * 0.5 + dice.normal(0, 2, (10, 24)), 12) for _ in range(100)]
    assert all(one.is_growing for one in rising)
    # Half a patient a month is six a year.
    assert np.mean([one.per_year.mean for one in rising]) == pytest.approx(6, abs=0.1)
    assert not any(growth(-np.arange(24) + dice.normal(0, 1, (10, 24)), 12).is_growing for _ in range(20))
