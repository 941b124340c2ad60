"""Beds and slots that come and go."""

from __future__ import annotations

import pytest
from agreeing import disagreements
from small import DAY, HOUR, MINUTE, play


def test_a_cut_sends_nobody_away_and_nobody_starts_until_there_is_room() -> None:
    text = """
    settings: {ward: {capacity: 3 beds}}
    capacity_changes: [{setting: ward, from: 2001-01-02, set: 1}]
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {ward: {in: ward, stay: {listed: [1500 minutes, 1510 minutes, 1520 minutes, 60 minutes]}}}
    """
    played = play(text, {"a": [0, 0, 0, 1450]}, hours=48)
    assert played.see("patient started left") == [
        ("a0", 0, 1500), ("a1", 0, 1510), ("a2", 0, 1520), ("a3", 1520, 1580),
    ]  # fmt: skip
    assert played.total("over_ms", 0) == 0
    assert played.total("over_ms", 1) == (2 * 60 + 10) * MINUTE
    assert played.total("available_ms", 1) == DAY
    assert disagreements(played) == []


def test_two_changes_of_one_day_are_one_event_and_the_last_value_wins() -> None:
    text = """
    settings: {ward: {capacity: 1 beds}}
    capacity_changes:
      - {setting: ward, from: 2001-01-02, set: 0}
      - {setting: ward, from: 2001-01-02, set: 2}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {ward: {in: ward, stay: 60 minutes}}
    """
    played = play(text, {"a": [1439, 1439, 1439]}, hours=48)
    assert played.see("started") == [(1439,), (1440,), (1499,)]


def test_outside_its_shifts_a_unit_is_closed_and_who_is_inside_finishes() -> None:
    text = """
    settings:
      ward: {capacity: {shifts: [{hours: "08:00-12:00", beds: 2}, {hours: "12:00-14:00", beds: 1}]}}
    pathways:
      a:
        arrivals: {trace: a.csv}
        steps: {ward: {in: ward, stay: {listed: [60 minutes, 200 minutes, 250 minutes, 10 minutes]}}}
    """
    played = play(text, {"a": [400, 600, 610, 710]}, hours=40)
    assert played.see("started left") == [(480, 540), (600, 800), (610, 860), (480 + 1440, 490 + 1440)]
    assert played.total("available_ms", 0) == 10 * HOUR
    assert played.total("over_ms") == (800 - 720 + 860 - 840) * MINUTE
    assert disagreements(played) == []


def test_shifts_of_the_week_open_on_their_days_only() -> None:
    text = """
    settings: {ward: {capacity: {shifts: [{days: mon, hours: "08:00-09:00", beds: 1}, {days: wed, hours: "23:00-24:00", beds: 1}]}}}
    pathways: {a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, stay: 60 minutes}}}}
    """
    played = play(text, {"a": [0, 0, 0]}, hours=24 * 8)
    assert played.see("started") == [(480,), (2 * 1440 + 23 * 60,), (7 * 1440 + 480,)]


@pytest.mark.parametrize(("share", "beds"), [(0.5, 3), (0.29, 1), (0.3, 2), (0.1, 1), (0.09, 0), (1.0, 5)])
def test_staffed_beds_are_whole_and_rounded_half_up(share: float, beds: int) -> None:
    played = play(
        f"""
        settings: {{ward: {{capacity: {{beds: 5, staffed_share: {share}}}}}}}
        pathways: {{a: {{arrivals: {{per_day: 0}}, steps: {{ward: {{in: ward, stay: 60 minutes}}}}}}}}
        """
    )
    assert played.total("midnight_available") == beds


def test_along_a_ramp_beds_come_at_midnights_in_whole_beds_rounded_half_up() -> None:
    played = play(
        """
        settings: {ward: {capacity: 10 beds}}
        capacity_changes: [{setting: ward, from: 2001-01-02, add: 3, ramp: 4 days}]
        pathways: {a: {arrivals: {per_day: 0}, steps: {ward: {in: ward, stay: 60 minutes}}}}
        """,
        hours=24 * 7,
    )
    # After 0, 1/4, 2/4, 3/4 and 4/4 of the ramp: 0, 0.75, 1.5, 2.25 and 3 beds.
    assert [played.total("available_ms", day) // DAY for day in range(7)] == [10, 10, 11, 12, 12, 13, 13]


SLOTS = """
settings: {clinic: {capacity: 2 slots, opens: [{hours: "09:00-10:00"}, {hours: "10:00-11:00", slots: 1}]}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps: {clinic: {in: clinic, stay: 300 minutes}}
"""


def test_a_session_has_its_slots_to_start_and_not_to_be_in() -> None:
    played = play(SLOTS, {"a": [0, 0, 0, 0]}, hours=48)
    assert played.see("started") == [(540,), (540,), (600,), (540 + 1440,)]
    assert played.book("slots_offered") == {"clinic": 6}


def test_a_session_that_opens_as_another_closes_has_its_own_slots_and_the_unused_are_lost() -> None:
    played = play(SLOTS, {"a": [590, 600, 600]}, hours=24)
    assert played.see("started") == [(590,), (600,), (None,)]
    assert (played.total("slots_offered"), played.total("slots_lost")) == (3, 1)
    played = play(SLOTS, {"a": [600, 660]}, hours=24)
    assert played.see("started") == [(600,), (None,)]
    assert played.total("slots_lost") == 2


def test_slots_without_opening_hours_are_renewed_at_midnight() -> None:
    played = play(
        """
        settings: {clinic: {capacity: 2 slots}}
        pathways: {a: {arrivals: {trace: a.csv}, steps: {clinic: {in: clinic, stay: 1 minutes}}}}
        """,
        {"a": [100, 100, 100, 1440]},
        hours=48,
    )
    assert played.see("started") == [(100,), (100,), (1440,), (1440,)]
    assert (played.total("slots_offered"), played.total("slots_lost")) == (4, 0)


def test_a_change_of_slots_counts_from_the_session_of_its_day() -> None:
    text = SLOTS.replace("pathways:", "capacity_changes: [{setting: clinic, from: 2001-01-02, times: 2}]\npathways:")
    played = play(text, {"a": [0] * 9}, hours=48)
    assert played.see("started") == [(t,) for t in (540, 540, 600, 1980, 1980, 1980, 1980, 2040, 2040)]


def test_an_unlimited_unit_lets_everybody_in() -> None:
    played = play(
        """
        settings: {desk: {capacity: unlimited}}
        pathways: {a: {arrivals: {trace: a.csv}, steps: {desk: {in: desk, stay: 9 minutes}}}}
        """,
        {"a": [3] * 50},
        hours=1,
    )
    assert set(played.see("started left")) == {(3, 12)}
    assert played.total("in_use_ms") == 450 * MINUTE


def test_people_inside_on_the_first_day_of_a_unit_that_is_closed_then_stay() -> None:
    """A closed unit, or one of slots, has no free place to be let into; they are there already."""
    for capacity in ('{shifts: [{hours: "08:00-12:00", beds: 3}]}', "2 slots"):
        played = play(
            f"""
            settings: {{ward: {{capacity: {capacity}}}}}
            pathways: {{a: {{arrivals: {{per_day: 0}}, steps: {{ward: {{in: ward, stay: 60 minutes}}}}}}}}
            first_day: [{{pathway: a, step: ward, inside: 2}}]
            """
        )
        assert played.see("started outcome") == [(0, "completed")] * 2
        assert played.total("exceeded") == 0
        assert disagreements(played) == []
