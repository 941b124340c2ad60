"""Small decisions both engines take in the same way: a ramp, a response and a share it sets, a round. Compiled."""

from __future__ import annotations

from flowsim.engine.jit import compiled
from flowsim.engine.network import Floats, Ints

WEEK_MS = 604_800_000
DAY_MS = 86_400_000


@compiled
def ramped(share: float, start: int, ramp: int, at: int) -> float:
    """A share that grows along a straight line from nothing at `start` to the whole at `start + ramp`."""
    if at < start:
        return 0.0
    if at >= start + ramp:
        return share
    return share * ((at - start) / ramp)


@compiled
def first_share_set(u: float, cumulative: float, value: float) -> float:
    """Where `u` falls in the written shares if the first, `cumulative`, becomes `value` and the others keep proportion.

    A uniform below `value` is moved below the first share, one above it into the others.
    """
    if u < value:
        return -1.0  # the first even if its written share is 0
    if cumulative >= 1.0:
        return u
    return cumulative + (u - value) / (1.0 - value) * (1.0 - cumulative)


@compiled
def response_value(numerator: int, denominator: int, unit: float, first: int, last: int, points: Floats) -> float:
    """The value on a response's points for numerator / denominator / unit; flat outside the points.

    Points are x and y in turn, and lie in `points` from place `first` up to `last`.
    """
    followed = numerator / denominator / unit
    if followed <= points[first]:
        return points[first + 1]  # type: ignore[no-any-return]
    for x in range(first + 2, last, 2):
        if followed < points[x]:
            rise = points[x + 1] - points[x - 1]
            return points[x - 1] + rise * ((followed - points[x - 2]) / (points[x] - points[x - 2]))  # type: ignore[no-any-return]
    return points[last - 1]  # type: ignore[no-any-return]


@compiled
def fixed_round(week_ms: int, first: int, last: int, rounds: Ints) -> int:
    """Milliseconds from `week_ms` (since Monday) to the first of the fixed rounds at or after it."""
    for i in range(first, last):
        if rounds[i] >= week_ms:
            return rounds[i] - week_ms  # type: ignore[no-any-return]
    return rounds[first] + WEEK_MS - week_ms  # type: ignore[no-any-return]


@compiled
def window_round(week_ms: int, u: float, first: int, windows: Ints) -> int:
    """Milliseconds from `week_ms` to the first round at or after it, at the share `u` of each weekday's window."""
    today = week_ms // DAY_MS
    for ahead in range(8):
        day = (today + ahead) % 7
        opens, closes = windows[first + 2 * day], windows[first + 2 * day + 1]
        if opens < 0:
            continue
        wait = opens + int(u * (closes - opens)) - week_ms
        if today + ahead >= 7:
            wait += WEEK_MS
        if wait >= 0:
            return wait  # type: ignore[no-any-return]
    return 0
