"""How far a change reaches: every history that changes was touched by the change itself, by a response, or in a pool
where another that had changed, or changed places, had been by then. Whoever meets none of these stays as he was.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, seed, settings
from hypothesis import strategies as st
from random_models import Case, cases
from small import Played, model_of, play_model
from small_city import both, care, city, played
from test_what_levers_move import LEVERS, WAYS, acted_on

from flowsim.engine import running
from flowsim.engine.rules import patient_number
from flowsim.engine.visits import COLUMNS
from flowsim.errors import InputError, StoppedError
from flowsim.measure.reached import Reached, Visits, reached
from flowsim.measure.touched import FAR, Numbers, Side, Touched, touched
from flowsim.model.calendar import Window
from flowsim.model.levers import parse_lever
from flowsim.model.schema import Model

GROWTH = st.sampled_from((0.05, 0.4)).map(lambda a_year: ("demand growth", {"growth": {"more people": a_year}}))
Lever = tuple[str, dict[str, Any]]


class Compared:
    """Two runs told in the same numbers, and what the models of them say otherwise."""

    def __init__(self, models: tuple[Model, Model], runs: tuple[Played, Played]) -> None:
        numbers = Numbers()
        sides = [numbers.side(model, run.network, run.labels) for model, run in zip(models, runs, strict=True)]
        self.touched = touched(sides[0], sides[1], numbers)
        self.before, self.after = (visits(run, side) for run, side in zip(runs, sides, strict=True))

    def reached(self, **otherwise: Any) -> Reached:
        """How far the change reached, perhaps with another belief of what it touched."""
        return reached(self.before, self.after, self.touched._replace(**otherwise))


def visits(run: Played, side: Side) -> Visits:
    rows = np.array(run.rows, np.int64).reshape(-1, len(COLUMNS))
    stream, layer, index = (rows[:, COLUMNS.index(name)] for name in ("stream", "layer", "index"))
    return Visits.of(rows, patient_number(side.stream[stream], layer, index), side)


def compared(at: str, is_scarce: bool, lever: Lever) -> Compared:
    base = city(at, is_scarce)
    model = parse_lever(*lever, base).apply(base)
    return Compared((base, model), (played(base, base), played(model, base)))


# ---- the small city ----


@settings(max_examples=30)
@given(WAYS, st.booleans(), st.one_of(LEVERS, GROWTH))
def test_no_history_changes_that_nothing_had_reached(at: str, is_scarce: bool, lever: Lever) -> None:
    found = compared(at, is_scarce, lever).reached()
    assert found.faults() == []
    counts = found.patients
    assert counts["changed"] == counts["directly"] + counts["by_queue"] + counts["by_response"]
    assert counts["patients"] == counts["changed"] + counts["met_and_same"] + counts["met_nobody"]
    assert counts["changed"] == sum(one["changes"] for one in found.pools)
    assert is_scarce or counts["changed"] == counts["directly"], "where there is room nobody feels another"


@settings(max_examples=20)
@given(WAYS, LEVERS)
def test_those_changed_are_those_whose_visits_differ_and_each_was_touched_or_met_another(at: str, lever: Lever) -> None:
    name, spec = lever
    before, after = both(at, True, lever)
    changed = {patient for patient in before if care(before[patient]) != care(after[patient])}
    been: dict[str, set[str]] = defaultdict(set)
    for run in (before, after):
        for patient in changed:
            for visit in run[patient]:
                been[visit.own].add(patient)
    for patient in changed:
        pools = {visit.own for run in (before, after) for visit in run[patient]}
        is_touched = any(acted_on(name, spec, visit) for visit in before[patient])
        is_there = name in ("capacity", "close service") and f"{spec['setting']} at {spec['at']}" in pools
        assert is_touched or is_there or any(been[pool] - {patient} for pool in pools)
    found = compared(at, True, lever).reached()
    unready = found.patients["changed"] - found.patients["only_readiness"]
    assert unready <= len(changed) <= found.patients["changed"], "a time of being ready is a time too"
    apart = sum(not {visit.own for visit in before[patient] + after[patient]} & {*been} for patient in before)
    assert apart <= found.patients["met_nobody"] + found.patients["met_and_same"]


def test_a_change_without_a_cause_is_told() -> None:
    lever = ("capacity", {"setting": "ward", "at": "A", "from": "2001-01-05", "add": -3})
    whole = compared("nearest", True, lever)
    assert whole.reached().faults() == [] and whole.reached().patients["by_queue"] > 100
    nowhere = np.full_like(whole.touched.pools, FAR)
    assert whole.reached(pools=nowhere).faults(), "beds went that nobody knows of"
    late = np.where(whole.touched.pools < FAR, whole.touched.pools + 86_400_000, FAR)
    assert whole.reached(pools=late).faults(), "or later than they did"


@given(st.integers(0, 10_000), st.sampled_from(("started", "ready", "ended", "left")), st.sampled_from((-1, 1)))
@settings(max_examples=25)
def test_one_millisecond_is_seen_and_told_where_nothing_explains_it(row: int, name: str, by: int) -> None:
    at_a = compared("nearest", True, ("capacity", {"setting": "ward", "at": "A", "from": "2001-01-05", "add": -3}))
    run, column = at_a.before, getattr(at_a.before, name).copy()
    row %= len(column)
    assume(column[row] >= 0)
    column[row] += by
    found = reached(run, run._replace(**{name: column}), at_a.touched)
    assert found.patients["changed"] == 1
    since = at_a.touched.pools[at_a.touched.unit_pool[run.own[row]]]
    assert bool(found.faults()) == (name != "started" or column[row] < since)


def test_fuller_wards_that_send_all_home_sooner_reach_those_at_their_site_by_the_response() -> None:
    text = """
        settings: {ward: {capacity: 20 beds}, lounge: {capacity: unlimited}, elsewhere: {capacity: unlimited}}
        pathways:
          a:
            arrivals: {per_day: 12}
            steps:
              ward: {in: ward, stay: {exponential: 2 days}, then: lounge}
              lounge: {in: lounge, holds: ward, stay: {exponential: 5 hours}}
          b:
            arrivals: {per_day: 12}
            steps: {lounge: {in: lounge, stay: 3 hours}}
          c:
            arrivals: {per_day: 12}
            steps: {elsewhere: {in: elsewhere, stay: 3 hours}}
        responses:
          pressure: {follows: {occupancy: ward, over: 1 days}, changes: {stay_in: lounge}, points: [[0, 2], [1, 0.1]]}
    """
    base = model_of(text)
    model = parse_lever("capacity", {"setting": "ward", "add": -6, "from": "2001-01-05"}, base).apply(base)
    window = Window(base.start, 0, 20 * 86_400_000, "day")
    whole = Compared((base, model), tuple(play_model(one, window, 1, base, running.run_once) for one in (base, model)))  # type: ignore[arg-type]
    found = whole.reached()
    assert found.faults() == [] and found.patients["by_response"] > 50 < found.patients["met_nobody"]
    assert {one["pool"] for one in found.pools} == {"lounge", "ward"}
    assert whole.reached(feedback=()).faults(), "without the response nothing explains them"


# ---- any small model, and any change of it ----


def altered(case: Case, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Case:
    """The case with one thing said otherwise."""
    data = deepcopy(case.data)
    step = draw(st.sampled_from([step for one in data["pathways"].values() for step in one["steps"].values()]))
    what = draw(
        st.sampled_from(("beds", "beds", "beds", "patients", "first_day", "shifts", "responses", "step", "step"))
    )
    if what == "beds":
        setting = draw(st.sampled_from(sorted(data["settings"])))
        change = {"setting": setting, "from": "2001-01-30", "add": 1}
        rows = [row.split(",") for row in case.tables.get("units.csv", "").splitlines()]
        if sites := [row[1] for row in rows if row[0] == setting]:
            change["at"] = draw(st.sampled_from(sites))
        data["capacity_changes"] = [*data["capacity_changes"], change]
    elif what == "patients":
        data["growth"]["more"]["a_year"] = 0.7
    elif what == "step":
        step |= draw(st.sampled_from((
            {"stay": {"fixed": "1.5 hours"}}, {"priority": 5, "preempts": False}, {"then": "leave"}, {"holds": []},
            {"queue_limit": {"waiting": 1, "otherwise": "leave"}}, {"patience": {"fixed": "2 hours", "otherwise": "leave"}},
        )))  # fmt: skip
    else:
        data[what] = type(data[what])()
    return replace(case, data=data)


@pytest.mark.filterwarnings("ignore:.*rows of the trace lie outside the run")
@pytest.mark.parametrize("number", range(4))
def test_whatever_is_said_otherwise_in_any_model_reaches_others_through_pools_and_responses_only(number: int) -> None:
    @seed(number)
    @settings(max_examples=25, database=None)
    @given(cases(), st.data())
    def explains(case: Case, data: st.DataObject) -> None:
        base, window = case.build()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model, _ = altered(case, data.draw).build()
        try:
            runs = tuple(play_model(one, window, case.seed, base, running.run_once) for one in (base, model))
        except (InputError, StoppedError):
            return  # told, not run
        assert Compared((base, model), runs).reached().faults() == []  # type: ignore[arg-type]

    explains()


def test_what_is_said_alike_touches_nothing() -> None:
    base = city("nearest", True)
    found: Touched = Compared((base, base), (played(base, base), played(base, base))).touched
    assert not any(flags.any() for flags in (found.sent, found.waits, found.stays, found.streams, found.units))
    assert (found.pools == FAR).all()
