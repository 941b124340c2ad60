"""A check in words, and as a document."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from flowsim.show import sentences
from flowsim.show.numbers import listed, told
from flowsim.show.output import table_text

if TYPE_CHECKING:
    from flowsim import Check

MOST_TIPS = 8


def document(check: Check) -> dict[str, Any]:
    """The check for programs. Assumptions are counted by kind; `--assumptions` has them all."""
    found = {field.name: getattr(check, field.name) for field in dataclasses.fields(check)}
    return {**found, "assumptions": check.assumptions_by_kind}


def lines(check: Check) -> list[str]:
    """The check for people."""
    counts = check.counts
    found = [f"{check.kind} {check.name}: {check.title}"]
    if check.question:
        found.append(check.question)
    found.append(
        f"{check.model}: {listed([_counted(number, word) for word, number in counts.items()])}; "
        f"{told(check.patients_a_year, 0)} patients a year"
    )
    kinds = [f"{number} {kind}" for kind, number in check.assumptions_by_kind.items()]
    found.append(f"numbers and columns of numbers: {listed(kinds)} (each with its source: --assumptions)")
    found += [f"warning: {line}" for line in check.warnings]
    if check.scenarios:
        found += ["", f"{_counted(len(check.scenarios), 'scenarios')}, {check.cells:,} cells to run:"]
        for name, levers in check.scenarios.items():
            found.append(f"  {name}: {'; '.join(levers) if levers else 'nothing is changed'}")
        found += ["", "Visits a year that the levers move, by the traffic equations, before any queue:"]
        found += [f"  {line}" for line in sentences.moved(check.moved)] or ["  none"]
    found += ["", *_load_lines(check), "", *_tip_lines(check)]
    return found


def _load_lines(check: Check) -> list[str]:
    first, last = check.years[0], check.years[-1]
    columns = ["setting", "level", "units", "visits a year", "load", "capacity", f"full in {first}"]
    if first != last:
        columns.append(f"full in {last}")
    by_year = {(row["year"], row["setting"]): row for row in check.load}
    rows = []
    for row in (one for one in check.load if one["year"] == first):
        cells = [
            row["setting"],
            row["level"],
            f"{row['units']:,}",
            told(row["visits_a_year"], 0),
            told(row["load"], 1),
            "no limit" if row["capacity"] is None else told(row["capacity"], 1),
            _full(row),
        ]
        if first != last:
            cells.append(_full(by_year[last, row["setting"]]))
        rows.append(cells)
    title = "Load offered to each setting by the traffic equations (beds, or starts a day; before any queue):"
    return [title, *table_text(columns, rows, numbers=len(columns) - 2)]


def _full(row: dict[str, Any]) -> str:
    return "" if row["utilisation"] is None else f"{row['utilisation'] * 100:,.0f}%"


def _tip_lines(check: Check) -> list[str]:
    if not check.tips:
        span = check.years[0] if len(check.years) == 1 else f"{check.years[0]} to {check.years[-1]}"
        limited = [row for row in check.load if row["fullest_unit"] is not None]
        fullest = max(limited, key=lambda row: row["fullest_utilisation"], default=None)
        if fullest is None:
            return [f"Nothing tips over in {span}: nothing has a limit."]
        return [
            f"Nothing tips over in {span}; fullest is {fullest['fullest_unit']}, offered "
            f"{fullest['fullest_utilisation'] * 100:.0f}% of what it can do in {fullest['year']}."
        ]
    found = []
    for place, tip in enumerate(check.tips[:MOST_TIPS]):
        offered = (
            "visits but has no capacity"
            if not tip["capacity"]
            else f"{tip['utilisation'] * 100:,.0f}% of what it can do"
        )
        found.append(
            f"{'Tips first' if place == 0 else 'Tips over too'}: {tip['unit']} in {tip['year']}, offered {offered}."
        )
    if len(check.tips) > MOST_TIPS:
        found.append(f"And {len(check.tips) - MOST_TIPS} more units (all with --json).")
    return found


def assumption_lines(check: Check) -> list[str]:
    """Every number with its unit, kind and source."""
    columns = ["kind", "field", "value", "measured in", "source"]
    rows = [
        [row["kind"] or "not said", row["field"], row["value"], row["measured_in"] or "", row["source"] or ""]
        for row in check.assumptions
    ]
    return table_text(columns, rows, numbers=0) if rows else ["no numbers"]


def _counted(number: int, words: str) -> str:
    return f"{number:,} {words.removesuffix('s') if number == 1 else words}"
