"""Laws of the table of assumptions: every number once, with the source that holds; and of the digest."""

from __future__ import annotations

import shutil
from pathlib import Path

from flowsim.model.assumptions import Assumption, assumptions
from flowsim.model.digest import digest, digest_of_model
from flowsim.model.loading import load_model, read_model

TOWN = Path(__file__).parent.parent / "fixtures" / "town"


def by_field(folder: Path) -> dict[str, Assumption]:
    return {row["field"]: row for row in assumptions(read_model(folder))}


def changed(folder: Path, file: str, old: str, new: str) -> Path:
    if not (folder / "town").exists():
        shutil.copytree(TOWN, folder / "town")
    path = folder / "town" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder / "town"


def test_kind_and_source_at_the_top_hold_for_all_numbers_below() -> None:
    rows = by_field(TOWN)
    assert {(row["kind"], row["source"]) for row in rows.values()} == {("assumed", "made up for tests")}


def test_innermost_source_wins_and_the_number_says_its_unit(tmp_path: Path) -> None:
    old, new = "fixed: 20 minutes", "fixed: {value: 20 minutes, kind: read, source: a clinic's diary}"
    row = by_field(changed(tmp_path, "model.yaml", old, new))["pathways.planned.steps.visit.stay.fixed"]
    assert row == {
        "field": "pathways.planned.steps.visit.stay.fixed",
        "value": "20",
        "measured_in": "minutes",
        "kind": "read",
        "source": "a clinic's diary",
    }


def test_number_without_source_has_none(tmp_path: Path) -> None:
    changed(tmp_path, "model.yaml", "kind: assumed\n", "")
    folder = changed(tmp_path, "model.yaml", "source: made up for tests\n", "")
    assert {(row["kind"], row["source"]) for row in by_field(folder).values()} == {(None, None)}


def test_dates_and_names_are_no_numbers() -> None:
    fields = list(by_field(TOWN))
    assert not [field for field in fields if field.endswith((".from", ".by", ".in"))]
    assert "start" not in fields
    assert "name" not in fields


def test_every_number_says_what_it_is_measured_in() -> None:
    assert [field for field, row in by_field(TOWN).items() if row["measured_in"] is None] == []


def test_column_has_one_row_with_its_count_and_range() -> None:
    row = by_field(TOWN)["population: people"]
    assert row["value"] == "18 values, 4,800 to 25,002"
    assert row["measured_in"] == "people"


def test_column_has_a_row_for_each_source_in_it(tmp_path: Path) -> None:
    need = "age_band,per_1000_a_year,source,kind\n0-17,120,a survey,read\n18-64,150,,\n65+,400,,\n"
    folder = changed(tmp_path, "tables/need.csv", (TOWN / "tables" / "need.csv").read_text(), need)
    field = "pathways.emergency.arrivals.need: per_1000_a_year"
    found = [row for row in assumptions(read_model(folder)) if row["field"] == field]
    assert [(row["value"], row["kind"], row["source"]) for row in found] == [
        ("1 value, 120", "read", "a survey"),
        ("2 values, 150 to 400", "assumed", "made up for tests"),
    ]


def test_digest_does_not_see_comments_sources_and_order_of_keys(tmp_path: Path) -> None:
    changed(tmp_path, "model.yaml", "made up for tests", "made up for other tests  # really")
    changed(tmp_path, "model.yaml", "{capacity: 6 beds, at: KGH}", "{at: KGH, capacity: {beds: 6}}")
    folder = changed(tmp_path, "model.yaml", "fixed: 20 minutes", "fixed: 1200 seconds")
    assert digest(read_model(folder)) == digest(read_model(TOWN))


def test_digest_sees_every_number_of_yaml_and_tables(tmp_path: Path) -> None:
    digests = {digest(read_model(TOWN))}
    for file, old, new in (
        ("model.yaml", "6 beds", "7 beds"),
        ("tables/need.csv", "120", "121"),
        ("tables/units.csv", "0.95", "0.96"),
        ("model.yaml", "{ward: 0.3, leave: 0.7}", "{leave: 0.7, ward: 0.3}"),
    ):
        digests.add(digest(read_model(changed(tmp_path, file, old, new))))
    assert len(digests) == 5


def test_digest_of_a_model_is_that_of_its_files() -> None:
    assert digest_of_model(load_model(TOWN)) == digest(read_model(TOWN))
