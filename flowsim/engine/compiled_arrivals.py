"""The compiled engine's patients as they come: candidates of a layer, lists of arrivals, and their marks.

The SimPy engine has the same under "arriving" in `reference`.
"""

from __future__ import annotations

from typing import Any

from flowsim.engine import arrivals
from flowsim.engine.addresses import Purpose
from flowsim.engine.distributions import Family
from flowsim.engine.heap import push
from flowsim.engine.jit import called, inlined, spliced
from flowsim.engine.network import StreamKind
from flowsim.engine.quantiles import log_in_loops, quantile
from flowsim.engine.records import BATCH, NOT_RUNNING, City
from flowsim.engine.rules import INDEX_BITS, LAYER_BITS, Kind, patient_number
from flowsim.engine.sampling import GAP, uniform, whole_ms

ARRIVAL, LISTED = int(Kind.ARRIVAL), int(StreamKind.LISTED)
KEEP, AGE, GROUP, STAY = (int(purpose) for purpose in (Purpose.KEEP, Purpose.AGE, Purpose.GROUP, Purpose.STAY))
BATCH_MASK = BATCH - 1
EXPONENTIAL, LISTED_FAMILY = int(Family.EXPONENTIAL), int(Family.LISTED)
NEARLY_ALL = 3 * BATCH // 4
INDEX_MASK = (1 << INDEX_BITS) - 1
LAYER_MASK = (1 << LAYER_BITS) - 1
number_of = spliced(patient_number)


@spliced
def stream_of(number: int) -> int:
    """The stream of a patient's number."""
    return number >> (INDEX_BITS + LAYER_BITS)


@spliced
def layer_of(number: int) -> int:
    """The layer of a patient's number."""
    return (number >> INDEX_BITS) & LAYER_MASK


@spliced
def luck(city: City, number: int, purpose: int, word: int, occurrence: int) -> float:
    """The uniform at the address of a patient, a purpose, a step and how often the patient was there."""
    key = city.streams[stream_of(number)].key
    return uniform(key, city.run[0].replication, layer_of(number), number & INDEX_MASK, purpose, word, occurrence)


@inlined
def new_patient(city: City, s: int, layer: int, index: int, age: int, place: int, listed: int) -> int:
    """A patient with its marks: those given, and the groups drawn by its address where -1 is given (or no row is)."""
    run, stream = city.run[0], city.streams[s]
    p = run.free_patient
    if p >= 0:
        run.free_patient = city.patients[p].visit
    else:
        p = run.patients
        run.patients = p + 1
        if p + run.spare > len(city.patients):
            run.is_short = 1
    patient = city.patients[p]
    patient.number = number_of(s, layer, index)
    patient.age, patient.place = age, place
    patient.area_row = city.ints[run.areas + place] * run.ages + age
    patient.site, patient.asked_site, patient.held, patient.visit = -1, -1, -1, -1
    patient.instant, patient.visits, patient.joins, patient.running, patient.first_stay = -1, 0, 0, 0, -1.0
    for clock in range(p * run.clock_width, (p + 1) * run.clock_width):
        city.starts[clock] = NOT_RUNNING
    width = run.note_width
    for wanted in range(stream.group_first, stream.group_last):
        group = city.ints[wanted]
        value = city.ints[listed + 2 + group] if listed >= 0 else -1
        if value < 0:
            how = run.groups + 3 * group
            by, row, word = city.ints[how], city.ints[how + 1], city.ints[how + 2]
            if by >= 0:
                row += mark(city, p, by)
            value = pick(city, row, uniform(stream.key, run.replication, layer, index, GROUP, word, 0))
        city.notes[p * width + group] = value
    for note in range(p * width + run.mark_count - 2, (p + 1) * width):
        city.notes[note] = 0
    run.entered += 1
    run.inside += 1
    stream.entered += 1
    return p


@spliced
def mark(city: City, p: int, by: int) -> int:
    """A patient's mark: age band, place, or a group."""
    if by == 0:
        return int(city.patients[p].age)
    if by == 1:
        return int(city.patients[p].place)
    return int(city.notes[p * city.run[0].note_width + by - 2])


@spliced
def pick(city: City, row: int, u: float) -> int:
    """Where a uniform falls in a row of cumulative shares."""
    run = city.run[0]
    first, last = city.ints[run.row_first + row], city.ints[run.row_first + row + 1]
    return int(city.ints[run.row_to + first_above(city, run.row_cumulative, first, last, u)])


@inlined
def first_above(city: City, shares: int, first: int, last: int, u: float) -> int:
    """The first of some rising shares that is above a uniform; the last if none is."""
    low, high = first, last - 1
    while low < high:
        middle = (low + high) >> 1
        if u < city.floats[shares + middle]:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def offer(city: City, o: int) -> None:
    """Post the next candidate of a layer that is kept, or the next arrival of a list."""
    run, row = city.run[0], city.offers[o]
    stream = city.streams[row.stream]
    if stream.kind == LISTED:
        row.index += 1
        if stream.listed_first + row.index >= stream.listed_last:
            return
        row.at = city.ints[run.listed_at + stream.listed_first + row.index]
    else:
        next_candidate(city, row, stream)
    push(run, city.heap, row.at, ARRIVAL, row.stream, number_of(row.stream, row.layer, row.index), o, 0)


@spliced
def next_candidate(city: City, row: Any, stream: Any) -> None:
    """The next candidate that is kept, thinned by age, growth and profile; any, if the need follows a response."""
    run = city.run[0]
    key, index, at = stream.key, row.index, row.at
    while True:
        index += 1
        if index & BATCH_MASK == 0:
            draw_candidates(city, row, stream, index)
        at += city.gaps[row.batch + (index & BATCH_MASK)]
        if at >= run.horizon:
            break
        row.age = city.bands[row.batch + (index & BATCH_MASK)]
        if stream.follows_response == 1 or is_kept(city, row, key, index, at, 1.0):
            break
    row.index, row.at = index, at


@called
def draw_candidates(city: City, row: Any, stream: Any, first: int) -> None:
    """Gaps before the next candidates, and their age bands: many at a time, which processors do faster.

    Where nearly all of them become patients, their first stays are drawn with them (-1 where not).
    """
    run, step, batch = city.run[0], city.steps[stream.step], row.batch
    draw_exponentials(city, row, stream.key, first, GAP, 0)
    for i in range(BATCH):
        city.gaps[batch + i] = whole_ms(city.drawn[batch + i], row.gap)
    if run.ages > 1:
        draw_uniforms(city, row, stream.key, first, AGE, 0)
        for i in range(BATCH):
            city.bands[batch + i] = 0
        for age in range(stream.mix, stream.mix + run.ages - 1):
            share = city.floats[age]
            for i in range(BATCH):
                city.bands[batch + i] += city.drawn[batch + i] >= share
    family, parameters = step.stay_family, step.stay_first
    if row.kept < NEARLY_ALL or family == LISTED_FAMILY:
        for i in range(BATCH):
            city.first_stays[batch + i] = -1.0
    elif family == EXPONENTIAL:
        draw_exponentials(city, row, stream.key, first, STAY, step.word)
        for i in range(BATCH):
            city.first_stays[batch + i] = city.floats[parameters] * city.drawn[batch + i]
    else:
        draw_uniforms(city, row, stream.key, first, STAY, step.word)
        for i in range(batch, row.batch_end):
            city.first_stays[i] = quantile(family, city.drawn[i], city.floats, parameters, first + i - batch)
    row.kept, row.luck_until = 0, -1


@called
def draw_uniforms(city: City, row: Any, key: int, first: int, purpose: int, word: int) -> None:
    """Uniforms for a purpose of all candidates of a batch."""
    replication, layer, batch = city.run[0].replication, row.layer, row.batch
    for i in range(BATCH):
        city.drawn[batch + i] = uniform(key, replication, layer, first + i, purpose, word, 0)


@called
def draw_exponentials(city: City, row: Any, key: int, first: int, purpose: int, word: int) -> None:
    """As `draw_uniforms`, exponential with mean 1."""
    draw_uniforms(city, row, key, first, purpose, word)
    for i in range(row.batch, row.batch_end):
        city.drawn[i] = -log_in_loops(1.0 - city.drawn[i])


@spliced
def is_kept(city: City, row: Any, key: int, index: int, at: int, factor: float) -> bool:
    """Whether a candidate becomes a patient; `factor` is what a response does to the need."""
    if at >= row.until:
        look_up_profile(city, row, at)
    share = city.floats[row.ratio + row.segment * city.run[0].ages + row.age]
    kept = factor * (share * row.profile) - row.layer
    if kept >= 1.0:
        return True
    if kept <= 0.0:
        return False
    if row.luck_until < index:
        first = index & ~BATCH_MASK
        draw_uniforms(city, row, key, first, KEEP, 0)
        row.luck_until = first + BATCH_MASK
    return city.drawn[row.batch + (index & BATCH_MASK)] < kept


@called
def look_up_profile(city: City, row: Any, at: int) -> None:
    """The weight of a time, the row of rates in force, and until when they hold."""
    run = city.run[0]
    month = arrivals.last_at_or_before(city.ints, run.month_starts, run.months, at)
    segment = arrivals.last_at_or_before(city.ints, run.segment_starts, run.segments, at)
    row.profile = arrivals.profile(
        at, run.week_offset, row.week, row.year, row.day, row.pieces, city.ints[run.month_of_year + month], city.floats
    )
    row.segment = segment
    until = arrivals.end_of_piece(at, run.week_offset, row.pieces)
    if month + 1 < run.months:
        until = min(until, city.ints[run.month_starts + month + 1])
    if segment + 1 < run.segments:
        until = min(until, city.ints[run.segment_starts + segment + 1])
    row.until = until


@spliced
def arrive(city: City, o: int) -> int:
    """ARRIVAL: a new patient, and the next of its layer or list is posted; -1 if a response keeps it away."""
    run, row = city.run[0], city.offers[o]
    s, layer, index, age = int(row.stream), int(row.layer), int(row.index), int(row.age)
    stream = city.streams[s]
    p = -1
    if stream.kind == LISTED:
        p = new_listed(city, s, index, stream.listed_first + index)
    elif stream.follows_response == 0 or is_kept(
        city, row, stream.key, index, row.at, city.floats[run.needs + stream.pathway]
    ):
        p = new_patient(city, s, layer, index, age, stream.place, -1)
    if p >= 0:
        run.events += 1
        row.kept += 1
        city.patients[p].first_stay = city.first_stays[row.batch + (index & BATCH_MASK)]
    offer(city, o)
    return p


@called
def new_listed(city: City, s: int, index: int, row: int) -> int:
    """A patient of a list with the marks given for it; the age band is drawn where none is given."""
    run, stream = city.run[0], city.streams[s]
    marks = run.listed_marks + row * run.mark_count
    age = city.ints[marks]
    if age < 0:
        age = arrivals.age_of(stream.key, run.replication, 0, index, run.ages, stream.mix, city.floats)
    return int(new_patient(city, s, 0, index, age, city.ints[marks + 1], marks))
