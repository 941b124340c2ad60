import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import model_of, network_of, window_of

from flowsim.engine.building import compile_network
from flowsim.engine.ledger import entries_of
from flowsim.engine.running import run_once
from flowsim.engine.traffic import LoadRow, first_to_tip, offered_load
from flowsim.model.calendar import DAY_MS

EMERGENCY = """
settings:
  triage:    {capacity: 2 beds}
  cubicle:   {capacity: 24 beds}
  ward:      {capacity: 325 beds, level: stp}
  home care: {capacity: 525 beds, level: borough}
profiles:
  day: {by: hour, weights: [.48, .38, .32, .28, .27, .30, .42, .66, 1.02, 1.38, 1.54, 1.56, 1.50, 1.44, 1.42,
    1.42, 1.44, 1.44, 1.40, 1.36, 1.24, 1.06, .92, .75]}
groups:
  urgency: {urgent: 0.3, other: 0.7}
pathways:
  emergency:
    arrivals: {per_day: 240, profile: day}
    steps:
      triage: {in: triage, stay: {lognormal: {mean: 0.18 hours, cv: 0.5}}, then: cubicle}
      cubicle:
        in: cubicle
        priority: {by: urgency, urgent: 0, other: 1}
        stay: {lognormal: {mean: 2 hours, cv: 0.8}}
        then: {ward: 0.25, leave: 0.75}
      ward:
        in: ward
        holds: cubicle
        stay: {lognormal: {mean: 5 days, cv: 1}}
        then: {home care: 0.2, leave: 0.8}
      home care: {in: home care, holds: ward, stay: {lognormal: {mean: 42 days, cv: 1}}}
"""


def loads(text, days=28, years=None, **tables):
    network, labels = network_of(text, days, **tables)
    rows = offered_load(network, labels, years or [("all", 0, days * DAY_MS)])
    return {row.unit: row for row in rows}


def test_the_emergency_pathway_has_the_service_loads_of_its_definition():
    rows = loads(EMERGENCY)
    expected = {"triage": 0.90, "cubicle": 20 / 24, "ward": 300 / 325, "home care": 0.96}
    assert {name: row.utilisation for name, row in rows.items()} == pytest.approx(expected)
    assert rows["ward"].arrivals_a_year == pytest.approx(60 * 365)
    assert first_to_tip(rows.values()).unit == "home care"


def jackson(a, b, back, days=28):
    return f"""
settings: {{one: {{capacity: 5 beds}}, two: {{capacity: 7 beds}}}}
pathways:
  p:
    arrivals: {{per_day: {a}}}
    steps:
      first: {{in: one, stay: 6 hours, then: {{second: {b}, leave: rest}}}}
      second: {{in: two, stay: {{exponential: 1 day}}, then: {{first: {back}, leave: rest}}}}
"""


@given(st.integers(1, 50), st.integers(1, 9), st.integers(1, 9))
def test_loops_are_solved_as_jackson_did(a, b, back):
    rows = loads(jackson(a, b / 10, back / 10))
    first = a / (1 - b * back / 100)
    assert rows["one"].load == pytest.approx(first / 4)
    assert rows["two"].load == pytest.approx(first * b / 10)
    assert rows["two"].arrivals_a_year == pytest.approx(365 * first * b / 10)


def test_a_loop_that_is_never_left_is_told_by_its_steps():
    with pytest.warns(UserWarning, match="hardly ever leave a loop of steps: p: first, p: second"):
        rows = loads(jackson(10, 1, 0.9999999999))
    assert rows["one"].utilisation > 1e5


def test_routing_by_a_group_follows_the_same_patients_through_all_steps():
    text = """
settings: {one: {capacity: 100 beds}, two: {capacity: 100 beds}}
groups: {sort: {rare: 0.1, common: 0.9}}
pathways:
  p:
    arrivals: {per_day: 10}
    steps:
      first: {in: one, stay: 1 day, then: {by: sort, rare: second, common: leave}}
      second:
        in: one
        stay: {fixed: {by: sort, rare: 2 days, common: 100 days}}
        then: {by: sort, rare: third, common: leave}
      third: {in: two, stay: 1 day}
"""
    rows = loads(text)
    assert rows["two"].load == pytest.approx(1.0)
    assert rows["one"].load == pytest.approx(10 + 2)


def test_time_held_while_later_steps_are_served_counts_and_waiting_does_not():
    text = """
settings: {ward: {capacity: 10 beds}, theatre: {capacity: 1 beds}, home: {capacity: 1 beds}}
pathways:
  p:
    arrivals: {per_day: 2}
    steps:
      ward: {in: ward, stay: 1 day, then: {theatre: 0.5, leave: 0.5}}
      theatre: {in: theatre, stay: 6 hours, then: recovery}
      recovery: {in: theatre, stay: 12 hours, then: home}
      home: {in: home, holds: ward, stay: 3 days}
"""
    rows = loads(text)
    assert rows["ward"].load == pytest.approx(2 * (1 + 0.5 * 0.75))
    assert rows["home"].load == pytest.approx(3.0)


PLACES = """
    name,level,within,latitude,longitude
    City,root,,51.5,-0.1
    East,borough,City,51.5,0.0
    West,borough,City,51.5,-0.2
"""
SITES = """
    name,within,latitude,longitude
    Easthouse,East,51.5,0.0
    Westhouse,West,51.5,-0.2
"""
UNITS = """
    setting,at,capacity,of,stay_factor
    A&E,Easthouse,10,beds,1
    A&E,Westhouse,10,beds,1
    ward,Easthouse,20,beds,2
    ward,Westhouse,20,beds,1
    clinic,East,8,slots,1
"""
CITY = """
places: places.csv
sites: sites.csv
units: units.csv
settings: {A&E: {level: stp}, ward: {level: stp}, clinic: {}}
pathways:
  p:
    arrivals: {per_day: 10, residence: {East: 0.3, West: 0.7}}
    steps:
      door:
        in: A&E
        at: {shares: {East: {Easthouse: 0.8, Westhouse: 0.2}, West: {Easthouse: 0.1, Westhouse: 0.9}}}
        stay: 2 hours
        then: {ward: 0.5, check: 0.5}
      ward: {in: ward, at: same site, stay: 1 day, then: check}
      check: {in: clinic, stay: 0 minutes}
"""


def test_catchment_shares_and_the_site_of_the_patient_divide_the_load():
    rows = loads(CITY, places=PLACES, sites=SITES, units=UNITS)
    east = 3 * 0.8 + 7 * 0.1
    assert rows["A&E at Easthouse"].load == pytest.approx(east / 12)
    assert rows["A&E at Westhouse"].load == pytest.approx((10 - east) / 12)
    assert rows["ward at Easthouse"].load == pytest.approx(east / 2 * 2)
    assert rows["ward at Westhouse"].load == pytest.approx((10 - east) / 2)


def test_slots_are_loaded_by_starts_a_day_and_unlimited_units_never_tip():
    rows = loads(CITY, places=PLACES, sites=SITES, units=UNITS)
    assert (rows["clinic at East"].load, rows["clinic at East"].capacity) == pytest.approx((10, 8))
    assert first_to_tip(rows.values()).unit == "clinic at East"
    endless = loads(CITY.replace("clinic: {}", "clinic: {capacity: unlimited}"), places=PLACES, sites=SITES,
                    units="\n".join(UNITS.splitlines()[:-2]))  # fmt: skip
    assert endless["clinic"].capacity == math.inf and endless["clinic"].utilisation == 0
    assert first_to_tip([endless["clinic"]]) is None


def test_a_ramp_of_capacity_and_a_shift_of_care_count_by_their_mean_over_the_year():
    text = """
settings: {one: {capacity: 10 beds}, two: {capacity: 100 beds}}
capacity_changes: [{setting: one, from: 2001-01-01, add: 10, ramp: 100 days}]
shifts: [{from: first, to: second, share: 0.5, start: 2001-01-11, ramp: 20 days}]
pathways:
  p:
    arrivals: [{per_day: 8}, {per_day: 0, enters: second}]
    steps: {first: {in: one, stay: 1 day}, second: {in: two, stay: 1 day}}
"""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        years = [("a", 0, 20 * DAY_MS), ("b", 20 * DAY_MS, 40 * DAY_MS)]
        network, labels = network_of(text, 40)
    rows = offered_load(network, labels, years)
    shifted = [0.5 * (10 * 10 / 2 / 20) / 20, (0.5 * (0.25 + 0.5) * 10 + 0.5 * 10) / 20]
    assert [row.load for row in rows] == pytest.approx(
        [8 * (1 - shifted[0]), 8 * shifted[0], 8 * (1 - shifted[1]), 8 * shifted[1]]
    )
    at = np.arange(20)
    assert rows[0].capacity == pytest.approx(np.mean(10 + np.floor(at / 10 + 0.5)))


def test_profiles_of_week_and_month_count_by_the_days_of_the_span():
    text = """
settings: {one: {capacity: 10 beds}}
profiles:
  weekdays: {by: weekday, weights: [7, 0, 0, 0, 0, 0, 0]}
  january: {by: month, weights: [6, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}
pathways: {p: {arrivals: {per_day: 2, profile: [weekdays, january]}, steps: {s: {in: one, stay: 1 day}}}}
"""
    network, labels = network_of(text, 70)  # 2001-01-01 is a Monday
    spans = [
        ("monday", 0, DAY_MS),
        ("tuesday", DAY_MS, 2 * DAY_MS),
        ("january", 0, 28 * DAY_MS),
        ("march", 60 * DAY_MS, 70 * DAY_MS),
    ]
    assert [row.load for row in offered_load(network, labels, spans)] == pytest.approx([2 * 7 * 6, 0, 2 * 6, 0])


def test_stays_are_lengthened_by_the_wait_for_the_daily_round():
    text = """
settings: {one: {capacity: 10 beds}}
pathways: {p: {arrivals: {per_day: 2}, steps: {s: {in: one, stay: 1 day, rounds: [{at: ["10:00"]}]}}}}
"""
    assert loads(text)["one"].load == pytest.approx(2 * 1.5)


def test_growth_and_population_raise_the_load_year_by_year():
    population = """
        place,age_band,year,people
        town,0-64,2001,1000
        town,65+,2001,500
        town,0-64,2002,1000
        town,65+,2002,1000
    """
    text = """
population: population.csv
growth: {more: {a_year: 0.1, from: 2001-01-01}}
settings: {one: {capacity: 2 beds}}
pathways:
  p:
    arrivals: {from: population, need: {0-64: 365, "65+": 730}, growth: more}
    steps: {s: {in: one, stay: {fixed: {by: age_band, 0-64: 1 day, "65+": 2 days}}}}
"""
    model = model_of(text, population=population)
    network, labels = compile_network(model, window_of(model, 730))
    first, second = offered_load(network, labels, window_of(model, 730).years(model.start))
    assert first.arrivals_a_year == pytest.approx(365 * (1 + 1))
    assert (first.load, second.load) == pytest.approx((1 + 2, 1.1 * (1 + 4)))
    assert first_to_tip([first, second]) == first


def test_the_first_to_tip_is_of_the_first_year_in_which_one_does():
    def row(unit, year, used):
        return LoadRow(unit, "s", "a", "stp", year, 1.0, used, 1.0, used)

    rows = [
        row("a", "1", 0.7),
        row("b", "1", 0.8),
        row("a", "2", 1.0),
        row("b", "2", 1.2),
        row("a", "3", 9.0),
    ]
    assert first_to_tip(rows) == rows[3]
    assert first_to_tip(rows[:2]) == rows[1]
    assert first_to_tip([]) is None


def test_given_times_count_where_they_fall():
    text = """
settings: {one: {capacity: 3 beds}}
pathways:
  p:
    arrivals: {timetable: {first: 1 hour, every: 1 day, batch: 3}}
    steps: {s: {in: one, stay: 6 hours}}
"""
    assert loads(text, 10)["one"].load == pytest.approx(0.75)


def test_a_run_without_limits_has_the_offered_loads():
    """With loops, holds and stays of hours and days, and a bed for everybody, beds in use are the offered load."""
    text = """
settings:
  triage:  {capacity: 5000 beds}
  cubicle: {capacity: 5000 beds}
  ward:    {capacity: 5000 beds}
  scan:    {capacity: 5000 beds}
pathways:
  emergency:
    arrivals: {per_day: 120}
    steps:
      triage: {in: triage, stay: {lognormal: {mean: 0.2 hours, cv: 0.5}}, then: cubicle}
      cubicle: {in: cubicle, stay: {gamma: {mean: 3 hours, cv: 0.8}}, then: {ward: 0.25, triage: 0.1, leave: 0.65}}
      ward: {in: ward, holds: cubicle, stay: {lognormal: {mean: 1.5 days, cv: 1}}, then: {scan: 0.3, leave: 0.7}}
      scan: {in: scan, stay: {exponential: 4 hours}, then: {back on the ward: 0.5, leave: 0.5}}
      back on the ward: {in: ward, holds: ward, stay: {exponential: 1 days}}
"""
    warm_up, days = 12, 40
    model = model_of(text)
    network, labels = compile_network(model, window_of(model, days, warm_up=warm_up, period="day"))
    rows = offered_load(network, labels, [("all", warm_up * DAY_MS, days * DAY_MS)])
    found = []
    for replication in range(6):
        used = np.zeros(len(labels.units))

        def write(page, used=used):
            for period, book, rows, values in entries_of(page):
                if book == "in_use_ms" and period >= warm_up:
                    used[rows] += values

        run_once(network, labels, 5, replication, write)
        found.append(used / ((days - warm_up) * DAY_MS))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(6)
    for row in rows:
        unit = [label.name for label in labels.units].index(row.unit)
        assert abs(mean[unit] - row.load) < 5 * error[unit], row  # 5 errors of six are as rare as 4 of many
        assert error[unit] < 0.03 * row.load
