"""Which candidates of a stream become patients, and when: thinning by age band, growth and profile. Compiled.

Layer k of a stream offers candidates at a fixed rate R with fixed age shares q. A candidate of age band a at time t
is kept if its uniform is below clamp(ratio(a, t) x profile(t) - k, 0, 1), where ratio is rate(a) / (R q(a)) at the
profile's peak. So growth and prevention keep more or fewer of the same candidates, and nobody is renumbered.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flowsim.engine.addresses import Purpose
from flowsim.engine.jit import compiled
from flowsim.engine.network import Floats, Ints, Network
from flowsim.engine.sampling import gap_ms, uniform

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
AGE = int(Purpose.AGE)
KEEP = int(Purpose.KEEP)


class Thinning(NamedTuple):
    """What the candidates of one stream are thinned by, in two arrays, since each array costs time at a call.

    `weights`: cumulative age shares (A), weights of the week (7), of the year (12), of the day (pieces), then ratio by
    segment and age band (G x A). `calendar`: segment starts (G), month starts (M), month of the year (M).
    """

    ages: int
    pieces: int
    segments: int
    months: int
    week_offset_ms: int
    weights: Floats
    calendar: Ints

    @classmethod
    def of(cls, network: Network, stream: int) -> Thinning:
        """The thinning of one stream of kind RATE."""
        segments, months = len(network.segment_starts), len(network.month_starts)
        ages = int(network.counts[7])
        first, last = network.day_profile_first[stream], network.day_profile_first[stream + 1]
        row = network.stream_ratio_first[stream]
        weights = (
            network.stream_mix[stream * ages : (stream + 1) * ages],
            network.week_profile[stream * 7 : (stream + 1) * 7],
            network.year_profile[stream * 12 : (stream + 1) * 12],
            network.day_profile[first:last],
            network.ratio.reshape(-1)[row : row + segments * ages],
        )
        calendar = (network.segment_starts, network.month_starts, network.month_of_year)
        return cls(
            ages, int(last - first), segments, months, int(network.week_offset_ms),
            np.concatenate(weights), np.concatenate(calendar),
        )  # fmt: skip


@compiled
def last_at_or_before(calendar: Ints, first: int, count: int, at: int) -> int:
    """Which of `count` rising times from `first` on is the last at or before `at`; 0 if none is."""
    low, high = 0, count
    while high - low > 1:
        middle = (low + high) // 2
        if calendar[first + middle] <= at:
            low = middle
        else:
            high = middle
    return low


@compiled
def age_of(key: int, replication: int, layer: int, index: int, ages: int, first: int, weights: Floats) -> int:
    """The age band of a candidate, by its address and the cumulative shares that begin at `first`."""
    if ages == 1:
        return 0
    u = uniform(key, replication, layer, index, AGE, 0, 0)
    age = 0
    while age < ages - 1 and u >= weights[first + age]:
        age += 1
    return age


@compiled
def profile(
    at: int, week_offset: int, week: int, year: int, day: int, pieces: int, month: int, weights: Floats
) -> float:
    """The weight of a time by weekday, month and piece of the day; these begin at `week`, `year` and `day`."""
    week_ms = (at + week_offset) % WEEK_MS
    weekday = week_ms // DAY_MS
    piece = (week_ms - weekday * DAY_MS) * pieces // DAY_MS
    return weights[week + weekday] * weights[year + month] * weights[day + piece]  # type: ignore[no-any-return]


@compiled
def end_of_piece(at: int, week_offset: int, pieces: int) -> int:
    """When the piece of the day ends in which a time falls."""
    day_ms = (at + week_offset) % DAY_MS
    piece = day_ms * pieces // DAY_MS
    return at - day_ms + ((piece + 1) * DAY_MS + pieces - 1) // pieces


@compiled
def intensity(
    at: int,
    age: int,
    ages: int,
    pieces: int,
    segments: int,
    months: int,
    week_offset: int,
    weights: Floats,
    calendar: Ints,
) -> float:
    """ratio x profile of an age band at a time: how many layers' worth of candidates are kept."""
    month = calendar[segments + months + last_at_or_before(calendar, segments, months, at)]
    segment = last_at_or_before(calendar, 0, segments, at)
    weight = profile(at, week_offset, ages, ages + 7, ages + 19, pieces, month, weights)
    return weights[ages + 19 + pieces + segment * ages + age] * weight  # type: ignore[no-any-return]


@compiled
def next_arrival(
    key: int, replication: int, layer: int, index: int, at: int, gap: float, horizon: int,
    ages: int, pieces: int, segments: int, months: int, week_offset: int, weights: Floats, calendar: Ints,
) -> tuple[int, int, int]:  # fmt: skip
    """(index, time, age band) of the next candidate after `index`, at `at`, that is kept; at `horizon` if none is."""
    while True:
        index += 1
        at += gap_ms(key, replication, layer, index, gap)
        if at >= horizon:
            return index, horizon, 0
        age = age_of(key, replication, layer, index, ages, 0, weights)
        kept = intensity(at, age, ages, pieces, segments, months, week_offset, weights, calendar) - layer
        if kept >= 1.0 or (kept > 0.0 and uniform(key, replication, layer, index, KEEP, 0, 0) < kept):
            return index, at, age


@compiled
def next_candidate(
    key: int, replication: int, layer: int, index: int, at: int, gap: float, ages: int, weights: Floats
) -> tuple[int, int, int]:
    """(index, time, age band) of the next candidate, kept or not: for a stream whose need follows a response."""
    index += 1
    return (
        index,
        at + gap_ms(key, replication, layer, index, gap),
        age_of(key, replication, layer, index, ages, 0, weights),
    )


@compiled
def is_kept(
    key: int, replication: int, layer: int, index: int, at: int, age: int, factor: float,
    ages: int, pieces: int, segments: int, months: int, week_offset: int, weights: Floats, calendar: Ints,
) -> bool:  # fmt: skip
    """Whether a candidate is kept when a response has set a factor on the need."""
    kept = factor * intensity(at, age, ages, pieces, segments, months, week_offset, weights, calendar) - layer
    return kept > 0.0 and uniform(key, replication, layer, index, KEEP, 0, 0) < kept
