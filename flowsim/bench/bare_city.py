"""The model `city` (m3) as a plain SimPy program, as `bare_simpy` has the smaller ones."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import simpy

from flowsim.bench import shapes
from flowsim.bench.bare_simpy import Story, blocks, lognormal
from flowsim.bench.city_parts import (
    AE,
    AT_SITES,
    CARE,
    CONTACTS,
    ELECTIVE_SURGERY,
    ELECTIVES,
    EMERGENCIES,
    GP,
    SURGICAL,
    URGENT_SHARE,
    YEAR_HOURS,
    area,
    capacities,
)
from flowsim.bench.outcome import DAY_MS, HOUR_MS, Outcome, Stopwatch, Waits

MONTH_STARTS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)
DAYS_OF_YEAR = MONTH_STARTS[-1]


class Profile:
    """How a rate varies over a year that starts on a Monday: by hour, 1 at most, and the peak / the mean."""

    def __init__(self, day: tuple[float, ...], week: tuple[float, ...], year: tuple[float, ...]) -> None:
        self.peak = 1.0
        for weights in (day, week, year):
            self.peak *= max(weights) / (sum(weights) / len(weights))
        most = max(day) * max(week) * max(year)
        months = [month for month, (a, b) in enumerate(pairwise(MONTH_STARTS)) for _ in range(a, b)]
        self.by_hour = [
            hour * week[number % 7] * year[month] / most for number, month in enumerate(months) for hour in day
        ]


IN_EMERGENCY = Profile(shapes.A_DAY_IN_EMERGENCY, shapes.WEEK_IN_EMERGENCY, shapes.MONTHS_IN_EMERGENCY)
PLANNED = Profile(shapes.DAYTIME, shapes.ELECTIVE_WEEK, shapes.ELECTIVE_MONTHS)
IN_GENERAL_PRACTICE = Profile(shapes.DAYTIME, shapes.GP_WEEK, shapes.GP_MONTHS)


def city(seed: int, scale: float, days: int = DAYS_OF_YEAR, since_day: int = 0, mult: int = 1) -> Outcome:
    """m3: every step of every patient, from empty, for at most a year."""
    if days > DAYS_OF_YEAR:
        raise ValueError(f"{days} days: at most a year of {DAYS_OF_YEAR}")
    rng = np.random.default_rng(seed)
    where = area(mult)
    exponentials, uniforms = blocks(rng.standard_exponential), blocks(rng.random)
    stays = {step: lognormal(rng, care.hours, care.cv) for step, care in CARE.items()}
    onward = {step: (_sums(care.then.values()), list(care.then)) for step, care in CARE.items()}
    env = simpy.Environment()
    units: dict[str, list[Any]] = {
        setting: [(simpy.PriorityResource if setting in (AE, SURGICAL) else simpy.Resource)(env, n) for n in beds]
        for setting, beds in capacities(scale, where).items()
    }
    catchment = [_sums(row) for row in where.catchment]
    flows = where.catchment * where.boroughs[:, None]
    residence = [_sums(column / column.sum()) for column in flows.T]
    waits = Waits(since_day * DAY_MS)
    events = entered = 0

    def patient(step: str, borough: int, site: int, place: int) -> Story:
        nonlocal events
        kept = None
        while True:
            setting = CARE[step].setting
            if step == AE:
                site = bisect(catchment[borough], next(uniforms))
            unit = units[setting][place if setting == GP else site if setting in AT_SITES else borough]
            joined = env.now
            if step == AE:
                request = unit.request(priority=0 if next(uniforms) < URGENT_SHARE else 1)
            elif setting == SURGICAL:
                request = unit.request(priority=1 if step == ELECTIVE_SURGERY else 0)
            else:
                request = unit.request()
            yield request
            if kept is not None:
                kept[0].release(kept[1])
                kept = None
            waits.add(setting, joined, env.now)
            yield env.timeout(next(stays[step]))
            events += 1
            sums, steps = onward[step]
            choice = bisect(sums, next(uniforms)) if steps else 0
            if choice == len(steps):
                unit.release(request)
                return
            if step in CARE[steps[choice]].holds:
                kept = (unit, request)
            else:
                unit.release(request)
            step = steps[choice]

    def arrivals(a_year: float, profile: Profile, step: str, borough: int, site: int = -1, place: int = -1) -> Story:
        nonlocal events, entered
        gap_ms = YEAR_HOURS * HOUR_MS / a_year / profile.peak
        while True:
            yield env.timeout(int(next(exponentials) * gap_ms + 0.5))
            if next(uniforms) < profile.by_hour[int(env.now) // HOUR_MS]:
                events += 1
                entered += 1
                home = bisect(residence[site], next(uniforms)) if borough < 0 else borough
                env.process(patient(step, home, site, place))

    for b, share in enumerate(where.boroughs.tolist()):
        env.process(arrivals(EMERGENCIES * scale * share, IN_EMERGENCY, AE, b))
    for j, share in enumerate(flows.sum(axis=0).tolist()):
        env.process(arrivals(ELECTIVES * scale * share, PLANNED, ELECTIVE_SURGERY, -1, site=j))
    for n, share in enumerate(where.neighbourhoods.tolist()):
        env.process(arrivals(CONTACTS * scale * share, IN_GENERAL_PRACTICE, GP, where.borough_of(n), place=n))
    watch = Stopwatch()
    env.run(until=days * DAY_MS)
    return Outcome(events, entered, waits, watch.seconds())


def _sums(shares: Iterable[float]) -> list[float]:
    """Cumulative shares for `bisect`; exactly 1 at the end where they sum to 1."""
    sums = np.cumsum(list(shares)).tolist()
    return [1.0 if abs(one - 1) < 1e-9 else one for one in sums]
