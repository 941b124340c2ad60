"""Laws of fitted factors: what they multiply, what they leave alone, and what is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.engine.building import compile_network
from flowsim.engine.network import Network
from flowsim.errors import InputError
from flowsim.model.assumptions import assumptions
from flowsim.model.calendar import Window
from flowsim.model.fitted import Fitted, times_length
from flowsim.model.fitting import most, with_fitted
from flowsim.model.loading import LoadedModel, read_model
from flowsim.model.pathways import Distribution
from flowsim.model.schema import Model

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
CARE = """\
flowsim: 1
name: care
title: a ward and what follows it
start: 2018-04-01
kind: assumed
source: made up for tests
settings: {ward: {capacity: 20 beds}, home care: {capacity: 30 beds}}
groups:
  needs: {by: age_band, 0-64: {nothing: 0.9, home care: 0.1}, 65+: {home care: 0.4, nothing: 0.5, care home: 0.1}}
pathways:
  emergency:
    arrivals: {per_day: 5, ages: {0-64: 0.5, 65+: 0.5}}
    steps:
      ward:
        in: ward
        stay: {gamma: {mean: {by: age_band, 0-64: MEAN1, 65+: MEAN2}, cv: 1}}
        then: {by: needs, nothing: leave, home care: home care, care home: home care}
      home care: {in: home care, stay: {exponential: 10 days}}
  planned:
    arrivals: {per_day: 1}
    steps:
      ward: {in: ward, stay: {lognormal: {mean: MEAN3, sd: SD3}}}
"""
PLAIN = {"MEAN1": "3 days", "MEAN2": "8 days", "MEAN3": "2 days", "SD3": "1 day"}


def care(folder: Path, fitted: str = "", **means: str) -> LoadedModel:
    text = CARE
    for name, value in {**PLAIN, **means}.items():
        text = text.replace(name, value)
    file = folder / "care.yaml"
    file.write_text(text + (f"fitted:\n{fitted}" if fitted else ""), encoding="utf-8")
    return read_model(file)


def network_of(model: Model) -> Network:
    return compile_network(model, Window(dt.date(2018, 4, 1), 0, 30 * DAY_MS))[0]


def same(one: Network, other: Network) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in one._fields)


def test_factor_on_a_stay_is_the_model_with_longer_stays(tmp_path: Path) -> None:
    fitted = care(tmp_path, "  stay: {times: 1.5, stay_of: ward}\n").model
    written = care(tmp_path, MEAN1="4.5 days", MEAN2="12 days", MEAN3="3 days", SD3="1.5 days").model
    assert same(network_of(fitted), network_of(written))


def test_factor_may_be_on_the_step_of_one_pathway(tmp_path: Path) -> None:
    fitted = care(tmp_path, '  stay: {times: 1.5, stay_of: "planned: ward"}\n').model
    assert same(network_of(fitted), network_of(care(tmp_path, MEAN3="3 days", SD3="1.5 days").model))


def test_factors_of_1_change_nothing_at_all(tmp_path: Path) -> None:
    ones = "  stay: {times: 1, stay_of: ward}\n  needs: {times: 1, shares_of: needs, except: nothing}\n"
    assert same(network_of(care(tmp_path, ones).model), network_of(care(tmp_path).model))


def test_two_factors_on_one_stay_multiply(tmp_path: Path) -> None:
    both = '  all: {times: 2, stay_of: ward}\n  planned: {times: 0.75, stay_of: ["planned: ward"]}\n'
    written = care(tmp_path, MEAN1="6 days", MEAN2="16 days", MEAN3="3 days", SD3="1.5 days").model
    assert same(network_of(care(tmp_path, both).model), network_of(written))


@given(times=st.floats(0.01, 2))
def test_shares_other_than_one_are_multiplied_and_it_has_the_rest(
    times: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = MODEL.load(tmp_path_factory)
    was = model.groups["needs"].of
    now = with_fitted(_with(model, times)).groups["needs"].of
    for band, row in now.items():
        assert list(row) == list(was[band]), "the written order is kept: shares are drawn in it"
        assert sum(row.values()) == pytest.approx(1)
        for value, share in row.items():
            if value != "nothing":
                assert share == pytest.approx(times * was[band][value])


def test_largest_factor_on_shares_leaves_nothing_of_the_rest(tmp_path: Path) -> None:
    model = care(tmp_path).model
    largest = most(model, _with(model, 1).fitted["needs"])
    assert largest == 2
    assert with_fitted(_with(model, 2)).groups["needs"].of["65+"]["nothing"] == 0
    with pytest.raises(InputError, match="at most 1"):
        network_of(_with(model, 2.01))


@pytest.mark.parametrize(
    "law",
    [
        {"fixed": "5 hours"},
        {"exponential": {"by": "age_band", "0-64": "5 hours", "65+": "7 hours"}},
        {"lognormal": {"mean": "5 hours", "sd": "2 hours"}},
        {"weibull": {"mean": "5 hours", "cv": 0.5}},
        {"hyperexponential": {"mean": "5 hours", "cv": 2}},
        {"hyperexponential": {"shares": (0.5, 0.5), "means": ("1 hour", "9 hours")}},
        {"uniform": {"low": "1 hour", "high": "9 hours"}},
        {"empirical": {"percentiles": (0, 50, 100), "values": ("1 hour", "5 hours", "9 hours")}},
        {"listed": ("1 hour", "9 hours")},
    ],
    ids=lambda law: next(iter(law)),
)
def test_every_family_is_as_long_again_as_in_other_words(law: dict[str, object]) -> None:
    """Twice as long is the law written with all its lengths doubled."""
    assert times_length(Distribution.model_validate(law), 2) == Distribution.model_validate(_doubled(law))


def _doubled(law: object) -> object:
    if isinstance(law, dict):
        return {key: _doubled(value) for key, value in law.items()}
    if isinstance(law, tuple):
        return tuple(_doubled(one) for one in law)
    if isinstance(law, str) and law[0].isdigit() and " " in law:
        number, unit = law.split(" ")
        return f"{2 * int(number)} {unit}"
    return law


REFUSED = {
    "there is no step of this name (did you mean 'ward'?)": "{times: 1, stay_of: [home care, wards]}",
    "there is no group of this name (did you mean 'needs'?)": "{times: 1, shares_of: need, except: nothing}",
    "is no value of 'needs' (did you mean 'nothing'?)": "{times: 1, shares_of: needs, except: nothin}",
    "shares of 'needs' other than 'nothing' would exceed 1: at most 2": "{times: 2.1, shares_of: needs, except: nothing}",
    "shares_of and except go together": "{times: 1, shares_of: needs}",
    "give exactly one of stay_of, stay_in, shares_of, patients_of": "{times: 1}",
    "at goes with stay_in or patients_of": "{times: 1, stay_of: ward, at: care}",
    "instead_of goes with patients_of": "{times: 1, stay_of: ward, instead_of: ward}",
    "there is no setting of this name (did you mean 'ward'?)": "{times: 1, stay_in: wards}",
    "there is no place or site of this name": "{times: 1, stay_in: home care, at: Leeds}",
    "is a step of several pathways: write one of `emergency: ward`, `planned: ward`": "{times: 1, patients_of: ward}",
    "no patient enters it on arrival": "{times: 1, patients_of: home care}",
    "its unit is not drawn by shares": '{times: 1, patients_of: "planned: ward", at: care}',
    "must be more than 0": "{times: 0, stay_of: ward}",
}


@pytest.mark.parametrize("message", REFUSED)
def test_factor_that_cannot_be_is_refused_in_one_line(message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        care(tmp_path, f"  a factor: {REFUSED[message]}\n")
    (fault,) = caught.value.faults
    assert message in str(fault) and "fitted.a factor" in str(fault) and fault.line == CARE.count("\n") + 2


def test_factors_are_among_the_assumptions_with_their_source(tmp_path: Path) -> None:
    loaded = care(tmp_path, "  kind: derived\n  source: calibration\n  stay: {times: 1.04, stay_of: ward}\n")
    row = next(row for row in assumptions(loaded) if row["field"].startswith("fitted"))
    assert row == {
        "field": "fitted.stay.times", "value": "1.04", "measured_in": "factor", "kind": "derived",
        "source": "calibration",
    }  # fmt: skip


class _Once:
    """The plain model, read once for all examples of a property."""

    def __init__(self) -> None:
        self.model: Model | None = None

    def load(self, factory: pytest.TempPathFactory) -> Model:
        if self.model is None:
            self.model = care(factory.mktemp("care")).model
        return self.model


MODEL = _Once()


def _with(model: Model, times: float) -> Model:
    factor = Fitted.model_validate({"times": times, "shares_of": "needs", "except": "nothing"})
    return model.model_copy(update={"fitted": {"needs": factor}})


def test_models_that_ship_have_no_factor_without_a_source() -> None:
    for row in assumptions(read_model("croydon")):
        if row["field"].startswith("fitted"):
            assert row["kind"] is not None and row["source"], row
