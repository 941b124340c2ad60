"""Laws of the shares of people, the year of the population, and lists that stand in a table."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.model.assumptions import assumptions
from flowsim.model.digest import digest
from flowsim.model.levers import LeverError, parse_lever
from flowsim.model.loading import LoadedModel, load_model, read_model

TOWN = Path(__file__).parent.parent / "fixtures" / "town"
PLACES = """name,level,within,latitude,longitude,share
London,root,,51.5,-0.1,
Barnet,borough,London,51.6,-0.2,
Bexley,borough,London,51.4,0.1,
Barnet North,neighbourhood,Barnet,51.6,-0.2,0.25
Barnet South,neighbourhood,Barnet,51.6,-0.2,0.75
"""
CHANGES = "capacity_changes:\n  - {setting: home care, at: Barnet, add: 5, from: 2018-10-01, ramp: 3 months}\n"
FIRST = "first_day:\n  - {pathway: emergency, step: ward, at: KGH, inside: 20}\n"
TABLES = {
    "changes": "setting,at,from,add,ramp,source,kind\nhome care,Barnet,2018-10-01,5,3 months,a plan,read\n",
    "first": "pathway,step,at,inside,waiting,waited_up_to,kind,source\nemergency,ward,KGH,20,,,read,KH03\n",
}


def town(folder: Path, text: dict[str, str], **tables: str) -> LoadedModel:
    shutil.copytree(TOWN, folder / "town", dirs_exist_ok=True)
    model = folder / "town" / "model.yaml"
    content = model.read_text(encoding="utf-8")
    for old, new in text.items():
        assert old in content
        content = content.replace(old, new)
    model.write_text(content, encoding="utf-8")
    for name, rows in tables.items():
        (folder / "town" / "tables" / f"{name}.csv").write_text(rows, encoding="utf-8")
    return read_model(folder / "town")


def refused(folder: Path, text: dict[str, str], **tables: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        town(folder, text, **tables)
    return [str(fault).split("tables/")[-1] for fault in caught.value.faults]


# ---- shares and years ----


def test_places_that_have_people_by_share_are_served_by_rows_of_the_place_above(tmp_path: Path) -> None:
    """The shares of sites, and home care, stand for the borough."""
    assert len(town(tmp_path, {}, places=PLACES).model.population.table) == 18  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.75", "0.7", "places.csv:6: share = 0.7: shares of the places in 'Barnet' sum to 0.95, must sum to 1"),
        ("0.75", "", "places.csv:6: share: the places beside it in 'Barnet' have shares: give it one, such as 0"),
        ("0.1,\nBarnet", "0.1,0.5\nBarnet", "places.csv:4: share = 0.5: has people of its own"),
        ("-0.1,\n", "-0.1,1\n", "places.csv:2: share = 1.0: the table of population has no people for 'London'"),
        ("0.75", "-1", "places.csv:6: share = '-1': must be a share from 0 to 1"),
    ],
)
def test_share_that_cannot_be_is_refused_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = refused(tmp_path, {}, places=PLACES.replace(old, new))
    assert [fault for fault in found if fault.startswith(message)], found


def test_own_people_and_shares_beside_each_other_are_refused(tmp_path: Path) -> None:
    rows = (TOWN / "tables" / "population.csv").read_text(encoding="utf-8")
    more = "".join(f"Barnet South{row[6:]}\n" for row in rows.splitlines() if row.startswith("Barnet"))
    found = refused(tmp_path, {}, places=PLACES.replace("0.75", ""), population=rows + more)
    assert any(
        "share: has people of its own, and places beside it a share of those of 'Barnet'" in one for one in found
    )


def test_shares_without_a_population_are_refused(tmp_path: Path) -> None:
    text = {
        "population: tables/population.csv\n": "",
        "from: population, need: tables/need.csv": "per_day: 3, residence: Barnet, ages: {0-17: 0, 18-64: 1, 65+: 0}",
    }
    found = refused(tmp_path, text, places=PLACES)
    assert any("places.csv:5: share = 0.25: the model has no population" in one for one in found)


def test_year_that_the_table_does_not_have_is_refused(tmp_path: Path) -> None:
    as_in = "population: {table: tables/population.csv, as_in: 2012}"
    (fault,) = refused(tmp_path, {"population: tables/population.csv": as_in})
    assert "population.as_in = 2012: the table has no people of this year, but of 2017 to 2019" in fault
    with pytest.raises(LeverError, match="no people of 2012, but of 2017 to 2019"):
        parse_lever("demand growth", {"people_as_in": 2012}, load_model(TOWN))


# ---- lists in tables ----


def test_lists_in_tables_are_the_same_model(tmp_path: Path) -> None:
    text = {CHANGES: "capacity_changes: tables/changes.csv\n", FIRST: "first_day: tables/first.csv\n"}
    loaded = town(tmp_path, text, **TABLES)
    listed = load_model(TOWN)
    assert loaded.model.first_day == listed.first_day
    assert loaded.model.capacity_changes == listed.capacity_changes
    assert digest(loaded) == digest(read_model(TOWN))


def test_numbers_of_a_list_in_a_table_are_among_the_assumptions(tmp_path: Path) -> None:
    text = {CHANGES: "capacity_changes: tables/changes.csv\n", FIRST: "first_day: tables/first.csv\n"}
    rows = {row["field"]: row for row in assumptions(town(tmp_path, text, **TABLES))}
    assert rows["capacity_changes: ramp"]["value"] == "1 value, 2,190"
    assert rows["capacity_changes: ramp"]["measured_in"] == "hours"
    assert rows["first_day: inside"] == {
        "field": "first_day: inside", "value": "1 value, 20", "measured_in": "patients", "kind": "read",
        "source": "KH03",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        ("first", "emergency,wrad,KGH,2,,,,", "step = 'wrad': there is no step of this name in 'emergency' (did you"),
        ("first", "emergncy,ward,KGH,2,,,,", "pathway = 'emergncy': there is no pathway of this name"),
        ("first", "emergency,ward,Queens,51,,,,", "inside = 51: 51 patients inside, and 'ward at Queens' has 50 beds"),
        ("first", "emergency,ward,,5,,,,", "at: 'ward' has 2 units: say which with `at`"),
        ("first", "emergency,ward,KGH,5,,,,", "another row with other numbers stands for it on line 2"),
        ("first", "emergency,ward,Queens,,2,4 hrs,,", "waited_up_to = '4 hrs': write 4 hours"),
        ("first", "emergency,ward,Queens,-2,,,,", "inside = '-2': must be 0 or more"),
        ("changes", "home car,Barnet,2018-10-01,5,,,", "setting = 'home car': there is no setting of this name"),
        ("changes", "home care,Barnt,2018-10-01,5,,,", "at = 'Barnt': there is no place or site of this name"),
        ("changes", "home care,Bexley,2018-10-01,-99,,,", "add = -99: removes more than there is"),
        ("changes", "home care,Bexley,2018-10-01,,,,", "give exactly one of add, set, times, staffed_share"),
        ("changes", "home care,,2018-10-01,5,,,", "'home care' has 2 units: say which with `at`"),
        ("changes", "home care,Bexley,1 Oct 2018,5,,,", "from = '1 Oct 2018': must be a date"),
    ],
)
def test_row_of_a_list_that_cannot_be_is_refused_with_its_line(
    tmp_path: Path, name: str, row: str, message: str
) -> None:
    text = {CHANGES: "capacity_changes: tables/changes.csv\n", FIRST: "first_day: tables/first.csv\n"}
    (fault,) = refused(tmp_path, text, **{**TABLES, name: f"{TABLES[name]}{row}\n"})
    assert fault.startswith(f"{name}.csv:3: ") and message in fault
