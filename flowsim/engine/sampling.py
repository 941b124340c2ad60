"""Random numbers by address, and the durations drawn with them: compiled scalar code for both engines.

A uniform is a pure function of its address (`addresses.py`); nothing here has a state. All integers are
int64, so that a call means the same compiled and as plain Python. From Python pass plain ints and floats
(`int(Purpose.STAY)`, not the enum member, which numba takes a slow way): a call then costs about half a
microsecond.
"""

from __future__ import annotations

from flowsim.engine.addresses import Purpose, step_hash, stream_key
from flowsim.engine.distributions import Family
from flowsim.engine.jit import compiled, compiled_inline
from flowsim.engine.quantiles import Parameters, exp, log, quantile, residual

__all__ = [
    "Family",
    "Purpose",
    "exp",
    "gap_ms",
    "log",
    "philox",
    "quantile",
    "residual",
    "residual_ms",
    "stay_ms",
    "step_hash",
    "stream_key",
    "uniform",
    "uniform_pair",
    "whole_ms",
]

LONGEST_MS = 1 << 53
MASK = 0xFFFFFFFF
GAP = int(Purpose.GAP)


@compiled_inline
def philox(key0: int, key1: int, c0: int, c1: int, c2: int, c3: int) -> tuple[int, int, int, int]:
    """Four random words of 32 bits from a key of two words and a counter of four.

    Source: Philox 4x32-10 (Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, 2011).
    """
    # A product may pass 2^63. Compiled it wraps, but the mask after the shift leaves the same high word; in plain
    # Python numpy's integers would warn, so there they become Python's.
    key0, key1, c0, c1, c2, c3 = int(key0), int(key1), int(c0), int(c1), int(c2), int(c3)
    for _ in range(10):
        product0 = 0xD2511F53 * c0
        product2 = 0xCD9E8D57 * c2
        c0 = ((product2 >> 32) & MASK) ^ c1 ^ key0
        c1 = product2 & MASK
        c2 = ((product0 >> 32) & MASK) ^ c3 ^ key1
        c3 = product0 & MASK
        key0 = (key0 + 0x9E3779B9) & MASK
        key1 = (key1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


@compiled_inline
def counter(
    replication: int, layer: int, index: int, purpose: int, word: int, occurrence: int
) -> tuple[int, int, int, int]:
    """The Philox counter of an address; `addresses.py` says what lies where."""
    return index, replication, word, (layer << 26) | (purpose << 22) | occurrence


@compiled_inline
def open_unit(high: int, low: int) -> float:
    """The top 52 of 64 bits, given as two words, as a float64 in (0, 1): never 0, never 1, and exact."""
    return (float((high << 20) | (low >> 12)) + 0.5) * 2.220446049250313e-16


@compiled_inline
def uniform_pair(
    key: int, replication: int, layer: int, index: int, purpose: int, word: int, occurrence: int
) -> tuple[float, float]:
    """Two independent uniforms in (0, 1) at one address; the first is `uniform` of that address."""
    c0, c1, c2, c3 = counter(replication, layer, index, purpose, word, occurrence)
    w0, w1, w2, w3 = philox(key & MASK, (key >> 32) & MASK, c0, c1, c2, c3)
    return open_unit(w0, w1), open_unit(w2, w3)


@compiled_inline
def uniform(key: int, replication: int, layer: int, index: int, purpose: int, word: int, occurrence: int) -> float:
    """The uniform in (0, 1) at an address: stream key, replication, layer and index of the candidate,
    purpose, hash of the step's name, and how often the patient has been there before."""
    u, _ = uniform_pair(key, replication, layer, index, purpose, word, occurrence)
    return u


@compiled_inline
def whole_ms(duration: float, scale: float) -> int:
    """`duration` times `scale` in whole milliseconds, rounded half up, from 0 to 2^53."""
    x = duration * scale + 0.5
    if not x < LONGEST_MS:
        return LONGEST_MS
    return int(x) if x > 0.0 else 0


@compiled
def stay_ms(
    key: int,
    replication: int,
    layer: int,
    index: int,
    purpose: int,
    word: int,
    occurrence: int,
    kind: int,
    first: int,
    scale: float,
    parameters: Parameters,
) -> int:
    """A duration drawn at an address, in whole milliseconds; `scale` is milliseconds in the family's unit."""
    u = uniform(key, replication, layer, index, purpose, word, occurrence)
    return whole_ms(quantile(kind, u, parameters, first, index), scale)


@compiled
def residual_ms(
    key: int,
    replication: int,
    layer: int,
    index: int,
    purpose: int,
    word: int,
    occurrence: int,
    kind: int,
    first: int,
    scale: float,
    parameters: Parameters,
) -> int:
    """What remains of the stay of someone found inside, drawn at an address, in whole milliseconds."""
    u, v = uniform_pair(key, replication, layer, index, purpose, word, occurrence)
    return whole_ms(residual(kind, u, v, parameters, first, index), scale)


@compiled
def gap_ms(key: int, replication: int, layer: int, index: int, mean_gap_ms: float) -> int:
    """Time from candidate `index` - 1 of a layer to this one: exponential, whole milliseconds, may be 0."""
    return whole_ms(-log(1.0 - uniform(key, replication, layer, index, GAP, 0, 0)), mean_gap_ms)
