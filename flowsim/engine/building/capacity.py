"""Capacity over time: a capacity and its dated changes -> steps of beds, or sessions of slots."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from flowsim.engine.building.marks import exact, half_up
from flowsim.model.calendar import DAY_MS, WEEK_MS, YEAR_MS, Window, date_ms
from flowsim.model.settings import Capacity, CapacityChange, Opening, Shift

LONGEST_RAMP = 100 * YEAR_MS
NOTHING, WHOLE = Fraction(0), Fraction(1)
WHOLE_DAY = (0, DAY_MS)
EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


class BedSteps(NamedTuple):
    """Beds of one unit: when they change (the first at 0), to how many, and the most there will be later."""

    at: list[int]
    beds: list[int]
    later: list[int]


class Sessions(NamedTuple):
    """Sessions of one unit in order: when each opens and closes, and with how many slots."""

    opens: list[int]
    closes: list[int]
    slots: list[int]


class Calendar:
    """How many beds or slots there are on each day, after the dated changes in the order they are listed.

    A change along a ramp comes at midnights, in whole beds, rounded half up. Outside all changes the numbers
    stand still.
    """

    def __init__(
        self, base: int, staffed: float, changes: Sequence[CapacityChange], window: Window, shown: str
    ) -> None:
        self.base, self.staffed, self.changes, self.shown = base, exact(staffed), changes, shown
        self.origin = window.origin
        self.spans = [_span(change, window.origin) for change in changes]
        self.lasting = max((end for _, end in self.spans), default=0)
        self._known: dict[int, int] = {}

    def on(self, day_ms: int) -> int:
        """Beds or slots with staff on the day that starts at `day_ms`. Raises ValueError if below 0."""
        at = min(day_ms, self.lasting)  # from there on the number stands still
        if at not in self._known:
            progress = tuple(_progress(day_ms, start, end) for start, end in self.spans)
            self._known[at] = self._after(progress, day_ms)
        return self._known[at]

    def days_of_change(self, last_ms: int) -> list[int]:
        """Midnights at which the number may change, above 0 and below `last_ms`."""
        days = {day for start, end in self.spans for day in range(_midnight(start), _midnight(end) + 1, DAY_MS)}
        return sorted(day for day in days if 0 < day < last_ms)

    def _after(self, progress: tuple[Fraction, ...], day_ms: int) -> int:
        beds, staffed = self.base, self.staffed
        for change, part in zip(self.changes, progress, strict=True):
            if part == 0:
                continue
            if change.add is not None:
                beds += half_up(change.add * part)
            elif change.set is not None:
                beds += half_up((change.set - beds) * part)
            elif change.times is not None:
                beds = half_up(beds * (1 + (exact(change.times) - 1) * part))
            elif change.staffed_share is not None:
                staffed += (exact(change.staffed_share) - staffed) * part
            if beds < 0:
                when = date.fromordinal(self.origin.toordinal() + day_ms // DAY_MS)
                raise ValueError(
                    f"capacity of '{self.shown}' falls to {beds} on {when}: a change may not take more than there is"
                )
        return half_up(beds * staffed)


def _span(change: CapacityChange, origin: date) -> tuple[int, int]:
    if change.ramp > LONGEST_RAMP:
        raise ValueError("a ramp may take at most 100 years")
    start = date_ms(change.from_, origin)
    return start, start + round(change.ramp)


def _midnight(at: int) -> int:
    """The first midnight at or after a time."""
    return -(-at // DAY_MS) * DAY_MS


def _progress(at: int, start: int, end: int) -> Fraction:
    if at < start:
        return NOTHING
    return WHOLE if at >= end else Fraction(at - start, end - start)


def bed_steps(capacity: Capacity, changes: Sequence[CapacityChange], window: Window, unit: str) -> BedSteps:
    """Beds of a unit over the run, by dated changes and shifts of the week. Raises ValueError if below 0."""
    if not capacity.shifts and not any(change.is_timed for change in changes):
        calendar = Calendar(capacity.beds or 0, capacity.staffed_share, changes, window, unit)
        days = calendar.days_of_change(calendar.lasting + 2 * DAY_MS)
        return _steps([(0, calendar.on(0)), *((day, calendar.on(day)) for day in days)], 0, window)
    week = _week(capacity, changes, window, unit)
    last = max(window.horizon_ms, *(calendar.lasting + DAY_MS for parts in week for _, calendar in parts))
    found = []
    for day in range(0, last + WEEK_MS, DAY_MS):
        weekday = (window.origin.weekday() + day // DAY_MS) % 7
        found += [(day + start, calendar.on(day)) for start, calendar in week[weekday]]
    weekly = max(beds for at, beds in found if at >= last)
    return _steps(found, weekly, window)


def _week(
    capacity: Capacity, changes: Sequence[CapacityChange], window: Window, unit: str
) -> list[list[tuple[int, Calendar]]]:
    """For each weekday from Monday, the times of day at which beds change, and how many there are from then on.

    Outside shifts only changes for a part of the week count.
    """
    shifts = capacity.shifts or (Shift.model_construct(hours=WHOLE_DAY, beds=capacity.beds or 0),)
    hours = [shift.hours for shift in shifts] + [change.hours for change in changes if change.hours is not None]
    edges = sorted({0, DAY_MS, *(edge for span in hours for edge in span)})
    known: dict[tuple[int, tuple[int, ...]], Calendar] = {}
    week: list[list[tuple[int, Calendar]]] = []
    for day in EVERY_DAY:
        week.append([])
        for start, end in itertools.pairwise(edges):
            beds = next((one.beds for one in shifts if day in one.days and one.hours[0] <= start < one.hours[1]), None)
            mine = [
                number
                for number, change in enumerate(changes)
                if change.covers(day, start, end) and (beds is not None or change.is_timed)
            ]
            key = (beds or 0, tuple(mine))
            if key not in known:
                some = [changes[number] for number in mine]
                known[key] = Calendar(key[0], capacity.staffed_share, some, window, unit)
            week[-1].append((start, known[key]))
    return week


def _steps(found: list[tuple[int, int]], for_ever: int, window: Window) -> BedSteps:
    """Steps within the run: the last of an instant wins, and those that change nothing are left out."""
    at: list[int] = []
    beds: list[int] = []
    for when, number in found:
        if at and at[-1] == when:
            at.pop()
            beds.pop()
        if not beds or beds[-1] != number:
            at.append(when)
            beds.append(number)
    later = [0] * len(at)
    most = for_ever
    for i in range(len(at) - 1, -1, -1):
        later[i] = most
        most = max(most, beds[i])
    within = sum(when < window.horizon_ms for when in at)
    return BedSteps(at[:within], beds[:within], later[:within])


def sessions(
    capacity: Capacity, opens: Sequence[Opening], changes: Sequence[CapacityChange], window: Window, unit: str
) -> Sessions:
    """Sessions that open within the run; a unit without opening hours has one each day. Raises ValueError if
    below 0. A change for a part of the week holds for the sessions that open in it.
    """
    slots = capacity.slots or 0
    hours = [(one.days, one.hours, slots if one.slots is None else one.slots) for one in opens]
    week: list[list[tuple[int, int, Calendar]]] = [[] for _ in EVERY_DAY]
    for days, (first, last), number in hours or [(EVERY_DAY, WHOLE_DAY, slots)]:
        for weekday in days:
            mine = [change for change in changes if change.covers(weekday, first, first)]
            week[weekday].append((first, last, Calendar(number, capacity.staffed_share, mine, window, unit)))
    found = []
    for day in range(0, window.horizon_ms, DAY_MS):
        for first, last, calendar in week[(window.origin.weekday() + day // DAY_MS) % 7]:
            if day + first < window.horizon_ms:
                found.append((day + first, day + last, calendar.on(day)))
    found.sort()
    return Sessions([one[0] for one in found], [one[1] for one in found], [one[2] for one in found])
