"""What is kept of a comparison beside its results: the table, and a figure of each kind that the measures ask for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flowsim.show import forest, maps, placing, through_time
from flowsim.show.numbers import Record, is_number

if TYPE_CHECKING:
    from flowsim import ExperimentResults

COLUMNS = (
    "scenario",
    "baseline",
    "measure",
    "measured_in",
    "place",
    "setting",
    "mean",
    "low",
    "high",
    "baseline_mean",
    "difference",
    "difference_low",
    "difference_high",
    "replications",
)


TIMES = ("year", "quarter", "month")
"""Attributes that are parts of the data collection period."""


def keep(results: ExperimentResults, records: Sequence[Record]) -> list[str]:
    """Writes comparison.csv and the figures into the results folder; their paths."""
    experiment = results.experiment
    drawn = figures(experiment.title, records, experiment.measures, placing.Ground.of(results))
    files = {"comparison.csv": csv_of(records), **drawn}
    results.keep(files)
    return [str(results.folder.path / name) for name in files]


def figures(
    title: str, records: Sequence[Record], measures: Mapping[str, placing.Asked], ground: placing.Ground
) -> dict[str, bytes]:
    """Differences as a forest; what is told by year, quarter or month as lines through time; places as maps.

    `measures` has what was asked for under each key of the records.
    """
    by_key: dict[str, list[Record]] = {}
    for one in records:
        by_key.setdefault(one["key"], []).append(one)
    through = [
        key for key, mine in by_key.items() if measures[key].by in TIMES and len({r["setting"] for r in mine}) > 1
    ]
    rows = [forest.chosen(mine, measures[key].by) for key, mine in by_key.items() if key not in through]
    rows = [(panel, left_out) for panel, left_out in rows if panel]
    files: dict[str, bytes] = {}
    if rows:
        files |= forest.drawn(title, rows)
    if through:
        files |= through_time.drawn(title, [by_key[key] for key in through])
    for key, mine in by_key.items():
        if (found := placing.mapped(mine, measures[key], ground)) is not None:
            files |= maps.drawn(f"map_{key}", title, found)
    return files


def csv_of(records: Iterable[Record]) -> bytes:
    """The comparison for a spreadsheet; a text it would run as a formula begins with an apostrophe."""
    paper = io.StringIO()
    writer = csv.writer(paper, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in records:
        writer.writerow([_harmless(one[name]) for name in COLUMNS])
    return paper.getvalue().encode()


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    return value if is_number(value) else ""
