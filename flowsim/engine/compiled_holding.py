"""The compiled engine's units that patients hold and give back, with clocks and the visit log.

The SimPy engine has the same under "holding" in `reference`.
"""

from __future__ import annotations

from typing import Any

from flowsim.engine.compiled_arrivals import INDEX_MASK, layer_of, stream_of
from flowsim.engine.compiled_pools import BEDS, is_free, touch
from flowsim.engine.compiled_premises import look_for_gridlock
from flowsim.engine.jit import bits_of, called, inlined, spliced
from flowsim.engine.ledger import BINS, FINEST_BITS, SPLIT_BITS
from flowsim.engine.network import LEAVE, Moment
from flowsim.engine.records import NOT_RUNNING, City
from flowsim.engine.visits import VisitEnd

LEFT = int(Moment.LEFT)
COMPLETED, UNFINISHED = int(VisitEnd.COMPLETED), int(VisitEnd.UNFINISHED)
BIN_SHIFT = 52 - SPLIT_BITS
BIN_OFFSET = ((1023 + FINEST_BITS) << SPLIT_BITS) - 2

HELD_FOR, NOT_KEPT = range(2)
"""Which units are released: those held for a step that starts; those not kept on the way to a step (all, to leave)."""


@spliced
def keep(city: City, patient: Any, v: int) -> None:
    """A unit is held from now on, until it is released."""
    if patient.held < 0:
        patient.held = v
        return
    last, count = patient.held, 1
    while city.visits[last].next_held >= 0:
        last = city.visits[last].next_held
        count += 1
    city.visits[last].next_held = v
    run = city.run[0]
    run.most_held = max(run.most_held, count)


@inlined
def block(city: City, v: int) -> None:
    """The patient waits: what it holds is blocked, by the unit it waits for and under the step's cause."""
    visit, now = city.visits[v], city.run[0].now
    line, cause = city.lines[visit.line], city.steps[visit.step].cause
    h = city.patients[visit.patient].held
    while h >= 0:
        held = city.visits[h]
        row = block_of(city, city.units[city.lanes[held.lane].unit], line.own, cause)
        block = city.blocks[row]
        held.blocked_row, held.blocked_since = row, now
        block.blocked_ms -= now
        block.count += 1
        h = held.next_held
    for lane in range(line.lane_first, line.lane_last):
        unit = city.units[city.lanes[lane].unit]
        if unit.serving > 0 or is_free(unit):
            return
    look_for_gridlock(city.run[0])


@spliced
def block_of(city: City, unit: Any, awaited: int, cause: int) -> int:
    """The row of a held unit, the unit waited for, and a cause."""
    key = awaited * city.run[0].causes + cause
    low, high = unit.block_first, unit.block_last - 1
    while low < high:
        middle = (low + high) >> 1
        if city.blocks[middle].key < key:
            low = middle + 1
        else:
            high = middle
    return int(low)


@inlined
def unblock(city: City, patient: Any) -> None:
    """The patient waits no longer."""
    now, h = city.run[0].now, patient.held
    while h >= 0:
        held = city.visits[h]
        block = city.blocks[held.blocked_row]
        block.blocked_ms += now
        block.count -= 1
        held.blocked_ms += now - held.blocked_since
        h = held.next_held


@spliced
def hold(city: City, patient: Any) -> None:
    """The patient is served elsewhere while it holds units for later."""
    now, h = city.run[0].now, patient.held
    while h >= 0:
        unit = city.units[city.lanes[city.visits[h].lane].unit]
        unit.held_ms -= now
        unit.held += 1
        h = city.visits[h].next_held


@spliced
def unhold(city: City, patient: Any) -> None:
    """It is served no longer."""
    now, h = city.run[0].now, patient.held
    while h >= 0:
        unit = city.units[city.lanes[city.visits[h].lane].unit]
        unit.held_ms += now
        unit.held -= 1
        h = city.visits[h].next_held


@spliced
def give_back(city: City, v: int) -> None:
    """The unit of a visit is released, and the visit is over."""
    visit, now = city.visits[v], city.run[0].now
    vacate(city, v)
    city.lanes[visit.lane].stay_ms += now - visit.segment
    tick(city, visit.patient, visit.step, LEFT, now)
    write_visit(city, v, COMPLETED)
    free_visit(city, v)


@called
def release_held(city: City, p: int, which: int, k: int) -> None:
    """Release some of the units a patient holds."""
    patient = city.patients[p]
    before, v = -1, patient.held
    while v >= 0:
        visit = city.visits[v]
        following = visit.next_held
        if is_released(city, visit.step, which, k):
            if before < 0:
                patient.held = following
            else:
                city.visits[before].next_held = following
            give_back(city, v)
        else:
            before = v
        v = following


@spliced
def is_released(city: City, held: int, which: int, k: int) -> bool:
    """Whether a unit held from a step is released now."""
    if k == LEAVE:
        return True
    step = city.steps[k]
    if which == NOT_KEPT:
        return city.ints[step.keeps + held] == 0
    for place in range(step.hold_first, step.hold_last):
        if city.ints[place] == held:
            return True
    return False


@inlined
def vacate(city: City, v: int) -> None:
    """A place in a unit falls free."""
    now, unit = city.run[0].now, city.units[city.lanes[city.visits[v].lane].unit]
    if unit.kind == BEDS and unit.in_use > unit.capacity:
        unit.over_ms += now
        look_for_gridlock(city.run[0])  # the last one served may have been all that kept others from being stuck
    unit.in_use -= 1
    unit.in_use_ms += now
    if city.pools[unit.pool].waiting > 0:
        touch(city, unit.pool)


@spliced
def tick(city: City, p: int, k: int, moment: int, at: int) -> None:
    """Clocks that stop, and then clocks that start, at a moment of a visit."""
    if (city.steps[k].ticks >> moment) & 1:
        tick_clocks(city, p, k, moment, at)


@called
def tick_clocks(city: City, p: int, k: int, moment: int, at: int) -> None:
    """As `tick`, where there are any."""
    run, ints, patient = city.run[0], city.ints, city.patients[p]
    row = city.steps[k].clocks + 4 * moment
    for place in range(ints[row], ints[row + 1]):
        c = ints[place]
        clock = city.clocks[c]
        slot = p * run.clock_width + clock.slot
        if city.starts[slot] != NOT_RUNNING:
            ran = at - city.starts[slot]
            city.starts[slot] = NOT_RUNNING
            patient.running -= 1
            clock.clock_ms += ran
            city.memory[run.clock_bins + c * BINS + bin_of(ran)] += 1
            book, site_book = run.clock_met, run.clock_site_met
            if ran > clock.standard:
                book, site_book = run.clock_missed, run.clock_site_missed
            city.memory[book + c * run.area_size + patient.area_row] += 1
            city.memory[site_book + c * run.site_size + patient.asked_site + 1] += 1
    for place in range(ints[row + 2], ints[row + 3]):
        clock = city.clocks[ints[place]]
        slot = p * run.clock_width + clock.slot
        if city.starts[slot] == NOT_RUNNING:
            city.starts[slot] = at
            patient.running += 1
            clock.clock_started += 1


@spliced
def write_visit(city: City, v: int, outcome: int) -> None:
    """A row of the visit log, if one is kept."""
    if city.run[0].is_logged == 1:
        log_visit(city, v, outcome)


@called
def log_visit(city: City, v: int, outcome: int) -> None:
    """As `write_visit`, where one is kept."""
    run, visit = city.run[0], city.visits[v]
    patient, row = city.patients[visit.patient], city.log[run.log_rows]
    number = patient.number
    row.stream, row.layer, row.index = stream_of(number), layer_of(number), number & INDEX_MASK
    row.age, row.place, row.visit, row.step = patient.age, patient.place, visit.number, visit.step
    row.own_unit = city.lines[visit.line].own
    row.unit = city.lanes[visit.lane].unit if visit.started >= 0 else -1
    is_ready = visit.ended >= 0 or (visit.is_waiting == 0 and visit.ready < run.now)
    row.joined_ms, row.started_ms, row.ready_ms = visit.joined, visit.started, visit.ready if is_ready else -1
    row.ended_ms, row.left_ms = visit.ended, -1 if outcome == UNFINISHED else run.now
    row.outcome, row.blocked_ms, row.waited_for = outcome, visit.blocked_ms, visit.blocked_row
    count_row(city)


@spliced
def count_row(city: City) -> None:
    """One more row of the visit log."""
    run = city.run[0]
    run.log_rows += 1
    if run.log_rows + run.spare + run.most_held > len(city.log):
        run.is_short = 1


@spliced
def bin_of(wait_ms: int) -> int:
    """The bin of a wait, as `ledger.bin_of`: a float's exponent and first bits are the doubling and its part."""
    if wait_ms <= 0:
        return 0
    if wait_ms < 1 << FINEST_BITS:
        return 1
    return min((bits_of(float(wait_ms)) >> BIN_SHIFT) - BIN_OFFSET, BINS - 1)


@spliced
def free_visit(city: City, v: int) -> None:
    """The row of a visit that is over serves for another."""
    run = city.run[0]
    city.visits[v].next = run.free_visit
    run.free_visit = v
