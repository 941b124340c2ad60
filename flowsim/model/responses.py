"""Feedback: something that follows what happened lately."""

from __future__ import annotations

import itertools

from pydantic import Field, model_validator

from flowsim.model.parts import Name, Number, Part, WholeDuration
from flowsim.model.quantities import DAY_MS


class Follows(Part):
    """What a response looks at: exactly one measure of one unit or pool, over the last whole days."""

    occupancy: Name | None = Field(None, description="time in use / time available, a share")
    mean_wait: Name | None = Field(None, description="of those who started, in hours")
    queue: Name | None = Field(None, description="mean number waiting")
    over: WholeDuration = Field(description="whole days")

    @model_validator(mode="after")
    def _one_of(self) -> Follows:
        if sum(one is not None for one in (self.occupancy, self.mean_wait, self.queue)) != 1:
            raise ValueError("give exactly one of occupancy, mean_wait, queue")
        if self.over <= 0 or self.over % DAY_MS:
            raise ValueError("over must be whole days, one at least, such as 7 days")
        return self


class Changes(Part):
    """What a response changes. Exactly one."""

    share: Name | None = Field(None, description="`pathway: step`: its first share of `then` is set to the value")
    stay: Name | None = Field(None, description="`pathway: step` or a step found in one pathway: factor on the stay")
    need: Name | None = Field(None, description="a pathway: factor on its arrivals")
    capacity: Name | None = Field(None, description="a unit: factor on its capacity in force, in thousandths")
    stay_in: Name | None = Field(
        None, description="a unit, or all units of a setting: factor on stays that start there"
    )

    @model_validator(mode="after")
    def _one_of(self) -> Changes:
        if sum(one is not None for one in (self.share, self.stay, self.need, self.capacity, self.stay_in)) != 1:
            raise ValueError("give exactly one of share, stay, need, capacity, stay_in")
        return self

    @property
    def units(self) -> str | None:
        """The unit or setting that it changes; None if it changes a step or a pathway."""
        return self.capacity or self.stay_in


class Response(Part):
    """A value that follows what happened lately along straight lines between points, flat outside them.

    With `{site}` in its name there is one for each site that has the units named.
    """

    follows: Follows
    changes: Changes
    points: tuple[tuple[Number, Number], ...] = Field(
        description="[[what is followed, value], ...], rising in the first"
    )

    @model_validator(mode="after")
    def _rising(self) -> Response:
        xs = [x for x, _ in self.points]
        if len(xs) < 2 or any(b <= a for a, b in itertools.pairwise(xs)):
            raise ValueError("points must be two or more, rising in what is followed")
        if min(y for _, y in self.points) < 0:
            raise ValueError("the values of points must be 0 or more")
        if self.changes.share is not None and max(y for _, y in self.points) > 1:
            raise ValueError("the values of points are shares here: at most 1")
        return self
