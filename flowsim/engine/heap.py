"""The queue of events of the compiled engine: a heap of records, smallest (time, kind, where, who) first.

Each has four below it, which lie in two lines of a processor's memory: a large heap is half as deep as a binary one.
Places are counted from 1, the root, so that the four of a place begin with a line: 2 to 5, 6 to 9, and so on.

`what` is kind and where in one number; `slot` says which visit, patient or offer it is about, and `stamp` whether that
still holds. The root may be left empty for a moment: what comes next is mostly pushed at once, and takes its place.
"""

from __future__ import annotations

from typing import Any

from flowsim.engine.jit import called, spliced
from flowsim.engine.rules import Kind

END = int(Kind.END)
WHERE_BITS = 32
ROOT = 1


@spliced
def is_before(event: Any, at: int, what: int, who: int) -> bool:
    """Whether an event comes before one at this time, of this kind, here, of this patient."""
    if event.at != at:
        return event.at < at
    if event.what != what:
        return event.what < what
    return event.who < who


@spliced
def put(heap: Any, place: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """Writes an event into its place."""
    event = heap[place]
    event.at = at
    event.what = what
    event.who = who
    event.slot = slot
    event.stamp = stamp


@spliced
def smaller(heap: Any, one: int, other: int) -> int:
    """Which of two events comes first. Times mostly differ: to choose by sums is quicker than to branch."""
    left, right = heap[one].at, heap[other].at
    if left == right:
        event = heap[one]
        return other if is_before(heap[other], event.at, event.what, event.who) else one
    return one + (other - one) * (right < left)


@spliced
def first_below(heap: Any, place: int, last: int) -> int:
    """The first of the four events below a place, or of as many as there are; a place beyond the last if none is."""
    child = 4 * place - 2
    if child + 3 <= last:
        return smaller(heap, smaller(heap, child, child + 1), smaller(heap, child + 2, child + 3))
    found = child
    for other in range(child + 1, last + 1):
        found = smaller(heap, found, other)
    return found


@spliced
def sink(heap: Any, last: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """Puts an event in from the root, which is empty: for one that comes soon."""
    place = ROOT
    while True:
        child = first_below(heap, place, last)
        if child > last or not is_before(heap[child], at, what, who):
            break
        heap[place] = heap[child]
        place = child
    put(heap, place, at, what, who, slot, stamp)


@spliced
def replace(heap: Any, last: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """As `sink`, for one that comes late: the gap goes down to the end, and the event up from there."""
    place = ROOT
    while True:
        child = first_below(heap, place, last)
        if child > last:
            break
        heap[place] = heap[child]
        place = child
    rise(heap, place, at, what, who, slot, stamp)


@spliced
def rise(heap: Any, place: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """Puts an event in from an empty place upwards."""
    while place > ROOT:
        above = (place + 2) >> 2
        if is_before(heap[above], at, what, who):
            break
        heap[place] = heap[above]
        place = above
    put(heap, place, at, what, who, slot, stamp)


@called
def push(run: Any, heap: Any, at: int, kind: int, where: int, who: int, slot: int, stamp: int) -> None:
    """An event to come; at the horizon or beyond it never does."""
    if at >= run.horizon:
        return
    what = (kind << WHERE_BITS) | where
    if run.has_hole:
        run.has_hole = 0
        if kind == END:
            replace(heap, run.heap_size, at, what, who, slot, stamp)
        else:
            sink(heap, run.heap_size, at, what, who, slot, stamp)
        return
    place = run.heap_size + 1
    run.heap_size = place
    if place + run.spare >= len(heap):
        run.is_short = 1
    rise(heap, place, at, what, who, slot, stamp)


@spliced
def fill(run: Any, heap: Any) -> None:
    """Closes the gap that the last event left, if nothing has taken its place."""
    if run.has_hole:
        run.has_hole = 0
        last = run.heap_size - 1
        run.heap_size = last
        if last > 0:
            event = heap[last + 1]
            replace(heap, last, event.at, event.what, event.who, event.slot, event.stamp)


@spliced
def is_all_later(run: Any, heap: Any) -> bool:
    """Whether the root is empty, and all else comes later than now: then it may stay empty for what is pushed next."""
    if run.has_hole == 0:
        return False
    for place in range(ROOT + 1, min(run.heap_size, ROOT + 4) + 1):  # noqa: SIM110
        if heap[place].at <= run.now:
            return False
    return True
