"""The daily round: ready, let go at the first round at or after that, and the next step then."""

from __future__ import annotations

import pytest
from agreeing import disagreements
from small import DAY, HOUR, play

ROUND = """
settings: {ward: {capacity: 9 beds}}
pathways:
  a:
    arrivals: {trace: a.csv}
    steps: {ward: {in: ward, stay: 60 minutes, rounds: [ROUNDS]}}
"""


@pytest.mark.parametrize(
    ("rounds", "joined", "let_go"),
    [
        ('{at: ["09:00", "15:00"]}', 0, 540),
        ('{at: ["09:00", "15:00"]}', 480, 540),  # ready in the instant of the round
        ('{at: ["09:00", "15:00"]}', 481, 900),
        ('{at: ["15:00", "09:00"]}', 900, 1440 + 540),
        ('{days: tue, at: ["09:00"]}', 1440 + 481, 8 * 1440 + 540),  # over the week's end
        ('{days: mon, at: ["00:00"]}', 0, 7 * 1440),
        ('{days: mon-fri, at: ["09:00"]}, {days: sat, at: ["11:00"]}', 4 * 1440 + 500, 5 * 1440 + 660),
    ],
)
def test_who_is_ready_is_let_go_at_the_first_fixed_round(rounds: str, joined: int, let_go: int) -> None:
    played = play(ROUND.replace("ROUNDS", rounds), {"a": [joined]}, hours=24 * 10)
    assert played.see("started ready ended left") == [(joined, joined + 60, let_go, let_go)]
    assert disagreements(played) == []


def test_without_rounds_who_is_ready_goes() -> None:
    text = ROUND.replace(", rounds: [ROUNDS]", "")
    assert play(text, {"a": [7]}).see("ready ended") == [(67, 67)]


def test_a_window_has_one_time_of_day_for_a_visit_and_another_for_another() -> None:
    text = ROUND.replace("ROUNDS", '{between: "10:00-12:00"}').replace("60 minutes", "{listed: [X]}")
    ready = [100, 630, 660, 690, 1000] * 8
    text = text.replace("X", ", ".join(f"{minutes} minutes" for minutes in ready)).replace("9 beds", "40 beds")
    played = play(text, {"a": [0] * 40}, hours=72)
    assert disagreements(played) == []
    times = {visit.ended % 1440 for visit in played.visits}  # type: ignore[operator]
    assert len(times) == 40
    assert all(600 <= time < 720 for time in times)
    for visit in played.visits:
        time_of_day = visit.ended % 1440  # type: ignore[operator]
        assert visit.ended == time_of_day + 1440 * (visit.ready > time_of_day)  # type: ignore[operator]


def test_a_window_that_differs_by_weekday_keeps_the_relative_time() -> None:
    rounds = '{days: mon, between: "10:00-11:00"}, {days: tue-sun, between: "00:00-24:00"}'
    text = ROUND.replace("ROUNDS", rounds)
    one = play(text, {"a": [0]}, hours=48).visits[0].ended
    other = play(text, {"a": [1440 - 60]}, hours=72).visits[0].ended
    assert isinstance(one, int | float)
    assert isinstance(other, int | float)
    assert (other - 1440) / 24 == pytest.approx(one - 600, abs=0.01)


def test_a_bed_is_in_use_until_the_round() -> None:
    played = play(ROUND.replace("ROUNDS", '{at: ["09:00"]}').replace("9 beds", "1 beds"), {"a": [0, 30]}, hours=48)
    assert played.see("started ready ended") == [(0, 60, 540), (540, 600, 1440 + 540)]
    assert played.total("in_use_ms") == DAY + 9 * HOUR
