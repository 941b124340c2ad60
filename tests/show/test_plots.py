"""Figures: the same bytes for the same results, no doubtful change shown as clear, no formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import flowsim as fs
from flowsim.show import plots


def test_figures_are_the_same_bytes_each_time(here: Path) -> None:
    records = fs.open_results("wards").records()
    panels = plots._panels(records)
    first, second = plots.drawn("A title", panels), plots.drawn("A title", panels)
    assert first == second
    assert first["comparison.png"].startswith(b"\x89PNG")
    assert b"<svg" in first["comparison.svg"]
    assert b"<dc:date>" not in first["comparison.svg"]


def test_the_table_has_every_record_and_no_formula(here: Path) -> None:
    records = fs.open_results("wards").records()
    records[0]["scenario"] = "=HYPERLINK(1)"
    rows = list(csv.DictReader(io.StringIO(plots.csv_of(records).decode())))
    assert len(rows) == len(records)
    assert rows[0]["scenario"] == "'=HYPERLINK(1)"
    assert [row["difference"] for row in rows if row["scenario"] == row["baseline"]] == [""] * sum(
        one["scenario"] == one["baseline"] for one in records
    )
    changed = next(row for row in rows if row["difference"].startswith("-"))
    assert float(changed["difference"]) < 0


def test_a_panel_with_many_rows_keeps_the_largest_changes() -> None:
    many = [{"key": "k", "difference": float(n), "row": n} for n in range(40)]
    (panel,) = plots._panels(many)
    assert [one["row"] for one in panel] == list(range(28, 40))


def test_an_interval_that_spans_zero_is_never_shown_as_clear() -> None:
    one = {"less_is_better": True, "difference": -0.1, "difference_low": -0.3, "difference_high": 0.1}
    assert plots._look(one) == (plots.UNCLEAR, False)
    assert plots._look({**one, "difference_high": -0.05}) == (plots.BETTER, True)
    assert plots._look({**one, "less_is_better": False, "difference_high": -0.05}) == (plots.WORSE, True)
    assert plots._look({**one, "less_is_better": None, "difference_high": -0.05}) == (plots.INK, True)
