"""Where people live: the lowest places that have people, of their own or by a share of those of the place above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from flowsim.model.arrivals import Population
from flowsim.model.places import Geography


class Home(NamedTuple):
    """Whose people those of a place are: a place in the table of population, and the share of its people."""

    of: str
    share: float


def homes_of(population: Population | None, geography: Geography) -> dict[str, Home]:
    """Every place where people live, in written order: places that have people, and below which none has."""
    found = peopled(population, geography)
    above = {up.name for place in found for up in list(geography.upwards(place))[1:]}
    return {place: home for place, home in found.items() if place not in above}


def peopled(population: Population | None, geography: Geography) -> dict[str, Home]:
    """Every place that has people, in written order. A place that has both has its own, not a share."""
    there = set() if population is None else set(population.table.columns["place"])
    found: dict[str, Home] = {}
    for name in geography.places:
        share = 1.0
        for place in geography.upwards(name):
            if place.name in there:
                found[name] = Home(place.name, share)
                break
            if place.share is None:
                break
            share *= place.share
    return found


def years_of(population: Population) -> list[int]:
    """The years of the table, rising."""
    return sorted(set(population.table.columns["year"]))


def people_of(population: Population | None, homes: Mapping[str, Home], year: int) -> dict[str, dict[str, float]]:
    """People of each home by age band in a year, or the nearest year that the table has."""
    if population is None:
        return {}
    columns, years = population.table.columns, years_of(population)
    year = population.as_in or min(max(year, years[0]), years[-1])
    variants = columns.get("variant", (population.variant,) * len(population.table))
    wanted = variants[0] if population.variant is None else population.variant
    found: dict[str, dict[str, float]] = {}
    rows = zip(variants, columns["year"], columns["place"], columns["age_band"], columns["people"], strict=True)
    for variant, of, place, band, people in rows:
        if of == year and variant == wanted:
            found.setdefault(place, {})[band] = people
    return {
        place: {band: people * home.share for band, people in found.get(home.of, {}).items()}
        for place, home in homes.items()
    }
