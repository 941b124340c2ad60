"""Changes of capacity, unit by unit: which units each is about, what each of them gets, and none below 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction

from flowsim.model.names import near
from flowsim.model.places import Geography
from flowsim.model.schema import Model
from flowsim.model.settings import CapacityChange
from flowsim.model.units import Unit, named, named_units


def units_changed(change: CapacityChange, units: Mapping[str, Unit], geography: Geography) -> list[Unit]:
    """The units that a change is about. Raises ValueError, with what would be right, if it cannot be done."""
    of_setting = [units[name] for name in named_units(change.setting, units)]
    found = _where(change, of_setting, geography)
    if not found:
        where = f"at {change.at}" if change.trust is None else f"of {change.trust}"
        raise ValueError(f"{change.setting!r} has no unit {where}: it has {named([unit.at for unit in of_setting])}")
    if change.add is not None and len(found) > 1 and change.at is None and change.trust is None:
        raise ValueError(f"{change.setting!r} has {len(found)} units: say which with `at`")
    if change.set is not None and len(found) > 1 and (change.at is not None or change.trust is not None):
        there = change.at or change.trust
        raise ValueError(f"{change.setting!r} has {len(found)} units at {there}: set is for one of them, or use add")
    for unit in found:
        if unit.kind == "unlimited":
            raise ValueError(f"{unit.name!r} is unlimited: its capacity cannot change")
        if unit.has_shifts and change.set is not None:
            raise ValueError(f"{unit.name!r} has shifts: use add or times, not set")
    return found


def _where(change: CapacityChange, of_setting: list[Unit], geography: Geography) -> list[Unit]:
    """The units at a site or place, at the sites of a trust, or else all that lie in the place."""
    if change.trust is not None:
        trusts = list(dict.fromkeys(site.trust for site in geography.sites.values() if site.trust is not None))
        if change.trust not in trusts:
            raise ValueError(f"no site is of the trust {change.trust!r}{near(change.trust, trusts)}")
        return [unit for unit in of_setting if (site := geography.sites.get(unit.at)) and site.trust == change.trust]
    if change.at is None:
        return of_setting
    exactly = [unit for unit in of_setting if unit.at == change.at]
    if exactly or change.at not in geography.places:
        return exactly
    return [unit for unit in of_setting if geography.is_within(geography.place_of(unit.at), (change.at,))]


def changes_by_unit(
    model: Model, units: Mapping[str, Unit], geography: Geography
) -> dict[str, list[tuple[int, CapacityChange]]]:
    """The changes of each of some units, which are all of their settings, in the order they are listed.

    Each with its place in the list; of one that adds to several units each has what it gets. Raises ValueError.
    """
    found: dict[str, list[tuple[int, CapacityChange]]] = {name: [] for name in units}
    settings = {unit.setting for unit in units.values()}
    for number, change in enumerate(model.capacity_changes):
        if change.setting not in settings:
            continue
        mine = units_changed(change, units, geography)
        if change.add is None or len(mine) == 1:
            parts = [change] * len(mine)
        else:
            parts = spread(change, mine, {unit.name: [one for _, one in found[unit.name]] for unit in mine})
        for unit, part in zip(mine, parts, strict=True):
            found[unit.name].append((number, part))
    return found


def spread(
    change: CapacityChange, units: Sequence[Unit], before: Mapping[str, Sequence[CapacityChange]]
) -> list[CapacityChange]:
    """What each of several units gets of a change that adds: in proportion to its beds or slots on the first day.

    By largest remainder: whole beds, which sum to all of it. `before` are the changes of each unit that are listed
    before. Raises ValueError if there is nothing on that day.
    """
    assert change.add is not None
    there = [beds_on(unit, before[unit.name], change.from_) for unit in units]
    total = sum(there)
    if total <= 0:
        where = change.at or change.trust
        raise ValueError(f"{change.setting!r} has nothing at {where} on {change.from_}: name the one unit that gets it")
    sign = -1 if change.add < 0 else 1
    return [
        change.model_copy(update={"at": unit.at, "trust": None, "add": sign * number})
        for unit, number in zip(units, apportioned(abs(change.add), there), strict=True)
    ]


def apportioned(number: int, weights: Sequence[Fraction]) -> list[int]:
    """Whole numbers in proportion to weights that sum to a number: by largest remainder, the first of equals first."""
    exact = [number * weight / sum(weights) for weight in weights]
    whole = [int(one) for one in exact]
    order = sorted(range(len(weights)), key=lambda place: whole[place] - exact[place])
    for place in order[: number - sum(whole)]:
        whole[place] += 1
    return whole


def beds_on(unit: Unit, changes: Sequence[CapacityChange], day: date) -> Fraction:
    """Beds or slots of a unit on a day after those changes that have begun, as if each were done and at all hours."""
    return after(Fraction(unit.most), [one for one in changes if one.from_ <= day and not one.is_timed])


def after(beds: Fraction, changes: Sequence[CapacityChange]) -> Fraction:
    """Beds or slots after changes one after the other, each done."""
    for change in changes:
        if change.add is not None:
            beds += change.add
        elif change.set is not None:
            beds = Fraction(change.set)
        elif change.times is not None:
            beds *= Fraction(str(change.times))
    return beds


def below_zero(model: Model, units: Mapping[str, Unit], geography: Geography) -> tuple[int, str] | None:
    """The first change that takes a unit below 0, and why; changes count in written order.

    Changes for a part of the week are told when a model is made ready to run.
    """
    for name, found in changes_by_unit(model, units, geography).items():
        mine = [(number, change) for number, change in found if not change.is_timed]
        for day in sorted({_done(change) for _, change in mine}):
            beds = Fraction(_least(model, units[name]))
            for number, change in mine:
                if _done(change) > day:
                    continue
                before, beds = beds, after(beds, [change])
                if beds < 0:
                    return number, f"{name!r} has {float(before):g} by then: it cannot fall below 0"
    return None


def _done(change: CapacityChange) -> date:
    return change.from_ + timedelta(milliseconds=change.ramp)


def _least(model: Model, unit: Unit) -> int:
    capacity = model.settings[unit.setting].capacity
    if unit.has_shifts and capacity is not None:
        return min(shift.beds for shift in capacity.shifts)
    return unit.most
