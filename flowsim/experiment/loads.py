"""The traffic equations put to use: load by setting, what tips over, what levers move."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flowsim.engine.network import Labels, Network
from flowsim.engine.spans import Part, arrival_rates
from flowsim.engine.traffic import YEAR_MS, LoadRow, offered_load
from flowsim.model.units import DOORS

Years = Sequence[tuple[str, int, int]]
"""Model years as (name, from, to) in milliseconds from the start of the run."""

LEAST_SHARE_MOVED = 1e-9


def by_setting(rows: Iterable[LoadRow]) -> list[dict[str, Any]]:
    """Load of each setting in each year, its units together.

    Rows of setting, level, units, year, visits_a_year, load, capacity (None without limit), utilisation, and
    fullest_unit with its fullest_utilisation.
    """
    found: dict[tuple[str, str], list[LoadRow]] = {}
    for row in rows:
        found.setdefault((row.year, row.setting), []).append(row)
    table = []
    for (year, setting), units in found.items():
        load, capacity = math.fsum(unit.load for unit in units), math.fsum(unit.capacity for unit in units)
        limited = [unit for unit in units if math.isfinite(unit.capacity)]
        fullest = max(limited, key=lambda unit: unit.utilisation, default=None)
        table.append(
            {
                "setting": setting,
                "level": units[0].level,
                "units": len(units),
                "year": year,
                "visits_a_year": math.fsum(unit.arrivals_a_year for unit in units),
                "load": load,
                "capacity": capacity if math.isfinite(capacity) else None,
                "utilisation": load / capacity if math.isfinite(capacity) and capacity > 0 else None,
                "fullest_unit": fullest.unit if fullest else None,
                "fullest_utilisation": fullest.utilisation if fullest else None,
            }
        )
    return table


def tipping(rows: Iterable[LoadRow]) -> list[dict[str, Any]]:
    """Units offered more than they can do, in the first year in which they are; fullest first in a year."""
    first: dict[str, LoadRow] = {}
    years: dict[str, int] = {}
    for row in rows:
        years.setdefault(row.year, len(years))
        if row.utilisation >= 1 and math.isfinite(row.capacity):
            first.setdefault(row.unit, row)
    ordered = sorted(first.values(), key=lambda row: (years[row.year], -row.utilisation))
    return [
        {
            "unit": row.unit,
            "setting": row.setting,
            "year": row.year,
            "load": row.load,
            "capacity": row.capacity,
            "utilisation": row.utilisation if math.isfinite(row.utilisation) else None,
        }
        for row in ordered
    ]


def patients_a_year(network: Network, years: Years) -> float:
    """Patients who arrive in 365 days, in the mean over the years."""
    rates = arrival_rates(network, Part.whole(network, years[0][1], years[-1][2]))
    return math.fsum(float(rate.sum()) for rate in rates.values()) * YEAR_MS


def patients_of(network: Network) -> float:
    """Patients who arrive in a run, as expected."""
    horizon = network.horizon_ms
    return patients_a_year(network, [("all", 0, horizon)]) * horizon / YEAR_MS


def moved_work(networks: Mapping[str, tuple[Network, Labels]], baseline: str, years: Years) -> list[dict[str, Any]]:
    """Visits a year that each scenario's levers removed from one setting and added to another.

    Rows of scenario, setting, baseline_a_year, a_year, change_a_year, over all the years together; only of
    settings where something changed.
    """
    span = [("all", years[0][1], years[-1][2])]
    visits = {
        name: {
            row["setting"]: row["visits_a_year"]
            for row in by_setting(offered_load(*pair, span))
            if not row["setting"].startswith(DOORS)
        }
        for name, pair in networks.items()
    }
    table = []
    for name, found in visits.items():
        for setting in dict.fromkeys([*visits[baseline], *found]):
            was, now = visits[baseline].get(setting, 0.0), found.get(setting, 0.0)
            if abs(now - was) > LEAST_SHARE_MOVED * max(was, now):
                table.append(
                    {
                        "scenario": name,
                        "setting": setting,
                        "baseline_a_year": was,
                        "a_year": now,
                        "change_a_year": now - was,
                    }
                )
    return table
