"""How much there is of a setting on a day, what is closed, and units that a lever opens."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from flowsim.model.ages import age_bands_of
from flowsim.model.calendar import DAY_MS
from flowsim.model.changing import after, changes_by_unit
from flowsim.model.levers.base import LeverError, date_in_words
from flowsim.model.names import near
from flowsim.model.pathways import At
from flowsim.model.schema import Model
from flowsim.model.settings import Capacity, CapacityChange, Setting
from flowsim.model.units import DOOR, Unit, geography_of, pools_of, units_of

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)


class Span(NamedTuple):
    """Beds or slots of a part of the week; `hours` None is the whole day."""

    days: tuple[int, ...]
    hours: tuple[int, int] | None
    number: int


def units_in(model: Model, setting: str) -> list[Unit]:
    """The units of a setting, in written order."""
    return [unit for unit in units_of(model, geography_of(model)).values() if unit.setting == setting]


def changes_of(model: Model, unit: Unit) -> list[CapacityChange]:
    """The dated changes of a unit, in the order they are listed."""
    units = {one.name: one for one in units_in(model, unit.setting)}
    return [change for _, change in changes_by_unit(model, units, geography_of(model))[unit.name]]


def spans_on(model: Model, unit: Unit, day: date) -> list[Span]:
    """Beds or slots of a unit on a day, after the changes begun by then; those of each part of the week apart."""
    capacity = model.settings[unit.setting].capacity
    parts = [Span(EVERY_DAY, None, unit.most)]
    if capacity is not None and capacity.shifts:
        parts = [Span(shift.days, shift.hours, shift.beds) for shift in capacity.shifts]
    changes = [change for change in changes_of(model, unit) if change.from_ <= day]
    if not any(change.is_timed for change in changes):
        return [part._replace(number=_beds(part.number, changes)) for part in parts]
    hours = [one for one in (*(part.hours for part in parts), *(change.hours for change in changes)) if one is not None]
    found: dict[tuple[tuple[int, int], int], list[int]] = {}
    for span in itertools.pairwise(sorted({0, DAY_MS, *(edge for one in hours for edge in one)})):
        for weekday in EVERY_DAY:
            mine = [change for change in changes if change.covers(weekday, *span)]
            within = [part for part in parts if weekday in part.days and _holds(part.hours or (0, DAY_MS), span)]
            beds = within[0].number if within else 0
            there = _beds(beds, mine if within else [change for change in mine if change.is_timed])
            found.setdefault((span, there), []).append(weekday)
    return [Span(tuple(days), span, there) for (span, there), days in found.items()]


def _beds(number: int, changes: list[CapacityChange]) -> int:
    return int(after(Fraction(number), changes) + Fraction(1, 2))


def _holds(hours: tuple[int, int], span: tuple[int, int]) -> bool:
    return hours[0] <= span[0] and span[1] <= hours[1]


def has_room(model: Model, unit: Unit, day: date) -> bool:
    """Whether a unit takes anyone on a day: it is unlimited, or has beds or slots in some hours."""
    return unit.kind == "unlimited" or any(span.number for span in spans_on(model, unit, day))


def refuse_full(model: Model, setting: str, start: date) -> None:
    """Refuses a setting that has no unit, or none with room from `start` on."""
    units = units_in(model, setting)
    days = {start, *(change.from_ for unit in units for change in changes_of(model, unit) if change.from_ > start)}
    for day in sorted(days):
        if not any(has_room(model, unit, day) for unit in units):
            since = date_in_words(day)
            raise LeverError(f"{setting!r} has no room on {since}: give it capacity from then, or name another")
    geography = geography_of(model)
    pools = pools_of(model, units_of(model, geography), geography).values()
    shared = {unit for pool in pools if len(pool) > 1 for unit in pool}
    empty = [unit.name for unit in units if not has_room(model, unit, max(days)) and unit.name not in shared]
    if empty and not closings(model, setting):
        raise LeverError(f"{empty[0]!r} has no room: give it capacity, or name another setting")


# ---- what is closed ----


def door_setting(setting: str, at: str) -> str:
    """The name of the setting that tells who finds a unit closed."""
    return f"{DOOR}{setting} at {at}"


def closings(model: Model, setting: str) -> dict[str, tuple[date, bool]]:
    """Places and sites at which a setting is closed: from when, and whether at all hours."""
    found: dict[str, tuple[date, bool]] = {}
    for unit in units_in(model, setting):
        door = door_setting(setting, unit.at)
        for change in model.capacity_changes if door in model.settings else ():
            if change.setting == door and change.at in (None, unit.at):
                found[unit.at] = (change.from_, not change.is_timed)
    return found


def closed_by(model: Model, setting: str, day: date) -> dict[str, date]:
    """Places and sites at which a setting is closed at all hours by a day, and since when."""
    return {at: since for at, (since, is_whole) in closings(model, setting).items() if is_whole and day >= since}


# ---- people ----


def refuse_unknown_people(model: Model, age_bands: Iterable[str], places: Iterable[str]) -> None:
    """Refuses age bands and places that the model does not have."""
    bands, known = age_bands_of(model), geography_of(model).places
    for band in age_bands:
        if band not in bands:
            raise LeverError(f"there is no age band {band!r}{near(band, bands)}")
    for place in places:
        if place not in known:
            raise LeverError(f"there is no place {place!r}{near(place, known)}")


# ---- changes, in their order ----


def with_change(model: Model, change: CapacityChange) -> Model:
    """The model with one more change of capacity, listed before those that close the same beds: they stay closed."""
    changes, closed = list(model.capacity_changes), closings(model, change.setting)
    ends = (n for n, one in enumerate(changes) if one.times == 0 and one.setting == change.setting and one.at in closed)
    changes.insert(next((n for n in ends if change.at in (None, changes[n].at)), len(changes)), change)
    return model.model_copy(update={"capacity_changes": tuple(changes)})


# ---- units that a lever opens ----


def opened(model: Model, setting: str, at: str, like: Unit | None) -> tuple[Model, str, At]:
    """A unit of a setting at a place or site: the model that has it, its setting, and how a step chooses it.

    One that is not there yet becomes a setting of its own, named after both, without beds or slots, with the costs
    and sessions of the setting.
    """
    if setting in model.settings:
        for unit in units_in(model, setting):
            if unit.at == at:
                return model, setting, At(rule="fixed", name=at)
    geography = geography_of(model)
    if at not in geography.places and at not in geography.sites:
        raise LeverError(f"there is no place or site {at!r}")
    name = f"{setting} at {at}" if setting in model.settings else setting
    if name not in model.settings:
        kind = like.kind if like is not None else "beds"
        capacity = Capacity(
            beds=0 if kind == "beds" else None,
            slots=0 if kind == "slots" else None,
            unlimited=kind == "unlimited",
        )
        old = model.settings.get(setting, Setting(capacity=capacity))
        new = old.model_copy(update={"capacity": capacity, "at": at})
        model = model.model_copy(update={"settings": {**model.settings, name: new}})
    return model, name, At(rule="fixed", name=at)


def day_after(day: date, milliseconds: float) -> date:
    """The first day that begins at or after a time since the start of another."""
    return day + timedelta(days=-int(-milliseconds // 86_400_000))
