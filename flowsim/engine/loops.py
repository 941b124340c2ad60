"""Loops of steps in a Network: where a patient may come again."""

from __future__ import annotations

import numpy as np

from flowsim.engine.network import LEAVE, Ints, Network


def loops(n: Network) -> Ints:
    """For each step, the first step of the loop it lies on; -1 for one to which nobody can come back."""
    onward = [_steps_after(n, step) for step in range(len(n.step_word))]
    reached = [_reached(onward, step) for step in range(len(onward))]
    return np.array(
        [
            min(other for other in reached[step] if step in reached[other]) if step in reached[step] else -1
            for step in range(len(onward))
        ],
        np.int64,
    )


def _steps_after(n: Network, step: int) -> set[int]:
    """Steps that a patient may go to from a step, with those that a shift of care sends it to instead."""
    rows = _rows_of_routing(n, step)
    to = {int(next_) for next_ in n.row_to[n.row_first[rows.start] : n.row_first[rows.stop]]}
    if n.patience_distribution[step] >= 0:
        to.add(int(n.patience_to[step]))
    if n.limit[step] >= 0:
        to.add(int(n.limit_to[step]))
    to.discard(LEAVE)
    return to.union(*(n.shift_to[n.shift_first[k] : n.shift_first[k + 1]].tolist() for k in to))


def _rows_of_routing(n: Network, step: int) -> range:
    """Rows of shares a step may be left by."""
    first = int(n.route_row[step])
    later = [int(row) for row in (*n.route_row, *n.group_row, len(n.row_first) - 1) if row > first]
    return range(first, min(later))


def _reached(onward: list[set[int]], step: int) -> set[int]:
    """Steps that may come after a step, near or far."""
    found: set[int] = set()
    ahead = set(onward[step])
    while ahead:
        found |= ahead
        ahead = set().union(*(onward[one] for one in ahead)) - found
    return found
