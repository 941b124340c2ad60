"""What the bench model `city` (m3) is: places, patients, care, and how much of it, in any size.

30 hospital sites, 33 boroughs, 180 neighbourhoods. `scale` multiplies arrivals, and capacities follow from the
traffic equations; `mult` multiplies the number of sites, boroughs and neighbourhoods at the same arrivals. All of
it is made up: it resembles a large city in size and load, and none in particular.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SITES, BOROUGHS, NEIGHBOURHOODS = 30, 33, 180
EMERGENCIES, ELECTIVES, CONTACTS = 4_000_000, 500_000, 5_500_000
"""Arrivals a year at scale 1: to A&E, to planned surgery, to general practice and community care."""
URGENT_SHARE = 0.3
"""Patients who go first in A&E."""
REACH = 1.5
"""A site's share of a borough falls by exp(-REACH x distance)."""
SHIFT = 0.01
"""How far each further copy of sites and boroughs lies from the one before it."""
YEAR_HOURS = 365 * 24

GP, AE, RAPID = "GP and community", "A&E", "rapid response"
MEDICAL, SURGICAL, CRITICAL = "medical ward", "surgical ward", "critical care"
HOME, INTERMEDIATE = "home care", "intermediate care"
EMERGENCY_SURGERY, ELECTIVE_SURGERY = "emergency surgery", "elective surgery"


class Care(NamedTuple):
    """A step: its setting, its stay (mean in hours, cv), the shares of next steps, and the steps whose unit is
    kept until it starts, with the cause to which that is booked.
    """

    setting: str
    hours: float
    cv: float
    then: dict[str, float]
    holds: tuple[str, ...] = ()
    waits_for: str = ""


CARE = {
    GP: Care(GP, 1, 0.5, {AE: 0.015, RAPID: 0.01}),
    AE: Care(AE, 3.5, 0.8, {MEDICAL: 0.18, EMERGENCY_SURGERY: 0.055, CRITICAL: 0.015}),
    CRITICAL: Care(CRITICAL, 84, 1, {MEDICAL: 1}, (AE,), "a critical care bed"),
    MEDICAL: Care(
        MEDICAL, 132, 1, {HOME: 0.1, INTERMEDIATE: 0.05, RAPID: 0.03}, (AE, CRITICAL), "a medical bed"
    ),
    EMERGENCY_SURGERY: Care(SURGICAL, 96, 1, {HOME: 0.05, INTERMEDIATE: 0.05}, (AE,), "a surgical bed"),
    ELECTIVE_SURGERY: Care(SURGICAL, 48, 0.8, {HOME: 0.04}),
    RAPID: Care(RAPID, 72, 0.8, {}, (MEDICAL,), RAPID),
    INTERMEDIATE: Care(INTERMEDIATE, 504, 0.8, {HOME: 0.15}, (MEDICAL, EMERGENCY_SURGERY), INTERMEDIATE),
    HOME: Care(HOME, 1008, 1, {}, (MEDICAL, EMERGENCY_SURGERY, ELECTIVE_SURGERY, INTERMEDIATE), HOME),
}  # fmt: skip
"""Every step, after all those that lead to it."""

UTILISATION = {
    GP: 0.45, AE: 0.80, MEDICAL: 0.92, SURGICAL: 0.92, CRITICAL: 0.90, HOME: 0.955, INTERMEDIATE: 0.94, RAPID: 0.90,
}  # fmt: skip
"""The settings, each with the load for a place that it is meant to have."""
AT_SITES = (AE, MEDICAL, SURGICAL, CRITICAL)


class Area(NamedTuple):
    """Where patients live and where they go: the share of each borough and of each neighbourhood in arrivals, and
    for each borough (rows) the shares of sites (columns).
    """

    boroughs: Floats
    neighbourhoods: Floats
    catchment: Floats

    def borough_of(self, neighbourhood: int) -> int:
        """The borough in which a neighbourhood lies."""
        return neighbourhood % len(self.boroughs)


def area(mult: int) -> Area:
    """The boroughs, neighbourhoods and catchments of a city with so many times the places."""
    weights = [1 + 0.5 * (5 * b % BOROUGHS) / BOROUGHS for _ in range(mult) for b in range(BOROUGHS)]
    near = [weights[n % len(weights)] for n in range(NEIGHBOURHOODS * mult)]
    homes = _copied([(b % 6 + 0.5, b // 6 + 0.5) for b in range(BOROUGHS)], mult)
    sites = _copied([(7 * j % SITES / 5 + 0.1, 11 * j % SITES / 5 + 0.1) for j in range(SITES)], mult)
    catchment = [_shares(math.exp(-REACH * math.dist(home, site)) for site in sites) for home in homes]
    return Area(_shares(weights), _shares(near), np.array(catchment))


def _copied(spots: Iterable[tuple[float, float]], mult: int) -> list[tuple[float, float]]:
    kept = list(spots)
    return [(x + SHIFT * copy, y + SHIFT * copy) for copy in range(mult) for x, y in kept]


def _shares(weights: Iterable[float]) -> Floats:
    kept = np.array(list(weights))
    shares: Floats = kept / kept.sum()
    return shares


def loads(scale: float, where: Area) -> dict[str, Floats]:
    """Mean number of patients at a time in each unit if nobody waited, by setting.

    The traffic equations, solved step by step for patients a year by borough of residence and site; who never
    comes to a site counts at one of the catchment.
    """
    near = CONTACTS * scale * where.neighbourhoods
    contacts = np.bincount(np.arange(len(near)) % len(where.boroughs), near, len(where.boroughs))
    flows = {step: np.zeros_like(where.catchment) for step in CARE}
    flows[AE] = where.catchment * (EMERGENCIES * scale * where.boroughs)[:, None]
    flows[ELECTIVE_SURGERY] = where.catchment * (ELECTIVES * scale * where.boroughs)[:, None]
    flows[GP] = where.catchment * contacts[:, None]
    found = {GP: near * CARE[GP].hours / YEAR_HOURS}
    for step, care in CARE.items():
        for then, share in care.then.items():
            flows[then] = flows[then] + share * flows[step]
        if step != GP:
            here = flows[step].sum(axis=0 if care.setting in AT_SITES else 1) * care.hours / YEAR_HOURS
            found[care.setting] = found.get(care.setting, 0) + here
    return found


def capacities(scale: float, where: Area) -> dict[str, list[int]]:
    """Places in each unit, by setting: for the load that is meant, or more where chance needs more room."""
    return {
        setting: [
            max(math.ceil(load / utilisation), math.ceil(load + math.sqrt(load)), 1)
            for load in loads(scale, where)[setting].tolist()
        ]
        for setting, utilisation in UTILISATION.items()
    }


def onward(first: str) -> list[str]:
    """The steps that patients who enter at `first` may come to, in the order of `CARE`."""
    reached = {first}
    for step, care in CARE.items():
        if step in reached:
            reached.update(care.then)
    return [step for step in CARE if step in reached]
