"""The elementary functions against mpmath, and their compiled copies against the plain ones."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import mpmath
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from flowsim.engine import elementary, quantiles

SMALLEST_UNIFORM = 2.0**-53
GREATEST_UNIFORM = 1.0 - 2.0**-53


@pytest.fixture(autouse=True)
def _forty_digits() -> None:
    mpmath.mp.dps = 40


def units_in_last_place(got: float, exact: mpmath.mpf) -> float:
    return float(abs(mpmath.mpf(got) - exact) / mpmath.mpf(math.ulp(float(exact))))


def relative_error(got: float, exact: mpmath.mpf) -> float:
    return float(abs((mpmath.mpf(got) - exact) / exact))


def positive_points() -> list[float]:
    draw = random.Random(1)
    points = [
        5e-324,
        2.2250738585072014e-308,
        1e-300,
        1.7976931348623157e308,
        SMALLEST_UNIFORM,
        GREATEST_UNIFORM,
    ]
    points += [
        math.nextafter(1.0, 0.0),
        math.nextafter(1.0, 2.0),
        math.sqrt(0.5),
        math.sqrt(2.0),
        0.5,
        2.0,
        10.0,
    ]
    points += [math.ldexp(draw.uniform(0.5, 1.0), draw.randint(-1073, 1024)) for _ in range(1500)]
    points += [draw.uniform(0.5, 2.0) for _ in range(1500)]
    points += [1.0 + draw.choice((-1, 1)) * 10.0 ** draw.uniform(-15, -1) for _ in range(1000)]
    return points


def real_points() -> list[float]:
    draw = random.Random(2)
    points = [
        0.0,
        -0.0,
        709.782712893384,
        709.78271289338397,
        -745.1332191019411,
        -708.4,
        -708.3,
        1e-300,
        -1e-17,
    ]
    points += [draw.uniform(-745.0, 709.7) for _ in range(1500)] + [draw.uniform(-1.0, 1.0) for _ in range(1500)]
    points += [draw.uniform(-745.0, -705.0) for _ in range(500)]
    points += [draw.choice((-1, 1)) * 10.0 ** draw.uniform(-20, 0) for _ in range(1000)]
    return points


def uniform_points(count: int = 400) -> list[float]:
    draw = random.Random(3)
    points = [SMALLEST_UNIFORM, 1e-10, 0.074, 0.075, 0.0751, 0.4999999, 0.925, 0.9251, GREATEST_UNIFORM]
    points += [draw.random() for _ in range(count)] + [2.0 ** -draw.uniform(1, 53) for _ in range(count)]
    return points + [1.0 - 2.0 ** -draw.uniform(1, 52) for _ in range(count)]


def test_log_is_within_one_unit_in_the_last_place() -> None:
    errors = [(units_in_last_place(elementary.log(x), mpmath.log(x)), x) for x in positive_points()]
    assert max(errors)[0] <= 1.0


def test_log_of_powers_of_two_and_of_one() -> None:
    assert elementary.log(1.0) == 0.0
    assert elementary.log(0.0) == -math.inf
    assert elementary.log(math.inf) == math.inf
    assert math.isnan(elementary.log(-1.0))
    assert math.isnan(elementary.log(math.nan))


def test_exp_is_within_one_unit_in_the_last_place() -> None:
    errors = [(units_in_last_place(elementary.exp(x), mpmath.exp(x)), x) for x in real_points()]
    assert max(errors)[0] <= 1.0


def test_exp_beyond_the_range_of_a_float() -> None:
    assert elementary.exp(0.0) == 1.0
    assert elementary.exp(math.nextafter(709.782712893384, 800.0)) == math.inf
    assert elementary.exp(-745.2) == 0.0
    assert elementary.exp(math.inf) == math.inf
    assert elementary.exp(-math.inf) == 0.0
    assert math.isnan(elementary.exp(math.nan))


@given(st.floats(-0.999999, 1e6))
def test_log1p_keeps_its_accuracy_near_nought(x: float) -> None:
    exact = mpmath.log1p(mpmath.mpf(x))
    assert abs(mpmath.mpf(elementary.log1p(x)) - exact) <= 5e-16 * abs(exact) + 5e-324


@given(st.floats(1e-12, 1e12), st.floats(0.01, 20.0))
def test_power_is_as_good_as_its_exponent_allows(x: float, y: float) -> None:
    exact = mpmath.power(mpmath.mpf(x), mpmath.mpf(y))
    size = abs(y * math.log(x))
    assert relative_error(elementary.power(x, y), exact) <= 2.3e-16 * (1.0 + 1.5 * size)


def test_log_gamma_agrees_with_mpmath() -> None:
    draw = random.Random(4)
    points = [10.0 ** draw.uniform(-10, 6) for _ in range(400)] + [draw.uniform(0.5, 12.0) for _ in range(400)]
    for x in [*points, 1.0, 2.0, 9.999999, 10.0]:
        exact = mpmath.loggamma(x)
        assert abs(mpmath.mpf(elementary.log_gamma(x)) - exact) <= 1e-14 * max(1, abs(exact)), x


def test_normal_quantile_agrees_with_mpmath() -> None:
    for u in uniform_points():
        exact = mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(u) - 1)
        assert relative_error(elementary.normal_quantile(u), exact) <= 2e-15, u
    assert elementary.normal_quantile(0.5) == 0.0


@given(st.integers(1, 2**52 - 1))
def test_normal_quantile_is_odd_about_one_half(k: int) -> None:
    u = k * 2.0**-53
    assert elementary.normal_quantile(1.0 - u) == -elementary.normal_quantile(u)


@pytest.mark.parametrize("a", [0.05, 0.3, 1.0, 2.5, 9.9, 10.0, 40.0, 300.0])
def test_gamma_distribution_function_agrees_with_mpmath(a: float) -> None:
    for ratio in (1e-6, 0.01, 0.3, 0.8, 0.97, 1.0, 1.02, 1.3, 2.0, 5.0):
        exact = mpmath.gammainc(mpmath.mpf(a), 0, mpmath.mpf(a * ratio), regularized=True)
        got = elementary.regularised_gamma_p(a, a * ratio)
        # A tiny share is the exponential of a large number, and has its error.
        tolerance = 1e-14 - 4e-16 * float(mpmath.log(exact))
        assert abs(mpmath.mpf(got) - exact) <= tolerance * exact + 1e-300
    assert elementary.regularised_gamma_p(a, 0.0) == 0.0


@pytest.mark.parametrize("a", [0.01, 0.05, 0.2, 0.5, 0.9, 1.0, 1.7, 4.0, 9.99, 10.0, 33.0, 250.0])
def test_gamma_quantile_inverts_the_distribution_function(a: float) -> None:
    # The logarithm of the quantile of a tiny shape is u's over the shape, and its error grows with it.
    tolerance = 5e-15 + 1e-14 / a
    shape = mpmath.mpf(a)
    for u in uniform_points(20):
        x = mpmath.mpf(elementary.gamma_quantile(a, u))
        if x < 1e-300:
            continue
        below = mpmath.gammainc(shape, 0, x, regularized=True)
        density = mpmath.exp((shape - 1) * mpmath.log(x) - x - mpmath.loggamma(shape))
        assert abs((below - mpmath.mpf(u)) / density / x) <= tolerance, u


@pytest.mark.parametrize("a", [0.05, 0.7, 5.0, 1e3, 1e4])
def test_gamma_quantile_agrees_with_scipy(a: float) -> None:
    for u in uniform_points(60):
        expected = float(scipy.special.gammaincinv(a, u))
        if expected > 1e-300:
            assert elementary.gamma_quantile(a, u) == pytest.approx(expected, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("u", [SMALLEST_UNIFORM, 1e-10, 0.3, 0.5, 0.8, GREATEST_UNIFORM])
def test_gamma_quantile_of_the_greatest_shape_inverts_the_series(u: float) -> None:
    # scipy 1.17 is out by 5e-11 here at u = 1e-10, so the series itself is summed, to forty digits.
    shape = mpmath.mpf(10) ** 6
    x = mpmath.mpf(elementary.gamma_quantile(1e6, u))
    weight = mpmath.exp(shape * mpmath.log(x) - x - mpmath.loggamma(shape + 1))
    total = term = mpmath.mpf(1)
    n = 0
    while term > mpmath.mpf(10) ** -40 * total:
        n += 1
        term *= x / (shape + n)
        total += term
    assert abs((weight * total - mpmath.mpf(u)) / (weight * shape)) <= 1e-15


@given(st.floats(0.01, 1e4), st.integers(0, 2**52 - 1))
def test_gamma_quantile_is_finite_and_not_negative(a: float, k: int) -> None:
    x = elementary.gamma_quantile(a, (k + 0.5) * 2.0**-52)
    assert 0.0 <= x < math.inf


@pytest.mark.parametrize(
    ("plain", "copy", "points"),
    [
        (elementary.log, quantiles.log, positive_points()),
        (elementary.exp, quantiles.exp, real_points()),
        (elementary.normal_quantile, quantiles.normal_quantile, uniform_points()),
    ],
    ids=["log", "exp", "normal_quantile"],
)
def test_the_compiled_copy_gives_the_same_bits(
    plain: Callable[[float], float], copy: Callable[[float], float], points: list[float]
) -> None:
    assert [copy(x).hex() for x in points] == [plain(x).hex() for x in points]


@pytest.mark.parametrize("a", [0.05, 0.5, 3.0, 10.0, 200.0])
def test_the_compiled_gamma_quantile_gives_the_same_bits(a: float) -> None:
    points = uniform_points(20)
    assert [quantiles.gamma_quantile(a, u).hex() for u in points] == [
        elementary.gamma_quantile(a, u).hex() for u in points
    ]
