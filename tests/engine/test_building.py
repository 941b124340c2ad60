import subprocess
import sys
from datetime import date

import numpy as np
from small_models import (
    CITY,
    PLACES,
    SITES,
    UNITS,
    city,
    classes_of,
    model_of,
    network_of,
    one_unit,
    row,
    step,
    unit,
    window_of,
)

from flowsim.engine.building import compile_network
from flowsim.engine.network import Change, Follow
from flowsim.model.calendar import DAY_MS, WEEK_MS
from flowsim.model.schema import Model

HOUR_MS = DAY_MS // 24


def test_every_array_is_contiguous_read_only_and_of_its_type():
    network, _ = city()
    for name, array in network._asdict().items():
        if isinstance(array, int):
            continue
        wanted = {"f": np.float64, "i": np.int64, "u": np.uint8}[array.dtype.kind]
        assert array.dtype == wanted and array.flags.c_contiguous and not array.flags.writeable, name


def test_building_leaves_numba_alone():
    program = "import sys, flowsim.engine.building, flowsim.engine.traffic; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_same_model_is_compiled_to_the_same_arrays():
    (one, names), (other, same_names) = city(), city()
    assert names == same_names
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b)


def named_classes(network, labels):
    """Own unit, priority, pre-emption and lanes of each class, by name."""
    found = set()
    for c in range(len(network.class_pool)):
        lanes = range(int(network.lane_first[c]), int(network.lane_first[c + 1]))
        found.add((
            labels.units[network.class_own[c]].name,
            int(network.class_priority[c]),
            int(network.class_preempts[c]),
            tuple((labels.units[network.lane_unit[i]].name, int(network.lane_after[i])) for i in lanes),
        ))  # fmt: skip
    return found


def named_streams(network, labels):
    """All that makes the patients of each stream, by name."""
    ages = len(labels.age_bands)
    return {
        name: (
            int(network.stream_layers[s]),
            float(network.stream_gap_ms[s]),
            labels.places[network.stream_place[s]],
            tuple(network.stream_mix[s * ages : (s + 1) * ages]), network.ratio[s].tolist(),
        )
        for s, name in enumerate(labels.streams)
    }  # fmt: skip


def test_a_unit_that_nobody_uses_changes_no_class_and_no_stream_of_others():
    before = city()
    after = city(CITY.replace("help: {}", "help: {}, aaa: {capacity: 3 beds}"))
    assert named_classes(*after) == named_classes(*before)
    assert named_streams(*after) == named_streams(*before)
    assert len(after[1].units) == len(before[1].units) + 1


def test_a_unit_by_another_name_leaves_all_but_the_name_and_the_order_as_it_was():
    network, labels = city()
    renamed, names = city(CITY.replace("home care", "aid"), units=UNITS.replace("home care", "aid"))
    assert {str(one).replace("aid", "home care") for one in named_classes(renamed, names)} == {
        str(one) for one in named_classes(network, labels)
    }
    assert named_streams(renamed, names) == named_streams(network, labels)
    assert np.array_equal(renamed.step_word, network.step_word)


def test_many_units_are_kept_by_month_unless_asked():
    rows = "".join(f"one,P{i},1\n" for i in range(201))
    places = "name,level,within\ntown,root,\n" + "".join(f"P{i},borough,town\n" for i in range(201))
    model = model_of(
        """
places: places.csv
units: units.csv
settings: {one: {}}
pathways: {p: {arrivals: {per_day: 1}, steps: {s: {in: one, at: P0, stay: 1 hour}}}}
""",
        places=places,
        units="setting,at,capacity\n" + rows,
    )
    assert len(compile_network(model, window_of(model, 59))[0].period_starts) == 3
    assert len(compile_network(model, window_of(model, 59, period="day"))[0].period_starts) == 60


def test_months_close_where_the_calendar_the_warm_up_or_the_run_ends_one():
    model = model_of(
        "settings: {one: {capacity: 1 beds}}\n"
        "pathways: {p: {arrivals: {per_day: 1}, steps: {s: {in: one, stay: 1 hour}}}}"
    )
    network, labels = compile_network(model, window_of(model, 60, warm_up=10, origin=date(2001, 1, 20)))
    closes = np.flatnonzero(network.period_closes_month) + 1
    assert [int(network.period_starts[i]) // DAY_MS for i in closes] == [10, 12, 40, 60]
    assert labels.month_dates == ("2001-01-20", "2001-01-30", "2001-02-01", "2001-03-01")
    assert labels.month_of_period[9:13] == (0, 1, 1, 2)
    assert network.month_of_year.tolist() == [0, 1, 2, 3]
    assert network.month_starts[0] == -19 * DAY_MS and network.month_starts[-1] > network.horizon_ms
    assert network.week_offset_ms == date(2001, 1, 20).weekday() * DAY_MS
    assert labels.data_start_ms == 10 * DAY_MS


def test_a_pool_at_each_site_lets_patients_of_one_unit_into_the_other_after_a_wait():
    network, labels = city()
    assert labels.pools == (
        "beds at Easthouse",
        "beds at Westhouse",
        "help at North",
        "home care at East",
        "home care at West",
    )
    east = labels.pools.index("beds at Easthouse")
    assert [labels.units[u].name for u in row(network.pool_first, network.pool_units, east)] == [
        "medical at Easthouse", "surgical at Easthouse",
    ]  # fmt: skip
    lanes = {own: after for own, _, _, after in named_classes(network, labels)}
    assert lanes["medical at Easthouse"] == (
        ("medical at Easthouse", 0),
        ("surgical at Easthouse", 6 * HOUR_MS),
    )
    assert lanes["surgical at Easthouse"] == (("surgical at Easthouse", 0), ("medical at Easthouse", 0))
    assert lanes["home care at East"] == (("home care at East", 0),)


def test_what_a_unit_tries_may_be_narrowed():
    network, labels = city(CITY.replace("overflow_after: {surgical: 6 hours}", "tries: {surgical: []}"))
    lanes = {own: after for own, _, _, after in named_classes(network, labels)}
    assert lanes["surgical at Westhouse"] == (("surgical at Westhouse", 0),)
    assert lanes["medical at Westhouse"][1:] == (("surgical at Westhouse", 0),)


def test_priorities_by_a_group_make_one_class_for_each_level_that_differs():
    network, labels = one_unit(
        more="groups: {urgency: {red: 0.1, amber: 0.2, green: 0.7}}",
        priority="{by: urgency, red: 0, amber: 5, green: 5}",
    )
    assert labels.classes == ("one, priority 0", "one, priority 5")
    assert classes_of(network, labels, "s") == {("one", 0): 0, ("one", 1): 1, ("one", 2): 1}
    assert network.priority_by.tolist() == [2] and network.class_levels.tolist() == [3]


def test_a_clock_runs_on_every_pathway_that_has_both_its_ends():
    network, labels = network_of("""
settings: {one: {capacity: 10 beds}}
clocks: {four hours: {from: [in joined, also joined], to: out left, standard: 4 hours}}
pathways:
  p: {arrivals: {per_hour: 1}, steps: {in: {in: one, stay: 1 hour, then: out}, out: {in: one, stay: 1 hour}}}
  q:
    arrivals: {per_hour: 1}
    steps: {also: {in: one, stay: 1 hour, then: out}, out: {in: one, stay: 1 hour}}
  r: {arrivals: {per_hour: 1}, steps: {also: {in: one, stay: 1 hour}}}
""")
    starts = np.flatnonzero(np.diff(network.clock_start_first))
    stops = np.flatnonzero(np.diff(network.clock_stop_first))
    named = (
        [(*labels.steps[at // 5], at % 5) for at in starts],
        [(*labels.steps[at // 5], at % 5) for at in stops],
    )
    assert named == ([("p", "in", 0), ("q", "also", 0)], [("p", "out", 4), ("q", "out", 4)])
    assert network.clock_standard.tolist() == [4 * HOUR_MS]


def test_responses_know_what_they_follow_and_what_they_change():
    network, labels = city(
        CITY
        + """
responses:
  a:
    follows: {occupancy: "beds at Easthouse", over: 2 days}
    changes: {stay: ward}
    points: [[0.8, 1], [1, 0.5]]
  b:
    follows: {mean_wait: home care at East, over: 1 days}
    changes: {need: p}
    points: [[0, 1], [24, 2.5]]
  c:
    follows: {queue: medical at Westhouse, over: 7 days}
    changes: {capacity: home care at West}
    points: [[0, 1], [5, 1.2]]
  d:
    follows: {occupancy: surgical at Easthouse, over: 1 days}
    changes: {share: "p: door"}
    points: [[0, 0.1], [5, 0.2]]
"""
    )
    assert network.response_follows.tolist() == [
        Follow.OCCUPANCY,
        Follow.MEAN_WAIT,
        Follow.QUEUE,
        Follow.OCCUPANCY,
    ]
    assert network.response_changes.tolist() == [Change.STAY, Change.NEED, Change.CAPACITY, Change.SHARE]
    watched = [
        {labels.units[u].name for u in row(network.response_unit_first, network.response_units, r)} for r in range(4)
    ]
    assert watched[0] == {"medical at Easthouse", "surgical at Easthouse"}
    assert watched[1] == {"home care at East"}
    assert network.response_target.tolist() == [
        step(labels, "ward"),
        0,
        unit(labels, "home care at West"),
        step(labels, "door"),
    ]
    assert network.response_days.tolist() == [2, 1, 7, 1]
    assert row(network.response_point_first, network.response_y, 1) == [1, 2.5]
    assert network.stream_layers.tolist() == [3, 3, 3]  # a need that may rise 2.5-fold


def test_costs_and_what_is_spent_once_stand_with_their_settings():
    _, labels = one_unit(
        "{capacity: 10 beds, costs: {per_day_of_capacity: 300, per_visit: 5}}",
        "price_year: 2016/17\ncapacity_changes: [{setting: one, from: 2001-01-08, add: 3, one_off_cost: 1000}]",
    )
    assert labels.costs == ((300.0, 5.0, 0.0),) and labels.price_year == "2016/17"
    assert labels.one_off == (("one", WEEK_MS, 1000.0),)


def test_a_model_can_be_compiled_many_times_since_nothing_changes_it():
    model = model_of(CITY, places=PLACES, sites=SITES, units=UNITS)
    before = model.model_dump(mode="python")
    compile_network(model, window_of(model))
    assert model.model_dump(mode="python") == before and isinstance(model, Model)
