"""Laws of levers: a new model with one thing changed, or a refusal in one line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from flowsim.errors import Faults
from flowsim.model.digest import digest_of_model
from flowsim.model.levers import LEVERS, LeverError, parse_lever
from flowsim.model.loading import frozen, load_model
from flowsim.model.reading import parse_yaml
from flowsim.model.reference import SHORT
from flowsim.model.schema import Model

TOWN = Path(__file__).parent.parent / "fixtures" / "town"
BEDS = {"setting": "ward", "at": "KGH", "add": 10, "from": "2018-06-01", "ramp": "3 months"}
SHIFT = {"from": "ward", "to": "home care", "share": 0.1, "start": "2018-06-01", "ramp": "3 months"}


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model(TOWN)


def test_capacity_is_one_more_dated_change(model: Model) -> None:
    lever = parse_lever("capacity", BEDS, model)
    changed = lever.apply(model)
    assert changed.capacity_changes[:-1] == model.capacity_changes
    last = changed.capacity_changes[-1]
    assert (last.setting, last.at, last.add, last.from_) == ("ward", "KGH", 10, date(2018, 6, 1))
    assert last.ramp == 3 * 365 * 86_400_000 / 12
    assert changed.model_copy(update={"capacity_changes": model.capacity_changes}) == model


def test_community_shift_is_one_more_shift(model: Model) -> None:
    changed = parse_lever("community shift", SHIFT, model).apply(model)
    assert [(shift.from_, shift.to, shift.share) for shift in changed.shifts] == [("ward", "home care", 0.1)]
    assert changed.model_copy(update={"shifts": ()}) == model


def test_demand_growth_replaces_growth_only(model: Model) -> None:
    changed = parse_lever("demand growth", {"growth": {"other growth": 0.05}}, model).apply(model)
    assert changed.growth["other growth"].a_year == 0.05
    assert changed.growth["other growth"].from_ == model.growth["other growth"].from_
    assert changed.model_copy(update={"growth": model.growth}) == model


def test_lever_leaves_the_model_as_it_was(model: Model) -> None:
    before = digest_of_model(model)
    for name, spec in (("capacity", BEDS), ("community shift", SHIFT)):
        assert digest_of_model(parse_lever(name, spec, model).apply(model)) != before
    assert digest_of_model(model) == before


def test_levers_compose_in_listed_order(model: Model) -> None:
    doubled = {"setting": "ward", "at": "KGH", "times": 2, "from": "2018-06-01"}
    first = parse_lever("capacity", BEDS, model).apply(model)
    both = parse_lever("capacity", doubled, first).apply(first)
    assert [(change.add, change.times) for change in both.capacity_changes[-2:]] == [(10, None), (None, 2.0)]


def test_second_cut_counts_what_the_first_left(model: Model) -> None:
    cut = {**BEDS, "add": -40}
    once = parse_lever("capacity", cut, model).apply(model)
    with pytest.raises(LeverError, match="'ward at KGH' has 20 by then"):
        parse_lever("capacity", cut, once)


def test_shifts_may_take_all_and_not_more(model: Model) -> None:
    once = parse_lever("community shift", {**SHIFT, "share": 0.6}, model).apply(model)
    assert parse_lever("community shift", {**SHIFT, "share": 0.4}, once).apply(once)
    with pytest.raises(LeverError, match="more than all"):
        parse_lever("community shift", {**SHIFT, "share": 0.5}, once)


def test_shifts_of_different_ages_are_counted_apart(model: Model) -> None:
    young, old = (
        {**SHIFT, "share": 0.6, "age_bands": ["18-64"]},
        {**SHIFT, "share": 0.6, "age_bands": ["65+"]},
    )
    once = parse_lever("community shift", young, model).apply(model)
    assert parse_lever("community shift", old, once).apply(once)
    with pytest.raises(LeverError, match="more than all"):
        parse_lever("community shift", {**SHIFT, "share": 0.5}, once)


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        ("capcity", {}, "did you mean 'capacity'?"),
        ("capacity", {**BEDS, "setting": "wards"}, "did you mean 'ward'?"),
        ("capacity", {**BEDS, "at": "KHG"}, "did you mean 'KGH'?"),
        ("capacity", {**BEDS, "setting": "home care", "at": "KGH"}, "Barnet, Bexley"),
        ("capacity", {**BEDS, "setting": "advice", "at": "London"}, "unlimited"),
        ("capacity", {**BEDS, "add": -61}, "has 60 by then"),
        ("capacity", {key: value for key, value in BEDS.items() if key != "at"}, "2 units"),
        ("community shift", {**SHIFT, "from": "wards"}, "did you mean 'ward'?"),
        ("community shift", {**SHIFT, "to": "ward"}, "both from and to"),
        ("community shift", {**SHIFT, "to": "call"}, "steps of one pathway"),
        ("community shift", {**SHIFT, "pathway": "emergancy"}, "did you mean 'emergency'?"),
        ("community shift", {**SHIFT, "age_bands": ["66+"]}, "did you mean '65\\+'?"),
        ("demand growth", {"growth": {"other": 0.1}}, "one of: 'other growth'"),
        ("demand growth", {"variant": "high"}, "no variant 'high'"),
    ],
)
def test_lever_that_does_not_fit_says_what_would(name: str, spec: object, words: str, model: Model) -> None:
    with pytest.raises(LeverError, match=words.replace("?", "\\?")) as caught:
        parse_lever(name, spec, model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        ("capacity", {**BEDS, "set": 3}, "exactly one of add"),
        ("capacity", {key: value for key, value in BEDS.items() if key != "from"}, "Field required"),
        ("capacity", {**BEDS, "until": "2019-01-01"}, "not permitted"),
        ("community shift", {**SHIFT, "share": 1.3}, "from 0 to 1"),
        ("community shift", {key: value for key, value in SHIFT.items() if key != "start"}, "Field required"),
        ("demand growth", {}, "at least one of variant, people_as_in and growth"),
        ("demand growth", {"growth": {"other growth": -1.5}}, "above -1"),
    ],
)
def test_lever_with_wrong_keys_or_values_is_refused(name: str, spec: object, words: str, model: Model) -> None:
    with pytest.raises(ValidationError, match=words):
        parse_lever(name, spec, model)


def test_lever_says_in_words_what_it_changes(model: Model) -> None:
    assert (
        parse_lever("capacity", BEDS, model).describe()
        == "capacity of ward at KGH: 10 more from 1 June 2018, coming in over 3 months"
    )
    assert (
        parse_lever("community shift", SHIFT, model).describe()
        == "community shift: 0.1 of patients go to home care instead of ward from 1 June 2018,"
        " coming in over 3 months"
    )


def test_levers_are_listed_by_name() -> None:
    assert list(LEVERS) == sorted(LEVERS)


def test_start_of_a_lever_is_its_first_day(model: Model) -> None:
    assert parse_lever("capacity", BEDS, model).start == date(2018, 6, 1)
    assert parse_lever("community shift", SHIFT, model).start == date(2018, 6, 1)
    assert parse_lever("demand growth", {"growth": {"other growth": 0}}, model).start is None


@pytest.mark.parametrize("name", [name for name, lever in LEVERS.items() if lever in SHORT])
def test_examples_of_a_lever_are_levers(name: str) -> None:
    for line in SHORT[LEVERS[name]].splitlines():
        tree = parse_yaml(line, "example", Faults())
        assert tree is not None
        ((written, data),) = tree.data.items()
        lever = LEVERS[written].model_validate(frozen(data), by_alias=True, by_name=False)
        assert written == name and lever.describe().startswith(name)


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        ("community shift", {**SHIFT, "stay_share": 1}, "above 0 and below 1"),
        (
            "close service",
            {"setting": "ward", "from": "2018-06-01", "to": "KGH", "adds": 3, "moves_share": 1},
            "not both",
        ),
        ("close service", {"setting": "ward", "from": "2018-06-01", "hours": "8-20"}, "08:30"),
        (
            "close service",
            {"setting": "ward", "from": "2018-06-01", "hours": "08:00-20:00", "moves": {"cubicle": 1}},
            "all hours",
        ),
        (
            "close service",
            {"setting": "ward", "from": "2018-06-01", "to": "KGH", "hours": "22:00-08:00", "moves_share": 1},
            "run_down",
        ),
        ("social care", {"setting": "home care", "from": "2018-06-01"}, "refused_share with instead, add or times"),
        ("social care", {"setting": "home care", "from": "2018-06-01", "refused_share": 0.1}, "go together"),
        ("social care", {"setting": "home care", "from": "2018-06-01", "add": 1, "times": 2}, "not both"),
        ("capacity", {**BEDS, "hours": "22:00-08:00"}, "two periods"),
    ],
)
def test_what_does_not_fit_together_in_a_lever_is_refused(name: str, spec: object, words: str, model: Model) -> None:
    with pytest.raises(ValidationError, match=words):
        parse_lever(name, spec, model)


def test_hours_of_a_capacity_are_told_in_words(model: Model) -> None:
    lever = parse_lever("capacity", {**BEDS, "hours": "22:00-24:00", "days": "sat,sun", "ramp": "0 days"}, model)
    assert lever.describe() == (
        "capacity of ward at KGH: 10 more on Saturday, Sunday in the hours 22:00-24:00 from 1 June 2018"
    )
