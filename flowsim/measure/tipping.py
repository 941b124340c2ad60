"""When something tips: the first year, quarter or month in which a measure is beyond a bound, by replication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Tipping:
    """The first time beyond a bound in each replication, None where there is none, and all times in their order."""

    first: tuple[str | None, ...]
    times: tuple[str, ...]

    @property
    def tipped(self) -> tuple[str, ...]:
        """The first times of the replications that tip, in order."""
        return tuple(sorted((one for one in self.first if one is not None), key=self.times.index))

    @property
    def earliest(self) -> str | None:
        """The first time in which a replication tips."""
        return self.tipped[0] if self.tipped else None

    @property
    def latest(self) -> str | None:
        """The last time in which a replication tips."""
        return self.tipped[-1] if self.tipped else None

    @property
    def median(self) -> str | None:
        """The time by which at least half of the replications have tipped; None where fewer do."""
        middle = (len(self.first) - 1) // 2
        return self.tipped[middle] if middle < len(self.tipped) else None


def tipping(replications: Sequence[Mapping[str, float]], below: float | None, above: float | None) -> Tipping:
    """When each replication, values by time in order, is first below one bound or above the other."""

    def is_beyond(value: float) -> bool:
        return (below is not None and value < below) or (above is not None and value > above)

    times = tuple(dict.fromkeys(time for values in replications for time in values))
    first = (next((time for time, value in mine.items() if is_beyond(value)), None) for mine in replications)
    return Tipping(tuple(first), times)
