"""A comparison as lines of text: one table of whole measures, and one for each measure that is told apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowsim.show.numbers import Record, change_and_interval, is_number, level_and_interval, parts, unit_of
from flowsim.show.output import table_text

Block = list[Record]
"""The records of one measure in one place or setting, the baseline first."""


def lines(records: Iterable[Record]) -> list[str]:
    """A table of the measures that are not told apart, then one of each that is: a row a place, a column a scenario.

    Places and settings in which nothing ever happened (0, or nothing to count, in every scenario) are left out.
    """
    by_key: dict[str, dict[tuple[str, str], Block]] = {}
    for one in records:
        by_key.setdefault(one["key"], {}).setdefault((one["place"], one["setting"]), []).append(one)
    blocks = [list(mine.values()) for mine in by_key.values()]
    whole = [mine[0] for mine in blocks if mine[0][0]["by"] == "all"]
    apart = [mine for mine in blocks if mine[0][0]["by"] != "all"]
    tables = [_whole(whole)] if whole else []
    tables += [_apart(found) for found in map(_with_something, apart) if found]
    return [line for number, table in enumerate(tables) for line in ([""] * (number > 0) + table)]


def _with_something(blocks: Sequence[Block]) -> list[Block]:
    return [block for block in blocks if any(is_number(one["mean"]) and one["mean"] for one in block)]


def _whole(blocks: Sequence[Block]) -> list[str]:
    """A block of lines a measure, a line a scenario."""
    rows = []
    for block in blocks:
        for one in block:
            label = one["label"] if one is block[0] else ""
            mean, interval = level_and_interval(one)
            change, change_interval = ("", "") if one["scenario"] == one["baseline"] else change_and_interval(one)
            unit = unit_of(one["measured_in"])
            rows.append([label, one["scenario"], unit, mean, interval, change, change_interval])
    columns = ["measure", "scenario", "in", "mean", "95% interval", "change", "95% interval"]
    return table_text(columns, rows, numbers=4)


def _apart(blocks: Sequence[Block]) -> list[str]:
    """One measure: the level of the baseline, then the change that each other scenario makes."""
    records = [one for block in blocks for one in block]
    first = records[0]
    others = list(dict.fromkeys(one["scenario"] for one in records if one["scenario"] != first["baseline"]))
    rows = []
    for block in blocks:
        found = {one["scenario"]: one for one in block}
        base = found.get(first["baseline"])
        told = ["-" if base is None else _with_interval(*level_and_interval(base))]
        told += [_with_interval(*change_and_interval(found[name])) if name in found else "-" for name in others]
        rows.append([_name(block[0], records), *told])
    unit, of_change = unit_of(first["measured_in"]), unit_of(first["measured_in"], is_change=True)
    head = f"{first['label']}, in {unit}: '{first['baseline']}'"
    if others:
        head += ", and the change from it" + f" in {of_change}" * (of_change != unit)
    return [head, *table_text(["", first["baseline"], *others], rows, numbers=len(others) + 1)]


def _name(one: Record, records: Sequence[Record]) -> str:
    """What a row is of: setting and place as far as rows differ in them; of a row alone what there is."""
    alone = [one[part] for part in ("place", "setting") if one[part] != "all"][:1]
    return ", ".join(parts(one, records) or alone) or "all"


def _with_interval(number: str, interval: str) -> str:
    return f"{number} ({interval})" if interval else number
