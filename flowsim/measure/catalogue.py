"""All measures, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowsim.measure import discharge, equity, flow, money, occupancy, standards, waits
from flowsim.measure.measures import Measure

if TYPE_CHECKING:
    import pandas as pd

FAMILIES = {
    "occupancy": occupancy.MEASURES,
    "waits": waits.MEASURES,
    "standards": standards.MEASURES,
    "discharge": discharge.MEASURES,
    "flow": flow.MEASURES,
    "money": money.MEASURES,
    "equity": equity.MEASURES,
}
MEASURES: dict[str, Measure] = {m.name: m for family in FAMILIES.values() for m in family}


def measures() -> pd.DataFrame:
    """What can be measured, by name.

    Columns about, measured_in, family, less_is_better (None if neither), told_apart_by (attributes).
    """
    import pandas as pd  # the command line does without: it takes half a second to load

    rows = {
        m.name: (m.about, m.measured_in, name, m.less_is_better, ("all", *m.attributes))
        for name, family in FAMILIES.items()
        for m in family
    }
    columns = ["about", "measured_in", "family", "less_is_better", "told_apart_by"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("measure")
