"""Checks of units: capacities and their changes, pools, costs and the first day."""

from __future__ import annotations

from flowsim.model.changing import below_zero, units_changed
from flowsim.model.checks.report import Report
from flowsim.model.reading import KeyPath
from flowsim.model.settings import CapacityChange
from flowsim.model.units import SITE, named


def check_units(report: Report) -> None:
    """Whether every setting has units, pools fit, changes leave 0 or more, and costs have a year."""
    _settings(report)
    _pools(report)
    _changes(report)
    _costs(report)
    _first_day(report)
    _closed(report)


def _settings(report: Report) -> None:
    table = report.model.units
    rows = list(table.columns["setting"]) if table is not None else []
    for name, setting in report.model.settings.items():
        path: KeyPath = ("settings", name)
        if setting.capacity is None and name not in rows:
            message = "has no capacity: write one, such as 10 beds, or give its units in the table `units`"
            report.say(path, None, message)
        if setting.capacity is not None and name in rows and table is not None:
            row = rows.index(name)
            message = f"{name!r} has its capacity in the model already: remove one of the two"
            report.say_row(table, row, "setting", name, message)
        if setting.capacity is None and setting.at is not None:
            report.say((*path, "at"), setting.at, "goes with `capacity`: units of the table have their own `at`")
        if setting.capacity is None and setting.stay_factor != 1:
            message = "goes with `capacity`: units of the table have their own `stay_factor`"
            report.say((*path, "stay_factor"), setting.stay_factor, message)
        if setting.opens and any(unit.kind != "slots" for unit in report.units_of(name)):
            report.say((*path, "opens"), None, "only slots have sessions: beds have `shifts` in their capacity")
    if table is None or "of" not in table.columns:
        return
    for row, (kind, amount) in enumerate(zip(table.columns["of"], table.columns["capacity"], strict=True)):
        if kind == "unlimited" and amount != 0:
            report.say_row(table, row, "capacity", amount, "must be 0 for an unlimited unit")


# ---- pools ----


def _pools(report: Report) -> None:
    owner: dict[str, str] = {}
    for name, members in report.pools.items():
        path: KeyPath = ("pools", name)
        if name not in report.model.pools:
            path = ("pools", next(one for one in report.model.pools if SITE in one and _is_one_of(name, one)))
        for unit in members:
            if unit in owner:
                where = "twice in this pool" if owner[unit] == name else f"in the pool {owner[unit]!r} already"
                report.say((*path, "units"), unit, f"is {where}: a unit has one queue")
            owner.setdefault(unit, name)
        kinds = {report.units[unit].kind: unit for unit in members}
        if len(kinds) > 1:
            what = ", ".join(f"{unit} has {kind}" for kind, unit in kinds.items())
            report.say((*path, "units"), what, "a pool has units of one kind: all beds, or all slots")
    for name, pool in report.model.pools.items():
        inside = set(pool.units) | {report.units[unit].setting for unit in report.pools.get(name, ())}
        inside |= set(report.pools.get(name, ()))
        for own, others in pool.tries.items():
            for place, other in enumerate((own, *others)):
                if other not in inside:
                    path = ("pools", name, "tries", own) if place == 0 else ("pools", name, "tries", own, place - 1)
                    report.say(path, other, f"is not in this pool, which has {named(list(pool.units))}")
        for unit in pool.overflow_after:
            if unit not in inside:
                message = f"is not in this pool, which has {named(list(pool.units))}"
                report.say(("pools", name, "overflow_after", unit), unit, message)


def _is_one_of(name: str, pattern: str) -> bool:
    before, after = pattern.split(SITE, 1)
    return name.startswith(before) and name.endswith(after)


# ---- changes of capacity ----


def _changes(report: Report) -> None:
    before = len(report.faults)
    for number, change in enumerate(report.model.capacity_changes):
        try:
            units_changed(change, report.units, report.geography)
        except ValueError as error:
            report.say(("capacity_changes", number), change.at or change.trust or change.setting, str(error))
    if len(report.faults) > before:
        return
    _undone(report)
    try:
        found = below_zero(report.model, report.units, report.geography)
    except ValueError as error:
        report.say(("capacity_changes",), None, str(error))
        return
    if len(report.faults) == before and found is not None:
        number, why = found
        change = report.model.capacity_changes[number]
        report.say(("capacity_changes", number, "add"), change.add, f"removes more than there is: {why}")


def _undone(report: Report) -> None:
    """A capacity that is set, listed after a change of a later day, would undo that change."""
    before: dict[str, list[CapacityChange]] = {}
    for number, change in enumerate(report.model.capacity_changes):
        changes = before.setdefault(change.setting, [])
        after = [one for one in changes if change.set is not None and one.from_ > change.from_]
        mine = units_changed(change, report.units, report.geography) if after else []
        later = [one.from_ for one in after if set(units_changed(one, report.units, report.geography)) & set(mine)]
        changes.append(change)
        if later:
            message = f"is listed after a change from {max(later)}, which it would undo: list changes by date"
            report.say(("capacity_changes", number, "from"), str(change.from_), message)


# ---- money, the first day ----


def _costs(report: Report) -> None:
    if report.model.price_year:
        return
    paths: list[KeyPath] = [
        ("settings", name, "costs")
        for name, setting in report.model.settings.items()
        if any(setting.costs.model_dump().values())
    ]
    changes = enumerate(report.model.capacity_changes)
    paths += [("capacity_changes", number, "one_off_cost") for number, one in changes if one.one_off_cost]
    if paths:
        report.say(paths[0], None, "costs need a `price_year` at the top of the model, such as 2018/19")


def _first_day(report: Report) -> None:
    inside: dict[str, int] = {}
    for number, first in enumerate(report.model.first_day):
        path: KeyPath = ("first_day", number)
        pathway = report.model.pathways[first.pathway]
        if first.step not in pathway.steps:
            report.say((*path, "step"), first.step, f"the pathway {first.pathway!r} has no such step")
            continue
        setting = pathway.steps[first.step].in_
        units = report.units_of(setting)
        found = [unit for unit in units if first.at in (None, unit.at)]
        if len(found) != 1:
            what = f"has {len(units)} units: say which with `at`" if first.at is None else f"has no unit at {first.at}"
            report.say((*path, "at"), first.at, f"{setting!r} {what}")
            continue
        unit = found[0]
        inside[unit.name] = inside.get(unit.name, 0) + first.inside
        if unit.kind == "beds" and inside[unit.name] > unit.most:
            message = f"{inside[unit.name]} patients inside, and {unit.name!r} has {unit.most} beds"
            report.say((*path, "inside"), first.inside, message)


def _closed(report: Report) -> None:
    grown = {change.setting for change in report.model.capacity_changes}
    used = {step.in_ for _, _, step, _ in report.steps() if step.patience is None and step.queue_limit is None}
    for unit in report.units.values():
        pooled = any(unit.name in pool and len(pool) > 1 for pool in report.pools.values())
        if unit.kind != "unlimited" and unit.most == 0 and unit.setting in used - grown and not pooled:
            report.warnings.append(
                f"{unit.name!r} has no capacity and its patients no longest wait: they wait for ever"
            )
