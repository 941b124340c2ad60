"""What happens to a group of patients: steps, stays, queues left early, holds, clocks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

from pydantic import Field, ValidationInfo, model_validator

from flowsim.model import quantities as q
from flowsim.model.arrivals import Arrivals
from flowsim.model.parts import (
    LEAVE,
    ByMark,
    Count,
    Date,
    Days,
    Duration,
    Hours,
    Name,
    Number,
    Part,
    Priority,
    Share,
    Shares,
    TimeOfDay,
    WholeDuration,
    read_table,
    refuse_sum,
)
from flowsim.model.tables import Column

FAMILIES = (
    "fixed",
    "exponential",
    "lognormal",
    "gamma",
    "weibull",
    "hyperexponential",
    "uniform",
    "empirical",
    "listed",
)
RULES = ("own place", "nearest", "same site")
"""Words for how the unit of a step is chosen."""
POINTS = ("joined", "started", "ready", "ended", "left")
"""The five moments of a visit that a clock may run between."""


class Spread(Part):
    """A mean, by a mark where wanted, and either the standard deviation or the coefficient of variation."""

    mean: ByMark
    sd: Duration | None = Field(None, description="standard deviation")
    cv: Number | None = Field(None, description="standard deviation / mean")

    @model_validator(mode="after")
    def _one_of(self) -> Spread:
        if (self.sd is None) == (self.cv is None):
            raise ValueError("give exactly one of sd and cv")
        if self.sd is not None and self.mean.by is not None:
            raise ValueError("with a mean by mark give cv, not sd")
        if (self.sd if self.sd is not None else self.cv) <= 0:  # type: ignore[operator]
            raise ValueError("the spread must be above 0 (write `fixed` for a stay that never varies)")
        if (self.cv or 0) > 100:
            raise ValueError("cv must be at most 100")
        if 0 in self.mean.values():
            raise ValueError("the mean must be more than 0")
        return self


class Mixture(Part):
    """A mixture of exponentials: shares and means of its branches, or a mean and a cv above 1.

    A mean and a cv stand for two branches with balanced means.
    """

    shares: tuple[Share, ...] = ()
    means: tuple[Duration, ...] = ()
    mean: ByMark | None = None
    cv: Number | None = Field(None, description="standard deviation / mean, above 1")

    @model_validator(mode="after")
    def _one_of(self) -> Mixture:
        by_branch = bool(self.shares or self.means)
        if by_branch == (self.mean is not None) or (self.mean is None) != (self.cv is None):
            raise ValueError("give either shares and means, or mean and cv")
        if by_branch and len(self.shares) != len(self.means):
            raise ValueError(f"{len(self.shares)} shares and {len(self.means)} means: one of each a branch")
        if by_branch:
            refuse_sum(dict(enumerate(self.shares)))
        if self.cv is not None and not 1 < self.cv <= 100:
            raise ValueError("cv must be above 1 (for 1 write `exponential`), and at most 100")
        if 0 in (self.mean.values() if self.mean is not None else self.means):
            raise ValueError("a mean must be more than 0")
        return self


class Range(Part):
    """Every value between low and high equally likely."""

    low: Duration
    high: Duration

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if self.low > self.high:
            raise ValueError("low is above high: exchange them")
        return self


class Points(Part):
    """A distribution by its percentiles, straight lines between them; the first is 0 and the last 100."""

    percentiles: tuple[Number, ...]
    values: tuple[Duration, ...]

    @model_validator(mode="after")
    def _in_order(self) -> Points:
        if len(self.percentiles) != len(self.values):
            raise ValueError(f"{len(self.percentiles)} percentiles and {len(self.values)} values: one of each")
        if not self.percentiles or self.percentiles[0] != 0 or self.percentiles[-1] != 100:
            raise ValueError("percentiles must start at 0 and end at 100")
        if any(b <= a for a, b in pairwise(self.percentiles)):
            raise ValueError("percentiles must rise")
        for (_, before), (percentile, value) in pairwise(zip(self.percentiles, self.values, strict=True)):
            if value < before:
                raise ValueError(f"values must not fall, and the one at percentile {percentile:g} is shorter")
        return self


class Distribution(Part):
    """A length of time drawn for each visit: exactly one family. A plain `30 minutes` is `fixed`."""

    fixed: ByMark | None = Field(None, description="always the same")
    exponential: ByMark | None = Field(None, description="by its mean")
    lognormal: Spread | None = Field(None, description="by mean and sd or cv")
    gamma: Spread | None = Field(None, description="by mean and sd or cv")
    weibull: Spread | None = Field(None, description="by mean and sd or cv")
    hyperexponential: Mixture | None = Field(None, description="exponential branches")
    uniform: Range | None = Field(None, description="between low and high")
    empirical: Points | None = Field(None, description="by percentiles")
    listed: tuple[WholeDuration, ...] | None = Field(
        None, description="the n-th patient of a stream has the n-th value"
    )

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        return {"fixed": data} if isinstance(data, str | int | float) else data

    @model_validator(mode="after")
    def _one_of(self) -> Distribution:
        given = [name for name in FAMILIES if getattr(self, name) is not None]
        if len(given) != 1:
            what = f"{' and '.join(given)} are given" if given else "no distribution is given"
            raise ValueError(f"{what}: give exactly one of {', '.join(FAMILIES)}")
        if self.exponential is not None and 0 in self.exponential.values():
            raise ValueError("the mean must be more than 0 (write `fixed: 0 minutes` for no time at all)")
        if self.listed is not None and not self.listed:
            raise ValueError("must list at least one length of time")
        return self


class Patience(Distribution):
    """The longest wait, drawn for each visit, and the step it ends in."""

    otherwise: Name = Field(LEAVE, description="the step of those who waited too long")


class QueueLimit(Part):
    """The longest queue: who finds as many waiting (beyond the free places) goes elsewhere at once.

    0 is a loss system.
    """

    waiting: Count
    otherwise: Name = Field(LEAVE, description="the step of those who find it full; `leave` is to be lost")


class Divert(Part):
    """Who finds as many waiting goes to another unit of the same setting, once."""

    waiting: Count
    to: Name = Field("nearest other", description="a site or place, or `nearest other`")


class Round(Part):
    """When patients whose stay is over are let go: fixed times, or one time of day drawn for each visit."""

    days: Days = (0, 1, 2, 3, 4, 5, 6)
    at: tuple[TimeOfDay, ...] = Field((), description="fixed times of day")
    between: Hours | None = Field(None, description="a time of day drawn evenly in this window")

    @model_validator(mode="after")
    def _one_of(self) -> Round:
        if bool(self.at) == (self.between is not None):
            raise ValueError("give exactly one of at and between")
        return self


class At(Part):
    """Which unit of the setting: one of the rules, the name of a site or place, or {shares: table}."""

    rule: Literal["own place", "nearest", "same site", "fixed", "shares"] = "own place"
    name: Name | None = None
    shares: dict[Name, dict[Name, Share]] = Field(
        default_factory=dict, description="place: {site or place of the unit: share}"
    )
    without: tuple[Name, ...] = Field((), description="sites or places that `nearest` leaves out")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, str):
            return {"rule": data} if data in RULES else {"rule": "fixed", "name": data}
        if isinstance(data, dict) and set(data) == {"shares"} and isinstance(data["shares"], str):
            columns = {"place": Column("name"), "at": Column("name"), "share": Column("share")}
            table = read_table(info, data["shares"], columns, ("place", "at"))
            rows: dict[str, dict[str, float]] = {}
            for place, at, share in zip(*(table.columns[c] for c in columns), strict=True):
                rows.setdefault(place, {})[at] = share
            return {"rule": "shares", "shares": rows}
        if isinstance(data, dict) and set(data) == {"shares"}:
            return {"rule": "shares", "shares": data["shares"]}
        return data

    @model_validator(mode="after")
    def _sum_to_one(self) -> At:
        for place, row in self.shares.items():
            refuse_sum(row, f" for '{place}'")
        if self.without and self.rule != "nearest":
            raise ValueError("without goes with nearest")
        return self


class Step(Part):
    """One visit to a setting: join, wait, start, stay, and then where next."""

    in_: Name = Field(alias="in", description="the setting")
    at: At = Field(default_factory=lambda: At(rule="own place"), description="which of its units")
    stay: Distribution = Field(description="how long the unit is needed")
    priority: Priority = Field(default_factory=lambda: Priority(value=0), description="lower is sooner")
    then: Shares = Field(
        default_factory=lambda: Shares(everybody={LEAVE: 1.0}),
        description="next step: share; leaves if left out",
    )
    patience: Patience | None = Field(None, description="the longest wait, and what then")
    queue_limit: QueueLimit | None = Field(None, description="the longest queue, and what then")
    divert: Divert | None = Field(None, description="a queue at which patients go to another unit")
    rounds: tuple[Round, ...] = Field((), description="when patients are let go; at any time if left out")
    preempts: bool = Field(False, description="may take the place of a patient with a higher priority number")
    holds: tuple[Name, ...] = Field((), description="earlier steps whose unit is kept until this one starts")
    waits_for: Name | None = Field(
        None, description="the cause to which blocked hours are booked; the setting if left out"
    )
    luck_of: Name | None = Field(
        None, description="a step of the pathway whose random numbers it shares: the same stay, the same way on"
    )

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("holds"), str):
            data = {**data, "holds": (data["holds"],)}
        return data


class Pathway(Part):
    """A group of patients: how they arrive and the steps they may go through.

    The first step written is the first taken.
    """

    arrivals: tuple[Arrivals, ...] = Field((), description="one source of patients, or a list of them")
    steps: dict[Name, Step]

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("arrivals"), dict):
            data = {**data, "arrivals": (data["arrivals"],)}
        return data


class Point(Part):
    """A moment of a visit: `cubicle left`."""

    step: Name
    moment: Literal["joined", "started", "ready", "ended", "left"]

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        return q.parse_point(data) if isinstance(data, str) else data


class Clock(Part):
    """A named interval on a pathway with a standard, of one patient."""

    from_: tuple[Point, ...] = Field(alias="from", description="where it starts: `triage joined`, or a list")
    to: tuple[Point, ...] = Field(description="where it stops: `cubicle left`, or a list")
    standard: WholeDuration = Field(description="within this long it meets the standard")
    target_share: Share | None = Field(None, description="share that should meet the standard")
    pathway: Name | None = Field(None, description="the pathway; every one that has the steps if left out")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        if isinstance(data, dict):
            data = {k: (v,) if k in ("from", "to") and isinstance(v, str) else v for k, v in data.items()}
        return data


class CareShift(Part):
    """A share of the patients on their way to a step go to another step of the pathway instead."""

    from_: Name = Field(alias="from", description="the step they would have gone to")
    to: Name = Field(description="the step they go to, of the same pathway")
    share: Share = Field(description="share of those on their way there whom no shift listed before took")
    start: Date = Field(description="first day")
    ramp: Duration = Field(0, description="time from no share to the whole")
    pathway: Name | None = Field(None, description="the pathway; every one that has both steps if left out")
    age_bands: tuple[Name, ...] = Field((), description="only patients of these; all if left out")
    places: tuple[Name, ...] = Field((), description="only patients who live in these places; all if left out")
