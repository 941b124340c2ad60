"""The tables made of London's runs: the forecast of 2019/20, the extra beds, the trusts in order."""

from __future__ import annotations

import csv
import datetime as dt
import importlib
import io
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

import flowsim
from flowsim.model.digest import digest
from flowsim.model.loading import LoadedModel, read_model

FOLDER = Path(__file__).resolve().parents[2] / "configs" / "london"


@pytest.fixture(scope="module")
def of() -> Callable[[str], ModuleType]:
    def module(name: str) -> ModuleType:
        sys.path.insert(0, str(FOLDER))  # they import each other, as when they are run
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(FOLDER))

    return module


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return read_model(FOLDER)


@pytest.fixture(scope="module")
def a_month(of: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> flowsim.ExperimentResults:
    """The experiment, of one month only: April 2018, from the first day on."""
    whole = flowsim.load_experiment(of("runs").EXPERIMENT)
    short = {"years": (), "days": 30, "warm_up": 0, "replications": 1}
    one = replace(whole, experiment=whole.experiment.model_copy(update=short))
    return one.run(tmp_path_factory.mktemp("month"))


# ---- runs ----


def test_months_of_a_year_are_those_of_its_quarters_and_their_days_add_up(of: Callable[[str], ModuleType]) -> None:
    runs = of("runs")
    by_quarter = [month for quarter in range(1, 5) for month in runs.months(f"2019/20 Q{quarter}")]
    assert runs.months("2019/20") == by_quarter
    assert runs.months("2019/20")[0::11] == ["2019-04", "2020-03"]
    assert runs.days_in("2019/20") == sum(map(runs.days_in, runs.months("2019/20"))) == 366
    assert runs.days_in("2018/19") == 365


def test_beds_and_admissions_are_those_of_the_calibration(of: Callable[[str], ModuleType]) -> None:
    parts, measures = of("parts"), flowsim.load_experiment(FOLDER / "forecast.yaml").experiment.measures
    assert measures["beds"].of["setting"] == parts.GENERAL_AND_ACUTE
    assert measures["admissions"].of["clock"] == of("targets").ADMITTED_CLOCKS


def test_every_place_has_every_measure_that_it_should(
    of: Callable[[str], ModuleType], a_month: flowsim.ExperimentResults
) -> None:
    runs, forecast = of("runs"), of("forecast")
    found = runs.samples(a_month, ["2018-04"])
    for level, code, name in runs.places():
        told = {key for key in forecast.MEASURES if runs.Spot(key, level, name, "2018-04") in found}
        with_a_and_e = level != "trust" or code in of("parts").WITH_A_AND_E
        assert told - {"other_types"} == ({"beds", *runs.OF_A_AND_E} if with_a_and_e else {"beds"}), name
    for key in ("type_1", "other_types", "admissions", "beds", "twelve_hours"):
        sums = {level: sum(value[0] for spot, value in found.items() if (spot.key, spot.level) == (key, level))
                for level in ("London", "STP", "trust")}  # fmt: skip
        assert sums["London"] == pytest.approx(sums["STP"]) == pytest.approx(sums["trust"]), key


def test_patients_are_counted_in_the_period(
    of: Callable[[str], ModuleType], a_month: flowsim.ExperimentResults
) -> None:
    runs = of("runs")
    found = runs.samples(a_month, ["2018-04"], ["type_1"], ["London"])
    (value,) = found[runs.Spot("type_1", "London", "London", "2018-04")]
    ledger_sum = a_month.values({"all": a_month.experiment.measures["type_1"].model_copy(update={"by": "all"})})
    assert value == pytest.approx(ledger_sum[0].value * 30 / 365)
    assert value == pytest.approx(round(value))


def test_a_table_is_of_the_model_as_it_stands_or_the_check_says_no(
    of: Callable[[str], ModuleType], loaded: LoadedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, page = of("runs"), tmp_path / "page.md"
    assert runs.check(page) == 1
    page.write_text(f"| digest of the model | {digest(loaded)} |\n", "utf-8")
    assert runs.check(page) == 0
    page.write_text(f"| digest of the model | {'0' * 64} |\n", "utf-8")
    assert runs.check(page) == 1
    assert "is of the model 000000000000" in capsys.readouterr().out


# ---- forecast ----


def made_up(of: Callable[[str], ModuleType]) -> dict[object, list[float]]:
    runs, forecast = of("runs"), of("forecast")
    return {
        runs.Spot(key, level, name, period): [0.5, 0.75]
        for level, _, name in runs.places() for period in forecast.periods() for key in forecast.MEASURES
        if runs.is_told(key, level, name)
    }  # fmt: skip


def test_the_forecast_has_every_trust_and_month_once_for_each_measure(of: Callable[[str], ModuleType]) -> None:
    runs, forecast = of("runs"), of("forecast")
    rows = list(csv.DictReader(io.StringIO(forecast.csv_text(made_up(of)))))
    keys = [(row["level"], row["name"], row["period"], row["measure"]) for row in rows]
    assert len(set(keys)) == len(keys)
    for level, code, name in runs.places():
        for month in runs.months("2019/20"):
            assert keys.count((level, name, month, "beds")) == 1
        assert {row["code"] for row in rows if row["name"] == name} == {code}
    assert all(float(row["low"]) <= float(row["mean"]) <= float(row["high"]) for row in rows)


def test_the_page_of_the_forecast_says_what_the_check_reads(of: Callable[[str], ModuleType]) -> None:
    runs, forecast = of("runs"), of("forecast")
    provenance = runs.table(("", ""), [("digest of the model", "a" * 64)])
    page = forecast.text(made_up(of), provenance, dt.date(2019, 4, 1), "b" * 64)
    assert runs.DIGEST.search(page)[1] == "a" * 64
    assert forecast.CSV_DIGEST.search(page)[1] == "b" * 64
    assert "Frozen on 1 April 2019." in page
    assert all(f"| {name} |" in page for _, _, name in runs.places())


def test_what_is_frozen_is_not_written_again(
    of: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast, frozen = of("forecast"), tmp_path / "frozen.csv"
    frozen.write_text("as it was", "utf-8")
    monkeypatch.setattr(forecast, "TABLE", frozen)
    monkeypatch.setattr(forecast, "TEXT", tmp_path / "frozen.md")
    assert forecast.write(tmp_path / "results") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["frozen.csv"]
    assert frozen.read_text("utf-8") == "as it was"


def test_no_source_of_trusts_knows_anything_after_march_2019() -> None:
    for file in (FOLDER / "sources").glob("trust_*.csv"):
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                said = [row[name] for name in ("month", "period", "financial_year") if name in row]
                assert not any(re.match(r"2019-(0[4-9]|1|20)|202", when) for when in said), (file.name, said)


# ---- extra beds ----


def test_without_growth_no_bed_more_is_asked_for(of: Callable[[str], ModuleType], loaded: LoadedModel) -> None:
    extra = of("extra_beds")
    now = extra.load(loaded.model, people_as_in=extra.AS_IN)
    same = extra.load(loaded.model, "high migration", people_as_in=extra.AS_IN)
    more = extra.more_in_use(extra.total(now), extra.total(same), 13_757)
    assert more == 0
    assert extra.more_beds(more, 0.85) == 0
    assert {row.setting for row in now} == set(of("parts").GENERAL_AND_ACUTE)


def test_the_fuller_beds_are_the_fewer_are_asked_for(of: Callable[[str], ModuleType]) -> None:
    extra = of("extra_beds")
    found = [extra.more_beds(1360, occupancy) for occupancy in (0.8, 0.85, 0.9, 1.0)]
    assert found == sorted(found, reverse=True)
    assert [round(one) for one in found[:2]] == [1700, 1600]


def test_kinds_of_beds_are_all_general_and_acute_beds_once(of: Callable[[str], ModuleType]) -> None:
    kinds = [setting for settings in of("extra_beds").KINDS.values() for setting in settings]
    assert sorted(kinds) == sorted(of("parts").GENERAL_AND_ACUTE)


def test_bed_days_by_age_grow_by_what_was_found_of_the_same_tables(of: Callable[[str], ModuleType]) -> None:
    assert of("extra_beds").by_age("London") == pytest.approx(0.088, abs=0.0005)


# ---- ranks ----


def test_the_order_of_trusts_counts_and_not_the_size_of_figures(of: Callable[[str], ModuleType]) -> None:
    correlation, figures = of("ranks").correlation, [0.76, 0.84, 0.85, 0.9, 0.97]
    assert correlation(figures, [one**9 for one in figures]).value == pytest.approx(1)
    assert correlation(figures, figures[::-1]).value == pytest.approx(-1)
    mixed = correlation(figures, [3.0, 1.0, 2.0, 5.0, 4.0])
    assert mixed.low < mixed.value < mixed.high


def test_published_figures_of_trusts_are_the_targets_of_the_calibration(of: Callable[[str], ModuleType]) -> None:
    ranks, parts, target = of("ranks"), of("parts"), of("targets").target
    for code in parts.WITH_A_AND_E:
        seen = ranks.published(code)
        assert seen.occupancy == pytest.approx(target("ga_occupancy", code=code), abs=0.002)
        assert seen.four_hours == pytest.approx(target("four_hour_share_type1", code=code), abs=0.005)
