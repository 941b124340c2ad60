"""What the classes of the model language are made of: strict scalars, and numbers or shares by a mark."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Protocol, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from flowsim.model import quantities as q
from flowsim.model.tables import Column, Table

Name = Annotated[str, BeforeValidator(q.parse_name)]
Text = Annotated[str, BeforeValidator(q.parse_text)]
Number = Annotated[float, BeforeValidator(q.parse_number)]
Positive = Annotated[float, BeforeValidator(q.parse_positive)]
Whole = Annotated[int, BeforeValidator(q.parse_whole)]
Count = Annotated[int, BeforeValidator(q.parse_count)]
Amount = Annotated[float, BeforeValidator(lambda value: _not_negative(q.parse_number(value)))]
"""A number of 0 or more."""
Rate = Annotated[float, BeforeValidator(lambda value: _rate(q.parse_number(value)))]
"""Patients in a time: 0 or more, and few enough to be counted."""
Share = Annotated[float, BeforeValidator(q.parse_share)]
Duration = Annotated[float, BeforeValidator(q.parse_duration)]
"""A length of time in words (`30 minutes`), held in milliseconds, not necessarily whole."""
WholeDuration = Annotated[int, BeforeValidator(q.parse_whole_duration)]
"""A length of time in words, held as a whole number of milliseconds."""
Date = Annotated[q.Day, BeforeValidator(q.parse_date)]
TimeOfDay = Annotated[int, BeforeValidator(q.parse_time_of_day)]
Days = Annotated[tuple[int, ...], BeforeValidator(q.parse_days)]
Hours = Annotated[tuple[int, int], BeforeValidator(q.parse_hours)]


def _not_negative(number: float) -> float:
    if number < 0:
        raise ValueError("must be 0 or more")
    return number


def _rate(number: float) -> float:
    if number > LARGEST_RATE:
        raise ValueError(f"must be at most {LARGEST_RATE:.0f}: no place has so many patients")
    return _not_negative(number)


LARGEST_RATE = 1e9
LEAVE = "leave"
"""The word for leaving the model, wherever a next step is named."""
REST = "rest"
"""The word for what the other shares leave."""
SHARE_TOLERANCE = 1e-9
"""Shares may miss a sum of 1 by this much, so that thirds can be written in decimals."""


class Part(BaseModel):
    """Any part of a model: frozen, strict, and refusing keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True, populate_by_name=True
    )


TOLD = "told"
"""The type of a pydantic error that stands for faults which the loader has told already."""


class Reader(Protocol):
    """What validation needs of the loader, which is pydantic's `info.context`."""

    def table(
        self, path: object, columns: Mapping[str, Column], key: tuple[str, ...], others: Column | None
    ) -> Table | None:
        """The table, or None where its faults have been told. Raises ValueError if the path is no good."""

    def refuse(self, table: Table, row: int, field: str, value: object, message: str) -> None:
        """Tells a fault of a row of a table."""


def read_table(
    info: ValidationInfo,
    path: object,
    columns: Mapping[str, Column],
    key: tuple[str, ...] = (),
    others: Column | None = None,
) -> Table:
    """The table a model names, read by the loader that validates the model.

    Raises ValueError if `path` cannot be read; faults inside the table go to the loader's own list.
    """
    if info.context is None:
        raise ValueError("tables are read with the file of a model only")
    table = cast(Reader, info.context).table(path, columns, key, others)
    if table is None:
        raise PydanticCustomError(TOLD, "the table has faults")
    return table


def table_of(columns: Mapping[str, Column], key: tuple[str, ...], others: Column | None = None) -> BeforeValidator:
    """A validator that reads the table whose name stands in the field."""

    def read(value: object, info: ValidationInfo) -> object:
        return read_table(info, value, columns, key, others) if isinstance(value, str) else value

    return BeforeValidator(read)


def rows_of(part: type[Part], columns: Mapping[str, Column], key: tuple[str, ...]) -> BeforeValidator:
    """A validator that reads a list of parts from the table whose name stands in the field, one from each row.

    Columns are keys of the part; a blank cell is a key that is left out.
    """

    def read(value: object, info: ValidationInfo) -> object:
        if not isinstance(value, str):
            return value
        table = read_table(info, value, columns, key)
        found = []
        for row, cells in enumerate(zip(*table.columns.values(), strict=True)):
            given = {name: cell for name, cell in zip(table.columns, cells, strict=True) if cell is not None}
            try:
                found.append(part.model_validate(given, by_alias=True, by_name=False))
            except ValidationError as error:
                for detail in error.errors(include_url=False):
                    field = str(detail["loc"][0]) if detail["loc"] else ""
                    message = str(detail.get("ctx", {}).get("error", detail["msg"]))
                    cast(Reader, info.context).refuse(table, row, field, given.get(field), message)
        if len(found) < len(table):
            raise PydanticCustomError(TOLD, "the table has faults")
        return tuple(found)

    return BeforeValidator(read)


def mark_column(mark: object) -> Column:
    """The column of a table that holds the values of a mark."""
    return Column("age band" if mark == "age_band" else "name")


class ByMark(Part):
    """A length of time, or one for each value of a mark: `age_band`, `place` or a group."""

    value: Duration | None = Field(None, description="the same for everybody")
    by: Name | None = Field(None, description="the mark it depends on")
    of: dict[Name, Duration] = Field(default_factory=dict, description="one for each value of the mark")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict) or "by" not in data:
            return data if isinstance(data, dict) and "value" in data else {"value": data}
        if "table" in data:
            unit = data.get("unit", "days")
            table = read_table(
                info,
                data["table"],
                {data["by"]: mark_column(data["by"]), f"mean_{unit}": Column("number")},
                (data["by"],),
            )
            values = table.columns[f"mean_{unit}"]
            return {
                "by": data["by"],
                "of": {m: f"{v} {unit}" for m, v in zip(table.columns[data["by"]], values, strict=True)},
            }
        return {"by": data["by"], "of": {k: v for k, v in data.items() if k != "by"}}

    def values(self) -> list[float]:
        """All its lengths of time: one if they depend on no mark."""
        return list(self.of.values()) if self.value is None else [self.value]


class Priority(Part):
    """A priority, lower is sooner; one for all, or one for each value of a mark."""

    value: Whole | None = Field(None, description="the same for everybody")
    by: Name | None = Field(None, description="the mark it depends on")
    of: dict[Name, Whole] = Field(default_factory=dict, description="one for each value of the mark")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return {"value": data}
        if "by" in data and "of" not in data:
            return {"by": data["by"], "of": {k: v for k, v in data.items() if k != "by"}}
        return data


class Shares(Part):
    """Where next, or which value: shares of 1 in written order, for everybody or for each value of a mark."""

    everybody: dict[Name, Share] = Field(default_factory=dict, description="target: share")
    by: Name | None = Field(None, description="the mark they depend on")
    of: dict[Name, dict[Name, Share]] = Field(default_factory=dict, description="mark value: {target: share}")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, str):
            return {"everybody": {data: 1}}
        if not isinstance(data, dict) or "everybody" in data or "of" in data:
            return data
        if "by" not in data:
            return {"everybody": _with_rest(data)}
        by = data["by"]
        if "table" in data:
            columns = {by: mark_column(by), "to": Column("name"), "share": Column("share")}
            table = read_table(info, data["table"], columns, (by, "to"))
            rows: dict[str, dict[str, float]] = {}
            for mark, to, share in zip(table.columns[by], table.columns["to"], table.columns["share"], strict=True):
                rows.setdefault(mark, {})[to] = share
            return {"by": by, "of": rows}
        return {"by": by, "of": {k: _with_rest(v) for k, v in data.items() if k != "by"}}

    @model_validator(mode="after")
    def _sum_to_one(self) -> Shares:
        for mark, row in [("", self.everybody)] if self.by is None else self.of.items():
            refuse_sum(row, f" for '{mark}'" if mark else "")
        return self

    def rows(self) -> list[dict[str, float]]:
        """All rows of shares: one if they depend on no mark."""
        return [self.everybody] if self.by is None else list(self.of.values())


def refuse_sum(row: Mapping[Any, float], where: str = "") -> None:
    """Raises ValueError unless shares sum to 1; no shares at all are left to others."""
    total = sum(row.values())
    if row and abs(total - 1) > SHARE_TOLERANCE:
        raise ValueError(f"shares{where} sum to {total:.12g}, must sum to 1 (write `rest` for what is left)")


def _with_rest(shares: object) -> object:
    """Shares with the word `rest` replaced by what the others leave, exactly in decimals."""
    if isinstance(shares, str):
        return {shares: 1}
    if not isinstance(shares, dict) or list(shares.values()).count(REST) != 1:
        return shares
    others = [v for v in shares.values() if v != REST]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in others):
        return shares
    left = 1 - sum(Decimal(str(v)) for v in others)
    return {k: (float(left) if v == REST else v) for k, v in shares.items()}
