"""What a model or an experiment is, before any run: what it holds, and what the traffic equations say of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from flowsim.engine.building import compile_network
from flowsim.engine.network import Labels, Network
from flowsim.engine.traffic import LoadRow, first_to_tip, offered_load
from flowsim.errors import Fault, Faults, InputError, show
from flowsim.experiment.scenarios import LoadedExperiment, load_experiment
from flowsim.model import shipped
from flowsim.model.assumptions import assumptions
from flowsim.model.calendar import Window
from flowsim.model.loading import LoadedModel, read_model
from flowsim.model.names import near
from flowsim.model.reading import parse_yaml
from flowsim.model.units import geography_of

Kind = Literal["model", "experiment"]
DAY_MS = 86_400_000
MOST_YEARS = 10
KINDS = ("read", "derived", "assumed")


@dataclass(frozen=True)
class Check:
    """What a model or experiment is. `load` has a row for each setting and model year, `moved` for each change.

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
    assumptions: list[dict[str, Any]] = field(repr=False)
    question: str = ""
    scenarios: dict[str, list[str]] = field(default_factory=dict)
    cells: int = 0
    moved: list[dict[str, Any]] = field(default_factory=list)

    @property
    def assumptions_by_kind(self) -> dict[str, int]:
        """How many numbers are read, derived and assumed."""
        counted = Counter(row["kind"] for row in self.assumptions)
        return {
            kind: counted[kind]
            for kind in sorted(counted, key=lambda k: (k not in KINDS, KINDS.index(k) if k in KINDS else k))
        }


def check(path: str | Path) -> Check:
    """Reads a model or an experiment, a path or the name of one that ships, and says what it is.

    Raises InputError with every fault of every file.
    """
    kind = kind_of(path)
    return _check_model(read_model(path)) if kind == "model" else _check_experiment(load_experiment(path))


def kind_of(path: str | Path) -> Kind:
    """Whether a path or name is of a model or of an experiment (it has scenarios). InputError if it is of neither."""
    name, given = str(path), Path(path)
    models, experiments = shipped.files_of("configs"), shipped.files_of("experiments")
    if not name.strip() or "\0" in name:
        shipped.find(path, "configs")
    is_there = given.exists()
    if not (is_there and given.suffix) and (name in models or name in experiments):
        return "model" if name in models else "experiment"
    if given.is_dir():
        for kind, folder in (("experiment", "experiments"), ("model", "configs")):
            if (given / shipped.MAIN_FILE[folder]).exists():  # type: ignore[index]
                return kind  # type: ignore[return-value]
        message = "the folder has no model.yaml and no experiment.yaml: name the file that is meant"
        if (given / "provenance.json").exists():
            message = "holds results: look at them with `flowsim compare` or `flowsim audit`"
        raise InputError([Fault(name, None, "", "", message)])
    if not is_there:
        message = "there is no such file or folder, and nothing of this name ships" + near(
            name, [*models, *experiments]
        )
        raise InputError([Fault(name, None, "", "", message)])
    try:
        tree = parse_yaml(given.read_text(encoding="utf-8"), name, Faults())
    except (OSError, ValueError):
        return "model"  # reading it as one tells what is wrong
    return (
        "experiment"
        if tree is not None and isinstance(tree.data, dict) and "scenarios" in tree.data
        else "model"
    )


def _check_model(loaded: LoadedModel) -> Check:
    model = loaded.model
    years = _years_ahead(loaded)
    end = model.start.replace(year=model.start.year + years)
    network, labels = compile_network(
        model, Window(model.start, 0, (end - model.start).days * DAY_MS, "month")
    )
    window = Window(model.start, 0, (end - model.start).days * DAY_MS, "month")
    return Check(kind="model", name=model.name, title=model.title, file=loaded.files[0], model=model.name,
                 **_facts(loaded, network, labels, window))  # fmt: skip


def _check_experiment(loaded: LoadedExperiment) -> Check:
    experiment, model = loaded.experiment, loaded.base.model
    window = experiment.window(model.start)
    networks = {one.name: compile_network(one.model, window, model) for one in loaded.scenarios}
    return Check(
        kind="experiment", name=experiment.name, title=experiment.title, file=loaded.file, model=model.name,
        question=" ".join(experiment.question.split()),
        scenarios={one.name: [str(lever) for lever in one.levers] for one in loaded.scenarios},
        cells=len(loaded.scenarios) * experiment.replications,
        moved=moved_work(networks, experiment.baseline, window.years(model.start)),
        **_facts(loaded.base, *networks[experiment.baseline], window),
    )  # fmt: skip


def _facts(loaded: LoadedModel, network: Network, labels: Labels, window: Window) -> dict[str, Any]:
    model = loaded.model
    geography = geography_of(model)
    years = window.years(model.start)
    rows = offered_load(network, labels, years)
    return {
        "counts": {
            "places": len(geography.places), "sites": len(geography.sites), "settings": len(model.settings),
            "units": len(labels.units), "pathways": len(model.pathways),
        },
        "years": tuple(name for name, _, _ in years),
        "patients_a_year": 0.0,
        "load": by_setting(rows),
        "tips": first_to_tip(rows),
        "warnings": loaded.warnings,
        "assumptions": assumptions(loaded),
    }  # fmt: skip
