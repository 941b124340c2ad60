"""Units and pools by name: what the settings, the table of units and the pools of a model come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Literal, NamedTuple

from flowsim.model.parts import SHARE_TOLERANCE
from flowsim.model.pathways import Step
from flowsim.model.places import Geography
from flowsim.model.schema import Model
from flowsim.model.settings import CapacityChange

NAMED = 3
"""A message names at most this many of what is missing."""
DOOR = "door of "
"""How settings begin in which patients only learn that a service is closed."""
WAY = "way to "
"""How settings begin in which the site of a patient is drawn before its door."""
DOORS = (DOOR, WAY)
"""Settings in which nothing is done: levers make them, and no table counts them."""
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


def named(names: Sequence[str]) -> str:
    """The first few names, and how many there are."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def units_changed(change: CapacityChange, units: dict[str, Unit]) -> list[Unit]:
    """The units that a change is about. Raises ValueError, with what would be right, if it cannot be done."""
    of_setting = [units[name] for name in named_units(change.setting, units)]
    found = [unit for unit in of_setting if change.at in (None, unit.at)]
    if not found:
        raise ValueError(f"{change.setting!r} has no unit at {change.at}: it has {named([u.at for u in of_setting])}")
    if change.add is not None and len(found) > 1:
        raise ValueError(f"{change.setting!r} has {len(found)} units: say which with `at`")
    for unit in found:
        if unit.kind == "unlimited":
            raise ValueError(f"{unit.name!r} is unlimited: its capacity cannot change")
        if unit.has_shifts and change.set is not None:
            raise ValueError(f"{unit.name!r} has shifts: use add or times, not set")
    return found


def below_zero(model: Model, units: dict[str, Unit]) -> tuple[int, str] | None:
    """The first change that takes a unit below 0, and why; changes count in written order.

    Changes for a part of the week are told when a model is made ready to run.
    """
    for unit in units.values():
        mine = [
            (number, change)
            for number, change in enumerate(model.capacity_changes)
            if change.setting in (unit.setting, unit.name) and change.at in (None, unit.at) and not change.is_timed
        ]
        days = {change.from_ + timedelta(milliseconds=change.ramp) for _, change in mine}
        for day in sorted(days):
            value = Fraction(_least(model, unit))
            for number, change in mine:
                if change.from_ + timedelta(milliseconds=change.ramp) > day:
                    continue
                if change.add is not None:
                    value += change.add
                elif change.set is not None:
                    value = Fraction(change.set)
                elif change.times is not None:
                    value *= Fraction(str(change.times))
                if value < 0:
                    there = value - (change.add or 0)
                    return number, f"{unit.name!r} has {float(there):g} by then: it cannot fall below 0"
    return None


def _least(model: Model, unit: Unit) -> int:
    capacity = model.settings[unit.setting].capacity
    if unit.has_shifts and capacity is not None:
        return min(shift.beds for shift in capacity.shifts)
    return unit.most


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
    total: dict[tuple[str, str, str], float] = {}
    for number, shift in enumerate(model.shifts):
        for name in [shift.pathway] if shift.pathway is not None else list(model.pathways):
            steps = model.pathways[name].steps
            if not {shift.from_, shift.to} <= set(steps) or stands_in(steps, shift.to, shift.from_):
                continue
            for band in shift.age_bands or ("",):
                key = (name, shift.from_, band)
                total[key] = total.get(key, 0) + shift.share
                everybody = total.get((name, shift.from_, ""), 0)
                others = [share for (*place, of), share in total.items() if of and place == [name, shift.from_]]
                if everybody + max(others, default=0) > 1 + SHARE_TOLERANCE:
                    return number
    return None
