"""Settings of care, how much of each there is and when, and which units share a queue."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from flowsim.model import quantities as q
from flowsim.model.parts import (
    Amount,
    Count,
    Date,
    Days,
    Duration,
    Hours,
    Name,
    Part,
    Positive,
    Share,
    Whole,
    WholeDuration,
)
from flowsim.model.tables import Column

Level = Literal["neighbourhood", "borough", "stp", "teaching hospital"]


class Shift(Part):
    """Beds (or staff) of one part of the week. Outside all shifts a unit that has any is closed."""

    days: Days = Field((0, 1, 2, 3, 4, 5, 6), description="weekdays, `mon-fri` or `sat, sun`; every day if left out")
    hours: Hours = Field(description="`08:00-20:00`, within one day")
    beds: Count = Field(description="patients at a time")


class Opening(Part):
    """A session of a slots unit: opens with its slots, and loses at the end what was not used."""

    days: Days = Field((0, 1, 2, 3, 4, 5, 6), description="weekdays; every day if left out")
    hours: Hours = Field(description="`09:00-17:00`, within one day")
    slots: Count | None = Field(None, description="starts in this session; the unit's `slots` if left out")


class Capacity(Part):
    """How much: `24 beds`, `40 slots` or `unlimited`, or one of these with shifts and a staffed share."""

    beds: Count | None = Field(None, description="patients at a time (also cubicles, packages, staff)")
    slots: Count | None = Field(None, description="starts in each opening")
    unlimited: bool = Field(False, description="no queue, but counted and costed")
    staffed_share: Share = Field(1.0, description="share of the beds or slots that have staff")
    shifts: tuple[Shift, ...] = Field((), description="beds by weekday and hour, in place of `beds`")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        return q.parse_capacity(data) if isinstance(data, str) else data

    @model_validator(mode="after")
    def _one_of(self) -> Capacity:
        given = [self.beds is not None, self.slots is not None, self.unlimited, bool(self.shifts)]
        if sum(given) != 1:
            raise ValueError("give exactly one of beds, slots, unlimited, shifts")
        for place, one in enumerate(self.shifts):
            for number, other in enumerate(self.shifts[:place], start=1):
                if set(one.days) & set(other.days) and _overlap(one.hours, other.hours):
                    raise ValueError(f"shifts {number} and {place + 1} overlap: an hour is in one shift only")
        return self


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


class Costs(Part):
    """Costs of a setting, in pounds of the model's price year."""

    per_day_of_capacity: Amount = Field(0.0, description="pounds a day for each bed or slot available")
    per_visit: Amount = Field(0.0, description="pounds for each patient who starts")
    per_day_of_stay: Amount = Field(0.0, description="pounds for each day a patient occupies the unit")


class Setting(Part):
    """A kind of care. With `capacity` it has one unit, else its units stand in the table `units`."""

    level: Level = Field("neighbourhood", description="level of care it belongs to")
    capacity: Capacity | None = Field(None, description="of the only unit; left out if units are in a table")
    opens: tuple[Opening, ...] = Field((), description="sessions of its slots units; a day is one session if left out")
    at: Name | None = Field(None, description="site or place of the only unit; the root place if left out")
    stay_factor: Positive = Field(1.0, description="factor on every stay in the only unit")
    costs: Costs = Field(default_factory=Costs)
    payer: Name | None = Field(None, description="who pays its costs, such as `NHS` or `council`")

    @field_validator("opens")
    @classmethod
    def _openings(cls, opens: tuple[Opening, ...]) -> tuple[Opening, ...]:
        for place, one in enumerate(opens):
            for number, other in enumerate(opens[:place], start=1):
                if set(one.days) & set(other.days) and _overlap(one.hours, other.hours):
                    raise ValueError(f"openings {number} and {place + 1} overlap: slots would count twice")
        return opens


class CapacityChange(Part):
    """A dated change of capacity, at once or along a ramp: a bed plan is a list of these.

    Exactly one of `add`, `set`, `times` and `staffed_share`. Of a place that holds several units, or of a trust,
    each is changed by `times` and `staffed_share`; what is added goes to them in proportion to the beds they have on
    the first day, in whole beds that sum to all of it. Without `at` an `add` goes to the only unit of the setting.
    """

    setting: Name = Field(description="whose units change")
    at: Name | None = Field(
        None, description="site or place of the unit, or a place in which several lie; all of the setting if left out"
    )
    trust: Name | None = Field(None, description="in place of `at`: the units at its sites")
    from_: Date = Field(alias="from", description="first day of the change")
    add: Whole | None = Field(None, description="beds or slots more (or fewer)")
    set: Count | None = Field(None, description="the new number of beds or slots")
    times: Amount | None = Field(None, description="factor on beds or slots")
    staffed_share: Share | None = Field(None, description="the new staffed share")
    ramp: Duration = Field(0, description="time from nothing to the whole change, in whole beds as they come")
    days: Days = Field((0, 1, 2, 3, 4, 5, 6), description="only on these weekdays; every day if left out")
    hours: Hours | None = Field(None, description="only in these hours, `22:00-24:00`; the whole day if left out")
    one_off_cost: Amount = Field(0.0, description="pounds spent on the first day")

    @model_validator(mode="after")
    def _one_of(self) -> CapacityChange:
        given = (self.add, self.set, self.times, self.staffed_share)
        if sum(value is not None for value in given) != 1:
            raise ValueError("give exactly one of add, set, times, staffed_share")
        if self.at is not None and self.trust is not None:
            raise ValueError("give at or trust, not both: either says which units")
        return self

    @property
    def is_timed(self) -> bool:
        """Whether it holds for a part of the week only."""
        return self.hours is not None or len(self.days) < 7

    def covers(self, day: int, start: int, end: int) -> bool:
        """Whether it holds on a weekday (Monday is 0) all through these hours, in milliseconds since midnight."""
        first, last = self.hours or (start, end)
        return day in self.days and first <= start and end <= last


CHANGES = {
    "setting": Column("name"),
    "at": Column("name", optional=True, blank=True),
    "trust": Column("name", optional=True, blank=True),
    "from": Column("date"),
    "add": Column("any whole", optional=True, blank=True),
    "set": Column("whole", optional=True, blank=True),
    "times": Column("number", optional=True, blank=True),
    "staffed_share": Column("share", optional=True, blank=True),
    "ramp": Column("duration", optional=True, blank=True),
    "one_off_cost": Column("number", optional=True, blank=True),
}
"""The columns of a table of changes of capacity."""


class Pool(Part):
    """One queue in front of several units.

    A patient takes the own unit if free, else another it may use, else waits.
    """

    units: tuple[Name, ...] = Field(
        description="settings (`medical ward`) or units (`medical ward at St George's`), in order"
    )
    tries: dict[Name, tuple[Name, ...]] = Field(
        default_factory=dict,
        description="for an own unit: the others it may use, in order; all in written order if left out",
    )
    overflow_after: dict[Name, WholeDuration] = Field(
        default_factory=dict, description="for a unit that is not the own one: only after this long a wait"
    )

    @field_validator("units")
    @classmethod
    def _not_empty(cls, units: tuple[str, ...]) -> tuple[str, ...]:
        if not units:
            raise ValueError("a pool needs at least one unit")
        return units
