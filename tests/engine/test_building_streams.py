from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from small_models import PLACES, model_of, network_of, one_unit, refused, row, window_of

from flowsim.engine.addresses import step_hash
from flowsim.engine.building import compile_network, compiling
from flowsim.engine.building import marks as building_marks
from flowsim.engine.network import StreamKind
from flowsim.errors import InputError
from flowsim.model.calendar import DAY_MS

HOUR_MS = DAY_MS // 24


PEOPLE_BY_YEAR = {
    "East": ((9999, 9999), (9999, 9999)),
    "West": ((9999, 9999), (9999, 9999)),
    "East 1": ((1000, 0), (2000, 500)),
    "East 2": ((10, 10), (10, 10)),
    "West 1": ((1000, 500), (1000, 500)),
}
POPULATION = "place,age_band,year,people\n" + "\n".join(
    f"{place},{band},{year},{count}"
    for place, years in PEOPLE_BY_YEAR.items()
    for year, counts in zip((2001, 2002), years, strict=True)
    for band, count in zip(("0-64", "65+"), counts, strict=True)
)
PEOPLE = """
places: places.csv
population: population.csv
settings: {one: {capacity: 10 beds}}
growth: {more: {a_year: 0.1, from: 2001-07-01}}
profiles: {week: {by: weekday, weights: [2, 1, 1, 1, 1, 1, 0]}}
pathways:
  p:
    arrivals: {from: population, need: {0-64: 365, "65+": 730}, growth: more, profile: week}
    steps: {s: {in: one, stay: 1 hour}}
"""


def people(text=PEOPLE, days=730, base=None, population=POPULATION, origin=None):
    model = model_of(text, places=PLACES, population=population)
    return compile_network(
        model,
        window_of(model, days, origin=origin),
        base and model_of(base, places=PLACES, population=population),
    )


def rate_a_day(network, labels, stream, day, age):
    """Mean rate of a stream by what its candidates and their thinning say."""
    s, ages = labels.streams.index(stream), len(labels.age_bands)
    share = np.diff(network.stream_mix[s * ages : (s + 1) * ages], prepend=0)[age]
    segment = np.searchsorted(network.segment_starts, day * DAY_MS, side="right") - 1
    peak = network.ratio[s, segment, age] * share / network.stream_gap_ms[s] * DAY_MS
    return peak * network.week_profile[s * 7 : s * 7 + 7].mean()


def test_population_and_need_make_one_stream_for_each_place_at_the_lowest_level():
    network, labels = people()
    assert labels.streams == ("p | East 1", "p | East 2", "p | West 1")
    assert labels.age_bands == ("0-64", "65+")
    assert rate_a_day(network, labels, "p | East 1", 0, 0) == pytest.approx(1.0)
    assert rate_a_day(network, labels, "p | East 1", 0, 1) == 0
    assert rate_a_day(network, labels, "p | West 1", 0, 1) == pytest.approx(1.0)
    assert rate_a_day(network, labels, "p | East 1", 400, 0) == pytest.approx(2.0)
    assert rate_a_day(network, labels, "p | East 1", 400, 1) == pytest.approx(1.0)


def test_layers_of_candidates_cover_the_highest_rate_and_no_more():
    network, _ = people()
    highest = network.ratio.max(axis=(1, 2))
    assert (network.stream_layers >= highest - 1e-9).all()
    assert (network.stream_layers < highest + 1).all()


def test_growth_is_compounded_on_each_anniversary():
    network, labels = people()
    days = [start // DAY_MS for start in network.segment_starts.tolist()]
    assert days == [0, 365, 365 + 181]  # the second model year, and 2002-07-01
    assert rate_a_day(network, labels, "p | West 1", 545, 0) == pytest.approx(1.0)
    assert rate_a_day(network, labels, "p | West 1", 546, 0) == pytest.approx(1.1)


def test_levers_leave_the_candidates_of_the_model_before_them():
    before, labels = people()
    after, names = people(PEOPLE.replace("0-64: 365", "0-64: 200"), base=PEOPLE)
    assert names == labels
    assert np.array_equal(before.stream_gap_ms, after.stream_gap_ms)
    assert np.array_equal(before.stream_mix, after.stream_mix)
    assert after.ratio[2, 0].tolist() == pytest.approx([200 / 365, 1.0])
    alone, _ = people(PEOPLE.replace("0-64: 365", "0-64: 200"))
    assert not np.array_equal(alone.stream_gap_ms, before.stream_gap_ms)


def test_an_age_band_without_patients_can_be_given_some_by_a_lever():
    base = PEOPLE.replace('"65+": 730', '"65+": 0')
    before, labels = people(base)
    after, _ = people(PEOPLE.replace('"65+": 730', '"65+": 73'), base=base)
    assert np.array_equal(before.stream_mix, after.stream_mix)
    assert rate_a_day(after, labels, "p | West 1", 0, 1) == pytest.approx(0.1)
    assert rate_a_day(before, labels, "p | West 1", 0, 1) == 0


def test_years_before_the_table_have_its_first_and_a_year_after_it_is_refused():
    network, labels = people(days=365, origin=date(1999, 1, 1))
    assert rate_a_day(network, labels, "p | West 1", 0, 0) == pytest.approx(1.0)
    with pytest.raises(InputError, match="in 2003, and the table ends with 2002"):
        people(days=800)


def test_a_gap_in_the_population_is_refused():
    model = model_of(PEOPLE, places=PLACES, population=POPULATION)
    population = model.population
    columns = population.table.columns
    keys = list(zip(columns["place"], columns["year"], strict=True))
    rows = [i for i, key in enumerate(keys) if key != ("West 1", 2002)]
    table = replace(population.table, columns={k: tuple(v[i] for i in rows) for k, v in columns.items()})
    gap = model.model_copy(update={"population": population.model_copy(update={"table": table})})
    compile_network(gap, window_of(gap, 365))
    with pytest.raises(InputError, match="every age band of 'West 1' in 2002"):
        compile_network(gap, window_of(gap, 366))


def test_a_plain_rate_is_divided_by_residence_and_age():
    network, labels = network_of(
        """
places: places.csv
settings: {one: {capacity: 10 beds}}
pathways:
  p:
    arrivals:
      - {per_week: 70, residence: {East 1: 0.75, West 1: 0.25}, ages: {0-64: 0.2, "65+": 0.8}}
      - {per_hour: 1}
    steps: {s: {in: one, stay: 1 hour}}
""",
        places=PLACES,
    )
    assert labels.streams == ("p | 2 | City", "p | East 1", "p | West 1")
    assert rate_a_day(network, labels, "p | East 1", 0, 1) == pytest.approx(7.5 * 0.8)
    assert rate_a_day(network, labels, "p | West 1", 0, 0) == pytest.approx(2.5 * 0.2)
    assert rate_a_day(network, labels, "p | 2 | City", 0, 0) == pytest.approx(24)
    assert network.stream_layers.tolist() == [1, 1, 1]
    assert labels.areas == ("City", "East 1", "West 1")
    lived_in = [labels.areas[a] if a >= 0 else "" for a in network.place_area]
    assert lived_in == [place if place in labels.areas else "" for place in labels.places]


def test_people_of_many_places_are_told_apart_by_borough(monkeypatch):
    monkeypatch.setattr(compiling, "MOST_AREAS", 1)
    network, labels = network_of(
        """
places: places.csv
settings: {one: {capacity: 10 beds}}
pathways:
  p:
    arrivals: {per_day: 10, residence: {East 1: 0.75, West 1: 0.25}}
    steps: {s: {in: one, stay: 1 hour}}
""",
        places=PLACES,
    )
    assert labels.areas == ("East", "West")
    area = {place: labels.areas[a] for place, a in zip(labels.places, network.place_area, strict=True) if a >= 0}
    assert area == {"East 1": "East", "West 1": "West"}


def test_profiles_have_a_maximum_of_one_and_keep_the_mean_rate():
    network, _labels = network_of("""
settings: {one: {capacity: 10 beds}}
profiles:
  d: {by: hour, weights: [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]}
  y: {by: month, weights: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]}
pathways: {p: {arrivals: {per_day: 24, profile: [d, y]}, steps: {s: {in: one, stay: 1 hour}}}}
""")
    assert network.day_profile.max() == network.year_profile.max() == network.week_profile.max() == 1
    mean = network.day_profile.mean() * network.year_profile.mean() / network.stream_gap_ms[0]
    assert mean * DAY_MS == pytest.approx(24)


def test_a_timetable_has_its_times_and_batches():
    network, _labels = network_of("""
settings: {one: {capacity: 10 beds}}
pathways:
  p:
    arrivals: {timetable: {first: 6 hours, every: 12 hours, batch: 2}}
    steps: {s: {in: one, stay: 1 hour}}
""", days=2)  # fmt: skip
    assert network.stream_kind.tolist() == [StreamKind.LISTED]
    assert network.listed_at.tolist() == [hour * HOUR_MS for hour in (6, 6, 18, 18, 30, 30, 42, 42)]
    assert network.listed_marks.tolist() == [[-1, 0]] * 8


def test_a_trace_brings_its_marks_and_what_lies_outside_the_run_is_told():
    model = model_of(
        """
places: places.csv
settings: {one: {capacity: 10 beds}}
groups: {sort: {mild: 0.5, severe: 0.5}}
pathways: {p: {arrivals: {trace: trace.csv}, steps: {s: {in: one, stay: 1 hour}}}}
""",
        places=PLACES,
        trace="""
            at,place,age_band,sort
            2001-01-02 01:00,West 1,65+,severe
            2001-01-01 02:00,East 1,0-64,mild
            2000-12-31 23:59,East 1,0-64,mild
            2001-02-01 00:00,East 1,0-64,mild
        """,
    )
    with pytest.warns(UserWarning, match="2 rows of the trace lie outside the run"):
        network, labels = compile_network(model, window_of(model, 30))
    assert network.listed_at.tolist() == [2 * HOUR_MS, 25 * HOUR_MS]
    places = [labels.places.index(name) for name in ("East 1", "West 1")]
    assert network.listed_marks.tolist() == [[0, places[0], 0], [1, places[1], 1]]
    assert labels.areas == ("City", "East 1", "West 1")


def test_those_there_on_the_first_day_are_streams_of_their_own():
    network, labels = one_unit(more="first_day: [{pathway: p, step: s, inside: 2, waiting: 4, waited_up_to: 8 hours}]")
    assert labels.streams == ("p | s | inside at one", "p | s | waiting at one", "p | town")
    assert network.stream_kind.tolist() == [StreamKind.INSIDE, StreamKind.WAITING, StreamKind.RATE]
    assert row(network.listed_first, network.listed_at, 0) == [0, 0]
    assert row(network.listed_first, network.listed_at, 1) == [-hour * HOUR_MS for hour in (7, 5, 3, 1)]
    assert network.listed_unit.tolist() == [0, 0, -1]


def test_more_patients_than_can_be_numbered_are_refused():
    refused("""
settings: {one: {capacity: 10 beds}}
pathways: {p: {arrivals: {per_hour: 1.0e7}, steps: {s: {in: one, stay: 1 hour}}}}
""", "patients in the run, at most 2.15e\\+09")  # fmt: skip
    with pytest.raises(InputError, match="100-fold over the model before levers, at most 64-fold"):
        plain = """
settings: {one: {capacity: 10 beds}}
pathways: {p: {arrivals: {per_hour: %s}, steps: {s: {in: one, stay: 1 hour}}}}
"""
        compile_network(model_of(plain % 100), window_of(model_of(plain % 1)), model_of(plain % 1))


def test_names_of_steps_with_one_hash_are_refused(monkeypatch):
    monkeypatch.setattr(building_marks, "step_hash", lambda name: step_hash(name[0]))
    with pytest.raises(InputError, match="'sb': has the same hash as 'sa'"):
        network_of("""
settings: {one: {capacity: 10 beds}}
pathways:
  p: {arrivals: {per_hour: 1}, steps: {sa: {in: one, stay: 1 hour, then: sb}, sb: {in: one, stay: 1 hour}}}
""")
