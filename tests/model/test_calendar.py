import itertools
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.model.calendar import (
    DAY_MS,
    WEEK_MS,
    Window,
    anniversary,
    coarse_of,
    date_at,
    date_ms,
    datetime_ms,
    model_year,
    month_starts,
    whole_years,
)

days = st.dates(date(1950, 1, 1), date(2150, 12, 31))
windows = st.builds(
    lambda origin, warm_up, length, rest: Window(origin, warm_up * DAY_MS, (warm_up + length) * DAY_MS + rest),
    days,
    st.integers(0, 400),
    st.integers(1, 1200),
    st.integers(0, DAY_MS - 1),
)


@given(days, days)
def test_a_date_comes_back_from_its_milliseconds(day, origin):
    assert date_at(date_ms(day, origin), origin) == day
    assert date_at(date_ms(day, origin) + DAY_MS - 1, origin) == day


def test_moments_keep_their_milliseconds_and_may_lie_before_the_origin():
    assert datetime_ms(datetime(2018, 4, 2, 0, 0, 0, 5000), date(2018, 4, 1)) == DAY_MS + 5
    assert datetime_ms(datetime(2018, 3, 31, 23, 59, 59), date(2018, 4, 1)) == -1000


def test_a_leap_year_has_a_day_more():
    assert date_ms(date(2021, 1, 1), date(2020, 1, 1)) == 366 * DAY_MS
    assert date_ms(date(2020, 3, 1), date(2020, 2, 28)) == 2 * DAY_MS


def test_the_anniversary_of_a_leap_day_is_the_first_of_march_where_there_is_none():
    assert anniversary(date(2016, 2, 29), 2017) == date(2017, 3, 1)
    assert anniversary(date(2016, 2, 29), 2020) == date(2020, 2, 29)
    assert model_year(date(2017, 2, 28), date(2016, 2, 29)) == 2016
    assert model_year(date(2017, 3, 1), date(2016, 2, 29)) == 2017


@given(days, st.integers(0, 40000))
def test_whole_years_rise_by_one_on_each_anniversary_only(since, ahead):
    day = since + timedelta(days=ahead)
    assert whole_years(since, day) - whole_years(since, day - timedelta(days=1)) == (
        ahead > 0 and day == anniversary(since, day.year)
    )
    assert whole_years(since, since - timedelta(days=ahead)) == 0


@given(days, st.integers(0, 3000))
def test_month_starts_enclose_the_days_between_without_a_gap(first, length):
    last = first + timedelta(days=length)
    months = month_starts(first, last)
    assert months[0] <= first and months[-1] > last
    for one, other in itertools.pairwise(months):
        assert one.day == other.day == 1
        assert 28 <= (other - one).days <= 31


@given(windows, st.sampled_from(["day", "week", "month"]))
def test_every_edge_of_a_month_is_an_edge_of_a_fine_period(window, period):
    fine, coarse = window.periods(period), window.months()
    assert set(coarse) <= set(fine) <= set(window.day_starts())
    assert fine[0] == 0 and fine[-1] == window.horizon_ms
    assert all(a < b for a, b in itertools.pairwise(fine))
    assert {window.warm_up_ms} <= set(coarse)


@given(windows)
def test_months_of_a_run_are_cut_at_month_starts_warm_up_and_horizon_only(window):
    for at in window.months():
        assert at in (0, window.warm_up_ms, window.horizon_ms) or date_at(at, window.origin).day == 1
    assert window.periods("month") == window.months()


@given(windows)
def test_weeks_are_never_longer_than_seven_days(window):
    weeks = window.periods("week")
    assert max(b - a for a, b in itertools.pairwise(weeks)) <= WEEK_MS


def test_fine_periods_know_their_month():
    window = Window(date(2020, 1, 30), 5 * DAY_MS, 40 * DAY_MS)
    months = window.months()
    assert [date_at(at, window.origin).isoformat() for at in months] == [
        "2020-01-30", "2020-02-01", "2020-02-04", "2020-03-01", "2020-03-10",
    ]  # fmt: skip
    assert coarse_of(window.periods("day"), months)[:6] == [0, 0, 1, 1, 1, 2]


def test_model_years_are_named_and_cut_by_warm_up_and_horizon():
    window = Window(date(2018, 1, 1), 31 * DAY_MS, 800 * DAY_MS)
    years = window.years(date(2016, 4, 1))
    assert [name for name, _, _ in years] == ["2017/18", "2018/19", "2019/20"]
    assert years[0][1] == 31 * DAY_MS and years[-1][2] == 800 * DAY_MS
    assert [end for _, _, end in years[:-1]] == [start for _, start, _ in years[1:]]
    assert date_at(years[1][1], window.origin) == date(2018, 4, 1)
    assert Window(date(2001, 1, 1), 0, 365 * DAY_MS).years(date(2001, 1, 1)) == [("2001", 0, 365 * DAY_MS)]


@pytest.mark.parametrize(
    ("warm_up", "horizon", "told"),
    [
        (DAY_MS // 2, DAY_MS, "whole days"),
        (DAY_MS, DAY_MS, "longer than the warm-up"),
        (0, 2**53 + 1, "before the year 2400"),
        (-DAY_MS, DAY_MS, "whole days"),
    ],
)
def test_a_window_that_cannot_be_run_is_refused(warm_up, horizon, told):
    with pytest.raises(ValueError, match=told):
        Window(date(2020, 1, 1), warm_up, horizon)
