"""The small form of an experiment: fewer days, fewer measures, its own sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.experiment.scenarios import LoadedExperiment, load_experiment

MODEL = """\
flowsim: 1
name: ward
title: A ward
start: 2018-04-01
kind: assumed
source: made up for tests
settings: {ward: {capacity: 4 beds}}
pathways: {stays: {arrivals: {per_day: 1}, steps: {ward: {in: ward, stay: {exponential: 3 days}}}}}
"""
EXPERIMENT = """\
flowsim: 1
name: beds
title: One bed more
question: What does a bed do?
debate: Somebody said that it does nothing.
model: ward.yaml
years: [2018/19, 2019/20]
replications: 8
scenarios:
  as it is: []
  a bed more: [{capacity: {setting: ward, add: 1, from: 2018-04-01}}]
baseline: as it is
measures:
  waits: {measure: mean_wait_hours, of: {setting: ward}, less: "saves {n} hours", more: "costs {n} hours", same: nothing}
  in_use: {measure: beds_in_use, of: {setting: ward, year: 2019/20}}
answer: "A bed more {a bed more: waits} and {a bed more: in_use}."
"""


def loaded(folder: Path, quick: str) -> LoadedExperiment:
    (folder / "ward.yaml").write_text(MODEL, encoding="utf-8")
    (folder / "beds.yaml").write_text(f"{EXPERIMENT}quick: {quick}\n", encoding="utf-8")
    return load_experiment(folder / "beds.yaml")


def test_days_of_the_small_form_take_the_place_of_years(tmp_path: Path) -> None:
    quick = "{days: 30, warm_up: 10 days, measures: [waits], answer: 'It {a bed more: waits}.'}"
    small = loaded(tmp_path, quick).experiment.as_quick()
    assert (small.years, small.days, small.warm_up // 86_400_000, small.replications) == ((), 30, 10, 3)
    assert (list(small.measures), small.answer) == (["waits"], "It {a bed more: waits}.")


def test_a_small_form_that_says_no_more_is_the_first_year_with_the_same_sentence(tmp_path: Path) -> None:
    found = loaded(tmp_path, "{replications: 2}").experiment
    small = found.as_quick()
    assert (small.years, small.replications) == ((2018,), 2)
    assert (small.measures, small.answer) == (found.measures, found.answer)


@pytest.mark.parametrize(
    ("quick", "message"),
    [
        ("{measures: [waits]}", r"quick.answer = '\{a bed more: in_use\}': 'in_use' is no measure of its quick form"),
        ("{measures: [wait]}", "quick: 'wait' is no measure (did you mean 'waits'?)"),
        ("{answer: 'It {two beds more: waits}.'}", "'two beds more' is no scenario"),
        ("{years: [2018/19], days: 3}", "give years or days, not both"),
    ],
)
def test_a_small_form_is_refused_where_it_cannot_say_what_it_promises(tmp_path: Path, quick: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        loaded(tmp_path, quick)
    assert message.replace("\\", "") in str(refused.value)
