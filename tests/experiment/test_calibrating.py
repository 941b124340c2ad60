"""Laws of a calibration: known factors come back within their error, nothing else of the model changes, faults are named."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from flowsim.engine.building import compile_network
from flowsim.errors import InputError, StoppedError
from flowsim.experiment.calibrating import (
    Calibrated,
    calibrate,
    refuse_unknown_values,
    with_times,
    with_times_written,
)
from flowsim.experiment.calibration import load_calibration
from flowsim.model import shipped
from flowsim.model.loading import read_model
from flowsim.show import calibrating, cli

MODEL = """\
# Beds enough for everybody: a queue would blur what is known.
flowsim: 1
name: care
title: a ward and what follows it
start: 2001-01-01
kind: assumed
source: made up for tests
settings:
  ward: {capacity: 400 beds}
  home care: {capacity: unlimited}
groups:
  needs: {nothing: 0.8, home care: 0.2}
pathways:
  emergency:
    arrivals: {per_day: 40}
    steps:
      ward:
        in: ward
        stay: {exponential: 4 days}
        then: {by: needs, nothing: leave, home care: home care}
      home care: {in: home care, stay: {exponential: 10 days}}
fitted:   # a comment, and odd   spaces
  ward stay:  {times: 1.0,   stay_of: ward,  kind: derived, source: "calibration.yaml" }  # 1.0 stays here
  complex:
    kind: derived
    source: calibration.yaml
    shares_of: needs
    times: {value: 1, note: "1 as yet"}
    except: nothing
"""
PLAN = """\
flowsim: 1
title: A ward fitted to what is known of it
days: 91
warm_up: 40 days
replications: 4
rounds: 6
confirmation: 8
kind: derived
source: mean arrivals x mean stay
fitted:
  ward stay: {measure: beds_in_use, of: {setting: ward}, target: 200, within: 8}
  complex: {measure: beds_in_use, of: {setting: home care}, target: 60, within: 6, label: home care in use}
by_rule: {beds: more than anybody needs}
checked:
  arrivals: {measure: arrivals_a_year, of: {setting: ward}, published: 14600, within_share: 0.05}
  arrivals by month:
    measure: arrivals_a_year
    of: {setting: ward}
    by: month
    published: {2001-02: 14600, 2001-03: 29000}
    within_share: 0.1
    reason: March is wrong by twice, to see it told
  February less March:
    measure: arrivals_a_year
    of: {setting: ward, month: 2001-02}
    less: {month: 2001-03}
    published: 0
    within: 3000
"""
"""40 a day: 160 beds at 4 days and 200 at 5, 80 packages at 10 days for a share of 0.2 and 60 for 0.15."""


def written(folder: Path, plan: str = PLAN, model: str = MODEL) -> Path:
    (folder / "model.yaml").write_text(model, encoding="utf-8", newline="")
    (folder / "calibration.yaml").write_text(plan, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Calibrated, list[str]]:
    folder = written(tmp_path_factory.mktemp("care"))
    notes: list[str] = []
    return folder, calibrate(folder, workers=1, note=notes.append), notes


def test_known_factors_come_back_within_their_error(fitted: tuple[Path, Calibrated, list[str]]) -> None:
    stay, complex_ = (row for row in fitted[1].rows if row.factor is not None)
    assert stay.factor is not None and stay.factor_error is not None
    assert complex_.factor is not None and complex_.factor_error is not None
    assert abs(stay.factor - 1.25) < 4 * stay.factor_error and stay.factor_error < 0.04
    assert abs(complex_.factor - 0.75) < 4 * complex_.factor_error and complex_.factor_error < 0.06


def test_only_the_numbers_of_the_factors_change_in_the_file(fitted: tuple[Path, Calibrated, list[str]]) -> None:
    folder, found, _ = fitted
    after = (folder / "model.yaml").read_bytes().decode()
    stay, complex_ = (row.factor for row in found.rows if row.factor is not None)
    assert after == MODEL.replace("{times: 1.0,", f"{{times: {stay:.4g},").replace(
        "{value: 1,", f"{{value: {complex_:.4g},"
    )
    assert {name: one.times for name, one in read_model(folder).model.fitted.items()} == {
        "ward stay": stay,
        "complex": complex_,
    }


def test_each_round_is_told_in_a_line(fitted: tuple[Path, Calibrated, list[str]]) -> None:
    _, found, notes = fitted
    rounds = [line for line in notes if line.startswith("round")]
    assert len(rounds) == found.rounds <= 6
    assert all("ward stay" in line and "complex" in line and "\n" not in line for line in rounds)
    assert found.runs == 4 * (3 + found.rounds - 1) + 8


def test_tables_stand_on_replications_that_nothing_was_fitted_to(fitted: tuple[Path, Calibrated, list[str]]) -> None:
    """The same table comes from the model as it was written, with no fit."""
    folder, found, _ = fitted
    again = calibrate(folder, table_only=True, workers=1)
    assert [row.result for row in again.rows] == [row.result for row in found.rows]
    assert again.digest == found.digest
    assert (again.runs, again.rounds, again.files) == (8, 0, ())


def test_rows_say_whether_they_are_within_tolerance(fitted: tuple[Path, Calibrated, list[str]]) -> None:
    verdicts = {(row.name, row.part): row.is_within for row in fitted[1].rows}
    assert verdicts == {
        ("ward stay", ""): True, ("complex", ""): True, ("arrivals", ""): True, ("arrivals by month", "2001-02"): True,
        ("arrivals by month", "2001-03"): False, ("February less March", ""): True,
    }  # fmt: skip


def test_tables_mark_what_is_fitted_and_name_what_is_out_with_its_reason(
    fitted: tuple[Path, Calibrated, list[str]],
) -> None:
    document = fitted[1].document()
    for text in (calibrating.markdown(document), "\n".join(calibrating.lines(document))):
        before, _, after = text.partition("What nobody fitted")
        assert "home care in use" in before and "arrivals" not in before
        assert "arrivals by month, 2001-03" in after and "home care in use" not in after.partition("Sources")[0]
        assert "March is wrong by twice" in after and "more than anybody needs" in after


def test_the_result_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    folder = written(tmp_path, PLAN.replace("days: 91", "days: 28").partition("by_rule")[0])
    one, two = (calibrate(folder, table_only=True, dry_run=True, workers=n) for n in (1, 2))
    assert one.rows == two.rows


def test_a_dry_run_writes_nothing_and_a_table_leaves_the_model_alone(tmp_path: Path) -> None:
    folder = written(tmp_path, PLAN.replace("days: 91", "days: 28").partition("by_rule")[0])
    assert cli.run(["calibrate", str(folder), "--dry-run", "--workers", "1", "--quiet"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["calibration.yaml", "model.yaml"]
    assert (folder / "model.yaml").read_text(encoding="utf-8") == MODEL
    assert cli.run(["calibrate", str(folder), "--table", "--workers", "1", "--quiet"]) == 0
    assert (folder / "model.yaml").read_text(encoding="utf-8") == MODEL
    assert "| complex | 1 |" in (folder / "calibration.md").read_text(encoding="utf-8")


def test_line_ends_and_what_follows_on_the_line_are_kept(tmp_path: Path) -> None:
    text = MODEL.replace("\n", "\r\n")
    changed = with_times_written(text, {"ward stay": 1.234, "complex": 0.5}, "model.yaml")
    assert changed == text.replace("times: 1.0", "times: 1.234").replace("{value: 1,", "{value: 0.5,")
    factors = {"ward stay": 1.234, "complex": 0.5}
    assert with_times(read_model(written(tmp_path)).model, factors).fitted["complex"].times == 0.5


def test_two_factors_on_one_line_are_not_written() -> None:
    head = MODEL.partition("fitted:")[0]
    text = head + "fitted: {a: {times: 1, stay_of: ward}, b: {times: 2, stay_of: home care}}\n"
    with pytest.raises(StoppedError, match="on a line of its own"):
        with_times_written(text, {"b": 3.0}, "model.yaml")


REFUSED = {
    "the model has no fitted factor of this name (did you mean 'ward stay'?)": ("  ward stay:", "  ward stays:"),
    "the model's fitted factor 'complex' has no target": (re.search(r"  complex: .*\n", PLAN)[0], ""),  # type: ignore[index]
    "has no source": ("source: mean arrivals x mean stay\n", ""),
    "there is no setting of this name (did you mean 'ward'?)": ("of: {setting: ward}, target", "of: {setting: wards}, target"),
    "there is no month of this name": ("2001-03: 29000", "2001-12: 29000"),
    "there is no measure 'beds_in_us'": ("measure: beds_in_use, of: {setting: ward}", "measure: beds_in_us"),
    "is not told apart by 'clock'": ("arrivals_a_year, of: {setting: ward}, pub", "arrivals_a_year, of: {clock: ward}, pub"),
    "give exactly one of within, within_share": ("target: 200, within: 8", "target: 200"),
    "a target needs `within`": ("target: 200, within: 8", "target: 200, at_most: 8"),
    "`by` and a figure for each": ("    by: month\n", ""),
    "'complex' is both fitted and checked": ("  February less March:", "  complex:"),
    "give exactly one of years and days": ("days: 91\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_is_refused_before_any_run(message: str, tmp_path: Path) -> None:
    old, new = REFUSED[message]
    assert old in PLAN
    with pytest.raises(InputError) as caught:
        calibrate(written(tmp_path, PLAN.replace(old, new)), workers=1)
    assert message in str(caught.value)


def test_a_model_without_a_calibration_is_told_so() -> None:
    with pytest.raises(InputError, match=r"no calibration\.yaml beside it"):
        calibrate("clinic")


def test_a_factor_that_moves_no_target_is_refused(tmp_path: Path) -> None:
    """What follows the ward does not change its beds."""
    aims = "  complex: {measure: beds_in_use, of: {setting: ward}, target: 200, within: 8}\n"
    plan = re.sub(r"  complex: .*\n", aims, PLAN).replace("days: 91", "days: 28")
    with pytest.raises(InputError, match="moves none of the targets"):
        calibrate(written(tmp_path, plan), workers=1, dry_run=True)


def test_a_share_is_never_fitted_above_what_there_is(tmp_path: Path) -> None:
    """At most 5 times 0.2: a target of twelve times the packages cannot be met, and is said to be out."""
    plan = PLAN.replace("target: 60, within: 6", "target: 960, within: 6").replace("days: 91", "days: 28")
    found = calibrate(written(tmp_path, plan.replace("rounds: 6", "rounds: 12").partition("by_rule")[0]), workers=1)
    row = found.rows[1]
    assert row.factor is not None and row.factor <= 5 and not row.is_within
    assert math.isfinite(row.result.mean)


def test_every_shipped_model_with_fitted_factors_has_a_calibration_that_names_what_is_there() -> None:
    for name in shipped.files_of("configs"):
        loaded = read_model(name)
        if loaded.model.fitted:
            plan = load_calibration(loaded)
            refuse_unknown_values(plan, *compile_network(loaded.model, plan.window))


SITES_MODEL = """\
flowsim: 1
name: care
title: two hospitals, of which one admits more and keeps longer than the model knows
start: 2001-01-01
kind: assumed
source: made up for tests
sites: sites.csv
population: people.csv
settings: {ward: {}, clinic: {}}
units: units.csv
pathways:
  admitted:
    arrivals: {from: population, need: {0+: 150}}
    steps: {ward: {in: ward, at: {shares: {care: {North: 0.5, South: 0.5}}}, stay: {exponential: 4 days}}}
  same day:
    arrivals: {from: population, need: {0+: 150}}
    steps: {clinic: {in: clinic, at: {shares: {care: {North: 0.5, South: 0.5}}}, stay: {exponential: 1 days}}}
fitted:
  stay at North: {times: 1, stay_in: ward, at: North}
  admitted at North: {times: 1, patients_of: "admitted: ward", at: North, instead_of: "same day: clinic"}
"""
SITES_TABLES = {
    "sites": "name,within\nNorth,care\nSouth,care\n",
    "people": "place,age_band,year,people\ncare,0+,2001,100000\n",
    "units": "setting,at,capacity\nward,North,400\nward,South,400\nclinic,North,400\nclinic,South,400\n",
}
SITES_PLAN = """\
flowsim: 1
title: One hospital fitted to its beds and its admissions
days: 91
warm_up: 40 days
replications: 4
rounds: 6
confirmation: 4
kind: derived
source: mean arrivals x mean stay
fitted:
  stay at North: {measure: beds_in_use, of: {unit: ward at North}, target: 123.3, within: 6}
  admitted at North: {measure: arrivals_a_year, of: {unit: ward at North}, target: 9000, within: 300}
checked:
  same day at North: {measure: arrivals_a_year, of: {unit: clinic at North}, published: 6000, within_share: 0.05}
  beds at South: {measure: beds_in_use, of: {unit: ward at South}, published: 82.2, within_share: 0.08}
"""
"""7,500 a year at each: 9,000 are a factor of 1.2 and 1,500 fewer of the same day; 82.2 beds at 4 days, and 123.3 of
9,000 at 5 days."""


def test_factors_of_one_site_are_fitted_and_the_other_is_as_it_was(tmp_path: Path) -> None:
    for name, rows in SITES_TABLES.items():
        (tmp_path / f"{name}.csv").write_text(rows, encoding="utf-8")
    done = calibrate(written(tmp_path, SITES_PLAN, SITES_MODEL), workers=1)
    factors = {row.name: row.factor for row in done.rows if row.factor is not None}
    assert factors == pytest.approx({"stay at North": 1.25, "admitted at North": 1.2}, abs=0.06)
    assert all(row.is_within for row in done.rows)
