"""The compiled engine's queues: lines of visits in order, and which of their heads may start where.

The SimPy engine has the same in `pools` and `views`.
"""

from __future__ import annotations

from typing import Any

from flowsim.engine.jit import called, inlined, spliced
from flowsim.engine.network import UnitKind
from flowsim.engine.records import City
from flowsim.engine.tables import prefetch

BEDS, SLOTS, UNLIMITED = int(UnitKind.BEDS), int(UnitKind.SLOTS), int(UnitKind.UNLIMITED)
ENDLESS = 1 << 48
"""Places in an unlimited unit."""


# --- units ----------------------------------------------------------------------------------------------------


@spliced
def is_free(unit: Any) -> bool:
    """Whether one more patient may start here."""
    if unit.kind == BEDS:
        return unit.in_use < unit.capacity
    return unit.kind == UNLIMITED or (unit.is_open == 1 and unit.left > 0)


@spliced
def places_in(unit: Any) -> int:
    """How many more patients may start here now."""
    if unit.kind == BEDS:
        return max(unit.capacity - unit.in_use, 0)
    return ENDLESS if unit.kind == UNLIMITED else int(unit.left)


# --- lines ----------------------------------------------------------------------------------------------------


@inlined
def places(city: City, line: Any) -> int:
    """Free places in the units they may use at once."""
    free = 0
    for lane in range(line.lane_first, line.lane_last):
        if city.lanes[lane].after == 0:
            free += places_in(city.units[city.lanes[lane].unit])
    return free


@inlined
def free_lane(city: City, line: Any, waited: int) -> int:
    """The lane that the head, having waited so long, may start in now: the own, else the first free in order; or -1."""
    for lane in range(line.lane_first, line.lane_last):
        if waited >= city.lanes[lane].after and is_free(city.units[city.lanes[lane].unit]):
            return lane
    return -1


@spliced
def is_later(city: City, visit: Any, other: Any) -> bool:
    """Whether a visit stands behind another of its line: by when they joined, then by patient."""
    if visit.joined != other.joined:
        return visit.joined > other.joined
    return city.patients[visit.patient].number > city.patients[other.patient].number


@spliced
def append(city: City, v: int) -> None:
    """A patient joins its line."""
    visit = city.visits[v]
    line = city.lines[visit.line]
    before = line.tail
    while before >= 0 and is_later(city, city.visits[before], visit):
        before = city.visits[before].previous
    insert(city, line, v, before)


@spliced
def put_back(city: City, v: int) -> None:
    """A patient comes back to its line after an interruption: its place is near the head."""
    visit = city.visits[v]
    line = city.lines[visit.line]
    before, after = -1, line.head
    while after >= 0 and is_later(city, visit, city.visits[after]):
        before, after = after, city.visits[after].next
    insert(city, line, v, before)


@inlined
def insert(city: City, line: Any, v: int, before: int) -> None:
    """A visit takes its place behind another, or at the head."""
    visit = city.visits[v]
    after = line.head if before < 0 else city.visits[before].next
    visit.previous, visit.next = before, after
    if before < 0:
        line.head = v
    else:
        city.visits[before].next = v
    if after < 0:
        line.tail = v
    else:
        city.visits[after].previous = v
    line.count += 1
    city.pools[line.pool].waiting += 1


@inlined
def remove(city: City, v: int) -> None:
    """A visit leaves its line."""
    visit = city.visits[v]
    line = city.lines[visit.line]
    if visit.previous < 0:
        line.head = visit.next
    else:
        city.visits[visit.previous].next = visit.next
    if visit.next < 0:
        line.tail = visit.previous
    else:
        city.visits[visit.next].previous = visit.previous
        prefetch(city.patients, city.visits[visit.next].patient)  # who is let in after this one
        prefetch(city.visits, city.visits[visit.next].next)
    line.count -= 1
    city.pools[line.pool].waiting -= 1


# --- pools ----------------------------------------------------------------------------------------------------


@inlined
def touch(city: City, p: int) -> None:
    """Somebody may be able to start at this instant."""
    pool, run = city.pools[p], city.run[0]
    if pool.is_touched == 0:
        pool.is_touched = 1
        place = run.touched
        run.touched = place + 1
        while place > 0 and city.touched[place - 1] < p:
            city.touched[place] = city.touched[place - 1]
            place -= 1
        city.touched[place] = p


@spliced
def best_head(city: City, pool: Any, now: int) -> tuple[int, int]:
    """The best of the heads that have a free unit, and the lane in which it may start; (-1, -1) if none has."""
    best, lane = -1, -1
    if pool.waiting == 0:
        return best, lane
    for place in range(pool.line_first, pool.line_last):
        c = city.ints[place]
        line = city.lines[c]
        if line.count > 0:
            head = city.visits[line.head]
            if best >= 0:
                other = city.visits[best]
                priority = city.lines[other.line].priority
                if line.priority > priority or (line.priority == priority and is_later(city, head, other)):
                    continue
            free = free_lane(city, line, now - head.joined)
            if free >= 0:
                best, lane = line.head, free
    return best, lane


@called
def who_gives_way(city: City, pool: Any, now: int) -> tuple[int, int, int]:
    """(who may pre-empt, its lane, whose place it takes): the best who may, for the worst of those served; or -1s."""
    tried_priority, tried = -(1 << 40), -1
    while True:
        # The heads that may pre-empt, one after the other in order.
        best = -1
        for place in range(pool.line_first, pool.line_last):
            line = city.lines[city.ints[place]]
            if line.preempts == 0 or line.count == 0:
                continue
            if tried >= 0:
                was = city.visits[tried]
                if line.priority < tried_priority or (
                    line.priority == tried_priority and not is_later(city, city.visits[line.head], was)
                ):
                    continue
            if best >= 0:
                other = city.visits[best]
                priority = city.lines[other.line].priority
                if line.priority > priority or (
                    line.priority == priority and is_later(city, city.visits[line.head], other)
                ):
                    continue
            best = line.head
        if best < 0:
            return -1, -1, -1
        head = city.visits[best]
        line = city.lines[head.line]
        worst, worst_lane = -1, -1
        v = pool.served
        while v >= 0:
            visit = city.visits[v]
            priority = city.lines[visit.line].priority
            if priority > line.priority:
                lane = usable_lane(city, line, city.lanes[visit.lane].unit, now - head.joined)
                unit = city.units[city.lanes[visit.lane].unit]
                if (
                    lane >= 0
                    and unit.in_use <= unit.capacity
                    and (worst < 0 or is_worse(city, visit, city.visits[worst]))
                ):
                    worst, worst_lane = v, lane
            v = visit.next
        if worst >= 0:
            return best, worst_lane, worst
        tried, tried_priority = best, line.priority


@spliced
def usable_lane(city: City, line: Any, u: int, waited: int) -> int:
    """The lane of a line in a unit, if its head has waited long enough for it; or -1."""
    for lane in range(line.lane_first, line.lane_last):
        if city.lanes[lane].unit == u and waited >= city.lanes[lane].after:
            return lane
    return -1


@spliced
def is_worse(city: City, visit: Any, other: Any) -> bool:
    """Whether a visit gives way before another: by priority, latest start of its present segment, highest patient."""
    priority, others = city.lines[visit.line].priority, city.lines[other.line].priority
    if priority != others:
        return priority > others
    if visit.segment != other.segment:
        return visit.segment > other.segment
    return city.patients[visit.patient].number > city.patients[other.patient].number


@spliced
def serve(city: City, pool: Any, v: int) -> None:
    """Where a class may pre-empt, those served are linked too."""
    visit = city.visits[v]
    visit.previous, visit.next = -1, pool.served
    if pool.served >= 0:
        city.visits[pool.served].previous = v
    pool.served = v


@spliced
def serve_no_more(city: City, pool: Any, v: int) -> None:
    """The visit is no longer among those served."""
    visit = city.visits[v]
    if visit.previous < 0:
        pool.served = visit.next
    else:
        city.visits[visit.previous].next = visit.next
    if visit.next >= 0:
        city.visits[visit.next].previous = visit.previous
