"""Clocks against their standards, such as A&E four hours."""

from __future__ import annotations

from collections.abc import Callable

from flowsim.engine.ledger import Row
from flowsim.engine.network import Floats, Ints
from flowsim.measure.measures import HOUR_MS, Measure

Stopped = Callable[[Ints, Ints, float], tuple[Ints, Ints | Floats | float]]
"""Numerator and denominator of clocks that met the standard, clocks that did not, and years."""


def _percentile(share: float, words: str) -> Measure:
    return Measure(
        f"clock_p{share * 100:.0f}_hours", f"{words} of time on the clock", "hours", Row.CLOCK, "clock",
        lambda x: (x.bins("clock_bins"), 1.0), percentile=share, less_is_better=True,
    )  # fmt: skip


def _stopped(name: str, about: str, measured_in: str, parts: Stopped, less_is_better: bool | None) -> Measure:
    """A measure of clocks that stopped: by residence and age, or by the site where they did."""

    def on(row: Row, book: str, also: Measure | None) -> Measure:
        return Measure(
            name, about, measured_in, row, "clock",
            lambda x: parts(x.book(f"{book}_met"), x.book(f"{book}_missed"), x.window.years),
            less_is_better=less_is_better, also=also,
        )  # fmt: skip

    return on(Row.CLOCK_AREA, "clock", on(Row.CLOCK_SITE, "clock_site", None))


MEASURES = (
    _stopped(
        "within_standard", "share of clocks that stopped within the standard", "share",
        lambda met, missed, years: (met, met + missed), False,
    ),
    _stopped(
        "beyond_standard_a_year", "clocks that stopped beyond the standard", "patients a year",
        lambda met, missed, years: (missed, years), True,
    ),
    _stopped(
        "clocks_a_year", "clocks that stopped", "patients a year",
        lambda met, missed, years: (met + missed, years), None,
    ),
    Measure(
        "clock_hours", "mean time on the clock", "hours", Row.CLOCK, "clock",
        lambda x: (x.book("clock_ms") / HOUR_MS, x.bins("clock_bins").sum(axis=1)), less_is_better=True,
    ),
    _percentile(0.5, "median"),
    _percentile(0.92, "92nd percentile"),
    _percentile(0.95, "95th percentile"),
    Measure(
        "running", "clocks running at months' ends, such as a waiting list", "patients", Row.CLOCK, "clock",
        lambda x: (x.book("clock_running"), float(len(x.window.months))), less_is_better=True,
    ),
    Measure(
        "running_beyond", "clocks running at months' ends that are beyond the standard", "patients", Row.CLOCK, "clock",
        lambda x: (x.book("clock_running_over"), float(len(x.window.months))), less_is_better=True,
    ),
    Measure(
        "running_beyond_standard", "share of clocks running at months' ends that are beyond the standard", "share",
        Row.CLOCK, "clock", lambda x: (x.book("clock_running_over"), x.book("clock_running")), less_is_better=True,
    ),
)  # fmt: skip
