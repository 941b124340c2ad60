"""Logarithm, exponential, gamma and normal functions whose bits are the same on every machine.

The C library's `log` and `exp` differ between processors in the last place, and one such draw in ten thousand
moves a patient by a millisecond. These use only + - * /, square root, floor, and the exact frexp and ldexp,
with no fused multiply-add, so every IEEE 754 machine gives the same answer, compiled or not.

This file is plain Python and imports no numba, so that a network can be built, and a model checked, without
waiting for numba. The engines use compiled copies of the same functions (`jit.compiled_copies`).
"""

from __future__ import annotations

import math

LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
HALF_LOG_TWO_PI = 0.91893853320467274178
TERMS = 20_000  # the gamma series needs about nine times the square root of the shape


def split(x: float) -> tuple[float, int]:
    """(fraction, exponent) with x = fraction 2^exponent and the fraction from sqrt(1/2) to sqrt(2), for x above 0."""
    fraction, exponent = math.frexp(x)
    if fraction < 0.70710678118654752440:
        return 2.0 * fraction, exponent - 1
    return fraction, exponent


def scaled(x: float, exponent: int) -> float:
    """x 2^exponent, for x from 1/4 to 4."""
    return math.ldexp(x, exponent)


def log(x: float) -> float:
    """Natural logarithm, within 1 unit in the last place. Minus infinity at 0, NaN below it.

    Source: the method and coefficients of fdlibm's `e_log.c` (Sun Microsystems, 1993): x = 2^k (1 + f) with
    1 + f between sqrt(1/2) and sqrt(2), then a minimax polynomial in (f / (2 + f))^2.
    """
    if not 0.0 < x < math.inf:
        if x == 0.0:
            return -math.inf
        return x if x > 0.0 else math.nan
    fraction, exponent = split(x)
    k = float(exponent)
    f = fraction - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    odd = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    half_square = 0.5 * f * f
    return k * LN2_HIGH - ((half_square - (s * (half_square + (even + odd)) + k * LN2_LOW)) - f)


def exp(x: float) -> float:
    """Exponential, within 1 unit in the last place; infinity above 709.78, 0 below -745.13.

    Source: the method and coefficients of fdlibm's `e_exp.c` (Sun Microsystems, 1993): x = k ln 2 + r with
    |r| <= ln 2 / 2, then a rational function of r from a minimax polynomial in r^2.
    """
    if not -745.13321910194110842 <= x <= 709.782712893383973096:
        if x > 0.0:
            return math.inf
        return 0.0 if x < 0.0 else math.nan
    k = math.floor(x * 1.44269504088896338700 + 0.5)
    high = x - k * LN2_HIGH
    low = k * LN2_LOW
    r = high - low
    t = r * r
    c = r - t * (
        1.66666666666666019037e-01
        + t
        * (
            -2.77777777770155933842e-03
            + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))
        )
    )
    return scaled(1.0 - ((low - (r * c) / (2.0 - c)) - high), k)


def log1p(x: float) -> float:
    """log(1 + x) for x > -1, accurate also when x is tiny.

    Source: the correction of Kahan (HP-15C Advanced Functions Handbook, 1982).
    """
    y = 1.0 + x
    if y == 1.0:
        return x
    return log(y) * (x / (y - 1.0))


def power(x: float, y: float) -> float:
    """x to the power y for x >= 0 and y > 0, within about 1 + |y log x| units in the last place."""
    if x == 0.0:
        return 0.0
    return exp(y * log(x))


def normal_quantile(u: float) -> float:
    """Quantile of the standard normal distribution for u in (0, 1), accurate to about 1e-15.

    Source: algorithm AS 241, PPND16 (Wichura, Applied Statistics 37, 1988).
    """
    q = u - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        return q * _ratio(
            r,
            3.3871328727963666080e0,
            1.3314166789178437745e2,
            1.9715909503065514427e3,
            1.3731693765509461125e4,
            4.5921953931549871457e4,
            6.7265770927008700853e4,
            3.3430575583588128105e4,
            2.5090809287301226727e3,
            4.2313330701600911252e1,
            6.8718700749205790830e2,
            5.3941960214247511077e3,
            2.1213794301586595867e4,
            3.9307895800092710610e4,
            2.8729085735721942674e4,
            5.2264952788528545610e3,
        )
    r = math.sqrt(-log(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        z = _ratio(
            r - 1.6,
            1.42343711074968357734e0,
            4.63033784615654529590e0,
            5.76949722146069140550e0,
            3.64784832476320460504e0,
            1.27045825245236838258e0,
            2.41780725177450611770e-1,
            2.27238449892691845833e-2,
            7.74545014278341407640e-4,
            2.05319162663775882187e0,
            1.67638483018380384940e0,
            6.89767334985100004550e-1,
            1.48103976427480074590e-1,
            1.51986665636164571966e-2,
            5.47593808499534494600e-4,
            1.05075007164441684324e-9,
        )
    else:
        z = _ratio(
            r - 5.0,
            6.65790464350110377720e0,
            5.46378491116411436990e0,
            1.78482653991729133580e0,
            2.96560571828504891230e-1,
            2.65321895265761230930e-2,
            1.24266094738807843860e-3,
            2.71155556874348757815e-5,
            2.01033439929228813265e-7,
            5.99832206555887937690e-1,
            1.36929880922735805310e-1,
            1.48753612908506148525e-2,
            7.86869131145613259100e-4,
            1.84631831751005468180e-5,
            1.42151175831644588870e-7,
            2.04426310338993978564e-15,
        )
    return -z if q < 0.0 else z


def _ratio(
    r: float,
    a0: float,
    a1: float,
    a2: float,
    a3: float,
    a4: float,
    a5: float,
    a6: float,
    a7: float,
    b1: float,
    b2: float,
    b3: float,
    b4: float,
    b5: float,
    b6: float,
    b7: float,
) -> float:
    """(a0 + a1 r + ... + a7 r^7) / (1 + b1 r + ... + b7 r^7)."""
    top = ((((((a7 * r + a6) * r + a5) * r + a4) * r + a3) * r + a2) * r + a1) * r + a0
    bottom = ((((((b7 * r + b6) * r + b5) * r + b4) * r + b3) * r + b2) * r + b1) * r + 1.0
    return top / bottom


def log_gamma(x: float) -> float:
    """Logarithm of the gamma function for x > 0, with an error of about 1e-15 times max(1, value).

    Source: Stirling's series (Abramowitz and Stegun 6.1.40) from 10 on, and the recurrence below it.
    """
    product = 1.0
    while x < 10.0:
        product = product * x
        x = x + 1.0
    return (x - 0.5) * log(x) - x + HALF_LOG_TWO_PI + _stirling_error(x) - log(product)


def _stirling_error(x: float) -> float:
    """What Stirling's formula lacks of the logarithm of gamma, for x >= 10."""
    z = 1.0 / (x * x)
    return (
        1.0 / 12.0
        - z
        * (
            1.0 / 360.0
            - z * (1.0 / 1260.0 - z * (1.0 / 1680.0 - z * (1.0 / 1188.0 - z * (691.0 / 360360.0 - z * (1.0 / 156.0)))))
        )
    ) / x


def regularised_gamma_p(a: float, x: float) -> float:
    """Distribution function at x >= 0 of the gamma distribution with shape a > 0 and unit scale."""
    if x <= 0.0:
        return 0.0
    below, _ = _gamma_tails(a, x, _gamma_weight(a, x, _gamma_constant(a)))
    return below


def _gamma_constant(a: float) -> float:
    """The part of `_gamma_weight` that depends on the shape alone."""
    if a < 10.0:
        return log_gamma(a + 1.0)
    return _stirling_error(a) + 0.5 * log(a) + HALF_LOG_TWO_PI


def _gamma_weight(a: float, x: float, constant: float) -> float:
    """x^a exp(-x) / gamma(a + 1), without the cancellation of its large logarithms when a is large.

    Source: Loader, Fast and accurate computation of binomial probabilities (2000), the Poisson case.
    """
    if a < 10.0:
        return exp(a * log(x) - x - constant)
    if abs(a - x) >= 0.1 * (a + x):
        return exp(-(a * log(a / x) + x - a) - constant)
    v = (a - x) / (a + x)
    deviance = (a - x) * v
    term = 2.0 * a * v
    for j in range(1, 1000):
        term = term * (v * v)
        longer = deviance + term / (2 * j + 1)
        if longer == deviance:
            break
        deviance = longer
    return exp(-deviance - constant)


def _gamma_tails(a: float, x: float, weight: float) -> tuple[float, float]:
    """(P, Q), the shares of the gamma distribution below and above x > 0; `weight` is `_gamma_weight` there.

    Source: the series below a + 1 and Legendre's continued fraction above (Abramowitz and Stegun 6.5.29 and
    6.5.31), the latter by the modified method of Lentz.
    """
    if x < a + 1.0:
        total = 1.0
        term = 1.0
        for n in range(1, TERMS):
            term = term * (x / (a + n))
            total = total + term
            if term < 1e-17 * total:
                break
        below = weight * total
        return below, 1.0 - below
    b = x + 1.0 - a
    c = 1e300
    d = 1.0 / b
    fraction = d
    for n in range(1, TERMS):
        numerator = -n * (n - a)
        b = b + 2.0
        d = 1.0 / (numerator * d + b)
        c = b + numerator / c
        change = d * c
        fraction = fraction * change
        if abs(change - 1.0) < 3e-16:
            break
    above = weight * a * fraction
    return 1.0 - above, above


def gamma_quantile(a: float, u: float) -> float:
    """Quantile of the gamma distribution with shape a (0.01 to 1e6) and unit scale, for u in (0, 1).

    Halley's iteration in log x on the logarithm of the smaller tail, which is concave there, between bounds
    that shrink at each turn and are halved if a step leaves them. Starts from the leading term of the series
    or from Wilson and Hilferty (1931).
    """
    constant = _gamma_constant(a)
    is_lower = u <= 0.5
    target = u if is_lower else 1.0 - u
    if a < 10.0:
        lead = exp((log(u) + constant) / a)
        if lead < 1e-9:
            return lead * (1.0 + lead / (a + 1.0))
    else:
        lead = math.inf
    if lead < 0.3 * (a + 1.0):
        x = lead * exp(lead / (a + 1.0))
    elif a < 0.5:
        x = 1.0 - log(1.0 - u)
    else:
        root = 1.0 - 1.0 / (9.0 * a) + normal_quantile(u) / (3.0 * math.sqrt(a))
        x = a * max(root * root * root, 0.01)
    # A gamma variable exceeds a + sqrt(2 a t) + t with a chance of at most exp(-t) (Boucheron, Lugosi and
    # Massart, Concentration Inequalities, 2.4); this bounds the quantile from above.
    t = 1e-6 - log(1.0 - u)
    low = 0.0
    high = a + math.sqrt(2.0 * a * t) + t
    x = min(x, high)
    for _ in range(100):
        weight = _gamma_weight(a, x, constant)
        below, above = _gamma_tails(a, x, weight)
        tail = max(below if is_lower else above, 1e-300)
        excess = log(tail / target)
        rate = a * weight / tail
        if is_lower:
            step = excess / max(rate, 1e-300)
            bend = a - x - rate
        else:
            step = -excess / max(rate, 1e-300)
            bend = a - x + rate
        if step < 0.0:
            low = x
        else:
            high = x
        step = step / min(max(1.0 - 0.5 * step * bend, 0.5), 2.0)
        new = x * exp(-step)
        if not low <= new <= high:
            new = 0.5 * (low + high)
        x = new
        if step * step * (1.0 + a) < 1e-11:
            break
    return x
