"""What a run of a bench model comes to, whatever program ran it."""

from __future__ import annotations

from time import process_time
from typing import NamedTuple

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Waits:
    """Sums of the waits that end from `since_ms` on, by step."""

    def __init__(self, since_ms: int = 0) -> None:
        self.since_ms = since_ms
        self.total_ms: dict[str, float] = {}
        self.starts: dict[str, int] = {}

    def add(self, step: str, joined: float, now: float) -> None:
        """A patient starts in a step."""
        if now >= self.since_ms:
            self.add_sum(step, now - joined, 1)

    def add_sum(self, step: str, total_ms: float, starts: int) -> None:
        """So many patients start, and have waited so long together."""
        self.total_ms[step] = self.total_ms.get(step, 0) + total_ms
        self.starts[step] = self.starts.get(step, 0) + starts

    def add_all(self, other: Waits) -> None:
        """Add the waits of another run."""
        for step, total in other.total_ms.items():
            self.add_sum(step, total, other.starts[step])

    def hours(self) -> dict[str, float]:
        """Mean wait of each step, in hours."""
        return {step: total / self.starts[step] / HOUR_MS for step, total in self.total_ms.items() if self.starts[step]}

    def mean_hours(self) -> float:
        """Mean wait of all starts, in hours; NaN where there was none."""
        starts = sum(self.starts.values())
        return sum(self.total_ms.values()) / starts / HOUR_MS if starts else float("nan")


class Stopwatch:
    """Processor seconds since it was made."""

    def __init__(self) -> None:
        self._begin = process_time()

    def seconds(self) -> float:
        """Processor seconds so far."""
        return process_time() - self._begin


class Outcome(NamedTuple):
    """Arrivals and ends of stays together, patients who entered, waits, and processor seconds of the run alone."""

    events: int
    patients: int
    waits: Waits
    seconds: float
