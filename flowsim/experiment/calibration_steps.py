"""Damped secant steps for several factors at once (Broyden's method). Knows no models and no hospitals.

Factors are sought by their logarithms. A miss is how far a result lies from its target: 1 is a whole tolerance.
Source: Broyden, A class of methods for solving nonlinear simultaneous equations, Mathematics of Computation 19 (1965).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flowsim.engine.network import Floats

FIRST_CHANGE = np.log(1.05)
"""By how much each factor is changed, alone, to see what it moves."""
LONGEST_STEP = np.log(1.25)
"""No factor changes by more than this in one round."""
CLOSE = 0.25
"""Misses that are small enough to stop."""
LEAST_MOVED = 0.01
"""A factor that moves no result by more than this, in tolerances, cannot be fitted."""

Trial = Callable[[Sequence[Floats]], Sequence[Floats]]
"""Misses at some points (logarithms of the factors), all on the same patients."""


class Useless(ValueError):
    """A factor, by its number, that moves no target."""

    def __init__(self, number: int) -> None:
        super().__init__(f"factor {number} moves no target")
        self.number = number


@dataclass(frozen=True)
class Found:
    """The best point that was tried, its misses, and how misses change with the point."""

    point: Floats
    misses: Floats
    slopes: Floats  # [misses, factors]

    @property
    def is_close(self) -> bool:
        """Whether every result is near its target."""
        return bool(np.abs(self.misses).max() <= CLOSE)

    def spread(self, of_misses: Floats) -> Floats:
        """Standard errors of the point, from the covariance of the misses' means."""
        back = np.linalg.pinv(self.slopes)
        return np.asarray(np.sqrt(np.clip(np.diag(back @ of_misses @ back.T), 0.0, None)), np.float64)


def first_points(start: Floats, highest: Floats) -> list[Floats]:
    """The start, and the start with each factor changed alone."""
    points = [start]
    for number in range(len(start)):
        changed = start.copy()
        room = highest[number] - start[number]
        changed[number] += FIRST_CHANGE if room >= FIRST_CHANGE else -FIRST_CHANGE
        points.append(changed)
    return points


def search(trial: Trial, start: Floats, highest: Floats, rounds: int) -> Found:
    """The point with the smallest misses after at most so many rounds; the first looks around the start.

    Each later round goes one step from the best point: as far as the slopes say, at most `LONGEST_STEP`, half as far as
    the last time if that made things worse. Raises Useless for a factor without an effect.
    """
    points = first_points(start, highest)
    misses = [np.asarray(one, np.float64) for one in trial(points)]
    slopes = np.column_stack(
        [(misses[k + 1] - misses[0]) / (points[k + 1][k] - start[k]) for k in range(len(start))]
    )  # fmt: skip
    for number in range(len(start)):
        if np.abs(slopes[:, number]).max() * FIRST_CHANGE < LEAST_MOVED:
            raise Useless(number)
    best = int(np.argmin([np.linalg.norm(one) for one in misses]))
    at, missed, damping = points[best], misses[best], 1.0
    for _ in range(rounds - 1):
        if np.abs(missed).max() <= CLOSE:
            break
        point = np.minimum(at + damping * step(slopes, missed), highest)
        found = np.asarray(trial([point])[0], np.float64)
        slopes = updated(slopes, point - at, found - missed)
        if np.linalg.norm(found) < np.linalg.norm(missed):
            at, missed, damping = point, found, min(1.0, 2 * damping)
        else:
            damping /= 2
    return Found(at, missed, slopes)


def step(slopes: Floats, misses: Floats) -> Floats:
    """Where the slopes say that nothing is missed; shortened, in its direction, to `LONGEST_STEP`."""
    whole = np.asarray(-np.linalg.pinv(slopes, rcond=1e-3) @ misses, np.float64)
    longest = np.abs(whole).max()
    return whole if longest <= LONGEST_STEP else whole * (LONGEST_STEP / longest)


def updated(slopes: Floats, moved: Floats, changed: Floats) -> Floats:
    """Slopes that agree with what a step has changed, and are otherwise as they were."""
    length = float(moved @ moved)
    if length == 0:
        return slopes
    return np.asarray(slopes + np.outer(changed - slopes @ moved, moved) / length, np.float64)
