"""Every number of a model with its source: read, derived or assumed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypedDict

from flowsim.model.loading import LoadedModel, ReadTable, leaves
from flowsim.model.quantities import UNITS_MS, parse_duration
from flowsim.model.reading import KeyPath, Provenance, field_name

_QUANTITY = re.compile(r"[0-9.]+(?:[eE][-+]?[0-9]+)? ([a-z]+)")
_NOT_NUMBERS = {"flowsim", "name", "title", "description", "price_year", "start"}
_NUMBERS = ("number", "any number", "whole", "any whole", "share", "latitude", "longitude", "duration")
_UNITS = {
    "per_hour": "patients an hour",
    "per_day": "patients a day",
    "per_week": "patients a week",
    "per_year": "patients a year of 365 days",
    "per_1000_a_year": "patients a year per 1,000 people",
    "need": "patients a year per 1,000 people",
    "people": "people",
    "share": "share",
    "staffed_share": "share",
    "target_share": "share",
    "then": "share",
    "ages": "share",
    "residence": "share",
    "groups": "share",
    "shares": "share",
    "a_year": "share a year",
    "growth": "share a year",
    "weights": "weight",
    "per_day_of_capacity": "pounds a day",
    "per_visit": "pounds",
    "per_day_of_stay": "pounds a day",
    "one_off_cost": "pounds",
    "cv": "standard deviation / mean",
    "priority": "rank",
    "beds": "beds",
    "slots": "slots",
    "capacity": "beds or slots",
    "add": "beds or slots",
    "set": "beds or slots",
    "times": "factor",
    "stay_factor": "factor",
    "inside": "patients",
    "waiting": "patients",
    "batch": "patients",
    "latitude": "degrees",
    "longitude": "degrees",
    "percentiles": "percentile",
    "points": "what is followed, then factor or share",
}
"""What a number is measured in, by its key or the nearest key above it that says so."""


class Assumption(TypedDict):
    """A number of a model; `kind` and `source` are None where nobody said."""

    field: str
    value: str
    measured_in: str | None
    kind: str | None
    source: str | None


def assumptions(loaded: LoadedModel) -> list[Assumption]:
    """Every number of a model: those of the YAML in written order, then the columns of its tables.

    A column has one row for each kind and source in it, with how many values there are and their range.
    """
    rows = [
        _row(field_name(path), *_value(path, value), loaded.tree.provenance_of(path))
        for path, value in leaves(loaded.tree.data)
        if _is_number(path, value)
    ]
    for read in loaded.tables:
        rows.extend(_columns(read))
    return rows


def _row(field: str, value: str, measured_in: str | None, provenance: Provenance) -> Assumption:
    source = provenance.source
    if provenance.note:
        source = f"{source}; {provenance.note}" if source else provenance.note
    return {
        "field": field,
        "value": value,
        "measured_in": measured_in,
        "kind": provenance.kind,
        "source": source,
    }


def _is_number(path: KeyPath, value: object) -> bool:
    if path[0] in _NOT_NUMBERS or isinstance(value, bool):
        return False
    if isinstance(value, str):
        return _unit_of(value) is not None or re.fullmatch(r"\d\d:\d\d-\d\d:\d\d|\d\d:\d\d", value) is not None
    return isinstance(value, int | float)


def _unit_of(text: str) -> str | None:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    unit = match[1].removesuffix("s")
    if unit in UNITS_MS:
        return f"{unit}s"
    return f"{unit}s" if unit in ("bed", "slot") else None


def _value(path: KeyPath, value: object) -> tuple[str, str | None]:
    """The number as text, and what it is measured in."""
    if isinstance(value, str):
        unit = _unit_of(value)
        return (value, "time of day") if unit is None else (value.split(" ")[0], unit)
    return f"{value}", _by_key(path)


def _by_key(path: KeyPath) -> str | None:
    keys = [key for key in path if isinstance(key, str)]
    return next((_UNITS[key] for key in reversed(keys) if key in _UNITS), None)


def _columns(read: ReadTable) -> Iterator[Assumption]:
    for name, values in read.table.columns.items():
        column = read.columns.get(name)
        if column is None or column.kind not in _NUMBERS:
            continue
        found: dict[Provenance, list[float]] = {}
        for value, provenance in zip(values, read.table.provenance, strict=True):
            if value is not None:
                number = parse_duration(value) / UNITS_MS["hour"] if column.kind == "duration" else value
                found.setdefault(provenance._replace(note=None), []).append(number)
        field = f"{field_name(read.path)}: {name}"
        for provenance, numbers in found.items():
            measured_in = "hours" if column.kind == "duration" else _measured_in(name)
            yield _row(field, _range(numbers), measured_in, provenance)


def _measured_in(column: str) -> str | None:
    unit = column.removeprefix("mean_")
    return unit if unit.removesuffix("s") in UNITS_MS else _UNITS.get(column)


def _range(numbers: list[float]) -> str:
    low, high = min(numbers), max(numbers)
    what = "1 value" if len(numbers) == 1 else f"{len(numbers):,} values"
    return f"{what}, {low:,.10g}" + (f" to {high:,.10g}" if high > low else "")
