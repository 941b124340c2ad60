"""Units kept after the stay: until when, under which cause, and as what they are booked meanwhile."""

from __future__ import annotations

from agreeing import disagreements
from small import MINUTE, play

BLOCKING = """
settings: {cubicle: {capacity: 1 beds}, ward: {capacity: 1 beds}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps:
      cubicle: {in: cubicle, stay: 10 minutes, then: ward}
      ward: {in: ward, holds: cubicle, stay: 30 minutesCAUSE}
"""


def test_a_unit_is_kept_until_the_step_that_holds_it_starts_and_blocks_those_behind() -> None:
    played = play(BLOCKING.replace("CAUSE", ""), {"a": [0, 0, 0]}, hours=3)
    assert played.see("patient step started ended left blocked waited_for") == [
        ("a0", "cubicle", 0, 10, 10, 0, "ward (ward)"), ("a0", "ward", 10, 40, 40, 0, ""),
        ("a1", "cubicle", 10, 20, 40, 20, "ward (ward)"), ("a1", "ward", 40, 70, 70, 0, ""),
        ("a2", "cubicle", 40, 50, 70, 20, "ward (ward)"), ("a2", "ward", 70, 100, 100, 0, ""),
    ]  # fmt: skip
    assert played.book("blocked_ms") == {"cubicle for ward (ward)": 40 * MINUTE}
    assert played.book("in_use_ms") == {"cubicle": 70 * MINUTE, "ward": 90 * MINUTE}


def test_blocked_time_is_booked_under_the_cause_named_on_the_step() -> None:
    played = play(BLOCKING.replace("CAUSE", ", waits_for: a bed upstairs"), {"a": [0, 0]}, hours=3)
    assert played.book("blocked_ms") == {"cubicle for ward (a bed upstairs)": 20 * MINUTE}
    assert played.visits[2].waited_for == "ward (a bed upstairs)"


def test_blocked_time_is_booked_day_by_day_as_it_runs() -> None:
    played = play(BLOCKING.replace("CAUSE", ""), {"a": [23 * 60 + 20, 23 * 60 + 21]}, hours=48)
    assert [played.total("blocked_ms", day) for day in (0, 1)] == [20 * MINUTE, 0]
    played = play(BLOCKING.replace("CAUSE", ""), {"a": [23 * 60 + 30, 23 * 60 + 31]}, hours=48)
    assert [played.total("blocked_ms", day) for day in (0, 1)] == [10 * MINUTE, 10 * MINUTE]


def test_a_patient_still_blocked_at_the_end_has_its_blocked_time_in_the_log() -> None:
    played = play(BLOCKING.replace("CAUSE", "").replace("30 minutes", "90 minutes"), {"a": [0, 0]}, hours=1)
    assert played.see("patient step left outcome blocked")[2:] == [
        ("a1", "cubicle", None, "unfinished", 40), ("a1", "ward", None, "unfinished", 0),
    ]  # fmt: skip
    assert (played.total("blocked_ms"), played.book("holding")) == (40 * MINUTE, {"cubicle": 1})


THROUGH = """
settings: {ward: {capacity: 1 beds}, scan: {capacity: 1 beds}, home care: {capacity: 1 beds}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps:
      ward: {in: ward, stay: 10 minutes, then: scan}
      scan: {in: scan, stay: 5 minutes, then: NEXT}
      home care: {in: home care, holds: ward, stay: 60 minutes}
"""


def test_a_unit_is_kept_across_a_step_between_and_held_while_the_patient_is_served_there() -> None:
    played = play(THROUGH.replace("NEXT", "home care"), {"a": [0, 0]}, hours=4)
    assert played.see("patient step started ended left blocked")[:3] == [
        ("a0", "ward", 0, 10, 15, 0), ("a0", "scan", 10, 15, 15, 0), ("a0", "home care", 15, 75, 75, 0),
    ]  # fmt: skip
    assert played.see("patient step started ended left blocked")[3:] == [
        ("a1", "ward", 15, 25, 75, 45), ("a1", "scan", 25, 30, 30, 0), ("a1", "home care", 75, 135, 135, 0),
    ]  # fmt: skip
    assert played.book("held_ms") == {"ward": 10 * MINUTE}
    assert played.book("blocked_ms") == {"ward for home care (home care)": 45 * MINUTE}


def test_a_unit_is_released_at_the_end_if_the_way_taken_never_needs_it() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}, lounge: {capacity: 1 beds}, home care: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          ward: {in: ward, stay: 10 minutes, then: {lounge: 0.5, home care: 0.5}}
          lounge: {in: lounge, stay: 200 minutes}
          home care: {in: home care, holds: ward, stay: 200 minutes}
    """
    played = play(text, {"a": [0, *range(1000, 1020)]}, hours=100)
    ways = {visit.patient: visit.step for visit in played.visits if visit.step != "ward"}
    assert set(ways.values()) == {"lounge", "home care"}
    for ward in (visit for visit in played.visits if visit.step == "ward"):
        following = next(v for v in played.visits if v.patient == ward.patient and v.step != "ward")
        assert ward.left == (ward.ended if following.step == "lounge" else following.started)


def test_a_unit_is_released_when_the_wait_is_given_up_and_the_next_step_needs_it_no_longer() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}, home care: {capacity: 1 beds}, lounge: {capacity: unlimited}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          ward: {in: ward, stay: 10 minutes, then: home care}
          home care: {in: home care, holds: ward, stay: 60 minutes, TURNED}
          lounge: {in: lounge, stay: 5 minutes}
    """
    reneged = play(text.replace("TURNED", "patience: {fixed: 7 minutes, otherwise: lounge}"), {"a": [0, 0]}, hours=3)
    assert reneged.see("patient step started ended left outcome")[2:] == [
        ("a1", "ward", 10, 20, 27, "completed"), ("a1", "home care", None, None, 27, "reneged"),
        ("a1", "lounge", 27, 32, 32, "completed"),
    ]  # fmt: skip
    assert reneged.book("blocked_ms") == {"ward for home care (home care)": 7 * MINUTE}
    balked = play(text.replace("TURNED", "queue_limit: {waiting: 0, otherwise: lounge}"), {"a": [0, 0]}, hours=3)
    assert balked.see("patient step started ended left outcome")[2:] == [
        ("a1", "ward", 10, 20, 20, "completed"), ("a1", "home care", None, None, 20, "balked"),
        ("a1", "lounge", 20, 25, 25, "completed"),
    ]  # fmt: skip


def test_a_unit_is_kept_over_a_given_up_wait_if_the_next_step_still_needs_it() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}, care: {capacity: 1 beds}, family: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          ward: {in: ward, stay: 10 minutes, then: care}
          care: {in: care, holds: ward, stay: 60 minutes, patience: {fixed: 5 minutes, otherwise: family}}
          family: {in: family, holds: ward, stay: 100 minutes}
    """
    played = play(text, {"a": [0, 0, 0]}, hours=5)
    assert played.see("patient step started left")[2:5] == [
        ("a1", "ward", 10, 25), ("a1", "care", None, 25), ("a1", "family", 25, 125),
    ]  # fmt: skip
    third = played.see("step joined started left outcome")[5:]
    assert third == [
        ("ward", 0, 25, 125, "completed"), ("care", 35, None, 40, "reneged"), ("family", 40, 125, 225, "completed"),
    ]  # fmt: skip
    assert played.book("blocked_ms") == {"ward for care (care)": 10 * MINUTE, "ward for family (family)": 85 * MINUTE}


def test_several_units_are_held_at_once_and_released_together() -> None:
    text = """
    settings: {bed: {capacity: 2 beds}, theatre: {capacity: 1 beds}, home: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          bed: {in: bed, stay: 10 minutes, then: theatre}
          theatre: {in: theatre, stay: 5 minutes, then: home}
          home: {in: home, holds: [bed, theatre], stay: 60 minutes}
    """
    played = play(text, {"a": [0, 0]}, hours=3)
    assert played.see("patient step started ended left blocked") == [
        ("a0", "bed", 0, 10, 15, 0), ("a0", "theatre", 10, 15, 15, 0), ("a0", "home", 15, 75, 75, 0),
        ("a1", "bed", 0, 10, 75, 60), ("a1", "theatre", 15, 20, 75, 55), ("a1", "home", 75, 135, 135, 0),
    ]  # fmt: skip
    assert played.book("blocked_ms") == {
        "bed for theatre (theatre)": 5 * MINUTE, "bed for home (home)": 55 * MINUTE, "theatre for home (home)": 55 * MINUTE,
    }  # fmt: skip
    assert played.book("held_ms") == {"bed": 10 * MINUTE}
    assert disagreements(played) == []


def test_a_release_into_the_same_pool_lets_the_next_in_within_the_same_start() -> None:
    text = """
    settings: {one: {capacity: 1 beds}, two: {capacity: 1 beds}}
    pools: {both: {units: [one, two], tries: {one: [], two: []}}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          one: {in: one, stay: 10 minutes, then: two}
          two: {in: two, holds: one, stay: 30 minutes}
    """
    played = play(text, {"a": [0, 0]}, hours=2)
    assert played.see("patient step started left") == [
        ("a0", "one", 0, 10), ("a0", "two", 10, 40), ("a1", "one", 10, 40), ("a1", "two", 40, 70),
    ]  # fmt: skip
