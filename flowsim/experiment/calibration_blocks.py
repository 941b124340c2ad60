"""Damped secant steps for many factors in kinds, each of which tells mostly on its own target. Knows no models.

With a factor or two for each of many hospitals, a trial for each factor would take too long and is not needed: those of
one kind are changed together, since each moves the targets of its own hospital. Slopes are kept for such pairs alone,
and each row of them is brought up to date by every step.
Source: Schubert, Modification of a quasi-Newton method for nonlinear equations with a sparse Jacobian, Mathematics of
Computation 24 (1970).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flowsim.engine.network import Floats
from flowsim.experiment.calibration_steps import CLOSE, FIRST_CHANGE, LEAST_MOVED, LONGEST_STEP, Found, Trial, Useless

Pairs = NDArray[np.bool_]
"""[targets, factors]: which target a factor is known to move."""
LONGER = 1.5
"""By how much a factor's longest step grows after one that brought its target nearer."""


def search_blocks(trial: Trial, start: Floats, highest: Floats, rounds: int, kinds: Sequence[str], kin: Pairs) -> Found:
    """The best point that was tried in at most so many rounds; the first changes the factors of each kind together.

    `kinds` has the kind of each factor, `kin` which targets those of its kind are told apart by; a factor that is the
    only one of its kind may move all targets. A later round steps every factor as far as the slopes say, at most its
    own longest step; a factor whose target came no nearer goes back, and half as far the next time. Raises Useless
    for a factor without an effect.
    """
    at, missed, slopes, pairs = _looked(trial, start, highest, kinds, kin)
    for number in range(len(start)):
        if np.abs(slopes[:, number]).max() * FIRST_CHANGE < LEAST_MOVED:
            raise Useless(number)
    signs = np.sign(np.diag(slopes))
    reach, went_back = np.full(len(start), LONGEST_STEP), np.zeros(len(start), bool)
    best, fewest = at, missed
    for _ in range(rounds - 1):
        if np.abs(fewest).max() <= CLOSE:
            break
        whole = -np.linalg.pinv(slopes, rcond=1e-3) @ missed
        point = np.minimum(at + np.clip(whole, -reach, reach), highest)
        moved = point - at
        found = np.asarray(trial([point])[0], np.float64)
        slopes = updated_pairs(slopes, pairs, moved, found - missed, signs)
        if np.linalg.norm(found) < np.linalg.norm(fewest):
            best, fewest = point, found
        # Of a factor that went back the miss there is out of date, since the others went on: the new one counts.
        nearer = (np.abs(found) <= np.maximum(np.abs(missed), CLOSE)) | went_back
        went_back = ~nearer
        reach = np.where(nearer, np.minimum(LONGER * reach, LONGEST_STEP), np.maximum(np.abs(moved) / 2, 1e-4))
        at, missed = np.where(nearer, point, at), np.where(nearer, found, missed)
    return Found(best, fewest, slopes)


def _looked(
    trial: Trial, start: Floats, highest: Floats, kinds: Sequence[str], kin: Pairs
) -> tuple[Floats, Floats, Floats, Pairs]:
    """The start, its misses, and what each kind of factors does to them, shared out over those that are kin."""
    names = list(dict.fromkeys(kinds))
    change = np.where(highest - start >= FIRST_CHANGE, FIRST_CHANGE, -FIRST_CHANGE)
    of_kind = [np.array([kind == name for kind in kinds]) for name in names]
    first, *others = (
        np.asarray(one, np.float64) for one in trial([start, *(start + change * mine for mine in of_kind)])
    )
    slopes, pairs = np.zeros((len(start), len(start))), np.zeros((len(start), len(start)), bool)
    for mine, then in zip(of_kind, others, strict=True):
        numbers = np.flatnonzero(mine)
        known = np.ones((len(start), 1), bool) if len(numbers) == 1 else kin[:, numbers]
        shared = known / np.maximum(known.sum(axis=1, keepdims=True), 1)
        slopes[:, numbers] = (then - first)[:, None] * shared / change[numbers]
        pairs[:, numbers] = known
    return start, first, slopes, pairs


def updated_pairs(slopes: Floats, pairs: Pairs, moved: Floats, changed: Floats, signs: Floats) -> Floats:
    """Slopes that agree with what a step has changed, row by row and in the pairs alone.

    A factor's effect on its own target keeps its sign: that it seems to turn is what chance does.
    """
    steps = np.where(pairs, moved, 0.0)
    lengths = (steps**2).sum(axis=1)
    error = changed - (slopes * steps).sum(axis=1)
    found = slopes + np.where(lengths > 0, error / np.where(lengths > 0, lengths, 1.0), 0.0)[:, None] * steps
    own = np.arange(len(slopes))
    turned = np.sign(found[own, own]) != signs
    found[own[turned], own[turned]] = slopes[own[turned], own[turned]] / 2
    return np.asarray(found, np.float64)
