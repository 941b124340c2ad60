"""People who are there when the model starts."""

from __future__ import annotations

import numpy as np
import pytest
from agreeing import disagreements
from small import DAY, MINUTE, play

THERE = """
settings: {ward: {capacity: INSIDE beds}}
pathways: {a: {arrivals: {per_day: 0}, steps: {ward: {in: ward, stay: STAY}}}}
first_day: [{pathway: a, step: ward, inside: INSIDE}]
"""


@pytest.mark.parametrize(
    ("stay", "mean", "square"),
    [
        ("10 hours", 600, 600**2),
        ("{exponential: 10 hours}", 600, 2 * 600**2),
        ("{gamma: {mean: 10 hours, cv: 0.5}}", 600, 1.25 * 600**2),
        ("{lognormal: {mean: 10 hours, cv: 1}}", 600, 2 * 600**2),
        ("{uniform: {low: 0 hours, high: 20 hours}}", 600, 1200**2 / 3),
    ],
)
def test_the_rest_of_a_stay_is_as_for_someone_found_there(stay: str, mean: float, square: float) -> None:
    """Its mean is E[stay^2] / (2 E[stay]); 4,000 people, within five standard errors of their own spread."""
    played = play(THERE.replace("INSIDE", "4000").replace("STAY", stay), hours=24 * 60)
    rest = np.array([visit.ready for visit in played.visits], float)
    assert abs(rest.mean() - square / (2 * mean)) < 5 * rest.std() / np.sqrt(len(rest))
    assert played.total("first_inside") == 4000
    assert played.total("starts") == played.total("arrivals") == 0
    assert played.total("ends") == 4000


def test_those_waiting_joined_evenly_before_the_start_and_start_in_that_order_before_new_ones() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}}
    pathways: {a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, stay: 10 minutes}}}}
    first_day: [{pathway: a, step: ward, waiting: 3, waited_up_to: 60 minutes}]
    """
    played = play(text, {"a": [0]})
    assert played.see("patient joined started left") == [
        ("a0", 0, 30, 40), ("a waiting 0", -50, 0, 10), ("a waiting 1", -30, 10, 20), ("a waiting 2", -10, 20, 30),
    ]  # fmt: skip
    # Waits count from joining, the time in the queue from 0 on.
    assert played.total("wait_ms") == (30 + 50 + 40 + 30) * MINUTE
    assert played.total("queue_ms") == (30 + 0 + 10 + 20) * MINUTE
    assert (played.total("first_waiting"), played.total("arrivals"), played.total("entered")) == (3, 1, 4)
    assert disagreements(played) == []


def test_the_patience_of_those_waiting_counts_from_the_start() -> None:
    text = """
    settings: {ward: {capacity: 0 beds}}
    pathways: {a: {arrivals: {per_day: 0}, steps: {ward: {in: ward, stay: 10 minutes, patience: {fixed: 7 minutes}}}}}
    first_day: [{pathway: a, step: ward, waiting: 2, waited_up_to: 60 minutes}]
    """
    assert play(text).see("joined left outcome") == [(-45, 7, "reneged"), (-15, 7, "reneged")]


def test_overflow_counts_the_wait_before_the_start() -> None:
    text = """
    settings: {ward: {capacity: 0 beds}, spare: {capacity: 9 beds}}
    pools: {beds: {units: [ward, spare], overflow_after: {spare: 20 minutes}}}
    pathways: {a: {arrivals: {per_day: 0}, steps: {ward: {in: ward, stay: 10 minutes}}}}
    first_day: [{pathway: a, step: ward, waiting: 2, waited_up_to: 60 minutes}]
    """
    assert play(text).see("joined unit started") == [(-45, "spare", 0), (-15, "spare", 5)]


def test_people_inside_keep_others_out_until_they_go_and_may_go_on_to_a_next_step() -> None:
    text = """
    settings: {ward: {capacity: 2 beds}, home care: {capacity: 1 beds}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps:
          ward: {in: ward, stay: {uniform: {low: 1 hours, high: 2 hours}}, then: home care}
          home care: {in: home care, holds: ward, stay: 5 hours}
    first_day:
      - {pathway: a, step: ward, inside: 2}
      - {pathway: a, step: home care, inside: 1}
    """
    played = play(text, {"a": [0]}, hours=24)
    assert disagreements(played) == []
    at_ward = [visit for visit in played.visits if visit.patient.startswith("a inside") and visit.step == "ward"]
    assert [(visit.joined, visit.started) for visit in at_ward] == [(0, 0)] * 2
    first = min(visit.left for visit in at_ward)  # type: ignore[type-var]
    new = next(visit for visit in played.visits if visit.patient == "a0")
    assert new.started == first
    assert played.total("midnight_in_use") >= 0
    assert played.total("in_use_ms") <= 3 * DAY
