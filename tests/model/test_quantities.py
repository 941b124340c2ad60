"""Laws of single values: exact where taken, and where refused, told what would be right."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.model import quantities as q
from flowsim.model.names import near, normal_name

HOUR = 3_600_000
ANYTHING = (
    st.text(max_size=40)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.lists(st.integers(), max_size=2)
    | st.text("0123456789.,-+eE% _:/daysminutehor", max_size=20)
)
PARSERS: list[Callable[[Any], Any]] = [
    q.parse_number,
    q.parse_positive,
    q.parse_share,
    q.parse_whole,
    q.parse_count,
    q.parse_duration,
    q.parse_whole_duration,
    q.parse_name,
    q.parse_text,
    q.parse_date,
    q.parse_datetime,
    q.parse_time_of_day,
    q.parse_hours,
    q.parse_days,
    q.parse_capacity,
    q.parse_point,
    q.parse_age_band,
]


@pytest.mark.parametrize("parse", PARSERS)
@given(value=ANYTHING)
def test_anything_is_taken_or_refused_with_a_reason_never_a_traceback(parse: Callable[[Any], Any], value: Any) -> None:
    try:
        parse(value)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("30 minutes", 30 * 60_000),
        ("0.5 hours", 30 * 60_000),
        ("1 day", 24 * HOUR),
        ("1.5 days", 36 * HOUR),
        ("0.18 hours", 648_000),
        ("1 month", 365 * 24 * HOUR // 12),
        ("1 year", 365 * 24 * HOUR),
        ("2 weeks", 14 * 24 * HOUR),
        ("7 milliseconds", 7),
        (".5 seconds", 500),
        ("0 days", 0),
        ("1e-05 days", 864),
    ],
)
def test_a_length_of_time_in_words_is_exact_milliseconds(text: str, ms: int) -> None:
    assert q.parse_duration(text) == ms
    assert q.parse_whole_duration(text) == ms


@given(st.decimals(0, 10_000, places=4), st.sampled_from(sorted(q.UNITS_MS)))
def test_a_length_of_time_is_the_exact_product_of_number_and_unit(number: Any, unit: str) -> None:
    exact = Fraction(str(number)) * q.UNITS_MS[unit]
    text = f"{number} {unit}s"
    assert q.parse_duration(text) == (int(exact) if exact.denominator == 1 else float(exact))
    if exact.denominator != 1:
        with pytest.raises(ValueError, match="whole number of milliseconds"):
            q.parse_whole_duration(text)


def refused(parse: Callable[[Any], Any], value: object) -> str:
    with pytest.raises(ValueError) as caught:
        parse(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("7d", "write 7 days"),
        ("30 min", "write 30 minutes"),
        ("2 h", "write 2 hours"),
        ("30 minuets", "did you mean 'minutes'"),
        ("30", "unit of time: write 30 minutes"),
        (7, "needs a unit"),
        (7.5, "needs a unit"),
        (True, "length of time"),
        ("-1 days", "0 or more"),
        ("1.0e12 days", "too long"),
        ("1e18 hours", "too long"),
        ("1" * 60 + " days", "too long"),
        ("1e999999999 days", "too large"),
        ("1\u00a0day", "NO-BREAK SPACE"),
        ("1  day", "one space"),
        ("30minutes", "one space"),
        ("None", "leave the key out"),
        ("08 hours", "leading zeros"),
        ("1,5 days", "write 1.5"),
        ("1,000 days", "write 1000"),
    ],
)
def test_a_length_of_time_that_is_none_says_what_would_be_right(value: object, right: str) -> None:
    assert right in refused(q.parse_duration, value)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (95, "0.95"),
        (5, "0.05"),
        (1.2, "from 0 to 1"),
        (-0.1, "from 0 to 1"),
        ("5%", "0.05"),
        ("12.5 %", "0.125"),
        ("0,95", "0.95"),
        ("0.5", "without quotes"),
        (True, "not true"),
        (math.nan, "finite"),
        (-0.0, "write 0"),
        (None, "empty"),
        ({}, "a mapping"),
    ],
)
def test_a_share_lies_between_0_and_1_and_the_likely_one_is_told(value: object, right: str) -> None:
    assert right in refused(q.parse_share, value)


@pytest.mark.parametrize("value", [0, 1, 0.5, 0.30000000000000004])
def test_a_share_is_kept_as_written(value: float) -> None:
    assert q.parse_share(value) == value


@pytest.mark.parametrize(
    ("value", "right"),
    [
        (24.0, "write 24"),
        (2.5, "whole number"),
        (1e3, "write 1000"),
        (True, "not true"),
        ("24", "without quotes"),
        ("24\n", "without quotes"),
        (-4, "0 or more"),
        (4 * 10**18, "use unlimited"),
        (10**20, "too large"),
        ("1,000", "1000"),
        ("1\u00a0000", "NO-BREAK SPACE"),
        ("２４", "FULLWIDTH"),
        ("١٢", "12"),
        ("None", "leave the key"),
        ("08", "leading zeros"),
        ("0x1f", "decimal"),
        ("1_000", "underscores"),
        ("7d", "without a unit: write 7"),
        ("one\ntwo", "whole number"),
        ("£350", "350"),
    ],
)
def test_a_count_is_a_plain_whole_number(value: object, right: str) -> None:
    assert right in refused(q.parse_count, value)


@given(st.integers(0, 10**9))
def test_counts_come_through_unchanged(number: int) -> None:
    assert q.parse_count(q.number_of(str(number))) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_written_by_python_are_read_back_bit_for_bit(number: float) -> None:
    if number == 0:
        number = 0.0
    assert q.number_of(repr(number)) == number


@pytest.mark.parametrize("text", ["1e309", "-1e309", "1e-400", "-0", "-0.0", "010", "NaN", ".inf", "9" * 5000])
def test_numbers_that_cannot_be_kept_as_written_are_refused(text: str) -> None:
    assert refused(q.number_of, text)


@pytest.mark.parametrize("number", [2**53 + 1, math.inf, -math.inf])
def test_a_number_no_float_keeps_is_refused(number: float) -> None:
    assert refused(q.parse_number, number)


@pytest.mark.parametrize(
    "name",
    [
        "ward",
        "King’s",
        "King's",
        "Barking & Dagenham",
        "A&E",
        "ward 🏥",
        "class",
        "None",
        "self",
        "2018",
        "no",
        "x" * 120,
        "beds at {site}",
        "βeta clinic",
        "Łódź",
        "С",
        "65+",
    ],
)
def test_names_of_the_world_are_names(name: str) -> None:
    assert q.parse_name(name) == name


@pytest.mark.parametrize(
    ("name", "right"),
    [
        (12, 'quote it, "12"'),
        (True, "quote it"),
        ("", "not empty"),
        (" ", "not empty"),
        ("x" * 121, "120"),
        ("ward ", "no space"),
        (" ward", "no space"),
        ("a  b", "no two"),
        ("ward\n5", "line breaks"),
        ("ward\u202e5", "\\u202e"),
        ("wa\u200brd", "ZERO WIDTH SPACE"),
        ("a\x00", "\\x00"),
        ("\x1b[31mward", "\\x1b"),
        ("ward\ud800", "\\ud800"),
        ("a\u00a0b", "NO-BREAK SPACE"),
        ("=1+1", "formula"),
        ("+x", "formula"),
        ("@x", "formula"),
        ("#REF!", "spreadsheet"),
        ("wаrd", "CYRILLIC SMALL LETTER A"),
        (None, "a name"),
    ],
)
def test_a_name_that_would_mislead_is_refused_with_the_cause(name: object, right: str) -> None:
    assert right in refused(q.parse_name, name)


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_every_day_of_the_calendar_is_read_from_its_iso_form(day: date) -> None:
    assert q.parse_date(day.isoformat()) == day


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("2018-02-30", "no such day"),
        ("2019-02-29", "no such day"),
        ("0000-01-01", "1900"),
        ("1850-01-01", "1900"),
        ("03/04/2019", "cannot be told apart"),
        ("01.04.2018", "cannot be told apart"),
        ("18-04-01", "four digits"),
        ("2018-04-01T08:00:00+01:00", "time zone"),
        ("2018-04-01 08:00", "without a time"),
        ("43191", "2018-04-01"),
        (43191, "2018-04-01"),
        ("2018-4-1", "2018-04-01"),
        (None, "2018-04-01"),
        ("２０18-04-01", "2018-04-01"),
    ],
)
def test_a_date_is_never_guessed(value: object, right: str) -> None:
    assert right in refused(q.parse_date, value)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))
def test_a_moment_is_read_to_the_millisecond(moment: datetime) -> None:
    moment -= timedelta(microseconds=moment.microsecond % 1000)
    assert q.parse_datetime(moment.isoformat(" ", "milliseconds")) == moment


@pytest.mark.parametrize("text", ["2018-04-01", "2018-04-01 24:00", "2018-04-01 08:00Z", "2018-03-25 1:30"])
def test_a_moment_needs_a_time_of_the_day_and_no_zone(text: str) -> None:
    assert refused(q.parse_datetime, text)


def test_an_hour_that_a_time_zone_skips_exists_in_model_time() -> None:
    assert q.parse_datetime("2018-03-25 01:30:00") == datetime(2018, 3, 25, 1, 30)


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_of_day_is_its_milliseconds(hour: int, minute: int) -> None:
    assert q.parse_time_of_day(f"{hour:02d}:{minute:02d}") == (hour * 60 + minute) * 60_000


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("8am", "08:00"),
        ("8:30", "08:30"),
        ("8.30", "08:30"),
        ("8.30pm", "20:30"),
        ("12am", "00:00"),
        (8.3, "08:30"),
        (8, "08:30"),
        ("25:30", "no such time"),
        ("08:60", "no such time"),
        ("24:00", "write 00:00"),
        ("24:01", "no such"),
    ],
)
def test_a_time_of_day_in_another_form_is_told_the_right_one(value: object, right: str) -> None:
    assert right in refused(q.parse_time_of_day, value)


def test_hours_end_after_they_start_at_midnight_at_the_latest() -> None:
    assert q.parse_hours("08:00-20:00") == (8 * HOUR, 20 * HOUR)
    assert q.parse_hours("00:00-24:00") == (0, 24 * HOUR)
    assert "18:00-24:00 and 00:00-08:00" in refused(q.parse_hours, "18:00-08:00")
    assert "after they start" in refused(q.parse_hours, "08:00-08:00")
    assert "plain hyphen" in refused(q.parse_hours, "08:00–20:00")
    assert "no such time" in refused(q.parse_hours, "08:00-25:30")
    assert "without spaces" in refused(q.parse_hours, "08:00 - 20:00")


def test_days_are_numbers_from_monday() -> None:
    assert q.parse_days("mon") == (0,)
    assert q.parse_days("mon-fri") == (0, 1, 2, 3, 4)
    assert q.parse_days("sat,sun") == (5, 6)
    assert q.parse_days("sun, mon") == (0, 6)
    assert "did you mean thu?" in refused(q.parse_days, "Thurs")
    assert "did you mean mon?" in refused(q.parse_days, "Monday")
    assert "twice" in refused(q.parse_days, "mon,mon-wed")
    assert "fri-sun,mon-mon" in refused(q.parse_days, "fri-mon")


def test_a_capacity_in_words_says_what_it_counts() -> None:
    assert q.parse_capacity("10 beds") == {"beds": 10}
    assert q.parse_capacity("1 slot") == {"slots": 1}
    assert q.parse_capacity("unlimited") == {"unlimited": True}
    assert "write 10 beds or 10 slots" in refused(q.parse_capacity, 10)
    assert "0 or more" in refused(q.parse_capacity, "-4 beds")
    assert "whole number" in refused(q.parse_capacity, "2.5 beds")
    assert "write 1000" in refused(q.parse_capacity, "1,000 beds")
    assert "use unlimited" in refused(q.parse_capacity, "4000000000000000000 beds")


def test_a_point_of_a_visit_is_a_step_and_a_moment() -> None:
    assert q.parse_point("home care joined") == {"step": "home care", "moment": "joined"}
    assert "did you mean 'joined'" in refused(q.parse_point, "triage joind")


@pytest.mark.parametrize("band", ["0-17", "90+", "5", "65-69"])
def test_age_bands_are_kept_as_written(band: str) -> None:
    assert q.parse_age_band(band) == band


@pytest.mark.parametrize(
    ("band", "right"),
    [
        ("Oct-14", "spreadsheet"),
        ("5-Sep", "spreadsheet"),
        ("65–69", "plain hyphen"),
        ("69-65", "at or after"),
        ("all", "65-69"),
    ],
)
def test_an_age_band_spoilt_on_the_way_is_told_its_likely_cause(band: str, right: str) -> None:
    assert right in refused(q.parse_age_band, band)


def test_names_that_nobody_can_tell_apart_are_the_same_and_others_are_not() -> None:
    assert normal_name("ward") == normal_name("wаrd") == normal_name("Ward ") == normal_name("wa\u200brd")
    assert normal_name("BETA") == normal_name("ΒΕΤΑ")
    assert normal_name("KGH ward") == normal_name("КGH  Ward")
    assert normal_name("ward 1") != normal_name("ward 2")
    assert normal_name("King's") != normal_name("King’s")


def test_a_near_name_is_suggested_and_the_odd_letter_pointed_out() -> None:
    assert near("dischrage", ["ward", "discharge"]) == " (did you mean 'discharge'?)"
    assert near("Medical Ward", ["medical ward", "icu"]) == " (did you mean 'medical ward'?)"
    assert "U+0430 CYRILLIC SMALL LETTER A" in near("wаrd", ["ward", "home"])
    assert "U+200B" in near("beds\u200b", ["beds", "slots"])
    assert near("Saint Elsewhere", ["Queens", "KGH"]) == " (one of: 'Queens', 'KGH')"
    assert "one of 30:" in near("Saint Elsewhere", [f"Q{n}" for n in range(30)])
    assert near("x", []) == ""
