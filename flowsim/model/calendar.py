"""Dates and milliseconds: midnights, months, model years by anniversaries, weekly hours, and the periods of a
run.

Model time has no time zone and no summer time: every day has 24 hours. A date is its midnight.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
YEAR_MS = 365 * DAY_MS
LONGEST_MS = 2**53
"""Times beyond this a float would not keep exactly."""

Period = Literal["day", "week", "month"]


def date_ms(day: date, origin: date) -> int:
    """Milliseconds from `origin` to a date, each at midnight; below 0 before it."""
    return (day - origin).days * DAY_MS


def datetime_ms(at: datetime, origin: date) -> int:
    """Milliseconds from midnight of `origin` to a moment; below 0 before it."""
    since = at - datetime(origin.year, origin.month, origin.day)
    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000


def date_at(at_ms: int, origin: date) -> date:
    """The date on which a time falls. Raises OverflowError beyond the year 9999."""
    return origin + timedelta(days=at_ms // DAY_MS)


def anniversary(start: date, year: int) -> date:
    """The anniversary of `start` in a calendar year; of 29 February it is 1 March where there is none."""
    try:
        return start.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def model_year(day: date, start: date) -> int:
    """Calendar year in which the model year of a date starts; they start on anniversaries of `start`."""
    return day.year if day >= anniversary(start, day.year) else day.year - 1


def whole_years(since: date, day: date) -> int:
    """Whole years from one date to another, by anniversaries; 0 before it."""
    return max(model_year(day, since) - since.year, 0)


def anniversaries(start: date, first: date, last: date) -> Iterator[date]:
    """The anniversaries of `start` after `first` and before `last`, in order."""
    for year in range(first.year, last.year + 1):
        day = anniversary(start, year)
        if first < day < last:
            yield day


def month_starts(first: date, last: date) -> list[date]:
    """First days of calendar months, from the one at or before `first` to the one after `last`."""
    found = [first.replace(day=1)]
    while found[-1] <= last:
        here = found[-1]
        found.append(date(here.year + here.month // 12, here.month % 12 + 1, 1))
    return found


@dataclass(frozen=True)
class Window:
    """When a run takes place: from midnight of `origin` for `horizon_ms`, of which the first `warm_up_ms` are
    not measured.

    `period` is how finely the ledger is kept; None leaves it to the size of the model. Raises ValueError
    unless the warm-up is whole days and shorter than the run, and the run ends before the year 2400.
    """

    origin: date
    warm_up_ms: int
    horizon_ms: int
    period: Period | None = None

    def __post_init__(self) -> None:
        if self.warm_up_ms < 0 or self.warm_up_ms % DAY_MS:
            raise ValueError(f"warm-up = {self.warm_up_ms} ms: must be whole days")
        if self.horizon_ms <= self.warm_up_ms:
            raise ValueError(f"horizon = {self.horizon_ms} ms: must be longer than the warm-up")
        if self.horizon_ms > LONGEST_MS or self.origin.year + self.horizon_ms / YEAR_MS > 2400:
            raise ValueError(f"horizon = {self.horizon_ms} ms: the run must end before the year 2400")

    @property
    def last_day(self) -> date:
        """The day on which the run's last millisecond falls."""
        return date_at(self.horizon_ms - 1, self.origin)

    def day_starts(self) -> list[int]:
        """Midnights in milliseconds, from 0 to the horizon, which closes the last day even if it is cut
        short.
        """
        return [*range(0, self.horizon_ms, DAY_MS), self.horizon_ms]

    def months(self) -> list[int]:
        """Edges of the coarse periods: month starts, the end of the warm-up and the horizon, from 0 on."""
        starts = (date_ms(day, self.origin) for day in month_starts(self.origin, self.last_day))
        edges = {0, self.warm_up_ms, self.horizon_ms, *(at for at in starts if 0 < at < self.horizon_ms)}
        return sorted(edges)

    def periods(self, period: Period) -> list[int]:
        """Edges of the fine periods, from 0 to the horizon. Every edge of a coarse period is one of them."""
        if period == "month":
            return self.months()
        step = DAY_MS if period == "day" else WEEK_MS
        return sorted({*range(0, self.horizon_ms, step), *self.months()})

    def years(self, start: date) -> list[tuple[str, int, int]]:
        """Model years as (name, from, to) in milliseconds, cut at the end of the warm-up and the horizon.

        A year is named `2018/19`, or `2018` if it starts on 1 January.
        """
        edges = [
            self.warm_up_ms,
            *(
                at
                for day in anniversaries(start, self.origin, self.last_day + timedelta(days=1))
                if self.warm_up_ms < (at := date_ms(day, self.origin)) < self.horizon_ms
            ),
            self.horizon_ms,
        ]
        named = []
        for first, last in itertools.pairwise(edges):
            year = model_year(date_at(first, self.origin), start)
            is_calendar = (start.month, start.day) == (1, 1)
            named.append((f"{year}" if is_calendar else f"{year}/{(year + 1) % 100:02d}", first, last))
        return named


def coarse_of(fine: list[int], coarse: list[int]) -> list[int]:
    """Number of the coarse period that each fine period belongs to."""
    return [bisect_right(coarse, at) - 1 for at in fine[:-1]]
