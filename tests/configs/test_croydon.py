"""The model of Croydon: its tables are current, its figures those published, each with where it is from."""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from flowsim.model.loading import LoadedModel, read_model

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "croydon"


@pytest.fixture(scope="module")
def rebuild() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rebuild_croydon", FOLDER / "rebuild.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(FOLDER))  # it imports practice.py beside it, as when it is run
    spec.loader.exec_module(module)
    sys.path.remove(str(FOLDER))
    return module


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return read_model(FOLDER)


@pytest.fixture(scope="module")
def with_practice() -> LoadedModel:
    return read_model(FOLDER / "with_general_practice.yaml")


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_derived_table_is_what_its_sources_make(rebuild: ModuleType) -> None:
    for name, lines in rebuild.tables().items():
        assert (FOLDER / "tables" / f"{name}.csv").read_text(encoding="utf-8") == rebuild.text(lines), name


def test_the_model_with_general_practice_is_what_its_two_parts_make(rebuild: ModuleType) -> None:
    assert (FOLDER / "with_general_practice.yaml").read_text(encoding="utf-8") == rebuild.practice_model()


def test_no_table_stands_there_that_nothing_makes_and_nobody_reads(
    rebuild: ModuleType, loaded: LoadedModel, with_practice: LoadedModel
) -> None:
    there = {path.stem for path in (FOLDER / "tables").glob("*.csv")}
    assert there == set(rebuild.tables()) | {"places", "sites", "units"}
    assert there == {file.stem for one in (loaded, with_practice) for file in one.files if file.suffix == ".csv"}


def test_profiles_and_bed_steps_in_the_model_are_what_the_sources_make(
    rebuild: ModuleType, loaded: LoadedModel
) -> None:
    model = loaded.model
    for name, weights in rebuild.profiles().items():
        assert list(model.profiles[name].weights) == weights, name
    level, levels = 0, []
    for change in model.capacity_changes[:4]:
        assert change.add is not None
        level += change.add
        levels.append(level)
    assert levels == rebuild.bed_steps()
    assert sum(change.add or 0 for change in model.capacity_changes) == 0


def test_attendances_and_admissions_of_the_first_year_are_those_published(rebuild: ModuleType) -> None:
    people: dict[str, float] = {}
    for row in rows("population"):
        if row["year"] == "2018" and row["variant"] == "principal":
            people[row["age_band"]] = people.get(row["age_band"], 0.0) + float(row["people"])

    def a_year(need: str, shares: dict[str, float] | None = None) -> float:
        rates = {row["age_band"]: float(row["per_1000_a_year"]) for row in rows(f"need_{need}")}
        return sum(rate * people[band] / 1000 * (shares or {}).get(band, 1.0) for band, rate in rates.items())

    streamed = {row["age_band"]: float(row["share"]) for row in rows("streaming") if row["to"] == "urgent treatment"}
    turned_away, to_urgent = rebuild.TURNED_AWAY_A_YEAR, rebuild.TURNED_AWAY_TO_URGENT_SHARE
    urgent = a_year("attendance", streamed)
    stays = a_year("admitted_to_stay") + rebuild.RETURNS_A_YEAR
    assert urgent + turned_away * to_urgent == pytest.approx(133_773, rel=1e-4)
    assert stays + a_year("same_day") == pytest.approx(23_149, rel=1e-4)
    sent_home = a_year("attendance") - urgent + turned_away * (1 - to_urgent)
    assert sent_home + stays + a_year("same_day") == pytest.approx(80_682, rel=1e-4)


def test_referrals_end_in_the_operations_and_day_cases_that_were_derived(
    rebuild: ModuleType, loaded: LoadedModel
) -> None:
    planned, steps = rebuild.planned_care(), loaded.model.pathways["planned care"].steps
    (first,), (second,) = steps["first clinic"].then.rows(), steps["second clinic"].then.rows()
    for name, kind in (
        ("ordinary list", "ordinary"), ("day surgery list", "day surgery"), ("day treatment", "day treatment"),
    ):  # fmt: skip
        share = first[name] + first["tests"] * second[name]
        assert share * planned["referrals"] == pytest.approx(planned[kind], rel=5e-3), name


def test_people_of_croydon_are_those_of_the_projection_in_every_year(rebuild: ModuleType) -> None:
    published: dict[str, float] = {}
    for row in rebuild.source("borough_population_snpp2018_5yr_bands_annual"):
        published[row["year"]] = published.get(row["year"], 0.0) + float(row["population"])
    table: dict[str, float] = {}
    for row in rows("population"):
        if row["place"].startswith("Croydon ") and row["variant"] == "principal":
            table[row["year"]] = table.get(row["year"], 0.0) + float(row["people"])
    assert table == pytest.approx(published)
    assert min(table) == "2018" and max(table) == "2031"


def test_high_and_low_migration_keep_the_published_totals_of_broad_bands(rebuild: ModuleType) -> None:
    """15-19 straddles two broad bands, so only the total is not exact; from 65 every band is."""
    for variant in ("high migration", "low migration"):
        people = rebuild.projection(variant)
        wide = {
            (int(row["year"]), row["age_band"]): float(row["population"])
            for row in rebuild.source("borough_population_by_age")
            if variant in row["basis"]
        }
        for year in (2021, 2026, 2031):
            assert people[year, "75-79"] + people[year, "80-84"] == pytest.approx(wide[year, "75-84"], rel=1e-3)
            whole = sum(people[year, band] for band in rebuild.BANDS)
            assert whole == pytest.approx(sum(wide[year, band] for y, band in wide if y == year), rel=1e-3)


def test_general_and_acute_beds_are_those_of_kh03(rebuild: ModuleType, loaded: LoadedModel) -> None:
    model = loaded.model
    wards = ("medical ward", "surgical ward", "kept surgical beds", "elective ward", "children's ward")
    beds = 0
    for name in wards:
        capacity = model.settings[name].capacity
        assert capacity is not None and capacity.beds is not None
        beds += capacity.beds
    beds += sum(
        int(row["capacity"]) for row in rows("units") if row["setting"] == "stroke unit" and row["of"] == "beds"
    )
    kh03 = rebuild.source("trust_beds_quarterly_kh03", trust_code="RJ6")
    quarters = [float(row["kh03_avail_ga_avg_beds"]) for row in kh03]
    assert beds == round(sum(quarters) / 4)


@pytest.mark.parametrize("which", ["loaded", "with_practice"])
def test_every_number_says_where_it_is_from(which: str, request: pytest.FixtureRequest) -> None:
    loaded: LoadedModel = request.getfixturevalue(which)
    nobody = []
    for path, value in _leaves(loaded.tree.data):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        is_length = isinstance(value, str) and value[:1].isdigit() and " " in value
        if (is_number or is_length) and path != ("flowsim",):
            provenance = loaded.tree.provenance_of(path)
            if provenance.kind is None or provenance.source is None:
                nobody.append(path)
    assert nobody == []
    for read in loaded.tables:
        assert all(one.kind and one.source for one in read.table.provenance), read.path


def _leaves(data: object, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], object]]:
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in _leaves(value, (*path, key))]
    if isinstance(data, list):
        return [leaf for place, value in enumerate(data) for leaf in _leaves(value, (*path, place))]
    return [(path, data)]


def test_every_wait_that_holds_a_bed_or_a_cubicle_ends(loaded: LoadedModel) -> None:
    """A step that holds another's unit has a patience, or a unit without end: no ring can close for ever."""
    model = loaded.model
    unlimited = {name for name, one in model.settings.items() if one.capacity is not None and one.capacity.unlimited}
    for pathway in model.pathways.values():
        for name, step in pathway.steps.items():
            assert not step.holds or step.patience is not None or step.in_ in unlimited, name


def test_every_cubicle_and_ward_bed_that_is_held_is_given_back(loaded: LoadedModel) -> None:
    """Each step that a cubicle's patient may go to next gives the cubicle back when it starts."""
    pathway = loaded.model.pathways["emergency admission"]
    for held in ("A&E cubicle", "assessment"):
        nexts = {to for row in pathway.steps[held].then.rows() for to in row if to != "leave"}
        assert all(held in pathway.steps[to].holds for to in nexts), held
