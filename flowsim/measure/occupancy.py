"""How full beds are: time-weighted, and at midnight as in KH03."""

from __future__ import annotations

import numpy as np

from flowsim.engine.ledger import Row
from flowsim.engine.network import UnitKind
from flowsim.measure.ledgers import Ledger
from flowsim.measure.measures import DAY_MS, Measure


def _beds(ledger: Ledger, book: str) -> np.ndarray:
    """A book of units, without slots and unlimited units: they have no beds to be full."""
    return np.where(ledger.network.unit_kind == UnitKind.BEDS, ledger.book(book), 0)


def _window_ms(ledger: Ledger) -> float:
    return ledger.window.days * DAY_MS


MEASURES = (
    Measure(
        "occupancy", "mean share of available beds in use, integrated over time", "share", Row.UNIT, "setting",
        lambda x: (_beds(x, "in_use_ms"), _beds(x, "available_ms")), less_is_better=True,
    ),
    Measure(
        "midnight_occupancy", "beds in use at midnight / beds available at midnight, as KH03", "share", Row.UNIT,
        "setting", lambda x: (_beds(x, "midnight_in_use"), _beds(x, "midnight_available")), less_is_better=True,
    ),
    Measure(
        "beds_in_use", "mean number of beds (places, packages) in use", "beds", Row.UNIT, "setting",
        lambda x: (x.book("in_use_ms"), _window_ms(x)), less_is_better=True,
    ),
    Measure(
        "beds_at_midnight", "mean number of beds in use at midnight", "beds", Row.UNIT, "setting",
        lambda x: (x.book("midnight_in_use"), float(round(x.window.days))), less_is_better=True,
    ),
    Measure(
        "beds_available", "mean number of beds available (staffed and open)", "beds", Row.UNIT, "setting",
        lambda x: (x.book("available_ms"), _window_ms(x)),
    ),
    Measure(
        "slots_used", "share of slots of opened sessions that were used", "share", Row.UNIT, "setting",
        lambda x: (x.book("slots_offered") - x.book("slots_lost"), x.book("slots_offered")),
    ),
)  # fmt: skip
