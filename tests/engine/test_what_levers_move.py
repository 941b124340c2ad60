"""Laws of levers, on a small city of three hospitals: what a lever does not touch stays as it was, to the millisecond,
and who is sent elsewhere takes the same luck along.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import DAY, HOUR, Played, Seen, model_of, play_model
from small_city import DAYS, SCARCE, SHARES, both, care, city, played

from flowsim.model.calendar import Window
from flowsim.model.levers import LeverError, parse_lever

DATES = st.integers(2, DAYS - 3).map(lambda day: (date(2001, 1, 1) + timedelta(days=day)).isoformat())
SHARE = st.sampled_from((0.1, 0.35, 1))
WAYS = st.sampled_from(("nearest", SHARES))
RAMPS = st.sampled_from(("0 days", "4 days"))
SHIFTS = st.fixed_dictionaries(
    {"from": st.sampled_from(("ward", "doctor")), "to": st.just("at home"), "share": st.sampled_from((0.1, 0.5)),
     "start": DATES, "ramp": RAMPS},
    optional={"age_bands": st.just(("65+",)), "places": st.just(("West", "East"))},
).map(lambda spec: ("community shift", spec))  # fmt: skip
STAYS = st.fixed_dictionaries(
    {"from": st.just("ward"), "to": st.just("team"), "share": SHARE, "start": DATES, "ramp": RAMPS,
     "stay_share": st.sampled_from((0.2, 0.5))},
).map(lambda spec: ("community shift", spec))  # fmt: skip
CLOSINGS = st.fixed_dictionaries(
    {"setting": st.just("A&E"), "at": st.sampled_from("AB"), "from": DATES, "to": st.sampled_from(("nearest", "C"))},
    optional={"hours": st.just("20:00-06:00"), "run_down": st.just("4 hours")},
).map(lambda spec: ("close service", spec))  # fmt: skip
SOCIAL = st.fixed_dictionaries(
    {"setting": st.just("home care"), "from": DATES, "refused_share": SHARE, "instead": st.just("without")},
    optional={"age_bands": st.just(("65+",)), "places": st.just(("Middle",)), "ramp": RAMPS},
).map(lambda spec: ("social care", spec))
BEDS = st.fixed_dictionaries(
    {"setting": st.just("ward"), "at": st.sampled_from("ABC"), "from": DATES, "add": st.sampled_from((-3, 4))},
    optional={"hours": st.just("08:00-12:00"), "ramp": RAMPS},
).map(lambda spec: ("capacity", spec))  # fmt: skip
LEVERS = st.one_of(SHIFTS, STAYS, CLOSINGS, SOCIAL, BEDS)


def start_of(spec: dict[str, Any]) -> int:
    """The minute at which a lever begins."""
    first = date.fromisoformat(spec.get("start") or spec["from"])
    return (first - date(2001, 1, 1)).days * 1440


def acted_on(name: str, spec: dict[str, Any], visit: Seen) -> bool:
    """Whether a lever may send a patient elsewhere on the way to a visit of the run without it."""
    if visit.joined < start_of(spec):
        return False
    match name:
        case "community shift":
            return visit.step == spec["from"]
        case "social care":
            return visit.own == spec["setting"]
        case "close service":
            hour = visit.joined % 1440 / 60
            return visit.own == f"A&E at {spec['at']}" and ("hours" not in spec or hour >= 20 or hour < 6)
    return False


# ---- where there is room for all, only those whom the lever sends elsewhere have another history ----


@settings(max_examples=40)
@given(WAYS, LEVERS)
def test_with_room_for_all_a_lever_touches_only_those_it_sends_elsewhere(
    at: str, lever: tuple[str, dict[str, Any]]
) -> None:
    name, spec = lever
    before, after = both(at, False, lever)
    assert before.keys() == after.keys(), "a lever on care brings no patient and loses none"
    for patient, visits in before.items():
        touched = [place for place, visit in enumerate(visits) if acted_on(name, spec, visit)]
        until = touched[0] if touched else len(visits)
        assert care(visits[:until]) == care(after[patient][:until])
        assert touched or len(after[patient]) == len(visits)


@settings(max_examples=20)
@given(WAYS, CLOSINGS)
def test_who_finds_a_service_closed_is_seen_elsewhere_at_the_same_times(
    at: str, lever: tuple[str, dict[str, Any]]
) -> None:
    name, spec = lever
    before, after = both(at, False, lever)
    moved = 0
    for patient, visits in before.items():
        found = after[patient]
        if sum(visit.step == "doctor" for visit in visits) > 1:
            continue  # luck is counted by visits to each of the two steps
        assert [v[4:10] for v in visits] == [v[4:10] for v in found], "the same luck takes the same time"
        for one, other in zip(visits, found, strict=True):
            if acted_on(name, spec, one):
                moved += 1
                assert other.own != one.own and (spec["to"] == "nearest" or other.own == f"A&E at {spec['to']}")
            elif one.step == "doctor":
                assert other.own == one.own
    assert moved, "somebody comes while it is closed"


@settings(max_examples=15)
@given(WAYS, STAYS)
def test_days_of_stay_are_spent_elsewhere_and_none_is_lost(at: str, lever: tuple[str, dict[str, Any]]) -> None:
    spec = lever[1]
    before, after = both(at, False, lever)
    divided = 0
    for patient, visits in before.items():
        parts = [visit for visit in after[patient] if visit.step.startswith("ward")]
        whole = [visit for visit in visits if visit.step == "ward"]
        if len(whole) != 1 or whole[0].ended is None or len(parts) != 2 or parts[1].ended is None:
            continue
        divided += 1
        first, rest = parts
        assert (first.unit, rest.unit) == (whole[0].unit, "team")
        assert rest.ended == pytest.approx(whole[0].ended, abs=0.0001)  # two roundings to a millisecond
        length = whole[0].ended - whole[0].started
        assert rest.ended - rest.started == pytest.approx(length * spec["stay_share"], abs=0.0001)
    assert divided


@settings(max_examples=5)
@given(WAYS, st.sampled_from((0.05, 0.4)))
def test_growth_brings_patients_and_changes_none_of_those_who_came_before(at: str, a_year: float) -> None:
    before, after = both(at, False, ("demand growth", {"growth": {"more people": a_year}}))
    assert before.keys() < after.keys()
    assert all(care(visits) == care(after[patient]) for patient, visits in before.items())


# ---- where beds are scarce, a change spreads by queues only ----


def spread(name: str, spec: dict[str, Any], runs: Sequence[dict[str, list[Seen]]]) -> dict[str, float]:
    """The minute from which each patient's history may differ, infinite for most.

    From those a lever sends elsewhere it spreads to the pools they come to or are late to leave, and from these to
    whoever is there then.
    """
    from_when: dict[str, float] = {}
    pools: dict[str, float] = {}
    if name == "capacity":
        pools[f"{spec['setting']} at {spec['at']}"] = start_of(spec)
    if name == "close service" and ("hours" not in spec or "run_down" in spec):
        pools[f"A&E at {spec['at']}"] = start_of(spec)
    for patient, visits in runs[0].items():
        for visit in visits:
            if acted_on(name, spec, visit):
                from_when[patient] = min(from_when.get(patient, math.inf), visit.joined)
    pairs = [(patient, visit) for run in runs for patient, visits in run.items() for visit in visits]
    while True:
        size = (sum(from_when.values()), len(from_when), sum(pools.values()), len(pools))
        for patient, visit in pairs:
            until = math.inf if visit.left is None else visit.left
            if patient in from_when and until >= from_when[patient]:
                since = max(from_when[patient], visit.joined)
                pools[visit.own] = min(pools.get(visit.own, math.inf), since)
            if visit.own in pools and until >= pools[visit.own]:
                since = max(pools[visit.own], visit.joined)
                from_when[patient] = min(from_when.get(patient, math.inf), since)
        if size == (sum(from_when.values()), len(from_when), sum(pools.values()), len(pools)):
            return from_when


@settings(max_examples=30)
@given(WAYS, LEVERS)
def test_with_scarce_beds_a_change_spreads_only_through_pools_that_changed_patients_enter(
    at: str, lever: tuple[str, dict[str, Any]]
) -> None:
    name, spec = lever
    before, after = both(at, True, lever)
    when = spread(name, spec, (before, after))
    for patient, visits in before.items():
        since = when.get(patient, math.inf)
        kept, others = ([v for v in one if v.left is not None and v.left < since] for one in (visits, after[patient]))
        assert care(kept) == care(others), f"{patient} changed before {since}"
        if math.isinf(since):
            assert care(visits) == care(after[patient])
    assert len(when) < len(before), "somebody is never touched"


def test_a_change_does_spread_where_beds_are_scarce() -> None:
    spec = {"setting": "A&E", "at": "A", "from": "2001-01-05"}
    before, after = both("nearest", True, ("close service", spec))
    changed = {patient for patient, visits in before.items() if care(visits) != care(after[patient])}
    sent = {patient for patient, visits in before.items() if any(acted_on("close service", spec, v) for v in visits)}
    assert sent <= changed
    assert len(changed - sent) > 20, "those at B wait longer"


# ---- both engines, and levers together ----

EVERY_KIND: tuple[list[tuple[str, dict[str, Any]]], ...] = (
    [("close service", {"setting": "A&E", "at": "A", "from": "2001-01-03"})],
    [("close service", {"setting": "A&E", "at": "A", "from": "2001-01-03", "hours": "22:00-08:00", "to": "C",
                        "run_down": "2 hours", "moves_share": 0.5})],
    [("close service", {"setting": "A&E", "at": "A", "from": "2001-01-03", "to": "B", "adds": 3, "becomes":
                        {"setting": "urgent treatment", "share": 0.4, "beds": 5, "stay": "20 minutes"}})],
    [("close service", {"setting": "ward", "at": "A", "from": "2001-01-03", "ramp": "5 days"}),
     ("close service", {"setting": "ward", "at": "B", "from": "2001-01-08"})],
    [("community shift", {"from": "ward", "to": "team", "share": 1, "stay_share": 0.25, "start": "2001-01-04"}),
     ("community shift", {"from": "ward", "to": "at home", "share": 0.2, "start": "2001-01-02"}),
     ("close service", {"setting": "ward", "at": "B", "from": "2001-01-06", "to": "C", "moves_share": 1})],
    [("social care", {"setting": "home care", "from": "2001-01-04", "refused_share": 0.5, "instead": "without",
                      "add": -4, "ramp": "3 days"})],
)  # fmt: skip


@pytest.mark.parametrize("at", ["nearest", SHARES])
@pytest.mark.parametrize("levers", EVERY_KIND, ids=lambda levers: ", ".join(name for name, _ in levers))
def test_both_engines_run_what_levers_make(at: str, levers: list[tuple[str, dict[str, Any]]]) -> None:
    model = base = city(at, True)
    for name, spec in levers:
        model = parse_lever(name, spec, model).apply(model)
    play_model(model, Window(model.start, 0, 10 * DAY, "day"), 1, base)


def visits_at(run: Played, unit: str, since_day: int) -> Iterator[Seen]:
    return (visit for visit in run.visits if visit.own == unit and visit.joined >= since_day * 1440)


def test_what_two_levers_close_nobody_comes_to() -> None:
    model = base = city(SHARES, True)
    for site, day in (("A", "2001-01-03"), ("B", "2001-01-08")):
        model = parse_lever("close service", {"setting": "ward", "at": site, "from": day}, model).apply(model)
    run = played(model, base)
    assert not list(visits_at(run, "ward at A", 2)) and not list(visits_at(run, "ward at B", 7))
    assert list(visits_at(run, "ward at B", 2)) and list(visits_at(run, "ward at C", 7))


def test_a_service_shut_at_night_takes_patients_by_day_and_its_beds_follow_the_hours() -> None:
    model = base = city("nearest", True)
    spec = {"setting": "A&E", "at": "A", "from": "2001-01-03", "hours": "22:00-08:00", "run_down": "2 hours"}
    run = played(parse_lever("close service", spec, model).apply(model), base)
    came = [visit.joined % 1440 / 60 for visit in visits_at(run, "A&E at A", 2)]
    assert came and all(8 <= hour < 22 for hour in came)
    open_hours = run.book("available_ms", 5)["A&E at A"] / HOUR / SCARCE["A&E"]
    assert open_hours == 24 - 8, "staffed from 08:00 to midnight"


def test_beds_go_where_the_plan_says() -> None:
    model = base = city("nearest", True)
    spec = {"setting": "ward", "at": "A", "from": "2001-01-03", "to": "C", "moves_share": 0.6, "run_down": "4 days"}
    run = played(parse_lever("close service", spec, model).apply(model), base)
    beds = {
        day: {unit: ms / DAY for unit, ms in run.book("available_ms", day).items() if unit.startswith("ward")}
        for day in (1, 5, 6)
    }
    assert beds[1] == {"ward at A": 10, "ward at B": 10, "ward at C": 10}
    assert beds[5] == {"ward at A": 10, "ward at B": 10, "ward at C": 16}, "both places while A is run down"
    assert beds[6] == {"ward at B": 10, "ward at C": 16}


def staffed_hours(run: Played, setting: str, day: int) -> dict[str, float]:
    """Hours of beds of each unit of a setting on a day."""
    return {unit: ms / HOUR for unit, ms in run.book("available_ms", day).items() if unit.startswith(f"{setting} at")}


@pytest.mark.parametrize("at", ["nearest", SHARES])
@pytest.mark.parametrize("to", ["nearest", "C"])
def test_beds_that_move_are_as_many_elsewhere_at_every_hour(at: str, to: str) -> None:
    model = base = city(at, False)
    for name, spec in (
        ("capacity", {"setting": "A&E", "times": 0.5, "from": "2001-01-01", "hours": "00:00-08:00"}),
        ("capacity", {"setting": "A&E", "at": "B", "add": 7, "from": "2001-01-01", "days": "sat,sun"}),
        ("close service", {"setting": "A&E", "at": "B", "from": "2001-01-04", "to": to, "moves_share": 1,
                           "run_down": "0 days"}),
    ):  # fmt: skip
        model = parse_lever(name, spec, model).apply(model)
    run = played(model, base)
    week = [staffed_hours(run, "A&E", day) for day in range(14)]
    assert [sum(day.values()) for day in week[4:14]] == [1500 * 20 + 7 * 24 * (day % 7 > 4) for day in range(4, 14)]
    there = {unit for unit, hours in week[10].items() if hours > 500 * 20}
    assert (
        there == {visit.own for visit in run.visits if visit.step == "doctor elsewhere"} and "A&E at B" not in week[10]
    )


@pytest.mark.parametrize("to", ["nearest", "C"])
def test_beds_of_other_settings_go_along_and_leave_after_the_run_down(to: str) -> None:
    model = base = city(SHARES, True)
    spec = {"setting": "A&E", "at": "A", "from": "2001-01-03", "to": to, "run_down": "2 days", "moves":
            {"cubicle": 1, "ward": 0.7}}  # fmt: skip
    run = played(parse_lever("close service", spec, model).apply(model), base)
    cubicles = staffed_hours(run, "cubicle", 6)
    assert "cubicle at A" not in cubicles and sum(cubicles.values()) == 24 * 3 * SCARCE["cubicle"]
    wards = [staffed_hours(run, "ward", day) for day in (1, 3, 6)]
    assert [sum(day.values()) / 24 for day in wards] == [30, 37, 30] and wards[2]["ward at A"] == 24 * 3
    assert {unit for unit, hours in wards[2].items() if hours > 24 * 10} == {
        f"ward at {visit.own[-1]}" for visit in run.visits if visit.step == "doctor elsewhere"
    }


def test_a_place_without_the_setting_is_opened_with_the_beds_named() -> None:
    model = base = city("nearest", True)
    spec = {"setting": "clinic", "from": "2001-01-03", "to": "B", "adds": 7}
    run = played(parse_lever("close service", spec, model).apply(model), base)
    assert run.book("available_ms", 3)["clinic at B"] == 7 * DAY
    assert list(visits_at(run, "clinic at B", 2)) and not list(visits_at(run, "clinic", 2))


def test_beds_added_before_a_unit_closes_close_with_it() -> None:
    model = base = city("nearest", True)
    for name, spec in (
        ("close service", {"setting": "ward", "at": "A", "from": "2001-01-05", "run_down": "1 day"}),
        ("capacity", {"setting": "ward", "at": "A", "add": 4, "from": "2001-01-02"}),
    ):
        model = parse_lever(name, spec, model).apply(model)
    run = played(model, base)
    assert [run.book("available_ms", day).get("ward at A", 0) / DAY for day in (0, 1, 4, 5)] == [10, 14, 14, 0]


def test_those_who_went_elsewhere_use_later_steps_there() -> None:
    model = base = city("nearest", True)
    spec = {"setting": "clinic", "from": "2001-01-03", "to": "team"}
    assert list(visits_at(played(parse_lever("close service", spec, model).apply(model), base), "team", 2))
    spec = {"setting": "A&E", "at": "A", "from": "2001-01-03", "to": "C", "with": {"cubicle": "B"}}
    run = played(parse_lever("close service", spec, model).apply(model), base)
    steps = {visit.step: visit.own for visit in run.visits if visit.step.endswith("elsewhere")}
    assert steps == {"doctor elsewhere": "A&E at C", "cubicle elsewhere": "cubicle at B"}


def test_attendances_go_to_a_setting_that_their_pathway_does_not_have() -> None:
    model = base = city("nearest", True)
    spec = {"from": "doctor", "to": "clinic", "share": 0.4, "start": "2001-01-03", "age_bands": ["65+"]}
    run = played(parse_lever("community shift", spec, model).apply(model), base)
    sent = [visit for visit in run.visits if visit.step == "doctor, in clinic"]
    assert len(sent) > 30 and {visit.own for visit in sent} == {"clinic"}
    refused = {visit.patient for visit in sent if visit.outcome == "reneged"}
    assert refused, "some find no place within a day, and come to a doctor after all"
    assert refused <= {visit.patient for visit in run.visits if visit.step == "doctor"}


# ---- what a model may say that levers need ----


def test_steps_of_one_luck_take_the_same_time_and_lead_the_same_way() -> None:
    text = """
    settings: {here: {capacity: unlimited}, there: {capacity: unlimited}}
    pathways:
      a:
        arrivals: {per_day: 50}
        steps:
          first: {in: here, stay: {exponential: 30 minutes}, then: {second: 0.5, third: 0.5}}
          second: {in: there, stay: {exponential: 60 minutes}, then: third, luck_of: first}
          third: {in: here, stay: {exponential: 30 minutes}}
    """
    stays: dict[str, dict[str, float]] = defaultdict(dict)
    for visit in play_model(model_of(text), Window(date(2001, 1, 1), 0, 4 * DAY, "day")).visits:
        if visit.ended is not None and visit.started is not None:
            stays[visit.step][visit.patient] = visit.ended - visit.started
    assert len(stays["second"]) > 50
    for patient, stay in stays["second"].items():
        assert stay == pytest.approx(2 * stays["first"][patient], abs=0.0001)
    other = [stays["third"][patient] / stays["first"][patient] for patient in stays["third"]]
    assert max(other) > 2 and min(other) < 0.5


def test_nearest_may_leave_units_out() -> None:
    model = city("{rule: nearest, without: [A]}", False)
    units = {visit.own for visit in played(model, model).visits if visit.step == "doctor"}
    assert units == {"A&E at B", "A&E at C"}


def test_a_change_of_capacity_may_hold_in_some_hours_only() -> None:
    model = base = city("nearest", False)
    for spec in (
        {"setting": "A&E", "at": "A", "set": 10, "from": "2001-01-01"},
        {"setting": "A&E", "at": "A", "add": 5, "from": "2001-01-02", "hours": "20:00-24:00"},
        {"setting": "A&E", "at": "A", "times": 2, "from": "2001-01-02", "days": "thu", "hours": "12:00-22:00"},
    ):
        model = parse_lever("capacity", spec, model).apply(model)
    run = played(model, base)
    hours = [run.book("available_ms", day)["A&E at A"] / HOUR for day in range(5)]
    assert hours == [240, 240 + 20, 240 + 20, 8 * 10 + 4 * 10 + 8 * 20 + 2 * 30 + 2 * 15, 240 + 20]


# ---- what contradicts is refused ----

CLOSED = ("close service", {"setting": "A&E", "at": "A", "from": "2001-01-05"})
SHUT = ("close service", {"setting": "clinic", "from": "2001-01-05", "to": "home"})
REFUSED = ("social care", {"setting": "home care", "from": "2001-01-05", "refused_share": 0.3, "instead": "without"})


@pytest.mark.parametrize(
    ("before", "name", "spec", "words"),
    [
        ([CLOSED], *CLOSED, "'A&E at A' is closed from 5 January 2001 already"),
        ([CLOSED], "capacity", {"setting": "A&E", "at": "A", "add": 2, "from": "2001-02-01"}, "change it before"),
        ([CLOSED], "close service", {"setting": "A&E", "at": "B", "from": "2001-01-09", "to": "A"}, "another site"),
        ([CLOSED], "community shift",
         {"from": "doctor", "to": "team", "share": 1, "stay_share": 0.2, "start": "2001-01-04"}, "list this shift before"),
        ([("capacity", {"setting": "team", "set": 0, "from": "2001-01-09"})], "community shift",
         {"from": "ward", "to": "at home", "share": 0.1, "start": "2001-01-04"}, "no room on 9 January 2001"),
        ([SHUT], "capacity", {"setting": "clinic", "add": 1, "from": "2001-01-05"}, "closed from 5 January 2001"),
        ([REFUSED], *REFUSED, "not offered it from 5 January 2001 already"),
        ([REFUSED], "community shift", {"from": "home care", "to": "without", "share": 0.8, "start": "2001-01-04"},
         "more than all"),
        ([], "close service", {"setting": "team", "from": "2001-01-05", "to": "home"}, "leave that shift out"),
        ([], "close service", {"setting": "A&E", "from": "2001-01-05"}, "has 3 units: say which"),
        ([], "close service", {"setting": "A&E", "at": "D", "from": "2001-01-05"}, "no unit at D"),
        ([], "close service", {"setting": "A&E", "at": "A", "from": "2001-01-05", "to": "A"}, "another site"),
        ([], "close service", {"setting": "A&E", "at": "A", "from": "2001-01-05", "to": "Mars"}, "no place or site"),
        ([], "close service", {"setting": "A&E", "at": "A", "from": "2001-01-05", "to": "East"}, "adds"),
        ([], "close service", {"setting": "clinic", "from": "2001-01-05"}, "nowhere else"),
        ([], "close service", {"setting": "A&E", "at": "A", "from": "2001-01-05", "moves": {"wart": 1}}, "mean 'ward'"),
        ([], "close service", {"setting": "A&E", "at": "A", "from": "2001-01-05", "moves": {"A&E": 1}}, "moves_share"),
        ([], "close service", {"setting": "A&E", "at": "A", "from": "2001-01-05", "moves": {"team": 1}}, "no beds or"),
        ([], "close service", {"setting": "A&E", "at": "A", "from": "2001-01-05", "to": "team", "moves": {"ward": 1}},
         "at no place that the patients go to"),
        ([], "close service", {"setting": "clinic", "from": "2001-01-05", "to": "home", "becomes":
                               {"setting": "urgent treatment", "share": 0.4}}, "beds"),
        ([], "close service", {"setting": "A&E", "at": "A", "from": "2001-01-05", "with": {"cubicles": "B"}},
         "did you mean 'cubicle'"),
        ([], "community shift", {"from": "ward", "to": "teem", "share": 1, "stay_share": 0.2, "start": "2001-01-04"},
         "did you mean 'team'"),
        ([], "community shift", {"from": "ward", "to": "ward", "share": 1, "stay_share": 0.2, "start": "2001-01-04"},
         "elsewhere"),
        ([], "social care", {"setting": "home care", "from": "2001-01-05", "refused_share": 0.3, "instead": "withuot"},
         "did you mean 'without'"),
        ([], "social care", {"setting": "home care", "from": "2001-01-05", "add": -13}, "has 12 by then|removes more"),
    ],
)  # fmt: skip
def test_a_lever_that_contradicts_is_refused_in_one_line(
    before: list[tuple[str, dict[str, Any]]], name: str, spec: dict[str, Any], words: str
) -> None:
    model = city("nearest", True)
    for earlier, data in before:
        model = parse_lever(earlier, data, model).apply(model)
    with pytest.raises(LeverError, match=words) as caught:
        parse_lever(name, spec, model)
    assert "\n" not in str(caught.value)


def test_levers_that_fit_together_are_not_refused() -> None:
    model = city("nearest", True)
    for name, spec in (
        CLOSED,
        ("capacity", {"setting": "A&E", "at": "A", "add": 2, "from": "2001-01-02"}),
        ("community shift", {"from": "doctor", "to": "at home", "share": 0.2, "start": "2001-01-04"}),
        ("community shift", {"from": "doctor", "to": "gone", "share": 0.8, "start": "2001-01-04"}),
    ):
        model = parse_lever(name, spec, model).apply(model)
    assert [shift.to for shift in model.shifts][-3:] == ["at home", "gone", "door of doctor at A"]
