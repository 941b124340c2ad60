"""Beds held by patients who wait for somewhere else, by what they wait for (formerly DToC)."""

from __future__ import annotations

import numpy as np

from flowsim.engine.ledger import Row
from flowsim.engine.network import Floats
from flowsim.measure.ledgers import Ledger
from flowsim.measure.measures import DAY_MS, Measure


def _ready_ms(ledger: Ledger) -> Floats:
    """Time each unit was kept for patients whose stay there was over."""
    network = ledger.network
    waiting = np.bincount(network.block_unit, ledger.book("blocked_ms"), len(network.unit_kind))
    return np.asarray(waiting + ledger.book("held_ms"), np.float64)


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
    Measure(
        "ready_beds", "mean number of beds kept for patients whose stay there is over (discharge ready)", "beds",
        Row.UNIT, "setting", lambda x: (_ready_ms(x), x.window.days * DAY_MS), less_is_better=True,
    ),
    Measure(
        "ready_share", "share of beds in use whose patient's stay there is over (discharge ready, fit to leave)",
        "share", Row.UNIT, "setting", lambda x: (_ready_ms(x), x.book("in_use_ms")), less_is_better=True,
    ),
)  # fmt: skip
