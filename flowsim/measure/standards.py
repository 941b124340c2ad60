"""Clocks against their standards, such as A&E four hours."""

from __future__ import annotations

from flowsim.engine.ledger import Row
from flowsim.measure.measures import HOUR_MS, Measure


def _percentile(share: float, words: str) -> Measure:
    return Measure(
        f"clock_p{share * 100:.0f}_hours", f"{words} of time on the clock", "hours", Row.CLOCK, "clock",
        lambda x: (x.bins("clock_bins"), 1.0), percentile=share, less_is_better=True,
    )  # fmt: skip


MEASURES = (
    Measure(
        "within_standard", "share of clocks that stopped within the standard", "share", Row.CLOCK_AREA, "clock",
        lambda x: (x.book("clock_met"), x.book("clock_met") + x.book("clock_missed")), less_is_better=False,
    ),
    Measure(
        "beyond_standard_a_year", "clocks that stopped beyond the standard", "patients a year", Row.CLOCK_AREA, "clock",
        lambda x: (x.book("clock_missed"), x.window.years), less_is_better=True,
    ),
    Measure(
        "clocks_a_year", "clocks that stopped", "patients a year", Row.CLOCK_AREA, "clock",
        lambda x: (x.book("clock_met") + x.book("clock_missed"), x.window.years),
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
