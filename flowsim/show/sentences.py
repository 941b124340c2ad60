"""The answer in words. What is said depends on the paired differences and their intervals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from flowsim.show.numbers import (
    Record,
    is_number,
    level_and_interval,
    listed,
    size_and_interval,
    told,
    unit_of,
    with_unit,
)

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
NOBODY = "cannot be told for want of patients to measure"


class Phrases(Protocol):
    """How an experiment speaks of a measure: see `measures` of an experiment in the language."""

    @property
    def less(self) -> str:
        """What is said of a clear fall; `{n}` stands for the size and its interval, `{it}` for the label."""

    @property
    def more(self) -> str:
        """What is said of a clear rise."""

    @property
    def same(self) -> str:
        """What is said when the interval spans zero."""

    @property
    def by(self) -> str:
        """The attribute it is told apart by; of others than "all" only when they tip can be spoken of."""


def answer(
    template: str, comparison: Sequence[Record], measures: Mapping[str, Phrases], scenarios: Sequence[str],
    tips: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> str:  # fmt: skip
    """The experiment's answer, each `{scenario: key}` filled in; a default answer where there is no template.

    `comparison` has the records of `ExperimentResults.compare` with their `key` and `label`; `tips` what is said of a
    scenario and a measure that has a bound: when it tips.
    """
    records = {(one["scenario"], one["key"]): one for one in comparison if measures[one["key"]].by == "all"}

    def fill(found: re.Match[str]) -> str:
        scenario, _, key = (part.strip() for part in found[1].partition(":"))
        record = records.get((scenario, key))
        if (scenario, key) in tips:
            return tips[scenario, key]
        return phrase(record, measures[key]) if record is not None else NOBODY

    if PLACEHOLDER.search(template):
        return " ".join(PLACEHOLDER.sub(fill, template).split())
    written = " ".join(template.split())
    return " ".join(part for part in (written, default_answer(records, measures, scenarios)) if part)


def phrase(record: Record, words: Phrases) -> str:
    """What is said of a difference: less, more, or the same where its interval spans zero.

    One replication has no interval, and the phrase says so. Of the baseline its level is said.
    """
    if record["scenario"] == record["baseline"]:
        return _level(record)
    difference, low, high = (record[key] for key in ("difference", "difference_low", "difference_high"))
    if not is_number(difference):
        return NOBODY
    if difference == 0 or (is_number(low) and is_number(high) and low <= 0 <= high):
        chosen = words.same
    else:
        chosen = words.less if difference < 0 else words.more
    is_bare = record["measured_in"] == "share" and "point" not in chosen
    unit = "percentage points" if is_bare else ""
    return chosen.replace("{it}", record["label"]).replace("{n}", how_much(record, unit))


def how_much(record: Record, unit: str = "") -> str:
    """The size of a difference and its interval, such as `21 (17 to 25)`; shares in percentage points."""
    size, interval = size_and_interval(record, digits=1)
    size = f"{size} {unit}".rstrip()
    if not interval:
        return f"{size} (one replication, so no interval can be given)"
    return f"{size} ({interval})"


def default_answer(
    records: Mapping[tuple[str, str], Record], measures: Mapping[str, Phrases], scenarios: Sequence[str]
) -> str:
    """An answer made of the names of scenarios and measures."""
    sentences = []
    baselines = {one["baseline"] for one in records.values()}
    for scenario in scenarios:
        mine = [records[scenario, key] for key in measures if (scenario, key) in records]
        if not mine:
            continue
        if scenario in baselines:
            levels = [f"{one['label']} is {_level(one)}" for one in mine]
            sentences.append(f"Under '{scenario}', {listed(levels)}.")
        else:
            sentences.append(f"Compared with '{mine[0]['baseline']}', '{scenario}' {_changes(mine)}.")
    return " ".join(sentences)


def _changes(records: list[Record]) -> str:
    clear, unclear, unknown = [], [], []
    for one in records:
        difference, low, high = (one[key] for key in ("difference", "difference_low", "difference_high"))
        if not is_number(difference):
            unknown.append(one["label"])
        elif difference == 0 or (is_number(low) and is_number(high) and low <= 0 <= high):
            unclear.append(one["label"])
        else:
            size = how_much(one, unit_of(one["measured_in"], is_change=True))
            clear.append(f"{'lowers' if difference < 0 else 'raises'} {one['label']} by {size}")
    if unclear:
        clear.append(f"makes no clear difference to {_either(unclear)}")
    if unknown:
        clear.append(f"leaves nobody to measure {_either(unknown)} by")
    return listed(clear)


def _level(record: Record) -> str:
    level, interval = level_and_interval(record)
    if level == "-":
        return NOBODY
    joined = with_unit(level, record["measured_in"])
    return f"{joined} ({interval})" if interval else joined


def _either(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def growing(rows: Sequence[Mapping[str, Any]], is_told: bool, most: int) -> list[str]:
    """Queues that grow, a line each up to `most`, the fastest first.

    Where that cannot be told from the season (`is_told` is False), one line that says so.
    """
    if not rows:
        return []
    if not is_told:
        names = list(dict.fromkeys(one["unit"] for one in rows))
        shown = listed([*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])])
        return [
            f"Longer at the end than at the beginning: the queue{'s' * (len(names) > 1)} for {shown}. "
            "Less than four years cannot tell whether that is growth or the season."
        ]
    lines = [
        f"Growing: under '{one['scenario']}' the queue for {one['unit']} grows by "
        f"{told(one['patients_more_a_year'], 0)} patients a year; its waits are means of the period, not a level."
        for one in sorted(rows, key=lambda one: -one["patients_more_a_year"])[:most]
    ]
    if len(rows) > most:
        more = len(rows) - most
        lines.append(f"Growing too: {more} more queue{'s' * (more != 1)} (all with --json).")
    return lines


def unfinished(rows: Sequence[Mapping[str, Any]], baseline: str) -> str:
    """How many were still inside at the end: under the baseline, and from least to most under the others."""
    base = next((one for one in rows if one["scenario"] == baseline), rows[0])
    others = [one for one in rows if one is not base]
    said = (
        f"When the run ended, {told(base['in_care'], 0)} patients were still in care and {told(base['waiting'], 0)} "
        f"still waiting under '{base['scenario']}'"
    )
    if len(others) == 1:
        one = others[0]
        said += f", {told(one['in_care'], 0)} and {told(one['waiting'], 0)} under '{one['scenario']}'"
    elif others:
        said += f", {_span(others, 'in_care')} and {_span(others, 'waiting')} under the other scenarios"
    return f"{said} (in all settings together, means of the replications)."


def _span(rows: Sequence[Mapping[str, Any]], name: str) -> str:
    least, most = (told(extreme(one[name] for one in rows), 0) for extreme in (min, max))
    return least if least == most else f"{least} to {most}"


def moved(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each scenario's levers removed here and added there, a line a scenario."""
    lines: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        change = row["change_a_year"]
        side = "added to" if change > 0 else "removed from"
        sides = lines.setdefault(row["scenario"], {"removed from": [], "added to": []})
        sides[side].append(f"{row['setting']} {abs(change):,.0f}")
    return [
        f"{scenario}: " + "; ".join(f"{side} {listed(parts)}" for side, parts in sides.items() if parts)
        for scenario, sides in lines.items()
    ]
