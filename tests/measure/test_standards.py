"""Measures of the NHS standards against the same figures counted visit by visit."""

from __future__ import annotations

import pandas as pd
import pytest

from flowsim.experiment.simulating import Run, simulate

MODEL = """\
flowsim: 1
name: hospital
title: A ward whose patients wait for care, and a waiting list
start: 2018-04-01
kind: assumed
source: made up for tests
settings:
  A&E: {capacity: 30 beds, level: stp}
  ward: {capacity: 60 beds, level: stp}
  planning: {capacity: unlimited, level: stp}
  home care: {capacity: 25 beds, level: borough}
  theatre: {capacity: 20 slots, level: stp, opens: [{days: mon-fri, hours: 09:00-12:00}]}
pathways:
  sent home:
    arrivals: {per_day: 60}
    steps:
      A&E: {in: A&E, stay: {lognormal: {mean: 3 hours, cv: 0.7}}}
  admitted:
    arrivals: {per_day: 8}
    steps:
      A&E: {in: A&E, stay: {lognormal: {mean: 4 hours, cv: 0.5}}, then: ward}
      ward:
        in: ward
        holds: A&E
        waits_for: a bed
        stay: {lognormal: {mean: 5 days, cv: 1.5}}
        then: {ready: 0.4, leave: 0.6}
      ready: {in: planning, stay: {exponential: 1 day}, then: home care}
      home care: {in: home care, holds: ward, waits_for: a package, patience: 20 days, stay: {exponential: 14 days}}
  planned:
    arrivals: {per_day: 15}
    steps:
      operation: {in: theatre, stay: 2 hours}
clocks:
  four hours, sent home: {pathway: sent home, from: A&E joined, to: A&E left, standard: 4 hours}
  four hours, admitted: {pathway: admitted, from: A&E joined, to: A&E left, standard: 4 hours}
  stays over 7 days: {from: ward started, to: ward left, standard: 7 days}
  stays over 21 days: {from: ward started, to: ward left, standard: 21 days}
  referral to treatment: {from: operation joined, to: operation started, standard: 18 days}
first_day:
  - {pathway: planned, step: operation, waiting: 250, waited_up_to: 20 days}
"""
MONTH_ENDS = [24 * days for days in (30, 61, 91, 122)]
DAYS = 122


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    file = tmp_path_factory.mktemp("hospital") / "hospital.yaml"
    file.write_text(MODEL, encoding="utf-8")
    return simulate(file, days=DAYS, log=True)


def present(visits: pd.DataFrame, since: str, until: str, at: float) -> pd.DataFrame:
    """Visits that have reached one moment and not another at a time."""
    return visits[(visits[since] <= at) & ~(visits[until] < at)]


@pytest.mark.parametrize("days", [7, 21])
def test_stays_over_days_are_the_share_of_patients_found_there_at_months_ends(run: Run, days: int) -> None:
    ward = run.visits[run.visits["step"] == "ward"]
    found = [present(ward, "started_hours", "left_hours", end) for end in MONTH_ENDS]
    longer = sum(
        int((end - one["started_hours"] > 24 * days).sum()) for end, one in zip(MONTH_ENDS, found, strict=True)
    )
    share = run.measure("running_beyond_standard", "clock")[f"stays over {days} days"]
    assert share == pytest.approx(longer / sum(map(len, found)))
    assert 0 < share < 1


def test_one_month_end_may_be_asked_for_alone(run: Run) -> None:
    ward = run.visits[run.visits["step"] == "ward"]
    found = present(ward, "started_hours", "left_hours", MONTH_ENDS[1])
    share = run.measure("running_beyond_standard", "all", {"clock": "stays over 7 days", "month": "2018-05"})["all"]
    assert share == pytest.approx((MONTH_ENDS[1] - found["started_hours"] > 7 * 24).mean())


def test_a_waiting_list_is_counted_at_each_months_end_with_those_beyond_the_standard(run: Run) -> None:
    visits = run.visits[run.visits["step"] == "operation"]
    of = {"clock": "referral to treatment"}
    running, beyond = (run.measure(name, "month", of) for name in ("running", "running_beyond"))
    assert list(running.index) == ["2018-04", "2018-05", "2018-06", "2018-07"]
    for month, end in zip(running.index, MONTH_ENDS, strict=True):
        waiting = present(visits, "joined_hours", "started_hours", end)
        assert running[month] == len(waiting)
        assert beyond[month] == (end - waiting["joined_hours"] > 18 * 24).sum()
    assert run.measure("running", "all", of)["all"] == pytest.approx(running.mean())


def test_completed_pathways_within_the_standard_are_those_that_started_in_time(run: Run) -> None:
    visits = run.visits[run.visits["step"] == "operation"].dropna(subset="started_hours")
    waits = visits["started_hours"] - visits["joined_hours"]
    of = {"clock": "referral to treatment"}
    assert run.measure("within_standard", "all", of)["all"] == pytest.approx((waits <= 18 * 24).mean())
    assert run.measure("clocks_a_year", "all", of)["all"] == pytest.approx(len(waits) * 365 / DAYS)
    for name, share in (("clock_p50_hours", 0.5), ("clock_p92_hours", 0.92)):
        assert run.measure(name, "all", of)["all"] == pytest.approx(waits.quantile(share), rel=0.0625)


def test_four_hours_of_admitted_and_others_add_up_to_all(run: Run) -> None:
    clocks = ["four hours, sent home", "four hours, admitted"]
    visits = run.visits[run.visits["step"] == "A&E"].dropna(subset="left_hours")
    within = visits["left_hours"] - visits["joined_hours"] <= 4
    by_clock = run.measure("within_standard", "clock")
    for clock, pathway in zip(clocks, ("sent home", "admitted"), strict=True):
        assert by_clock[clock] == pytest.approx(within[visits["pathway"] == pathway].mean())
    assert run.measure("within_standard", "all", {"clock": clocks})["all"] == pytest.approx(within.mean())


def test_beds_of_those_fit_to_leave_are_held_or_blocked_after_the_stay(run: Run) -> None:
    """From the end of the ward's stay until the bed is left, for whatever the patient waits or is served."""
    ward = run.visits[run.visits["step"] == "ward"].dropna(subset="started_hours")
    end = 24.0 * DAYS
    in_use = (ward["left_hours"].fillna(end) - ward["started_hours"]).sum()
    ready = (ward["left_hours"].fillna(end) - ward["ended_hours"].fillna(end)).sum()
    of = {"setting": "ward"}
    assert run.measure("ready_beds", "all", of)["all"] == pytest.approx(ready / end)
    assert run.measure("ready_share", "all", of)["all"] == pytest.approx(ready / in_use)
    held, blocked = (run.measure(name, "all", of)["all"] for name in ("held_beds", "blocked_beds"))
    assert held > 0 and blocked > 0 and held + blocked == pytest.approx(ready / end)


def test_delays_are_told_apart_by_reason_and_by_the_level_that_is_awaited(run: Run) -> None:
    of = {"setting": "ward"}
    by_cause, by_level = (run.measure("blocked_bed_days_a_year", by, of) for by in ("cause", "awaited_level"))
    assert by_cause["a package"] == by_level["borough"] > 0
