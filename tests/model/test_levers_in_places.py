"""Laws of changes of capacity of a place or trust that has several units, and of patients who are prevented."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.engine.building import compile_network
from flowsim.errors import InputError
from flowsim.model.calendar import Window
from flowsim.model.changing import spread
from flowsim.model.digest import digest_of_model
from flowsim.model.levers import LeverError, parse_lever
from flowsim.model.loading import load_model
from flowsim.model.prevention import Prevented
from flowsim.model.schema import Model
from flowsim.model.settings import CapacityChange
from flowsim.model.units import Unit

TOWN = Path(__file__).parent.parent / "fixtures" / "town"
MORE = {"setting": "ward", "at": "London", "add": 11, "from": "2018-06-01"}
PREVENTED = {"pathway": "emergency", "share": 0.1, "start": "2018-06-01"}


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(TOWN)


def town(tmp_path: Path, more: str = "", trusts: bool = True) -> Path:
    """The town with more in its model, or more changes of capacity, and both hospitals in one trust."""
    for file in (TOWN / "tables").iterdir():
        (tmp_path / "tables").mkdir(exist_ok=True)
        (tmp_path / "tables" / file.name).write_bytes(file.read_bytes())
    if trusts:
        sites = "name,within,latitude,longitude,trust\nKGH,Barnet,51.6,-0.21,Both\nQueens,Bexley,51.41,0.12,Both\n"
        (tmp_path / "tables" / "sites.csv").write_text(sites)
    text = (TOWN / "model.yaml").read_text()
    if more.startswith("- "):
        lines = "".join(f"  {line}\n" for line in more.splitlines())
        (tmp_path / "model.yaml").write_text(text.replace("capacity_changes:\n", "capacity_changes:\n" + lines))
    else:
        (tmp_path / "model.yaml").write_text(text + more)
    return tmp_path / "model.yaml"


def with_lever(model: Model, name: str, spec: dict[str, Any]) -> Model:
    return parse_lever(name, spec, model).apply(model)


def wards(model: Model) -> list[CapacityChange]:
    """Changes of the wards."""
    return [change for change in model.capacity_changes if change.setting == "ward"]


# ---- capacity of a place or trust ----


@given(st.integers(-300, 300), st.lists(st.integers(0, 100), min_size=1, max_size=8).filter(any))
def test_what_is_spread_sums_to_all_and_each_unit_has_its_part_to_within_one_bed(add: int, beds: list[int]) -> None:
    units = [Unit(f"ward at {n}", "ward", str(n), "beds", most, False, n) for n, most in enumerate(beds)]
    change = CapacityChange(setting="ward", at="here", add=add, from_=date(2018, 4, 1))
    parts = spread(change, units, {unit.name: () for unit in units})
    assert [part.at for part in parts] == [unit.at for unit in units]
    assert sum(part.add or 0 for part in parts) == add
    for part, most in zip(parts, beds, strict=True):
        assert abs((part.add or 0) - add * most / sum(beds)) < 1 and (most or part.add == 0)


def test_beds_of_a_place_go_to_its_units_by_the_beds_they_have(model: Model) -> None:
    changed = with_lever(model, "capacity", {**MORE, "one_off_cost": 500})
    assert [(one.at, one.add, one.one_off_cost) for one in wards(changed)] == [
        ("KGH", 6, 500), ("Queens", 5, 0),
    ]  # fmt: skip
    twice = with_lever(with_lever(model, "capacity", {**MORE, "at": "Queens", "add": 40}), "capacity", MORE)
    assert [(one.at, one.add) for one in wards(twice)] == [("Queens", 40), ("KGH", 4), ("Queens", 7)]


def test_a_lever_and_a_model_mean_the_same_by_a_place(model: Model, tmp_path: Path) -> None:
    written = load_model(town(tmp_path, "- {setting: ward, trust: Both, add: 11, from: 2018-06-01}"))
    spec = {key: value for key, value in MORE.items() if key != "at"} | {"trust": "Both"}
    changed = with_lever(load_model(town(tmp_path)), "capacity", spec)
    window = Window(model.start, 0, 90 * 86_400_000)
    networks = [compile_network(one, window)[0] for one in (written, changed)]
    assert (networks[0].capacity_beds == networks[1].capacity_beds).all()
    assert {round(0.95 * 66), 55} <= set(networks[0].capacity_beds.tolist())


@pytest.mark.parametrize("key", ["times", "staffed_share"])
def test_a_factor_is_for_each_unit_of_a_place(key: str, model: Model) -> None:
    spec = {"setting": "ward", "at": "London", key: 0.5, "from": "2018-06-01"}
    changed = with_lever(model, "capacity", spec)
    assert [(one.at, getattr(one, key)) for one in wards(changed)] == [("KGH", 0.5), ("Queens", 0.5)]


def test_a_place_that_holds_one_unit_names_it(model: Model) -> None:
    changed = with_lever(model, "capacity", {**MORE, "at": "Barnet", "add": -60})
    with pytest.raises(LeverError, match="'ward at KGH' has 0 by then"):
        parse_lever("capacity", {**MORE, "at": "KGH", "add": -1}, changed)


def test_what_another_lever_closes_gets_nothing_of_a_place(model: Model) -> None:
    closed = with_lever(model, "close service", {"setting": "ward", "at": "KGH", "from": "2018-05-15"})
    changed = with_lever(closed, "capacity", MORE)
    assert [(one.at, one.add) for one in wards(changed) if one.add] == [("Queens", 11)]
    before = with_lever(closed, "capacity", {**MORE, "from": "2018-05-01"})
    assert {one.at: one.add for one in wards(before) if one.add} == {
        "KGH": 6, "Queens": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({**MORE, "at": "Lodnon"}, "did you mean 'London'"),
        (
            {key: value for key, value in MORE.items() if key != "at"} | {"trust": "Bart"},
            "no site is of the trust 'Bart'",
        ),
        (
            {key: value for key, value in {**MORE, "set": 5}.items() if key != "add"},
            "2 units at London: set is for one",
        ),
        ({**MORE, "add": -111}, "removes more than there is"),
        ({**MORE, "setting": "home care", "at": "KGH"}, "Barnet, Bexley"),
        ({**MORE, "setting": "advice"}, "unlimited"),
    ],
)
def test_what_does_not_fit_a_place_is_refused_in_one_line(spec: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(LeverError, match=words) as caught:
        parse_lever("capacity", spec, load_model(town(tmp_path)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("- {setting: ward, trust: Bohth, add: 11, from: 2018-06-01}", "did you mean 'Both'"),
        ("- {setting: ward, trust: Both, at: KGH, add: 11, from: 2018-06-01}", "at or trust, not both"),
        ("- {setting: ward, at: London, set: 11, from: 2018-06-01}", "set is for one"),
        ("- {setting: ward, at: London, times: 0, from: 2018-05-01}\n"
         "- {setting: ward, at: London, add: 9, from: 2018-06-01}", "nothing at London"),
        ("- {setting: ward, at: KGH, add: 1, from: 2018-07-01}\n- {setting: ward, set: 9, from: 2018-06-01}",
         "it would undo"),
        ("shifts: [{from: ward, to: home care, share: 0.1, start: 2018-06-01, places: [Barnett]}]", "'Barnet'"),
        ("prevention: [{pathway: emergency, share: 0.1, start: 2018-06-01, places: [Barnett]}]", "'Barnet'"),
        ("prevention: [{pathway: emergancy, share: 0.1, start: 2018-06-01}]", "'emergency'"),
        ("prevention: [{pathway: emergency, share: 0.1, start: 2018-06-01, enters: dor}]", "'door'"),
        ("prevention: [{pathway: emergency, share: 0.1, start: 2018-06-01, enters: ward}]", "they enter at 'door'"),
        ("prevention: [{pathway: emergency, share: 0.1, start: 2018-06-01, age_bands: [64+]}]", "'65\\+'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_in_a_model_is_refused_in_one_line(more: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words) as caught:
        load_model(town(tmp_path, more + "\n"))
    assert len(caught.value.faults) == 1


# ---- prevention ----


def test_prevention_is_one_more_share_of_patients(model: Model) -> None:
    changed = with_lever(model, "prevention", {**PREVENTED, "places": ["Barnet"], "ramp": "2 years"})
    assert [(one.pathway, one.share, one.places) for one in changed.prevention] == [("emergency", 0.1, ("Barnet",))]
    assert changed.model_copy(update={"prevention": ()}) == model
    assert digest_of_model(changed) != digest_of_model(model)


def test_a_lever_and_a_model_mean_the_same_by_prevention(tmp_path: Path) -> None:
    written = load_model(town(tmp_path, "prevention: [{pathway: emergency, share: 0.1, start: 2018-06-01}]\n"))
    assert digest_of_model(with_lever(load_model(town(tmp_path)), "prevention", PREVENTED)) == digest_of_model(written)


@given(st.integers(1, 2000), st.integers(0, 2200))
def test_while_it_ramps_the_share_of_a_day_is_that_of_the_middle_of_its_month(ramp: int, since: int) -> None:
    start = date(2018, 6, 1)
    prevented = Prevented(pathway="a", share=0.3, start=start, ramp=f"{ramp} days")
    days, day = list(prevented.days()), start + timedelta(days=since)
    assert days[0] == start and days[-1] == start + timedelta(days=ramp) and days == sorted(set(days))
    share = prevented.share_on(day)
    if since >= ramp:
        assert share == 0.3
        return
    first = max(one for one in days if one <= day)
    last = min(one for one in days if one > day)
    middle = ((first - start).days + (last - start).days) / 2
    assert share == pytest.approx(0.3 * middle / ramp) and (last - first).days <= 31
    assert prevented.share_on(start - timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({**PREVENTED, "pathway": "emergancy"}, "did you mean 'emergency'"),
        ({**PREVENTED, "enters": "dor"}, "did you mean 'door'"),
        ({**PREVENTED, "enters": "ward"}, "they enter at 'door'"),
        ({**PREVENTED, "places": ["Barnett"]}, "did you mean 'Barnet'"),
        ({**PREVENTED, "age_bands": ["64+"]}, "did you mean '65\\+'"),
    ],
)
def test_a_prevention_that_does_not_fit_says_what_would(spec: dict[str, Any], words: str, model: Model) -> None:
    with pytest.raises(LeverError, match=words) as caught:
        parse_lever("prevention", spec, model)
    assert "\n" not in str(caught.value)


def test_patients_at_given_times_are_not_prevented(tmp_path: Path) -> None:
    file = town(tmp_path)
    text = file.read_text().replace("{per_day: 30, residence: {Barnet: 0.6, Bexley: 0.4},",
                                    "{timetable: {first: 1 hours, every: 1 hours}, residence: Barnet,")  # fmt: skip
    file.write_text(text)
    with pytest.raises(LeverError, match="at given times"):
        parse_lever("prevention", {**PREVENTED, "pathway": "planned"}, load_model(file))


def test_levers_of_people_say_in_words_whom_they_are_for(model: Model) -> None:
    spec = {**PREVENTED, "enters": "door", "ramp": "2 years", "places": ["Barnet"], "age_bands": ["65+"]}
    assert parse_lever("prevention", spec, model).describe() == (
        "prevention: 0.1 of patients aged 65+ of Barnet of emergency (who enter at door) no longer come from 1 June 2018,"
        " coming in over 2 years"
    )
    shift = {"from": "ward", "to": "home care", "share": 0.1, "start": "2018-06-01", "places": ["Barnet"]}
    assert "0.1 of patients of Barnet go to home care" in parse_lever("community shift", shift, model).describe()
