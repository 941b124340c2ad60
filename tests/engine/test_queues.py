"""Who waits where, who is let in, and who goes elsewhere."""

from __future__ import annotations

import pytest
from small import MINUTE, play

from flowsim.errors import CannotFinish

POOL = """
settings: {north: {capacity: 1 beds}, south: {capacity: 1 beds}, west: {capacity: 1 beds}}
pools: {all wards: {units: [north, south, west]EXTRA}}
pathways:
  a: {arrivals: {trace: a.csv}, steps: {north: {in: north, stay: 100 minutes}}}
  b: {arrivals: {trace: b.csv}, steps: {south: {in: south, stay: 100 minutes}}}
"""


def pool(extra: str, **arrivals: list[int]) -> list[tuple[object, ...]]:
    played = play(POOL.replace("EXTRA", extra), {"a": [], "b": [], **arrivals}, hours=8)
    return played.see("patient unit started")


def test_within_a_class_the_first_to_join_starts_first_then_the_lower_number() -> None:
    played = play(
        """
        settings: {ward: {capacity: 1 beds}}
        pathways:
          a:
            arrivals: {trace: a.csv}
            steps: {ward: {in: ward, stay: 10 minutes}}
        """,
        {"a": [0, 1, 1, 2]},
        hours=1,
    )
    assert played.see("patient started") == [("a0", 0), ("a1", 10), ("a2", 20), ("a3", 30)]


def test_a_lower_priority_number_goes_before_an_earlier_joining() -> None:
    played = play(
        """
        settings: {ward: {capacity: 1 beds}}
        pathways:
          a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, stay: 10 minutes, priority: 5}}}
          b: {arrivals: {trace: b.csv}, steps: {ward: {in: ward, stay: 10 minutes, priority: -3}}}
        """,
        {"a": [0, 1, 2], "b": [3, 9]},
        hours=2,
    )
    assert played.see("patient started") == [("a0", 0), ("a1", 30), ("a2", 40), ("b0", 10), ("b1", 20)]


def test_priority_may_follow_a_group_that_is_drawn_once() -> None:
    played = play(
        """
        settings: {ward: {capacity: 1 beds}}
        groups: {urgency: {red: 0.5, green: 0.5}}
        pathways:
          a:
            arrivals: {timetable: {first: 0 minutes, every: 20 hours, batch: 40}}
            steps: {ward: {in: ward, stay: 10 minutes, priority: {by: urgency, red: 0, green: 1}}}
        """,
        hours=18,
    )
    by_start = [
        patient for _, patient in sorted((start, int(name[1:])) for name, start in played.see("patient started"))
    ]
    falls = [i for i in range(1, 40) if by_start[i] < by_start[i - 1]]
    assert len(falls) == 1  # all of one group by number, then all of the other
    assert 5 < falls[0] < 35


def test_the_own_unit_is_taken_first_then_the_others_as_written() -> None:
    assert pool("", b=[0, 0, 0, 0]) == [
        ("b0", "south", 0), ("b1", "north", 0), ("b2", "west", 0), ("b3", "south", 100),
    ]  # fmt: skip


def test_tries_names_the_other_units_and_their_order() -> None:
    extra = ", tries: {south: [west, north]}"
    assert pool(extra, b=[0, 0, 0]) == [("b0", "south", 0), ("b1", "west", 0), ("b2", "north", 0)]
    assert pool(", tries: {south: [west]}", b=[0, 0, 0]) == [
        ("b0", "south", 0),
        ("b1", "west", 0),
        ("b2", "south", 100),
    ]
    assert pool(", tries: {south: []}", b=[0, 0], a=[0, 0]) == [
        ("a0", "north", 0), ("a1", "south", 0), ("b0", "south", 100), ("b1", "south", 200),
    ]  # fmt: skip


def test_overflow_is_used_in_the_very_instant_its_wait_is_over_and_not_before() -> None:
    extra = ", tries: {south: [west]}, overflow_after: {west: 30 minutes}"
    assert pool(extra, b=[0, 10, 20]) == [("b0", "south", 0), ("b1", "west", 40), ("b2", "south", 100)]
    # To those whose own unit it is the wait does not apply.
    own = POOL.replace("EXTRA", ", overflow_after: {south: 30 minutes}")
    assert play(own, {"a": [], "b": [7]}).see("unit started") == [("south", 7)]


def test_a_head_who_may_use_no_free_unit_does_not_stop_another_class() -> None:
    """a1 waits for north only; b1 joined later and takes west."""
    extra = ", tries: {north: [], south: [west]}"
    assert pool(extra, a=[0, 1], b=[2, 3]) == [
        ("a0", "north", 0), ("a1", "north", 100), ("b0", "south", 2), ("b1", "west", 3),
    ]  # fmt: skip


LIMIT = """
settings: {ward: {capacity: 2 beds}, other: {capacity: unlimited}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps:
      ward: {in: ward, stay: 30 minutes, queue_limit: {waiting: LIMIT, otherwise: other}}
      other: {in: other, stay: 1 minute}
"""


@pytest.mark.parametrize(("limit", "balked"), [(0, [2, 3, 4, 5, 6]), (1, [3, 4, 5, 6]), (3, [5, 6])])
def test_a_queue_limit_counts_those_waiting_beyond_the_free_places(limit: int, balked: list[int]) -> None:
    played = play(LIMIT.replace("LIMIT", str(limit)), {"a": [0, 0, 0, 1, 1, 2, 2]}, hours=3)
    found = [int(name[1:]) for name, step, outcome in played.see("patient step outcome") if outcome == "balked"]
    assert found == balked
    assert played.book("balked") == {"ward": len(balked)}
    assert played.book("arrivals") == {"ward": 7, "other": len(balked)}


def test_a_full_queue_sends_on_in_the_same_instant() -> None:
    played = play(LIMIT.replace("LIMIT", "0"), {"a": [0, 0, 4]}, hours=1)
    assert played.see("patient step joined started left outcome blocked")[2:] == [
        ("a2", "ward", 4, None, 4, "balked", 0),
        ("a2", "other", 4, 4, 5, "completed", 0),
    ]


def test_a_free_overflow_place_counts_for_the_limit_only_if_it_may_be_used_at_once() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}, spare: {capacity: 1 beds}}
    pools: {beds: {units: [ward, spare], overflow_after: {spare: AFTER}}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {ward: {in: ward, stay: 30 minutes, queue_limit: {waiting: 0}}}
    """
    at_once = play(text.replace("AFTER", "0 minutes"), {"a": [0, 0]}, hours=1)
    later = play(text.replace("AFTER", "1 minutes"), {"a": [0, 0]}, hours=1)
    assert at_once.see("unit outcome") == [("ward", "completed"), ("spare", "completed")]
    assert later.see("unit outcome") == [("ward", "completed"), ("", "balked")]


SITES = {
    "places.csv": "name,level,within\ncity,root,\n",
    "sites.csv": "name,within,latitude,longitude\nleft,city,51,0\nright,city,51,1\n",
    "units.csv": "setting,at,capacity\nward,left,1\nward,right,1\n",
}
DIVERT = """
places: places.csv
sites: sites.csv
units: units.csv
settings: {ward: {}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps: {ward: {in: ward, at: left, stay: 30 minutes, divert: {waiting: 1}EXTRA}}
"""


def test_who_diverts_moves_once_and_looks_at_the_queue_of_its_first_choice_only() -> None:
    played = play(DIVERT.replace("EXTRA", ""), {"a": [0, 1, 2, 3, 4], **SITES}, hours=5)
    assert played.see("patient own started") == [
        ("a0", "ward at left", 0), ("a1", "ward at left", 30), ("a2", "ward at right", 2), ("a3", "ward at right", 32),
        ("a4", "ward at right", 62),
    ]  # fmt: skip
    assert played.book("diverted") == {"ward at left": 3}
    assert played.book("arrivals") == {"ward at left": 2, "ward at right": 3}


def test_the_limit_of_the_pool_it_diverts_to_counts() -> None:
    played = play(DIVERT.replace("EXTRA", ", queue_limit: {waiting: 1}"), {"a": [0, 1, 2, 3, 4], **SITES}, hours=5)
    assert played.see("patient own started outcome")[3:] == [
        ("a3", "ward at right", 32, "completed"), ("a4", "ward at right", None, "balked"),
    ]  # fmt: skip


def test_a_patience_of_nothing_means_now_or_not_at_all() -> None:
    played = play(
        """
        settings: {ward: {capacity: 1 beds}}
        pathways:
          a:
            arrivals: {trace: a.csv}
            steps: {ward: {in: ward, stay: 10 minutes, patience: {fixed: 0 minutes}}}
        """,
        {"a": [0, 0, 10, 15]},
        hours=1,
    )
    assert played.see("patient started left outcome") == [
        ("a0", 0, 10, "completed"), ("a1", None, 0, "reneged"), ("a2", 10, 20, "completed"), ("a3", None, 15, "reneged"),
    ]  # fmt: skip


def test_who_gives_up_goes_to_the_otherwise_step_and_its_wait_is_in_the_queue_only() -> None:
    played = play(
        """
        settings: {ward: {capacity: 1 beds}, home: {capacity: unlimited}}
        pathways:
          a:
            arrivals: {trace: a.csv}
            steps:
              ward: {in: ward, stay: 60 minutes, patience: {fixed: 20 minutes, otherwise: home}}
              home: {in: home, stay: 5 minutes}
        """,
        {"a": [0, 5]},
        hours=2,
    )
    assert played.see("patient step joined started left outcome") == [
        ("a0", "ward", 0, 0, 60, "completed"), ("a1", "ward", 5, None, 25, "reneged"), ("a1", "home", 25, 25, 30, "completed"),
    ]  # fmt: skip
    assert played.book("queue_ms") == {"ward": 20 * MINUTE}
    assert played.book("wait_ms") == {}
    assert played.book("reneged") == {"ward": 1}


def test_who_gives_up_and_comes_back_within_the_instant_joins_anew() -> None:
    """Its old place in the queue is still there when it comes back with the same instant and number."""
    played = play(
        """
        settings: {ward: {capacity: 1 beds}, desk: {capacity: unlimited}}
        pathways:
          a:
            arrivals: {trace: a.csv}
            steps:
              ward: {in: ward, stay: 10 minutes, patience: {listed: [0 minutes, 0 minutes], otherwise: desk}}
              desk: {in: desk, stay: 0 minutes, then: again}
              again: {in: ward, stay: 10 minutes}
        """,
        {"a": [0, 0]},
        hours=1,
    )
    assert played.see("patient step joined started") == [
        ("a0", "ward", 0, 0), ("a1", "ward", 0, None), ("a1", "desk", 0, 0), ("a1", "again", 0, 10),
    ]  # fmt: skip


def test_a_patient_that_joins_without_end_in_one_instant_is_stopped_and_its_steps_named() -> None:
    text = """
    settings: {desk: {capacity: unlimited}, hall: {capacity: unlimited}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          desk: {in: desk, stay: 0 minutes, then: {hall: 0.9999999, leave: rest}}
          hall: {in: hall, stay: 0 minutes, then: desk}
    """
    with pytest.raises(CannotFinish, match=r"a: desk.*a: hall"):
        play(text, {"a": [5]}, hours=1)
