"""What happens first at one instant: every kind of `rules.Kind` against the next."""

from __future__ import annotations

import heapq

import pytest
from small import MINUTE, play

from flowsim.engine import premises
from flowsim.engine.rules import Kind


def test_a_day_ends_before_anything_of_the_next() -> None:
    """CLOSE before END: who goes at midnight is still counted, and its end is of the next day."""
    played = play(
        """
        settings: {ward: {capacity: 2 beds}}
        pathways:
          a:
            arrivals: {trace: a.csv}
            steps: {ward: {in: ward, stay: 1 hour}}
        """,
        {"a": [23 * 60, 24 * 60]},
        hours=48,
    )
    assert played.see("patient started left") == [("a0", 1380, 1440), ("a1", 1440, 1500)]
    assert [played.book("midnight_in_use", day) for day in (0, 1)] == [{"ward": 1}, {}]
    assert [played.total("ends", day) for day in (0, 1)] == [0, 2]
    assert [played.total("arrivals", day) for day in (0, 1)] == [1, 1]


def test_capacity_of_midnight_is_that_before_a_change_at_midnight() -> None:
    """CLOSE before CAPACITY."""
    played = play(
        """
        settings: {ward: {capacity: 2 beds}}
        capacity_changes: [{setting: ward, from: 2001-01-02, add: 3}]
        pathways: {a: {arrivals: {per_day: 0}, steps: {ward: {in: ward, stay: 1 hour}}}}
        """,
        hours=48,
    )
    assert [played.total("midnight_available", day) for day in (0, 1)] == [2, 5]
    assert [played.total("available_ms", day) for day in (0, 1)] == [2 * 1440 * MINUTE, 5 * 1440 * MINUTE]


def test_a_session_opens_before_and_closes_before_those_who_come_at_that_instant() -> None:
    """RENEW before ARRIVAL and START: at 09:00 the slot is there, at 10:00 it is lost."""
    played = play(
        """
        settings: {clinic: {capacity: 2 slots, opens: [{hours: "09:00-10:00"}]}}
        pathways:
          a:
            arrivals: {trace: a.csv}
            steps: {clinic: {in: clinic, stay: 5 minutes}}
        """,
        {"a": [540, 600]},
        hours=24,
    )
    assert played.see("patient started outcome") == [("a0", 540, "completed"), ("a1", None, "unfinished")]
    assert (played.total("slots_offered"), played.total("slots_lost")) == (2, 1)


LOSS = """
settings: {ward: {capacity: 1 beds}, other: {capacity: unlimited}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps:
      ward: {in: ward, stay: 10 minutes, queue_limit: {waiting: 0, otherwise: elsewhere}}
      elsewhere: {in: other, stay: 1 minute}
"""


def test_a_bed_freed_in_the_instant_of_an_arrival_is_had() -> None:
    """END before ARRIVAL and JOIN: nobody is turned away by a bed that falls free at that instant."""
    played = play(LOSS, {"a": [0, 10, 15]}, hours=1)
    assert played.see("patient step joined started left outcome") == [
        ("a0", "ward", 0, 0, 10, "completed"),
        ("a1", "ward", 10, 10, 20, "completed"),
        ("a2", "ward", 15, None, 15, "balked"),
        ("a2", "elsewhere", 15, 15, 16, "completed"),
    ]


def test_beds_that_open_in_the_instant_of_a_join_are_counted() -> None:
    """CAPACITY before JOIN and START."""
    played = play(
        """
        settings: {ward: {capacity: {shifts: [{hours: "01:00-02:00", beds: 1}]}}}
        pathways:
          a:
            arrivals: {trace: a.csv}
            steps: {ward: {in: ward, stay: 10 minutes, queue_limit: {waiting: 0}}}
        """,
        {"a": [59, 60, 120]},
        hours=3,
    )
    assert played.see("patient started outcome") == [
        ("a0", None, "balked"),
        ("a1", 60, "completed"),
        ("a2", None, "balked"),
    ]


def test_a_condition_is_looked_at_when_all_arrivals_of_the_instant_are_known() -> None:
    """ARRIVAL before JOIN: a patient under a queue limit finds one who comes in the same instant without one before it."""
    text = """
    settings: {ward: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {limited: {in: ward, stay: 10 minutes, queue_limit: {waiting: 0}}}
      b:
        arrivals: {trace: b.csv}
        steps: {free: {in: ward, stay: 10 minutes}}
    """
    played = play(text, {"a": [0], "b": [0]}, hours=1)
    assert played.see("patient started outcome") == [("a0", None, "balked"), ("b0", 0, "completed")]


def test_all_who_join_at_one_instant_are_known_before_anybody_starts() -> None:
    """JOIN before START: limit 1 and one bed let in two of four, since the bed counts as free until START."""
    text = LOSS.replace("waiting: 0", "waiting: 1")
    played = play(text, {"a": [0, 0, 0, 0]}, hours=1)
    assert played.see("patient step started outcome")[:4] == [
        ("a0", "ward", 0, "completed"),
        ("a1", "ward", 10, "completed"),
        ("a2", "ward", None, "balked"),
        ("a2", "elsewhere", 0, "completed"),
    ]


def test_the_better_priority_that_joins_under_a_condition_starts_first() -> None:
    """JOIN before START: both are in the queue when the one bed is given."""
    text = """
    settings: {ward: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {ward: {in: ward, stay: 10 minutes, priority: 1, queue_limit: {waiting: 5}}}
      b:
        arrivals: {trace: b.csv}
        steps: {ward: {in: ward, stay: 10 minutes, priority: 0, queue_limit: {waiting: 5}}}
    """
    assert play(text, {"a": [0], "b": [0]}, hours=1).see("patient started") == [("a0", 10), ("b0", 0)]


def test_the_better_priority_starts_although_it_came_to_be_known_later() -> None:
    """All ARRIVALs before START: stream a comes first by number, b starts first by priority."""
    text = """
    settings: {ward: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {ward: {in: ward, stay: 10 minutes, priority: 1}}
      b:
        arrivals: {trace: b.csv}
        steps: {ward: {in: ward, stay: 10 minutes, priority: 0}}
    """
    assert play(text, {"a": [0], "b": [0]}, hours=1).see("patient started") == [("a0", 10), ("b0", 0)]


@pytest.mark.parametrize(("patience", "outcome"), [(10, "completed"), (9, "reneged")])
def test_a_bed_freed_in_the_instant_a_patience_ends_is_had(patience: int, outcome: str) -> None:
    """START before RENEGE."""
    played = play(
        f"""
        settings: {{ward: {{capacity: 1 beds}}}}
        pathways:
          a:
            arrivals: {{trace: a.csv}}
            steps: {{ward: {{in: ward, stay: 10 minutes, patience: {{fixed: {patience} minutes}}}}}}
        """,
        {"a": [0, 0]},
        hours=1,
    )
    assert played.see("patient outcome") == [("a0", "completed"), ("a1", outcome)]
    assert played.visits[1].left == (20 if outcome == "completed" else 9)


def test_a_ring_that_a_patience_breaks_in_the_same_instant_is_no_spell() -> None:
    """RENEGE before CHECK."""
    text = """
    settings: {one: {capacity: 1 beds}, two: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          first: {in: one, stay: 10 minutes, then: second}
          second: {in: two, holds: first, stay: 5 minutes, patience: {fixed: PATIENCE}}
      b:
        arrivals: {trace: b.csv}
        steps:
          first: {in: two, stay: 10 minutes, then: second}
          second: {in: one, holds: first, stay: 5 minutes}
    """
    at_once = play(text.replace("PATIENCE", "0 minutes"), {"a": [0], "b": [0]}, hours=1)
    later = play(text.replace("PATIENCE", "1 minutes"), {"a": [0], "b": [0]}, hours=1)
    assert at_once.see("patient step joined started left") == [
        ("a0", "first", 0, 0, 10),
        ("a0", "second", 10, None, 10),
        ("b0", "first", 0, 0, 10),
        ("b0", "second", 10, 10, 15),
    ]
    assert (at_once.total("gridlock_spells"), later.total("gridlock_spells")) == (0, 1)


def test_what_a_start_frees_starts_others_in_the_same_instant() -> None:
    """A bed kept for the next step falls free when that starts; a stay of no time begins and ends in the instant."""
    text = """
    settings: {cubicle: {capacity: 1 beds}, ward: {capacity: 1 beds}, desk: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          cubicle: {in: cubicle, stay: 5 minutes, then: desk}
          desk: {in: desk, holds: cubicle, stay: 0 minutes, then: ward}
          ward: {in: ward, holds: desk, stay: 20 minutes}
    """
    played = play(text, {"a": [0, 0, 0]}, hours=2)
    assert played.see("patient step started ended left") == [
        ("a0", "cubicle", 0, 5, 5), ("a0", "desk", 5, 5, 5), ("a0", "ward", 5, 25, 25),
        ("a1", "cubicle", 5, 10, 10), ("a1", "desk", 10, 10, 25), ("a1", "ward", 25, 45, 45),
        ("a2", "cubicle", 10, 15, 25), ("a2", "desk", 25, 25, 45), ("a2", "ward", 45, 65, 65),
    ]  # fmt: skip


def test_kinds_happen_in_their_order_whatever_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """All kinds at one midnight, in the written order, and within a kind by unit, pool or stream, then by patient."""
    seen: list[tuple[int, tuple[int, int, int]]] = []

    def spy(
        queue: list[tuple[int, tuple[int, int, int], int, object]],
    ) -> tuple[int, tuple[int, int, int], int, object]:
        found = heapq.heappop(queue)
        seen.append((found[0], found[1]))
        return found

    monkeypatch.setattr(premises, "heappop", spy)
    play(
        """
        settings: {a ward: {capacity: 1 beds}, z ward: {capacity: 1 beds}, clinic: {capacity: 1 slots}}
        capacity_changes:
          - {setting: z ward, from: 2001-01-02, set: 0}
          - {setting: a ward, from: 2001-01-02, set: 0}
          - {setting: a ward, from: 2001-01-03, set: 1}
          - {setting: z ward, from: 2001-01-03, set: 1}
        pathways:
          a:
            arrivals: {trace: a.csv}
            steps:
              first: {in: z ward, stay: 1 hour, then: second}
              second: {in: a ward, holds: first, stay: 1 hour, patience: {fixed: 0 minutes}, queue_limit: {waiting: 9}}
          b:
            arrivals: {trace: b.csv}
            steps: {clinic: {in: clinic, stay: 1 hour}}
        """,
        {"a": [23 * 60, 24 * 60], "b": [24 * 60]},
        hours=60,
    )
    midnight = [key for at, key in seen if at == 1440 * MINUTE]
    assert [Kind(kind).name for kind, _, _ in midnight] == [
        "CLOSE", "END", "CAPACITY", "CAPACITY", "RENEW", "ARRIVAL", "ARRIVAL", "JOIN", "START", "START", "START",
        "RENEGE", "START", "CHECK",
    ]  # fmt: skip
    assert midnight[:-2] == sorted(midnight[:-2])  # who gives up frees a bed, and so there is a START once more
    assert len({where for kind, where, _ in midnight if kind == Kind.CAPACITY}) == 2


def test_streams_of_one_instant_take_their_turn_by_number_and_patients_by_index() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}}
    pathways:
      z: {arrivals: {trace: z.csv}, steps: {ward: {in: ward, stay: 10 minutes}}}
      a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, stay: 10 minutes}}}
    """
    played = play(text, {"z": [0, 0], "a": [0, 0]}, hours=1)
    assert played.see("patient started") == [("a0", 0), ("a1", 10), ("z0", 20), ("z1", 30)]
