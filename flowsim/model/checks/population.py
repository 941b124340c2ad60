"""Checks of the population: its variants and years, gaps in its table, and shares of the people of a place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from flowsim.model.checks.report import Report
from flowsim.model.names import near
from flowsim.model.parts import SHARE_TOLERANCE
from flowsim.model.people import peopled, years_of
from flowsim.model.reading import KeyPath
from flowsim.model.tables import Table
from flowsim.model.units import named


def check_population(report: Report) -> None:
    """Variant and year, rows for every place, band and year, and shares of people that sum to 1."""
    _shares(report)
    population = report.model.population
    if population is None:
        return
    table = population.table
    columns = table.columns
    variants = list(dict.fromkeys(columns.get("variant", ())))
    path: KeyPath = ("population", "variant")
    if population.variant is None and len(variants) > 1:
        report.say(path, None, f"the table has {len(variants)} variants: say which{near('', variants)}")
    elif population.variant is not None and population.variant not in variants:
        report.say(path, population.variant, f"the table has no such variant{near(population.variant, variants)}")
    years = years_of(population)
    if population.as_in is not None and population.as_in not in years:
        message = f"the table has no people of this year, but of {years[0]} to {years[-1]}"
        report.say(("population", "as_in"), population.as_in, message)
    _gaps(report, table, variants)
    there = peopled(population, report.geography)
    levels = {report.geography.places[place].level for place in columns["place"] if place in report.geography.places}
    missing = [
        name
        for name, place in report.geography.places.items()
        if place.level in levels - {"outside"} and name not in there
    ]
    if report.model.places is not None and missing:
        message = f"no rows for {named(missing)}: every place of its level needs people"
        report.faults.add(table.file, None, "place", missing[0], message)


def _shares(report: Report) -> None:
    """Shares of the people of a place: they sum to 1, and stand where the table of population has no people."""
    places, table = report.geography.places, report.model.places
    if table is None or "share" not in table.columns:
        return
    for row, share, message in _unfit(report):
        report.say_row(table, row, "share", share, message)
    inside: dict[str | None, list[int]] = {}
    for row, place in enumerate(places.values()):
        inside.setdefault(place.within, []).append(row)
    shares = table.columns["share"]
    for within, rows in inside.items():
        given = [row for row in rows if shares[row] is not None]
        total = sum(shares[row] for row in given)
        if given and len(given) == len(rows) and abs(total - 1) > SHARE_TOLERANCE:
            message = f"shares of the places in {within!r} sum to {total:.12g}, must sum to 1"
            report.say_row(table, given[-1], "share", shares[given[-1]], message)


def _unfit(report: Report) -> Iterator[tuple[int, float | None, str]]:
    """Row, share and what would be right, of every place with a share it may not have, or without one it needs."""
    places, population = report.geography.places, report.model.population
    there = set() if population is None else set(population.table.columns["place"])
    has_people = peopled(population, report.geography)
    shared = {place.within for place in places.values() if place.share is not None}
    for row, (name, place) in enumerate(places.items()):
        if place.share is None:
            if place.within in shared and name in there:
                message = f"has people of its own, and places beside it a share of those of {place.within!r}: keep one"
                yield row, None, message
            elif place.within in shared:
                yield row, None, f"the places beside it in {place.within!r} have shares: give it one, such as 0"
        elif population is None:
            yield row, place.share, "the model has no population of which to take a share: leave it blank"
        elif name in there:
            yield row, place.share, "has people of its own in the table of population: leave its share blank"
        elif name not in has_people:
            yield row, place.share, f"the table of population has no people for {place.within or name!r}: add rows"


def _gaps(report: Report, table: Table, variants: list[str]) -> None:
    """Every place, band and year must be there, in every variant."""
    columns = table.columns
    names = columns.get("variant", (None,) * len(table))
    rows = list(zip(names, columns["place"], columns["age_band"], columns["year"], strict=True))
    years = sorted(set(columns["year"]))
    for before, after in pairwise(years):
        if after > before + 1:
            gap = f"{before + 1}" if after == before + 2 else f"{before + 1} to {after - 1}"
            report.faults.add(table.file, None, "year", gap, f"no rows between {before} and {after}: add them")
    there = set(rows)
    bands = list(dict.fromkeys(columns["age_band"]))
    # A band that only some places have is told by the check of bands, with the rows that are there.
    missing = [
        (variant, place, band, year)
        for variant in (variants or (None,))
        for place in dict.fromkeys(columns["place"])
        for band in bands
        for year in years
        if (variant, place, band, year) not in there
    ]
    if missing:
        first = ", ".join(str(part) for part in missing[0] if part is not None)
        message = f"no row for {first} ({len(missing)} rows are missing): every place, band and year needs one"
        report.faults.add(table.file, None, "place, age_band, year", first, message)
