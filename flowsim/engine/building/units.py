"""Units, the pools they share, and how many there are over time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.building.capacity import bed_steps, sessions
from flowsim.engine.building.marks import Ragged, floats, frozen, ints, numbered, refuse
from flowsim.engine.network import UnitKind, UnitLabel
from flowsim.model.calendar import Window, date_ms
from flowsim.model.changing import changes_by_unit
from flowsim.model.places import Geography
from flowsim.model.schema import Model
from flowsim.model.settings import Capacity, CapacityChange, Pool
from flowsim.model.units import units_of

SITE = "{site}"
KINDS = {"beds": UnitKind.BEDS, "slots": UnitKind.SLOTS, "unlimited": UnitKind.UNLIMITED}


class Unit(NamedTuple):
    """A setting at a site or place: in which place that lies, how much there is, the factor on its stays."""

    name: str
    setting: str
    at: str
    place: str
    capacity: Capacity
    stay_factor: float


class Units:
    """All units of a model in the order of their names, and where the units of each setting are."""

    def __init__(self, model: Model, geography: Geography) -> None:
        self.model, self.geography = model, geography
        self.root = next(place.name for place in geography.places.values() if place.within is None)
        written = list(self._read())
        self.all = sorted(written, key=lambda unit: unit.name)
        self.number = numbered(unit.name for unit in self.all)
        self.of_setting: dict[str, list[int]] = {setting: [] for setting in model.settings}
        self.within: dict[tuple[str, str], list[int]] = {}
        """Units by setting and the place in which they lie."""
        for unit in written:
            self.of_setting[unit.setting].append(self.number[unit.name])
            self.within.setdefault((unit.setting, unit.place), []).append(self.number[unit.name])
        self.at: dict[tuple[str, str], int] = {(unit.setting, unit.at): i for i, unit in enumerate(self.all)}
        self.sites = numbered(geography.sites)
        self.site = [self.sites.get(unit.at, -1) for unit in self.all]

    def _read(self) -> Iterable[Unit]:
        for name, setting in self.model.settings.items():
            if setting.capacity is not None:
                at = setting.at or self.root
                yield Unit(name, name, at, self._place(name, at), setting.capacity, setting.stay_factor)
        table = self.model.units
        if table is None:
            return
        columns = table.columns
        plain = ("beds",) * len(table)
        for row, (setting, at) in enumerate(zip(columns["setting"], columns["at"], strict=True)):
            name = f"{setting} at {at}"
            if setting not in self.model.settings:
                refuse(self.model, f"units: {name}", setting, "is no setting of the model")
            kind, number = columns.get("of", plain)[row] or "beds", columns["capacity"][row]
            share = columns["staffed_share"][row] if "staffed_share" in columns else None
            factor = columns["stay_factor"][row] if "stay_factor" in columns else None
            capacity = Capacity(
                beds=number if kind == "beds" else None,
                slots=number if kind == "slots" else None,
                unlimited=kind == "unlimited",
                staffed_share=1.0 if share is None else share,
            )
            yield Unit(name, setting, at, self._place(name, at), capacity, 1.0 if factor is None else factor)

    def _place(self, unit: str, at: str) -> str:
        """The place in which a unit lies."""
        if at in self.geography.sites:
            return self.geography.sites[at].within
        if at not in self.geography.places:
            refuse(self.model, f"unit '{unit}'", at, "is no site or place of the model")
        return at

    def find(self, field: str, setting: str, at: str | None) -> int:
        """The unit of a setting at a site or place, or its only unit."""
        if at is None:
            if len(self.of_setting.get(setting, ())) != 1:
                refuse(self.model, field, setting, "has several units: say at which site or place")
            return self.of_setting[setting][0]
        if (setting, at) not in self.at:
            refuse(self.model, field, at, f"has no unit of '{setting}'")
        return self.at[setting, at]

    def named(self, field: str, name: str) -> list[int]:
        """The units that a name stands for: one unit, or all units of a setting."""
        if name in self.number:
            return [self.number[name]]
        if name not in self.of_setting:
            refuse(self.model, field, name, "is no unit or setting of the model")
        return self.of_setting[name]

    def labels(self) -> tuple[UnitLabel, ...]:
        """Names of the units, and where they belong."""
        found = []
        for unit in self.all:
            above = (place.name for place in self.geography.upwards(unit.place) if place.level == "stp")
            level = self.model.settings[unit.setting].level
            site = self.geography.sites.get(unit.at)
            trust = (site and site.trust) or ""
            found.append(UnitLabel(unit.name, unit.setting, unit.at, unit.place, level, next(above, self.root), trust))
        return tuple(found)


class QueueOf(NamedTuple):
    """A pool: its units in written order, and for each as own unit the others with their `after`."""

    name: str
    units: list[int]
    others: dict[int, list[tuple[int, int]]]


class Pools:
    """All pools in the order of their names; a unit in none has one to itself."""

    def __init__(self, units: Units) -> None:
        self.units = units
        found: list[QueueOf] = []
        pool_of: dict[int, str] = {}
        for name, pool in units.model.pools.items():
            for queue in self._expand(name, pool):
                for unit in queue.units:
                    if pool_of.setdefault(unit, queue.name) != queue.name:
                        message = f"has '{units.all[unit].name}', which is in '{pool_of[unit]}' already"
                        refuse(units.model, "pools", queue.name, message)
                found.append(queue)
        alone = [i for i in range(len(units.all)) if i not in pool_of]
        found.extend(QueueOf(units.all[unit].name, [unit], {unit: []}) for unit in alone)
        self.all = sorted(found, key=lambda queue: queue.name)
        self.number = numbered(queue.name for queue in self.all)
        if len(self.number) < len(self.all):
            names = [queue.name for queue in self.all]
            twice = next(a for a, b in itertools.pairwise(names) if a == b)
            refuse(units.model, "pools", twice, "is also the name of a unit outside it: name the pool otherwise")
        self.of_unit = {unit: i for i, queue in enumerate(self.all) for unit in queue.units}

    def _expand(self, name: str, pool: Pool) -> Iterable[QueueOf]:
        if SITE not in name:
            yield self._queue(name, pool, None)
            return
        for site in self.units.geography.sites:
            if self._members(f"pools: {name}", pool.units, site):
                yield self._queue(name.replace(SITE, site), pool, site)

    def _members(self, field: str, names: Iterable[str], site: str | None) -> list[int]:
        """Units in written order, each once; with a site those at it."""
        found: dict[int, None] = {}
        for name in names:
            if site is not None and SITE in name:
                here = [self.units.number.get(name.replace(SITE, site), -1)]
            else:
                here = self.units.named(field, name)
            found.update((unit, None) for unit in here if unit >= 0 and site in (None, self.units.all[unit].at))
        return list(found)

    def _queue(self, name: str, pool: Pool, site: str | None) -> QueueOf:
        field = f"pools: {name}"
        members = self._members(field, pool.units, site)
        after: dict[int, int] = {}
        for one, wait in pool.overflow_after.items():
            after.update((unit, wait) for unit in self._within(field, [one], site, members))
        others = {own: [unit for unit in members if unit != own] for own in members}
        for one, tried in pool.tries.items():
            order = self._within(field, tried, site, members)
            for own in self._within(field, [one], site, members):
                others[own] = [unit for unit in order if unit != own]
        return QueueOf(
            name,
            members,
            {own: [(unit, after.get(unit, 0)) for unit in order] for own, order in others.items()},
        )

    def _within(self, field: str, names: Iterable[str], site: str | None, members: list[int]) -> list[int]:
        found = self._members(field, names, site)
        for unit in found:
            if unit not in members:
                refuse(self.units.model, field, self.units.all[unit].name, "is none of the pool's units")
        return found

    def lanes(self, own: int) -> list[tuple[int, int]]:
        """Units that patients of an own unit may use, own first, each with the wait after which they may."""
        return [(own, 0), *self.all[self.of_unit[own]].others[own]]


def changes_of(units: Units) -> dict[int, list[CapacityChange]]:
    """The dated changes of each unit, in the order they are listed."""
    model, geography = units.model, units.geography
    unknown = [change.setting for change in model.capacity_changes if change.setting not in model.settings]
    if unknown:
        refuse(model, "capacity_changes", unknown[0], "is no setting of the model")
    try:
        found = changes_by_unit(model, units_of(model, geography), geography)
    except ValueError as error:
        refuse(model, "capacity_changes", None, str(error))
    return {units.number[name]: [change for _, change in changes] for name, changes in found.items()}


def unit_arrays(units: Units, pools: Pools, window: Window) -> dict[str, Any]:
    """The arrays of a Network about units and pools."""
    model, changes = units.model, changes_of(units)
    beds, opening = Ragged(), Ragged()
    kinds, settings = [], numbered(model.settings)
    for number, unit in enumerate(units.all):
        capacity = unit.capacity
        opens = model.settings[unit.setting].opens
        kinds.append(KINDS["unlimited" if capacity.unlimited else "slots" if capacity.slots is not None else "beds"])
        steps: Sequence[tuple[int, int, int]] = ()
        found: Sequence[tuple[int, int, int]] = ()
        try:
            if kinds[-1] == UnitKind.BEDS:
                steps = list(zip(*bed_steps(capacity, changes[number], window, unit.name), strict=True))
            elif kinds[-1] == UnitKind.SLOTS:
                found = list(zip(*sessions(capacity, opens, changes[number], window, unit.name), strict=True))
        except ValueError as error:
            refuse(model, "capacity_changes", None, str(error))
        beds.add(steps)
        opening.add(found)
    members = Ragged()
    for queue in pools.all:
        members.add(queue.units)
    bed_at, bed_number, bed_later = np.array(beds.flat, np.int64).reshape(-1, 3).T
    opens_at, closes_at, slots = np.array(opening.flat, np.int64).reshape(-1, 3).T
    return {
        "unit_kind": ints(kinds),
        "unit_pool": ints(pools.of_unit[i] for i in range(len(units.all))),
        "unit_setting": ints(settings[unit.setting] for unit in units.all),
        "unit_site": ints(units.site),
        "unit_stay_factor": floats(unit.stay_factor for unit in units.all),
        "capacity_first": ints(beds.first),
        "capacity_at": frozen(bed_at),
        "capacity_beds": frozen(bed_number),
        "capacity_later": frozen(bed_later),
        "session_first": ints(opening.first),
        "session_open": frozen(opens_at),
        "session_close": frozen(closes_at),
        "session_slots": frozen(slots),
        "pool_first": ints(members.first),
        "pool_units": ints(members.flat),
    }


def cost_labels(units: Units, window: Window) -> dict[str, Any]:
    """Costs of each setting and one-off costs within the run, as in `Labels`."""
    model = units.model
    costs = [setting.costs for setting in model.settings.values()]
    one_off = []
    for change in model.capacity_changes:
        at = date_ms(change.from_, window.origin)
        if change.one_off_cost and 0 <= at < window.horizon_ms:
            one_off.append((change.setting, at, change.one_off_cost))
    return {
        "costs": tuple((c.per_day_of_capacity, c.per_visit, c.per_day_of_stay) for c in costs),
        "one_off": tuple(one_off),
        "payers": tuple(setting.payer or "" for setting in model.settings.values()),
        "price_year": model.price_year,
    }
