"""Secant steps for many factors in kinds, on made-up hospitals whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.engine.network import Floats
from flowsim.experiment.calibration_blocks import search_blocks, updated_pairs
from flowsim.experiment.calibration_steps import CLOSE, Useless

HOSPITALS = 12
KINDS = ["time"] * HOSPITALS + ["beds"] * HOSPITALS + ["delay"]
KIN = np.zeros((2 * HOSPITALS + 1, 2 * HOSPITALS + 1), bool)
for hospital in range(HOSPITALS):
    both = [hospital, HOSPITALS + hospital]
    KIN[np.ix_(both, both)] = True
KIN[-1, -1] = True


class City:
    """Hospitals whose four-hour share falls with time and beds, beds in use grow with beds and delay; a cliff when full."""

    def __init__(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        self.wanted = chance.normal(0.0, 0.08, 2 * HOSPITALS + 1)
        self.steep = chance.uniform(4.0, 9.0, HOSPITALS)
        self.trials = 0

    def __call__(self, points: Sequence[Floats]) -> list[Floats]:
        self.trials += len(points)
        return [self.misses(point) for point in points]

    def misses(self, point: Floats) -> Floats:
        far = point - self.wanted
        time, beds, delay = far[:HOSPITALS], far[HOSPITALS:-1], far[-1]
        full = 12.0 * beds + 3.0 * delay
        late = -self.steep * time - 0.3 * full - 0.05 * np.maximum(full, 0.0) ** 2
        return np.array([*late, *full, 8.0 * delay + beds.mean()])


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_all_targets_are_met_in_fewer_trials_than_there_are_factors(seed: int) -> None:
    city = City(seed)
    start = np.zeros(len(KINDS))
    found = search_blocks(city, start, np.full(len(KINDS), np.inf), 12, KINDS, KIN)
    assert np.abs(found.misses).max() <= 2 * CLOSE
    assert city.trials <= 4 + 11 < len(KINDS)
    assert np.array_equal(found.misses, city.misses(found.point)), "the best point is one that was tried"


def test_a_hospital_that_was_right_at_the_start_follows_when_what_all_have_in_common_changes() -> None:
    """Its beds are right by chance, with far too short delays everywhere."""
    city = City(4)
    city.wanted[HOSPITALS] = -3.0 / 12.0 * 0.2
    city.wanted[-1] = 0.2
    start = np.zeros(len(KINDS))
    assert city.misses(start)[HOSPITALS] == pytest.approx(0.0, abs=1e-9)
    found = search_blocks(city, start, np.full(len(KINDS), np.inf), 12, KINDS, KIN)
    assert np.abs(found.misses).max() <= 2 * CLOSE


def test_no_factor_goes_beyond_its_largest_value() -> None:
    city = City(1)
    highest = np.full(len(KINDS), 0.01)
    found = search_blocks(city, np.zeros(len(KINDS)), highest, 8, KINDS, KIN)
    assert (found.point <= 0.01).all()


def test_a_factor_that_moves_nothing_is_named() -> None:
    city = City(2)

    def without_the_third(points: Sequence[Floats]) -> list[Floats]:
        kept = [np.where(np.arange(len(KINDS)) == 2, 0.0, point) for point in points]
        return city(kept)

    with pytest.raises(Useless) as useless:
        search_blocks(without_the_third, np.zeros(len(KINDS)), np.full(len(KINDS), np.inf), 8, KINDS, KIN)
    assert useless.value.number == 2


def test_slopes_of_other_pairs_stay_as_they_were_and_own_ones_keep_their_sign() -> None:
    pairs = np.array([[True, False], [True, True]])
    slopes = np.array([[2.0, 0.0], [1.0, -3.0]])
    found = updated_pairs(slopes, pairs, np.array([0.1, 0.1]), np.array([-5.0, 0.4]), np.array([1.0, -1.0]))
    assert found[0, 1] == 0.0
    assert found[0, 0] == 1.0, "halved, not turned"
    assert found[1] @ np.array([0.1, 0.1]) == pytest.approx(0.4) or found[1, 1] == -1.5
