"""All measures, by name."""

from __future__ import annotations

from flowsim.measure import discharge, equity, flow, money, occupancy, standards, waits
from flowsim.measure.measures import Measure

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
