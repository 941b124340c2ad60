"""Doors before steps: what leads to a step leads past a step that tells who finds a unit closed."""

from __future__ import annotations

from typing import Any

from flowsim.model.levers.room import units_in
from flowsim.model.levers.steads import linked, new_name
from flowsim.model.parts import ByMark, Priority, Shares
from flowsim.model.pathways import At, CareShift, Distribution, Step
from flowsim.model.schema import Model
from flowsim.model.settings import Setting
from flowsim.model.tables import Table
from flowsim.model.units import WAY, Unit

AT_ONCE = Distribution(fixed=ByMark.model_construct(value=0.0))


def with_rows(table: Table | None, setting: str, units: list[Unit]) -> Table | None:
    """The table of units with a closed unit of another setting at each of these."""
    if table is None:
        return None
    more: dict[str, list[Any]] = {name: [None] * len(units) for name in table.columns}
    more |= {"setting": [setting] * len(units), "at": [unit.at for unit in units], "capacity": [0] * len(units)}
    if "of" in table.columns:
        more["of"] = ["beds"] * len(units)
    columns = {name: (*cells, *more[name]) for name, cells in table.columns.items()}
    last = len(table) - 1
    return Table(
        table.file,
        columns,
        (*table.lines, *[table.lines[last]] * len(units)),
        (*table.provenance, *[table.provenance[last]] * len(units)),
    )


def site_first(model: Model, name: str, step: str) -> Model:
    """The model in which a step's site is drawn just before it, by the same luck, so that others can know it."""
    setting = model.pathways[name].steps[step].in_
    way = f"{WAY}{setting}"
    if way not in model.settings:
        rows = with_rows(model.units, way, units_in(model, setting))
        assert rows is not None
        kinds = [
            "unlimited" if one == way else kind
            for one, kind in zip(rows.columns["setting"], rows.columns.get("of", ("beds",) * len(rows)), strict=True)
        ]
        rows = Table(rows.file, {**rows.columns, "of": tuple(kinds)}, rows.lines, rows.provenance)
        new = Setting(level=model.settings[setting].level)
        model = model.model_copy(update={"settings": {**model.settings, way: new}, "units": rows})
    pathway = model.pathways[name]
    content = pathway.steps[step]
    first = new_name(pathway, f"{WAY}{step}")
    steps = {one: linked(other, {step: first}).model_copy(update={"holds": other.holds})
             for one, other in pathway.steps.items()}  # fmt: skip
    steps[step] = steps[step].model_copy(update={"at": At(rule="same site")})
    before = Step.model_construct(
        in_=way,
        at=content.at,
        stay=AT_ONCE,
        priority=Priority(value=0),
        then=Shares(everybody={step: 1.0}),
        luck_of=content.luck_of or step,
    )
    is_first = next(iter(steps)) == step
    ordered = {first: before, **steps} if is_first else {**steps, first: before}
    arrivals = tuple(
        source.model_copy(update={"enters": first}) if source.enters == step else source for source in pathway.arrivals
    )
    changed = pathway.model_copy(update={"steps": ordered, "arrivals": arrivals})
    model = model.model_copy(update={"pathways": {**model.pathways, name: changed}})
    return shifted_to(model, name, step, first)


def turned_to(model: Model, name: str, step: str, door: str) -> Model:
    """The model in which those turned away to a step, or shifted to it, come to its door."""
    steps = model.pathways[name].steps
    changed = {
        one: linked(content, {step: door}).model_copy(update={"then": content.then, "holds": content.holds})
        for one, content in steps.items()
        if one != door
    }
    return shifted_to(model.with_steps(name, changed), name, step, door)


def shifted_to(model: Model, name: str, step: str, to: str) -> Model:
    """The model in which shifts of care to a step of one pathway go to another step."""
    shifts: list[CareShift] = []
    for shift in model.shifts:
        if shift.to != step or shift.pathway not in (None, name):
            shifts.append(shift)
        elif shift.pathway == name:
            shifts.append(shift.model_copy(update={"to": to}))
        else:
            having = [one for one, path in model.pathways.items() if {shift.from_, step} <= set(path.steps)]
            shifts += [
                shift.model_copy(update={"pathway": one, "to": to if one == name else shift.to}) for one in having
            ]
    return model.model_copy(update={"shifts": tuple(shifts)})
