"""The models `clinic` (m1) and `emergency` (m2) as plain SimPy programs: resources, and no ledger.

This is what a modeller would write by hand, with random numbers drawn in blocks, since SimPy should not be
measured by numpy's cost of a single draw. Time is whole milliseconds. An event is an arrival or the end of a
stay, whatever SimPy counts inside. Ties are SimPy's own (the order of scheduling), so these programs agree
with flowsim in distribution only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

import numpy as np
import simpy

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BLOCK = 4096
CLINIC_GAP_MS = 200_000
A_DAY_IN_EMERGENCY = (
    .48, .38, .32, .28, .27, .30, .42, .66, 1.02, 1.38, 1.54, 1.56,
    1.50, 1.44, 1.42, 1.42, 1.44, 1.44, 1.40, 1.36, 1.24, 1.06, .92, .75,
)  # fmt: skip
"""Arrivals by hour of the day, in proportion."""
PER_DAY = 240

Story = Generator[simpy.Event, Any, None]


class Outcome(NamedTuple):
    """Events and patients of a run, and the mean wait for each unit in hours, from `since` on."""

    events: int
    patients: int
    mean_wait_hours: dict[str, float]


class Waits:
    """Sums of the waits that end from `since_ms` on."""

    def __init__(self, since_ms: int) -> None:
        self.since_ms = since_ms
        self.total: dict[str, int] = {}
        self.starts: dict[str, int] = {}

    def add(self, unit: str, joined: int, now: int) -> None:
        """A patient starts in a unit."""
        if now >= self.since_ms:
            self.total[unit] = self.total.get(unit, 0) + now - joined
            self.starts[unit] = self.starts.get(unit, 0) + 1

    def means(self) -> dict[str, float]:
        """Mean wait of each unit, in hours."""
        return {unit: total / self.starts[unit] / HOUR_MS for unit, total in self.total.items()}


def blocks(draw: Callable[[int], Any]) -> Iterator[float]:
    """Endless draws, made a block at a time."""
    while True:
        yield from draw(BLOCK).tolist()


def milliseconds(draw: Callable[[int], Any]) -> Iterator[int]:
    """Endless draws rounded to whole milliseconds."""
    while True:
        yield from np.floor(draw(BLOCK) + 0.5).astype(np.int64).tolist()


def lognormal(rng: np.random.Generator, mean_hours: float, cv: float) -> Iterator[int]:
    """Stays by mean and coefficient of variation, in milliseconds."""
    variance = math.log1p(cv * cv)
    mu = math.log(mean_hours * HOUR_MS) - variance / 2
    return milliseconds(lambda n: rng.lognormal(mu, math.sqrt(variance), n))


def clinic(seed: int, patients: int) -> Outcome:
    """m1: an M/M/10 queue, 18 patients an hour, each for half an hour, from empty until all have left."""
    rng = np.random.default_rng(seed)
    gaps = milliseconds(lambda n: rng.exponential(CLINIC_GAP_MS, n))
    stays = milliseconds(lambda n: rng.exponential(HOUR_MS / 2, n))
    env = simpy.Environment()
    servers = simpy.Resource(env, 10)
    waits = Waits(0)

    def patient() -> Story:
        joined = env.now
        with servers.request() as request:
            yield request
            waits.add("clinic", int(joined), int(env.now))
            yield env.timeout(next(stays))

    def arrivals() -> Story:
        for _ in range(patients):
            yield env.timeout(next(gaps))
            env.process(patient())

    env.process(arrivals())
    env.run()
    return Outcome(2 * patients, patients, waits.means())


def emergency(seed: int, days: int, since_day: int = 0) -> Outcome:
    """m2: triage, cubicle, ward and home care; cubicle and ward bed are held until the next can start."""
    rng = np.random.default_rng(seed)
    peak = max(A_DAY_IN_EMERGENCY)
    gap_ms = DAY_MS / PER_DAY * (sum(A_DAY_IN_EMERGENCY) / 24) / peak
    gaps = milliseconds(lambda n: rng.exponential(gap_ms, n))
    uniforms = blocks(rng.random)
    stay_triage, stay_cubicle = lognormal(rng, 0.18, 0.5), lognormal(rng, 2.0, 0.8)
    stay_ward, stay_home = lognormal(rng, 120.0, 1.0), lognormal(rng, 1008.0, 1.0)
    env = simpy.Environment()
    triage, cubicle = simpy.Resource(env, 2), simpy.PriorityResource(env, 24)
    ward, home_care = simpy.Resource(env, 325), simpy.Resource(env, 525)
    waits = Waits(since_day * DAY_MS)
    horizon = days * DAY_MS
    events = entered = 0

    def patient() -> Story:
        nonlocal events
        joined = env.now
        with triage.request() as nurse:
            yield nurse
            waits.add("triage", int(joined), int(env.now))
            yield env.timeout(next(stay_triage))
        events += 1
        joined = env.now
        place = cubicle.request(priority=0 if next(uniforms) < 0.3 else 1)
        yield place
        waits.add("cubicle", int(joined), int(env.now))
        yield env.timeout(next(stay_cubicle))
        events += 1
        if next(uniforms) >= 0.25:
            cubicle.release(place)
            return
        joined = env.now
        bed = ward.request()
        yield bed
        cubicle.release(place)
        waits.add("ward", int(joined), int(env.now))
        yield env.timeout(next(stay_ward))
        events += 1
        if next(uniforms) >= 0.2:
            ward.release(bed)
            return
        joined = env.now
        with home_care.request() as package:
            yield package
            ward.release(bed)
            waits.add("home care", int(joined), int(env.now))
            yield env.timeout(next(stay_home))
            events += 1

    def arrivals() -> Story:
        nonlocal events, entered
        while True:
            yield env.timeout(next(gaps))
            hour = int(env.now) // HOUR_MS % 24
            if next(uniforms) < A_DAY_IN_EMERGENCY[hour] / peak:
                events += 1
                entered += 1
                env.process(patient())

    env.process(arrivals())
    env.run(until=horizon)
    return Outcome(events, entered, waits.means())
