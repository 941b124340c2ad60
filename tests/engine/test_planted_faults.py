"""Faults of one line, planted in the engine: each is noticed by the check that is named beside it."""

from __future__ import annotations

import inspect
import signal
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import small
import test_first_day
import test_gridlock
import test_handing_over
import test_holds
import test_order
import test_preemption
import test_queues
import test_responses
import test_rounds
from agreeing import disagreements
from small import play

from flowsim.engine import pools, premises, reference, running
from flowsim.engine.books import Books
from flowsim.engine.ledger import bin_of
from flowsim.engine.pools import Pool
from flowsim.engine.premises import Premises
from flowsim.engine.reference import City
from flowsim.engine.views import ClassView, UnitView
from flowsim.errors import FlowsimError

BUSY = """
settings:
  triage: {capacity: 2 beds}
  cubicle: {capacity: 3 beds}
  ward: {capacity: {shifts: [{hours: "00:00-12:00", beds: 6}, {hours: "12:00-24:00", beds: 4}]}}
  clinic: {capacity: 5 slots, opens: [{hours: "09:00-12:00"}, {hours: "12:00-17:00", slots: 9}]}
  home care: {capacity: 5 beds}
capacity_changes: [{setting: triage, from: 2001-01-03, add: -1}]
pathways:
  emergency:
    arrivals: {per_day: 20, ages: {0-64: 0.5, 65+: 0.5}}
    steps:
      triage: {in: triage, stay: {exponential: 1 hours}, priority: {by: age_band, 0-64: 1, 65+: 0}, then: {cubicle: 0.8, triage: 0.2}}
      cubicle:
        in: cubicle
        stay: {lognormal: {mean: 2 hours, cv: 1}}
        patience: {exponential: 3 hours, otherwise: clinic}
        then: {ward: 0.4, leave: 0.6}
      ward: {in: ward, holds: cubicle, stay: {gamma: {mean: 9 hours, cv: 1}}, patience: {fixed: 7 hours},
             rounds: [{days: mon-fri, at: ["09:00", "14:00"]}, {days: "sat, sun", at: ["11:00"]}], then: {scan: 0.5, leave: 0.5}}
      scan: {in: triage, stay: 1 hours, then: home care}
      home care: {in: home care, holds: ward, stay: 9 hours}
      clinic: {in: clinic, stay: 1 hours, queue_limit: {waiting: 4}}
clocks: {four hours: {from: triage joined, to: [cubicle left, clinic started], standard: 4 hours}}
first_day: [{pathway: emergency, step: ward, inside: 3, waiting: 1, waited_up_to: 3 hours}]
"""


def by_laws() -> None:
    """The laws of the ledger, checked in every run."""
    play(BUSY, hours=24 * 9)


def by_agreement() -> None:
    """What the visit log says against the ledger and the rules; laws are not looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "broken_laws", lambda *_: [])
        played = play(BUSY, hours=24 * 9)
    assert disagreements(played) == []


class Fault(NamedTuple):
    """A line of a method (or of a function of a module), what it becomes, and the check that must notice."""

    what: str
    owner: Any
    method: str
    old: str
    new: str
    check: Callable[..., None]
    given: tuple[Any, ...] = ()


FAULTS = [
    Fault("a bed more than there is", UnitView, "is_free", "self.in_use < self.capacity", "self.in_use <= self.capacity",
          by_laws),
    Fault("a bed more than there is", UnitView, "is_free", "self.in_use < self.capacity", "self.in_use <= self.capacity",
          by_agreement),
    Fault("a bed less than there is", UnitView, "is_free", "self.in_use < self.capacity", "self.in_use + 1 < self.capacity",
          by_agreement),
    Fault("places off by one", UnitView, "places", "self.capacity - self.in_use", "self.capacity - self.in_use + 1",
          test_queues.test_a_queue_limit_counts_those_waiting_beyond_the_free_places, (0, [2, 3, 4, 5, 6])),
    Fault("a hold released at the end of the stay", City, "go_on", "if not keeps[held.step.number]", "if True",
          test_holds.test_a_unit_is_kept_until_the_step_that_holds_it_starts_and_blocks_those_behind),
    Fault("a hold kept for ever", City, "go_on", "if not keeps[held.step.number]", "if False", by_agreement),
    Fault("what is held is released after the start", City, "start", "if held.step.number in step.holds", "if False",
          test_holds.test_a_unit_is_kept_until_the_step_that_holds_it_starts_and_blocks_those_behind),
    Fault("a lost millisecond of a stay", City, "post_end", "self._now + stay", "self._now + max(stay - 1, 0)", by_agreement),
    Fault("a lost millisecond of patience", City, "request", "now + patience", "now + max(patience - 1, 0)", by_agreement),
    Fault("luck of the first time again", City, "draw", "visit.occurrence", "0", by_agreement),
    Fault("a way by the number of the visit", City, "route", "visit.occurrence", "visit.number", by_agreement),
    Fault("the edge of a period", Books, "close", "level[row] * at for", "level[row] * (at - 1) for", by_agreement),
    Fault("the wait from the start of the run", City, "start", "wait = now - visit.joined",
          "wait = now - max(visit.joined, 0)", by_agreement),
    Fault("the better priority last", Pool, "let_in", "(line.priority, joined, number) < best[:3]",
          "(line.priority, joined, number) > best[:3]", by_agreement),
    Fault("the last of a pool first", ClassView, "free_unit", "in self.others", "in reversed(self.others)",
          test_queues.test_tries_names_the_other_units_and_their_order),
    Fault("overflow a moment late", ClassView, "free_unit", "waited >= after", "waited > after",
          test_queues.test_overflow_is_used_in_the_very_instant_its_wait_is_over_and_not_before),
    Fault("no start when overflow opens", City, "request", "for after in line.later", "for after in ()",
          test_queues.test_overflow_is_used_in_the_very_instant_its_wait_is_over_and_not_before),
    Fault("a round skipped", City, "post_end", "at += int(choices.fixed_round", "at += 0 * int(choices.fixed_round", by_agreement),
    Fault("the round after the first", City, "post_end", "at += int(choices.fixed_round", "at += 1 + int(choices.fixed_round",
          test_rounds.test_who_is_ready_is_let_go_at_the_first_fixed_round, ('{at: ["09:00", "15:00"]}', 480, 540)),
    Fault("a response of a day too many", Premises, "respond", "response_days[number]) + 1", "response_days[number]) + 2",
          test_responses.test_before_the_first_day_is_over_the_written_shares_hold_then_those_of_the_day_before),
    Fault("thousandths rounded down", Premises, "set_capacity", "+ 500", "+ 0",
          test_responses.test_a_capacity_follows_in_whole_thousandths_rounded_half_up),
    Fault("slots not renewed", Premises, "renew", "unit.left = (int", "unit.left = 0 * (int", by_agreement),
    Fault("unused slots kept", Premises, "renew", "self.books.slots_lost[unit.number] += unit.left", "pass", by_agreement),
    Fault("a session that closes a session late", Premises, "renew", "unit.is_open, unit.left = False, 0", "pass",
          by_agreement),
    Fault("a slot used twice", City, "start", "unit.left -= 1", "pass", by_agreement),
    Fault("a bed not vacated", City, "vacate", "unit.in_use -= 1", "pass", by_laws),
    Fault("nobody called when a bed falls free", City, "vacate", "self.pools[unit.pool].touch()", "pass", by_agreement),
    Fault("nobody called when beds open", Premises, "set_capacity", "self.pools[unit.pool].touch()", "pass", by_agreement),
    Fault("time over capacity forgotten", Premises, "set_capacity", "max(unit.in_use - after, 0)", "0", by_agreement),
    Fault("a clock counted twice", City, "tick", "clock_bins[clock * BINS + bin_of(ran)] += 1",
          "clock_bins[clock * BINS + bin_of(ran)] += 2", by_laws),
    Fault("a clock that starts again while it runs", City, "tick", "if clock not in patient.clocks", "if True", by_agreement),
    Fault("a standard met only below it", City, "tick", "self.standards[clock]", "self.standards[clock] - 3000000",
          by_agreement),
    Fault("the integral of the queue", City, "unqueue", "queue_ms[visit.line.number] += self._now",
          "queue_ms[visit.line.number] += self._now + 1", by_laws),
    Fault("time blocked not in the log", City, "unblock", "held.blocked_ms += now - held.blocked_since", "pass",
          by_agreement),
    Fault("still blocked while served", City, "unblock", "self.blocked[held.blocked_row] -= 1", "pass", by_agreement),
    Fault("held time of one only", City, "hold", "held.unit.held += 1", "pass", by_agreement),
    Fault("the cause of another step", City, "block", "visit.step.cause", "held.step.cause",
          test_holds.test_blocked_time_is_booked_under_the_cause_named_on_the_step),
    Fault("the victim who has been there longest", Pool, "make_room", "max(worse", "min(worse",
          test_preemption.test_the_victim_is_the_worst_priority_then_the_latest_start_then_the_highest_number),
    Fault("the victim by its first start", Pool, "make_room", "v.segment", "v.started",
          test_preemption.test_the_latest_start_is_that_of_the_present_segment),
    Fault("an equal priority gives way", Pool, "make_room", "visit.line.priority > line", "visit.line.priority >= line",
          test_preemption.test_nobody_of_the_same_or_a_better_priority_gives_way),
    Fault("an interrupted stay begins anew", City, "interrupt", "visit.ready - now", "visit.ready - visit.started",
          test_preemption.test_the_interrupted_one_keeps_when_it_joined_and_later_serves_what_remained),
    Fault("patience goes on after the start", City, "occupy", "visit.reneging.callbacks, visit.reneging = [], None", "pass",
          test_preemption.test_the_interrupted_one_has_no_patience_any_more),
    Fault("beds beyond the horizon forgotten", Premises, "may_rise", "return unit.is_beds and", "return unit.is_slots and",
          test_gridlock.test_beds_that_come_beyond_the_horizon_count),
    Fault("no look for a ring when somebody blocks", City, "block", "self.look_for_gridlock()", "pass",
          test_gridlock.test_units_whose_patients_wait_for_each_other_are_named_and_others_are_not),
    Fault("no look for a ring when beds are cut", Premises, "set_capacity", "self.look_for_gridlock()", "pass",
          test_gridlock.test_a_cut_that_closes_a_ring_is_found),
    Fault("no look for a ring when the last one served leaves", City, "vacate", "self.look_for_gridlock()", "pass",
          test_gridlock.test_a_ring_that_the_last_one_served_leaves_behind_in_a_cut_unit_is_found),
    Fault("a look for a ring that ends too soon", premises, "stuck_units", "if all(", "if any(",
          test_gridlock.test_units_whose_patients_wait_for_each_other_are_named_and_others_are_not),
    Fault("patience that counts from joining", City, "request", "now + patience, RENEGE", "max(joined + patience, now), RENEGE",
          test_first_day.test_the_patience_of_those_waiting_counts_from_the_start),
    Fault("whoever is there on the first day arrives", City, "settle", "self.books.first_inside[visit.lane] += 1", "pass",
          by_laws),
    Fault("the limit one too long", City, "join", "self.waiting_for(unit) >= step.limit", "self.waiting_for(unit) > step.limit",
          test_queues.test_a_queue_limit_counts_those_waiting_beyond_the_free_places, (1, [3, 4, 5, 6])),
    Fault("a divert of everybody but one", City, "join", "self.waiting_for(unit) >= step.divert_at",
          "self.waiting_for(unit) > step.divert_at",
          test_queues.test_who_diverts_moves_once_and_looks_at_the_queue_of_its_first_choice_only),
    Fault("those still there in the order in which they came", City, "count_inside",
          "sorted(self.inside, key=lambda patient: patient.number)", "self.inside",
          test_handing_over.test_those_still_there_at_the_horizon_are_logged_by_number_what_they_hold_before_where_they_are),
    Fault("the last visits kept back", City, "_live", "self.hand_over()", "pass", by_agreement),
    Fault("visits kept back when a run is stopped", City, "_live", "self.hand_over()", "pass",
          test_handing_over.test_a_run_that_is_stopped_hands_over_the_visits_until_then),
    Fault("sums of 0 written", Books, "close", "if value)", "if True)",
          test_handing_over.test_each_period_that_closes_is_one_page_in_the_order_of_books_and_rows_without_zeros, ("day",)),
    Fault("rows of a period as they came", Books, "close", "sorted(row for", "list(row for",
          test_handing_over.test_each_period_that_closes_is_one_page_in_the_order_of_books_and_rows_without_zeros, ("day",)),
]  # fmt: skip


def plant(patch: pytest.MonkeyPatch, owner: Any, method: str, old: str, new: str) -> None:
    """Replace `old` wherever it stands in a method. A fault whose line is gone is a fault of this list."""
    function = inspect.getattr_static(owner, method)
    source = textwrap.dedent(inspect.getsource(function))
    assert old in source, f"{owner.__name__}.{method} has no `{old}`"
    space: dict[str, Any] = {}
    exec(compile(source.replace(old, new), f"<{method} with a fault>", "exec"), function.__globals__, space)
    patch.setattr(owner, method, space[method])


@pytest.fixture(autouse=True)
def _the_simpy_engine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault must be noticed without the other engine to compare with."""
    monkeypatch.setattr(small, "ARE_COMPARED", False)


def noticed(check: Callable[..., None], *given: Any) -> bool:
    """Whether a check fails, the engine refuses to go on, or it goes on for ever (4 seconds)."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(4)
    try:
        check(*given)
    except (AssertionError, FlowsimError, ValueError, KeyError, RuntimeError, TimeoutError, pytest.fail.Exception):
        return True
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return False


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{one.what}, noticed by {one.check.__name__}" for one in FAULTS])
def test_a_planted_fault_is_noticed(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, fault.owner, fault.method, fault.old, fault.new)
    assert noticed(fault.check, *fault.given)


@pytest.mark.parametrize("check", [by_laws, by_agreement])
def test_without_a_fault_nothing_is_noticed(check: Callable[[], None]) -> None:
    assert not noticed(check)


ORDERS = [
    ({"CLOSE": (reference, 2)}, test_order.test_a_day_ends_before_anything_of_the_next, ()),
    ({"END": (reference, 5), "JOIN": (reference, 4), "ARRIVAL": (reference, 1)},
     test_order.test_a_bed_freed_in_the_instant_of_an_arrival_is_had, ()),
    ({"JOIN": (reference, 4), "ARRIVAL": (reference, 5)},
     test_order.test_a_condition_is_looked_at_when_all_arrivals_of_the_instant_are_known, ()),
    ({"JOIN": (reference, 6), "START": (pools, 5)},
     test_order.test_the_better_priority_that_joins_under_a_condition_starts_first, ()),
    ({"RENEGE": (reference, 6), "START": (pools, 7)},
     test_order.test_a_bed_freed_in_the_instant_a_patience_ends_is_had, (10, "completed")),
]  # fmt: skip


@pytest.mark.parametrize(("kinds", "check", "given"), ORDERS, ids=["-".join(kinds) for kinds, _, _ in ORDERS])
def test_an_exchange_in_the_order_of_kinds_is_noticed(
    kinds: dict[str, tuple[Any, int]], check: Callable[..., None], given: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, (module, rank) in kinds.items():
        monkeypatch.setattr(module, name, rank)
    assert noticed(check, *given)


def test_a_wait_in_the_next_bin_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "bin_of", lambda wait: bin_of(wait) + (wait > 0))
    assert noticed(by_agreement)
