"""The compiled engine, first part: units on their calendar. Capacity, sessions, midnight, feedback, gridlock.

`compiled` has the second part: what patients do. The SimPy engine has the same sections in `premises`.
"""

from __future__ import annotations

from typing import Any

from flowsim.engine import choices
from flowsim.engine.compiled_arrivals import stream_of
from flowsim.engine.compiled_pools import BEDS, SLOTS, is_free, touch
from flowsim.engine.heap import push
from flowsim.engine.jit import called, compiled, spliced
from flowsim.engine.network import Change, Follow
from flowsim.engine.records import ABOVE_CAPACITY, NO_LEVEL, NOT_RUNNING, City
from flowsim.engine.rules import Kind

CLOSE, CAPACITY, RENEW = int(Kind.CLOSE), int(Kind.CAPACITY), int(Kind.RENEW)
OCCUPANCY, MEAN_WAIT = int(Follow.OCCUPANCY), int(Follow.MEAN_WAIT)
SHARE, STAY, NEED, STAY_IN = int(Change.SHARE), int(Change.STAY), int(Change.NEED), int(Change.STAY_IN)
HOUR_MS = 3_600_000.0


# --- capacity -------------------------------------------------------------------------------------------------


@called
def open_units(city: City) -> None:
    """Capacity at the start, and the first change or session of each unit."""
    run = city.run[0]
    for u in range(len(city.units)):
        unit = city.units[u]
        if unit.kind == BEDS:
            change_capacity(city, u)
        elif unit.kind == SLOTS and unit.session < unit.last_session:
            push(run, city.heap, city.ints[run.session_open + unit.session], RENEW, u, 0, 0, 0)


@called
def change_capacity(city: City, u: int) -> None:
    """CAPACITY: the beds of the calendar from now on; nobody is sent away."""
    run, unit = city.run[0], city.units[u]
    unit.planned = city.ints[run.capacity_beds + unit.next_change]
    set_capacity(city, u)
    unit.next_change += 1
    if unit.next_change < unit.last_change:
        push(run, city.heap, city.ints[run.capacity_at + unit.next_change], CAPACITY, u, 0, 0, 0)


@called
def set_capacity(city: City, u: int) -> None:
    """Beds in force: those of the calendar, times a response in whole thousandths, rounded half up."""
    run, unit = city.run[0], city.units[u]
    now, before = run.now, unit.capacity
    after = (unit.planned * unit.factor + 500) // 1000
    unit.capacity = after
    if after == before:
        return
    unit.available_ms += (before - after) * now
    unit.over_ms += (max(unit.in_use - before, 0) - max(unit.in_use - after, 0)) * now
    if after > before:
        touch(city, unit.pool)
    else:
        look_for_gridlock(run)


@called
def renew(city: City, u: int) -> None:
    """RENEW: a session closes and loses what is left of its slots, or opens with new ones, or both."""
    run, unit, ints = city.run[0], city.units[u], city.ints
    now = run.now
    if unit.is_open == 1 and ints[run.session_close + unit.session] == now:
        unit.slots_lost += unit.left
        unit.is_open, unit.left = 0, 0
        unit.session += 1
    if unit.session < unit.last_session:
        if ints[run.session_open + unit.session] == now:
            unit.is_open = 1
            unit.left = (ints[run.session_slots + unit.session] * unit.factor + 500) // 1000
            unit.slots_offered += unit.left
            touch(city, unit.pool)
        times = run.session_close if unit.is_open == 1 else run.session_open
        push(run, city.heap, ints[times + unit.session], RENEW, u, 0, 0, 0)


# --- midnight -------------------------------------------------------------------------------------------------


@compiled
def close_day(city: City) -> bool:
    """CLOSE: midnight counts, and the period if it ends now; False if the page is full and has to be taken first."""
    run = city.run[0]
    now = run.now
    if run.closing_book < 0:
        for u in range(len(city.units)):
            unit = city.units[u]
            unit.midnight_in_use += unit.in_use
            unit.midnight_available += unit.capacity
        if city.ints[run.period_starts + run.period + 1] != now:
            return True
        if city.ints[run.closes_month + run.period] == 1:
            count_running(city)
        run.closing_book, run.closing_row = 0, 0
    if not close_books(city):
        return False
    run.closing_book = -1
    run.period += 1
    return True


@called
def count_running(city: City) -> None:
    """At a month's end, the clocks still running."""
    run = city.run[0]
    now = run.now
    for p in range(run.patients):
        patient = city.patients[p]
        if patient.visits == 0 or patient.running == 0:
            continue
        stream = city.streams[stream_of(patient.number)]
        for place in range(stream.clock_first, stream.clock_last):
            clock = city.clocks[city.ints[place]]
            started = city.starts[p * run.clock_width + clock.slot]
            if started != NOT_RUNNING:
                clock.clock_running += 1
                if now - started > clock.standard:
                    clock.clock_running_over += 1


@called
def close_books(city: City) -> bool:
    """Write the books of the period that ends; False where the page is full, to go on from there."""
    run, memory = city.run[0], city.memory
    now, closes_month = run.now, city.ints[run.closes_month + run.period]
    for number in range(run.closing_book, len(city.closing)):
        book = city.closing[number]
        first, run.closing_row = run.closing_row, 0
        if book.by_month == 1 and closes_month == 0:
            continue
        row = first - 1
        while True:
            row += 1
            if book.level == NO_LEVEL:
                row = first_used(city, book, row)
            if row >= book.rows:
                break
            place = book.first + row * book.stride
            value, rises = memory[place], 0
            if book.level >= 0:
                rises = memory[book.level + row * book.stride]
            elif book.level == ABOVE_CAPACITY:
                unit = city.units[row]
                rises = max(unit.in_use - unit.capacity, 0) if unit.kind == BEDS else 0
            value += rises * now
            if value != 0:
                if run.page_rows == len(city.page):
                    run.closing_book, run.closing_row = number, row
                    return False
                entry = city.page[run.page_rows]
                entry.period, entry.book, entry.row, entry.value = run.period, number, row, value
                run.page_rows += 1
            memory[place] = -rises * now
            if book.before >= 0:
                memory[book.before + row * book.stride] += value
    return True


@spliced
def first_used(city: City, book: Any, row: int) -> int:
    """The first row, from one on, in which anything is counted; most rows of most books stay empty."""
    while row < book.rows and city.memory[book.first + row * book.stride] == 0:
        row += 1
    return row


@called
def respond(city: City) -> None:
    """Renew what follows the last days: shares, stays, needs and capacities."""
    run = city.run[0]
    for number in range(len(city.responses)):
        response = city.responses[number]
        above, below = followed(city, response)
        # A ring of sums so far, one for each midnight looked back on.
        size = response.days + 1
        newest = (response.newest + 1) % size
        response.newest = newest
        response.kept = min(response.kept + 1, size)
        oldest = (newest - response.kept + 1 + size) % size
        city.sums[response.sums + 2 * newest] = above
        city.sums[response.sums + 2 * newest + 1] = below
        above -= city.sums[response.sums + 2 * oldest]
        below -= city.sums[response.sums + 2 * oldest + 1]
        if below == 0:
            continue  # nothing happened that could be followed: the value stays
        value = choices.response_value(
            above, below, HOUR_MS if response.follows == MEAN_WAIT else 1.0, run.points + 2 * response.point_first,
            run.points + 2 * response.point_last, city.floats,
        )  # fmt: skip
        target = response.target
        if response.changes == SHARE:
            city.steps[target].share = value
            city.steps[target].has_share = 1
        elif response.changes == STAY:
            city.steps[target].response_factor = value
        elif response.changes == STAY_IN:
            city.units[target].response_factor = value
        elif response.changes == NEED:
            city.floats[run.needs + target] = value
        else:
            unit = city.units[target]
            unit.factor = int(value * 1000.0 + 0.5)
            if unit.kind == BEDS:
                set_capacity(city, target)


@called
def followed(city: City, response: Any) -> tuple[int, int]:
    """What a response follows, summed from the start of the run: numerator and denominator."""
    now, above, below = city.run[0].now, 0, 0
    if response.follows == OCCUPANCY:
        for place in range(response.unit_first, response.unit_last):
            unit = city.units[city.ints[place]]
            above += unit.in_use_ms_before + unit.in_use_ms + unit.in_use * now
            below += unit.available_ms_before + unit.available_ms + unit.capacity * now
        return above, below
    for place in range(response.line_first, response.line_last):
        line = city.lines[city.ints[place]]
        if response.follows == MEAN_WAIT:
            above += line.wait_ms_before + line.wait_ms
            for number in range(line.lane_first, line.lane_last):
                lane = city.lanes[number]
                below += lane.starts_before + lane.starts
        else:
            above += line.queue_ms_before + line.queue_ms + line.count * now
    return above, below if response.follows == MEAN_WAIT else now


# --- gridlock -------------------------------------------------------------------------------------------------


@spliced
def look_for_gridlock(run: Any) -> None:
    """Have gridlock looked for when all else of this instant is done."""
    run.check_due = 1


@called
def check(city: City) -> bool:
    """CHECK: beds that can never move again stop the run; those stuck until capacity or patience helps count."""
    run = city.run[0]
    run.check_due = 0
    if not are_stuck(city, False):
        return False
    run.gridlock_spells += 1
    return are_stuck(city, True)


@called
def are_stuck(city: City, helps: bool) -> bool:
    """Whether units in use are not live (`unit.is_live`); `helps` if capacity to come and patience count.

    `gridlock.stuck_units` says when a unit and when a patient is live.
    """
    run, live = city.run[0], True
    for u in range(len(city.units)):
        unit = city.units[u]
        unit.is_live = 1 if unit.serving > 0 or is_free(unit) or (helps and may_rise(city, unit)) else 0
        live = live and (unit.is_live == 1 or unit.in_use == 0)
    found = not live
    while found:
        found = False
        for p in range(run.patients):
            patient = city.patients[p]
            if patient.visits == 0 or patient.held < 0 or holds_live_only(city, patient):
                continue
            if is_live(city, city.visits[patient.visit], helps):
                found = True
                v = patient.held
                while v >= 0:
                    city.units[city.lanes[city.visits[v].lane].unit].is_live = 1
                    v = city.visits[v].next_held
    for u in range(len(city.units)):
        if city.units[u].in_use > 0 and city.units[u].is_live == 0:
            return True
    return False


@called
def holds_live_only(city: City, patient: Any) -> bool:
    """Whether all units a patient holds are known to be live."""
    v = patient.held
    while v >= 0:
        if city.units[city.lanes[city.visits[v].lane].unit].is_live == 0:
            return False
        v = city.visits[v].next_held
    return True


@called
def is_live(city: City, visit: Any, helps: bool) -> bool:
    """Whether a patient may go on: it is served, its wait has a limit, or a unit it may use is live."""
    if visit.is_waiting == 0:
        return True
    if helps and city.steps[visit.step].patience_family >= 0 and visit.started < 0:
        return True  # who was interrupted has no patience any more
    line = city.lines[visit.line]
    for lane in range(line.lane_first, line.lane_last):
        if city.units[city.lanes[lane].unit].is_live == 1:
            return True
    return False


@called
def may_rise(city: City, unit: Any) -> bool:
    """Whether the calendar, beyond the horizon too, or a response may yet make room."""
    run = city.run[0]
    if unit.follows_response == 1:
        return True
    if unit.kind == SLOTS:
        return unit.has_sessions == 1
    return unit.kind == BEDS and city.ints[run.capacity_later + unit.next_change - 1] > unit.in_use
