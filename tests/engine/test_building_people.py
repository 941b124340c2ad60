"""Where people live: shares of the people of the place above, and people of one year in all years."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import PLACES, model_of, window_of

from flowsim.engine.building import compile_network
from flowsim.engine.network import Network
from flowsim.model.levers import parse_lever
from flowsim.model.people import Home, homes_of
from flowsim.model.schema import Model
from flowsim.model.tables import Table
from flowsim.model.units import geography_of

TOWN = """
places: places.csv
population: population.csv
settings: {one: {capacity: 10 beds}}
pathways:
  p:
    arrivals: {from: population, need: {by_place: {City: {0-64: 365, "65+": 730}, East: {0-64: 100, "65+": 50}}}}
    steps: {s: {in: one, stay: 1 hour}}
"""
YEARS = {2001: 1, 2002: 3, 2003: 8}


def table_of(people: dict[str, int]) -> str:
    rows = [
        f"{place},{band},{year},{number * times * (2 if band == '65+' else 1)},{variant}"
        for place, number in people.items()
        for band in ("0-64", "65+")
        for year, grown in YEARS.items()
        for variant, times in (("all", grown), ("none", 1))
    ]
    return "place,age_band,year,people,variant\n" + "\n".join(rows)


def with_shares(shares: dict[str, float]) -> str:
    header, *rows = [line.strip() for line in PLACES.strip().splitlines()]
    return "\n".join([f"{header},share", *(f"{row},{shares.get(row.split(',')[0], '')}" for row in rows)])


def town(people: dict[str, int], shares: dict[str, float], variant: str = "all", more: str = "") -> Model:
    text = TOWN.replace("population.csv", f"{{table: population.csv, variant: {variant}{more}}}")
    return model_of(text, places=with_shares(shares), population=table_of(people))


def network_of(model: Model, base: Model | None = None) -> Network:
    return compile_network(model, window_of(model, 900), base)[0]


def same(one: Network, other: Network) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one._fields)


BOROUGHS = {"East": 6400, "West": 1280}
SHARED = town(BOROUGHS, {"East 1": 0.5, "East 2": 0.5, "West 1": 1})


@given(st.integers(0, 64))
@settings(max_examples=20, deadline=None)
def test_people_by_share_are_those_written_for_each_place(part: int) -> None:
    assert SHARED.places is not None
    shares = tuple({"East 1": part / 64, "East 2": 1 - part / 64, "West 1": 1.0}.get(name)
                   for name in SHARED.places.columns["name"])  # fmt: skip
    columns = {**SHARED.places.columns, "share": shares}
    places = Table(SHARED.places.file, columns, SHARED.places.lines, SHARED.places.provenance)
    by_share = SHARED.model_copy(update={"places": places})
    written = town({"East 1": 100 * part, "East 2": 6400 - 100 * part, "West 1": 1280}, {})
    assert same(network_of(by_share), network_of(written))


def test_people_live_in_the_lowest_places_that_have_any() -> None:
    model = town({"North": 1000, "West 1": 10}, {"East": 0.5, "West": 0.5, "East 1": 0.25, "East 2": 0.75})
    assert homes_of(model.population, geography_of(model)) == {
        "East 1": Home("North", 0.125), "East 2": Home("North", 0.375), "West 1": Home("West 1", 1),
    }  # fmt: skip


def test_people_as_in_one_year_are_a_projection_that_stands_still() -> None:
    """`as_in` and a variant without growth differ in nothing but the places where rates might have changed."""
    still = network_of(town(BOROUGHS, {}, more=", as_in: 2001"))
    written = network_of(town(BOROUGHS, {}, variant="none"))
    assert len(still.segment_starts) == 1 and len(written.segment_starts) == 3
    assert (written.ratio == still.ratio).all()
    apart = ("segment_starts", "ratio", "stream_ratio_first")
    assert same(still, written._replace(**{name: getattr(still, name) for name in apart}))


def test_people_of_a_later_year_are_there_from_the_first_day() -> None:
    now, then = (network_of(town(BOROUGHS, {}, more=f", as_in: {year}")) for year in (2001, 2002))
    assert then.stream_gap_ms * 3 == pytest.approx(now.stream_gap_ms)


def test_lever_without_growth_leaves_the_candidates_and_thins_them() -> None:
    model = town(BOROUGHS, {})
    lever = parse_lever("demand growth", {"people_as_in": 2001}, model)
    assert lever.describe() == "demand growth: people as in 2001"
    before, after = network_of(model), network_of(lever.apply(model), model)
    assert np.array_equal(before.stream_gap_ms, after.stream_gap_ms)
    assert np.array_equal(before.stream_mix, after.stream_mix)
    assert (after.ratio[:, 0] == before.ratio[:, 0]).all() and after.ratio.shape[1] == 1
    assert before.ratio[:, 2] == pytest.approx(8 * after.ratio[:, 0])


def test_a_variant_and_a_year_of_it_may_be_asked_for_together() -> None:
    model = town(BOROUGHS, {})
    lever = parse_lever("demand growth", {"variant": "none", "people_as_in": 2003}, model)
    population = lever.apply(model).population
    assert population is not None and model.population is not None
    assert population == model.population.model_copy(update={"variant": "none", "as_in": 2003})
    assert replace(population.table) == model.population.table


# ---- patients of the first day from several places ----

FIRST = """
places: places.csv
settings: {ward: {capacity: 50 beds}}
pathways:
  p: {arrivals: {per_day: 1, residence: East 1}, steps: {s: {in: ward, stay: 5 days}}}
first_day:
  - {pathway: p, step: s, inside: 3, residence: East 1}
  - {pathway: p, step: s, inside: 2, waiting: 1, residence: West 1}
"""


def test_patients_of_the_first_day_may_come_from_several_places() -> None:
    model = model_of(FIRST, places=PLACES)
    _, labels = compile_network(model, window_of(model))
    assert labels.streams == (
        "p | East 1", "p | s | inside at ward", "p | s | inside at ward | West 1", "p | s | waiting at ward",
    )  # fmt: skip


def test_a_table_of_the_first_day_is_the_list() -> None:
    text, _, rows = FIRST.partition("first_day:")
    table = "pathway,step,residence,inside,waiting\np,s,East 1,3,\np,s,West 1,2,1"
    listed = model_of(text + "first_day:" + rows, places=PLACES)
    assert model_of(f"{text}first_day: first.csv", places=PLACES, first=table).first_day == listed.first_day
