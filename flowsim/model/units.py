"""Units and pools by name: what the settings, the table of units and the pools of a model come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from flowsim.model.places import Geography
from flowsim.model.schema import Model

SITE = "{site}"
"""In the name of a pool: one pool for each site."""

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


def named_units(word: str, units: dict[str, Unit]) -> list[str]:
    """The units that a word names: one by its name, or all of a setting."""
    if word in units:
        return [word]
    return [unit.name for unit in units.values() if unit.setting == word]


def _at_site(word: str, site: str, units: dict[str, Unit]) -> list[str]:
    word = word.replace(SITE, site)
    return [name for name in named_units(word, units) if units[name].at == site or name == word]
