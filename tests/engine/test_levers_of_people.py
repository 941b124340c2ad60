"""Laws of levers that choose their patients by where they live, or by who comes at all."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import DAY, Seen, play_model
from small_city import AMPLE, SHARES, both, care, city, histories, played

from flowsim.engine.building import compile_network
from flowsim.engine.traffic import offered_load
from flowsim.model.calendar import Window
from flowsim.model.levers import LeverError, parse_lever
from flowsim.model.schema import Model

SHIFT = {"from": "ward", "to": "at home", "share": 0.5, "start": "2001-01-03", "ramp": "4 days"}
THRESHOLD = {"setting": "home care", "from": "2001-01-03", "refused_share": 0.6, "instead": "without"}
PREVENTED = {"pathway": "emergency", "share": 0.4, "start": "2001-01-04"}
Lever = tuple[str, dict[str, Any]]
PLACES = st.sets(st.sampled_from(("West", "Middle", "East")), min_size=1).map(sorted)


def home(patient: str) -> str:
    """Where a patient lives, by the name of its stream."""
    return patient.split(" | ")[1].split(" #")[0]


def with_levers(model: Model, *levers: Lever) -> Model:
    for name, spec in levers:
        model = parse_lever(name, spec, model).apply(model)
    return model


# ---- by where they live ----


@cache
def for_all(name: str) -> dict[str, list[Seen]]:
    return both(SHARES, False, (name, SHIFT if name == "community shift" else THRESHOLD))[1]


@settings(max_examples=10)
@given(st.sampled_from((("community shift", SHIFT), ("social care", THRESHOLD))), PLACES)
def test_with_room_for_all_a_lever_for_some_places_is_the_lever_there_and_none_elsewhere(
    lever: Lever, places: list[str]
) -> None:
    name, spec = lever
    before, after = both(SHARES, False, (name, {**spec, "places": places}))
    everywhere = for_all(name)
    for patient, visits in after.items():
        like = everywhere if home(patient) in places else before
        assert care(visits) == care(like[patient]), patient
    there = [patient for patient in before if home(patient) in places]
    assert any(care(before[one]) != care(after[one]) for one in there if not one.startswith("planned"))


def test_a_higher_place_stands_for_all_that_lie_in_it() -> None:
    after = both(SHARES, False, ("community shift", {**SHIFT, "places": ["City"]}))[1]
    assert {one: care(visits) for one, visits in after.items()} == {
        one: care(visits) for one, visits in for_all("community shift").items()
    }


def test_both_engines_shift_the_same_patients_of_some_places() -> None:
    base = city(SHARES, True)
    levers = [("community shift", {**SHIFT, "places": ["West"]}), ("social care", {**THRESHOLD, "places": ["East"]})]
    play_model(with_levers(base, *levers), Window(base.start, 0, 8 * DAY, "day"), 1, base)


def test_shares_of_different_places_do_not_add_up_and_those_of_one_do() -> None:
    model = city(SHARES, False)
    west, east = ({**SHIFT, "share": 0.7, "places": [place]} for place in ("West", "East"))
    model = with_levers(model, ("community shift", west), ("community shift", east))
    for spec in ({**SHIFT, "share": 0.4, "places": ["City"]}, {**SHIFT, "share": 0.4}, {**SHIFT, "places": ["East"]}):
        with pytest.raises(LeverError, match="more than all"):
            parse_lever("community shift", spec, model)
    parse_lever("community shift", {**SHIFT, "share": 0.9, "places": ["Middle"]}, model)


def test_a_threshold_may_be_raised_in_two_places_but_not_twice_in_one() -> None:
    model = with_levers(city(SHARES, False), ("social care", {**THRESHOLD, "places": ["West"]}))
    parse_lever("social care", {**THRESHOLD, "places": ["East", "Middle"]}, model)
    for places in (["West"], ["City"], ()):
        with pytest.raises(LeverError, match="say it in one lever"):
            parse_lever("social care", {**THRESHOLD, "places": places}, model)


def test_load_tells_apart_the_places_of_a_shift() -> None:
    base = city(SHARES, False)
    window = Window(base.start, 0, 16 * DAY, "day")

    def team(*places: str) -> float:
        spec = {**SHIFT, "ramp": "0 days", "start": "2001-01-01", "places": list(places)}
        rows = offered_load(*compile_network(with_levers(base, ("community shift", spec)), window, base), years(window))
        return next(row.load for row in rows if row.unit == "team")

    def years(window: Window) -> list[tuple[str, int, int]]:
        return [("all", 0, window.horizon_ms)]

    none = next(row.load for row in offered_load(*compile_network(base, window), years(window)) if row.unit == "team")
    parts = [team(place) - none for place in ("West", "Middle", "East")]
    assert sum(parts) == pytest.approx(team("City") - none, rel=0.02) and min(parts) > 0
    assert parts[0] / parts[1] == pytest.approx(0.4 / 0.3, rel=0.02)


# ---- who comes at all ----


@settings(max_examples=15)
@given(
    st.fixed_dictionaries(
        {"pathway": st.just("emergency"), "share": st.sampled_from((0.1, 0.5, 1)),
         "start": st.integers(0, 9).map(lambda day: (date(2001, 1, 1) + timedelta(days=day)).isoformat()),
         "ramp": st.sampled_from(("0 days", "6 days", "90 days"))},
        optional={"age_bands": st.just(["65+"]), "places": PLACES, "enters": st.just("doctor")},
    )
)  # fmt: skip
def test_who_comes_in_spite_of_prevention_came_before_and_where_nobody_queues_is_cared_for_alike(
    spec: dict[str, Any],
) -> None:
    before, after = both(SHARES, False, ("prevention", spec))
    assert after.keys() <= before.keys()
    assert all(care(visits) == care(before[patient]) for patient, visits in after.items())
    gone = before.keys() - after.keys()
    first = (date.fromisoformat(spec["start"]) - date(2001, 1, 1)).days * 1440
    for patient in gone:
        assert patient.startswith("emergency") and home(patient) in spec.get("places", ("West", "Middle", "East"))
        assert before[patient][0].joined >= first
    assert gone or spec["ramp"] == "90 days" or "places" in spec


def test_where_all_are_prevented_nobody_comes_from_that_day_on() -> None:
    before, after = both(SHARES, True, ("prevention", {**PREVENTED, "share": 1, "start": "2001-01-01"}))
    assert {home(patient) for patient in before if patient.startswith("emergency")} == {"West", "Middle", "East"}
    assert after.keys() == {patient for patient in before if patient.startswith("planned")}


def test_of_two_preventions_the_second_takes_its_share_of_those_the_first_leaves() -> None:
    base = city(SHARES, False)
    once = histories(played(with_levers(base, ("prevention", PREVENTED)), base))
    twice = histories(played(with_levers(base, ("prevention", PREVENTED), ("prevention", PREVENTED)), base))
    alone = histories(played(with_levers(base, ("prevention", {**PREVENTED, "share": 1 - 0.6 * 0.6})), base))
    assert twice.keys() < once.keys() and twice.keys() == alone.keys()


def test_as_many_no_longer_come_as_the_share_says() -> None:
    before, after = both(SHARES, False, ("prevention", PREVENTED))
    came, comes = (
        sum(visits[0].joined >= 3 * 1440 for name, visits in run.items() if name.startswith("emergency"))
        for run in (before, after)
    )
    assert came > 450 and comes / came == pytest.approx(0.6, abs=0.07)


def test_load_falls_by_the_share_prevented() -> None:
    base = city(SHARES, False)
    window = Window(base.start, 0, 16 * DAY, "day")
    spec = {**PREVENTED, "start": "2001-01-01", "share": 0.25}
    loads = [
        {row.unit: row.load for row in offered_load(*compile_network(model, window, base), [("all", 0, 16 * DAY)])}
        for model in (base, with_levers(base, ("prevention", spec)))
    ]
    for unit, load in loads[0].items():
        if unit != "clinic":
            assert loads[1][unit] == pytest.approx(load * 0.75)
    assert loads[1]["clinic"] == pytest.approx(loads[0]["clinic"]) and AMPLE["team"] > loads[0]["clinic"] > 0


def test_a_service_closed_before_or_after_makes_no_difference_to_who_is_prevented() -> None:
    base = city(SHARES, False)
    prevention = ("prevention", {**PREVENTED, "enters": "doctor"})
    closing = ("close service", {"setting": "A&E", "at": "A", "from": "2001-01-03"})
    one, other = (histories(played(with_levers(base, *levers), base))
                  for levers in ((prevention, closing), (closing, prevention)))  # fmt: skip
    assert {name: care(visits) for name, visits in one.items()} == {
        name: care(visits) for name, visits in other.items()
    }
    assert one.keys() < both(SHARES, False, closing)[0].keys()


def test_both_engines_run_a_prevention_that_ramps() -> None:
    base = city(SHARES, True)
    spec = {**PREVENTED, "start": "2001-01-03", "ramp": "3 days"}
    play_model(with_levers(base, ("prevention", spec)), Window(base.start, 0, 8 * DAY, "day"), 1, base)
