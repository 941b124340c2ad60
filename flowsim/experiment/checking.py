"""What a model or an experiment is, before any run: its parts, and what the traffic equations say."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowsim.engine.building import compile_network
from flowsim.engine.network import Labels, Network
from flowsim.engine.traffic import offered_load
from flowsim.experiment.kinds import Kind, kind_of
from flowsim.experiment.loads import by_setting, moved_work, patients_a_year, tipping
from flowsim.experiment.scenarios import LoadedExperiment, load_experiment
from flowsim.model.assumptions import Assumption, assumptions
from flowsim.model.calendar import Window
from flowsim.model.loading import LoadedModel, read_model
from flowsim.model.units import geography_of

DAY_MS = 86_400_000
MOST_YEARS = 10
YEARS_OF_GROWTH = 5
KINDS = ("read", "derived", "assumed")
NOT_SAID = "not said"


@dataclass(frozen=True)
class Check:
    """What a model or experiment is.

    `load` has a row for each setting and model year, `tips` one for each unit that is offered more than it
    can do, `moved`
    one for each setting that a scenario's levers change (see `loads`). An assumption is not one number each:
    a column of
    a table counts once.
    For an experiment, `load` is that of its baseline, and `scenarios` has each scenario's levers in words.
    """

    kind: Kind
    name: str
    title: str
    file: Path
    model: str
    counts: dict[str, int]
    years: tuple[str, ...]
    patients_a_year: float
    load: list[dict[str, Any]]
    tips: list[dict[str, Any]]
    warnings: tuple[str, ...]
    assumptions: list[Assumption] = field(repr=False)
    question: str = ""
    scenarios: dict[str, list[str]] = field(default_factory=dict)
    cells: int = 0
    moved: list[dict[str, Any]] = field(default_factory=list)

    @property
    def assumptions_by_kind(self) -> dict[str, int]:
        """How many numbers are read, derived and assumed."""
        counted = Counter(row["kind"] or NOT_SAID for row in self.assumptions)
        return {kind: counted[kind] for kind in (*KINDS, NOT_SAID) if counted[kind]}


def check(path: str | Path) -> Check:
    """Reads a model or an experiment, a path or the name of one that ships, and says what it is.

    Raises InputError with every fault of every file.
    """
    kind = kind_of(path)
    return _check_model(read_model(path)) if kind == "model" else _check_experiment(load_experiment(path))


def _check_model(loaded: LoadedModel) -> Check:
    model = loaded.model
    end = model.start.replace(year=model.start.year + _years_ahead(loaded))
    window = Window(model.start, 0, (end - model.start).days * DAY_MS, "month")
    network, labels = compile_network(model, window)
    return Check(
        kind="model", name=model.name, title=model.title, file=loaded.files[0], model=model.name,
        **_facts(loaded, network, labels, window),
    )  # fmt: skip


def _check_experiment(loaded: LoadedExperiment) -> Check:
    experiment, model = loaded.experiment, loaded.base.model
    window = experiment.window(model.start)
    networks = {one.name: compile_network(one.model, window, model) for one in loaded.scenarios}
    return Check(
        kind="experiment", name=experiment.name, title=experiment.title, file=loaded.file, model=model.name,
        question=" ".join(experiment.question.split()),
        scenarios={one.name: [lever.describe() for lever in one.levers] for one in loaded.scenarios},
        cells=len(loaded.scenarios) * experiment.replications,
        moved=moved_work(networks, experiment.baseline, window.years(model.start)),
        **_facts(loaded.base, *networks[experiment.baseline], window),
    )  # fmt: skip


def _years_ahead(loaded: LoadedModel) -> int:
    """How far a model is looked at: as far as its population goes, some years if anything in it grows, else
    one.
    """
    model = loaded.model
    if model.population is not None:
        last: int = max(model.population.table.columns["year"])
        return min(max(last - model.start.year + 1, 1), MOST_YEARS)
    return YEARS_OF_GROWTH if model.growth or model.capacity_changes or model.prevention else 1


def _facts(loaded: LoadedModel, network: Network, labels: Labels, window: Window) -> dict[str, Any]:
    model = loaded.model
    geography = geography_of(model)
    years = window.years(model.start)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rows = offered_load(network, labels, years)
    order = labels.settings.index
    return {
        "counts": {
            "places": len(geography.places),
            "sites": len(geography.sites),
            "settings": len(model.settings),
            "units": len(labels.units),
            "pathways": len(model.pathways),
        },
        "years": tuple(name for name, _, _ in years),
        "patients_a_year": patients_a_year(network, years[:1]),
        "load": sorted(by_setting(rows), key=lambda row: (row["year"], order(row["setting"]))),
        "tips": tipping(rows),
        "warnings": (*loaded.warnings, *dict.fromkeys(str(one.message) for one in caught)),
        "assumptions": assumptions(loaded),
    }
