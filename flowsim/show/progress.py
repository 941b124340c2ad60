"""How far a run is: a bar with the time left on a terminal, a plain line now and then elsewhere, nothing if
quiet.
"""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any, Self

from flowsim.show.output import is_terminal, tell

SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """A context around a run. Call it after each cell as (outcome, finished, total); `ran` counts these
    calls.
    """

    def __init__(self, total: int, quiet: bool) -> None:
        self.total, self.finished, self.ran = total, 0, 0
        self._quiet = quiet
        self._begin = time.monotonic()
        self._bar: Any = None
        self._task: Any = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._quiet:
            return self
        if is_terminal(sys.stderr):
            self._start_bar()
        else:
            self._thread = threading.Thread(target=self._lines, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._bar is not None:
            self._bar.stop()
        if self._thread is not None:
            self._thread.join()
            if self.ran and kind is None:
                elapsed = in_words(time.monotonic() - self._begin)
                tell(f"{self.finished} of {self.total} cells finished in {elapsed}")

    def __call__(self, outcome: Any, finished: int, total: int) -> None:
        """A cell has ended."""
        self.ran += 1
        self.finished, self.total = finished, total
        if self._bar is not None:
            self._bar.update(self._task, completed=finished, total=total)

    def note(self, line: str) -> None:
        """A line worth telling, unless quiet."""
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False)
        elif not self._quiet:
            tell(line)

    def _start_bar(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("cells"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
            TimeRemainingColumn(),
        )  # fmt: skip
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("cells", total=self.total)
        self._bar.start()

    def _lines(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_LINES):
            elapsed = time.monotonic() - self._begin
            left = f", about {in_words(elapsed / self.ran * (self.total - self.finished))} left" if self.ran else ""
            tell(f"{self.finished} of {self.total} cells finished after {in_words(elapsed)}{left}")


def in_words(seconds: float) -> str:
    """A length of time as a person says it."""
    for size, word in ((3600.0, "hour"), (60.0, "minute")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {word}s"
    whole = round(seconds)
    return f"{whole} second{'' if whole == 1 else 's'}"
