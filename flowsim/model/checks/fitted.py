"""Checks of fitted factors: what they multiply is there, and no factor is larger than it may be."""

from __future__ import annotations

from collections.abc import Iterator

from flowsim.model.checks.report import Report
from flowsim.model.fitted import Fitted
from flowsim.model.fitting import most
from flowsim.model.fitting_patients import Entry, entered, entries_of
from flowsim.model.names import near
from flowsim.model.units import named


def check_fitted(report: Report) -> None:
    """Every factor; the names of groups, settings, steps and sites in it are known to be there."""
    for name, factor in report.model.fitted.items():
        if factor.shares_of is not None:
            _shares(report, name, factor)
        elif factor.stay_in:
            spots = [unit.at for setting in factor.stay_in for unit in report.units_of(setting)]
            _sites(report, name, factor, " or ".join(factor.stay_in), spots)
        elif factor.patients_of is not None:
            before = len(report.faults)
            for key, step in (("patients_of", factor.patients_of), ("instead_of", factor.instead_of)):
                if step is not None:
                    _entry(report, name, key, step, factor)
            if len(report.faults) == before and factor.instead_of is not None:
                _exchange(report, name, factor)


def _shares(report: Report, name: str, factor: Fitted) -> None:
    group = factor.shares_of or ""
    values = dict.fromkeys(value for row in report.model.groups[group].rows() for value in row)
    if factor.except_ not in values:
        message = f"is no value of {group!r}{near(factor.except_ or '', values)}"
        report.say(("fitted", name, "except"), factor.except_, message)
        return
    largest = most(report.model, factor)
    if largest is None:
        report.say(("fitted", name, "shares_of"), group, f"nobody has another value than {factor.except_!r}")
    elif factor.times > largest * (1 + 1e-9):
        message = f"shares of {group!r} other than {factor.except_!r} would exceed 1: at most {largest:.6g}"
        report.say(("fitted", name, "times"), factor.times, message)


def _sites(report: Report, name: str, factor: Fitted, settings: str, spots: list[str]) -> None:
    missing = [at for at in factor.at if at not in spots]
    if missing:
        message = f"{settings!r} has no unit there: it has units at {named(list(dict.fromkeys(spots)))}"
        report.say(("fitted", name, "at"), missing[0], message)


def _entry(report: Report, name: str, key: str, step: str, factor: Fitted) -> None:
    """One of the two steps of a factor on patients: who enters it, and how they are drawn their unit."""
    path = ("fitted", name, key)
    found = entries_of(report.model, step)
    if len(found) > 1:
        words = named([f"`{entry.pathway}: {entry.step}`" for entry in found])
        report.say(path, step, f"is a step of several pathways: write one of {words}")
        return
    for message in _unfit(report, found[0], factor):
        report.say(path, step, message)
        return
    content = report.model.pathways[found[0].pathway].steps[found[0].step]
    _sites(report, name, factor, content.in_, [unit.at for unit in report.units_of(content.in_)])


def _unfit(report: Report, entry: Entry, factor: Fitted) -> Iterator[str]:
    """Why patients of a step cannot be multiplied."""
    pathway = report.model.pathways[entry.pathway]
    numbers = entry.sources(report.model)
    sources = [pathway.arrivals[number] for number in numbers]
    if not sources:
        others = dict.fromkeys(entered(pathway, source) for source in pathway.arrivals)
        yield f"no patient enters it on arrival: those of {entry.pathway!r} enter {named(list(others)) or 'nowhere'}"
    if any(source.timetable is not None or source.trace is not None for source in sources):
        yield "its patients come at given times, whose number is what it is: only those at a rate can be multiplied"
    if factor.instead_of is not None and any(source.from_ is None for source in sources):
        yield "its patients do not all come from the population, as `instead_of` needs them to"
    is_drawn = pathway.steps[entry.step].at.rule == "shares"
    if not is_drawn and (factor.at or factor.instead_of is not None):
        yield "its unit is not drawn by shares: give the step `at: {shares: ...}`, or leave at and instead_of out"
    if factor.instead_of is not None and not factor.at:
        spots = {unit.at for unit in report.units_of(pathway.steps[entry.step].in_)}
        given = entries_of(report.model, factor.patients_of or "")
        rows = given[0].shares(report.model).values() if given else ()
        missing = dict.fromkeys(at for row in rows for at in row if at not in spots)
        if missing:
            yield f"has no unit at {named(list(missing))}: say with `at` at which sites patients are exchanged"


def _exchange(report: Report, name: str, factor: Fitted) -> None:
    if entries_of(report.model, factor.patients_of or "") == entries_of(report.model, factor.instead_of or ""):
        report.say(("fitted", name, "instead_of"), factor.instead_of, "is the same step: name another, or leave it out")
        return
    largest = most(report.model, factor)
    if largest is not None and factor.times > largest * (1 + 1e-9):
        message = f"more than all who enter {factor.instead_of!r} of some age, place and site: at most {largest:.6g}"
        report.say(("fitted", name, "times"), factor.times, message)
