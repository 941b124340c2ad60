"""The ledger of moved work of an experiment: lever by lever, on the same patients, balanced."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.errors import InputError
from flowsim.experiment.moving import KINDS
from flowsim.experiment.scenarios import LoadedExperiment, Scenario, load_experiment
from flowsim.model.levers import LeverError, parse_lever
from flowsim.show import cli

TEXT = """\
flowsim: 1
name: night
title: The ward is closed, and home care follows
question: Who goes where?
model: town.yaml
days: 30
replications: 1
scenarios:
  as it is: []
  both:
    - close service: {setting: ward, at: North, from: 2001-01-10, to: South, adds: 5}
    - social care: {setting: home care, from: 2001-01-15, refused_share: 0.5, instead: without}
  nothing moves:
    - capacity: {setting: home care, add: 5, from: 2001-01-01}
baseline: as it is
measures: {beds: beds_in_use}
"""
TOWN = """\
flowsim: 1
name: town
title: A town
start: 2001-01-01
places: places.csv
sites: sites.csv
units: units.csv
settings:
  ward: {level: stp}
  home care: {level: borough, capacity: 200 beds}
  home: {capacity: unlimited}
pathways:
  people:
    arrivals: {per_day: 20, residence: {Up: 0.5, Down: 0.5}}
    steps:
      ward: {in: ward, at: nearest, stay: {exponential: 2 days}, then: {home care: 0.5, leave: 0.5}}
      home care: {in: home care, holds: ward, stay: {exponential: 5 days}, patience: {fixed: 9 days, otherwise: without}}
      without: {in: home, holds: ward, stay: 1 days, then: {ward: 0.2, leave: 0.8}}
"""
GROWING = """\
flowsim: 1
name: growing
title: More people each year
question: Who comes?
model: more.yaml
years: ['2001', '2002', '2003']
replications: 1
scenarios:
  as it is: []
  fewer: [{demand growth: {growth: {people: -0.1}}}]
  more, and a shift:
    - demand growth: {growth: {people: 0.4}}
    - community shift: {from: ward, to: home care, share: 0.3, start: 2002-01-01}
baseline: as it is
measures: {beds: beds_in_use}
"""
MORE = (
    TOWN.replace("{per_day: 20,", "{growth: people, per_day: 2,")
    + "growth: {people: {a_year: 0.1, from: 2001-01-01}}\n"
)
TABLES = {
    "places.csv": "name,level,within,latitude,longitude\nTown,root,,51.5,-0.1\nUp,borough,Town,51.6,-0.1\n"
    "Down,borough,Town,51.4,-0.1\n",
    "sites.csv": "name,within,latitude,longitude\nNorth,Up,51.6,-0.1\nSouth,Down,51.4,-0.1\n",
    "units.csv": "setting,at,capacity\nward,North,100\nward,South,100\n",
    "parts.csv": "name,level,within,latitude,longitude\nTown,root,,51.5,-0.1\n"
    "Upper,stp,Town,51.6,-0.1\nLower,stp,Town,51.4,-0.1\n"
    "Up,borough,Upper,51.6,-0.1\nDown,borough,Lower,51.4,-0.1\n",
}
PARTS = TOWN.replace("places.csv", "parts.csv").replace("200 beds", "100 beds")
FEWER = (
    TEXT[: TEXT.index("scenarios")].replace("town.yaml", "parts.yaml")
    + """\
scenarios:
  as it is: []
  fewer at North:
    - capacity: {setting: home care, add: 1, from: 2001-01-02}
    - capacity: {setting: ward, at: North, add: -95, from: 2001-01-10}
  nothing moves:
    - capacity: {setting: ward, at: South, add: 5, from: 2001-01-10}
baseline: as it is
measures: {beds: beds_in_use}
"""
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    files = {"town.yaml": TOWN, "night.yaml": TEXT, "more.yaml": MORE, "growing.yaml": GROWING}
    files |= {"parts.yaml": PARTS, "fewer.yaml": FEWER}
    for name, text in {**TABLES, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "night.yaml"


@pytest.fixture(scope="module")
def loaded(file: Path) -> LoadedExperiment:
    return load_experiment(file)


def row(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in found["care"] if one["name"] == name)


def test_each_lever_is_compared_with_the_run_before_it(loaded: LoadedExperiment) -> None:
    closed, refused, idle = loaded.moved()
    assert [one["scenario"] for one in (closed, refused, idle)] == ["both", "both", "nothing moves"]
    assert closed["lever"].startswith("close service: ward at North")
    assert refused["care"] and row(refused, "home care")["visits_removed"] > 20
    assert idle["care"] == idle["flows"] == []
    assert idle["patients"]["same"] == idle["patients"]["both"]


def test_a_closed_unit_loses_to_the_other_visit_by_visit_and_day_by_day(loaded: LoadedExperiment) -> None:
    closed = next(loaded.moved("both", by="unit"))
    north, south = row(closed, "ward at North"), row(closed, "ward at South")
    assert north["visits_removed"] == south["visits_added"] > 100
    assert north["days_removed"] == pytest.approx(south["days_added"]), "the same luck stays as long"
    assert {(flow["from"], flow["to"]) for flow in closed["flows"]} == {("ward at North", "ward at South")}
    assert south["km_before"] == pytest.approx(0, abs=0.01) and south["km_after"] > 5, "they come from further away"
    assert not any(one["name"].startswith("door of") for one in closed["care"])


def test_by_setting_a_move_between_units_changes_nothing_but_the_way_from_home(loaded: LoadedExperiment) -> None:
    closed = next(loaded.moved("both"))
    (ward,) = closed["care"]
    assert ward["visits_removed"] == ward["visits_added"] == ward["days_removed"] == ward["days_added"] == 0
    assert ward["km_before"] == pytest.approx(0, abs=0.01) and ward["km_after"] > 5
    assert closed["flows"] == [] and closed["patients"]["other_times"] > 100


def test_by_area_only_those_who_live_by_what_is_closed_have_further_to_go(loaded: LoadedExperiment) -> None:
    closed = next(loaded.moved("both", by="area"))
    assert [one["name"] for one in closed["care"]] == ["Up"]
    up = row(closed, "Up")
    assert up["km_before"] == pytest.approx(0, abs=0.01) and up["km_after"] > 10


def test_those_refused_are_told_with_what_they_get_instead(loaded: LoadedExperiment) -> None:
    _, refused = loaded.moved("both")
    flows = {(flow["from"], flow["to"]): flow["visits"] for flow in refused["flows"]}
    assert flows["home care", "home"] > 20
    came_back = [visits for (source, to), visits in flows.items() if source.startswith("further") and to == "ward"]
    assert came_back and came_back[0] > 0


@pytest.fixture(scope="module")
def growth(file: Path) -> list[dict[str, Any]]:
    return list(load_experiment(file.with_name("growing.yaml")).moved())


def test_those_prevented_are_booked_as_prevented_and_nobody_else_is_touched(loaded: LoadedExperiment) -> None:
    model = loaded.base.model
    spec = {"pathway": "people", "share": 0.5, "start": "2001-01-05", "places": ["Up"]}
    lever = parse_lever("prevention", spec, model)
    scenario = Scenario("fewer", (lever,), lever.apply(model))
    (found,) = replace(loaded, scenarios=(scenario,)).moved("fewer")
    assert found["patients"]["same"] == found["patients"]["both"] > 0 == found["patients"]["only_after"]
    (stream,) = found["arrivals"]
    assert (stream["stream"], stream["gone"]) == ("people | Up", found["patients"]["only_before"])
    assert {flow["to"] for flow in found["flows"]} == {"prevented"}
    assert row(found, "ward")["visits_removed"] >= stream["gone"] > 10


def test_of_several_years_the_last_is_run(growth: list[dict[str, Any]]) -> None:
    assert [one["year"] for one in growth] == ["2003"] * 3
    visits = row(growth[1], "ward")["visits_before"]
    assert visits == pytest.approx(2 * 365 * 1.1**2.5 * 1.1, rel=0.15), (
        "a year of those who grew for two, and some back"
    )


def test_growth_adds_arrivals_and_changes_nothing_where_nobody_queues(growth: list[dict[str, Any]]) -> None:
    fewer, more, shift = growth
    for one, side, other in ((fewer, "gone", "new"), (more, "new", "gone")):
        assert {(stream["pathway"], stream["stream"]) for stream in one["arrivals"]} == {
            ("people", "people | Up"), ("people", "people | Down"),
        }  # fmt: skip
        assert all(stream[side] > 100 and stream[other] == 0 for stream in one["arrivals"])
        assert one["patients"]["same"] == one["patients"]["both"]
    assert shift["arrivals"] == [] and shift["patients"]["other_care"] > 100


def test_the_patients_of_each_stream_balance(growth: list[dict[str, Any]]) -> None:
    for one in growth:
        assert all(each["before"] - each["gone"] + each["new"] == each["after"] for each in one["arrivals"])
        assert sum(each["new"] for each in one["arrivals"]) == one["patients"]["only_after"]
        assert sum(each["gone"] for each in one["arrivals"]) == one["patients"]["only_before"]


def test_the_command_tells_arrivals_by_pathway(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["moved", str(file.with_name("growing.yaml")), "--scenario", "fewer", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "Patients in both runs of 2003:" in text
    assert any(line.split()[:2] == ["people", "2"] for line in text.splitlines())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scenario": "bth"}, "did you mean 'both'"),
        ({"scenario": "as it is"}, "changes nothing"),
        ({"by": "wards"}, "one of setting"),
        ({"replication": 0}, "from 1 to"),
        ({"days": 31}, "from 1 to 30"),
    ],
)
def test_what_is_not_there_is_refused(loaded: LoadedExperiment, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        next(loaded.moved(**options))


def test_the_command_prints_a_table_for_each_lever(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["moved", str(file), "--scenario", "both", "--by", "unit", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert text.count("Balanced: every visit removed or added") == 2
    assert "both: close service: ward at North" in text and "ward at South" in text


def test_the_command_speaks_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["moved", str(file), "--scenario", "both", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["moved"]
    assert [set(one) for one in found] == [
        {"scenario", "lever", "year", "days", "patients", "arrivals", "care", "flows"}
    ] * 2
    assert cli.run(["moved", str(file), "--scenario", "none"]) == 2


# ---- how far a scenario reached, in a model of several STPs ----


@pytest.fixture(scope="module")
def parts(file: Path) -> list[dict[str, Any]]:
    return list(load_experiment(file.with_name("fewer.yaml")).moved())


def test_with_the_last_lever_comes_how_far_the_scenario_reached(parts: list[dict[str, Any]]) -> None:
    first, last, idle = parts
    assert "reached" not in first
    counts, homes = last["reached"]["patients"], {one["home"]: one for one in last["reached"]["homes"]}
    assert counts["changed"] == counts["by_queue"] > 50, "who waits at North, and who waits for home care then"
    assert counts["patients"] == counts["changed"] + counts["met_and_same"] + counts["met_nobody"]
    assert set(homes) == {"Upper", "Lower"}
    assert homes["Upper"]["changed"] > 50 and homes["Upper"]["care"]["Upper"] > 50
    for name in ("patients", "changed", "met_nobody"):
        assert counts[name] == sum(one[name] for one in homes.values())
    assert counts["changed"] == sum(count for one in homes.values() for count in one["care"].values())
    (north,) = (one for one in last["reached"]["pools"] if one["pool"] == "ward at North")
    assert (north["stp"], north["has_other_places"]) == ("Upper", True) and north["first_on"] >= "2001-01-10"
    assert idle["reached"]["patients"]["changed"] == 0 == len(idle["reached"]["pools"])


def test_the_command_says_how_many_met_no_changed_patient(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["moved", str(file.with_name("fewer.yaml")), "--days", "20", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "Patients in both runs of the first 20 days:" in text
    assert "met no changed patient, and not one of their times differs by a millisecond" in text
    assert "It reached nobody: not one time of" in text
    assert any(line.split()[:3] == ["ward", "at", "North"] for line in text.splitlines())


def test_a_shorter_run_sees_the_same_patients_as_the_longer_did_by_then(
    file: Path, parts: list[dict[str, Any]]
) -> None:
    loaded = load_experiment(file.with_name("fewer.yaml"))
    short = list(loaded.moved("fewer at North", days=20))[-1]
    assert 300 < short["reached"]["patients"]["patients"] < parts[1]["reached"]["patients"]["patients"]
    assert (short["days"], parts[1]["days"]) == (20, None)


DATES = st.sampled_from(("2001-01-03", "2001-01-12", "2001-01-20"))
LEVERS = st.one_of(
    st.fixed_dictionaries(
        {"setting": st.just("ward"), "at": st.sampled_from(("North", "South")), "from": DATES},
        optional={"hours": st.just("20:00-08:00")},
    ).map(lambda spec: ("close service", spec)),
    st.fixed_dictionaries(
        {"from": st.just("ward"), "to": st.just("home care"), "share": st.sampled_from((0.2, 0.7)), "start": DATES},
        optional={"stay_share": st.just(0.3)},
    ).map(lambda spec: ("community shift", spec)),
    st.fixed_dictionaries(
        {"setting": st.just("home care"), "from": DATES, "refused_share": st.just(0.5), "instead": st.just("without")},
        optional={"add": st.just(-150)},
    ).map(lambda spec: ("social care", spec)),
    st.fixed_dictionaries(
        {"setting": st.just("ward"), "at": st.just("North"), "from": DATES, "add": st.sampled_from((-90, 20))}
    ).map(lambda spec: ("capacity", spec)),
)


@settings(max_examples=25)
@given(st.lists(LEVERS, min_size=1, max_size=3), st.sampled_from(KINDS))
def test_whatever_levers_do_every_patient_is_in_both_runs_and_every_visit_is_accounted_for(
    loaded: LoadedExperiment, written: list[tuple[str, dict[str, Any]]], by: str
) -> None:
    levers, model = [], loaded.base.model
    for name, spec in written:
        try:
            lever = parse_lever(name, spec, model)
        except LeverError:
            continue  # it contradicts one before it
        levers.append(lever)
        model = lever.apply(model)
    scenario = Scenario("some", tuple(levers), model)
    for one in replace(loaded, scenarios=(scenario,)).moved("some", by):
        patients = one["patients"]
        assert patients["only_before"] == patients["only_after"] == 0
        for row_ in one["care"]:
            removed = sum(flow["visits"] for flow in one["flows"] if flow["from"] == row_["name"])
            added = sum(flow["visits"] for flow in one["flows"] if flow["to"] == row_["name"])
            assert (removed, added) == (row_["visits_removed"], row_["visits_added"])
            assert row_["visits_before"] - removed + added == row_["visits_after"]
