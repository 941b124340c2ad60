"""Peers taking turns, so that a machine that slows down slows all of them: rates of a round compare."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from flowsim.bench.outcome import Outcome, Waits
from flowsim.bench.peers import Runner

LEAST_SECONDS = 0.3
"""A turn is at least as long: what is quicker runs several times, from one seed after the other."""
MOST_RUNS = 1000
K = TypeVar("K", bound=Hashable)


class Turn(NamedTuple):
    """All runs of one turn together, and the mean wait of each step in each of them, in hours."""

    runs: int
    events: int
    patients: int
    seconds: float
    waits: Waits
    hours: list[dict[str, float]]

    @property
    def events_per_second(self) -> float:
        """Events a processor second."""
        return self.events / max(self.seconds, 1e-9)


class Middle(NamedTuple):
    """The median of a figure over rounds, and its least and greatest value."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Middle:
        """Of at least one value."""
        kept = list(values)
        return cls(statistics.median(kept), min(kept), max(kept))

    def document(self) -> dict[str, float]:
        """As keys of a document."""
        return self._asdict()


def turn(run: Runner, seed: int) -> Turn:
    """One turn: as many runs as fill it, with seeds of their own."""
    done: list[Outcome] = []
    waits = Waits()
    while not done or (sum(one.seconds for one in done) < LEAST_SECONDS and len(done) < MOST_RUNS):
        done.append(run(seed * MOST_RUNS + len(done)))
        waits.add_all(done[-1].waits)
    events, patients = sum(one.events for one in done), sum(one.patients for one in done)
    hours = [one.waits.hours() for one in done]
    return Turn(len(done), events, patients, sum(one.seconds for one in done), waits, hours)


def rounds_of(
    runners: Mapping[K, Runner], rounds: int, note: Callable[[str], None], name: Callable[[K], str]
) -> dict[K, list[Turn]]:
    """So many rounds in which everyone has one turn. Runners should have run once before."""
    turns: dict[K, list[Turn]] = {key: [] for key in runners}
    for number in range(1, rounds + 1):
        for key, run in runners.items():
            note(f"round {number} of {rounds}: {name(key)}")
            turns[key].append(turn(run, number))
    return turns


def in_turns(one: Callable[[], float], other: Callable[[], float], rounds: int) -> Middle:
    """What one takes over what the other takes, each turn of the other between two of the one.

    So a machine that slows down little by little, or for one turn alone, moves the median hardly.
    """
    before, ratios = one(), []
    for _ in range(rounds):
        between, after = other(), one()
        ratios.append((before + after) / 2 / between)
        before = after
    return Middle.of(ratios)


def ratio(ours: Iterable[Turn], theirs: Iterable[Turn]) -> Middle:
    """Events a second of one over those of another, round by round."""
    return Middle.of(a.events_per_second / b.events_per_second for a, b in zip(ours, theirs, strict=True))


def cost(ours: Iterable[Turn], theirs: Iterable[Turn]) -> Middle:
    """Seconds an event of one over those of another, round by round."""
    return ratio(theirs, ours)
