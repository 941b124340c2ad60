"""Loops of steps in a Network: where a patient may come again."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from flowsim.engine.network import Ints, Network


def loops(n: Network) -> Ints:
    """For each step, the number of the loop of steps it lies on; -1 for one to which nobody can come back."""
    steps = len(n.step_word)
    onward: list[tuple[int, int]] = []
    instead = [n.shift_to[n.shift_first[k] : n.shift_first[k + 1]].tolist() for k in range(steps)]
    for k in range(steps):
        rows = _rows_of_routing(n, k)
        to = {int(t) for t in n.row_to[n.row_first[rows.start] : n.row_first[rows.stop]]}
        to |= {int(n.patience_to[k])} if n.patience_distribution[k] >= 0 else set()
        to |= {int(n.limit_to[k])} if n.limit[k] >= 0 else set()
        for t in to - {-1}:
            onward += [(k, t), *((k, other) for other in instead[t])]
    ends = np.array(onward, np.int64).reshape(-1, 2)
    graph = csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(steps, steps))
    _, part = connected_components(graph, directed=True, connection="strong")
    together = np.bincount(part, minlength=steps)[part] > 1
    together[ends[ends[:, 0] == ends[:, 1], 0]] = True
    return np.where(together, part, -1)


def _rows_of_routing(n: Network, step: int) -> range:
    """Rows of shares a step may be left by."""
    first = int(n.route_row[step])
    later = [int(row) for row in (*n.route_row, *n.group_row, len(n.row_first) - 1) if row > first]
    return range(first, min(later))
