"""Rings of units whose patients wait for each other's: named if nothing can help, counted if something will."""

from __future__ import annotations

import pytest
from small import Played, play

from flowsim.errors import CannotFinish, Gridlock

RING = """
settings: {one: {capacity: 1 beds}, two: {capacity: 1 beds}, three: {capacity: 5 beds}}
MORE
pathways:
  a:
    arrivals: {trace: a.csv}
    steps:
      first: {in: one, stay: 10 minutes, then: second}
      second: {in: two, holds: first, stay: 5 minutes}
  b:
    arrivals: {trace: b.csv}
    steps:
      first: {in: two, stay: 10 minutes, then: second}
      second: {in: one, holds: first, stay: 5 minutes EXTRA}
  c:
    arrivals: {trace: c.csv}
    steps: {alone: {in: three, stay: 500 minutes}}
"""


def ring(more: str = "", extra: str = "", hours: int = 24, minutes: int = 0) -> Played:
    text = RING.replace("MORE", more).replace("EXTRA", extra)
    return play(text, {"a": [0], "b": [0], "c": [0]}, hours=hours, minutes=minutes)


def test_units_whose_patients_wait_for_each_other_are_named_and_others_are_not() -> None:
    with pytest.raises(Gridlock) as stopped:
        ring()
    assert "one" in str(stopped.value)
    assert "two" in str(stopped.value)
    assert "three" not in str(stopped.value)


def test_a_ring_stops_the_run_in_the_instant_in_which_it_closes() -> None:
    ring(hours=0, minutes=10)  # a horizon of 10 minutes: it has not closed
    with pytest.raises(Gridlock):
        ring(hours=0, minutes=11)


def test_a_ring_that_a_patience_opens_is_a_spell() -> None:
    played = ring(extra=", patience: {fixed: 30 minutes}")
    assert played.total("gridlock_spells") == 1
    assert played.see("patient step started left outcome")[:4] == [
        ("a0", "first", 0, 40, "completed"), ("a0", "second", 40, 45, "completed"), ("b0", "first", 0, 40, "completed"),
        ("b0", "second", None, 40, "reneged"),
    ]  # fmt: skip


def test_a_ring_that_beds_to_come_open_is_a_spell() -> None:
    played = ring("capacity_changes: [{setting: two, from: 2001-01-02, add: 1}]", hours=48)
    assert played.total("gridlock_spells") == 1
    assert played.see("patient step started left")[:4] == [
        ("a0", "first", 0, 1440), ("a0", "second", 1440, 1445), ("b0", "first", 0, 1440), ("b0", "second", 1440, 1445),
    ]  # fmt: skip


def test_beds_that_come_beyond_the_horizon_count() -> None:
    played = ring("capacity_changes: [{setting: two, from: 2001-02-01, add: 1}]")
    assert played.total("gridlock_spells") == 1
    assert [row for row in played.see("patient step outcome") if row[2] == "unfinished"] == [
        ("a0", "first", "unfinished"), ("a0", "second", "unfinished"), ("b0", "first", "unfinished"),
        ("b0", "second", "unfinished"),
    ]  # fmt: skip


def test_beds_that_come_but_not_enough_of_them_do_not_count() -> None:
    with pytest.raises(Gridlock):
        ring("capacity_changes: [{setting: two, from: 2001-01-02, set: 0}, {setting: two, from: 2001-01-03, set: 1}]")


def test_shifts_that_open_later_in_the_week_count() -> None:
    text = (
        RING.replace("MORE", "")
        .replace("EXTRA", "")
        .replace(
            "two: {capacity: 1 beds}",
            'two: {capacity: {shifts: [{days: mon, hours: "00:00-24:00", beds: 1}, {days: sun, hours: "00:00-24:00", beds: 2}]}}',
        )
    )
    played = play(text, {"a": [0], "b": [0], "c": []}, hours=24 * 7)
    assert played.see("patient step left")[:2] == [("a0", "first", 6 * 1440), ("a0", "second", 6 * 1440 + 5)]


def test_a_response_that_may_make_room_counts() -> None:
    more = """
responses:
  open more:
    follows: {occupancy: two, over: 1 days}
    changes: {capacity: two}
    points: [[0, 1], [0.9, 2]]
"""
    played = ring(more, hours=48)
    assert played.total("gridlock_spells") == 1
    assert played.see("patient step started")[1] == ("a0", "second", 1440)


def test_a_ring_with_a_free_overflow_unit_is_no_gridlock_even_before_it_may_be_used() -> None:
    pool = "pools: {some: {units: [two, three], tries: {two: [three]}, overflow_after: {three: 50 minutes}}}"
    played = ring(pool)
    assert played.total("gridlock_spells") == 0
    assert played.see("patient step unit started")[1] == ("a0", "second", "three", 60)


def test_a_ring_in_which_one_is_still_served_is_no_gridlock_yet() -> None:
    """Two beds of `two`, in one of which somebody is served until 500: then a0 has it."""
    text = """
    settings: {one: {capacity: 1 beds}, two: {capacity: 2 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          first: {in: one, stay: 10 minutes, then: second}
          second: {in: two, holds: first, stay: 5 minutes}
      b:
        arrivals: {trace: b.csv}
        steps:
          first: {in: two, stay: 10 minutes, then: second}
          second: {in: one, holds: first, stay: 5 minutes}
      c: {arrivals: {trace: c.csv}, steps: {alone: {in: two, stay: 500 minutes}}}
    """
    played = play(text, {"a": [0], "b": [0], "c": [0]})
    assert played.total("gridlock_spells") == 0
    assert played.see("patient step started left")[:2] == [("a0", "first", 0, 500), ("a0", "second", 500, 505)]


def test_a_cut_that_closes_a_ring_is_found() -> None:
    """The patient waits for `three` to open to it after six hours, with a bed there free, until that bed is cut."""
    text = """
    settings: {one: {capacity: 1 beds}, two: {capacity: 0 beds}, three: {capacity: 1 beds}}
    capacity_changes: [{setting: three, from: 2001-01-02, set: 0}]
    pools: {beds: {units: [two, three], overflow_after: {three: 6 hours}}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          first: {in: one, stay: 10 minutes, then: second}
          second: {in: two, holds: first, stay: 5 minutes}
    """
    with pytest.raises(Gridlock, match=r"day 2 at 00:00.*one"):
        play(text, {"a": [1380]}, hours=48)


def test_a_ring_that_the_last_one_served_leaves_behind_in_a_cut_unit_is_found() -> None:
    """b0 is served in `two`, cut to no bed, while a0 holds `one` and waits for it; when b0 leaves, nobody can help."""
    text = """
    settings: {one: {capacity: 1 beds}, two: {capacity: 1 beds}}
    capacity_changes: [{setting: two, from: 2001-01-02, set: 0}]
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          first: {in: one, stay: 10 minutes, then: second}
          second: {in: two, holds: first, stay: 5 minutes}
      b:
        arrivals: {trace: b.csv}
        steps: {second: {in: two, stay: 1500 minutes}}
    """
    with pytest.raises(Gridlock, match=r"day 2 at 01:00.*one"):
        play(text, {"a": [0], "b": [0]}, hours=48)


def test_an_interrupted_patient_has_no_patience_that_could_help() -> None:
    """b0 holds `one`, is put back in the queue of `two` by c0, who keeps `two` until b0 leaves `one`."""
    text = """
    settings: {one: {capacity: 1 beds}, two: {capacity: 1 beds}}
    pathways:
      b:
        arrivals: {trace: b.csv}
        steps:
          first: {in: one, stay: 10 minutes, then: second}
          second: {in: two, stay: 90 minutes, priority: 1, patience: {fixed: 30 minutes}, then: third}
          third: {in: two, holds: first, stay: 5 minutes}
      c:
        arrivals: {trace: c.csv}
        steps:
          urgent: {in: two, stay: 10 minutes, preempts: true, then: last}
          last: {in: one, holds: urgent, stay: 5 minutes}
    """
    with pytest.raises(Gridlock):
        play(text, {"b": [0], "c": [20]})


def test_waiting_behind_a_better_priority_for_ever_is_no_gridlock() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}, bay: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          bay: {in: bay, stay: 1 minutes, then: ward}
          ward: {in: ward, holds: bay, stay: 10 minutes, priority: 9}
      b:
        arrivals: {timetable: {first: 0 minutes, every: 10 minutes}}
        steps: {ward: {in: ward, stay: 10 minutes, priority: 0}}
    """
    played = play(text, {"a": [0]}, hours=48)
    assert played.total("gridlock_spells") == 0
    assert played.see("patient step outcome")[:2] == [("a0", "bay", "unfinished"), ("a0", "ward", "unfinished")]


def test_a_storm_of_events_in_one_instant_stops_and_names_its_steps() -> None:
    text = """
    settings: {desk: {capacity: 1 beds}, hall: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          desk: {in: desk, stay: 0 minutes, then: {hall: 0.9999999999, leave: rest}}
          hall: {in: hall, holds: desk, stay: 0 minutes, then: desk}
    """
    with pytest.raises(CannotFinish, match=r"desk.*hall"):
        play(text, {"a": [0]}, hours=1)
