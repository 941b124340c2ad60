"""Prevention: fewer people fall ill, so that a share of the patients of a pathway no longer come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from pydantic import Field

from flowsim.model.arrivals import Arrivals
from flowsim.model.parts import Date, Duration, Name, Part, Share
from flowsim.model.pathways import Pathway
from flowsim.model.quantities import DAY_MS


class Prevented(Part):
    """A share of the patients of a pathway who would have come does not; nobody else's luck changes.

    While its ramp lasts the share rises in steps of a month (365/12 days), each at what it is in the middle of the
    month. Of several, each takes its share of those whom the others leave.
    """

    pathway: Name = Field(description="whose patients")
    enters: Name | None = Field(None, description="only those who enter at this step; all if left out")
    share: Share = Field(description="share of those who would have come")
    start: Date = Field(description="first day")
    ramp: Duration = Field(0, description="time from no share to the whole")
    age_bands: tuple[Name, ...] = Field((), description="only patients of these; all if left out")
    places: tuple[Name, ...] = Field((), description="only patients who live in these places; all if left out")

    def days(self) -> Iterator[date]:
        """Days on which the share changes: the first of each month of the ramp, and the day when it is whole."""
        whole = -int(-self.ramp // DAY_MS)
        month = 0
        while (day := month * 365 // 12) < whole:
            yield self.start + timedelta(days=day)
            month += 1
        yield self.start + timedelta(days=whole)

    def share_on(self, day: date) -> float:
        """The share on a day."""
        since, whole = (day - self.start).days, -int(-self.ramp // DAY_MS)
        if since < 0:
            return 0.0
        if since >= whole:
            return self.share
        month = since * 12 // 365
        month += (month + 1) * 365 // 12 <= since
        first, last = month * 365 // 12, min((month + 1) * 365 // 12, whole)
        return self.share * min((first + last) * DAY_MS / 2 / self.ramp, 1.0)


def sources_prevented(pathway: Pathway, prevented: Prevented) -> list[Arrivals]:
    """The sources of a pathway whose patients are among those prevented.

    A step that shares the luck of the one named, where a lever made patients enter it first, is the same entry.
    """
    first = next(iter(pathway.steps))
    entered = [source.enters or first for source in pathway.arrivals]
    return [
        source
        for source, step in zip(pathway.arrivals, entered, strict=True)
        if prevented.enters in (None, step, pathway.steps[step].luck_of)
    ]


def fault_of(pathway: Pathway, prevented: Prevented) -> str | None:
    """Why nobody can be prevented, and what would be right; None where it can."""
    sources = sources_prevented(pathway, prevented)
    if not sources:
        first = next(iter(pathway.steps))
        entries = ", ".join(dict.fromkeys(repr(source.enters or first) for source in pathway.arrivals))
        where = f"at {prevented.enters!r}: they enter at {entries}" if entries and prevented.enters else "from outside"
        return f"no patient of {prevented.pathway!r} enters {where}"
    if any(source.timetable is not None or source.trace is not None for source in sources):
        return f"patients of {prevented.pathway!r} come at given times, not at a rate: take them out of the list"
    return None
