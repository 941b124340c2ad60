"""Who takes whose place, and what becomes of the one who was interrupted."""

from __future__ import annotations

from agreeing import disagreements
from small import MINUTE, Played, play

URGENT = """
settings: {ward: {capacity: BEDS beds}}
pathways:
  a: {arrivals: {trace: a.csv}, steps: {plain: {in: ward, stay: 60 minutes, priority: 2}}}
  b: {arrivals: {trace: b.csv}, steps: {middle: {in: ward, stay: 60 minutes, priority: 1EXTRA}}}
  c: {arrivals: {trace: c.csv}, steps: {urgent: {in: ward, stay: 30 minutes, priority: 0, preempts: true}}}
"""


def urgent(beds: int, extra: str = "", **arrivals: tuple[int, ...]) -> Played:
    text = URGENT.replace("BEDS", str(beds)).replace("EXTRA", extra)
    return play(text, {"a": (), "b": (), "c": (), **arrivals}, hours=20)


def test_the_interrupted_one_keeps_when_it_joined_and_later_serves_what_remained() -> None:
    played = urgent(1, a=(0, 5), c=(20,))
    assert played.see("patient joined started ready left") == [
        ("a0", 0, 0, 90, 90),  # 20 minutes, then 40 from 50 on, before a1 who joined later
        ("a1", 5, 90, 150, 150),
        ("c0", 20, 20, 50, 50),
    ]
    assert played.book("interrupted") == {"ward, priority 2 in ward": 1}
    assert played.book("starts") == {"ward, priority 2 in ward": 3, "ward, priority 0, pre-empting in ward": 1}
    assert played.book("wait_ms") == {"ward, priority 2": 85 * MINUTE}
    assert played.book("queue_ms") == {"ward, priority 2": (85 + 30) * MINUTE}
    assert played.book("in_use_ms") == {"ward": 150 * MINUTE}
    assert disagreements(played) == []


def test_a_stay_may_be_interrupted_more_than_once() -> None:
    played = urgent(1, a=(0,), c=(10, 45, 200))
    assert played.see("patient started left") == [("a0", 0, 120), ("c0", 10, 40), ("c1", 45, 75), ("c2", 200, 230)]
    assert played.total("interrupted") == 2


def test_the_victim_is_the_worst_priority_then_the_latest_start_then_the_highest_number() -> None:
    assert urgent(3, a=(0, 10), b=(20,), c=(30,)).see("patient left") == [
        ("a0", 60), ("a1", 100), ("b0", 80), ("c0", 60),
    ]  # fmt: skip
    assert urgent(3, a=(0, 10, 10), c=(30,)).see("patient left") == [("a0", 60), ("a1", 70), ("a2", 100), ("c0", 60)]


def test_the_latest_start_is_that_of_the_present_segment() -> None:
    """a0 goes on in x at 40, after a1 began in y at 5: next time it is a0 again, although it began first of all."""
    text = """
    settings: {x: {capacity: 1 beds}, y: {capacity: 1 beds}}
    pools: {both: {units: [x, y], tries: {x: [], y: [x]}}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {plain x: {in: x, stay: 100 minutes, priority: 2}}
      b:
        arrivals: {trace: b.csv}
        steps: {plain y: {in: y, stay: 100 minutes, priority: 2}}
      c: {arrivals: {trace: c.csv}, steps: {urgent x: {in: x, stay: 30 minutes, preempts: true}}}
      d: {arrivals: {trace: d.csv}, steps: {urgent y: {in: y, stay: 30 minutes, preempts: true}}}
    """
    played = play(text, {"a": [0], "b": [5], "c": [10], "d": [45]})
    assert played.see("patient unit started left") == [
        ("a0", "x", 0, 160), ("b0", "y", 5, 105), ("c0", "x", 10, 40), ("d0", "x", 45, 75),
    ]  # fmt: skip


def test_nobody_of_the_same_or_a_better_priority_gives_way() -> None:
    assert urgent(1, c=(0, 10)).see("patient started") == [("c0", 0), ("c1", 30)]
    assert urgent(1, b=(0,), a=(1,)).see("patient started") == [("a0", 60), ("b0", 0)]


def test_a_free_bed_is_taken_before_anybody_is_interrupted() -> None:
    played = urgent(2, a=(0,), c=(10,))
    assert played.total("interrupted") == 0
    assert played.see("patient started left") == [("a0", 0, 60), ("c0", 10, 40)]


def test_several_who_pre_empt_at_one_instant_interrupt_one_each() -> None:
    played = urgent(2, a=(0, 5), c=(10, 10, 10))
    assert played.see("patient started")[2:] == [("c0", 10), ("c1", 10), ("c2", 40)]
    assert played.see("patient left")[:2] == [("a0", 90), ("a1", 125)]  # both put back at 10, one bed at 40, one at 70


def test_the_interrupted_one_has_no_patience_any_more() -> None:
    played = urgent(1, extra=", patience: {fixed: 5 minutes}", b=(0, 1), c=(20,))
    assert played.see("patient started left outcome") == [
        ("b0", 0, 90, "completed"), ("b1", None, 6, "reneged"), ("c0", 20, 50, "completed"),
    ]  # fmt: skip


def test_nobody_is_interrupted_in_beds_that_a_cut_has_taken() -> None:
    text = (
        URGENT.replace("BEDS", "2")
        .replace("EXTRA", "")
        .replace("pathways:", "capacity_changes: [{setting: ward, from: 2001-01-02, set: 1}]\npathways:")
    )
    played = play(text, {"a": [1400, 1410], "b": [], "c": [1445]}, hours=48)
    # At 1445 two are in one bed: c0 waits until a0 goes at 1460, and then takes the place of a1.
    assert played.see("patient started left") == [("a0", 1400, 1460), ("a1", 1410, 1500), ("c0", 1460, 1490)]


def test_who_is_interrupted_while_it_waits_for_the_round_has_nothing_left_to_serve() -> None:
    """Its stay was over at 60; put back at 100, it starts again when there is room and goes at the next round."""
    text = """
    settings: {ward: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {plain: {in: ward, stay: 60 minutes, priority: 2, rounds: [{at: ["09:00", "12:00"]}]}}
      c: {arrivals: {trace: c.csv}, steps: {urgent: {in: ward, stay: 500 minutes, priority: 0, preempts: true}}}
    """
    played = play(text, {"a": [0], "c": [100]}, hours=20)
    assert played.see("patient started ready ended") == [("a0", 0, 600, 720), ("c0", 100, 600, 600)]
    assert disagreements(played) == []


def test_a_patient_who_holds_another_unit_is_blocked_there_while_it_is_put_back() -> None:
    text = """
    settings: {bed: {capacity: 1 beds}, theatre: {capacity: 1 beds}, home: {capacity: unlimited}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          bed: {in: bed, stay: 10 minutes, then: theatre}
          theatre: {in: theatre, stay: 30 minutes, priority: 1, then: home}
          home: {in: home, holds: bed, stay: 5 minutes}
      c: {arrivals: {trace: c.csv}, steps: {urgent: {in: theatre, stay: 20 minutes, preempts: true}}}
    """
    played = play(text, {"a": [0], "c": [15]}, hours=2)
    assert played.see("patient step started ended left blocked") == [
        ("a0", "bed", 0, 10, 60, 20), ("a0", "theatre", 10, 60, 60, 0), ("a0", "home", 60, 65, 65, 0),
        ("c0", "urgent", 15, 35, 35, 0),
    ]  # fmt: skip
    assert (played.total("held_ms"), played.total("blocked_ms")) == (30 * MINUTE, 20 * MINUTE)
