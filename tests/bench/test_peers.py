"""Every peer runs the same models, so that their speeds compare: the same waits, exactly or within chance."""

from __future__ import annotations

import math
import statistics

import pytest

from flowsim.bench import bare_simpy
from flowsim.bench.agreement import CLINIC_SPREAD, CLINIC_WAIT_HOURS, Sample, agreement
from flowsim.bench.outcome import Outcome, Waits
from flowsim.bench.peers import PEERS, Form, Peer
from flowsim.bench.rounds import Middle, Turn, cost, ratio, turn

SHORT = Form("m2", days=40, since=15)
OTHERS = ("bare-simpy", "ciw", "cimba")
NAMES = [peer.label for peer in PEERS]


def peer_named(label: str) -> Peer:
    peer = PEERS[NAMES.index(label)]
    if not peer.is_here:
        pytest.skip(f"{peer.library} is not installed: pip install 'flowsim[bench]'")
    return peer


@pytest.mark.parametrize("label", [peer.label for peer in PEERS if "m1" in peer.runs and peer.name != "salabim"])
def test_the_clinic_of_every_peer_waits_as_theory_says(label: str) -> None:
    peer = peer_named(label)
    patients, runs = 10_000, 6
    run = peer.runner(Form("m1", patients=patients))
    done = [run(seed) for seed in range(1, runs + 1)]
    mean = statistics.fmean(one.waits.hours()["clinic"] for one in done)
    error = CLINIC_WAIT_HOURS * CLINIC_SPREAD * math.sqrt(1e6 / (patients * runs))
    assert abs(mean - CLINIC_WAIT_HOURS) < 4 * error
    for one in done:
        assert one.patients == pytest.approx(patients, rel=0.05)
        assert one.events == pytest.approx(2 * one.patients, abs=200)  # who is inside at the end has not ended
        assert one.seconds > 0


@pytest.mark.parametrize("label", [peer.label for peer in PEERS if peer.name in OTHERS and "m2" in peer.runs])
def test_the_emergency_pathway_of_every_peer_waits_alike_and_makes_as_many_events(label: str) -> None:
    peer = peer_named(label)
    run = peer.runner(SHORT)
    done = [run(seed) for seed in range(1, 4)]
    rows = agreement([Sample(peer, SHORT, [one.waits.hours() for one in done])], 60)
    assert {row["unit"] for row in rows} == {"triage", "cubicle", "ward", "home care"}
    assert all(row["z"] is None or abs(row["z"]) < 4 for row in rows)
    assert statistics.fmean(one.events / one.patients for one in done) == pytest.approx(3.25, abs=0.06)
    assert statistics.fmean(one.patients for one in done) == pytest.approx(40 * 240, rel=0.03)


def test_salabim_with_the_same_draws_gives_the_very_waits_of_plain_simpy() -> None:
    clinic, emergency = (peer_named("salabim").runner(form) for form in (Form("m1", patients=800), Form("m2", days=4)))
    for theirs, ours in ((clinic(3), bare_simpy.clinic(3, 800)), (emergency(3), bare_simpy.emergency(3, 4))):
        assert theirs.waits.total_ms == ours.waits.total_ms
        assert theirs.waits.starts == ours.waits.starts
        assert (theirs.events, theirs.patients) == (ours.events, ours.patients)


def test_agreement_finds_a_pathway_that_has_a_bed_less() -> None:
    hours = [{"clinic": 0.40}] * 40
    (row,) = agreement([Sample(PEERS[2], Form("m1", patients=100_000), hours)], 1)
    assert row["z"] > 4
    slower = [{"triage": 3.0 + i / 100, "cubicle": 0.5} for i in range(20)]
    found = {row["unit"]: row["z"] for row in agreement([Sample(PEERS[2], SHORT, slower)], 60)}
    assert found["triage"] > 4


def test_a_turn_is_as_many_runs_as_fill_it_each_from_a_seed_of_its_own() -> None:
    seeds: list[int] = []

    def run(seed: int) -> Outcome:
        seeds.append(seed)
        waits = Waits()
        waits.add_sum("clinic", 3_600_000, 2)
        return Outcome(10, 5, waits, 0.1)

    one = turn(run, 7)
    assert (one.runs, one.events, one.patients) == (3, 30, 15)
    assert one.waits.mean_hours() == 0.5 and one.hours == [{"clinic": 0.5}] * 3
    assert len(set(seeds)) == 3
    turn(run, 8)
    assert len(set(seeds)) == 6


def test_ratios_are_taken_within_rounds_and_their_median_is_told() -> None:
    def rated(events: int) -> Turn:
        return Turn(1, events, 1, 1.0, Waits(), [])

    fast, slow = [rated(30), rated(100), rated(40)], [rated(10), rated(50), rated(10)]
    assert ratio(fast, slow) == Middle(3.0, 2.0, 4.0)
    assert cost(fast, slow).median == pytest.approx(1 / 3)
