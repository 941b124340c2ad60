"""The SimPy engine, first part: units on their calendar. Capacity, sessions, midnight, feedback, gridlock.

`reference` has the second part: what patients do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from flowsim.engine import choices
from flowsim.engine.books import Books
from flowsim.engine.gridlock import stuck_units
from flowsim.engine.ledger import Write
from flowsim.engine.network import Change, Follow, Network
from flowsim.engine.rules import Kind, Stuck
from flowsim.engine.views import UnitView, views

if TYPE_CHECKING:
    from flowsim.engine.pools import Patient, Pool

CLOSE, CAPACITY, RENEW, CHECK = int(Kind.CLOSE), int(Kind.CAPACITY), int(Kind.RENEW), int(Kind.CHECK)
HOUR_MS = 3_600_000


class Happening(simpy.Event):
    """An event of a `rules.Kind` at a known time; beyond the horizon it never comes."""

    def __init__(
        self,
        city: Premises,
        at: int,
        kind: int,
        where: int,
        who: int,
        then: Callable[[Any], None] | None = None,
    ):
        self.env = city
        self.callbacks = [] if then is None else [then]
        self._ok, self._value = True, None
        if at < city._now:
            raise ValueError("the clock would fall")
        if at < city.horizon:
            heappush(city._queue, (at, (kind, where, who), next(city._eid), self))


class Premises(simpy.Environment):
    """Units, their pools and the books of one replication, on SimPy's clock."""

    pools: list[Pool]
    _now: int  # SimPy allows fractions; here time is whole milliseconds
    _queue: list[Any]  # (time, (kind, where, who), number, event)

    def __init__(self, network: Network, write: Write) -> None:
        super().__init__(0)
        self.network = network
        self.horizon = int(network.horizon_ms)
        self.units, self.lines, self.steps = views(network)
        self.books = Books(network, write)
        self.blocked = [0] * len(network.block_unit)  # visits now blocked, by row
        self.shares: dict[int, float] = {}  # first shares set by a response, by step
        self.needs: dict[int, float] = {}  # factors set by a response, by pathway
        self.standards: list[int] = network.clock_standard.tolist()
        self.followed_sums = [deque([(0, 0)]) for _ in range(len(network.response_days))]
        self.points = np.stack([network.response_x, network.response_y], axis=1).reshape(-1)
        self.inside: dict[Patient, None] = {}  # patients in the model, in order of arrival
        self.soon: deque[Any] = deque()
        self.is_check_due = False

    def schedule(self, event: simpy.Event, priority: Any = 0, delay: Any = 0) -> None:
        """SimPy's own events, a process that starts or resumes: at once, before any kind of happening."""
        self.soon.append(event)

    def run(self, until: Any = None) -> None:
        """As SimPy's own, with its events of the present instant in a queue apart: until nothing is left to happen."""
        soon, queue = self.soon, self._queue
        while soon or queue:
            if soon:
                event = soon.popleft()
            else:
                self._now, _, _, event = heappop(queue)
            callbacks, event.callbacks = event.callbacks, None
            for callback in callbacks:
                callback(event)
            if not event._ok:
                raise event._value

    # --- capacity ---------------------------------------------------------------------------------------------

    def open_units(self) -> None:
        """Capacity at the start, and the first change or session of each unit."""
        n = self.network
        for unit in self.units:
            if unit.is_beds:
                unit.next_change = int(n.capacity_first[unit.number])
                self.change_capacity(unit)
            elif unit.is_slots and n.session_first[unit.number] < n.session_first[unit.number + 1]:
                unit.session = int(n.session_first[unit.number])
                at = int(n.session_open[unit.session])
                Happening(self, at, RENEW, unit.number, 0, partial(self.renew, unit))

    def change_capacity(self, unit: UnitView, _: Any = None) -> None:
        """CAPACITY: the beds of the calendar from now on; nobody is sent away."""
        n = self.network
        unit.base = int(n.capacity_beds[unit.next_change])
        self.set_capacity(unit)
        unit.next_change += 1
        if unit.next_change < n.capacity_first[unit.number + 1]:
            at = int(n.capacity_at[unit.next_change])
            Happening(self, at, CAPACITY, unit.number, 0, partial(self.change_capacity, unit))

    def set_capacity(self, unit: UnitView) -> None:
        """Beds in force: those of the calendar, times a response in whole thousandths, rounded half up."""
        now, before = self._now, unit.capacity
        unit.capacity = after = (unit.base * unit.factor + 500) // 1000
        if after == before:
            return
        self.books.available_ms[unit.number] += (before - after) * now
        self.books.over_ms[unit.number] += (max(unit.in_use - before, 0) - max(unit.in_use - after, 0)) * now
        if after > before:
            self.pools[unit.pool].touch()
        else:
            self.look_for_gridlock()

    def renew(self, unit: UnitView, _: Any = None) -> None:
        """RENEW: a session closes and loses what is left of its slots, or opens with new ones, or both."""
        n, now = self.network, self._now
        if unit.is_open and n.session_close[unit.session] == now:
            self.books.slots_lost[unit.number] += unit.left
            unit.is_open, unit.left = False, 0
            unit.session += 1
        if unit.session < n.session_first[unit.number + 1]:
            if n.session_open[unit.session] == now:
                unit.is_open = True
                unit.left = (int(n.session_slots[unit.session]) * unit.factor + 500) // 1000
                self.books.slots_offered[unit.number] += unit.left
                self.pools[unit.pool].touch()
            at = int((n.session_close if unit.is_open else n.session_open)[unit.session])
            Happening(self, at, RENEW, unit.number, 0, partial(self.renew, unit))

    # --- midnight ---------------------------------------------------------------------------------------------

    def close_day(self, at: int) -> None:
        """CLOSE: midnight counts, the period if it ends now, and what follows from the last days."""
        books = self.books
        for unit in self.units:
            books.midnight_in_use[unit.number] += unit.in_use
            books.midnight_available[unit.number] += unit.capacity
        if at == self.network.period_starts[books.period + 1]:
            self.close_period(at)

    def close_period(self, at: int) -> None:
        """Write the books of the period that ends, and at a month's end the clocks still running."""
        books = self.books
        if books.closes_month[books.period]:
            for patient in self.inside:
                for clock, started in patient.clocks.items():
                    books.clock_running[clock] += 1
                    books.clock_running_over[clock] += at - started > self.standards[clock]
        books.close(at, self.levels())

    def levels(self) -> dict[str, list[int]]:
        """What each integral over time is rising by now."""
        return {
            "in_use_ms": [unit.in_use for unit in self.units],
            "available_ms": [unit.capacity for unit in self.units],
            "over_ms": [max(unit.in_use - unit.capacity, 0) if unit.is_beds else 0 for unit in self.units],
            "held_ms": [unit.held for unit in self.units],
            "blocked_ms": self.blocked,
            "queue_ms": [line.count for line in self.lines],
        }

    def respond(self) -> None:
        """Renew what follows the last days: shares, stays, needs and capacities."""
        n, now = self.network, self._now
        for number, totals in enumerate(self.followed_sums):
            totals.append(self.followed(number, now))
            if len(totals) > int(n.response_days[number]) + 1:
                totals.popleft()
            above, below = totals[-1][0] - totals[0][0], totals[-1][1] - totals[0][1]
            if below == 0:
                continue  # nothing happened that could be followed: the value stays
            unit_of_value = float(HOUR_MS) if n.response_follows[number] == Follow.MEAN_WAIT else 1.0
            first, last = int(n.response_point_first[number]), int(n.response_point_first[number + 1])
            value = choices.response_value(above, below, unit_of_value, 2 * first, 2 * last, self.points)
            target = int(n.response_target[number])
            match int(n.response_changes[number]):
                case Change.SHARE:
                    self.shares[target] = value
                case Change.STAY:
                    self.steps[target].response_factor = value
                case Change.STAY_IN:
                    self.units[target].response_factor = value
                case Change.NEED:
                    self.needs[target] = value
                case Change.CAPACITY:
                    self.units[target].factor = int(value * 1000.0 + 0.5)
                    if self.units[target].is_beds:
                        self.set_capacity(self.units[target])

    def followed(self, number: int, now: int) -> tuple[int, int]:
        """What a response follows, summed from the start of the run: numerator and denominator."""
        n, books = self.network, self.books
        first, last = int(n.response_unit_first[number]), int(n.response_unit_first[number + 1])
        units = [self.units[u] for u in n.response_units[first:last].tolist()]
        lines = [line for line in self.lines if line.own in units]
        match int(n.response_follows[number]):
            case Follow.OCCUPANCY:
                used = sum(books.so_far("in_use_ms", u.number, u.in_use, now) for u in units)
                return used, sum(books.so_far("available_ms", u.number, u.capacity, now) for u in units)
            case Follow.MEAN_WAIT:
                waits = sum(books.so_far("wait_ms", line.number, 0, now) for line in lines)
                return waits, sum(
                    books.so_far("starts", lane, 0, now) for line in lines for lane in line.lanes.values()
                )
            case _:
                return sum(books.so_far("queue_ms", line.number, line.count, now) for line in lines), now

    # --- gridlock ---------------------------------------------------------------------------------------------

    def look_for_gridlock(self) -> None:
        """Have gridlock looked for when all else of this instant is done."""
        if not self.is_check_due:
            self.is_check_due = True
            Happening(self, self._now, CHECK, 0, 0, self.check)

    def check(self, _: Any) -> None:
        """CHECK: beds that can never move again stop the run; those stuck until capacity or patience helps count."""
        self.is_check_due = False
        if not stuck_units(self.units, self.inside, None):
            return
        self.books.gridlock_spells[0] += 1
        stuck = stuck_units(self.units, self.inside, {unit.number for unit in self.units if self.may_rise(unit)})
        if stuck:
            raise Stuck(tuple(stuck), (), self._now)

    def may_rise(self, unit: UnitView) -> bool:
        """Whether the calendar, beyond the horizon too, or a response may yet make room."""
        n = self.network
        if any(
            change == Change.CAPACITY and target == unit.number
            for change, target in zip(n.response_changes.tolist(), n.response_target.tolist(), strict=True)
        ):
            return True
        if unit.is_slots:
            return bool(n.session_first[unit.number] < n.session_first[unit.number + 1])
        return unit.is_beds and int(n.capacity_later[unit.next_change - 1]) > unit.in_use
