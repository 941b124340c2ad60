"""Laws of loading a model: by file, folder or name; all faults at once; each where it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.model import shipped
from flowsim.model.arrivals import Profile
from flowsim.model.loading import load_model, read_model
from flowsim.model.parts import Shares

TOWN = Path(__file__).parent.parent / "fixtures" / "town"
CLINIC = """\
flowsim: 1
name: clinic
title: One queue
start: 2001-01-01
settings:
  clinic: {capacity: 10 beds}
pathways:
  patients:
    arrivals: {per_hour: 18}
    steps:
      visit: {in: clinic, stay: {exponential: 30 minutes}}
"""


def edited(folder: Path, *edits: tuple[str, str]) -> Path:
    text = CLINIC
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = folder / "clinic.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: str | Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_model(path)
    return [f"{fault.line}: {fault.field}: {fault.message}" for fault in caught.value.faults]


def test_clinic_on_one_screen_says_what_it_means(tmp_path: Path) -> None:
    model = load_model(edited(tmp_path))
    step = model.pathways["patients"].steps["visit"]
    assert model.settings["clinic"].capacity is not None
    assert model.settings["clinic"].capacity.beds == 10
    assert step.stay.exponential is not None
    assert step.stay.exponential.value == 30 * 60_000
    assert step.then == Shares(everybody={"leave": 1.0})
    assert model.pathways["patients"].arrivals[0].per_hour == 18


def test_model_is_found_by_file_folder_and_name(tmp_path: Path) -> None:
    shutil.copytree(TOWN, tmp_path / "town")
    assert load_model(tmp_path / "town") == load_model(str(tmp_path / "town" / "model.yaml"))
    assert load_model("emergency").name == "emergency"


def test_name_that_does_not_ship_suggests_the_one_meant() -> None:
    assert "did you mean 'emergency'?" in faults_of("emergenci")[0]


def test_every_shipped_model_loads_and_is_listed_with_a_title() -> None:
    listed = shipped.list_shipped("configs")
    assert [one.name for one in listed] == sorted(one.name for one in listed)
    assert {"city", "clinic", "croydon", "emergency", "london"} <= {one.name for one in listed}
    for one in listed:
        assert one.title
        assert load_model(one.name).title == one.title


def test_folder_without_a_model_is_refused_by_name(tmp_path: Path) -> None:
    assert "model.yaml" in faults_of(tmp_path)[0]


def test_missing_file_is_refused(tmp_path: Path) -> None:
    assert "no such file" in faults_of(tmp_path / "none.yaml")[0]


def test_all_faults_of_schema_and_references_are_told_at_once_in_order(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        ("start: 2001-01-01", "start: 01/02/2001"),
        ("capacity: 10 beds", "capacity: 10 beds, sise: 3"),
        ("per_hour: 18", "per_hour: -18, profile: a day"),
        ("in: clinic", "in: clinik"),
    )
    faults = faults_of(path)
    assert [fault.split(": ")[0] for fault in faults] == ["4", "6", "9", "9", "11"]
    assert [fault.split(": ")[1] for fault in faults] == [
        "start",
        "settings.clinic.sise",
        "pathways.patients.arrivals.per_hour",
        "pathways.patients.arrivals.profile",
        "pathways.patients.steps.visit.in",
    ]


def test_faults_of_tables_are_told_with_those_of_the_model(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    shutil.copytree(TOWN, folder)
    table = folder / "tables" / "units.csv"
    table.write_text(table.read_text().replace("ward,KGH,60", "ward,KGH,-60"))
    model = folder / "model.yaml"
    model.write_text(model.read_text().replace("in: clinic", "in: clinik"))
    with pytest.raises(InputError) as caught:
        load_model(folder)
    assert [Path(fault.file).name for fault in caught.value.faults] == ["model.yaml", "units.csv"]


def test_missing_key_is_told_on_the_line_of_what_lacks_it(tmp_path: Path) -> None:
    faults = faults_of(edited(tmp_path, (", stay: {exponential: 30 minutes}", "")))
    assert faults == ["11: pathways.patients.steps.visit.stay: is missing: how long the unit is needed"]


def test_names_that_python_uses_for_keys_are_no_keys(tmp_path: Path) -> None:
    faults = faults_of(edited(tmp_path, ("in: clinic", "in_: clinic")))
    assert any("in_: is not a key" in fault and "'in'" in fault for fault in faults)


def test_shorthand_and_long_form_mean_the_same(tmp_path: Path) -> None:
    plain = load_model(edited(tmp_path))
    longer = load_model(edited(tmp_path, ("exponential: 30 minutes", "exponential: {value: 0.5 hours}")))
    assert longer == plain


def test_rest_is_what_the_other_shares_leave_exactly(tmp_path: Path) -> None:
    path = edited(tmp_path, ("minutes}}", "minutes}, then: {visit: 0.1, leave: rest}}"))
    assert load_model(path).pathways["patients"].steps["visit"].then.everybody == {"visit": 0.1, "leave": 0.9}


def test_files_of_a_model_are_all_that_was_read() -> None:
    loaded = read_model(TOWN)
    there = {path.resolve() for path in TOWN.rglob("*") if path.is_file()}
    assert {path.resolve() for path in loaded.files} == there


def test_model_cannot_be_changed() -> None:
    model = load_model("clinic")
    with pytest.raises(ValueError, match="frozen"):
        model.name = "other"  # type: ignore[misc]


def test_profile_needs_a_weight_for_each_part_of_its_period() -> None:
    with pytest.raises(ValueError, match="6 weights; a profile by weekday has 7"):
        Profile(by="weekday", weights=(1.0,) * 6)
