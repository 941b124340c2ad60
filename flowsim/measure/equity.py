"""The same waits by area of residence and age band."""

from __future__ import annotations

from flowsim.engine.ledger import Row
from flowsim.measure.measures import HOUR_MS, Measure

MEASURES = (
    Measure(
        "residents_mean_wait_hours", "mean wait by where patients live and their age band", "hours", Row.AREA, "area",
        lambda x: (x.book("area_wait_ms") / HOUR_MS, x.bins("area_wait_bins").sum(axis=1)), less_is_better=True,
    ),
    Measure(
        "residents_wait_p95_hours", "95th percentile of waits by where patients live and their age band", "hours",
        Row.AREA, "area", lambda x: (x.bins("area_wait_bins"), 1.0), percentile=0.95, less_is_better=True,
    ),
    Measure(
        "residents_starts_a_year", "patients who started, by where they live and their age band", "patients a year",
        Row.AREA, "area", lambda x: (x.bins("area_wait_bins").sum(axis=1), x.window.years),
    ),
)  # fmt: skip
