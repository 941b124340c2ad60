"""The whole of `flowsim bench` on forms as small as can be: the document, the words, the figure."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import flowsim
from flowsim.bench import benchmark as bench
from flowsim.bench import rounds, startup, unrecorded
from flowsim.bench.peers import Form
from flowsim.bench.plans import LONG, QUICK, Plan, city, clinic, emergency
from flowsim.show import bench_figure, bench_lines, cli

ROW = {
    "model", "scale", "mult", "peer", "version", "patients", "events", "seconds", "patients_per_second",
    "events_per_second", "memory_mb", "mean_wait_hours",
}  # fmt: skip
TINY = Plan(
    rounds=2,
    forms={
        ("m1", 1.0, 1): {"compiled": clinic(5000), "simpy": clinic(500), "bare-simpy": clinic(500)},
        ("m2", 1.0, 1): {"compiled": emergency(6, 2), "bare-simpy": emergency(2)},
        ("m3", 0.01, 1): {"compiled": city(0.01, 5), "bare-simpy": city(0.01, 2)},
        ("m3", 0.1, 1): {"compiled": city(0.1, 2)},
    },
    units=(city(0.01, 2), city(0.01, 2, mult=2)),
    shared=city(0.01, 10),
    ledger=(emergency(10),),
    memory=("bare-simpy",),
    replications=5,
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "QUICK", TINY)
        patch.setattr(rounds, "LEAST_SECONDS", 0.0)
        patch.setattr(bench, "start_up", lambda times, cold: [{"command": "flowsim --help", "seconds": 0.2}])
        return flowsim.benchmark(quick=True)


def test_every_row_has_every_key_and_rates_that_belong_together(document: dict[str, Any]) -> None:
    assert len(document["rows"]) == 8
    for row in document["rows"]:
        assert set(row) >= ROW
        assert row["events"] >= row["patients"] > 0
        assert row["events_per_second"] > 0 and row["seconds"] > 0
        assert (row["memory_mb"] is not None) == (row["peer"] == "bare-simpy")
    assert {"cpu", "cores", "python", "numpy", "numba", "simpy"} <= set(document["machine"])


def test_bare_simpy_is_what_all_are_measured_against(document: dict[str, Any]) -> None:
    found = {(one["model"], one["scale"], one["peer"]) for one in document["ratios"] if one["to"] == "bare-simpy"}
    assert found == {("m1", 1.0, "compiled"), ("m1", 1.0, "simpy"), ("m2", 1.0, "compiled"), ("m3", 0.01, "compiled")}
    for one in document["ratios"]:
        assert 0 < one["low"] <= one["median"] <= one["high"]


def test_costs_are_told_against_the_smallest(document: dict[str, Any]) -> None:
    scales = [one for one in document["scale"] if one["peer"] == "compiled"]
    assert [one["scale"] for one in scales] == [0.01, 0.1]
    assert scales[0]["median"] == 1
    assert [one["units"] for one in document["units"]] == [399, 798]
    assert 0.5 < document["processes"]["median"] < 2.5
    assert [one["years"] for one in document["memory"]] == [1, 4]
    assert document["ledger"][0]["audit_share"]["median"] > -1


def test_it_is_told_in_lines_and_drawn_and_kept(document: dict[str, Any], tmp_path: Path) -> None:
    lines = bench_lines.lines(document)
    text = "\n".join(lines)
    for words in ("m1 clinic", "m2 emergency", "m3 city, scale 0.01", "x bare SimPy", "two processes do", "by theory"):
        assert words in text
    assert not re.search(r"\b(None|nan|inf)\b", text)
    files = bench_figure.keep(document, str(tmp_path / "new" / "bench"))
    assert {Path(name).name for name in files} == {"bench.svg", "bench.png", "bench.json"}
    assert json.loads(Path(files[-1]).read_text(encoding="utf-8"))["rows"] == document["rows"]
    assert bench_figure.drawn(document) == bench_figure.drawn(document)


def test_the_cost_of_recording_is_told_with_its_range(document: dict[str, Any]) -> None:
    (ledger,) = document["ledger"]
    share = {"median": 0.082, "low": 0.06, "high": 0.11}
    text = "\n".join(bench_lines.lines({**document, "ledger": [{**ledger, "recording_share": share}]}))
    assert "its recording 8.2% (6.0 to 11.0) of a run without it" in text


def test_a_machine_that_slows_down_changes_no_ratio_of_turns() -> None:
    clock = iter(range(1, 100))
    ratio = rounds.in_turns(lambda: 3.0 * next(clock), lambda: 2.0 * next(clock), 10)
    assert ratio == pytest.approx((1.5, 1.5, 1.5))


@pytest.mark.slow  # compiles the engine without its books
def test_recording_costs_something_and_less_than_the_run() -> None:
    assert -0.1 < unrecorded.recording_share(emergency(120, 60), 5).median < 1


def test_peers_that_are_missing_are_named_in_one_line_with_what_installs_them(document: dict[str, Any]) -> None:
    (line,) = [one for one in bench_lines.lines({**document, "missing": ["ciw", "cimba"]}) if "not installed" in one]
    assert "ciw and cimba" in line and "pip install 'flowsim[bench]'" in line


def test_a_model_that_is_not_of_the_bench_is_refused() -> None:
    with pytest.raises(flowsim.InputError, match=r"m4.*m1 \(clinic\)"):
        flowsim.benchmark(models=["m1", "m4"])
    assert cli.run(["bench", "--models", "croydon"]) == 2
    assert cli.run(["bench", "--out", " "]) == 2


@pytest.mark.parametrize("plan", [LONG, QUICK])
def test_all_models_and_sizes_of_a_plan_have_the_compiled_engine_and_bare_simpy(plan: Plan) -> None:
    assert {size[0] for size in plan.forms} == {"m1", "m2", "m3"}
    assert {size[1] for size in plan.forms if size[0] == "m3"} == {0.01, 0.1, 1.0}
    for (model, scale, mult), forms in plan.forms.items():
        assert {"compiled", "bare-simpy"} <= set(forms)
        assert all(
            isinstance(form, Form) and (form.model, form.scale, form.mult) == (model, scale, mult)
            for form in forms.values()
        )
        assert all(form.days <= 365 for form in forms.values() if model == "m3")
        assert all(form.since < max(form.days, 1) for form in forms.values())


def test_a_run_from_the_command_line_is_timed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "COMMANDS", {name: startup.COMMANDS[name] for name in list(startup.COMMANDS)[::3]})
    rows = startup.start_up(1, cold=False)
    assert [row["command"] for row in rows] == list(startup.COMMANDS)
    assert all(0 < float(str(row["seconds"])) < 60 for row in rows)
