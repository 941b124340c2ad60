"""The traffic equations know hours and what is closed, and let shifts of care follow each other as an engine does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import model_of, network_of, unit, window_of

from flowsim.engine.building import compile_network
from flowsim.engine.ledger import BOOKS
from flowsim.engine.network import Ints
from flowsim.engine.running import run_once
from flowsim.engine.spans import Part, arrival_rates
from flowsim.engine.traffic import LoadRow, offered_load
from flowsim.model.calendar import DAY_MS
from flowsim.model.levers import parse_lever
from flowsim.model.schema import Model

PLACES = """
    name,level,within,latitude,longitude
    City,root,,51.5,-0.1
    West,borough,City,51.5,-0.3
    East,borough,City,51.5,0.1
"""
SITES = """
    name,within,latitude,longitude
    A,West,51.5,-0.3
    B,East,51.5,0.1
    C,East,51.5,0.2
"""
SETTINGS = ("A&E", "ward", "unit")
UNITS = "setting,at,capacity\n" + "".join(f"{setting},{site},900\n" for setting in SETTINGS for site in "ABC")
SHARES = "{shares: {West: {A: 0.7, B: 0.3}, East: {A: 0.2, B: 0.5, C: 0.3}}}"
CITY = """
places: places.csv
sites: sites.csv
units: units.csv
settings: {A&E: {level: stp}, ward: {level: stp}, unit: {level: stp}}
profiles: {day: {by: hour, weights: [1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 1]}}
pathways:
  p:
    arrivals: {per_day: 40, residence: {West: 0.6, East: 0.4}, profile: day}
    steps:
      doctor: {in: A&E, at: AT, stay: 20 minutes, then: {ward: 0.4, leave: 0.6}}
      ward: {in: ward, at: same site, stay: {exponential: 1 day}, then: {unit: 0.5, leave: 0.5}}
      unit: {in: unit, at: same site, holds: ward, stay: {exponential: 6 hours}}
"""
NIGHT = 10 / (10 + 14 * 4)
"""Share of arrivals from 22:00 to 08:00."""


def city(at: str, *levers: tuple[str, dict[str, Any]]) -> Model:
    """The city after some levers."""
    model = model_of(CITY.replace("AT", at), places=PLACES, sites=SITES, units=UNITS)
    for name, spec in levers:
        model = parse_lever(name, spec, model).apply(model)
    return model


def loads(model: Model, days: int = 20, first: int = 0) -> dict[str, LoadRow]:
    """Offered loads by unit, from a day to the last."""
    network, labels = compile_network(model, window_of(model, days))
    return {row.unit: row for row in offered_load(network, labels, [("all", first * DAY_MS, days * DAY_MS)])}


def a_day(rows: dict[str, LoadRow], *units: str) -> list[float]:
    """Visits a day to some units."""
    return [rows[name].arrivals_a_year / 365 for name in units]


def test_two_shifts_from_one_step_take_what_the_one_before_leaves() -> None:
    text = """
settings: {one: {capacity: 10 beds}, two: {capacity: 10 beds}, three: {capacity: 10 beds}}
shifts:
  - {from: first, to: second, share: 0.6, start: 2000-01-01}
  - {from: first, to: third, share: 0.4, start: 2000-01-01}
pathways:
  p:
    arrivals: [{per_day: 100}, {per_day: 0, enters: second}, {per_day: 0, enters: third}]
    steps:
      first: {in: one, stay: 1 day}
      second: {in: two, stay: 1 day}
      third: {in: three, stay: 1 day}
"""
    network, labels = network_of(text, 10)
    rows = offered_load(network, labels, [("all", 0, 10 * DAY_MS)])
    assert [row.load for row in rows] == pytest.approx([24, 16, 60]), "one, three, two by name"
    assert sum(row.load for row in rows[1:]) == pytest.approx(100 * 0.76)


def test_shifts_that_begin_together_halfway_follow_each_other_on_the_days_they_are_made() -> None:
    text = """
settings: {one: {capacity: 10 beds}, two: {capacity: 10 beds}}
shifts:
  - {from: first, to: second, share: 0.6, start: 2001-01-11}
  - {from: first, to: second, share: 0.4, start: 2001-01-11}
pathways:
  p:
    arrivals: [{per_day: 100}, {per_day: 0, enters: second}]
    steps: {first: {in: one, stay: 1 day}, second: {in: two, stay: 1 day}}
"""
    network, labels = network_of(text, 20)
    rows = offered_load(network, labels, [("all", 0, 20 * DAY_MS)])
    assert [row.load for row in rows] == pytest.approx([100 * (1 - 0.76 / 2), 100 * 0.76 / 2])


@pytest.mark.parametrize("at", ["nearest", SHARES])
def test_closed_at_night_those_of_the_night_go_elsewhere_and_those_of_the_day_stay(at: str) -> None:
    before = a_day(loads(city(at)), "A&E at A", "A&E at B", "A&E at C")
    lever = {"setting": "A&E", "at": "A", "from": "2000-01-01", "hours": "22:00-08:00", "to": "B"}
    after = loads(city(at, ("close service", lever)))
    gone = before[0] * NIGHT
    expected = [before[0] - gone, before[1] + gone, before[2]]
    assert a_day(after, "A&E at A", "A&E at B", "A&E at C") == pytest.approx(expected)
    assert a_day(after, "ward at A", "ward at B", "ward at C") == pytest.approx([0.4 * some for some in expected])


def test_from_the_middle_of_the_span_on_half_of_them_go() -> None:
    lever = {"setting": "A&E", "at": "A", "from": "2001-01-11", "hours": "22:00-08:00", "to": "B"}
    found = a_day(loads(city("nearest", ("close service", lever))), "A&E at A", "A&E at B")
    assert found == pytest.approx([24 * (1 - NIGHT / 2), 16 + 24 * NIGHT / 2])


@pytest.mark.parametrize("at", ["nearest", SHARES])
def test_all_places_together_have_the_loads_of_each_alone_in_sum(at: str) -> None:
    """The share that is turned away at night is another for each place."""
    lever = {"setting": "A&E", "at": "A", "from": "2000-01-01", "hours": "22:00-08:00", "to": "B"}

    def of(arrivals: str) -> list[float]:
        text = CITY.replace("AT", at).replace(
            "{per_day: 40, residence: {West: 0.6, East: 0.4}, profile: day}", arrivals
        )
        model = model_of(text, places=PLACES, sites=SITES, units=UNITS)
        rows = loads(parse_lever("close service", lever, model).apply(model))
        return [figure for row in rows.values() for figure in (row.load, row.arrivals_a_year)]

    west, east = "{per_day: 24, residence: {West: 1}, profile: day}", "{per_day: 16, residence: {East: 1}}"
    alone = [sum(pair) for pair in zip(of(west), of(east), strict=True)]
    assert of(f"[{west}, {east}]") == pytest.approx(alone, abs=1e-9)


@pytest.mark.parametrize("at", ["nearest", SHARES])
def test_closed_for_good_only_those_bound_for_it_go(at: str) -> None:
    before = a_day(loads(city(at)), "A&E at A", "A&E at B", "A&E at C")
    lever = {"setting": "A&E", "at": "B", "from": "2000-01-01", "to": "C"}
    after = a_day(loads(city(at, ("close service", lever))), "A&E at A", "A&E at B", "A&E at C")
    assert after == pytest.approx([before[0], 0, before[1] + before[2]])


def test_capacity_in_some_hours_counts_by_its_mean_over_time() -> None:
    lever = {"setting": "ward", "at": "A", "add": 48, "from": "2001-01-11", "hours": "08:00-20:00"}
    before, after = loads(city("nearest")), loads(city("nearest", ("capacity", lever)))
    assert after["ward at A"].capacity == pytest.approx(before["ward at A"].capacity + 48 / 2 / 2)
    assert after["ward at A"].load == before["ward at A"].load


@pytest.mark.parametrize("at", ["nearest", SHARES])
def test_a_run_with_a_bed_for_everybody_has_these_loads(at: str) -> None:
    levers = [
        ("close service", {"setting": "A&E", "at": "A", "from": "2000-01-01", "hours": "22:00-08:00", "to": "B"}),
        ("close service", {"setting": "unit", "at": "C", "from": "2000-01-01", "to": "B"}),
        ("community shift", {"from": "ward", "to": "unit", "share": 0.2, "start": "2000-01-01"}),
    ]
    model, warm_up, days = city(at, *levers), 10, 200
    network, labels = compile_network(model, window_of(model, days, warm_up=warm_up, period="day"))
    used, own = np.zeros((2, 8, len(labels.units))), np.repeat(network.class_own, np.diff(network.lane_first))
    books = {book.name: number for number, book in enumerate(BOOKS)}
    for replication in range(8):

        def write(page: Ints, found: Any = used[:, replication]) -> None:
            page = page[page[:, 0] >= warm_up]
            beds, starts = (page[page[:, 1] == books[name]] for name in ("in_use_ms", "starts"))
            np.add.at(found[0], beds[:, 2], beds[:, 3] / ((days - warm_up) * DAY_MS))
            np.add.at(found[1], own[starts[:, 2]], starts[:, 3] / (days - warm_up))

        run_once(network, labels, 3, replication, write)
    mean, error = used.mean(axis=1), used.std(axis=1, ddof=1) / np.sqrt(8)
    rows = offered_load(network, labels, [("all", warm_up * DAY_MS, days * DAY_MS)])
    for row in rows:
        number = unit(labels, row.unit)
        for told, expected in zip(range(2), (row.load, row.arrivals_a_year / 365), strict=True):
            assert abs(mean[told, number] - expected) <= 6 * error[told, number] + 1e-9, row


@given(st.sampled_from(range(24)), st.integers(1, 23))
def test_parts_of_a_span_share_out_its_arrivals(opens: int, hours: int) -> None:
    closes = (opens + hours) % 24
    model = city("nearest", ("close service", {
        "setting": "A&E", "at": "A", "from": "2001-01-05", "hours": f"{opens:02}:00-{closes or 24:02}:00", "to": "B",
    }))  # fmt: skip
    network, labels = compile_network(model, window_of(model, 9))
    whole = Part.whole(network, 0, 9 * DAY_MS)
    door = next(number for number, one in enumerate(labels.units) if one.setting.startswith("door") and one.at == "A")
    parts = list(whole.split(network, [door]))
    assert len(parts) == 2
    assert sum(int((part.ends - part.starts).sum()) for part in parts) == 9 * DAY_MS
    total = sum(float(rate.sum()) for part in parts for rate in arrival_rates(network, part).values())
    assert total * DAY_MS == pytest.approx(40)
    assert sum(part.within(5) for part in parts) == pytest.approx(1.0)
