"""The queue of events of the compiled engine: a binary heap of records, smallest (time, kind, where, who) first.

`what` is kind and where in one number; `slot` says which visit, patient or offer it is about, and `stamp` whether that
still holds. The root may be left empty for a moment: what comes next is mostly pushed at once, and takes its place.
"""

from __future__ import annotations

from typing import Any

from flowsim.engine.jit import called, inlined

WHERE_BITS = 32
SPARE = 64
"""Rows kept for what one event may yet need when it is noticed that room is short."""


@inlined
def is_before(event: Any, at: int, what: int, who: int) -> bool:
    """Whether an event comes before one at this time, of this kind, here, of this patient."""
    if event.at != at:
        return event.at < at
    if event.what != what:
        return event.what < what
    return event.who < who


@inlined
def put(heap: Any, place: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """Writes an event into its place."""
    event = heap[place]
    event.at = at
    event.what = what
    event.who = who
    event.slot = slot
    event.stamp = stamp


@inlined
def move(heap: Any, place: int, origin: int) -> None:
    """Copies an event to another place."""
    event, moved = heap[place], heap[origin]
    event.at = moved.at
    event.what = moved.what
    event.who = moved.who
    event.slot = moved.slot
    event.stamp = moved.stamp


@inlined
def sink(heap: Any, size: int, at: int, what: int, who: int, slot: int, stamp: int) -> None:
    """Puts an event in from the root, which is empty."""
    place = 0
    child = 1
    while child < size:
        if child + 1 < size:
            event = heap[child]
            if is_before(heap[child + 1], event.at, event.what, event.who):
                child += 1
        if not is_before(heap[child], at, what, who):
            break
        move(heap, place, child)
        place = child
        child = 2 * place + 1
    put(heap, place, at, what, who, slot, stamp)


@called
def push(run: Any, heap: Any, at: int, kind: int, where: int, who: int, slot: int, stamp: int) -> None:
    """An event to come; at the horizon or beyond it never does."""
    if at >= run.horizon:
        return
    what = (kind << WHERE_BITS) | where
    if run.has_hole:
        run.has_hole = 0
        sink(heap, run.heap_size, at, what, who, slot, stamp)
        return
    place = run.heap_size
    run.heap_size = place + 1
    if place + SPARE > len(heap):
        run.is_short = 1
    while place > 0:
        above = (place - 1) >> 1
        event = heap[above]
        if is_before(event, at, what, who):
            break
        move(heap, place, above)
        place = above
    put(heap, place, at, what, who, slot, stamp)


@inlined
def fill(run: Any, heap: Any) -> None:
    """Closes the gap that the last event left, if nothing has taken its place."""
    if run.has_hole:
        run.has_hole = 0
        size = run.heap_size - 1
        run.heap_size = size
        if size > 0:
            last = heap[size]
            sink(heap, size, last.at, last.what, last.who, last.slot, last.stamp)
