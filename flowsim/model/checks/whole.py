"""What no single part of a model can see: whether its parts fit together."""

from __future__ import annotations

from collections.abc import Mapping

from flowsim.errors import Faults
from flowsim.model.checks.fitted import check_fitted
from flowsim.model.checks.people import check_people
from flowsim.model.checks.places import check_choices, check_places
from flowsim.model.checks.population import check_population
from flowsim.model.checks.report import Report
from flowsim.model.checks.responses import check_responses
from flowsim.model.checks.steps import check_steps
from flowsim.model.checks.units import check_units
from flowsim.model.places import Geography
from flowsim.model.reading import Tree
from flowsim.model.schema import Model
from flowsim.model.tables import Table


def check_model(model: Model, tree: Tree, faults: Faults, lists: Mapping[str, Table]) -> tuple[str, ...]:
    """Adds every fault of a model as a whole, whose names are known to be there; returns warnings.

    `lists` are the tables in which lists of the top level stand, by name.
    """
    report = Report(model, tree, faults, lists)
    if not check_places(report):
        return ()
    report.look_around(Geography.of(model.name, model.places, model.sites))
    before = len(faults)
    check_population(report)
    check_people(report)
    check_units(report)
    check_responses(report)
    if len(faults) == before:
        check_choices(report)
    check_steps(report)
    check_fitted(report)
    return tuple(report.warnings)
