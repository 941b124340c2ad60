"""Every case with a known answer: traces to the millisecond, theory within four standard errors.

CI runs few replications of the theory cases and judges them by the spread of a replication that a full study
kept; the full study (`-m slow`) judges by its own spread, and asks for intervals narrow enough to count.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Callable

import numpy as np
import pytest

from flowsim.engine import pools, premises, reference, views
from flowsim.engine.running import Engine
from flowsim.errors import DamagedError
from tests.validation.judging import Found, Study, Verdict, compiled
from tests.validation.table import SEED, ci_study, full_study, spreads_of
from tests.validation.translation import Json, case_names, read_case

ENGINES = typing.get_args(Engine)
CASES = {name: read_case(name) for name in case_names()}
TRACES = [name for name, case in CASES.items() if case["kind"] == "trace"]
THEORY = [name for name in CASES if name not in TRACES]


def told(verdicts: list[Verdict]) -> str:
    """What failed, one line a measure."""
    return "\n".join(
        f"{v.case}: {v.measure} ({v.at}): theory {v.theory!s:.60}, flowsim {v.found!s:.60}, z {v.z:.2f}"
        for v in verdicts
        if not v.passes
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", TRACES)
def test_trace_is_met_to_the_millisecond(name: str, engine: Engine) -> None:
    verdicts = Study(CASES[name], SEED, engine).run(1).verdicts()
    assert all(one.passes for one in verdicts), told(verdicts)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", THEORY)
def test_theory_is_met_within_four_standard_errors(name: str, engine: Engine) -> None:
    verdicts = ci_study(CASES[name], engine)
    assert all(one.passes for one in verdicts), told(verdicts)


@pytest.mark.slow
@pytest.mark.parametrize("name", THEORY)
def test_full_study_meets_theory_on_narrow_intervals(name: str) -> None:
    verdicts = full_study(CASES[name])
    assert all(one.passes for one in verdicts), told(verdicts)
    assert not [(one.measure, one.at) for one in verdicts if not one.is_narrow]


# --- ledger and log tell the same ------------------------------------------------------------------


@pytest.fixture(scope="module")
def found() -> Callable[[str], Found]:
    def run(name: str) -> Found:
        return Found(compiled(CASES[name]), 5, 0, "simpy")

    return run


@pytest.mark.parametrize("name", ["erlang-a-b", "mmck-c", "tandem-a", "pool-a", "slots-b", "priority-1-b"])
def test_ledger_and_visit_log_agree_to_the_millisecond(name: str, found: Callable[[str], Found]) -> None:
    f = found(name)
    log, first, last = f.log, f.from_ms, f.to_ms
    for unit in range(len(f.labels.units)):
        served = (log["unit"] == unit) & (log["started_ms"] >= 0)
        stays = np.clip(f.left[served], first, last) - np.clip(log["started_ms"][served], first, last)
        assert stays.sum() == f.book("in_use_ms", [unit])
        own = log["own_unit"] == unit
        until = np.where(log["started_ms"] < 0, f.left, log["started_ms"])[own]
        queued = np.clip(until, first, last) - np.clip(log["joined_ms"][own], first, last)
        classes = [c for c, one in enumerate(f.network.class_own.tolist()) if one == unit]
        assert queued.sum() == f.book("queue_ms", classes)
        starts = own & (log["started_ms"] >= first)
        assert (log["started_ms"] - log["joined_ms"])[starts].sum() == f.book("wait_ms", classes)
        assert starts.sum() == f.ledger.bins("wait_bins")[classes].sum()
        assert (own & (log["joined_ms"] >= first)).sum() == f.book("arrivals", classes)


# --- a wrong engine or a wrong model is noticed ----------------------------------------------------


def fails(case: Json, replications: int = 1) -> list[str]:
    """Measures of a case that do not pass, judged as in CI; a run may also be stopped by its own laws."""
    try:
        verdicts = Study(case, SEED).run(replications).verdicts(spreads_of(case["id"]))
    except DamagedError:
        return ["laws of the ledger"]
    return [one.measure for one in verdicts if not one.passes]


def changed(name: str, change: Callable[[Json], None]) -> Json:
    """A case whose model is not what its answers are of."""
    case = copy.deepcopy(CASES[name])
    change(case["model"])
    return case


def one_bed_more(model: Json) -> None:
    model["settings"][0]["capacity"] += 1


def fewer_arrivals(model: Json) -> None:
    model["arrivals"][0]["process"]["rate"] *= 0.9


def stays_without_spread(model: Json) -> None:
    stay = model["pathways"]["all"]["steps"]["stay"]["stay"]
    stay.update(dist="deterministic", value=stay["mean"])


def nothing_held(model: Json) -> None:
    model["pathways"]["all"]["steps"]["first"]["hold_until_next_starts"] = False


def one_slot_more(model: Json) -> None:
    model["settings"][0]["starts_per_opening"] += 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("erlang-b-a", one_bed_more),
        ("mmc-a", one_bed_more),
        ("kw-a", one_bed_more),
        ("loss-trace-a", one_bed_more),
        ("erlang-b-b", fewer_arrivals),
        ("mg1-lognormal-a", stays_without_spread),
        ("tandem-a", nothing_held),
        ("tandem-trace-a", nothing_held),
        ("slots-b", one_slot_more),
    ],
)
def test_a_wrong_model_is_noticed(name: str, change: Callable[[Json], None]) -> None:
    assert fails(changed(name, change), 3)


def test_ends_after_arrivals_of_one_instant_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "END", 5.5)
    assert fails(CASES["loss-trace-a"]) == ["is_lost_of_each_patient", "number_lost"]


def test_a_pool_whose_patients_use_their_own_unit_only_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    own_if_free = views.ClassView.free_unit
    monkeypatch.setattr(views.ClassView, "free_unit", lambda self, _: own_if_free(self, -1))
    assert "share_placed_elsewhere" in fails(CASES["pool-a"], 2)


def test_a_patience_without_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference.City, "renege", lambda self, visit: None)
    assert "number_abandoning" in fails(CASES["renege-trace-a"])


def test_a_tie_reversed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    number = pools.patient_number
    monkeypatch.setattr(pools, "patient_number", lambda s, k, index: number(s, k, 0) + (1 << 31) - index)
    assert "wait_of_each_patient" in fails(CASES["kw-ties-a"])


def test_a_wait_counted_from_the_start_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    start = reference.City.start

    def from_start(self: reference.City, visit: pools.Visit, unit: views.UnitView) -> None:
        visit.joined = self._now
        start(self, visit, unit)

    monkeypatch.setattr(reference.City, "start", from_start)
    assert len(fails(CASES["lindley-a"])) == 4


def test_a_lost_millisecond_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = reference.stay_ms
    monkeypatch.setattr(reference, "stay_ms", lambda *address: max(drawn(*address) - 1, 0))
    assert "sum_of_waits" in fails(CASES["lindley-a"])


def test_priorities_not_kept_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def same_for_all(self: views.ClassView, *told: object) -> None:
        made(self, *told)
        self.priority = 0

    made = views.ClassView.__init__
    monkeypatch.setattr(views.ClassView, "__init__", same_for_all)
    assert "wait_of_each_patient" in fails(CASES["priority-trace-a"])
    assert "mean_wait" in fails(CASES["priority-1-a"], 3)


def test_pre_emption_left_out_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools.Pool, "make_room", lambda self: False)
    assert "mean_time_in_system" in fails(CASES["preemptive-a"], 3)


def test_a_bed_given_back_before_the_next_starts_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference.City, "go_on", _releasing(reference.City.go_on))
    assert "blocked_time_of_each_patient" in fails(CASES["tandem-trace-a"])
    assert fails(CASES["ring-a"]) == ["outcome", "gridlock_at", "gridlock_ring"]


def _releasing(go_on: Callable[..., int]) -> Callable[..., int]:
    def release_all(self: reference.City, patient: pools.Patient, step: views.StepView, to: int) -> int:
        self.release_held(patient, list(patient.held))
        return go_on(self, patient, step, to)

    return release_all


def test_gridlock_not_looked_for_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(premises, "stuck_units", lambda *told: [])
    assert fails(CASES["ring-c"]) == ["outcome", "gridlock_at", "gridlock_ring"]


def test_a_bed_lent_above_capacity_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views.UnitView, "is_free", lambda self: self.in_use <= self.capacity)
    assert fails(CASES["kw-a"])
