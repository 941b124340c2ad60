"""What is said follows the interval, never the template alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.show import sentences
from flowsim.show.numbers import change_and_interval, size_and_interval, told


@dataclass(frozen=True)
class Words:
    less: str = "frees {n} beds"
    more: str = "fills {n} more beds"
    same: str = "makes no clear difference to {it}"
    by: str = "all"


def record(difference: Any, low: Any, high: Any, measured_in: str = "beds", **more: Any) -> dict[str, Any]:
    return {
        "scenario": "shift", "baseline": "as it is", "measured_in": measured_in, "key": "beds",
        "label": "beds in use",
        "mean": 100.0, "low": 95.0, "high": 105.0, "difference": difference, "difference_low": low,
        "difference_high": high, **more,
    }  # fmt: skip


def test_a_clear_change_is_told_by_its_size_and_interval() -> None:
    assert sentences.phrase(record(-21.0, -25.0, -17.0), Words()) == "frees 21 (17 to 25) beds"
    assert sentences.phrase(record(21.0, 17.0, 25.0), Words()) == "fills 21 (17 to 25) more beds"


@pytest.mark.parametrize("interval", [(-4.0, 0.5), (-4.0, 0.0), (0.0, 0.0)])
def test_an_interval_that_touches_zero_is_no_clear_difference(interval: tuple[float, float]) -> None:
    difference = sum(interval) / 2
    assert sentences.phrase(record(difference, *interval), Words()) == "makes no clear difference to beds in use"


def test_one_replication_says_that_no_interval_can_be_given() -> None:
    said = sentences.phrase(record(-21.0, None, None), Words())
    assert said == "frees 21.0 (one replication, so no interval can be given) beds"


def test_shares_are_told_in_percentage_points() -> None:
    words = Words(less="lowers it by {n}")
    said = sentences.phrase(record(-0.021, -0.025, -0.017, "share"), words)
    assert said == "lowers it by 2.1 percentage points (1.7 to 2.5)"
    written = Words(less="lowers it by {n} percentage points")
    assert sentences.phrase(record(-0.021, -0.025, -0.017, "share"), written) == (
        "lowers it by 2.1 (1.7 to 2.5) percentage points"
    )


def test_nobody_to_measure_is_said_and_not_counted() -> None:
    assert sentences.phrase(record(None, None, None), Words()) == sentences.NOBODY
    assert sentences.phrase(record(float("nan"), None, None), Words()) == sentences.NOBODY


def test_the_answer_depends_on_results_and_not_on_the_template() -> None:
    template = "Caring at home {shift: beds}."
    for difference, low, high, words in (
        (-21.0, -25.0, -17.0, "frees 21 (17 to 25) beds"),
        (0.1, -2.0, 2.2, "makes no clear difference to beds in use"),
    ):
        rows = [record(difference, low, high)]
        assert sentences.answer(template, rows, {"beds": Words()}, ["as it is", "shift"]) == f"Caring at home {words}."


def test_without_a_template_the_names_make_the_answer() -> None:
    base = record(None, None, None, scenario="as it is")
    said = sentences.answer("", [base, record(-21.0, -25.0, -17.0)], {"beds": Words()}, ["as it is", "shift"])
    assert said == (
        "Under 'as it is', beds in use is 100.0 beds (95.0 to 105.0). "
        "Compared with 'as it is', 'shift' lowers beds in use by 21 beds (17 to 25)."
    )


finite = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-3)


@given(st.tuples(finite, finite, finite).map(sorted))
def test_the_size_of_a_clear_change_is_never_negative(numbers: list[float]) -> None:
    low, difference, high = numbers
    size, interval = size_and_interval(record(difference, low, high), digits=1)
    assert not size.startswith("-")
    if low > 0 or high < 0:
        assert "-" not in interval


@given(st.floats(-1e9, 1e9), st.integers(-6, 6))
def test_what_is_told_is_the_number_to_its_decimals_and_never_minus_zero(value: float, places: int) -> None:
    text = told(value, places)
    assert float(text.replace(",", "")) == pytest.approx(value, abs=0.51 * 10.0**-places, rel=1e-12)
    assert not (text.startswith("-") and float(text.replace(",", "")) == 0)


def test_a_change_has_its_sign_and_no_change_has_none() -> None:
    assert change_and_interval(record(4.0, 3.0, 5.0)) == ("+4.0", "3.0 to 5.0")
    assert change_and_interval(record(0.0, 0.0, 0.0)) == ("0", "0 to 0")


def test_what_levers_move_is_told_on_both_sides() -> None:
    rows = [
        {"scenario": "shift", "setting": "ward", "change_a_year": -1025.4},
        {"scenario": "shift", "setting": "rapid response", "change_a_year": 1025.4},
    ]
    assert sentences.moved(rows) == ["shift: removed from ward 1,025; added to rapid response 1,025"]


GROWING = [
    {"scenario": "fewer beds", "unit": f"queue {n}", "patients_more_a_year": 40.4 + n, "low": 30.0, "high": 50.0}
    for n in range(8)
]


def test_growth_is_told_by_the_year_where_years_can_be_compared_the_fastest_first() -> None:
    lines = sentences.growing(GROWING, True, 6)
    assert lines[0].startswith("Growing: under 'fewer beds' the queue for queue 7 grows by 47 patients a year;")
    assert lines[6:] == ["Growing too: 2 more queues (all with --json)."]


def test_within_a_few_years_no_growth_is_told_and_it_is_said_why() -> None:
    (line,) = sentences.growing(GROWING, False, 2)
    assert line == (
        "Longer at the end than at the beginning: the queues for queue 0, queue 1 and 6 more. "
        "Less than four years cannot tell whether that is growth or the season."
    )
    assert "grows" not in line
    assert sentences.growing([], False, 2) == []


def test_how_many_were_still_inside_is_one_sentence_with_the_baseline_first() -> None:
    rows = [
        {"scenario": name, "in_care": care, "waiting": waiting}
        for name, care, waiting in (("a", 1204.0, 15.2), ("base", 1300.4, 20.0), ("b", 1250.0, 15.0))
    ]
    assert sentences.unfinished(rows, "base") == (
        "When the run ended, 1,300 patients were still in care and 20 still waiting under 'base', 1,204 to 1,250 and "
        "15 under the other scenarios (in all settings together, means of the replications)."
    )
    assert "1,204 and 15 under 'a' (" in sentences.unfinished(rows[:2], "base")
    assert sentences.unfinished(rows[1:2], "base").count("under") == 1
