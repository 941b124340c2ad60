"""Beds held by patients who wait for somewhere else, by what they wait for (formerly DToC)."""

from __future__ import annotations

from flowsim.engine.ledger import Row
from flowsim.measure.measures import DAY_MS, Measure

MEASURES = (
    Measure(
        "blocked_beds", "mean number of beds held by patients who wait for another setting", "beds", Row.BLOCK, "cause",
        lambda x: (x.book("blocked_ms"), x.window.days * DAY_MS), less_is_better=True,
    ),
    Measure(
        "blocked_bed_days_a_year", "bed days held by patients who wait for elsewhere", "bed days a year", Row.BLOCK,
        "cause", lambda x: (x.book("blocked_ms") / DAY_MS, x.window.years), less_is_better=True,
    ),
    Measure(
        "held_beds", "mean number of beds kept for patients who are served elsewhere", "beds", Row.UNIT, "setting",
        lambda x: (x.book("held_ms"), x.window.days * DAY_MS), less_is_better=True,
    ),
)  # fmt: skip
