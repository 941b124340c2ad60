"""Quantile functions of all families, and what remains for someone found inside: compiled scalar code.

`distributions.py` says how each family's parameters are laid out. A quantile rises with its uniform, except
that of a hyperexponential, where the uniform chooses the branch and then rises within it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from flowsim.engine import elementary
from flowsim.engine.distributions import Family
from flowsim.engine.jit import bits_of, compiled, compiled_copies, compiled_inline, float_of

MANTISSA = (1 << 52) - 1
ROOT_HALF = 0x6A09E667F3BCD
"""The bits after the exponent of 0.70710678118654752440."""


def _split(x: float) -> tuple[float, int]:
    """As `elementary.split`, by the bits of x: a call of the C library, or a branch, would take the longest."""
    shift = 0
    if x < 2.2250738585072014e-308:  # the smallest with an exponent of its own
        x = x * 18014398509481984.0
        shift = 54
    bits = bits_of(x)
    mantissa = bits & MANTISSA
    is_small = int(mantissa < ROOT_HALF)
    return float_of(mantissa | ((1022 + is_small) << 52)), (bits >> 52) - 1022 - is_small - shift


def _scaled(x: float, exponent: int) -> float:
    """As `elementary.scaled`; only what lies near the ends of the floats is left to the C library."""
    if -1000 < exponent < 1000:
        return x * float_of((exponent + 1023) << 52)
    return math.ldexp(x, exponent)


_fast = compiled_copies(
    elementary,
    (
        "log",
        "exp",
        "power",
        "normal_quantile",
        "_ratio",
        "log_gamma",
        "_stirling_error",
        "_gamma_constant",
        "_gamma_weight",
        "_gamma_tails",
        "gamma_quantile",
    ),
    {"split": _split, "scaled": _scaled},
)
log: Callable[[float], float] = _fast.log
log_in_loops: Callable[[float], float] = compiled_copies(elementary, ("log",), {"split": _split}, compiled_inline).log
"""As `log`, written into the loop that calls it, so that a processor may do several at once."""
exp: Callable[[float], float] = _fast.exp
power: Callable[[float, float], float] = _fast.power
normal_quantile: Callable[[float], float] = _fast.normal_quantile
gamma_quantile: Callable[[float, float], float] = _fast.gamma_quantile

Parameters = npt.NDArray[np.float64]

# Copies as plain integers: numba compares them without unpacking an enum.
FIXED = int(Family.FIXED)
EXPONENTIAL = int(Family.EXPONENTIAL)
LOGNORMAL = int(Family.LOGNORMAL)
GAMMA = int(Family.GAMMA)
WEIBULL = int(Family.WEIBULL)
HYPEREXPONENTIAL = int(Family.HYPEREXPONENTIAL)
UNIFORM = int(Family.UNIFORM)
EMPIRICAL = int(Family.EMPIRICAL)


@compiled
def quantile(kind: int, u: float, parameters: Parameters, first: int, index: int) -> float:
    """Quantile at u in (0, 1) of the distribution of family `kind` that begins at `first`.

    In the unit of the parameters. `index` is the patient's and counts for LISTED only, where it must be
    below n. Nothing is checked here: whoever lays out the parameters has checked them.
    """
    a = float(parameters[first])
    if kind == EXPONENTIAL:
        return -a * log(1.0 - u)
    if kind == LOGNORMAL:
        return exp(a + float(parameters[first + 1]) * normal_quantile(u))
    if kind == FIXED:
        return a
    if kind == GAMMA:
        return float(parameters[first + 1]) * gamma_quantile(a, u)
    if kind == WEIBULL:
        return float(parameters[first + 1]) * power(-log(1.0 - u), 1.0 / a)
    if kind == UNIFORM:
        return a + u * (float(parameters[first + 1]) - a)
    n = int(a)
    if kind == HYPEREXPONENTIAL:
        below = 0.0
        i = 0
        while i < n - 1 and u >= parameters[first + 1 + i]:
            below = float(parameters[first + 1 + i])
            i += 1
        upto = float(parameters[first + 1 + i])
        return -float(parameters[first + 1 + n + i]) * log((upto - u) / (upto - below))
    if kind == EMPIRICAL:
        return _between_points(u, parameters, first + 1, n)
    return float(parameters[first + 1 + index])


@compiled
def _between_points(u: float, parameters: Parameters, first: int, n: int) -> float:
    """The piecewise-linear quantile function of n points (probabilities from `first` on, then values)."""
    low = 0
    high = n - 1
    while high - low > 1:
        middle = (low + high) // 2
        if parameters[first + middle] < u:
            low = middle
        else:
            high = middle
    p = float(parameters[first + low])
    value = float(parameters[first + n + low])
    width = float(parameters[first + high]) - p
    return value + (float(parameters[first + n + high]) - value) * ((u - p) / width)


@compiled
def residual(kind: int, u: float, v: float, parameters: Parameters, first: int, index: int) -> float:
    """What remains, in the stationary state, of the stay of someone found inside: two uniforms in (0, 1).

    The stay one falls into is drawn by u from the length-biased distribution (density proportional to
    t f(t)), and the share v of it is still to come. So its mean is E[S^2] / (2 E[S]). The length-biased
    distribution is: lognormal with mu + sigma^2; gamma with shape + 1; for Weibull, (t / scale)^shape is
    gamma with shape 1 + 1/shape; uniform and empirical by the quantile of t dt on each linear piece. An
    exponential has no memory, so its remainder is the same exponential (v unused); a hyperexponential is a
    branch with a chance in proportion to share times mean, then exponential (v unused). LISTED: v times the
    patient's own value, which is fixed and not biased.
    Source: Cox, Renewal Theory (1962), section 5.
    """
    a = float(parameters[first])
    if kind == EXPONENTIAL:
        return -a * log(1.0 - u)
    if kind == LOGNORMAL:
        sigma = float(parameters[first + 1])
        return v * exp(a + sigma * sigma + sigma * normal_quantile(u))
    if kind == FIXED:
        return v * a
    if kind == GAMMA:
        return v * float(parameters[first + 1]) * gamma_quantile(a + 1.0, u)
    if kind == WEIBULL:
        return v * float(parameters[first + 1]) * power(gamma_quantile(1.0 + 1.0 / a, u), 1.0 / a)
    if kind == UNIFORM:
        return v * _biased_piece(u, a, float(parameters[first + 1]))
    n = int(a)
    if kind == HYPEREXPONENTIAL:
        return _hyperexponential_remainder(u, parameters, first + 1, n)
    if kind == EMPIRICAL:
        return v * _biased_between_points(u, parameters, first + 1, n)
    return v * float(parameters[first + 1 + index])


@compiled
def _biased_piece(u: float, low: float, high: float) -> float:
    """Quantile at u of the density proportional to t between `low` and `high`."""
    return math.sqrt(low * low + u * (high * high - low * low))


@compiled
def _hyperexponential_remainder(u: float, parameters: Parameters, first: int, n: int) -> float:
    total = 0.0
    below = 0.0
    for i in range(n):
        total += (float(parameters[first + i]) - below) * float(parameters[first + n + i])
        below = float(parameters[first + i])
    done = 0.0
    below = 0.0
    for i in range(n):
        mean = float(parameters[first + n + i])
        part = (float(parameters[first + i]) - below) * mean / total
        below = float(parameters[first + i])
        if u < done + part or i == n - 1:
            # The last branch ends at 1, whatever the rounding of the sum.
            upto = 1.0 if i == n - 1 else done + part
            return -mean * log((upto - u) / (upto - done))
        done += part
    return 0.0


@compiled
def _biased_between_points(u: float, parameters: Parameters, first: int, n: int) -> float:
    total = 0.0
    for i in range(n - 1):
        total += _moment_of_piece(parameters, first, n, i)
    left = u * total
    last = 0
    for i in range(n - 1):
        part = _moment_of_piece(parameters, first, n, i)
        if part > 0.0:
            last = i
            if left < part:
                break
            left -= part
    part = _moment_of_piece(parameters, first, n, last)
    if part == 0.0:
        return 0.0
    share = left / part if left < part else 1.0
    return _biased_piece(share, float(parameters[first + n + last]), float(parameters[first + n + last + 1]))


@compiled
def _moment_of_piece(parameters: Parameters, first: int, n: int, i: int) -> float:
    """The contribution of piece i to the mean."""
    width = float(parameters[first + i + 1]) - float(parameters[first + i])
    return width * 0.5 * (float(parameters[first + n + i]) + float(parameters[first + n + i + 1]))
