"""Clocks: when they start and stop, what they count, and in which month."""

from __future__ import annotations

import pytest
from agreeing import disagreements
from small import DAY, MINUTE, play

PATH = """
settings: {triage: {capacity: 1 beds}, ward: {capacity: 1 beds}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps:
      triage: {in: triage, stay: 10 minutes, rounds: [{at: ["00:15", "00:30", "00:45", "01:00"]}], then: ward}
      ward: {in: ward, holds: triage, stay: 60 minutes}
clocks: {one: {from: FROM, to: TO, standard: 30 minutes}}
"""


@pytest.mark.parametrize(
    ("start", "stop", "ran"),
    [
        # a0: joined 0, started 0, ready 10, ended 15, left 15 (the ward starts at 15, until 75)
        # a1: joined 5, started 15, ready 25, ended 30, left 75
        ("triage joined", "triage started", [0, 10]),
        ("triage joined", "triage ready", [10, 20]),
        ("triage joined", "triage ended", [15, 25]),
        ("triage joined", "triage left", [15, 70]),
        ("triage started", "triage ended", [15, 15]),
        ("triage ready", "triage ended", [5, 5]),
        ("triage ended", "triage left", [0, 45]),
        ("triage left", "ward started", [0, 0]),
        ("triage ready", "ward ended", [65, 110]),
    ],
)
def test_a_clock_runs_from_one_moment_to_another(start: str, stop: str, ran: list[int]) -> None:
    played = play(PATH.replace("FROM", start).replace("TO", stop), {"a": [0, 5]}, hours=4)
    assert played.see("joined started ready ended left")[::2] == [(0, 0, 10, 15, 15), (5, 15, 25, 30, 75)]
    assert played.total("clock_ms") == sum(ran) * MINUTE
    met = sum(one <= 30 for one in ran)
    assert (played.total("clock_met"), played.total("clock_missed")) == (met, 2 - met)
    assert (played.total("clock_started"), played.total("clock_lost")) == (2, 0)
    assert disagreements(played) == []


def test_the_standard_is_met_by_exactly_its_length() -> None:
    text = PATH.replace("FROM", "ward started").replace("TO", "ward ended")
    assert play(text.replace("30 minutes}}", "60 minutes}}"), {"a": [0]}).total("clock_met") == 1
    assert play(text.replace("30 minutes}}", "3599.999 seconds}}"), {"a": [0]}).total("clock_missed") == 1


AGAIN = """
settings: {desk: {capacity: 1 beds}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps:
      first: {in: desk, stay: 10 minutes, then: second}
      second: {in: desk, stay: 20 minutes, then: third}
      third: {in: desk, stay: 30 minutes}
clocks: {one: {from: FROM, to: TO, standard: 30 minutes}}
"""


def again(start: str, stop: str, **options: int) -> tuple[int, int, int]:
    played = play(AGAIN.replace("FROM", start).replace("TO", stop), {"a": [0]}, **options)
    assert disagreements(played) == []
    return played.total("clock_started"), played.total("clock_ms") // MINUTE, played.total("clock_lost")


def test_a_start_while_the_clock_runs_is_ignored() -> None:
    assert again("[first started, second started]", "third started") == (1, 30, 0)


def test_at_the_same_point_a_clock_stops_before_it_starts() -> None:
    assert again("[first started, second started]", "[second started, third started]") == (2, 30, 0)


def test_a_clock_whose_patient_leaves_is_lost_and_a_stop_without_a_start_is_nothing() -> None:
    assert again("[third started]", "[second ended, third left]") == (1, 30, 0)
    text = AGAIN.replace("FROM", "[first started, third ended]").replace("TO", "second started")
    played = play(text, {"a": [0]})
    assert (played.total("clock_started"), played.total("clock_ms"), played.total("clock_lost")) == (2, 10 * MINUTE, 1)


def test_a_clock_is_counted_in_the_month_in_which_it_stops_and_as_running_at_each_end_before() -> None:
    text = """
    settings: {ward: {capacity: 3 beds}}
    pathways:
      a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, stay: 2 days}}}
    clocks: {one: {from: ward joined, to: ward ended, standard: 36 hours}}
    """
    month = 31 * 1440
    played = play(text, {"a.csv": "at\n2001-01-29 12:00\n2001-01-30 00:00\n2001-01-30 12:00\n"}, hours=33 * 24)
    assert month == 31 * 1440
    january, february = 30, 32
    # a1 stops at midnight of 1 February: it runs still when January closes, and stops in February.
    assert played.book("clock_running", january) == {"one": 2}
    assert played.book("clock_running_over", january) == {"one": 1}
    assert played.total("clock_ms", january) == 2 * DAY
    assert played.total("clock_ms", february) == 4 * DAY
    assert played.book("clock_running", february) == {}
    assert disagreements(played) == []


def test_people_waiting_on_the_first_day_have_clocks_from_when_they_joined() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}}
    pathways:
      a: {arrivals: {per_day: 0}, steps: {ward: {in: ward, stay: 10 minutes}}}
    first_day: [{pathway: a, step: ward, waiting: 2, waited_up_to: 40 minutes}]
    clocks: {one: {from: ward joined, to: ward started, standard: 20 minutes}}
    """
    played = play(text)
    assert played.see("joined started") == [(-30, 0), (-10, 10)]
    assert played.total("clock_ms") == 50 * MINUTE
    assert (played.total("clock_met"), played.total("clock_missed")) == (1, 1)
    assert disagreements(played) == []
