"""Parameters of distributions from a mean and a standard deviation, and back."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import flowsim.engine
from flowsim.engine.distributions import (
    Family,
    gamma_parameters,
    hyperexponential_parameters,
    lognormal_parameters,
    mean_and_sd,
    weibull_parameters,
)

means = st.floats(1e-3, 1e9)


@given(means, st.floats(0.002, 9.9))
def test_parameters_of_every_family_give_back_mean_and_sd(mean: float, cv: float) -> None:
    cases: list[tuple[Family, tuple[float, ...]]] = [
        (Family.LOGNORMAL, lognormal_parameters(mean, cv * mean)),
        (Family.GAMMA, gamma_parameters(mean, cv * mean)),
        (Family.WEIBULL, weibull_parameters(mean, cv * mean)),
    ]
    if cv >= 1.0:
        cases.append((Family.HYPEREXPONENTIAL, hyperexponential_parameters(mean, cv * mean)))
    for kind, parameters in cases:
        assert mean_and_sd(int(kind), (0.0, *parameters), 1) == pytest.approx((mean, cv * mean), rel=1e-8), kind


@given(st.floats(0.01, 100.0), st.floats(0.05, 5.0))
def test_means_and_sds_agree_with_scipy(mean: float, cv: float) -> None:
    sd = cv * mean
    mu, sigma = lognormal_parameters(mean, sd)
    shape, scale = gamma_parameters(mean, sd)
    power, size = weibull_parameters(mean, sd)
    for theirs in (
        scipy.stats.lognorm(sigma, scale=math.exp(mu)),
        scipy.stats.gamma(shape, scale=scale),
        scipy.stats.weibull_min(power, scale=size),
    ):
        assert (theirs.mean(), theirs.std()) == pytest.approx((mean, sd), rel=1e-7)


def test_the_lognormal_of_a_known_case() -> None:
    mu, sigma = lognormal_parameters(2.0, 2.0)
    assert (mu, sigma) == pytest.approx((math.log(2.0) - 0.5 * math.log(2.0), math.sqrt(math.log(2.0))))


def test_branches_of_the_hyperexponential_carry_half_of_the_total_each() -> None:
    n, share, last, short, long = hyperexponential_parameters(10.0, 20.0)
    assert (n, last) == (2.0, 1.0)
    assert share * short == pytest.approx((1.0 - share) * long)
    assert short < long


def test_means_of_families_given_as_they_are() -> None:
    assert mean_and_sd(Family.FIXED, (4.0,), 0) == (4.0, 0.0)
    assert mean_and_sd(Family.EXPONENTIAL, (0.0, 4.0), 1) == (4.0, 4.0)
    assert mean_and_sd(Family.UNIFORM, (2.0, 8.0), 0) == pytest.approx((5.0, math.sqrt(3.0)))
    assert mean_and_sd(Family.LISTED, (4.0, 2.0, 4.0, 4.0, 6.0), 0) == pytest.approx((4.0, math.sqrt(2.0)))
    assert mean_and_sd(Family.EMPIRICAL, (2.0, 0.0, 1.0, 2.0, 8.0), 0) == pytest.approx((5.0, math.sqrt(3.0)))
    # Half at exactly 1, half between 3 and 5: mean 2.5, variance (1 + 49/3) / 2 - 6.25.
    points = (4.0, 0.0, 0.5, 0.5, 1.0, 1.0, 1.0, 3.0, 5.0)
    assert mean_and_sd(Family.EMPIRICAL, points, 0) == pytest.approx((2.5, math.sqrt(26.0 / 3.0 - 6.25)))


@pytest.mark.parametrize(
    "construct", [lognormal_parameters, gamma_parameters, weibull_parameters, hyperexponential_parameters]
)
@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (math.nan, 1.0), (1.0, math.inf)])
def test_a_mean_or_sd_that_is_no_positive_number_is_refused(
    construct: Callable[[float, float], tuple[float, ...]], mean: float, sd: float
) -> None:
    with pytest.raises(ValueError, match="both must be above 0 and finite"):
        construct(mean, sd)


def test_an_sd_that_a_family_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a gamma distribution needs 0\.001 to 10 times the mean"):
        gamma_parameters(1.0, 11.0)
    with pytest.raises(ValueError, match="a Weibull distribution needs"):
        weibull_parameters(1.0, 0.001)
    with pytest.raises(ValueError, match="a hyperexponential distribution needs at least the mean"):
        hyperexponential_parameters(1.0, 0.99)
    with pytest.raises(ValueError, match="no such family"):
        mean_and_sd(99, (1.0, 1.0), 0)


def test_a_network_can_be_built_without_loading_numba() -> None:
    names = "flowsim.engine.addresses, flowsim.engine.distributions, flowsim.engine.elementary"
    program = f"import sys, {names}; sys.exit('numba' in sys.modules)"
    root = Path(flowsim.engine.__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
