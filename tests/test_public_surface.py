"""What a user may import: few names, sorted, loaded when asked for, and enough for a first sitting."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import flowsim as fs

EXPERIMENT = """
flowsim: 1
name: beds
title: Fewer beds
question: What would ten beds fewer do?
model: emergency
days: 3
replications: 2
scenarios:
  as it is: []
  ten fewer:
    - capacity: {setting: ward, add: -10, from: 2001-01-01}
baseline: as it is
measures:
  four_hour_share: {measure: within_standard, label: the four-hour share}
  beds: beds_in_use
"""


def test_all_names_are_sorted_and_load() -> None:
    assert fs.__all__ == sorted(fs.__all__)
    assert len(fs.__all__) <= 21
    assert all(getattr(fs, name) is not None for name in fs.__all__)
    assert set(fs.__all__) <= set(dir(fs))


def test_every_name_is_known_to_type_checkers_and_to_the_loader() -> None:
    tree = ast.parse(Path(fs.__file__).read_text(encoding="utf-8"))
    typed = {name.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}
    assert typed >= set(fs.__all__)
    assert set(fs._HOMES) == set(fs.__all__)


def test_names_that_are_not_exported_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'flow'"):
        _ = fs.flow  # type: ignore[attr-defined]


def test_importing_flowsim_loads_none_of_its_floors() -> None:
    code = "import sys, flowsim; print(sorted(m for m in sys.modules if m.startswith('flowsim.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_thing_says_what_it_is() -> None:
    assert all((getattr(fs, name).__doc__ or "").strip() for name in fs.__all__)


def test_a_model_is_simulated_and_measured() -> None:
    result = fs.simulate(fs.load_model("emergency"), days=3, seed=1, log=True)
    occupancy = result.measure("occupancy", by="setting")
    assert set(occupancy.index) == {"triage", "cubicle", "ward", "home care"}
    assert occupancy.between(0, 1).all()
    assert result.measure("beds_in_use", by="all").iloc[0] == pytest.approx(
        result.measure("beds_in_use", by="setting").sum()
    )
    only = result.measure("occupancy", by="setting", of={"setting": "ward"})
    assert only.to_dict() == {"ward": occupancy["ward"]}


def test_the_visits_of_a_run_tell_the_same_as_its_ledger() -> None:
    result = fs.simulate("emergency", days=3, log=True)
    visits = result.visits
    started = visits[visits["started_hours"].notna()]
    waits = started["started_hours"] - started["joined_hours"]
    assert waits[started["step"] == "triage"].mean() == pytest.approx(
        result.measure("mean_wait_hours", of={"setting": "triage"})["triage"]
    )
    assert visits["patient"].nunique() == result.patients
    assert set(visits["outcome"]) <= {"completed", "reneged", "balked", "unfinished"}
    whole = visits[visits["outcome"] == "completed"]
    assert (whole["joined_hours"] <= whole["started_hours"]).all()
    assert (whole["started_hours"] <= whole["left_hours"]).all()


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    def wait(seed: int) -> float:
        return float(fs.simulate("clinic", days=5, seed=seed).measure("mean_wait_hours", by="all").iloc[0])

    assert wait(1) == wait(1) != wait(2)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"days": 0}, "days = 0"),
        ({"days": 3, "years": 1}, "days = 3"),
        ({"days": 3, "warm_up": "1 hour"}, "warm_up = '?1 hour"),
        ({"days": 3, "seed": -1}, "seed = -1"),
        ({"days": 3, "engine": "simpi"}, "engine = '?simpi"),
    ],
)
def test_a_run_that_cannot_be_is_refused_by_name(options: dict[str, object], named: str) -> None:
    with pytest.raises(fs.InputError, match=named):
        fs.simulate("clinic", **options)  # type: ignore[arg-type]


def test_unknown_measures_and_attributes_are_refused_with_what_was_meant() -> None:
    result = fs.simulate("clinic", days=1)
    with pytest.raises(fs.InputError, match="did you mean 'occupancy'"):
        result.measure("ocupancy")
    with pytest.raises(fs.InputError, match="did you mean 'setting'"):
        result.measure("occupancy", by="settings")
    with pytest.raises(fs.InputError, match="log=True"):
        _ = result.visits


def test_an_experiment_is_run_and_compared_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("beds.yaml").write_text(EXPERIMENT, encoding="utf-8")
    results = fs.load_experiment("beds.yaml").run()
    assert results.folder.path == Path("results/beds")
    comparison = results.compare(measure="four_hour_share", by="clock")
    assert list(comparison["scenario"]) == ["as it is", "ten fewer"]
    again = fs.open_results("beds").compare("beds", by="setting")
    assert set(again["setting"]) == {"triage", "cubicle", "ward", "home care"}
    assert fs.audit("beds").whole


def test_measures_are_listed_with_what_tells_them_apart() -> None:
    table = fs.measures()
    assert table.index.is_unique
    assert "setting" in table.loc["occupancy", "told_apart_by"]
    assert table.loc["within_standard", "measured_in"] == "share"
