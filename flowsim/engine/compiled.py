"""The compiled engine: the same events as the SimPy engine, in the same order, two orders of magnitude faster.

Its sections are those of `reference`, to be read side by side. There a patient is a process that waits; here the run
goes from event to event (`live`), and a patient goes on from each (`story`). `compiled_arrivals` and
`compiled_holding` have the sections of these names, `compiled_premises` units on their calendar, `compiled_pools` the
queues, `heap` the events to come, `records` what a patient or a unit is.
Variables named v, p, u, c, k and o are numbers of visits, patients, units, lines, steps and offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowsim.engine import choices
from flowsim.engine.addresses import OCCURRENCES, Purpose
from flowsim.engine.compiled_arrivals import (
    INDEX_MASK,
    arrive,
    first_above,
    layer_of,
    luck,
    mark,
    new_listed,
    offer,
    pick,
    stream_of,
)
from flowsim.engine.compiled_holding import (
    HELD_FOR,
    NOT_KEPT,
    bin_of,
    block,
    count_row,
    free_visit,
    give_back,
    hold,
    is_released,
    keep,
    release_held,
    tick,
    unblock,
    unhold,
    vacate,
    write_visit,
)
from flowsim.engine.compiled_pools import (
    BEDS,
    SLOTS,
    append,
    best_head,
    free_lane,
    places,
    put_back,
    remove,
    serve,
    serve_no_more,
    touch,
    who_gives_way,
)
from flowsim.engine.compiled_premises import change_capacity, check, close_day, open_units, renew, respond
from flowsim.engine.heap import ROOT, WHERE_BITS, fill, is_all_later, push
from flowsim.engine.jit import called, compiled, inlined, spliced
from flowsim.engine.ledger import BINS, Log, Write
from flowsim.engine.network import LEAVE, Choice, Ints, Moment, Network, StreamKind
from flowsim.engine.records import NOT_RUNNING, City, city_of
from flowsim.engine.rules import JOINS_AT_ONE_INSTANT, Kind, Outcome, Stuck
from flowsim.engine.sampling import residual_ms, stay_ms, whole_ms
from flowsim.engine.tables import prefetch, rows_of_zeros
from flowsim.engine.visits import COLUMNS, VisitEnd

UNIT, STAY, PATIENCE = int(Purpose.UNIT), int(Purpose.STAY), int(Purpose.PATIENCE)
ROUTE, ROUND, SHIFT, RESIDUAL = (
    int(purpose) for purpose in (Purpose.ROUTE, Purpose.ROUND, Purpose.SHIFT, Purpose.RESIDUAL)
)
CLOSE, END, CAPACITY, RENEW, ARRIVAL, JOIN, START, RENEGE, _ = (int(kind) for kind in Kind)
JOINED, STARTED, READY, ENDED, _ = (int(moment) for moment in Moment)
_, RENEGED, BALKED, UNFINISHED = (int(end) for end in VisitEnd)
BY_PLACE, SHARES = int(Choice.BY_PLACE), int(Choice.SHARES)
INSIDE, WAITING = int(StreamKind.INSIDE), int(StreamKind.WAITING)
ASKED = -2
"""In the place of the next step: the patient has asked for a unit."""

FINISHED, PAUSE, SHORT_OF_ROOM, PAGE_FULL, GRIDLOCK, ENDLESS = range(6)
"""Why the compiled part stops: it has come to the horizon, wants something from Python, or cannot go on."""
EVENTS_BETWEEN_PAUSES = 500_000
"""So often Python may look whether the user has interrupted the run."""


# --- the story ------------------------------------------------------------------------------------------------


@spliced
def story(city: City, p: int, k: int, u: int) -> None:
    """A patient's way to its next step: choose a unit (unless one is given), and ask for it; or leave."""
    run = city.run[0]
    while k >= 0:
        if u < 0:
            u = choose(city, p, k)
            if u < 0:
                return
            if city.steps[k].is_conditional == 1:
                heading = u * run.steps + k
                push(run, city.heap, run.now, JOIN, city.units[u].pool, city.patients[p].number, p, heading)
                return
        k, u = ask(city, p, k, u), -1
    if k == LEAVE:
        leave(city, p)


# --- arriving -------------------------------------------------------------------------------------------------


@called
def begin(city: City, wanted: int) -> None:
    """People there on the first day: in a unit with the rest of their stay, or in its queue, in order of joining."""
    run = city.run[0]
    first, last = run.first_inside, run.first_waiting
    if wanted == WAITING:
        first, last = run.first_waiting, run.last_waiting
    for place in range(first, last):
        row = city.ints[place]
        s = city.ints[run.listed_stream + row]
        stream = city.streams[s]
        k = stream.step
        p = new_listed(city, s, row - stream.listed_first, row)
        count_visit(city, p, k)
        v = request(city, p, k, stream.listed_unit, city.ints[run.listed_at + row])
        if wanted == INSIDE:
            settle(city, v)
        else:
            visit = city.visits[v]
            city.lines[visit.line].first_waiting += 1
            tick(city, p, k, JOINED, visit.joined)


# --- joining --------------------------------------------------------------------------------------------------


@spliced
def count_visit(city: City, p: int, k: int) -> int:
    """How often the patient has been at a step before; counted only where it may come back."""
    counter = city.steps[k].counter
    if counter < 0:
        return 0
    note = p * city.run[0].note_width + counter
    times = int(city.notes[note])
    city.notes[note] = times + 1
    return times


@spliced
def choose(city: City, p: int, k: int) -> int:
    """The patient's own unit for a step: by place of residence, by shares, or at the site it is at; -1 if stuck."""
    run, step, patient = city.run[0], city.steps[k], city.patients[p]
    occurrence = count_visit(city, p, k)
    if occurrence >= OCCURRENCES:
        run.stuck_step = k
        return -1
    if step.choice == BY_PLACE:
        return int(city.ints[step.choice_first + patient.place])
    if step.choice != SHARES:
        return int(city.ints[step.choice_first + patient.site])
    u = luck(city, patient.number, UNIT, step.word, occurrence)
    row = run.share_first + city.ints[step.choice_first + patient.place]
    return int(
        city.ints[run.share_unit + first_above(city, run.share_cumulative, city.ints[row], city.ints[row + 1], u)]
    )


@spliced
def ask(city: City, p: int, k: int, u: int) -> int:
    """Ask for the unit, unless its queue sends the patient elsewhere: the step it goes to then, or ASKED."""
    run, step, patient = city.run[0], city.steps[k], city.patients[p]
    now = run.now
    if patient.instant != now:
        patient.instant, patient.joins = now, 0
    patient.joins += 1
    if patient.joins > JOINS_AT_ONE_INSTANT:
        run.stuck_step = k
        return ASKED
    if step.is_conditional == 1:
        if step.divert_at >= 0 and city.pools[city.units[u].pool].waiting >= step.divert_at:
            other = city.ints[step.divert_first + u]
            if other >= 0:
                city.lines[line_of(city, p, k, u)].diverted += 1
                u = other
        line = city.lines[line_of(city, p, k, u)]
        if step.limit >= 0 and city.pools[city.units[u].pool].waiting >= step.limit + places(city, line):
            return turn_away(city, p, k, u, line)
    v = request(city, p, k, u, now)
    city.lines[city.visits[v].line].arrivals += 1
    tick(city, p, k, JOINED, now)
    return ASKED


@spliced
def line_of(city: City, p: int, k: int, u: int) -> int:
    """The class of a patient who wants this unit."""
    step = city.steps[k]
    level = mark(city, p, step.priority_by) if step.priority_by >= 0 else 0
    return int(city.ints[step.class_row + u * step.levels + level])


@called
def request(city: City, p: int, k: int, u: int, joined: int) -> int:
    """Join the queue: the patience begins, and what the patient holds is blocked from now on."""
    run, step, patient = city.run[0], city.steps[k], city.patients[p]
    now, c = run.now, line_of(city, p, k, u)
    line = city.lines[c]
    prefetch(city.visits, line.tail)  # whose next this one becomes
    v = run.free_visit
    if v >= 0:
        run.free_visit = city.visits[v].next
    else:
        v = run.visits
        run.visits = v + 1
        if v + run.spare > len(city.visits):
            run.is_short = 1
    visit = city.visits[v]
    visit.patient, visit.step, visit.line, visit.lane = p, k, c, -1
    visit.joined, visit.queued, visit.is_waiting = joined, joined, 1
    visit.started, visit.ready, visit.ended = -1, -1, -1
    visit.blocked_row, visit.blocked_ms, visit.next_held = -1, 0, -1
    visit.occurrence = city.notes[p * run.note_width + step.counter] - 1 if step.counter >= 0 else 0
    visit.number = patient.visits
    visit.stamp += 1
    patient.visits += 1
    patient.visit = v
    if city.units[u].site >= 0:
        patient.asked_site = city.units[u].site
    line.queue_ms -= now
    for place in range(line.later_first, line.later_last):
        push(run, city.heap, max(joined + city.ints[place], now), START, line.pool, 0, 0, 0)
    append(city, v)
    # Where it finds no place now, whatever makes one will touch the pool.
    pool = city.pools[line.pool]
    if pool.preempts == 1 or free_lane(city, line, now - joined) >= 0:
        touch(city, line.pool)
        if step.patience_family >= 0:  # who starts at this instant needs none
            visit.next_newcomer = pool.newcomer
            pool.newcomer = v
    elif step.patience_family >= 0:
        be_patient(city, v)
    if patient.held >= 0:
        block(city, v)
    return int(v)


@called
def be_patient(city: City, v: int) -> None:
    """The patience of one who waits is drawn, and its end is posted."""
    run, visit = city.run[0], city.visits[v]
    step = city.steps[visit.step]
    patience = draw(city, v, PATIENCE, step.patience_family, step.patience_first, step.patience_by,
                    step.patience_scale, 1.0)  # fmt: skip
    pool, number = city.lines[visit.line].pool, city.patients[visit.patient].number
    push(run, city.heap, run.now + patience, RENEGE, pool, number, v, visit.stamp)


@called
def draw(city: City, v: int, purpose: int, family: int, first: int, by: int, scale: int, factor: float) -> int:
    """Milliseconds drawn at the visit's address from a distribution scaled by the patient's mark and a factor."""
    visit = city.visits[v]
    number = city.patients[visit.patient].number
    return stay_ms(
        city.streams[stream_of(number)].key, city.run[0].replication, layer_of(number), number & INDEX_MASK, purpose,
        city.steps[visit.step].word, visit.occurrence, family, first,
        scale_of(city, visit.patient, by, scale) * factor, city.floats,
    )  # fmt: skip


@spliced
def scale_of(city: City, p: int, by: int, scale: int) -> float:
    """The factor on a draw for a patient's mark, or for everybody (`by` -1); these begin at `scale`."""
    return float(city.floats[scale + (mark(city, p, by) if by >= 0 else 0)])


@spliced
def renege(city: City, v: int) -> int:
    """RENEGE: the patience ends, and the patient has not started yet: the next step."""
    visit = city.visits[v]
    remove(city, v)
    visit.is_waiting = 0
    unqueue(city, v)
    city.lines[visit.line].reneged += 1
    return give_up(city, v)


@spliced
def unqueue(city: City, v: int) -> None:
    """The patient is no longer in the queue."""
    visit = city.visits[v]
    line, now = city.lines[visit.line], city.run[0].now
    line.queue_ms += now
    line.queued_ms += now - max(visit.queued, 0)


@spliced
def give_up(city: City, v: int) -> int:
    """After a patience: the next step."""
    visit = city.visits[v]
    p, k = int(visit.patient), int(visit.step)
    unblock(city, city.patients[p])
    write_visit(city, v, RENEGED)
    free_visit(city, v)
    return go_on(city, p, k, city.steps[k].patience_to)


@called
def turn_away(city: City, p: int, k: int, u: int, line: Any) -> int:
    """The queue is full: the next step."""
    run, patient = city.run[0], city.patients[p]
    line.arrivals += 1
    line.balked += 1
    if run.is_logged == 1:
        row, number, now = city.log[run.log_rows], patient.number, run.now
        row.stream, row.layer, row.index = stream_of(number), layer_of(number), number & INDEX_MASK
        row.age, row.place, row.visit, row.step, row.own_unit, row.unit = (
            patient.age, patient.place, patient.visits, k, u, -1,
        )  # fmt: skip
        row.joined_ms, row.started_ms, row.ready_ms, row.ended_ms, row.left_ms = now, -1, -1, -1, now
        row.outcome, row.blocked_ms, row.waited_for = BALKED, 0, -1
        count_row(city)
    patient.visits += 1
    return int(go_on(city, p, k, city.steps[k].limit_to))


# --- starting -------------------------------------------------------------------------------------------------


@spliced
def let_in(city: City, number: int) -> bool:
    """START: let in the best of the heads that have a free unit, again and again until nobody can start.

    Newcomers who are still there have to wait. False if room has to be made first: the same START goes on from there.
    """
    run, pool = city.run[0], city.pools[number]
    while True:
        v, lane = best_head(city, pool, run.now)
        if v < 0:
            if pool.preempts == 0 or pool.waiting == 0:
                break
            v, lane, worst = who_gives_way(city, pool, run.now)
            if worst < 0:
                break
            interrupt(city, worst)
        start(city, v, lane)
        if run.is_short == 1:
            return False
    while pool.newcomer >= 0:
        v = pool.newcomer
        newcomer = city.visits[v]
        pool.newcomer = newcomer.next_newcomer
        if newcomer.is_waiting == 1 and newcomer.started < 0:
            be_patient(city, v)
            if run.is_short == 1:
                return False
    return True


@spliced
def start(city: City, v: int, lane: int) -> None:
    """START of one patient in a unit: what was held for this is released, and the end of the stay is posted."""
    run, visit = city.run[0], city.visits[v]
    now, patient, step, line = run.now, city.patients[visit.patient], city.steps[visit.step], city.lines[visit.line]
    unit = city.units[city.lanes[lane].unit]
    remove(city, v)
    unqueue(city, v)
    if patient.held >= 0:
        unblock(city, patient)
        release_held(city, visit.patient, HELD_FOR, visit.step)
        hold(city, patient)
    if unit.kind == BEDS:
        if unit.in_use >= unit.capacity:
            unit.exceeded += 1
    elif unit.kind == SLOTS:
        if unit.left <= 0:
            unit.exceeded += 1
        unit.left -= 1
    occupy(city, v, lane)
    city.lanes[lane].starts += 1
    if visit.started >= 0:  # goes on after an interruption
        post_end(city, v, visit.remaining)
        return
    visit.started = now
    wait = now - visit.joined
    row = step.setting * run.area_size + patient.area_row
    bin_ = bin_of(wait)
    area_bin = run.area_wait_bins + row * BINS + bin_
    prefetch(city.memory, area_bin)  # the largest book: it is written when the stay is drawn
    line.wait_ms += wait
    tick(city, visit.patient, visit.step, STARTED, now)
    post_end(city, v, draw_stay(city, v, step.response_factor * unit.response_factor * unit.stay_factor))
    city.memory[run.wait_bins + visit.line * BINS + bin_] += 1
    city.memory[run.area_wait_ms + row] += wait
    city.memory[area_bin] += 1


@spliced
def draw_stay(city: City, v: int, factor: float) -> int:
    """Milliseconds of a stay; a first one may have been drawn with its patient."""
    visit = city.visits[v]
    patient, step = city.patients[visit.patient], city.steps[visit.step]
    first = patient.first_stay
    if first >= 0.0 and visit.number == 0 and visit.step == city.streams[stream_of(patient.number)].step:
        return whole_ms(first, scale_of(city, visit.patient, step.stay_by, step.stay_scale) * factor)
    return draw(city, v, STAY, step.stay_family, step.stay_first, step.stay_by, step.stay_scale, factor)


@inlined
def occupy(city: City, v: int, lane: int) -> None:
    """The patient is in the unit from now on; whatever was to end its wait is void."""
    visit, now = city.visits[v], city.run[0].now
    unit = city.units[city.lanes[lane].unit]
    visit.is_waiting, visit.lane, visit.segment = 0, lane, now
    visit.stamp += 1
    unit.in_use += 1
    unit.serving += 1
    unit.in_use_ms -= now
    if unit.site >= 0:
        city.patients[visit.patient].site = unit.site
    pool = city.pools[unit.pool]
    if pool.preempts == 1:
        serve(city, pool, v)


@inlined
def post_end(city: City, v: int, stay: int) -> None:
    """The END of a stay: when it is over, or at the first round after that."""
    run, visit = city.run[0], city.visits[v]
    at = run.now + stay
    visit.ready = at
    if city.steps[visit.step].round_kind != 0:
        at += wait_for_round(city, v, at)
    number = city.patients[visit.patient].number
    push(run, city.heap, at, END, city.lanes[visit.lane].unit, number, v, visit.stamp)


@called
def wait_for_round(city: City, v: int, at: int) -> int:
    """Milliseconds from the end of a stay to the first round at or after it."""
    run, visit = city.run[0], city.visits[v]
    step, number = city.steps[visit.step], city.patients[visit.patient].number
    week_ms = (at + run.week_offset) % choices.WEEK_MS
    if step.round_kind == 1:
        return choices.fixed_round(week_ms, step.round_first, step.round_last, city.ints)
    u = luck(city, number, ROUND, step.word, visit.occurrence)
    return choices.window_round(week_ms, u, step.round_first, city.ints)


@called
def settle(city: City, v: int) -> None:
    """Someone found inside on the first day: in the unit already, with what remains of a stay."""
    visit = city.visits[v]
    step, lane = city.steps[visit.step], int(city.lines[visit.line].lane_first)
    pool = city.pools[city.lines[visit.line].pool]
    if pool.newcomer == v:
        pool.newcomer = visit.next_newcomer
    remove(city, v)
    occupy(city, v, lane)
    visit.started = 0
    city.lanes[lane].first_inside += 1
    number = city.patients[visit.patient].number
    factor = (
        scale_of(city, visit.patient, step.stay_by, step.stay_scale) * city.units[city.lanes[lane].unit].stay_factor
    )
    rest = residual_ms(
        city.streams[stream_of(number)].key, city.run[0].replication, 0, number & INDEX_MASK, RESIDUAL, step.word, 0,
        step.stay_family, step.stay_first, factor, city.floats,
    )  # fmt: skip
    post_end(city, v, rest)


@called
def interrupt(city: City, v: int) -> None:
    """A patient is put back in the queue, keeps when it joined, and will later serve what remained."""
    visit, now = city.visits[v], city.run[0].now
    lane, patient = city.lanes[visit.lane], city.patients[visit.patient]
    unit = city.units[lane.unit]
    visit.remaining = max(visit.ready - now, 0)  # a patient who waits for its round has none
    visit.stamp += 1
    lane.interrupted += 1
    lane.stay_ms += now - visit.segment
    vacate(city, v)
    unit.serving -= 1
    serve_no_more(city, city.pools[unit.pool], v)
    unhold(city, patient)
    visit.is_waiting, visit.queued = 1, now
    city.lines[visit.line].queue_ms -= now
    put_back(city, v)
    if patient.held >= 0:
        block(city, v)


# --- ending ---------------------------------------------------------------------------------------------------


@spliced
def finish(city: City, v: int) -> int:
    """END: the stay is over. Choose the next step, and keep the unit or release it: the next step."""
    run, visit = city.run[0], city.visits[v]
    now, p, k, lane = run.now, int(visit.patient), int(visit.step), city.lanes[visit.lane]
    prefetch(city.starts, p * run.clock_width)  # for the clocks, and for routing
    prefetch(city.notes, p * run.note_width)
    patient, unit = city.patients[p], city.units[lane.unit]
    run.events += 1
    lane.ends += 1
    unit.serving -= 1
    visit.ended = now
    visit.stamp += 1
    pool = city.pools[unit.pool]
    if pool.preempts == 1:
        serve_no_more(city, pool, v)
    if city.steps[k].ticks != 0:
        tick(city, p, k, READY, visit.ready)
        tick(city, p, k, ENDED, now)
    following = instead_of(city, p, route(city, v))
    if patient.held < 0 and is_released(city, k, NOT_KEPT, following):
        count_move(city, k, following)
        give_back(city, v)
        return following
    unhold(city, patient)
    keep(city, patient, v)
    return go_on(city, p, k, following)


@spliced
def route(city: City, v: int) -> int:
    """The next step, by one uniform against the cumulative shares in written order."""
    run, visit = city.run[0], city.visits[v]
    step = city.steps[visit.step]
    row = step.route_row
    if step.route_by >= 0:
        row += mark(city, visit.patient, step.route_by)
    first, last = city.ints[run.row_first + row], city.ints[run.row_first + row + 1]
    if last - first == 1:
        return int(city.ints[run.row_to + first])
    u = luck(city, city.patients[visit.patient].number, ROUTE, step.word, visit.occurrence)
    if step.has_share == 1:
        u = choices.first_share_set(u, city.floats[run.row_cumulative + first], step.share)
    return pick(city, row, u)


@spliced
def instead_of(city: City, p: int, k: int) -> int:
    """The step a patient on the way to a step goes to: another, for the share that a shift of care moves."""
    if k == LEAVE or city.steps[k].shift_counter < 0:
        return k
    return shifted(city, p, k)


@called
def shifted(city: City, p: int, k: int) -> int:
    """As `instead_of`, for a step that care is shifted from."""
    run, step, patient = city.run[0], city.steps[k], city.patients[p]
    note = p * run.note_width + step.shift_counter
    times = city.notes[note]
    city.notes[note] = times + 1
    u = luck(city, patient.number, SHIFT, step.word, times)
    for i in range(step.shift_first, step.shift_last):
        share = 0.0
        is_for_age = city.ints[run.shift_ages + i * run.ages + patient.age] != 0
        if is_for_age and city.ints[run.shift_places + i * run.places + patient.place] != 0:
            start, ramp = city.ints[run.shift_start + i], city.ints[run.shift_ramp + i]
            share = choices.ramped(city.floats[run.shift_share + i], start, ramp, run.now)
        if u < share:
            return int(city.ints[run.shift_to + i])
        if share > 0.0:
            u = (u - share) / (1.0 - share)
    return k


@spliced
def go_on(city: City, p: int, k: int, following: int) -> int:
    """On the way to the next step: units that it cannot need are released."""
    count_move(city, k, following)
    if city.patients[p].held >= 0:
        release_held(city, p, NOT_KEPT, following)
    return following


@spliced
def count_move(city: City, k: int, following: int) -> None:
    """One more patient who goes from a step to the next, or leaves."""
    city.memory[city.run[0].moves + city.steps[k].moves + following] += 1


@spliced
def leave(city: City, p: int) -> None:
    """The patient leaves the model."""
    run, patient = city.run[0], city.patients[p]
    stream = city.streams[stream_of(patient.number)]
    stream.left += 1
    if patient.running > 0:
        for place in range(stream.clock_first, stream.clock_last):
            clock = city.clocks[city.ints[place]]
            if city.starts[p * run.clock_width + clock.slot] != NOT_RUNNING:
                clock.clock_lost += 1
    run.inside -= 1
    patient.visits = 0
    patient.visit = run.free_patient
    run.free_patient = p


# --- the run --------------------------------------------------------------------------------------------------


@compiled
def open_city(city: City) -> None:
    """The first instant: units open, people who are there take their places, arrivals and midnights are posted."""
    open_units(city)
    begin(city, INSIDE)
    begin(city, WAITING)
    for o in range(len(city.offers)):
        offer(city, o)
    post_midnight(city)


@spliced
def post_midnight(city: City) -> None:
    """CLOSE of the next day before the last."""
    run = city.run[0]
    push(run, city.heap, city.ints[run.day_starts + run.day], CLOSE, 0, 0, 0, 0)
    run.day += 1


@compiled
def live(city: City) -> int:
    """From event to event up to the horizon, or until Python has to help: why it stops."""
    run, heap = city.run[0], city.heap
    while True:
        if run.is_short == 1:
            return SHORT_OF_ROOM
        if run.touched == 0 or not is_all_later(run, heap):
            fill(run, heap)
        event = heap[ROOT]
        kind, where = event.what >> WHERE_BITS, event.what & INDEX_MASK
        is_now = run.has_hole == 0 and run.heap_size > 0 and event.at == run.now
        if run.letting_in < 0 and run.touched > 0 and (not is_now or kind > START):
            run.touched -= 1
            run.letting_in = city.touched[run.touched]
            city.pools[run.letting_in].is_touched = 0
        if run.letting_in >= 0:
            if not let_in(city, run.letting_in):
                return SHORT_OF_ROOM
            run.letting_in = -1
            continue
        if run.check_due == 1 and not is_now:
            if check(city):
                return GRIDLOCK
            continue
        if run.heap_size == 0:
            return FINISHED
        run.now = event.at
        for place in range(ROOT + 1, ROOT + 5):  # one of these mostly comes next
            prefetch(city.visits, heap[place].slot)
        slot, stamp = int(event.slot), int(event.stamp)
        p, k, u = -1, LEAVE, -1
        if kind == CLOSE:
            if not close_day(city):
                return PAGE_FULL
            run.has_hole = 1
            respond(city)
            post_midnight(city)
            if run.events >= run.next_pause:
                run.next_pause = run.events + EVENTS_BETWEEN_PAUSES
                return PAUSE
            continue
        run.has_hole = 1
        if kind == END:
            if city.visits[slot].stamp != stamp:
                continue
            p, k = int(city.visits[slot].patient), finish(city, slot)
        elif kind == ARRIVAL:
            p = arrive(city, slot)
            if p < 0:
                continue
            k = instead_of(city, p, city.streams[where].step)
        elif kind == JOIN:
            p, k, u = slot, stamp % run.steps, stamp // run.steps
        elif kind == RENEGE:
            if city.visits[slot].stamp != stamp:
                continue
            p, k = int(city.visits[slot].patient), renege(city, slot)
        elif kind == START:  # a wait has become long enough for another unit
            touch(city, where)
            continue
        elif kind == CAPACITY:
            change_capacity(city, where)
            continue
        else:
            renew(city, where)
            continue
        story(city, p, k, u)
        if run.stuck_step >= 0:
            return ENDLESS


@compiled
def count_inside(city: City, order: Ints) -> bool:
    """Patients still there at the horizon, by where they are; False if the log is full, to go on from there.

    `order` are their numbers in `City.patients`, in order of patient number.
    """
    run = city.run[0]
    now = run.horizon
    run.now = now
    while run.counted < len(order):
        if run.is_short == 1:
            return False
        p = order[run.counted]
        run.counted += 1
        patient = city.patients[p]
        visit = city.visits[patient.visit]
        city.streams[stream_of(patient.number)].present += 1
        if visit.is_waiting == 1:
            line = city.lines[visit.line]
            line.waiting += 1
            line.queued_ms += now - max(visit.queued, 0)
            unblock(city, patient)
        else:
            lane = city.lanes[visit.lane]
            lane.inside += 1
            city.units[lane.unit].present_ms += now - visit.segment
        v = patient.held
        while v >= 0:
            held = city.visits[v]
            unit = city.units[city.lanes[held.lane].unit]
            unit.holding += 1
            unit.present_ms += now - held.segment
            write_visit(city, v, UNFINISHED)
            v = held.next_held
        write_visit(city, patient.visit, UNFINISHED)
    return True


def run(network: Network, keys: Sequence[int], replication: int, write: Write, log: Log | None = None) -> Outcome:
    """One replication of a Network, compiled.

    `keys` are the 64-bit keys of the streams under the run's seed; `write` takes pages of the ledger, `log` (if given)
    rows of the visit log. Raises `rules.Stuck` in gridlock, or when a patient goes round for ever.
    """
    city = city_of(network, keys, replication, log is not None)
    open_city(city)
    try:
        while (status := live(city)) != FINISHED:
            _raise_if_stuck(city, status)
            if status != PAUSE:
                city = _made_room(city, write, log)
        inside = np.flatnonzero(city.patients["visits"])
        order = inside[np.argsort(city.patients["number"][inside])]
        while not count_inside(city, order):
            city = _made_room(city, write, log)
        while not close_day(city):  # the last, at the horizon
            city = _made_room(city, write, log)
    finally:
        _hand_over(city, write, log)
    run = city.run[0]
    return Outcome(int(run["events"]), int(run["entered"]), int(run["inside"]))


def _raise_if_stuck(city: City, status: int) -> None:
    now, step = int(city.run["now"][0]), int(city.run["stuck_step"][0])
    if status == GRIDLOCK:
        stuck = np.flatnonzero((city.units["in_use"] > 0) & (city.units["is_live"] == 0))
        raise Stuck(tuple(stuck.tolist()), (), now)
    if status == ENDLESS:
        raise Stuck((), (step,), now)


def _hand_over(city: City, write: Write, log: Log | None) -> None:
    """Pass on what is finished: rows of the ledger, and of the visit log."""
    run = city.run[0]
    page, rows = int(run["page_rows"]), int(run["log_rows"])
    run["page_rows"] = run["log_rows"] = 0
    if page:
        write(city.page.view(np.int64).reshape(-1, 4)[:page])
    if log is not None and rows:
        log(city.log.view(np.int64).reshape(-1, len(COLUMNS))[:rows])


def _made_room(city: City, write: Write, log: Log | None) -> City:
    """The same city with twice the rows of what is nearly full, and nothing left to hand over."""
    _hand_over(city, write, log)
    run, grown = city.run[0], []
    spare = int(run["spare"])
    if run["heap_size"] + spare >= len(city.heap):
        grown += ["heap"]
    if run["visits"] + spare > len(city.visits):
        grown += ["visits"]
    if run["patients"] + spare > len(city.patients):
        grown += ["patients", "notes", "starts"]
    if log is not None and spare + run["most_held"] > len(city.log):
        grown += ["log"]
    run["is_short"] = 0
    return city.with_(**{name: _twice(np.asarray(getattr(city, name))) for name in grown}) if grown else city


def _twice(array: NDArray[Any]) -> NDArray[Any]:
    """The same rows, and as many of zeros after them."""
    grown = rows_of_zeros(2 * len(array), array.dtype)
    grown[: len(array)] = array
    return grown
