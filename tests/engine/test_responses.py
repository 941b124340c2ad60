"""What follows the last days: of which days, through which points, and what it changes."""

from __future__ import annotations

from collections import Counter

import pytest
from agreeing import disagreements
from small import DAY, HOUR, Played, play

from flowsim.engine import choices

SHARE = """
settings: {ward: {capacity: 2 beds}, desk: {capacity: unlimited}, left: {capacity: unlimited}, right: {capacity: unlimited}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps: {ward: {in: ward, stay: {listed: [STAYS]}}}
  b:
    arrivals: {timetable: {first: 1 hours, every: 24 hours, batch: 1000}}
    steps:
      desk: {in: desk, stay: 0 minutes, then: {left: WRITTEN, right: OTHER, leave: rest}}
      left: {in: left, stay: 0 minutes}
      right: {in: right, stay: 0 minutes}
responses:
  fill: {follows: {occupancy: ward, over: OVER days}, changes: {share: desk}, points: [[0, 0], [0.5, 1]]}
"""


def shares(occupied_hours: list[int], over: int, written: float = 0.1, other: float = 0.3) -> list[tuple[float, float]]:
    """Shares that go left and right on each day, if one of two beds is in use so many hours a day from midnight on."""
    stays = ", ".join(f"{hours} hours" for hours in occupied_hours)
    text = SHARE.replace("OVER", str(over)).replace("STAYS", stays).replace("WRITTEN", str(written))
    arrivals = [day * 1440 for day in range(len(occupied_hours))]
    played = play(text.replace("OTHER", str(other)), {"a": arrivals}, hours=24 * len(occupied_hours))
    left = Counter(int(v.joined // 1440) for v in played.visits if v.step == "left")  # type: ignore[operator]
    right = Counter(int(v.joined // 1440) for v in played.visits if v.step == "right")  # type: ignore[operator]
    return [(left[day] / 1000, right[day] / 1000) for day in range(len(occupied_hours))]


def test_before_the_first_day_is_over_the_written_shares_hold_then_those_of_the_day_before() -> None:
    # Occupancy 12/48, 0, 24/48 -> shares 0.5, 0, 1.
    found = shares([12, 0, 24, 0], over=1)
    assert [left for left, _ in found] == pytest.approx([0.1, 0.5, 0, 1], abs=0.05)
    assert found[2][0] == 0
    assert found[3] == (1, 0)


def test_the_other_shares_keep_their_proportions() -> None:
    """Of those who do not go left a third (0.3 of 0.9) goes right."""
    found = shares([12, 0, 24, 0], over=1)
    assert [right for _, right in found] == pytest.approx([0.3, 0.5 / 3, 1 / 3, 0], abs=0.05)


def test_it_is_the_mean_over_the_closed_days_there_are_at_most_n() -> None:
    # Daily occupancy 1/4, 0, 1/2, 0, 0: means over 3 days 1/4, 1/8, 1/4, 1/6, 1/6 -> twice that.
    found = shares([12, 0, 24, 0, 0, 0], over=3)
    assert [left for left, _ in found] == pytest.approx([0.1, 1 / 2, 1 / 4, 1 / 2, 1 / 3, 1 / 3], abs=0.05)


def test_a_response_may_set_a_share_that_is_written_as_0() -> None:
    found = shares([12, 24, 0], over=1, written=0, other=0.5)
    assert [left for left, _ in found] == pytest.approx([0, 0.5, 1], abs=0.05)


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_who_would_go_first_at_a_lower_share_goes_first_at_a_higher(value: float) -> None:
    for step in range(1, 1000):
        u = step / 1000
        moved = choices.first_share_set(u, 0.4, value)
        assert (moved < 0.4) == (u < value)


STAY = """
settings: {ward: {capacity: 9 beds}, queue: {capacity: CAPACITY}}
pathways:
  a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, stay: 10 hours}}}
  b: {arrivals: {trace: b.csv}, steps: {queue: {in: queue, stay: 1 hours}}}
responses:
  one: {follows: {FOLLOWS: queue, over: 1 days}, changes: {stay: ward}, points: [[1, 1], [3, 2]]}
"""


def stays(follows: str, capacity: str, waiting: list[int]) -> list[float]:
    text = STAY.replace("FOLLOWS", follows).replace("CAPACITY", capacity)
    played = play(text, {"a": [0, 1440, 2880], "b": waiting}, hours=96)
    assert disagreements(played) == []
    return [(v.ended - v.started) / 60 for v in played.visits if v.step == "ward"]  # type: ignore[operator]


def test_a_stay_follows_the_mean_queue_of_the_day_before() -> None:
    # Two waited all of day 0 for a closed unit: 2 -> factor 1.5. On day 1 it is four: flat beyond the last point.
    assert stays("queue", "0 beds", [0, 0, 1440, 1440]) == [10, 15, 20]
    assert stays("queue", "0 beds", [720]) == [10, 10, 10]  # below the first point


def test_a_stay_follows_the_mean_wait_of_those_who_started_the_day_before() -> None:
    # One bed, five at 0: waits of 0 to 4 hours, mean 2. On day 1 nobody starts: the value stays.
    assert stays("mean_wait", "1 beds", [0, 0, 0, 0, 0]) == [10, 15, 15]


def test_a_need_follows_and_keeps_or_adds_candidates_of_its_own_pathway() -> None:
    text = """
    settings: {ward: {capacity: 2 beds}, desk: {capacity: unlimited}}
    pathways:
      a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, stay: {listed: [24 hours, 24 hours, 24 hours]}}}}
      b: {arrivals: {per_day: 500}, steps: {desk: {in: desk, stay: 0 minutes}}}
      c: {arrivals: {per_day: 500}, steps: {desk: {in: desk, stay: 0 minutes}}}
    responses:
      one: {follows: {occupancy: ward, over: 1 days}, changes: {need: b}, points: POINTS}
    """

    def by_day(points: str) -> tuple[list[int], set[tuple[str, int]], set[tuple[str, int]]]:
        played = play(text.replace("POINTS", points), {"a": [0, 2880, 2880]}, hours=96)
        b = {(v.patient, v.joined) for v in played.visits if v.patient[0] == "b"}
        c = {(v.patient, v.joined) for v in played.visits if v.patient[0] == "c"}
        counts = Counter(int(joined // 1440) for _, joined in b)  # type: ignore[operator]
        return [counts[day] for day in range(4)], b, c  # type: ignore[return-value]

    # Occupancy 1/2, 0, 1.
    same, base, others = by_day("[[0, 1], [1, 1]]")
    less, fewer, others_less = by_day("[[0, 1], [1, 0]]")
    more, extra, others_more = by_day("[[0, 1], [1, 3]]")
    assert same == pytest.approx([500] * 4, abs=110)
    assert less == pytest.approx([500, 250, 500, 0], abs=110)
    assert more == pytest.approx([500, 1000, 500, 1500], abs=170)
    assert less[0] == same[0] == more[0]
    assert fewer < base < extra  # the same patients at the same times, some of them left out or added
    assert others == others_less == others_more


CAPACITY = """
settings: {ward: {capacity: 10 beds}, other: {capacity: KIND}}
EXTRA
pathways:
  a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, stay: 12 hours}}}
  b: {arrivals: {per_day: 0}, steps: {other: {in: other, stay: 1 hours}}}
responses:
  one: {follows: {occupancy: ward, over: 1 days}, changes: {capacity: other}, points: [[0, 1], [1, 2.001]]}
"""


def capacity(kind: str, extra: str = "") -> Played:
    # Ten of ten beds for half of day 0, one on day 1: 0.5 -> 1.5005 -> 1501 thousandths; 0.05 -> 1.05005 -> 1050.
    played = play(CAPACITY.replace("KIND", kind).replace("EXTRA", extra), {"a": [0] * 10 + [1440]}, hours=84)
    assert disagreements(played) == []
    return played


def test_a_capacity_follows_in_whole_thousandths_rounded_half_up() -> None:
    found = [capacity("9 beds").book("available_ms", day)["other"] for day in range(3)]
    assert found == [9 * DAY, 14 * DAY, 9 * DAY]  # 9 x 1.501 = 13.509, 9 x 1.05 = 9.45
    found = [capacity("10 beds").book("available_ms", day)["other"] for day in range(4)]
    assert found == [10 * DAY, 15 * DAY, 11 * DAY, 10 * DAY // 2]  # 10 x 1.05 = 10.5
    assert capacity("1 beds").book("available_ms", 1)["other"] == 2 * DAY  # 1.501


def test_a_capacity_that_follows_scales_what_the_calendar_gives_at_each_time() -> None:
    shifts = '{shifts: [{hours: "00:00-06:00", beds: 2}, {hours: "06:00-12:00", beds: 4}]}'
    found = [capacity(shifts).book("available_ms", day)["other"] for day in range(3)]
    assert found == [6 * 6 * HOUR, (3 + 6) * 6 * HOUR, (2 + 4) * 6 * HOUR]


def test_slots_that_follow_are_those_of_the_sessions_that_open_afterwards() -> None:
    found = [capacity("10 slots").book("slots_offered", day)["other"] for day in range(3)]
    assert found == [10, 15, 11]


WARDS = """
sites: sites.csv
units: units.csv
settings: {ward: {}}
pathways:
  a: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, at: North, stay: 10 hours}}}
  b: {arrivals: {trace: a.csv}, steps: {ward: {in: ward, at: South, stay: 10 hours}}}
responses:
"""
WARDS_TABLES = {
    "sites": "name,within\nNorth,small\nSouth,small\nEmpty,small\n",
    "units": "setting,at,capacity,stay_factor\nward,North,1,1\nward,South,2,0.5\n",
}


def wards(response: str) -> tuple[tuple[str, ...], list[float], list[float]]:
    """The responses there are, and stays in hours at North and at South of those who come on each of three days."""
    points = "points: [[0, 1], [1, 2.2]]}"
    played = play(f"{WARDS}  {response}, {points}\n", {"a": [0, 1440, 2880], **WARDS_TABLES}, hours=96)
    assert disagreements(played) == []
    stays = {one: [(v.ended - v.started) / 60 for v in played.visits if v.patient[0] == one] for one in "ab"}  # type: ignore[operator]
    return played.labels.responses, stays["a"], stays["b"]


def test_stays_in_each_site_s_own_unit_follow_what_happened_there() -> None:
    """North is full for 10 of 24 hours: 1.5. South has two beds and stays half as long: 5 of 48 hours, 1.125."""
    names, north, south = wards(
        '"full at {site}": {follows: {occupancy: "ward at {site}", over: 1 days}, changes: {stay_in: "ward at {site}"}'
    )
    assert names == ("full at North", "full at South")
    assert north == [10, 15, 17.5]
    assert south == [5, 5.625, 5.703125]


def test_stays_in_all_units_of_a_setting_may_follow_one_of_them() -> None:
    names, north, south = wards("full: {follows: {occupancy: ward at North, over: 1 days}, changes: {stay_in: ward}")
    assert names == ("full (ward at North)", "full (ward at South)")
    assert (north, south) == ([10, 15, 17.5], [5, 7.5, 8.75])


def test_a_unit_and_a_step_that_follow_multiply_each_other() -> None:
    step = '{follows: {occupancy: ward at North, over: 1 days}, changes: {stay: "b: ward"}, points: [[0, 1], [1, 3.4]]}'
    more = f"one: {step}\n  full: {{follows: {{occupancy: ward at North, over: 1 days}}, changes: {{stay_in: ward at South}}"
    _, _, south = wards(more)
    assert south == [5, 5 * 1.5 * 2, 5 * 1.5 * 2]
