from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_models import UNITS, beds, city, model_of, one_unit, row, unit, window_of

from flowsim.engine.building import compile_network
from flowsim.engine.network import UnitKind
from flowsim.errors import InputError
from flowsim.model.calendar import DAY_MS

HOUR_MS = DAY_MS // 24


@given(st.integers(0, 40), st.integers(0, 25), st.integers(0, 400), st.integers(0, 30))
def test_a_ramp_comes_bed_by_bed_and_sums_to_the_whole_change(base, start, hours, add):
    when = f"from: {date(2001, 1, 1 + start)}, ramp: {hours} hours"
    change = f"capacity_changes: [{{setting: one, add: {add}, {when}}}]"
    network, labels = one_unit(f"{{capacity: {base} beds}}", change, days=60)
    at = beds(network, labels, "one")
    assert at[0] == (base + add if start == 0 and hours == 0 else base)
    assert list(at.values())[-1] == base + add
    assert sum(b - a for a, b in zip(list(at.values()), list(at.values())[1:], strict=False)) == base + add - at[0]
    for day, number in at.items():
        assert day == int(day)
        gone = min(max((day - start) * 24, 0) / hours, 1) if hours else float(day >= start)
        assert abs(number - base - add * gone) <= 0.5 + 1e-9


def test_changes_apply_in_the_order_they_are_listed():
    changes = """
capacity_changes:
  - {setting: one, from: 2001-01-03, times: 1.5}
  - {setting: one, from: 2001-01-02, add: 3}
  - {setting: one, from: 2001-01-05, set: 4}
  - {setting: one, from: 2001-01-06, staffed_share: 0.5}
"""
    network, labels = one_unit("{capacity: 11 beds}", changes)
    assert beds(network, labels, "one") == {0: 11, 1: 14, 2: 17 + 3, 4: 4, 5: 2}


def test_halves_are_rounded_upwards_as_they_are_written():
    network, labels = city()
    assert beds(network, labels, "medical at Westhouse") == {0: 3}  # 12 x 0.29 = 3.48
    fifty, names = city(units=UNITS.replace("Westhouse,12", "Westhouse,50"))
    assert beds(fifty, names, "medical at Westhouse") == {0: 15}  # 50 x 0.29 = 14.5


def test_the_most_beds_to_come_are_known_beyond_the_horizon():
    network, _ = one_unit(
        more="""
capacity_changes:
  - {setting: one, from: 2001-01-10, add: -10}
  - {setting: one, from: 2001-06-01, add: 2}
"""
    )
    assert network.capacity_beds.tolist() == [10, 0]
    assert network.capacity_later.tolist() == [2, 2]
    final, _ = one_unit(more="capacity_changes: [{setting: one, from: 2001-01-10, add: -10}]")
    assert final.capacity_later.tolist() == [0, 0]


def test_shifts_open_beds_by_the_hour_close_outside_and_come_back_for_ever():
    network, labels = one_unit(
        "{capacity: {shifts: [{days: mon-fri, hours: '08:00-14:00', beds: 4},"
        " {days: mon-fri, hours: '14:00-20:00', beds: 2}]}}",
        "capacity_changes: [{setting: one, from: 2001-01-09, add: 1}]",
        days=9,
    )
    at = beds(network, labels, "one")
    assert list(at.items())[:4] == [(0, 0), (8 / 24, 4), (14 / 24, 2), (20 / 24, 0)]
    assert [day for day in at if 5 <= day < 7] == []  # Saturday and Sunday
    assert (at[7 + 8 / 24], at[8 + 8 / 24], at[8 + 14 / 24]) == (4, 5, 3)
    assert set(network.capacity_later.tolist()) == {5}


def test_sessions_follow_weekdays_changes_and_their_own_slots():
    network, labels = one_unit(
        "{capacity: 10 slots, opens: [{days: mon, hours: '09:00-12:00'},"
        " {days: 'mon,tue', hours: '13:00-17:00', slots: 4}]}",
        "capacity_changes: [{setting: one, from: 2001-01-08, times: 0.25}]",
        days=10,
    )
    number = unit(labels, "one")
    hours = [
        (day * 24 + start, day * 24 + end, slots)
        for day, start, end, slots in [
            (0, 9, 12, 10),
            (0, 13, 17, 4),
            (1, 13, 17, 4),
            (7, 9, 12, 3),
            (7, 13, 17, 1),
            (8, 13, 17, 1),
        ]
    ]
    opens = row(network.session_first, network.session_open, number)
    closes = row(network.session_first, network.session_close, number)
    assert list(zip(opens, closes, network.session_slots.tolist(), strict=True)) == [
        (a * HOUR_MS, b * HOUR_MS, n) for a, b, n in hours
    ]


def test_a_slots_unit_without_hours_has_one_session_a_day():
    network, _ = one_unit("{capacity: 6 slots}", days=3)
    assert network.session_open.tolist() == [0, DAY_MS, 2 * DAY_MS]
    assert network.session_close.tolist() == [DAY_MS, 2 * DAY_MS, 3 * DAY_MS]
    assert network.unit_kind.tolist() == [UnitKind.SLOTS] and not len(network.capacity_at)


def test_a_capacity_that_falls_below_nothing_is_refused():
    model = model_of("""
settings: {one: {capacity: 5 beds}}
capacity_changes: [{setting: one, from: 2001-01-05, add: -3, ramp: 4 days}]
pathways: {p: {arrivals: {per_day: 1}, steps: {s: {in: one, stay: 1 hour}}}}
""")
    cut = model.capacity_changes[0].model_copy(update={"from_": date(2001, 1, 8), "ramp": 0})
    with pytest.raises(InputError, match="falls to -1 on 2001-01-09"):
        compile_network(model.model_copy(update={"capacity_changes": (cut, *model.capacity_changes)}), window_of(model))
