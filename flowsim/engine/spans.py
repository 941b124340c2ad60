"""Those times of a span in which the same units are shut, and who comes in them: for the traffic equations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.network import Floats, Ints, Network, StreamKind

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
AGE, PLACE = 0, 1


class Part(NamedTuple):
    """Those times of a span in which the same units are shut: the span's days, and when it begins and ends in them."""

    first: int
    last: int
    days: Ints  # midnights in the span; its start if there is none
    starts: Ints
    ends: Ints
    shut: Any  # [U] 1.0 for units without beds, of steps where nobody may wait

    @classmethod
    def whole(cls, n: Network, first: int, last: int) -> Part:
        """All of a span, as if no unit were ever shut."""
        days = n.day_starts[:-1]
        days = days[(days >= first) & (days < last)]
        ends = np.array([first]), np.array([last])
        return cls(first, last, days if len(days) else ends[0], *ends, np.zeros(len(n.unit_kind)))

    def split(self, n: Network, units: Iterable[int]) -> Iterator[Part]:
        """The parts of the span in which the same of some units are shut."""
        rows = {unit: slice(int(n.capacity_first[unit]), int(n.capacity_first[unit + 1])) for unit in units}
        edges = np.unique(np.concatenate([[self.first], *(n.capacity_at[row] for row in rows.values())]))
        edges = edges[(edges >= self.first) & (edges < self.last)]
        is_shut = np.zeros((len(edges), len(n.unit_kind)))
        for unit, row in rows.items():
            in_force = np.searchsorted(n.capacity_at[row], edges, side="right") - 1
            is_shut[:, unit] = n.capacity_beds[row][in_force] == 0
        ends = np.append(edges[1:], self.last)
        states, state_of = np.unique(is_shut, axis=0, return_inverse=True)
        for number, shut in enumerate(states):
            mine = state_of.reshape(-1) == number
            yield self._replace(starts=edges[mine], ends=ends[mine], shut=shut)

    def within(self, pieces: int) -> Any:
        """[days, pieces] share of each piece of each day that is in the part; a day has so many of equal length."""
        if self.ends[0] - self.starts[0] == self.last - self.first:
            return np.ones((len(self.days), pieces))
        gone = np.cumsum(self.ends - self.starts)
        at, so_far = np.stack((self.starts, self.ends), axis=1).ravel(), np.stack((gone, gone), axis=1).ravel()
        so_far[::2] -= self.ends - self.starts
        edges = self.days[:, None] + np.arange(pieces + 1) * (DAY_MS / pieces)
        return np.diff(np.interp(edges, at, so_far), axis=1) / (DAY_MS / pieces)

    def has(self, at: Ints) -> Any:
        """Whether each time is in it."""
        place = np.searchsorted(self.starts, at, side="right") - 1
        return (place >= 0) & (at < self.ends[place])


def arrival_rates(network: Network, part: Part) -> dict[tuple[int, int, int], Floats]:
    """Mean arrivals per millisecond of the whole span, of those who come in the part, by age band.

    One for each (pathway, step entered, place).
    """
    n = network
    ages = int(n.counts[7])
    found: dict[tuple[int, int, int], Floats] = {}
    mixes = np.diff(n.stream_mix.reshape(-1, ages), prepend=0.0)
    rated = np.flatnonzero(n.stream_kind == StreamKind.RATE)
    rates = _thinned(n, part, rated) * mixes[rated] / n.stream_gap_ms[rated, None]
    keys = np.stack((n.stream_pathway, n.stream_step, n.stream_place), axis=1)[rated].tolist()
    for (pathway, step, place), by_age in zip(keys, rates, strict=True):
        key = (pathway, step, place)
        found[key] = found[key] + by_age if key in found else by_age
    for stream in np.flatnonzero(n.stream_kind == StreamKind.LISTED).tolist():
        rows = slice(int(n.listed_first[stream]), int(n.listed_first[stream + 1]))
        for marks in n.listed_marks[rows][part.has(n.listed_at[rows])]:
            key = (int(n.stream_pathway[stream]), int(n.stream_step[stream]), int(marks[PLACE]))
            one = mixes[stream] if marks[AGE] < 0 else np.eye(ages)[marks[AGE]]
            found[key] = found.get(key, np.zeros(ages)) + one / (part.last - part.first)
    return found


def _thinned(n: Network, part: Part, streams: Ints) -> Floats:
    """[streams, A] mean of ratio x profile over the days of the span, of the times that are in the part."""
    days = part.days
    weekday = (days + n.week_offset_ms) % WEEK_MS // DAY_MS
    month = n.month_of_year[np.searchsorted(n.month_starts, days, side="right") - 1]
    segments, segment = np.unique(np.searchsorted(n.segment_starts, days, side="right") - 1, return_inverse=True)
    week, year = n.week_profile.reshape(-1, 7)[streams], n.year_profile.reshape(-1, 12)[streams]
    weights = np.zeros((len(streams), len(segments)))
    pieces = np.diff(n.day_profile_first)[streams]
    for size in np.unique(pieces).tolist():
        mine = np.flatnonzero(pieces == size)
        counts = np.zeros((len(segments), 7, 12, size))
        np.add.at(counts, (segment, weekday, month), part.within(size) / (len(days) * size))
        day = n.day_profile[n.day_profile_first[streams[mine]][:, None] + np.arange(size)]
        weights[mine] = np.einsum("gwmp,sw,sm,sp->sg", counts, week[mine], year[mine], day, optimize=True)
    return np.einsum("sg,sga->sa", weights, n.ratio[streams[:, None], segments])  # type: ignore[no-any-return]
