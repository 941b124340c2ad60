"""Who receives the patients of a closed unit where each goes to the nearest other, so that its beds can follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flowsim.model.calendar import YEAR_MS
from flowsim.model.pathways import At
from flowsim.model.people import homes_of, people_of
from flowsim.model.places import Geography
from flowsim.model.schema import Model
from flowsim.model.units import Unit, geography_of, root_of


def receiving(
    model: Model, closed: Unit, units: Sequence[Unit], entries: Mapping[str, Sequence[str]], without: Sequence[str]
) -> dict[str, float]:
    """Places and sites that the patients of a closed unit go to, with how many in a year of the first year's rates.

    `units` are all of its setting, `entries` the steps in it by pathway. Patients count by where they live, as far as
    the first step that tells where they are cared for sends them to the closed unit; where none tells, as far as it
    is the nearest.
    """
    geography = geography_of(model)
    spots = [unit.at for unit in units]
    left = [at for at in spots if at not in (closed.at, *without)]
    found: dict[str, float] = {}
    for pathway, steps in entries.items():
        rules = [model.pathways[pathway].steps[step].at for step in steps]
        rule = next((at for at in rules if at.rule != "same site"), At(rule="nearest"))
        for home, patients in _patients(model, pathway, geography):
            is_known = geography.location(home) is not None
            share = _share(rule, home, closed.at, spots, geography) if is_known else 0.0
            if share * patients > 0:
                there = nearest(home, left, geography)
                found[there] = found.get(there, 0.0) + share * patients
    return found


def nearest(home: str, spots: Sequence[str], geography: Geography) -> str:
    """The nearest of some sites and places, of equals the first by name."""
    return min(spots, key=lambda at: (geography.distance_km(home, at), at))


def _share(at: At, home: str, closed: str, spots: Sequence[str], geography: Geography) -> float:
    """The share of the patients who live somewhere that is cared for at what is closed."""
    if at.rule == "shares":
        row = geography.holder(home, at.shares)
        return 0.0 if row is None else at.shares[row].get(closed, 0.0)
    if at.rule == "fixed":
        return float(at.name == closed)
    if at.rule == "own place":
        return float(geography.holder(home, spots) == closed)
    return float(nearest(home, [one for one in spots if one not in at.without], geography) == closed)


def _patients(model: Model, pathway: str, geography: Geography) -> Iterator[tuple[str, float]]:
    """(home, patients a year) of every source of a pathway that comes at a rate."""
    people = people_of(model.population, homes_of(model.population, geography), model.start.year)
    for source in model.pathways[pathway].arrivals:
        if source.need is not None:
            for home, ages in people.items():
                place = geography.holder(home, source.need.by_place)
                row = source.need.by_age if place is None else source.need.by_place[place]
                yield home, sum(number * row.get(band, 0.0) / 1000 for band, number in ages.items())
        else:
            a_year = 1.0 if source.per_ms is None else source.per_ms * YEAR_MS  # one where times are given
            residence = source.residence or {root_of(geography): 1.0}
            yield from ((home, share * a_year) for home, share in residence.items())
