"""The models `clinic` (m1) and `emergency` (m2) as plain SimPy programs: resources, and no ledger.

This is what a modeller would write by hand, with random numbers drawn in blocks, since SimPy should not be
measured by numpy's cost of a single draw. Time is whole milliseconds. An event is an arrival or the end of a
stay, whatever SimPy counts inside. Ties are SimPy's own (the order of scheduling), so these programs agree
with flowsim in distribution only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np
import simpy

from flowsim.bench.outcome import DAY_MS, HOUR_MS, Outcome, Stopwatch, Waits
from flowsim.bench.shapes import A_DAY_IN_EMERGENCY

BLOCK = 4096
CLINIC_GAP_MS = 200_000
PER_DAY = 240

Story = Generator[simpy.Event, Any, None]


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


def exponentials(rng: np.random.Generator) -> tuple[Iterator[int], Iterator[int]]:
    """Gaps between arrivals and stays of m1."""
    gaps = milliseconds(lambda n: rng.exponential(CLINIC_GAP_MS, n))
    stays = milliseconds(lambda n: rng.exponential(HOUR_MS / 2, n))
    return gaps, stays


def emergency_stays(rng: np.random.Generator) -> tuple[Iterator[int], ...]:
    """Stays of m2: triage, cubicle, ward and home care."""
    return lognormal(rng, 0.18, 0.5), lognormal(rng, 2.0, 0.8), lognormal(rng, 120.0, 1.0), lognormal(rng, 1008.0, 1.0)


def thinning(rng: np.random.Generator) -> tuple[Iterator[int], Iterator[float], list[float]]:
    """Arrivals of m2: gaps between candidates at the peak rate, uniforms, and the share kept in each hour."""
    peak = max(A_DAY_IN_EMERGENCY)
    gap_ms = DAY_MS / PER_DAY * (sum(A_DAY_IN_EMERGENCY) / 24) / peak
    gaps = milliseconds(lambda n: rng.exponential(gap_ms, n))
    return gaps, blocks(rng.random), [weight / peak for weight in A_DAY_IN_EMERGENCY]


def clinic(seed: int, patients: int) -> Outcome:
    """m1: an M/M/10 queue, 18 patients an hour, each for half an hour, from empty until all have left."""
    rng = np.random.default_rng(seed)
    gaps, stays = exponentials(rng)
    env = simpy.Environment()
    servers = simpy.Resource(env, 10)
    waits = Waits()

    def patient() -> Story:
        joined = env.now
        with servers.request() as request:
            yield request
            waits.add("clinic", joined, env.now)
            yield env.timeout(next(stays))

    def arrivals() -> Story:
        for _ in range(patients):
            yield env.timeout(next(gaps))
            env.process(patient())

    env.process(arrivals())
    watch = Stopwatch()
    env.run()
    return Outcome(2 * patients, patients, waits, watch.seconds())


def emergency(seed: int, days: int, since_day: int = 0) -> Outcome:
    """m2: triage, cubicle, ward and home care; cubicle and ward bed are held until the next can start."""
    rng = np.random.default_rng(seed)
    gaps, uniforms, kept = thinning(rng)
    stay_triage, stay_cubicle, stay_ward, stay_home = emergency_stays(rng)
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
            waits.add("triage", joined, env.now)
            yield env.timeout(next(stay_triage))
        events += 1
        joined = env.now
        place = cubicle.request(priority=0 if next(uniforms) < 0.3 else 1)
        yield place
        waits.add("cubicle", joined, env.now)
        yield env.timeout(next(stay_cubicle))
        events += 1
        if next(uniforms) >= 0.25:
            cubicle.release(place)
            return
        joined = env.now
        bed = ward.request()
        yield bed
        cubicle.release(place)
        waits.add("ward", joined, env.now)
        yield env.timeout(next(stay_ward))
        events += 1
        if next(uniforms) >= 0.2:
            ward.release(bed)
            return
        joined = env.now
        with home_care.request() as package:
            yield package
            ward.release(bed)
            waits.add("home care", joined, env.now)
            yield env.timeout(next(stay_home))
            events += 1

    def arrivals() -> Story:
        nonlocal events, entered
        while True:
            yield env.timeout(next(gaps))
            if next(uniforms) < kept[int(env.now) // HOUR_MS % 24]:
                events += 1
                entered += 1
                env.process(patient())

    env.process(arrivals())
    watch = Stopwatch()
    env.run(until=horizon)
    return Outcome(events, entered, waits, watch.seconds())
