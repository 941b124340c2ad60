"""What care costs: rate x capacity, visits and days, in pounds of the model's price year."""

from __future__ import annotations

import numpy as np

from flowsim.engine.ledger import Row
from flowsim.engine.network import Floats
from flowsim.measure.ledgers import Ledger
from flowsim.measure.measures import DAY_MS, Measure


def _pounds(ledger: Ledger) -> Floats:
    """Pounds spent in each unit in the window, one-off costs included (split evenly over the units of a setting)."""
    labels, network = ledger.labels, ledger.network
    rates = np.array(labels.costs, float).reshape(-1, 3)[network.unit_setting]
    starts = np.bincount(network.lane_unit, ledger.book("starts"), len(network.unit_kind))
    capacity_days = ledger.book("available_ms") / DAY_MS + ledger.book("slots_offered")
    pounds = rates[:, 0] * capacity_days + rates[:, 1] * starts + rates[:, 2] * ledger.book("in_use_ms") / DAY_MS
    for setting, at, cost in labels.one_off:
        units = [u for u, label in enumerate(labels.units) if label.setting == setting]
        if labels.month_of_period[int(np.searchsorted(network.period_starts, at, "right")) - 1] in ledger.window.months:
            pounds[units] += cost / len(units)
    return pounds


MEASURES = (
    Measure(
        "cost_a_year", "cost of capacity, visits and days of stay, one-off costs included", "pounds a year", Row.UNIT,
        "setting", lambda x: (_pounds(x), x.window.years), less_is_better=True,
    ),
)  # fmt: skip
