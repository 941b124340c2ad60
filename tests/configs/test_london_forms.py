"""The larger forms of London: made of their parts, with the numbers that were derived, each with where it is from."""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from flowsim.model.assumptions import assumptions
from flowsim.model.loading import LoadedModel, read_model

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "london"
FORMS = ("with_clinics_and_nursing", "with_general_practice")


def _module(name: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER))  # they import each other, as when they are run
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def forms() -> ModuleType:
    return _module("forms")


@pytest.fixture(scope="module")
def clinics() -> ModuleType:
    return _module("clinics")


@pytest.fixture(scope="module")
def practice() -> ModuleType:
    return _module("general_practice")


@pytest.fixture(scope="module")
def people() -> ModuleType:
    return _module("people")


@pytest.fixture(scope="module")
def loaded() -> dict[str, LoadedModel]:
    return {form: read_model(FOLDER / f"{form}.yaml") for form in FORMS}


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def a_year(people: ModuleType, need: str, residents_only: bool = False) -> float:
    """Patients a year of a table of need, of the people of 2018."""
    lines = rows(f"need_{need}")
    everywhere = "place" not in lines[0]
    rates = {("" if everywhere else line["place"], line["age_band"]): float(line["per_1000_a_year"]) for line in lines}
    return sum(
        number / 1000 * rates["" if everywhere else place, band]
        for place in (people.boroughs() if residents_only else people.residences())
        for band, number in people.people_of(place).items()
    )


# ---- putting a part into a model ----

MODEL = """\
# what it is
name: small
title: >
  Words: not keys.

settings:
  ward: {capacity: 4 beds}               # a few

pathways:
  one:
    arrivals:
      - {per_day: 1}
    steps:
      bed: {in: ward, stay: 1 days}

  two:
    steps:
      other: {in: ward, stay: 2 days}

# ---- the end

clocks:
  a day: {from: bed joined, to: bed left, standard: 1 days}
"""


def test_a_key_that_the_model_has_is_taken_from_the_part(forms: ModuleType) -> None:
    made = forms.merged(MODEL, "# of the part\nname: larger\n")
    assert made == MODEL.replace("small", "larger")


def test_new_keys_go_to_the_end_of_their_section_before_what_parts_it_from_the_next(forms: ModuleType) -> None:
    made = forms.merged(MODEL, "settings:\n  home: {capacity: unlimited}\n")
    assert made == MODEL.replace("# a few\n", "# a few\n  home: {capacity: unlimited}\n")


def test_mappings_are_gone_into_and_lists_added_to(forms: ModuleType) -> None:
    part = (
        "pathways:\n  one:\n    arrivals:\n      - {per_day: 2}\n    steps:\n      chair: {in: ward, stay: 1 hours}\n"
    )
    made = forms.merged(MODEL, part)
    assert made == MODEL.replace(": 1}\n", ": 1}\n      - {per_day: 2}\n").replace(
        "1 days}\n\n", "1 days}\n      chair: {in: ward, stay: 1 hours}\n\n", 1
    )


def test_a_key_with_nothing_in_it_takes_that_of_the_model_away(forms: ModuleType) -> None:
    made = forms.merged(MODEL, "pathways:\n  two:                  # not here\n")
    assert "two:" not in made and "clocks:" in made and "one:" in made
    with pytest.raises(SystemExit, match="three"):
        forms.merged(MODEL, "pathways:\n  three:\n")


# ---- the forms ----


@pytest.mark.parametrize("form", FORMS)
def test_every_number_of_a_form_says_where_it_is_from(form: str, loaded: dict[str, LoadedModel]) -> None:
    assert [row["field"] for row in assumptions(loaded[form]) if not row["kind"] or not row["source"]] == []


def test_referrals_end_in_the_operations_and_day_cases_of_the_model_that_ships(
    clinics: ModuleType, loaded: dict[str, LoadedModel]
) -> None:
    year = clinics.planned()
    steps = loaded["with_clinics_and_nursing"].model.pathways["planned care"].steps
    planned = {"theatre list": "operations", "day surgery list": "day surgery", "day treatment": "day treatment"}
    for kind, ends in (("", planned), ("orthopaedic ", {"orthopaedic list": "orthopaedics"})):
        (first,) = steps["orthopaedic clinic" if kind else "first clinic"].then.rows()
        (second,) = steps[f"second {kind}clinic"].then.rows()
        tested = first[f"{kind}tests"]
        assert tested == clinics.TESTED
        for step, treated in ends.items():
            share = first[step] + tested * second[step]
            assert share * year[f"{kind}referrals"] == pytest.approx(year[treated], rel=3e-3), step
    day_cases = year["day surgery"] + year["day treatment"] + year["repeated day treatment"]
    assert day_cases == pytest.approx(sum(_module("beds").patients()["day cases"].values()))


def test_courses_of_follow_up_are_as_many_as_their_visits_and_cost_say(
    clinics: ModuleType, loaded: dict[str, LoadedModel]
) -> None:
    year = clinics.planned()
    attended = year["first attendances"] + year["results"] + year["courses"] * year["visits a course"]
    assert attended == pytest.approx(year["first attendances"] * (1 + clinics.FOLLOW_UPS_PER_FIRST))
    assert attended == pytest.approx(16.6e6, rel=0.01)
    costs = loaded["with_clinics_and_nursing"].model.settings["follow-up clinics"].costs
    assert costs is not None and costs.per_visit == round(120 * year["visits a course"])


def test_there_are_as_many_clinics_and_lists_as_planned_at_the_waits_from_which_the_first_day_is_made(
    clinics: ModuleType, loaded: dict[str, LoadedModel]
) -> None:
    responses = loaded["with_clinics_and_nursing"].model.responses
    points = {
        (one.follows.mean_wait or "").removesuffix(" at {site}"): one.points
        for one in responses.values()
        if one.follows.mean_wait
    }
    assert points == {
        setting: tuple((24 * 7 * (middle + more * spread), 1 + more / 10) for more in (-1, 0, 1))
        for setting, (middle, spread) in clinics.WAIT_WEEKS.items()
    }


def test_contacts_of_nursing_and_practice_are_those_read_for_each_resident(
    clinics: ModuleType, practice: ModuleType, people: ModuleType
) -> None:
    residents = sum(sum(people.people_of(borough).values()) for borough in people.boroughs())
    nursed = a_year(people, "community_nursing") * clinics.CONTACTS_PER_EPISODE
    assert nursed == pytest.approx(0.76 * residents, rel=1e-4) == pytest.approx(6.8e6, rel=0.01)
    kinds = [f"general_practice_{kind.replace(' ', '_')}" for kind in practice.KINDS]
    seen = sum(a_year(people, kind) for kind in kinds)
    assert seen == pytest.approx(5.5 * residents, rel=1e-4) == pytest.approx(49e6, rel=0.01)


def test_walk_ins_are_fewer_by_those_whom_general_practice_turns_away(practice: ModuleType, people: ModuleType) -> None:
    for kind, need in (("urgent", "urgent_treatment"), ("attendance", "attendance")):
        without = a_year(people, f"{need}_with_general_practice")
        assert a_year(people, need) - without == pytest.approx(practice.TURNED_AWAY[kind], rel=1e-3), need


def test_each_of_the_neighbourhoods_has_a_caseload_and_appointments_of_every_kind(
    practice: ModuleType, people: ModuleType
) -> None:
    places = {name for borough in people.boroughs() for name, *_ in people.neighbourhoods(borough)}
    assert len(places) == 178
    units = [row for row in rows("units_with_general_practice") if int(row["capacity"]) > 0]
    for setting in ("community nursing", *practice.KINDS):
        assert {row["at"] for row in units if row["setting"] == setting} == places, setting
