"""When something tips: the first time beyond a bound, replication by replication."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowsim.measure.tipping import tipping

YEARS = ("2018/19", "2019/20", "2020/21", "2021/22")
VALUES = st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=9)


@given(VALUES, st.floats(0, 1))
def test_a_replication_tips_in_the_first_year_beyond_the_bound_and_not_before(
    values: list[list[float]], bound: float
) -> None:
    found = tipping([dict(zip(YEARS, mine, strict=True)) for mine in values], bound, None)
    assert found.times == YEARS
    for mine, first in zip(values, found.first, strict=True):
        before = mine[: YEARS.index(first)] if first else mine
        assert all(value >= bound for value in before)
        assert first is None or mine[YEARS.index(first)] < bound


@given(VALUES, st.floats(0, 1))
def test_above_a_bound_is_below_it_turned_round(values: list[list[float]], bound: float) -> None:
    by_time = [dict(zip(YEARS, mine, strict=True)) for mine in values]
    turned = [{year: -value for year, value in mine.items()} for mine in by_time]
    assert tipping(by_time, None, bound).first == tipping(turned, -bound, None).first


@given(VALUES, st.floats(0, 1))
def test_by_the_median_half_of_the_replications_have_tipped(values: list[list[float]], bound: float) -> None:
    found = tipping([dict(zip(YEARS, mine, strict=True)) for mine in values], bound, None)
    if found.median is None:
        assert 2 * len(found.tipped) < len(values)
    else:
        until = YEARS[: YEARS.index(found.median) + 1]
        assert 2 * sum(one in until for one in found.tipped) >= len(values)
        assert 2 * sum(one in until[:-1] for one in found.tipped) < len(values)


def test_nobody_to_measure_is_beyond_no_bound() -> None:
    nan = float("nan")
    assert tipping([{"2018/19": nan, "2019/20": 0.5}], 0.7, None).first == ("2019/20",)
    assert tipping([{"2018/19": nan}], None, 0.0).first == (None,)
