"""Steps that stand in for others: copies that share a step's luck, and all that speaks of the step taught of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from flowsim.model.fitted import Fitted, steps_of
from flowsim.model.names import LONGEST_NAME
from flowsim.model.parts import Shares
from flowsim.model.pathways import CareShift, Clock, Pathway, Point, Step
from flowsim.model.responses import Response
from flowsim.model.schema import Model
from flowsim.model.units import stands_in


class Stead(NamedTuple):
    """Where a visit to a step begins and ends when others stand in for it: often one and the same step."""

    begins: str
    ends: str


def new_name(pathway: Pathway, wanted: str) -> str:
    """A name that no step of the pathway has, short enough to be one."""
    name, number = wanted[:LONGEST_NAME], 1
    while name in pathway.steps:
        number += 1
        name = f"{wanted[: LONGEST_NAME - 4]} {number}"
    return name


def step_in(model: Model, setting: str) -> Step | None:
    """The first step that is in a setting, which shows how a unit is chosen and how long patients stay."""
    steps = (step for pathway in model.pathways.values() for step in pathway.steps.values())
    return next((step for step in steps if step.in_ == setting), None)


def linked(step: Step, names: Mapping[str, str]) -> Step:
    """A step that leads on to, and holds, the copies of steps where it led to the steps."""
    others = {}
    for key in ("patience", "queue_limit"):
        part = getattr(step, key)
        if part is not None and part.otherwise in names:
            others[key] = part.model_copy(update={"otherwise": names[part.otherwise]})
    holds = tuple(names.get(held, held) for held in step.holds)
    return step.model_copy(update={"then": renamed(step.then, names), "holds": holds, **others})


def renamed(shares: Shares, names: Mapping[str, str]) -> Shares:
    """Shares whose targets have other names, in the same order."""

    def row(was: Mapping[str, float]) -> dict[str, float]:
        found: dict[str, float] = {}
        for to, share in was.items():
            found[names.get(to, to)] = found.get(names.get(to, to), 0.0) + share
        return found

    of = {mark: row(was) for mark, was in shares.of.items()}
    return shares.model_copy(update={"everybody": row(shares.everybody), "of": of})


def in_stead(model: Model, name: str, added: Mapping[str, Step], steads: Mapping[str, Stead]) -> Model:
    """The model with steps added to a pathway, some of which stand in for others.

    What is held until a step starts, clocks, responses and fitted factors know them too.
    """
    pathway = model.pathways[name]
    ends = {step: stead.ends for step, stead in steads.items()}
    steps = {step: _holding(content, ends) for step, content in pathway.steps.items()}
    model = model.with_steps(name, {**steps, **added})
    stays = {step: dict.fromkeys(stead) for step, stead in steads.items()}
    return model.model_copy(
        update={
            "clocks": {key: _clock(clock, name, steads) for key, clock in model.clocks.items()},
            "responses": dict(_responses(model, name, steads, stays)),
            "fitted": {key: _fitted(model, factor, name, stays) for key, factor in model.fitted.items()},
        }
    )


def _holding(step: Step, ends: Mapping[str, str]) -> Step:
    more = [ends[held] for held in step.holds if held in ends]
    return step.model_copy(update={"holds": (*step.holds, *more)}) if more else step


def _clock(clock: Clock, name: str, steads: Mapping[str, Stead]) -> Clock:
    if clock.pathway not in (None, name):
        return clock

    def points(was: tuple[Point, ...]) -> tuple[Point, ...]:
        found = list(was)
        for point in was:
            if point.step in steads:
                stead = steads[point.step]
                step = stead.begins if point.moment in ("joined", "started") else stead.ends
                found.append(point.model_copy(update={"step": step}))
        return tuple(found)

    return clock.model_copy(update={"from_": points(clock.from_), "to": points(clock.to)})


def _responses(
    model: Model, name: str, steads: Mapping[str, Stead], stays: Mapping[str, Mapping[str, None]]
) -> Iterator[tuple[str, Response]]:
    """All responses, each followed by those that do for a step's stand-ins what it does for the step."""
    for key, response in model.responses.items():
        yield key, response
        changes = response.changes
        for step, stead in steads.items():
            more = [("share", stead.ends)] if changes.share in (step, f"{name}: {step}") else []
            more += [("stay", one) for one in stays[step]] if changes.stay in (step, f"{name}: {step}") else []
            for what, to in more:
                twin = changes.model_copy(update={what: f"{name}: {to}"})
                yield f"{key} ({to})", response.model_copy(update={"changes": twin})


def _fitted(model: Model, factor: Fitted, name: str, stays: Mapping[str, Mapping[str, None]]) -> Fitted:
    more = [f"{name}: {one}" for of, step in steps_of(model, factor) if of == name for one in stays.get(step, ())]
    return factor.model_copy(update={"stay_of": (*factor.stay_of, *more)}) if more else factor


def with_shift(model: Model, shift: CareShift) -> Model:
    """The model with one more shift of care.

    First come those that take patients away, then those to steps that stand in for a step, then doors: a door shuts
    on those who still come.
    """

    def rank(one: CareShift) -> int:
        found = [model.pathways[name].steps for name in pathways_of(model, one)]
        if not any(stands_in(steps, one.to, one.from_) for steps in found):
            return 0
        return 1 if any(steps[one.to].luck_of == one.from_ for steps in found) else 2

    return model.model_copy(update={"shifts": tuple(sorted((*model.shifts, shift), key=rank))})


def pathways_of(model: Model, shift: CareShift) -> list[str]:
    """The pathways in which a shift of care is made."""
    names = [shift.pathway] if shift.pathway is not None else list(model.pathways)
    return [name for name in names if {shift.from_, shift.to} <= set(model.pathways[name].steps)]


def door_of(pathway: Pathway, step: str) -> str | None:
    """The door that was put before a step when a unit of its setting was closed; the first of several."""
    doors = [name for name in pathway.steps if stands_in(pathway.steps, name, step)]
    return next((name for name in doors if pathway.steps[name].luck_of is None), None)
