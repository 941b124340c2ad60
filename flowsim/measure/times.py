"""Parts of the data collection period by which every measure can be told apart: its years, quarters and months."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from flowsim.engine.network import Labels

TIMES = ("year", "quarter", "month")
"""Attributes that every measure has, such as `2018/19`, `2018/19 Q1` and `2018-04`."""


def spans(labels: Labels, months: Iterable[int], by: str) -> dict[str, frozenset[int]]:
    """The years, quarters or months that some months of a ledger (by number) lie in, each with these, in order.

    Years and quarters are counted from the month in which data collection begins.
    """
    since = dt.date.fromisoformat(labels.origin) + dt.timedelta(milliseconds=labels.data_start_ms)
    found: dict[str, list[int]] = {}
    for number in sorted(months):
        month = dt.date.fromisoformat(labels.month_dates[number])
        found.setdefault(_name(month, since, by), []).append(number)
    return {name: frozenset(numbers) for name, numbers in found.items()}


def _name(month: dt.date, since: dt.date, by: str) -> str:
    if by == "month":
        return f"{month:%Y-%m}"
    later = 12 * (month.year - since.year) + month.month - since.month
    first = since.year + later // 12
    year = f"{first}" if since.month == 1 else f"{first}/{(first + 1) % 100:02d}"
    return year if by == "year" else f"{year} Q{later % 12 // 3 + 1}"
