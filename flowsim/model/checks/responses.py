"""Checks of responses: what they follow can be measured, and what they change is one thing."""

from __future__ import annotations

from flowsim.model.checks.report import Report
from flowsim.model.reading import KeyPath
from flowsim.model.responses import Response
from flowsim.model.units import SITE, named, responses_of


def check_responses(report: Report) -> None:
    """Every response, at each site where it stands for several; names are known to be there."""
    for name, response in report.model.responses.items():
        path: KeyPath = ("responses", name)
        if SITE in name and SITE not in (response.changes.units or ""):
            message = f"there is one for each site: name what changes at the site, such as capacity of ward at {SITE}"
            report.say((*path, "changes"), None, message)
            continue
        found = responses_of(name, response, report.units, report.pools, report.geography)
        if not found:
            report.say(path, None, "no site has all the units that it names")
        for one in found.values():
            before = len(report.faults)
            _response(report, path, one)
            if len(report.faults) > before:
                break


def _response(report: Report, path: KeyPath, response: Response) -> None:
    for key in ("occupancy", "mean_wait", "queue"):
        watched = getattr(response.follows, key)
        if watched is None or watched in report.pools:
            continue
        if watched not in report.units:
            units = [unit.name for unit in report.units_of(watched)]
            message = f"has {len(units)} units: name one, such as {named(units[:1])}, or a pool"
            report.say((*path, "follows", key), watched, message)
        elif report.units[watched].kind == "unlimited" and key == "occupancy":
            report.say((*path, "follows", key), watched, "is unlimited: it has no occupancy")
    capacity = response.changes.capacity
    if capacity is not None and capacity not in report.units:
        report.say((*path, "changes", "capacity"), capacity, "has several units: name one")
    elif capacity is not None and report.units[capacity].kind == "unlimited":
        report.say((*path, "changes", "capacity"), capacity, "is unlimited: its capacity cannot change")
    for key in ("share", "stay"):
        target = getattr(response.changes, key)
        if target is not None:
            _target(report, (*path, "changes", key), target, key)


def _target(report: Report, path: KeyPath, target: str, key: str) -> None:
    pathways = report.model.pathways
    having = [
        (name, step)
        for name, pathway in pathways.items()
        for step in pathway.steps
        if target in (step, f"{name}: {step}")
    ]
    if len(having) > 1:
        words = ", ".join(f"`{name}: {step}`" for name, step in having)
        report.say(path, target, f"is a step of several pathways: write one of {words}")
    elif key == "share":
        name, step = having[0]
        if all(len(row) < 2 for row in pathways[name].steps[step].then.rows()):
            report.say(path, target, "all go one way from this step: there is no share to change")
