"""What no single part of a model can see: whether its parts fit together."""

from __future__ import annotations

from flowsim.errors import Faults
from flowsim.model.checks.fitted import check_fitted
from flowsim.model.checks.people import check_people
from flowsim.model.checks.places import check_choices, check_places
from flowsim.model.checks.report import Report
from flowsim.model.checks.steps import check_steps
from flowsim.model.checks.units import check_units
from flowsim.model.places import Geography
from flowsim.model.reading import Tree
from flowsim.model.schema import Model


def check_model(model: Model, tree: Tree, faults: Faults) -> tuple[str, ...]:
    """Adds every fault of a model as a whole, whose names are known to be there; returns warnings."""
    report = Report(model, tree, faults)
    if not check_places(report):
        return ()
    report.look_around(Geography.of(model.name, model.places, model.sites))
    before = len(faults)
    check_people(report)
    check_units(report)
    if len(faults) == before:
        check_choices(report)
    check_steps(report)
    check_fitted(report)
    return tuple(report.warnings)
