"""Feedback: something that follows what happened lately."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from flowsim.model.parts import Name, Number, Part, WholeDuration


class Follows(Part):
    """What a response looks at: one measure of one unit or pool, over the last whole days. Exactly one measure."""

    occupancy: Name | None = Field(None, description="time in use / time available, a share")
    mean_wait: Name | None = Field(None, description="of those who started, in hours")
    queue: Name | None = Field(None, description="mean number waiting")
    over: WholeDuration = Field(description="whole days")


class Changes(Part):
    """What a response changes. Exactly one."""

    share: Name | None = Field(None, description="`pathway: step`: its first share of `then` is set to the value")
    stay: Name | None = Field(None, description="`pathway: step` or a step found in one pathway: factor on the stay")
    need: Name | None = Field(None, description="a pathway: factor on its arrivals")
    capacity: Name | None = Field(None, description="a unit: factor on its capacity in force, in thousandths")


class Response(Part):
    """A value that follows what happened lately along straight lines between points, flat outside them."""

    follows: Follows
    changes: Changes
    points: tuple[tuple[Number, Number], ...] = Field(description="[[what is followed, value], ...], rising in the first")

    @model_validator(mode="before")
    @classmethod
    def _pairs(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("points"), list):
            data = {**data, "points": [tuple(p) if isinstance(p, list) else p for p in data["points"]]}
        return data

    @model_validator(mode="after")
    def _rising(self) -> Response:
        xs = [x for x, _ in self.points]
        if len(xs) < 2 or any(b <= a for a, b in zip(xs, xs[1:], strict=False)):
            raise ValueError("points must be two or more, rising in what is followed")
        return self
