"""How many patients come, start, stay and move on, within and between levels of care."""

from __future__ import annotations

import numpy as np

from flowsim.engine.ledger import Row
from flowsim.engine.network import Ints
from flowsim.measure.ledgers import Ledger
from flowsim.measure.measures import DAY_MS, Measure


def _elsewhere(ledger: Ledger, book: str) -> Ints:
    """A book of lanes, only of patients in another unit than their own."""
    network = ledger.network
    own = np.repeat(network.class_own, np.diff(network.lane_first))
    return np.where(network.lane_unit != own, ledger.book(book), 0)


MEASURES = (
    Measure(
        "arrivals_a_year", "patients who came to a setting", "patients a year", Row.CLASS, "setting",
        lambda x: (x.book("arrivals"), x.window.years),
    ),
    Measure(
        "starts_a_year", "patients who started (attendances, admissions)", "patients a year", Row.LANE, "setting",
        lambda x: (x.book("starts"), x.window.years),
    ),
    Measure(
        "los_days", "mean time from start to vacating the unit, delays included", "days", Row.LANE, "setting",
        lambda x: (x.book("stay_ms") / DAY_MS, x.book("ends")),
    ),
    Measure(
        "elsewhere_share", "share of patients who started in another unit than their own (outlying)", "share", Row.LANE,
        "own_setting", lambda x: (_elsewhere(x, "starts"), x.book("starts")), less_is_better=True,
    ),
    Measure(
        "elsewhere_bed_days_a_year", "bed days of patients in another unit than their own", "bed days a year", Row.LANE,
        "own_setting", lambda x: (_elsewhere(x, "stay_ms") / DAY_MS, x.window.years), less_is_better=True,
    ),
    Measure(
        "moves_a_year", "patients who went from one step to another, or left", "patients a year", Row.MOVE, "to",
        lambda x: (x.book("moves"), x.window.years),
    ),
    Measure(
        "entered_a_year", "patients who entered the model", "patients a year", Row.STREAM, "pathway",
        lambda x: (x.book("entered"), x.window.years),
    ),
    Measure(
        "inside_at_end", "patients being served at the end of the run", "patients", Row.LANE, "setting",
        lambda x: (x.book("inside"), 1.0),
    ),
    Measure(
        "waiting_at_end", "patients waiting at the end of the run", "patients", Row.CLASS, "setting",
        lambda x: (x.book("waiting"), 1.0), less_is_better=True,
    ),
)  # fmt: skip
