"""Units and pools by name: what the settings, the table of units and the pools of a model come to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar

from flowsim.model.parts import SHARE_TOLERANCE, Part
from flowsim.model.pathways import CareShift, Step
from flowsim.model.places import Geography
from flowsim.model.responses import Response
from flowsim.model.schema import Model

NAMED = 3
"""A message names at most this many of what is missing."""
DOOR = "door of "
"""How settings begin in which patients only learn that a service is closed."""
WAY = "way to "
"""How settings begin in which the site of a patient is drawn before its door."""
DOORS = (DOOR, WAY)
"""Settings in which nothing is done: levers make them, and no table counts them."""
SITE = "{site}"
"""In the name of a pool or response: one for each site."""

P = TypeVar("P", bound=Part)
Kind = Literal["beds", "slots", "unlimited"]


class Unit(NamedTuple):
    """A setting at a place or site, with `row` in the table of units if it stands there.

    `most` is its beds (of the largest shift) or slots.
    """

    name: str
    setting: str
    at: str
    kind: Kind
    most: int
    has_shifts: bool
    row: int | None


def unit_name(setting: str, at: str) -> str:
    """The name of a unit that stands in the table of units."""
    return f"{setting} at {at}"


def geography_of(model: Model) -> Geography:
    """The places and sites of a model."""
    return Geography.of(model.name, model.places, model.sites)


def root_of(geography: Geography) -> str:
    """The place that lies in no other."""
    return next(name for name, place in geography.places.items() if place.within is None)


def units_of(model: Model, geography: Geography) -> dict[str, Unit]:
    """All units of a model by name, in written order."""
    return {unit.name: unit for unit in _units(model, root_of(geography))}


def _units(model: Model, root: str) -> Iterator[Unit]:
    for name, setting in model.settings.items():
        capacity = setting.capacity
        if capacity is None:
            continue
        beds = max((shift.beds for shift in capacity.shifts), default=capacity.beds or 0)
        kind: Kind = "unlimited" if capacity.unlimited else "slots" if capacity.slots is not None else "beds"
        yield Unit(name, name, setting.at or root, kind, capacity.slots or beds, bool(capacity.shifts), None)
    if model.units is None:
        return
    columns = model.units.columns
    for row, (setting_name, at) in enumerate(zip(columns["setting"], columns["at"], strict=True)):
        kind = columns["of"][row] if "of" in columns else "beds"
        yield Unit(unit_name(setting_name, at), setting_name, at, kind, columns["capacity"][row], False, row)


def pools_of(model: Model, units: dict[str, Unit], geography: Geography) -> dict[str, tuple[str, ...]]:
    """The units of every pool that is written, in order; a pool with `{site}` gives one for each site."""
    pools: dict[str, tuple[str, ...]] = {}
    for name, pool in model.pools.items():
        if SITE not in name:
            found = [unit for word in pool.units for unit in named_units(word, units)]
            pools[name] = tuple(found)
            continue
        for site in geography.sites:
            here = [unit for word in pool.units for unit in _at_site(word, site, units)]
            if here:
                pools[name.replace(SITE, site)] = tuple(here)
    return pools


def named_units(word: str, units: Mapping[str, Unit]) -> list[str]:
    """The units that a word names: one by its name, or all of a setting."""
    if word in units:
        return [word]
    return [unit.name for unit in units.values() if unit.setting == word]


def _at_site(word: str, site: str, units: dict[str, Unit]) -> list[str]:
    word = word.replace(SITE, site)
    return [name for name in named_units(word, units) if units[name].at == site or name == word]


def responses_of(
    name: str, response: Response, units: Mapping[str, object], pools: Mapping[str, object], geography: Geography
) -> dict[str, Response]:
    """A response as it is written; with `{site}` in its name one for each site that has the units and pools named."""
    if SITE not in name:
        return {name: response}
    found: dict[str, Response] = {}
    for site in geography.sites:
        here = _at(response.follows, site), _at(response.changes, site)
        words = [word for part, _ in here for word in part]
        if all(word in units or word in pools for word in words):
            changed = {"follows": here[0][1], "changes": here[1][1]}
            found[name.replace(SITE, site)] = response.model_copy(update=changed)
    return found


def _at(part: P, site: str) -> tuple[list[str], P]:
    """What is named at a site in a part of a response, and the part with the site's name."""
    names = {key: name for key in type(part).model_fields if SITE in str(name := getattr(part, key))}
    there = {key: name.replace(SITE, site) for key, name in names.items()}
    return list(there.values()), part.model_copy(update=there)


def named(names: Sequence[str]) -> str:
    """The first few names, and how many there are."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def stands_in(steps: Mapping[str, Step], name: str, other: str) -> bool:
    """Whether a step is the care of another said otherwise: it shares its luck, or is a door before it."""
    if steps[name].luck_of == other:
        return True
    seen: set[str] = set()
    while name in steps and name not in seen:
        seen.add(name)
        limit = steps[name].queue_limit
        if limit is None or not steps[name].in_.startswith(DOOR):
            return False
        name = limit.otherwise
        if name == other:
            return True
    return False


def shares_above_one(model: Model) -> int | None:
    """The first shift of care that, with those before it, takes more than all patients of a step.

    Shifts to a step that stands in for it take nobody from it.
    """
    geography = geography_of(model)
    taken: dict[tuple[str, str], list[CareShift]] = {}
    for number, shift in enumerate(model.shifts):
        for name in [shift.pathway] if shift.pathway is not None else list(model.pathways):
            steps = model.pathways[name].steps
            if not {shift.from_, shift.to} <= set(steps) or stands_in(steps, shift.to, shift.from_):
                continue
            shifts = taken.setdefault((name, shift.from_), [])
            shifts.append(shift)
            bands = shift.age_bands or ("", *(band for one in shifts for band in one.age_bands))
            homes = dict.fromkeys(place for one in shifts for place in one.places)
            places = [home for home in homes if geography.is_within(home, shift.places or homes)]
            for band, home in itertools.product(dict.fromkeys(bands), places if shift.places else ("", *places)):
                here = [one for one in shifts if _is_for(one, band, home, geography)]
                if sum(one.share for one in here) > 1 + SHARE_TOLERANCE:
                    return number
    return None


def _is_for(shift: CareShift, band: str, home: str, geography: Geography) -> bool:
    """Whether a shift is for patients of an age band and home; of those it does not name, where either is empty."""
    is_here = not shift.places or (home != "" and geography.is_within(home, shift.places))
    return is_here and (not shift.age_bands or band in shift.age_bands)
