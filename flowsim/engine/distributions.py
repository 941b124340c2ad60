"""Families of distributions, how their parameters are laid out, and their means. Plain Python, without numba.

The parameters of all distributions of a network lie in one float64 array; one distribution is its family and
the place `first` where its parameters begin:

    family             parameters from `first` on
    FIXED              value
    EXPONENTIAL        mean
    LOGNORMAL          mu, sigma          of the logarithm
    GAMMA              shape, scale       shape from 0.01 to 1e6
    WEIBULL            shape, scale
    HYPEREXPONENTIAL   n, n cumulative shares (the last exactly 1), n means
    UNIFORM            low, high          0 <= low <= high
    EMPIRICAL          n, n cumulative probabilities (from exactly 0 to exactly 1), n values, both ascending:
                       the quantile function is linear between these points (equal probabilities: a jump;
                       equal values: an atom)
    LISTED             n, n values        the patient with index i has value i
"""

from __future__ import annotations

import enum
import itertools
import math
from collections.abc import Sequence

from flowsim.engine.elementary import exp, log, log1p, log_gamma

LEAST_SHAPE = 0.01
GREATEST_SHAPE = 1e6
WEIBULL_SHAPES = (0.05, 1000.0)


class Family(enum.IntEnum):
    """Family of a distribution; the module says how its parameters are laid out."""

    FIXED = 0
    EXPONENTIAL = 1
    LOGNORMAL = 2
    GAMMA = 3
    WEIBULL = 4
    HYPEREXPONENTIAL = 5
    UNIFORM = 6
    EMPIRICAL = 7
    LISTED = 8


def lognormal_parameters(mean: float, sd: float) -> tuple[float, float]:
    """(mu, sigma) of the lognormal distribution with this mean and standard deviation, both above 0."""
    variance = log1p(_squared_cv(mean, sd))
    return log(mean) - 0.5 * variance, math.sqrt(variance)


def gamma_parameters(mean: float, sd: float) -> tuple[float, float]:
    """(shape, scale) of the gamma distribution with this mean and standard deviation.

    Raises `ValueError` for a shape out of range: sd must be from 0.001 to 10 times the mean.
    """
    square = _squared_cv(mean, sd)
    if not LEAST_SHAPE <= 1.0 / square <= GREATEST_SHAPE:
        raise ValueError(f"sd = {sd!r} for mean {mean!r}: a gamma distribution needs 0.001 to 10 times the mean")
    return 1.0 / square, mean * square


def weibull_parameters(mean: float, sd: float) -> tuple[float, float]:
    """(shape, scale) of the Weibull distribution with this mean and standard deviation.

    Raises `ValueError` for a shape out of range: sd must be at least 0.0013 times the mean.
    """
    target = log1p(_squared_cv(mean, sd))
    low, high = WEIBULL_SHAPES
    if not _weibull_spread(high) <= target <= _weibull_spread(low):
        raise ValueError(f"sd = {sd!r} for mean {mean!r}: a Weibull distribution needs 0.0013 to 370,000 times it")
    for _ in range(200):
        middle = 0.5 * (low + high)
        if _weibull_spread(middle) > target:
            low = middle
        else:
            high = middle
    shape = 0.5 * (low + high)
    return shape, mean * exp(-log_gamma(1.0 + 1.0 / shape))


def hyperexponential_parameters(mean: float, sd: float) -> tuple[float, ...]:
    """(2, share, 1, mean, mean) of the two-branch hyperexponential with this mean and standard deviation.

    The branches have balanced means (each carries half of the total). Raises `ValueError` if sd < mean.
    """
    square = _squared_cv(mean, sd)
    if square < 1.0:
        raise ValueError(f"sd = {sd!r} for mean {mean!r}: a hyperexponential distribution needs at least the mean")
    root = math.sqrt((square - 1.0) / (square + 1.0))
    share = 0.5 * (1.0 + root)
    other = 1.0 / ((square + 1.0) * (1.0 + root))
    return 2.0, share, 1.0, 0.5 * mean / share, 0.5 * mean / other


def _squared_cv(mean: float, sd: float) -> float:
    if not (0.0 < mean < math.inf and 0.0 < sd < math.inf):
        raise ValueError(f"mean = {mean!r}, sd = {sd!r}: both must be above 0 and finite")
    return (sd / mean) * (sd / mean)


def _weibull_spread(shape: float) -> float:
    """log(1 + cv^2) of the Weibull distribution, which falls as the shape grows."""
    return log_gamma(1.0 + 2.0 / shape) - 2.0 * log_gamma(1.0 + 1.0 / shape)


def mean_and_sd(kind: int, parameters: Sequence[float], first: int) -> tuple[float, float]:
    """Mean and standard deviation, in the unit of the parameters, of the distribution that begins at `first`.

    For LISTED, of the values in the list. Raises `ValueError` for an unknown family.
    """
    a = float(parameters[first])
    if kind == Family.FIXED:
        return a, 0.0
    if kind == Family.EXPONENTIAL:
        return a, a
    if kind in (Family.HYPEREXPONENTIAL, Family.EMPIRICAL, Family.LISTED):
        return _mean_and_sd_of_table(kind, [float(x) for x in parameters[first + 1 : first + 1 + 2 * int(a)]], int(a))
    b = float(parameters[first + 1])
    if kind == Family.LOGNORMAL:
        mean = exp(a + 0.5 * b * b)
        return mean, mean * math.sqrt(_expm1(b * b))
    if kind == Family.GAMMA:
        return a * b, math.sqrt(a) * b
    if kind == Family.WEIBULL:
        mean = b * exp(log_gamma(1.0 + 1.0 / a))
        return mean, mean * math.sqrt(_expm1(_weibull_spread(a)))
    if kind == Family.UNIFORM:
        return 0.5 * (a + b), (b - a) / math.sqrt(12.0)
    raise ValueError(f"kind = {kind}: no such family")


def _mean_and_sd_of_table(kind: int, table: list[float], n: int) -> tuple[float, float]:
    if kind == Family.LISTED:
        mean = sum(table[:n]) / n
        return mean, math.sqrt(sum((value - mean) * (value - mean) for value in table[:n]) / n)
    cumulative, values = table[:n], table[n:]
    mean = 0.0
    square = 0.0
    if kind == Family.HYPEREXPONENTIAL:
        for share, value in zip(_differences([0.0, *cumulative]), values, strict=True):
            mean += share * value
            square += share * 2.0 * value * value
        return mean, math.sqrt(max(square - mean * mean, 0.0))
    pieces = [(share, *ends) for share, ends in zip(_differences(cumulative), itertools.pairwise(values), strict=True)]
    mean = sum(share * 0.5 * (low + high) for share, low, high in pieces)
    for share, low, high in pieces:
        below, above = low - mean, high - mean
        square += share * (below * below + below * above + above * above) / 3.0
    return mean, math.sqrt(max(square, 0.0))


def _differences(cumulative: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(cumulative)]


def _expm1(x: float) -> float:
    """exp(x) - 1 for x >= 0, accurate also when x is tiny.

    Source: the correction of Kahan, as Higham, Accuracy and Stability of Numerical Algorithms (2002), 1.14.1.
    """
    y = exp(x)
    if y == 1.0 or x > 1.0:
        return x if y == 1.0 else y - 1.0
    return (y - 1.0) * (x / log(y))
