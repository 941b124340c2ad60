"""Conduct an experiment: compile its scenarios, run what is missing, and open the results."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flowsim.engine.network import Labels, Network
from flowsim.engine.running import Engine
from flowsim.engine.warming import compile_ahead
from flowsim.errors import StoppedError
from flowsim.experiment.audit import read_results
from flowsim.experiment.cells import Cell, CellOutcome, cells_of
from flowsim.experiment.loads import patients_of
from flowsim.experiment.results import EXPERIMENT, ExperimentResults, scenario_networks
from flowsim.experiment.runner import check_workers, run_cells
from flowsim.experiment.scenarios import LoadedExperiment
from flowsim.experiment.store import Store
from flowsim.experiment.work import Work, run_cell
from flowsim.measure.estimate import is_precise
from flowsim.model.digest import digest, digest_of_tree

Progress = Callable[[CellOutcome, int, int], None]
LIBRARIES = ("flowsim", "simpy", "numba", "numpy", "pyarrow")
MOST_FOR_PRECISION = 100
"""Replications at which a run that is to be precise gives up."""
FEW_PATIENTS: dict[Engine, int] = {"compiled": 1_000_000, "simpy": 10_000}
"""Patients whom one process has seen through before others have even started."""


def conduct(
    loaded: LoadedExperiment,
    out: Path,
    *,
    workers: int | None = 1,
    engine: Engine = "compiled",
    precision: float | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> ExperimentResults:
    """Run an experiment into the folder `out`, or go on with what was begun there; its results.

    Without a number of `workers` there is one a processor, but one for what ends before others would have begun.
    With `precision` (a share such as 0.05) replications are added until the interval of every measure told in one
    piece is that narrow in every scenario, at most `MOST_FOR_PRECISION`. `note` takes lines worth telling.
    Raises InputError if the folder holds something else, StoppedError if cells failed (finished ones are kept).
    """
    if workers is not None:
        check_workers(workers)
    experiment = loaded.experiment
    networks = scenario_networks(loaded)
    with Store(out, identity_of(loaded), about_here()) as store:
        for line in store.notes:
            note(line)
        _keep_model(store, loaded)
        names = list(experiment.scenarios)
        replications = experiment.replications
        work = Work(networks, experiment.seed, engine, experiment.visits)
        results = ExperimentResults(read_results(out), loaded, networks)
        while True:
            store.plan(names, replications)
            cells = cells_of(names, replications)
            missing = [cell for cell in cells if not store.is_finished(cell)]
            if missing:
                # Before there are workers, which would all compile at the same time.
                compile_ahead(engine, note, is_sampled=0 < experiment.visits < 1)
            processes = _enough(networks, missing, engine) if workers is None else workers
            run_cells(cells, run_cell, store, processes, work, progress)
            results.look_again()
            if precision is None or replications >= MOST_FOR_PRECISION or _all_precise(results, precision):
                break
            replications = min(replications + max(5, replications // 2), MOST_FOR_PRECISION)
        stopped = [one for one in results.folder.outcomes if one.status == "stopped"]
        if stopped:
            first = stopped[0]
            raise StoppedError(
                f"{len(stopped)} of {len(results.folder.outcomes)} cells stopped; first '{first.cell.scenario}', "
                f"replication {first.cell.replication}: {first.message}"
            )
    return results


def identity_of(loaded: LoadedExperiment) -> dict[str, Any]:
    """What results are of: they may never mix with results that differ in any of this."""
    experiment = loaded.experiment
    return {
        "experiment": experiment.name,
        "model": loaded.base.model.name,
        "model_digest": digest(loaded.base),
        "scenarios_digest": digest_of_tree({name: list(levers) for name, levers in experiment.scenarios.items()}),
        "seed": experiment.seed,
        "years": list(experiment.years),
        "days": experiment.days,
        "warm_up_ms": experiment.warm_up,
        "period": experiment.period,
        "visits": experiment.visits,
    }


def about_here() -> dict[str, Any]:
    """Where results were made: versions and machine."""
    return {
        "versions": {name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
    }


def _enough(networks: Mapping[str, tuple[Network, Labels]], cells: Iterable[Cell], engine: Engine) -> int:
    """How many processes should run these cells."""
    times = Counter(cell.scenario for cell in cells)
    patients = sum(times[name] * patients_of(networks[name][0]) for name in times)
    return 1 if patients < FEW_PATIENTS[engine] else os.cpu_count() or 1


def _keep_model(store: Store, loaded: LoadedExperiment) -> None:
    """The model and experiment as run, so that results tell on their own what they are of.

    Words and measures of the experiment may change later, and take the place of the earlier ones: what was run stands
    in the identity, with a digest of the levers.
    """
    store.write_extra(EXPERIMENT, loaded.file.read_bytes())
    base = loaded.base
    main = base.files[0]
    for file in base.files:
        name = "model.yaml" if file == main else file.resolve().relative_to(base.folder.resolve()).as_posix()
        store.write_model(name, file.read_bytes())


def _all_precise(results: ExperimentResults, share: float) -> bool:
    samples: dict[tuple[str, str], list[float]] = {}
    for one in results.values():
        if one.by == "all":
            samples.setdefault((one.scenario, one.key), []).append(one.value)
    return all(is_precise(values, share) for values in samples.values())
