"""The queue of events of the compiled engine: a binary heap of records, smallest (time, kind, where, who) first.

`what` is kind and where in one number; `slot` says which visit, patient or offer it is about, and `stamp` whether that
still holds. The root may be left empty for a moment: what comes next is mostly pushed at once, and takes its place.
"""

from __future__ import annotations

from typing import Any

from flowsim.engine.jit import called, spliced
from flowsim.engine.rules import Kind

END = int(Kind.END)
WHERE_BITS = 32


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
def move(heap: Any, place: int, origin: int) -> None:
    """Copies an event to another place."""
    event, moved = heap[place], heap[origin]
    event.at = moved.at
    event.what = moved.what
    event.who = moved.who
    event.slot = moved.slot
    event.stamp = moved.stamp


@spliced
def smaller(heap: Any, child: int) -> int:
    """Which of two neighbours comes first. Times mostly differ: to add their order is quicker than to branch on it."""
    left, right = heap[child].at, heap[child + 1].at
    if left == right:
        event = heap[child]
        return child + 1 if is_before(heap[child + 1], event.at, event.what, event.who) else child
    return child + (right < left)


@spliced
def sink(heap: Any, size: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """Puts an event in from the root, which is empty: for one that comes soon."""
    place = 0
    child = 1
    while child < size:
        if child + 1 < size:
            child = smaller(heap, child)
        if not is_before(heap[child], at, what, who):
            break
        move(heap, place, child)
        place = child
        child = 2 * place + 1
    put(heap, place, at, what, who, slot, stamp)


@spliced
def replace(heap: Any, size: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """As `sink`, for one that comes late: the gap goes down to the end, and the event up from there."""
    place = 0
    child = 1
    while child + 1 < size:
        child = smaller(heap, child)
        move(heap, place, child)
        place = child
        child = 2 * place + 1
    if child < size:
        move(heap, place, child)
        place = child
    rise(heap, place, at, what, who, slot, stamp)


@spliced
def rise(heap: Any, place: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """Puts an event in from an empty place upwards."""
    while place > 0:
        above = (place - 1) >> 1
        if is_before(heap[above], at, what, who):
            break
        move(heap, place, above)
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
    place = run.heap_size
    run.heap_size = place + 1
    if place + run.spare > len(heap):
        run.is_short = 1
    rise(heap, place, at, what, who, slot, stamp)


@spliced
def fill(run: Any, heap: Any) -> None:
    """Closes the gap that the last event left, if nothing has taken its place."""
    if run.has_hole:
        run.has_hole = 0
        size = run.heap_size - 1
        run.heap_size = size
        if size > 0:
            last = heap[size]
            replace(heap, size, last.at, last.what, last.who, last.slot, last.stamp)


@spliced
def is_all_later(run: Any, heap: Any) -> bool:
    """Whether the root is empty, and all else comes later than now: then it may stay empty for what is pushed next."""
    if run.has_hole == 0:
        return False
    size, now = run.heap_size, run.now
    return (size < 2 or heap[1].at > now) and (size < 3 or heap[2].at > now)
