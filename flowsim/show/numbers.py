"""Numbers as people read them: rounded to what their interval can bear, shares as percent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
"""A row of a comparison: see `ExperimentResults.records`."""

MOST_DECIMALS = 6
VALUES = ("mean", "low", "high", "baseline_mean", "difference", "difference_low", "difference_high")
"""The numbers of a record that are in what its measure is measured in."""


def parts(one: Record, records: Sequence[Record]) -> list[str]:
    """Setting and place of a record, where the records have several."""
    return [one[part] for part in ("setting", "place") if len({other[part] for other in records}) > 1]


def is_number(value: Any) -> bool:
    """Whether there is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def decimals(width: float | None, value: float = 0.0, digits: int = 2) -> int:
    """How many decimals an interval of this half width can bear (`digits` of it are told); may be below 0.

    One digit more is told of a width that begins with 1 or 2, unless two are told anyway. Without a width,
    three
    digits of the value are told.
    """
    scale, kept = (width, digits) if width else (abs(value), 3)
    if not scale or not math.isfinite(scale):
        return 0
    power = math.floor(math.log10(scale))
    if width and digits == 1 and scale < 2.95 * 10.0**power:
        kept = 2
    return min(MOST_DECIMALS, kept - 1 - power)


def told(value: Any, places: int) -> str:
    """A number with this many decimals and commas between thousands; "-" where there is none."""
    if not is_number(value):
        return "-"
    rounded = round(value, places) + 0.0  # no "-0"
    return f"{rounded:,.{max(places, 0)}f}"


def scale_of(measured_in: str) -> float:
    """By what a value is multiplied before it is told: shares become percent and percentage points."""
    return 100.0 if measured_in == "share" else 1.0


def unit_of(measured_in: str, is_change: bool = False) -> str:
    """What a told value is in."""
    if measured_in == "share":
        return "percentage points" if is_change else "%"
    return measured_in


def handy_unit(measured_in: str, largest: float) -> tuple[float, str]:
    """What to divide by, and the unit then, so that labels stay short: `£ million a year` for `pounds a year`.

    `largest` is the largest size to be told. Other numbers than pounds are in millions from ten millions on.
    """
    is_money = measured_in.startswith("pounds")
    steps = ((1e6, 1e6, " million"), (1e4, 1e3, " thousand")) if is_money else ((1e7, 1e6, "million "),)
    size, word = next(((size, word) for least, size, word in steps if largest >= least), (1.0, ""))
    return size, f"£{word}{measured_in.removeprefix('pounds')}" if is_money else f"{word}{measured_in}"


def in_handy_units(records: Sequence[Record], names: Sequence[str]) -> list[Record]:
    """The same records in the handy unit of the largest of the values named."""
    largest = max((abs(one[name]) for one in records for name in names if is_number(one[name])), default=0.0)
    size, unit = handy_unit(records[0]["measured_in"], largest)
    return [
        {**one, "measured_in": unit, **{name: one[name] / size for name in VALUES if is_number(one.get(name))}}
        for one in records
    ]


def with_unit(number: str, measured_in: str) -> str:
    """A told number and what it is in: `63%`, `£4.2 million a year`, `20 beds`."""
    unit = unit_of(measured_in)
    if unit.startswith("£"):
        return f"-£{number[1:]}{unit[1:]}" if number.startswith("-") else f"£{number}{unit[1:]}"
    return f"{number}{unit}" if unit == "%" else f"{number} {unit}"


def level_and_interval(record: Record, digits: int = 2) -> tuple[str, str]:
    """The mean of a record as told, and its interval as `17 to 25`, empty if there is none."""
    return _told_with(record["mean"], record["low"], record["high"], record, digits)


def change_and_interval(record: Record, digits: int = 2) -> tuple[str, str]:
    """The difference of a record as told, with its sign, and its interval."""
    change, interval = _told_with(
        record["difference"], record["difference_low"], record["difference_high"], record, digits
    )
    return (f"+{change}" if is_number(record["difference"]) and _above_0(change) else change), interval


def size_and_interval(record: Record, digits: int = 2) -> tuple[str, str]:
    """The size of the difference without its sign, and its interval the same way round.

    Neither is below zero for a clear difference.
    """
    difference, low, high = (record[key] for key in ("difference", "difference_low", "difference_high"))
    if is_number(difference) and difference < 0:
        difference = -difference
        low, high = (-high if is_number(high) else high), (-low if is_number(low) else low)
    return _told_with(difference, low, high, record, digits)


def _told_with(value: Any, low: Any, high: Any, record: Record, digits: int) -> tuple[str, str]:
    factor = scale_of(record["measured_in"])
    value, low, high = (one * factor if is_number(one) else None for one in (value, low, high))
    if value is None:
        return "-", ""
    if low is None or high is None:
        return told(value, decimals(None, value)), ""
    places = decimals((high - low) / 2, value, digits)
    return told(value, places), f"{told(low, places)} to {told(high, places)}"


def _above_0(text: str) -> bool:
    return not text.startswith("-") and any(digit in "123456789" for digit in text)


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
