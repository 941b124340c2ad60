"""The model of London: its tables are current, its margins those published, each number with where it is from."""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

import flowsim
from flowsim.model.assumptions import assumptions
from flowsim.model.loading import LoadedModel, read_model

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "london"
FORMS = ("model", "with_clinics_and_nursing", "with_general_practice")
FLOWS = {
    "urgent_treatment": "urgent",
    "attendance": "attendance",
    "admitted_to_stay": "stay",
    "same_day": "same_day",
    "referred_directly": "direct",
}
"""Emergencies by need, and the flows of each."""
GENERAL_AND_ACUTE = {
    "medical ward", "surgical ward", "kept surgical beds", "elective ward", "orthopaedic ward", "children's ward",
    "stroke unit", "hyper-acute stroke unit", "major trauma ward", "specialist and other beds",
}  # fmt: skip


@pytest.fixture(scope="module")
def rebuild() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rebuild_london", FOLDER / "rebuild.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(FOLDER))  # it imports the files beside it, as when it is run
    spec.loader.exec_module(module)
    sys.path.remove(str(FOLDER))
    return module


@pytest.fixture(scope="module")
def forms() -> dict[str, LoadedModel]:
    return {name: read_model(FOLDER / f"{name}.yaml") for name in FORMS}


def rows(name: str, of: str = "tables") -> list[dict[str, str]]:
    with (FOLDER / of / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sums(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, value in pairs:
        found[key] = found.get(key, 0.0) + value
    return found


def people_of_2018() -> dict[tuple[str, str], float]:
    return {
        (row["place"], row["age_band"]): float(row["people"])
        for row in rows("population")
        if row["year"] == "2018" and row["variant"] == "principal"
    }


def asked_for(need: str) -> dict[str, float]:
    """Patients a year by place, of the people of 2018."""
    people = people_of_2018()
    return sums(
        (place, float(row["per_1000_a_year"]) * people[place, row["age_band"]] / 1000)
        for row in rows(f"need_{need}")
        for place in ([row["place"]] if "place" in row else {place for place, _ in people})
    )


def by_trust(need: str) -> dict[str, float]:
    """Patients a year by trust, of the people of 2018 and where they go."""
    trust, asked = {row["site"]: row["trust_code"] for row in rows("acute_sites", "sources")}, asked_for(need)
    return sums((trust[row["at"]], asked[row["place"]] * float(row["share"])) for row in rows(f"flows_{FLOWS[need]}"))


def of_year(column: str, is_of_type: Callable[[str], bool] = lambda _: True) -> dict[str, float]:
    """Published figures of 2018/19 by trust, of some types of A&E."""
    table = [row for row in rows("trust_ae_annual", "sources") if is_of_type(row["type"])]
    return sums((row["trust_code"], float(row[column] or 0)) for row in table)


# --- tables ---


def test_every_table_and_model_is_what_its_sources_and_parts_make(
    rebuild: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rebuild.main(["--check"]) == 0, capsys.readouterr().out


def test_no_table_stands_there_that_nothing_makes_and_nobody_reads(
    rebuild: ModuleType, forms: dict[str, LoadedModel]
) -> None:
    there = {path.stem for path in (FOLDER / "tables").glob("*.csv")}
    assert there == set(rebuild.tables())
    assert there == {file.stem for loaded in forms.values() for file in loaded.files if file.suffix == ".csv"}


def test_every_number_says_where_it_is_from(forms: dict[str, LoadedModel]) -> None:
    found = assumptions(forms["model"])
    assert len(found) > 600
    assert [row["field"] for row in found if not row["kind"] or not row["source"]] == []


# --- people and places ---


def test_london_has_its_boroughs_stps_and_neighbourhoods(rebuild: ModuleType) -> None:
    places = rows("places")
    level = {row["name"]: row["level"] for row in places}
    inside = [row for row in places if "Outside London" not in (row["name"], row["within"])]
    count = sums((row["level"], 1) for row in inside)
    assert count == {"root": 1, "stp": 5, "borough": 33, "neighbourhood": 178}
    assert sum(row["within"] == "Outside London" for row in places) == 5
    assert all(level[row["within"]] == "borough" for row in inside if row["level"] == "neighbourhood")
    shares = sums((row["within"], float(row["share"])) for row in places if row["level"] == "neighbourhood")
    assert shares == pytest.approx(dict.fromkeys(rebuild.boroughs(), 1.0))


def test_people_of_each_borough_are_those_of_the_projection_in_every_year(rebuild: ModuleType) -> None:
    source = rebuild.people.source("borough_population_snpp2018_5yr_bands_annual")
    published = sums((f"{row['borough']} {row['year']}", float(row["population"])) for row in source)
    table = sums(
        (f"{row['place']} {row['year']}", float(row["people"]))
        for row in rows("population")
        if row["variant"] == "principal" and not row["place"].startswith("Outside")
    )
    assert len(table) == 33 * len(rebuild.people.YEARS)
    assert table == pytest.approx({key: published[key] for key in table}, abs=1)
    london = sum(people for key, people in table.items() if key.endswith(" 2018"))
    assert london == pytest.approx(8_908_081, abs=40)  # mid-2018, ONS


@pytest.mark.parametrize("variant", ["high migration", "low migration"])
def test_high_and_low_migration_keep_the_published_totals(variant: str, rebuild: ModuleType) -> None:
    """Bands of 15-19 straddle two published ones: their total is not exact."""
    published = sums(
        (f"{row['borough']} {row['year']}", float(row["population"]))
        for row in rebuild.people.source("borough_population_by_age")
        if variant in row["basis"] and int(row["year"]) in rebuild.people.YEARS
    )
    table = sums(
        (f"{row['place']} {row['year']}", float(row["people"]))
        for row in rows("population")
        if row["variant"] == variant
    )
    assert published
    assert {key: table[key] for key in published} == pytest.approx(published, rel=3e-3)


# --- need and flows ---


@pytest.mark.parametrize("flow", sorted(path.stem for path in (FOLDER / "tables").glob("flows_*.csv")))
def test_shares_of_every_place_sum_to_1_over_sites_that_exist(flow: str) -> None:
    table, sites = rows(flow), {row["name"] for row in rows("sites")}
    places = sums((row["place"], float(row["share"])) for row in table)
    assert places == pytest.approx(dict.fromkeys(places, 1.0), abs=1e-9)
    assert {row["at"] for row in table} <= sites
    assert min(float(row["share"]) for row in table) > 0


def test_need_depends_on_age_alone_not_on_where_people_live(rebuild: ModuleType) -> None:
    """Admitted with or without a night is what the trust makes of it: together they are London's rate by age."""
    for need in ("attendance", "urgent_treatment", "referred_directly"):
        assert "place" not in rows(f"need_{need}")[0], need
    people, rate = people_of_2018(), rebuild.hospitals.emergencies()
    through = 1 - rebuild.hospitals.DIRECT_SHARE
    wanted = sums((place, number * rate[band] / 1000 * through) for (place, band), number in people.items())
    stays, same_day = asked_for("admitted_to_stay"), asked_for("same_day")
    new = 1 - rebuild.hospitals.RETURN_SHARE
    assert {place: stays[place] / new + same_day[place] for place in wanted} == pytest.approx(wanted, rel=1e-3)


def test_attendances_and_admissions_of_each_trust_are_those_published(rebuild: ModuleType) -> None:
    """Of those who stay a part has been in before: these the model makes itself, so their need is without them."""
    stays, same_day, sent_home = (by_trust(need) for need in ("admitted_to_stay", "same_day", "attendance"))
    admitted = {trust: stays[trust] / (1 - rebuild.hospitals.RETURN_SHARE) + same_day[trust] for trust in stays}
    published = of_year("admissions")
    assert len(admitted) == 18
    assert admitted == pytest.approx({trust: published[trust] for trust in admitted}, rel=1e-3)
    assert sum(admitted.values()) == pytest.approx(sum(published.values()), rel=1e-3)
    type_1 = of_year("attendances", lambda kind: kind == "1")
    assert {trust: sent_home[trust] + admitted[trust] for trust in admitted} == pytest.approx(type_1, rel=1e-3)
    other = of_year("attendances", lambda kind: kind != "1")
    assert by_trust("urgent_treatment") == pytest.approx({trust: one for trust, one in other.items() if one}, rel=1e-3)


# --- hospitals ---


def test_london_has_the_sites_and_centres_it_had() -> None:
    units = sums((row["setting"], 1) for row in rows("units"))
    assert units["A&E doctors"] == units["A&E cubicles"] == 28
    assert units["hyper-acute stroke unit"] == 8
    assert units["major trauma ward"] == 4
    roles = {row["site"]: row["role"] for row in rows("acute_sites", "sources")}
    for setting, role in (("hyper-acute stroke unit", "HASU"), ("major trauma ward", "major trauma")):
        at = {row["at"] for row in rows("units") if row["setting"] == setting}
        assert at == {site for site, said in roles.items() if role in said}, setting


def test_general_and_acute_beds_of_each_trust_are_those_of_kh03() -> None:
    """Each ward has whole beds, rounded: a trust's may miss by half a bed a ward, and miss by less in sum."""
    quarters = rows("trust_beds_quarterly_kh03", "sources")
    published = sums((row["trust_code"], float(row["kh03_avail_ga_avg_beds"]) / 4) for row in quarters)
    trust = {row["site"]: row["trust_code"] for row in rows("acute_sites", "sources")}
    wards = [row for row in rows("units") if row["setting"] in GENERAL_AND_ACUTE]
    beds = sums((trust[row["at"]], float(row["capacity"])) for row in wards)
    assert beds == pytest.approx(published, abs=2)
    assert sum(beds.values()) == pytest.approx(sum(published.values()), abs=5)


# --- how it runs ---


@pytest.mark.parametrize("name", FORMS)
def test_every_wait_that_holds_a_bed_or_a_cubicle_ends(name: str, forms: dict[str, LoadedModel]) -> None:
    """A step that holds another's unit has a patience, or a unit without end: no ring can close for ever."""
    model = forms[name].model
    unlimited = {name for name, one in model.settings.items() if one.capacity is not None and one.capacity.unlimited}
    for pathway in model.pathways.values():
        for step_name, step in pathway.steps.items():
            assert not step.holds or step.patience is not None or step.in_ in unlimited, step_name


def test_both_engines_make_the_same_first_day() -> None:
    found = flowsim.verify(FOLDER / "model.yaml", days=1)
    assert found.comparison.is_equal
    assert found.document()["patients"] > 100_000
