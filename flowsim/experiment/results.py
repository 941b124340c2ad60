"""Results of an experiment, opened for reading: measures by replication, scenarios compared on the same patients."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from flowsim.engine.building import compile_network
from flowsim.engine.laws import broken_laws
from flowsim.engine.network import Floats, Labels, Network
from flowsim.errors import Fault, InputError, refusal
from flowsim.experiment import audit as auditing
from flowsim.experiment.cellfile import columns_of
from flowsim.experiment.cells import Cell
from flowsim.experiment.loads import moved_work
from flowsim.experiment.scenarios import Experiment, LoadedExperiment, Wanted, load_experiment
from flowsim.experiment.store import Store
from flowsim.measure.catalogue import MEASURES
from flowsim.measure.estimate import Growth, estimate, growth, paired_difference, replications_to_halve
from flowsim.measure.ledgers import Ledger, read_ledger
from flowsim.measure.measures import DAY_MS, measured
from flowsim.measure.tipping import tipping
from flowsim.model import shipped
from flowsim.model.calendar import date_at
from flowsim.model.names import near

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT = "as_run.yaml"
"""The experiment in its results folder: the words and measures it was last run with."""

COMPARISON = (
    "scenario", "baseline", "measure", "measured_in", "place", "setting", "mean", "low", "high", "baseline_mean",
    "difference", "difference_low", "difference_high", "replications",
)  # fmt: skip
"""Columns of a comparison, the keys of its records."""

PLACES = ("at", "area", "stp")
"""Attributes that name a place; any other names a kind of care."""


class Value(NamedTuple):
    """A measure in one replication: `key` is its name in the experiment, `row` a value of the attribute `by`."""

    key: str
    measure: str
    by: str
    scenario: str
    replication: int
    row: str
    value: float


Networks = Mapping[str, tuple[Network, Labels]]
"""Each scenario compiled."""
Samples = dict[str, dict[int, float]]
"""Values by scenario and replication."""


class AtEnd(NamedTuple):
    """What a summary tells of one cell besides its measures: queues by period and unit, and who is unfinished."""

    scenario: str
    queues: Floats  # [periods, units] mean patients waiting
    served: int
    waiting: int


def scenario_networks(loaded: LoadedExperiment) -> Networks:
    """Each scenario compiled, all with the candidates of the model before any lever."""
    base = loaded.base.model
    window = loaded.experiment.window(base.start)
    return {one.name: compile_network(one.model, window, base) for one in loaded.scenarios}


@dataclass
class ExperimentResults:
    """A results folder and the experiment it is of, as it was run."""

    folder: auditing.Results
    loaded: LoadedExperiment
    _networks: Networks | None = None
    _values: dict[str, dict[str, list[Value]]] = field(default_factory=dict)
    _at_end: dict[str, AtEnd] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str | Path) -> ExperimentResults:
        """Open a results folder, whole or not. Raises InputError if nothing was run there, DamagedError if it was
        changed.
        """
        folder = auditing.read_results(Path(path))
        folder.check_kept(EXPERIMENT)
        loaded = load_experiment(folder.path / EXPERIMENT, folder.path / "model")
        was = folder.identity
        as_run = {
            "years": tuple(was["years"]), "days": was["days"], "warm_up": was["warm_up_ms"], "period": was["period"],
            "seed": was["seed"], "visits": was["visits"],
        }  # fmt: skip
        experiment = loaded.experiment.model_copy(update=as_run)
        loaded = LoadedExperiment(experiment, loaded.tree, loaded.file, loaded.base, loaded.scenarios)
        return cls(folder, loaded)

    def look_again(self) -> None:
        """Takes note of what was finished since; what was read already is not read again."""
        self.folder = auditing.read_results(self.folder.path)

    @property
    def experiment(self) -> Experiment:
        """The experiment as it was run."""
        return self.loaded.experiment

    @property
    def measured(self) -> tuple[dt.date, dt.date]:
        """The first and the last day of data collection."""
        window = self.experiment.window(self.loaded.base.model.start)
        return date_at(window.warm_up_ms, window.origin), date_at(window.horizon_ms - 1, window.origin)

    @property
    def networks(self) -> Networks:
        """Each scenario's Network and the names of its rows."""
        self._networks = self._networks or scenario_networks(self.loaded)
        return self._networks

    def _done(self) -> list[Cell]:
        return [outcome.cell for outcome in self.folder.outcomes if outcome.status == "done"]

    def _ledger(self, cell: Cell) -> Ledger:
        return read_ledger(columns_of(self.folder.read_cell(cell.id)), *self.networks[cell.scenario])

    def values(self, wanted: Mapping[str, Wanted] | None = None) -> list[Value]:
        """Measures by scenario and replication; the experiment's own if none are named.

        One pass over all cells, since to read a ledger takes longer than to measure it.
        """
        wanted = wanted or self.experiment.measures
        found = self._values.setdefault(repr(sorted((key, repr(one)) for key, one in wanted.items())), {})
        cells = self._done()
        for cell in cells:
            if cell.id not in found:
                ledger = self._ledger(cell)
                found[cell.id] = list(_measured(wanted, cell, ledger))
                self._at_end.setdefault(cell.id, _at_end(cell, ledger))
        return [value for cell in cells for value in found[cell.id]]

    def _ends(self) -> list[AtEnd]:
        if not all(cell.id in self._at_end for cell in self._done()):
            self.values()
        return [self._at_end[cell.id] for cell in self._done()]

    def compare(self, measure: str | None = None, by: str | None = None, baseline: str | None = None) -> pd.DataFrame:
        """Scenarios against the baseline, paired by replication on the same patients, with 95% intervals.

        Columns `COMPARISON`, one row for each scenario, measure and place or setting, the baseline's own rows first.
        `measure` is a key of the experiment's measures or the name of any measure, `by` an attribute of it. Only
        replications that both scenarios finished are paired. Raises InputError for names that are not known.
        """
        import pandas as pd  # the command line does without: it takes half a second to load

        columns = [*COMPARISON, "key", "label", "less_is_better", "by"]
        return pd.DataFrame(self.records(measure, by, baseline), columns=columns)

    def records(
        self, measure: str | None = None, by: str | None = None, baseline: str | None = None
    ) -> list[dict[str, Any]]:
        """The rows of `compare`, without a table."""
        baseline = baseline or self.experiment.baseline
        scenarios = list(self.experiment.scenarios)
        if baseline not in scenarios:
            raise _unknown("--baseline", baseline, scenarios)
        wanted = self._wanted(measure, by)
        labels = self.networks[baseline][1]
        by_row: dict[tuple[str, str], Samples] = {}
        for value in self.values(wanted):
            found = by_row.setdefault((value.key, value.row), {})
            found.setdefault(value.scenario, {})[value.replication] = value.value
        ordered = [baseline, *(name for name in scenarios if name != baseline)]
        return [
            _compared(key, wanted[key], row, found, scenario, baseline, labels)
            for key in wanted
            for (of, row), found in by_row.items()
            if of == key and baseline in found
            for scenario in ordered
            if scenario in found
        ]

    def _wanted(self, measure: str | None, by: str | None) -> dict[str, Wanted]:
        own = self.experiment.measures
        if measure is None:
            wanted = dict(own)
        elif measure in own:
            wanted = {measure: own[measure]}
        elif measure in MEASURES:
            wanted = {measure: Wanted(measure=measure, by=MEASURES[measure].named)}
        else:
            raise _unknown("--measure", measure, [*own, *MEASURES])
        if by is not None:
            try:
                wanted = {key: Wanted(**{**one.model_dump(), "by": by}) for key, one in wanted.items()}
            except ValidationError as error:
                message = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise refusal("--by", by, message) from None
        return wanted

    def tips(self) -> list[dict[str, Any]]:
        """When each scenario tips, of the measures that have a bound; what tips first before the others.

        Keys scenario, measure (its key), label, measured_in, `below` or `above`, `median` (the time by which half of
        the replications have tipped, None where fewer do), `earliest`, `latest`, `tipped` of `replications`, `times`
        (all there are, in order).
        """
        bounds = {key: one.tips for key, one in self.experiment.measures.items() if one.tips is not None}
        found: dict[tuple[str, str], dict[int, dict[str, float]]] = {}
        for value in self.values() if bounds else ():
            if value.key in bounds:
                mine = found.setdefault((value.scenario, value.key), {})
                mine.setdefault(value.replication, {})[value.row] = value.value
        records = []
        for (scenario, key), by_replication in found.items():
            one, bound = self.experiment.measures[key], bounds[key]
            tips = tipping(list(by_replication.values()), bound.below, bound.above)
            record: dict[str, Any] = {
                "scenario": scenario, "measure": key, "label": _label(key, one),
                "measured_in": MEASURES[one.measure].measured_in, "below": bound.below, "above": bound.above,
                "median": tips.median, "earliest": tips.earliest, "latest": tips.latest, "tipped": len(tips.tipped),
                "replications": len(tips.first), "times": tips.times,
            }  # fmt: skip
            records.append((tips.times.index(tips.median) if tips.median else len(tips.times), record))
        return [record for _, record in sorted(records, key=itemgetter(0))]

    def growing_queues(self) -> list[tuple[str, str, Growth]]:
        """(scenario, unit, growth a year) of queues that clearly grow through the data collection period.

        A queue counts that grows by more than its mean over the period: seasons alone do less.
        """
        series: dict[tuple[str, int], list[Floats]] = {}
        for scenario, queues, _, _ in self._ends():
            for unit, mine in enumerate(queues.T):
                series.setdefault((scenario, unit), []).append(mine)
        found = []
        for (scenario, unit), lines in series.items():
            network, labels = self.networks[scenario]
            periods = min(len(line) for line in lines)
            years = float(network.horizon_ms - labels.data_start_ms) / DAY_MS / 365
            if periods >= 8 and len(lines) >= 2:
                grown = growth(np.array([line[:periods] for line in lines]), periods / years)
                level = float(np.mean([line.mean() for line in lines]))
                if grown.is_growing and grown.per_year.mean * years > max(level, 1.0):
                    found.append((scenario, labels.units[unit].name, grown))
        return found

    def inside_at_end(self) -> dict[str, list[float]]:
        """Patients served and waiting, unfinished at the end of the run: means over replications, by scenario."""
        found: dict[str, list[tuple[int, int]]] = {}
        for scenario, _, served, waiting in self._ends():
            found.setdefault(scenario, []).append((served, waiting))
        return {name: np.mean(found[name], axis=0).tolist() for name in self.experiment.scenarios if name in found}

    @property
    def replications(self) -> int:
        """Replications that every scenario has finished."""
        done: dict[str, set[int]] = {name: set() for name in self.experiment.scenarios}
        for outcome in self.folder.outcomes:
            if outcome.status == "done":
                done[outcome.cell.scenario].add(outcome.cell.replication)
        return len(set.intersection(*done.values()))

    def more_replications(self) -> int | None:
        """How many replications more would halve the intervals; None where there is one only, or none."""
        return replications_to_halve(self.replications)

    def moved_work(self) -> list[dict[str, Any]]:
        """Visits a year that a scenario's levers removed from a setting or added to one, by the traffic equations."""
        start = self.loaded.base.model.start
        return moved_work(self.networks, self.experiment.baseline, self.experiment.window(start).years(start))

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Writes tables and figures into the results folder, by name; nothing where they are there already."""
        with Store(self.folder.path, self.folder.identity, self.folder.about) as store:
            for name, data in files.items():
                store.write_extra(name, data)

    def audit(self) -> auditing.AuditReport:
        """Every file against the journal, every ledger against the laws."""
        return audit(self.folder.path)


def open_results(path: str | Path) -> ExperimentResults:
    """Results in a folder, or of an experiment by its name, looked for in `results/`.

    Raises InputError if nothing was run there, DamagedError if it was changed.
    """
    return ExperimentResults.open(_folder_of(path))


def _folder_of(path: str | Path) -> Path:
    """The results folder that is meant."""
    given, named = Path(path), Path("results") / path
    if not str(path).strip() or "\0" in str(path):
        raise refusal("DIR", path, "is no name of a folder of results")
    if not given.exists() and str(path) not in (".", "..") and named.is_dir():
        return named
    if not given.exists():
        ships = str(path) in shipped.files_of("experiments")
        run = f"run it first: flowsim run {path}" if ships else "run an experiment first, with `flowsim run`"
        raise InputError([Fault(str(path), None, "", "", f"holds no results: {run}")])
    if not given.is_dir():
        raise InputError([Fault(str(path), None, "", "", "is a file: name the folder of the results")])
    return given


def audit(path: str | Path) -> auditing.AuditReport:
    """Check results, named as in `open_results`: every file against the journal, every ledger against its digest and
    the laws. Raises InputError if there are none.
    """
    path = _folder_of(path)
    from flowsim.engine.totals import Totals  # numba is not wanted by those who only look at results

    first = auditing.audit(Path(path))
    if not first.whole:
        return first
    results = ExperimentResults.open(path)

    def laws(file: Path) -> list[str]:
        outcome = results.folder.journal.outcomes[file.stem]
        network, labels = results.networks[outcome.cell.scenario]
        totals = Totals(network)
        totals.add(columns_of(results.folder.read_cell(outcome.cell.id)).page())
        return broken_laws(network, labels, totals.books())

    return auditing.audit(Path(path), laws)


def _measured(wanted: Mapping[str, Wanted], cell: Cell, ledger: Ledger) -> Iterator[Value]:
    for key, one in wanted.items():
        for row, value in measured(MEASURES[one.measure], ledger, one.by, _kept(one)).items():
            yield Value(key, one.measure, one.by, cell.scenario, cell.replication, row, value)


def _at_end(cell: Cell, ledger: Ledger) -> AtEnd:
    inside, waiting = int(ledger.book("inside").sum()), int(ledger.book("waiting").sum())
    return AtEnd(cell.scenario, _queues(ledger), inside, waiting)


def _queues(ledger: Ledger) -> Floats:
    """[periods, units] mean patients waiting for each unit in each period of data collection."""
    network, queued = ledger.network, ledger.by_period("queue_ms")
    days = np.diff(network.period_starts)[-len(queued) :] / DAY_MS
    queues = queued / DAY_MS / days[:, None]
    return np.stack([queues[:, network.class_own == u].sum(axis=1) for u in range(len(network.unit_kind))], axis=1)


def _kept(one: Wanted) -> dict[str, frozenset[str]]:
    return {attribute: frozenset(names) for attribute, names in one.of.items()}


def _compared(
    key: str, one: Wanted, row: str, found: Samples, scenario: str, baseline: str, labels: Labels
) -> dict[str, Any]:
    """One record: the scenario's mean, and its difference from the baseline over the replications both have."""
    own, other = found[scenario], found[baseline]
    paired = [n for n in sorted(own.keys() & other.keys()) if not math.isnan(own[n]) and not math.isnan(other[n])]
    values, base_values = [own[n] for n in paired], [other[n] for n in paired]
    record: dict[str, Any] = dict.fromkeys(COMPARISON)
    place, setting = _where(one, row, labels)
    record |= {
        "scenario": scenario, "baseline": baseline, "measure": one.measure, "place": place, "setting": setting,
        "measured_in": MEASURES[one.measure].measured_in, "replications": len(paired), "key": key,
        "label": _label(key, one), "less_is_better": MEASURES[one.measure].less_is_better,
        "by": one.by,
    }  # fmt: skip
    if paired:
        mean, base, difference = estimate(values), estimate(base_values), paired_difference(values, base_values)
        record |= {"mean": mean.mean, "low": mean.low, "high": mean.high, "baseline_mean": base.mean}
        if scenario != baseline:
            record |= {
                "difference": difference.mean, "difference_low": difference.low, "difference_high": difference.high,
            }  # fmt: skip
    return record


def _label(key: str, one: Wanted) -> str:
    return one.label or key.replace("_", " ")


def _where(one: Wanted, row: str, labels: Labels) -> tuple[str, str]:
    """Place and setting of a row of a measure."""
    named = ", ".join(name for names in one.of.values() for name in names) or "all"
    if one.by == "all":
        return "all", named
    if one.by in PLACES:
        return row, named
    if one.by == "unit":
        unit = next(u for u in labels.units if u.name == row)
        return unit.at, unit.setting
    return "all", row


def _unknown(option: str, value: str, known: list[str]) -> InputError:
    return refusal(option, value, "is not known here" + near(value, known))
