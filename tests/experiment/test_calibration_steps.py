"""Laws of the secant steps: they find what made the results, from anywhere near, through noise, and never beyond bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.experiment.calibration_steps import (
    CLOSE,
    LONGEST_STEP,
    Found,
    Useless,
    first_points,
    search,
    step,
    updated,
)

OPEN = np.full(3, np.inf)
slopes_of_three = st.lists(st.floats(-8, 8), min_size=6, max_size=6)


def curved(slopes: np.ndarray, root: np.ndarray) -> Callable[[Sequence[np.ndarray]], list[np.ndarray]]:
    """Misses that are 0 at the root, rise by the slopes there and bend away from them."""

    def trial(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [slopes @ (x - root) + 3 * (x - root) ** 2 for x in points]

    return trial


def leaning(values: list[float]) -> np.ndarray:
    """Three targets that hang together, each most on its own factor."""
    slopes = np.diag([20.0, 20.0, 20.0])
    slopes[~np.eye(3, dtype=bool)] = values
    return slopes


@given(slopes_of_three, st.lists(st.floats(-0.2, 0.2), min_size=3, max_size=3))
def test_factors_that_made_the_results_are_found_in_six_rounds(between: list[float], root: list[float]) -> None:
    found = search(curved(leaning(between), np.array(root)), np.zeros(3), OPEN, rounds=6)
    assert found.is_close
    assert found.point == pytest.approx(np.array(root), abs=0.05)


@given(slopes_of_three, st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_noise_of_a_tenth_of_the_tolerance_does_not_lead_astray(between: list[float], seed: int) -> None:
    random, exact = np.random.default_rng(seed), curved(leaning(between), np.array([0.1, -0.15, 0.05]))
    noisy = lambda points: [one + random.normal(0, 0.1, 3) for one in exact(points)]  # noqa: E731
    found = search(noisy, np.zeros(3), OPEN, rounds=8)
    assert np.abs(exact([found.point])[0]).max() < 1


@pytest.mark.parametrize("start", [(0.3, 0.4), (0.5, 0.2), (-0.4, 0.5)])
def test_a_way_is_found_from_beyond_a_cliff(start: tuple[float, float]) -> None:
    """Above 0.15 of the second the first result collapses, as a four-hour share does in a hospital that is too full."""

    def trial(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        full = [1.2 * np.tanh(6 * max(0.0, x[1] - 0.15)) for x in points]
        return [np.array([8 * np.tanh(x[0] + more), 20 * x[1] + more]) for x, more in zip(points, full, strict=True)]

    found = search(trial, np.array(start), np.full(2, np.inf), rounds=10)
    assert found.is_close and np.abs(found.point).max() < 0.05


def test_nothing_is_tried_beyond_the_largest_factor() -> None:
    tried: list[np.ndarray] = []
    highest = np.array([0.02, 0.3, np.inf])
    exact = curved(leaning([0.0] * 6), np.array([0.2, 0.25, 0.1]))

    def trial(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        tried.extend(points)
        return exact(points)

    found = search(trial, np.zeros(3), highest, rounds=6)
    assert all((point <= highest).all() for point in tried)
    assert found.point[0] == pytest.approx(0.02)
    assert not found.is_close


def test_no_round_is_spent_on_what_is_close() -> None:
    rounds: list[int] = []
    exact = curved(leaning([0.0] * 6), np.full(3, CLOSE / 40))

    def trial(points: Sequence[np.ndarray]) -> list[np.ndarray]:
        rounds.append(len(points))
        return exact(points)

    assert search(trial, np.zeros(3), OPEN, rounds=6).is_close
    assert rounds == [4]


def test_a_factor_that_moves_nothing_is_named() -> None:
    slopes = leaning([0.0] * 6)
    slopes[:, 1] = 0
    with pytest.raises(Useless) as caught:
        search(lambda points: [slopes @ x + 1 for x in points], np.zeros(3), OPEN, rounds=6)
    assert caught.value.number == 1


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=3))
def test_a_step_is_never_long_and_keeps_its_direction(misses: list[float]) -> None:
    slopes, missed = leaning([1.0] * 6), np.array(misses)
    made, whole = step(slopes, missed), -np.linalg.solve(slopes, missed)
    assert np.abs(made).max() <= LONGEST_STEP * (1 + 1e-9)
    assert np.cross(made, whole) == pytest.approx(np.zeros(3), abs=1e-9)


def test_updated_slopes_agree_with_the_step_and_forget_nothing_across_it() -> None:
    slopes, moved, changed = leaning([2.0] * 6), np.array([0.1, 0.0, 0.2]), np.array([1.0, 2.0, 3.0])
    after = updated(slopes, moved, changed)
    assert after @ moved == pytest.approx(changed)
    across = np.array([0.2, 0.0, -0.1])
    assert after @ across == pytest.approx(slopes @ across)


def test_the_first_points_change_one_factor_each() -> None:
    points = first_points(np.zeros(3), np.array([0.0, np.inf, np.inf]))
    assert (points[0] == 0).all()
    assert [np.count_nonzero(point) for point in points] == [0, 1, 1, 1]
    assert points[1][0] < 0 < points[2][1]


def test_the_spread_of_factors_is_that_of_results_over_their_slopes() -> None:
    found = Found(np.zeros(2), np.zeros(2), np.array([[10.0, 0.0], [0.0, 4.0]]))
    assert found.spread(np.diag([0.04, 0.04])) == pytest.approx(np.array([0.02, 0.05]))
