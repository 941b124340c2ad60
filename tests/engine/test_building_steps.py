import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import (
    CITY,
    PLACES,
    SITES,
    UNITS,
    city,
    network_of,
    one_unit,
    refused,
    routes,
    row,
    step,
    unit,
)

from flowsim.engine.building import marks as building_marks
from flowsim.engine.network import Choice
from flowsim.model.calendar import DAY_MS

HOUR_MS = DAY_MS // 24


def test_each_rule_leads_to_its_unit():
    network, labels = city()
    names = [one.name for one in labels.units]
    assert network.choice[step(labels, "door")] == Choice.BY_PLACE
    first = int(network.choice_first[step(labels, "door")])
    found = {place: names[network.choice_unit[first + i]] for i, place in enumerate(labels.places)}
    assert found["East 1"] == found["East"] == "medical at Easthouse"
    assert found["East 2"] == "medical at Easthouse" and found["West 1"] == "medical at Westhouse"
    first = int(network.choice_first[step(labels, "care")])
    assert names[network.choice_unit[first + labels.places.index("East 2")]] == "home care at East"
    assert network.choice_unit[first + labels.places.index("City")] == -1
    first = int(network.choice_first[step(labels, "ward")])
    assert network.choice[step(labels, "ward")] == Choice.SAME_SITE
    assert [names[u] for u in network.choice_unit[first : first + 2]] == [
        "surgical at Easthouse",
        "surgical at Westhouse",
    ]
    first = int(network.choice_first[step(labels, "help")])
    assert {names[u] for u in network.choice_unit[first : first + len(labels.places)]} == {"help at North"}


def test_shares_of_a_higher_place_serve_those_below_it():
    network, labels = city(
        CITY.replace("at: nearest", "at: {shares: {East: {Easthouse: 0.7, Westhouse: 0.3}, West 1: {Westhouse: 1}}}")
    )
    first = int(network.choice_first[step(labels, "door")])
    assert network.choice[step(labels, "door")] == Choice.SHARES
    number = dict(zip(labels.places, network.share_row[first:].tolist(), strict=False))
    rows = {place: row(network.share_first, network.share_cumulative, number[place]) for place in labels.places}
    assert rows["East 1"] == rows["East 2"] == [0.7, 1.0] and rows["West 1"] == [1.0] and rows["City"] == []
    assert number["East 1"] == number["East 2"] != number["West 1"]


def test_a_patient_of_the_first_day_without_a_unit_to_go_to_is_refused():
    there = "first_day: [{pathway: p, step: door, at: Easthouse, residence: City, inside: 1}]"
    match = "'City': has no unit of 'home care'"
    refused(CITY + there, match, places=PLACES, sites=SITES, units=UNITS)


def test_the_same_site_needs_a_site_to_come_from():
    elsewhere = "arrivals: [{per_day: 1, enters: ward, residence: {East 1: 1}}, {per_day: 10, residence:"
    text = CITY.replace("arrivals: {per_day: 10, residence:", elsewhere).replace("0.25}}", "0.25}}]")
    refused(text, "same site.*'East 1' may come from no site", places=PLACES, sites=SITES, units=UNITS)


def test_routing_is_cumulative_in_written_order_and_ends_at_exactly_one():
    network, labels = one_unit(then="{s: 0.1, leave: 0.9}")
    assert routes(network, labels, "s") == {"s": 0.1, "leave": 1.0}
    thirds = building_marks.cumulative([0.3333333333, 0.3333333333, 0.3333333333, 0.0])
    assert thirds[2:] == [1.0, 1.0] and sorted(thirds) == thirds


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any))
def test_cumulative_shares_never_give_a_share_of_nothing_to_the_last(weights):
    shares = [weight / sum(weights) for weight in weights]
    found = building_marks.cumulative(shares)
    assert found[-1] == 1.0 and found == sorted(found)
    for share, (before, after) in zip(shares, zip([0.0, *found], found, strict=False), strict=True):
        assert abs(after - before - share) < 1e-9
        assert share > 0 or after == before


def test_routing_by_place_finds_the_row_of_the_place_above():
    network, labels = city(
        CITY.replace("then: {ward: 0.5, help: 0.5}", "then: {by: place, East: {ward: 1}, West: {ward: 0.2, help: 0.8}}")
    )
    assert network.route_by[step(labels, "door")] == building_marks.PLACE
    assert routes(network, labels, "door", labels.places.index("East 2")) == {"ward": 1.0}
    assert routes(network, labels, "door", labels.places.index("West 1")) == {"ward": 0.2, "help": 1.0}


def test_a_stay_by_mark_is_a_distribution_of_mean_one_times_the_mean_of_the_mark():
    network, _ = network_of("""
settings: {one: {capacity: 10 beds}}
groups: {sort: {short: 0.5, long: 0.5}}
pathways:
  p:
    arrivals: {per_day: 24}
    steps:
      s: {in: one, stay: {lognormal: {mean: {by: sort, short: 1 hour, long: 2 days}, cv: 1}}, then: t}
      t: {in: one, stay: {lognormal: {mean: 2 days, cv: 1}}}
""")
    assert network.stay_by.tolist() == [2, -1]
    first = int(network.stay_scale_first[0])
    assert network.stay_scale[first : first + 2].tolist() == [HOUR_MS, 2 * DAY_MS]
    assert network.stay_scale[network.stay_scale_first[1]] == 1.0
    (mu, sigma), (other_mu, other_sigma) = (
        row(network.parameter_first, network.parameters, int(d)) for d in network.stay_distribution
    )
    assert np.exp(mu + sigma**2 / 2) == pytest.approx(1) and sigma == other_sigma
    assert np.exp(other_mu + other_sigma**2 / 2) == pytest.approx(2 * DAY_MS)


def test_patience_limit_divert_and_rounds_stand_with_their_steps():
    network, labels = city(
        CITY.replace("stay: 2 hours,", """stay: 2 hours, divert: {waiting: 3},
          queue_limit: {waiting: 5, otherwise: help},
          patience: {exponential: 4 hours, otherwise: help},
          rounds: [{days: mon-fri, at: ["10:00", "15:30"]}],""")
        .replace("stay: 10 days", "stay: 10 days, rounds: [{days: sat, between: '08:00-20:00'}]")
    )  # fmt: skip
    door, ward, care, help_ = (step(labels, name) for name in ("door", "ward", "care", "help"))
    assert network.limit.tolist() == [5, -1, -1, -1] and network.limit_to[door] == help_
    assert network.patience_to[door] == help_ and network.patience_distribution[ward] == -1
    assert network.conditional.tolist() == [1, 0, 0, 0]
    divert = network.divert_unit[network.divert_first[door] : network.divert_first[door] + len(labels.units)]
    east, west = unit(labels, "medical at Easthouse"), unit(labels, "medical at Westhouse")
    assert (divert[east], divert[west]) == (west, east) and np.count_nonzero(divert >= 0) == 2
    assert network.divert_at.tolist() == [3, -1, -1, -1] and network.divert_first[ward] == -1
    times = row(network.round_first, network.round_ms, door)
    assert len(times) == 10 and times == sorted(times) and times[:2] == [10 * HOUR_MS, 31 * HOUR_MS // 2]
    window = row(network.round_first, network.round_ms, care)
    assert network.round_kind.tolist() == [1, 0, 2, 0] and len(window) == 14
    assert window[10:12] == [5 * DAY_MS + 8 * HOUR_MS, 5 * DAY_MS + 20 * HOUR_MS] and set(
        window[:10] + window[12:]
    ) == {-1}


def test_a_unit_is_kept_on_the_way_to_the_step_that_holds_it_and_not_beyond():
    network, labels = network_of("""
settings: {a: {capacity: 1 beds}, b: {capacity: 1 beds}, c: {capacity: 1 beds}, d: {capacity: 1 beds}}
pathways:
  p:
    arrivals: {per_day: 1}
    steps:
      first: {in: a, stay: 1 hour, then: {second: 0.5, aside: 0.5}}
      second:
        in: b
        stay: 1 hour
        patience: {fixed: 1 hour, otherwise: aside}
        then: {third: 0.5, first: 0.5}
      third: {in: c, holds: first, stay: 1 hour, then: aside}
      aside: {in: d, stay: 1 hour}
""")
    first, second, third, aside = (step(labels, name) for name in ("first", "second", "third", "aside"))
    kept = {(int(n), int(h)) for n, h in zip(*np.nonzero(network.keeps), strict=True)}
    assert kept == {(second, first), (third, first)}
    assert row(network.hold_first, network.hold_step, third) == [first]
    assert aside not in {n for n, _ in kept}


def test_a_shift_of_care_is_a_way_on_which_units_are_kept():
    network, labels = network_of("""
settings: {a: {capacity: 1 beds}, b: {capacity: 1 beds}, c: {capacity: 1 beds}}
shifts: [{from: ward, to: home, share: 0.5, start: 2001-01-11, ramp: 10 days}]
pathways:
  p:
    arrivals: [{per_day: 1}, {per_day: 1, enters: home}]
    steps:
      door: {in: a, stay: 1 hour, then: ward}
      ward: {in: b, stay: 1 hour}
      home: {in: c, holds: door, stay: 1 hour}
""")
    assert network.keeps[step(labels, "home"), step(labels, "door")] == 1
    assert network.keeps[step(labels, "ward"), step(labels, "door")] == 0
    assert row(network.shift_first, network.shift_to, step(labels, "ward")) == [step(labels, "home")]
    assert (network.shift_start[0], network.shift_ramp[0]) == (10 * DAY_MS, 10 * DAY_MS)
    assert network.shift_ages.shape == (1, 1) and network.shift_ages.dtype == np.uint8


def test_what_a_bed_may_be_blocked_by_is_listed_once_and_follows_place_and_site():
    network, labels = city()
    found = {
        (labels.units[a].name, labels.units[b].name, labels.causes[c])
        for a, b, c in zip(network.block_unit, network.block_awaited, network.block_cause, strict=True)
    }
    assert len(found) == len(network.block_unit)
    wanted = {
        (f"{held} at {site}", awaited, cause)
        for site, borough in (("Easthouse", "East"), ("Westhouse", "West"))
        for held in ("medical", "surgical")
        for awaited, cause in ((f"surgical at {site}", "a bed"), (f"home care at {borough}", "home care"))
    }
    assert found == wanted


def test_a_bed_is_blocked_only_by_what_comes_after_it_until_the_step_that_holds_it_starts():
    network, labels = network_of("""
settings: {a: {capacity: 1 beds}, b: {capacity: 1 beds}, c: {capacity: 1 beds}, d: {capacity: 1 beds},
  e: {capacity: 1 beds}, f: {capacity: 1 beds}, g: {capacity: 1 beds}}
pathways:
  p:
    arrivals: {per_day: 1}
    steps:
      door: {in: a, stay: 1 hour, then: {first: 0.5, second: 0.5}}
      first: {in: b, stay: 1 hour, then: second}
      second: {in: c, stay: 1 hour, then: third}
      third:
        in: d
        holds: first
        stay: 1 hour
        patience: {fixed: 1 hour, otherwise: aside}
        then: after
      aside: {in: e, stay: 1 hour, then: again}
      again: {in: f, holds: first, stay: 1 hour}
      after: {in: g, stay: 1 hour, then: {again: 0.5, leave: 0.5}}
""")
    assert network.keeps[step(labels, "door"), step(labels, "first")] == 1
    assert network.keeps[step(labels, "after"), step(labels, "first")] == 1
    names = [labels.units[unit].name for unit in network.block_awaited]
    assert {labels.units[unit].name for unit in network.block_unit} == {"b"}
    assert names == ["c", "d", "e", "f"]
