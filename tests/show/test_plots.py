"""Figures: the same bytes for the same results, no doubtful change shown as clear, nothing left out in silence."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

import flowsim as fs
from flowsim.experiment.scenarios import Wanted
from flowsim.measure.times import TIMES
from flowsim.show import forest, plots, through_time
from flowsim.show.figure import BETTER, INK, UNCLEAR, WORSE
from flowsim.show.numbers import in_handy_units, with_unit
from flowsim.show.placing import Ground


def record(setting: str, difference: float, scenario: str = "less", **more: Any) -> dict[str, Any]:
    return {
        "key": "k", "label": "beds", "measured_in": "beds", "less_is_better": True, "replications": 3,
        "scenario": scenario, "baseline": "as it is", "place": "all", "setting": setting, "measure": "beds_in_use",
        "mean": 10.0 + difference, "low": 9.0 + difference, "high": 11.0 + difference, "baseline_mean": 10.0,
        "difference": difference, "difference_low": difference - 1, "difference_high": difference + 1, **more,
    }  # fmt: skip


def test_figures_are_the_same_bytes_each_time(here: Path) -> None:
    results = fs.open_results("wards")
    arguments = "A title", results.records(), results.experiment.measures, Ground.of(results)
    first, second = plots.figures(*arguments), plots.figures(*arguments)
    assert first == second
    assert list(first) == ["comparison.svg", "comparison.png", "over_time.svg", "over_time.png"]
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


def test_what_is_told_by_year_is_a_line_through_all_years_and_the_rest_a_forest() -> None:
    ground = Ground({}, {}, {}, {})
    years = [f"20{n}/{n + 1}" for n in range(18, 31)]
    records = [record("all", -2.0)]
    records += [record(year, -float(n), key="by_year") for n, year in enumerate(years)]
    wanted = {"k": Wanted(measure="beds_in_use"), "by_year": Wanted(measure="beds_in_use", by="year")}
    files = plots.figures("A title", records, wanted, ground)
    assert list(files) == ["comparison.svg", "comparison.png", "over_time.svg", "over_time.png"]
    one_year = [one for one in records if one["setting"] in ("all", years[0])]
    assert list(plots.figures("A title", one_year, wanted, ground)) == ["comparison.svg", "comparison.png"]


def test_a_panel_with_many_rows_keeps_whole_settings_with_the_largest_changes_and_says_so() -> None:
    many = [record(f"ward {n}", n / 10, scenario) for n in range(40) for scenario in ("less", "more")]
    panel, said = forest.chosen(many, "setting")
    assert [one["setting"] for one in panel] == [f"ward {n}" for n in range(34, 40) for _ in range(2)]
    assert said.startswith("Drawn are 6 of 40, told apart by setting")


def test_a_panel_that_leaves_nothing_out_says_nothing() -> None:
    few = [record(f"ward {n}", 1.0) for n in range(5)]
    assert forest.chosen(few, "setting") == (few, "")
    assert forest.chosen([record("all", 0.0, mean=0.0)], "all")[0]
    empty = record("never used", 0.0, mean=0.0)
    assert forest.chosen([*few, empty], "setting") == (few, "")


def test_an_interval_that_spans_zero_is_never_shown_as_clear() -> None:
    one = {"less_is_better": True, "difference": -0.1, "difference_low": -0.3, "difference_high": 0.1}
    assert forest.look(one) == (UNCLEAR, False)
    assert forest.look({**one, "difference_high": -0.05}) == (BETTER, True)
    assert forest.look({**one, "less_is_better": False, "difference_high": -0.05}) == (WORSE, True)
    assert forest.look({**one, "less_is_better": None, "difference_high": -0.05}) == (INK, True)


def level(mean: float, low: float, high: float, measured_in: str = "beds") -> dict[str, Any]:
    return {"mean": mean, "low": low, "high": high, "measured_in": measured_in}


def test_an_axis_through_time_holds_all_means_and_never_shares_above_one() -> None:
    bottom, top, is_cut = through_time.limits([level(0.6, 0.5, 0.7, "share"), level(0.1, -1.0, 1.5, "share")])
    assert bottom == 0.0
    assert 0.7 < top <= 1.0
    assert is_cut


def test_an_axis_through_time_begins_at_zero_unless_all_is_near_the_top() -> None:
    bottom, top, is_cut = through_time.limits([level(10.0, 9.0, 11.0), level(40.0, 38.0, 42.0)])
    assert (bottom, is_cut) == (0.0, False)
    assert top > 42
    bottom, top, is_cut = through_time.limits([level(90.0, 89.0, 91.0), level(95.0, 94.0, 96.0)])
    assert 80 < bottom < 89 and 96 < top < 100 and not is_cut


def test_the_times_are_those_of_the_measures() -> None:
    assert plots.TIMES == TIMES


def test_no_two_scenarios_are_drawn_alike() -> None:
    names = [f"scenario {n}" for n in range(20)]
    looks = through_time._looks([*names, "as it is"], "as it is")
    assert next(iter(looks)) == "as it is"
    assert len(set(looks.values())) == 21


@pytest.mark.parametrize(
    ("pounds", "said"),
    [(404_600_000.0, "£405 million a year"), (55_500.0, "£56 thousand a year"), (4_200.0, "£4,200 a year")],
)
def test_pounds_are_told_in_a_unit_that_keeps_labels_short(pounds: float, said: str) -> None:
    one = {"measured_in": "pounds a year", "mean": pounds, "low": None}
    (handy,) = in_handy_units([one], ("mean", "low"))
    assert with_unit(f"{handy['mean']:,.0f}", handy["measured_in"]) == said


def test_shares_and_beds_keep_their_unit() -> None:
    for measured_in in ("share", "beds"):
        one = {"measured_in": measured_in, "mean": 0.63}
        assert in_handy_units([one], ("mean",)) == [one]
    assert with_unit("63", "share") == "63%"
    assert with_unit("20", "beds") == "20 beds"
    assert with_unit("-1.2", "£ million a year") == "-£1.2 million a year"
