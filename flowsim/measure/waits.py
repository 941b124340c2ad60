"""How long patients wait to start, from joining the queue."""

from __future__ import annotations

import numpy as np

from flowsim.engine.ledger import Row
from flowsim.engine.network import Ints
from flowsim.measure.ledgers import Ledger
from flowsim.measure.measures import DAY_MS, HOUR_MS, Measure


def _starts(ledger: Ledger) -> Ints:
    return np.asarray(ledger.bins("wait_bins").sum(axis=1), np.int64)


def _percentile(share: float, words: str) -> Measure:
    return Measure(
        f"wait_p{share * 100:.0f}_hours", f"{words} of waits of those who started", "hours", Row.CLASS, "setting",
        lambda x: (x.bins("wait_bins"), 1.0), percentile=share, less_is_better=True,
    )  # fmt: skip


MEASURES = (
    Measure(
        "mean_wait_hours", "mean wait of those who started, zeros included", "hours", Row.CLASS, "setting",
        lambda x: (x.book("wait_ms") / HOUR_MS, _starts(x)), less_is_better=True,
    ),
    _percentile(0.5, "median"),
    _percentile(0.95, "95th percentile"),
    Measure(
        "share_waiting", "share of those who started who had to wait", "share", Row.CLASS, "setting",
        lambda x: (_starts(x) - x.bins("wait_bins")[:, 0], _starts(x)), less_is_better=True,
    ),
    Measure(
        "queue", "mean number waiting", "patients", Row.CLASS, "setting",
        lambda x: (x.book("queue_ms"), x.window.days * DAY_MS), less_is_better=True,
    ),
    Measure(
        "reneged_share", "share of those who joined whose patience ended", "share", Row.CLASS, "setting",
        lambda x: (x.book("reneged"), x.book("arrivals")), less_is_better=True,
    ),
    Measure(
        "turned_away_share", "share of those who came who found the queue full", "share", Row.CLASS, "setting",
        lambda x: (x.book("balked"), x.book("arrivals")), less_is_better=True,
    ),
    Measure(
        "reneged_a_year", "patients whose patience ended", "patients a year", Row.CLASS, "setting",
        lambda x: (x.book("reneged"), x.window.years), less_is_better=True,
    ),
    Measure(
        "turned_away_a_year", "patients who found the queue full", "patients a year", Row.CLASS, "setting",
        lambda x: (x.book("balked"), x.window.years), less_is_better=True,
    ),
)  # fmt: skip
