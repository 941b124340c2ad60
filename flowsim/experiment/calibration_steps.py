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

    A later round goes one step from the best point, as far as the slopes say and at most `LONGEST_STEP`, half as far as
    the last time if that made things worse. After a step that gave less than half of what the slopes promised, a round
    looks around again. Raises Useless for a factor without an effect.
    """
    at, missed, slopes = _looked(trial, start, highest)
    for number in range(len(start)):
        if np.abs(slopes[:, number]).max() * FIRST_CHANGE < LEAST_MOVED:
            raise Useless(number)
    longest, is_fresh = LONGEST_STEP, True
    for _ in range(rounds - 1):
        if np.abs(missed).max() <= CLOSE:
            break
        if not is_fresh:
            at, missed, slopes = _looked(trial, at, highest, missed)
            is_fresh = True
            continue
        point = np.minimum(at + step(slopes, missed, longest), highest)
        if (point == at).all():
            break
        found = np.asarray(trial([point])[0], np.float64)
        promised = missed + slopes @ (point - at)
        slopes = updated(slopes, point - at, found - missed)
        before, then, now = (float(np.linalg.norm(one)) for one in (missed, promised, found))
        if now < before:
            at, missed, longest = point, found, min(LONGEST_STEP, 2 * longest)
            is_fresh = before - now >= (before - then) / 2
        else:
            longest = float(np.abs(point - at).max()) / 2
    return Found(at, missed, slopes)


def _looked(trial: Trial, here: Floats, highest: Floats, known: Floats | None = None) -> tuple[Floats, Floats, Floats]:
    """The best of a point (its misses may be known) and those around it, its misses, and the slopes between them."""
    points = first_points(here, highest)
    misses = [np.asarray(one, np.float64) for one in trial(points if known is None else points[1:])]
    misses = misses if known is None else [known, *misses]
    slopes = np.column_stack([(misses[k + 1] - misses[0]) / (points[k + 1][k] - here[k]) for k in range(len(here))])
    best = int(np.argmin([np.linalg.norm(one) for one in misses]))
    return points[best], misses[best], slopes


def step(slopes: Floats, misses: Floats, longest: float = LONGEST_STEP) -> Floats:
    """Where the slopes say that nothing is missed; shortened, in its direction, if a factor moves by more than that."""
    whole = np.asarray(-np.linalg.pinv(slopes, rcond=1e-3) @ misses, np.float64)
    length = float(np.abs(whole).max())
    return whole if length <= longest else whole * (longest / length)


def updated(slopes: Floats, moved: Floats, changed: Floats) -> Floats:
    """Slopes that agree with what a step has changed, and are otherwise as they were."""
    length = float(moved @ moved)
    if length == 0:
        return slopes
    return np.asarray(slopes + np.outer(changed - slopes @ moved, moved) / length, np.float64)
