"""Checks of pathways: steps that nobody reaches or leaves, holds, pre-emption, shifts of care, clocks."""

from __future__ import annotations

from flowsim.model.checks.report import Report, edges_of, next_steps, reached, ring
from flowsim.model.parts import LEAVE
from flowsim.model.pathways import POINTS, Pathway, Step
from flowsim.model.reading import KeyPath
from flowsim.model.units import named, shares_above_one


def check_steps(report: Report) -> None:
    """Every pathway as a graph, and what refers to several of its steps."""
    for name, pathway in report.model.pathways.items():
        if not pathway.steps:
            report.say(("pathways", name, "steps"), None, "a pathway needs at least one step")
            continue
        _reach(report, name, pathway)
        _holds(report, name, pathway)
        _turned_away(report, name, pathway)
    for path, name, step, _ in report.steps():
        if step.preempts:
            _preemption(report, (*path, "preempts"), name, step)
        if step.in_ in step.holds and step.in_ not in report.model.pathways[str(path[1])].steps:
            report.say((*path, "holds"), step.in_, "a step is held, not a setting")
    _hold_rings(report)
    _shifts(report)
    for name in report.model.clocks:
        _clock(report, name)


def _entries(report: Report, name: str, pathway: Pathway) -> set[str]:
    first = next(iter(pathway.steps))
    entries = {source.enters or first for source in pathway.arrivals} or {first}
    return entries | {one.step for one in report.model.first_day if one.pathway == name}


def _reach(report: Report, name: str, pathway: Pathway) -> None:
    edges = edges_of(report.model, pathway)
    entries = _entries(report, name, pathway)
    there = reached(edges, entries)
    by_zero = reached(edges_of(report.model, pathway, with_zero=True), entries)
    for step in pathway.steps:
        path = ("pathways", name, "steps", step)
        if step not in there:
            why = "only by shares of 0" if step in by_zero else "by no `then` or `otherwise`"
            report.say(path, None, f"no patient can reach this step ({why}): lead to it, or remove it")
    backwards: dict[str, set[str]] = {}
    for step in pathway.steps:
        for following in next_steps(report.model, pathway, step):
            backwards.setdefault(following, set()).add(step)
    leaving = reached(backwards, [LEAVE])
    stuck = [step for step in pathway.steps if step in there and step not in leaving]
    if stuck:
        message = f"patients never leave {named(stuck)}: give a share to `leave`"
        report.say(("pathways", name, "steps", stuck[0], "then"), None, message)


def _holds(report: Report, name: str, pathway: Pathway) -> None:
    edges = edges_of(report.model, pathway)
    for step_name, step in pathway.steps.items():
        for number, held in enumerate(step.holds):
            path = ("pathways", name, "steps", step_name, "holds", number)
            if held == step_name:
                report.say(path, held, "a step cannot hold its own unit: name an earlier step")
            elif held in pathway.steps and step_name not in reached(edges, edges[held]):
                later = held in reached(edges, edges[step_name])
                why = "comes after this step" if later else "leads no patient to this step"
                report.say(path, held, f"{held!r} {why}: only the unit of an earlier step can be held")


def _turned_away(report: Report, name: str, pathway: Pathway) -> None:
    """Full queues that send patients round in one instant."""
    edges: dict[str, set[str]] = {step: set() for step in pathway.steps}
    for step_name, step in pathway.steps.items():
        if step.queue_limit is not None:
            edges[step_name].add(step.queue_limit.otherwise)
        if step.patience is not None and step.patience.fixed is not None and step.patience.fixed.value == 0:
            edges[step_name].add(step.patience.otherwise)
    found = ring(edges)
    if found:
        path = ("pathways", name, "steps", found[0], "queue_limit", "otherwise")
        way = " to ".join([*found, found[0]])
        other = found[1] if len(found) > 1 else found[0]
        message = f"full queues send patients round in one instant ({way}): send one elsewhere or to leave"
        report.say(path, other, message)


def _preemption(report: Report, path: KeyPath, name: str, step: Step) -> None:
    if any(unit.kind != "beds" for unit in report.units_of(step.in_)):
        report.say(path, True, f"only beds can be taken from a patient: {step.in_!r} has none")
    if step.holds or step.rounds:
        what = "holds" if step.holds else "rounds"
        report.say(path, True, f"a step with {what} cannot pre-empt: remove one of the two")
    settings = {step.in_}
    for pool in report.pools.values():
        in_pool = {report.units[unit].setting for unit in pool}
        settings |= in_pool if step.in_ in in_pool else set()
    priorities = {
        value
        for _, _, other, _ in report.steps()
        if other.in_ in settings
        for value in (other.priority.of.values() if other.priority.by else [other.priority.value])
    }
    if len(priorities) < 2:
        report.say(path, True, f"all in {step.in_!r} have one priority: give `priority` to say who goes first")


def _hold_rings(report: Report) -> None:
    edges: dict[str, set[str]] = {name: set() for name in report.model.settings}
    for _, _, step, pathway in report.steps():
        endless = step.patience is None and all(u.kind != "unlimited" for u in report.units_of(step.in_))
        for held in step.holds if endless else ():
            edges[pathway.steps[held].in_].add(step.in_)
    found = ring(edges)
    if found:
        way = " is kept until ".join([*found, found[0]])
        report.warnings.append(
            f"units are held in a ring ({way}): if all are full at once nobody moves;"
            " a patience on one of these steps prevents it"
        )


def _shifts(report: Report) -> None:
    for number, shift in enumerate(report.model.shifts):
        path: KeyPath = ("shifts", number)
        if shift.from_ == shift.to:
            report.say((*path, "to"), shift.to, "the same step as `from`: patients must go elsewhere")
        names = [shift.pathway] if shift.pathway is not None else list(report.model.pathways)
        having = [name for name in names if {shift.from_, shift.to} <= set(report.model.pathways[name].steps)]
        if not having:
            message = f"no pathway has both {shift.from_!r} and {shift.to!r}: they must be steps of one pathway"
            report.say((*path, "to"), shift.to, message)
    if (excess := shares_above_one(report.model)) is not None:
        shift = report.model.shifts[excess]
        message = f"with the shifts before it more than all patients would leave {shift.from_!r}: at most 1"
        report.say(("shifts", excess, "share"), shift.share, message)


def _clock(report: Report, name: str) -> None:
    clock = report.model.clocks[name]
    path: KeyPath = ("clocks", name)
    if not clock.from_ or not clock.to:
        report.say(path, None, "needs a point in from and one in to, such as triage joined")
        return
    names = [clock.pathway] if clock.pathway is not None else list(report.model.pathways)
    for pathway in (report.model.pathways[one] for one in names):
        edges = edges_of(report.model, pathway)
        for start in clock.from_:
            if start.step not in pathway.steps:
                continue
            after = reached(edges, edges[start.step])
            for stop in clock.to:
                if stop.step in after:
                    return
                if stop.step == start.step and POINTS.index(stop.moment) > POINTS.index(start.moment):
                    return
    first, last = clock.from_[0], clock.to[0]
    message = f"no patient comes from {first.step} {first.moment} to it: the clock would never stop"
    report.say((*path, "to"), f"{last.step} {last.moment}", message)
