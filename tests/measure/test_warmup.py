"""A suggested warm-up is where the start stops mattering, or there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.measure.warmup import suggest_warmup


def mser_by_definition(series: list[float]) -> int:
    """White's statistic written out: sum of squared deviations over the square of how many remain."""
    batches = [sum(series[i : i + 5]) / 5 for i in range(0, len(series) - len(series) % 5, 5)]
    best, cut = float("inf"), 0
    for d in range(len(batches) - 4):
        rest = batches[d:]
        mean = sum(rest) / len(rest)
        value = sum((one - mean) ** 2 for one in rest) / len(rest) ** 2
        if value < best:
            best, cut = value, d
    return cut * 5


def test_step_is_cut_exactly_where_it_ends() -> None:
    noise = [1.0, -1.0, 0.5, -0.5, 0.0, 2.0, -2.0, 1.0, 0.0, -1.0]
    series = [100.0] * 20 + noise * 8
    assert suggest_warmup(series) == 20


def test_series_that_falls_to_its_level_is_cut_after_the_fall() -> None:
    dice = np.random.Generator(np.random.Philox(1))
    time = np.arange(400)
    cuts = [suggest_warmup(50 * np.exp(-time / 20) + dice.normal(10, 1, (20, 400))) for _ in range(100)]
    found = [cut for cut in cuts if cut is not None]
    # At 80 periods 0.9 is left of the start, four standard errors of a period's mean; at 120 half of one.
    assert all(80 <= cut <= 200 for cut in found)
    assert 105 <= np.median(found) <= 145
    # A chance likeness of the last batches hides the cut now and then: no advice rather than a wrong one.
    assert len(found) >= 85


def test_stationary_series_loses_little() -> None:
    dice = np.random.Generator(np.random.Philox(2))
    cuts = [suggest_warmup(dice.normal(10, 1, 500)) for _ in range(200)]
    found = [cut for cut in cuts if cut is not None]
    assert len(found) >= 140
    assert float(np.median(found)) <= 50


def test_series_that_grows_has_no_warmup() -> None:
    dice = np.random.Generator(np.random.Philox(3))
    assert suggest_warmup(np.arange(200.0)) is None
    assert suggest_warmup(np.arange(200.0) + dice.normal(0, 5, 200)) is None


def test_constant_series_needs_no_warmup_and_a_short_one_gets_no_advice() -> None:
    assert suggest_warmup([0.1] * 100) == 0
    assert suggest_warmup([1.0] * 49) is None
    assert suggest_warmup([1.0] * 50) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=50, max_size=140))
def test_cut_is_that_of_the_definition(whole: list[int]) -> None:
    # Whole numbers in batches of five: sums of squares are exact, so ties fall alike.
    series = [float(value) * 5 for value in whole]
    wanted = mser_by_definition(series)
    expected = wanted if wanted // 5 <= len(series) // 5 // 2 else None
    found = suggest_warmup(series)
    if found != expected:
        # Only where two cuts are as good as each other up to rounding.
        assert found is None or expected is None or value_of(series, found) == pytest.approx(value_of(series, expected))
        assert value_of(series, wanted) == pytest.approx(value_of(series, found if found is not None else wanted))


def value_of(series: list[float], cut: int) -> float:
    rest = np.array(series[cut : len(series) - len(series) % 5]).reshape(-1, 5).mean(axis=1)
    return float(((rest - rest.mean()) ** 2).sum() / len(rest) ** 2)


@given(st.lists(st.floats(-100, 100), min_size=50, max_size=100))
def test_cut_is_a_multiple_of_five_within_the_first_half_and_rows_are_averaged(series: list[float]) -> None:
    cut = suggest_warmup(series)
    assert cut is None or (cut % 5 == 0 and cut <= len(series) / 2)
    assert suggest_warmup([series, series]) == cut


def test_what_is_no_series_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        suggest_warmup([1.0, float("nan")] * 50)
    with pytest.raises(ValueError, match="a row a replication"):
        suggest_warmup([])
