"""How patients arrive: by population and need, at a plain rate, by a timetable, or as a table tells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from flowsim.model.calendar import DAY_MS, WEEK_MS, YEAR_MS, whole_years
from flowsim.model.parts import (
    Amount,
    Count,
    Date,
    Name,
    Number,
    Part,
    Rate,
    Share,
    Whole,
    WholeDuration,
    read_table,
    refuse_sum,
    table_of,
)
from flowsim.model.tables import Column, Table

POPULATION = {
    "place": Column("name"),
    "age_band": Column("age band"),
    "year": Column("year"),
    "people": Column("number"),
    "variant": Column("name", optional=True),
}
"""The columns of a table of people."""
TRACE = {
    "at": Column("datetime"),
    "place": Column("name", optional=True),
    "age_band": Column("age band", optional=True),
}
"""The columns of a table of past arrivals; others are groups."""
WEIGHTS = {"hour": 24, "minute": 1440, "weekday": 7, "month": 12}


class Profile(Part):
    """How a rate varies in a day (24 hours or 1440 minutes), a week (from Monday) or a year (from January).

    Weights are divided by their mean.
    """

    by: Literal["hour", "minute", "weekday", "month"]
    weights: tuple[Amount, ...]

    @model_validator(mode="after")
    def _complete(self) -> Profile:
        if len(self.weights) != WEIGHTS[self.by]:
            raise ValueError(f"{len(self.weights)} weights; a profile by {self.by} has {WEIGHTS[self.by]}")
        if sum(self.weights) <= 0:
            raise ValueError("the weights are all 0: one at least must be more")
        return self


class Growth(Part):
    """Growth other than of population, compounded on each anniversary of `from`."""

    a_year: Number = Field(description="share a year, above -1 (0.013 is 1.3%)")
    from_: Date = Field(alias="from", description="day from which it counts")

    @model_validator(mode="after")
    def _above(self) -> Growth:
        if not -1 < self.a_year <= 10:
            raise ValueError("a_year must be above -1, and at most 10 (0.013 is 1.3% a year)")
        return self


def grown(growths: Iterable[Growth], day: date) -> float:
    """Product of growth factors on a day: (1 + a year) to the power of whole years since each began."""
    factor = 1.0
    for one in growths:
        factor *= (1.0 + one.a_year) ** whole_years(one.from_, day)
    return factor


class Population(Part):
    """People by place, age band and year, perhaps in several projections."""

    table: Annotated[Table, table_of(POPULATION, ("variant", "place", "age_band", "year"))] = Field(
        description="columns place, age_band, year, people and, with several projections, variant"
    )
    variant: Name | None = Field(None, description="which projection; needed if the table has several")
    as_in: Whole | None = Field(None, description="a year of the table, such as 2018: its people in every year")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        return {"table": data} if isinstance(data, str) else data


class Need(Part):
    """Arrivals per 1,000 people a year, by age band and, where wanted, by place."""

    by_age: dict[Name, Rate] = Field(default_factory=dict, description="age band: per 1,000 a year")
    by_place: dict[Name, dict[Name, Rate]] = Field(
        default_factory=dict, description="place: {age band: per 1,000 a year}"
    )

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and not {"by_age", "by_place"} & set(data) and "table" not in data:
            return {"by_age": data}
        path = data.get("table") if isinstance(data, dict) else data
        if isinstance(path, str):
            columns = {
                "age_band": Column("age band"),
                "per_1000_a_year": Column("number"),
                "place": Column("name", optional=True),
            }
            table = read_table(info, path, columns, ("place", "age_band"))
            rates = table.columns["per_1000_a_year"]
            if "place" not in table.columns:
                return {"by_age": dict(zip(table.columns["age_band"], rates, strict=True))}
            rows: dict[str, dict[str, float]] = {}
            for place, band, rate in zip(table.columns["place"], table.columns["age_band"], rates, strict=True):
                rows.setdefault(place, {})[band] = rate
            return {"by_place": rows}
        return data


class Timetable(Part):
    """Patients at fixed intervals from the model's start."""

    first: WholeDuration = Field(description="of the first, from the start of the model")
    every: WholeDuration = Field(description="interval, above 0")
    batch: Count = Field(1, description="patients each time")

    @model_validator(mode="after")
    def _moving(self) -> Timetable:
        if self.every <= 0:
            raise ValueError("every must be more than 0, else all patients come at once")
        return self


RATES = {"per_hour": DAY_MS // 24, "per_day": DAY_MS, "per_week": WEEK_MS, "per_year": YEAR_MS}
"""Plain rates, and the milliseconds that each is for."""


class Arrivals(Part):
    """One source of patients. Exactly one of a rate, `from: population`, `timetable` and `trace`."""

    per_hour: Rate | None = None
    per_day: Rate | None = None
    per_week: Rate | None = None
    per_year: Rate | None = Field(None, description="of 365 days")
    from_: Literal["population"] | None = Field(None, alias="from", description="population x need")
    need: Need | None = Field(None, description="with `from: population`")
    timetable: Timetable | None = None
    trace: Annotated[Table, table_of(TRACE, (), Column("name"))] | None = Field(
        None, description="past arrivals: column at, perhaps place, age_band and groups"
    )
    growth: tuple[Name, ...] = Field((), description="names under `growth`; their factors multiply")
    profile: tuple[Name, ...] = Field((), description="names under `profiles`, at most one a day, week and year")
    residence: dict[Name, Share] = Field(
        default_factory=dict, description="where these patients live: place: share; the root if left out"
    )
    ages: dict[Name, Share] = Field(
        default_factory=dict, description="their age bands: share; the first band if left out"
    )
    enters: Name | None = Field(None, description="the step they enter; the first if left out")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        for key in ("growth", "profile"):
            if isinstance(data.get(key), str):
                data[key] = (data[key],)
        if isinstance(data.get("residence"), str):
            data["residence"] = _residence(data["residence"], info)
        if isinstance(data.get("ages"), str):
            columns = {"age_band": Column("age band"), "share": Column("share")}
            table = read_table(info, data["ages"], columns, ("age_band",))
            data["ages"] = dict(zip(table.columns["age_band"], table.columns["share"], strict=True))
        return data

    @field_validator("residence", "ages", mode="after")
    @classmethod
    def _sum_to_one(cls, shares: dict[str, float]) -> dict[str, float]:
        refuse_sum(shares)
        return shares

    @model_validator(mode="after")
    def _one_of(self) -> Arrivals:
        rates = (
            self.per_hour,
            self.per_day,
            self.per_week,
            self.per_year,
            self.from_,
            self.timetable,
            self.trace,
        )
        if sum(one is not None for one in rates) != 1:
            raise ValueError(
                "give exactly one of per_hour, per_day, per_week, per_year, `from: population`, timetable, trace"
            )
        if (self.from_ is None) != (self.need is None):
            raise ValueError("`from: population` and need go together")
        return self

    @property
    def per_ms(self) -> float | None:
        """Patients a millisecond at a plain rate; None where they come otherwise."""
        return next((rate / unit for name, unit in RATES.items() if (rate := getattr(self, name)) is not None), None)


def _residence(text: str, info: ValidationInfo) -> dict[str, float]:
    """Shares by place: of one place, or of a table `place, share` where the text names a file."""
    if not text.lower().endswith((".csv", ".xlsx")) and ".xlsx#" not in text.lower():
        return {text: 1.0}
    table = read_table(info, text, {"place": Column("name"), "share": Column("share")}, ("place",))
    return dict(zip(table.columns["place"], table.columns["share"], strict=True))
