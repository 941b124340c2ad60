"""Checks of places: that they are a tree, and that every patient finds a unit."""

from __future__ import annotations

from flowsim.model.checks.report import Report
from flowsim.model.pathways import Pathway, Step
from flowsim.model.reading import KeyPath
from flowsim.model.units import named


def check_places(report: Report) -> bool:
    """Whether the table of places is a tree with one root; tells what is wrong."""
    table = report.model.places
    before = len(report.faults)
    if table is None:
        return True
    names = list(table.columns["name"])
    within = dict(zip(names, table.columns["within"], strict=True))
    roots = [name for name in names if within[name] is None]
    for extra in roots[1:]:
        message = f"a second place that lies in no other ({roots[0]!r} is the first): say what it lies within"
        report.say_row(table, names.index(extra), "within", extra, message)
    told: set[str] = set()
    for name in names:
        above: list[str] = []
        here: str | None = name
        while here is not None and here not in above:
            above.append(here)
            here = within.get(here)
        if here is not None and not told & set(above):
            circle = above[above.index(here) :]
            told |= set(circle)
            line = " lies in ".join([*circle, here])
            report.say_row(table, names.index(here), "within", within[here], f"places in a circle: {line}")
    if report.model.sites is not None:
        sites = report.model.sites
        for row, site in enumerate(sites.columns["name"]):
            if site in within:
                report.say_row(sites, row, "name", site, "a place has this name: give the site another")
    return len(report.faults) == before


def check_choices(report: Report) -> None:
    """Whether the rule of every step leads every patient to a unit."""
    for path, _, step, pathway in report.steps():
        units = report.units_of(step.in_)
        if len(units) > 1:
            _choice(report, (*path, "at"), step, pathway, [unit.at for unit in units])
        elif step.at.rule == "fixed" and units and step.at.name != units[0].at:
            message = f"{step.in_!r} has no unit there: its only one is at {units[0].at!r}"
            report.say((*path, "at"), step.at.name, message)
        if step.divert is not None and step.divert.to != "nearest other":
            at = [unit.at for unit in units]
            if step.divert.to not in at:
                message = f"{step.in_!r} has no unit there: it has units at {named(at)}"
                report.say((*path, "divert", "to"), step.divert.to, message)


def _choice(report: Report, path: KeyPath, step: Step, pathway: Pathway, spots: list[str]) -> None:
    homes = report.homes_of(pathway)
    rule = step.at.rule
    if rule == "own place":
        _own_place(report, path, step, homes, spots)
    elif rule == "nearest":
        if not set(spots) - set(step.at.without):
            report.say((*path, "without"), step.at.without[0], f"leaves no unit of {step.in_!r}: name fewer")
        unlocated = [name for name in [*homes, *spots] if report.geography.location(name) is None]
        if unlocated:
            message = f"`nearest` needs coordinates: {named(list(dict.fromkeys(unlocated)))} have none"
            report.say(path, "nearest", message)
    elif rule == "fixed" and step.at.name not in spots:
        message = f"{step.in_!r} has no unit there: it has units at {named(spots)}"
        report.say(path, step.at.name, message)
    elif rule == "same site" and not set(spots) & set(report.geography.sites):
        report.say(path, rule, f"no unit of {step.in_!r} is at a site: choose by another rule")
    elif rule == "shares":
        _shares(report, path, step, homes, spots)


def _own_place(report: Report, path: KeyPath, step: Step, homes: list[str], spots: list[str]) -> None:
    sites = report.geography.sites
    served: dict[str, list[str]] = {}
    for spot in spots:
        served.setdefault(sites[spot].within if spot in sites else spot, []).append(spot)
    missing, doubtful = [], {}
    for home in homes:
        found = report.geography.holder(home, served)
        if found is None:
            missing.append(home)
        elif len(served[found]) > 1:
            doubtful[found] = served[found]
    if missing:
        message = (
            f"{step.in_!r} has no unit for {len(missing)} of {len(homes)} places where patients live"
            f" ({named(missing)}): add units, or choose by another rule"
        )
        report.say(path, step.in_, message)
    for place, several in doubtful.items():
        message = f"{step.in_!r} has several units in {place} ({named(several)}): choose by shares or nearest"
        report.say(path, step.in_, message)


def _shares(report: Report, path: KeyPath, step: Step, homes: list[str], spots: list[str]) -> None:
    rows = step.at.shares
    missing = [home for home in homes if not report.geography.is_within(home, rows)]
    if missing:
        message = f"no shares for {len(missing)} places where patients live ({named(missing)}): add rows"
        report.say(path, None, message)
    there = set(spots)
    unknown = [at for row in rows.values() for at in row if at not in there]
    if unknown:
        several = named(list(dict.fromkeys(unknown)))
        report.say(path, unknown[0], f"{step.in_!r} has no unit at {several}: add units, or change the shares")
