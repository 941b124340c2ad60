"""Suggests a warm-up for a stationary series by MSER-5."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BATCH = 5
FEWEST_BATCHES = 10
LAST_BATCHES_LEFT_OUT = 5


def suggest_warmup(series: npt.ArrayLike) -> int | None:
    """How many first observations to leave out, a multiple of five; None if no warm-up can be suggested.

    `series` is one value a period, or a row a replication and a column a period: rows are averaged first.
    The cut minimises the squared standard error of what remains, over means of five observations. None if the
    series has fewer than 50 observations, or if the best cut lies in its second half: then it is too short,
    or not stationary (it grows, or has seasons), and no cut would help. It cannot tell whether a run is long
    enough. Raises ValueError for values that are not finite.
    Source: White, An effective truncation heuristic for bias reduction in simulation output, Simulation 69
    (1997); batches of five from White, Cobb and Spratt, Winter Simulation Conference 2000.
    """
    table = np.asarray(series, dtype=np.float64)
    if table.ndim not in (1, 2) or not table.size:
        raise ValueError("a series has one value a period, or a row a replication")
    if not np.isfinite(table).all():
        raise ValueError("a series must be finite: leave out periods without a value")
    mean = table if table.ndim == 1 else table.mean(axis=0)
    count = len(mean) // BATCH
    if count < FEWEST_BATCHES:
        return None
    batches = mean[: count * BATCH].reshape(count, BATCH).mean(axis=1)
    if batches.min() == batches.max():
        return 0
    # The last few cuts leave so few batches that a chance likeness of them would win.
    errors = [_squared_error(batches[cut:]) for cut in range(count - LAST_BATCHES_LEFT_OUT + 1)]
    best = int(np.argmin(errors))
    return best * BATCH if best <= count // 2 else None


def _squared_error(batches: npt.NDArray[np.float64]) -> float:
    return float(np.var(batches)) / len(batches)
