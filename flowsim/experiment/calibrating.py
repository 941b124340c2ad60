"""Calibrates a model: fits its factors to their targets, confirms them on fresh patients, and checks the rest."""

from __future__ import annotations

import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.building import compile_network
from flowsim.engine.network import Floats, Ints, Labels, Network
from flowsim.engine.running import run_once
from flowsim.engine.warming import compile_ahead
from flowsim.errors import Faults, StoppedError
from flowsim.experiment.calibration import ALL, Check, LoadedCalibration, Quantity, load_calibration
from flowsim.experiment.calibration_blocks import Pairs, search_blocks
from flowsim.experiment.calibration_steps import Found, Useless, search
from flowsim.experiment.cells import Cell
from flowsim.experiment.runner import check_workers, outcomes_of
from flowsim.measure.catalogue import MEASURES
from flowsim.measure.estimate import Estimate, estimate
from flowsim.measure.ledgers import Columns, read_ledger
from flowsim.measure.measures import measured, unknown_values
from flowsim.model.digest import digest_of_model
from flowsim.model.fitting import most
from flowsim.model.loading import read_model
from flowsim.model.reading import parse_yaml
from flowsim.model.schema import Model

MANY = 8
"""Of more factors than this those of one kind are changed together, so that a round is not one trial for each."""
SPOTS = ("at", "trust", "unit")
"""Attributes by which a target is known to be about some hospital."""
DIGITS = 4
"""Significant digits of a fitted factor as it is written."""
TABLES = "calibration.md"
"""The file beside the model that has the tables."""
Note = Callable[[str], None]


class Asked(NamedTuple):
    """A quantity as a worker measures it: a key, the measure, by what, of what, and less what of it."""

    key: str
    measure: str
    by: str
    of: Mapping[str, frozenset[str]]
    less: Mapping[str, frozenset[str]]


class Work(NamedTuple):
    """What a worker needs: the Network of each trial, the seed, what is measured."""

    networks: Mapping[str, tuple[Network, Labels]]
    seed: int
    asked: tuple[Asked, ...]


class Values(NamedTuple):
    """What one run gave: by quantity, by value of the attribute it is told apart by; or why it stopped."""

    cell: Cell
    of: Mapping[str, Mapping[str, float]]
    stopped: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the tables: a published figure, the model's over fresh replications, and whether it is in tolerance.

    `factor` is the fitted factor's value, with its own interval where it was fitted just now; None for what is checked.
    """

    name: str
    label: str
    part: str
    measured_in: str
    published: float
    low: float | None
    high: float
    at_most: bool
    result: Estimate
    source: str
    reason: str
    factor: float | None = None
    factor_error: float | None = None

    @property
    def is_within(self) -> bool:
        """Whether the mean lies within the tolerance."""
        mean = self.result.mean
        return (self.low is None or mean >= self.low) and mean <= self.high


@dataclass(frozen=True)
class Calibrated:
    """A calibration that was done: its tables, and what was written."""

    plan: LoadedCalibration
    rows: tuple[Row, ...]
    rounds: int
    runs: int
    seconds: float
    digest: str
    files: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The calibration as plain data, by keys that stay.

        `model, title, digest, replications, rounds, runs, seconds, files`; `fitted` and `checked`, rows of `name,
        label, part, measured_in, published, tolerance_low, tolerance_high, at_most, mean, low, high, is_within, source,
        reason` and, of what is fitted, `factor, factor_error`; `by_rule`, names with their rules.
        """
        plan = self.plan.plan
        found: dict[str, list[dict[str, Any]]] = {"fitted": [], "checked": []}
        for row in self.rows:
            entry = {
                "name": row.name, "label": row.label, "part": row.part, "measured_in": row.measured_in,
                "published": row.published, "tolerance_low": row.low, "tolerance_high": row.high,
                "at_most": row.at_most, "mean": row.result.mean, "low": row.result.low, "high": row.result.high,
                "is_within": row.is_within, "source": row.source, "reason": row.reason,
            }  # fmt: skip
            if row.factor is not None:
                entry |= {"factor": row.factor, "factor_error": row.factor_error}
            found["checked" if row.factor is None else "fitted"].append(entry)
        return {
            "model": self.plan.model.model.name, "title": plan.title, "digest": self.digest,
            "replications": plan.confirmation, "rounds": self.rounds, "runs": self.runs, "seconds": self.seconds,
            "files": list(self.files), **found, "by_rule": dict(plan.by_rule),
        }  # fmt: skip

    def keep(self, text: str) -> str:
        """Writes the tables, as text, beside the model; the name of the file."""
        file = self.plan.model.files[0].parent / TABLES
        _replace(file, text.encode("utf-8"))
        return str(file)


def calibrate(
    model: str | Path,
    *,
    table_only: bool = False,
    dry_run: bool = False,
    workers: int | None = None,
    note: Note = lambda line: None,
) -> Calibrated:
    """Fits the factors of a model to the targets in the `calibration.yaml` beside it, and makes its tables.

    With `table_only` nothing is fitted; without `dry_run` the factors are written into the model's file, where only
    these numbers change. `note` takes a line a round. Raises InputError for what is refused, StoppedError if a run
    cannot go on.
    """
    began = time.monotonic()
    workers = (os.cpu_count() or 1) if workers is None else workers
    check_workers(workers)
    plan = load_calibration(read_model(model))
    quantities = [*plan.plan.fitted.items(), *plan.plan.checked.items()]
    refuse_unknown_values(plan, *compile_network(plan.model.model, plan.window))
    compile_ahead("compiled", note)
    runs = _Runs(plan, workers, note)
    names = list(plan.plan.fitted)
    factors = {name: plan.model.model.fitted[name].times for name in names}
    errors: dict[str, float] = {}
    if names and not table_only:
        factors, errors = _fitted(plan, runs)
    built = with_times(plan.model.model, factors)
    fresh = range(plan.plan.replications + 1, plan.plan.replications + plan.plan.confirmation + 1)
    note(f"confirming on {len(fresh)} fresh replications, none of them fitted to")
    values = runs.of({"confirmation": built}, fresh, dict(quantities))["confirmation"]
    rows = tuple(row for name, one in quantities for row in _rows(plan, name, one, values, factors, errors))
    files = () if dry_run or table_only or not names else (write_times(plan.model.files[0], factors),)
    seconds = time.monotonic() - began
    return Calibrated(plan, rows, runs.rounds, runs.count, seconds, digest_of_model(built), files)


def with_times(model: Model, factors: Mapping[str, float]) -> Model:
    """The model with other values of its fitted factors."""
    fitted = {
        name: one.model_copy(update={"times": factors[name]}) if name in factors else one
        for name, one in model.fitted.items()
    }
    return model.model_copy(update={"fitted": fitted})


class _Runs:
    """Runs of models on workers, counted; every round is told in a line."""

    def __init__(self, plan: LoadedCalibration, workers: int, note: Note) -> None:
        self.plan, self.workers, self.note = plan, workers, note
        self.count = self.rounds = 0

    def of(
        self, models: Mapping[str, Model], replications: Iterable[int], quantities: Mapping[str, Quantity]
    ) -> dict[str, dict[tuple[str, str], list[float]]]:
        """Values of quantities by trial, each over the replications in order: by name and part."""
        asked = tuple(_asked(name, one) for name, one in quantities.items())
        base = self.plan.model.model
        networks = {name: compile_network(model, self.plan.window, base) for name, model in models.items()}
        cells = [Cell(name, number) for number in replications for name in models]
        work = Work(networks, self.plan.plan.seed, asked)
        found: dict[str, dict[int, Mapping[str, Mapping[str, float]]]] = {name: {} for name in models}
        for values in outcomes_of(cells, run_cell, self.workers, work):
            if values.stopped:
                raise StoppedError(f"replication {values.cell.replication}, {values.cell.scenario}: {values.stopped}")
            found[values.cell.scenario][values.cell.replication] = values.of
            self.count += 1
        return {name: _by_part([each[n] for n in sorted(each)]) for name, each in found.items()}


def run_cell(work: Work, cell: Cell, folder: None) -> Values:
    """One run of a trial, measured where it was run."""
    network, labels = work.networks[cell.scenario]
    pages: list[Ints] = []
    try:
        run_once(network, labels, work.seed, cell.replication, lambda page: pages.append(page.copy()))
    except StoppedError as stopped:
        return Values(cell, {}, str(stopped))
    ledger = read_ledger(Columns.of(pages), network, labels)
    found: dict[str, Mapping[str, float]] = {}
    for one in work.asked:
        values = measured(MEASURES[one.measure], ledger, one.by, one.of)
        if one.less:
            taken = measured(MEASURES[one.measure], ledger, one.by, {**one.of, **one.less})
            values = {part: value - taken.get(part, math.nan) for part, value in values.items()}
        found[one.key] = values
    return Values(cell, found)


def _asked(name: str, one: Quantity) -> Asked:
    by = one.by if isinstance(one, Check) and one.by is not None else ALL
    kept, less = ({key: frozenset(names) for key, names in held.items()} for held in (one.of, one.less))
    return Asked(name, one.measure, by, kept, less)


def _by_part(values: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[tuple[str, str], list[float]]:
    parts = dict.fromkeys((name, part) for one in values for name, rows in one.items() for part in rows)
    return {(name, part): [one[name].get(part, math.nan) for one in values] for name, part in parts}


def refuse_unknown_values(plan: LoadedCalibration, network: Network, labels: Labels) -> None:
    """Raises InputError where a quantity is of something that the model, or the time measured, does not have."""
    for kind in ("fitted", "checked"):
        for name, one in getattr(plan.plan, kind).items():
            named = [("of", one.of), ("less", one.less)]
            if isinstance(one, Check) and one.by is not None:
                named.append(("published", {one.by: tuple(one.published)}))
            for key, of in named:
                for attribute, value, message in unknown_values(MEASURES[one.measure], network, labels, of):
                    raise plan.refusal((kind, name, key, attribute), value, message)


# ---- fitting ----


def _fitted(plan: LoadedCalibration, runs: _Runs) -> tuple[dict[str, float], dict[str, float]]:
    """The factors that bring every quantity near its target, rounded as they are written, and their standard errors."""
    model, names = plan.model.model, list(plan.plan.fitted)
    aims = plan.plan.fitted
    targets = np.array([aims[name].target for name in names])
    widths = np.array([aims[name].bounds(aims[name].target)[1] - aims[name].target for name in names])
    spreads: dict[bytes, Floats] = {}

    def trial(points: Sequence[Floats]) -> list[Floats]:
        began = time.monotonic()
        models = {
            f"trial {place}": with_times(model, dict(zip(names, np.exp(point).tolist(), strict=True)))
            for place, point in enumerate(points)
        }
        found = runs.of(models, range(1, plan.plan.replications + 1), aims)
        runs.rounds += 1
        misses = []
        for point, values in zip(points, found.values(), strict=True):
            sample = np.array([values[name, ALL] for name in names])
            if not np.isfinite(sample).all():
                name = names[int(np.flatnonzero(~np.isfinite(sample).all(axis=1))[0])]
                raise plan.refusal(("fitted", name), name, "nobody was there to be measured in a run")
            missed = (sample - targets[:, None]) / widths[:, None]
            spreads[point.tobytes()] = _covariance(missed)
            misses.append(missed.mean(axis=1))
        seconds = time.monotonic() - began
        best = min(range(len(points)), key=lambda place: float(np.linalg.norm(misses[place])))
        told = "; ".join(
            f"{name} {math.exp(x):.4g} gives {target + miss * width:.4g} for {target:g}"
            for name, x, miss, target, width in zip(names, points[best], misses[best], targets, widths, strict=True)
        )
        runs.note(f"round {runs.rounds}, {len(points) * plan.plan.replications} runs in {seconds:.0f} s: {told}")
        return misses

    start = np.log([model.fitted[name].times for name in names])
    largest = [most(model, model.fitted[name]) for name in names]
    highest = np.array([math.inf if one is None else math.log(one) for one in largest])
    try:
        if len(names) <= MANY:
            found = search(trial, start, highest, plan.plan.rounds)
        else:
            found = search_blocks(trial, start, highest, plan.plan.rounds, *_kinds_and_kin(plan, names))
    except Useless as useless:
        name = names[useless.number]
        raise plan.refusal(("fitted", name), name, "this factor moves none of the targets: fit another") from None
    return _rounded(names, found, largest), _errors(names, found, spreads)


def _kinds_and_kin(plan: LoadedCalibration, names: Sequence[str]) -> tuple[list[str], Pairs]:
    """The kind of each factor, by the measure of its target; and which targets are about the same site or trust."""
    targets = [plan.plan.fitted[name] for name in names]
    spots = [{spot for key in SPOTS for spot in target.of.get(key, ())} for target in targets]
    kin = np.array([[bool(one & other) for other in spots] for one in spots]) | np.eye(len(spots), dtype=bool)
    return [target.measure for target in targets], kin


def _covariance(missed: Floats) -> Floats:
    """Covariance of the means of some rows, each over the same replications."""
    count = missed.shape[1]
    if count < 2:
        return np.full((len(missed), len(missed)), np.nan)
    return np.asarray(np.atleast_2d(np.cov(missed)) / count, np.float64)


def _rounded(names: Sequence[str], found: Found, largest: Sequence[float | None]) -> dict[str, float]:
    return {
        name: _to_digits(math.exp(x), math.inf if most is None else most)
        for name, x, most in zip(names, found.point, largest, strict=True)
    }


def _to_digits(value: float, largest: float) -> float:
    """A number as it is written: with `DIGITS` significant ones, and not above the largest."""
    rounded = float(f"{value:.{DIGITS}g}")
    unit = 10.0 ** (math.floor(math.log10(value)) - DIGITS + 1)
    return rounded if rounded <= largest else float(f"{math.floor(largest / unit) * unit:.{DIGITS}g}")


def _errors(names: Sequence[str], found: Found, spreads: Mapping[bytes, Floats]) -> dict[str, float]:
    relative = found.spread(spreads[found.point.tobytes()])
    return {name: float(error * math.exp(x)) for name, error, x in zip(names, relative, found.point, strict=True)}


# ---- tables ----


def _rows(
    plan: LoadedCalibration, name: str, one: Quantity, values: Mapping[tuple[str, str], list[float]],
    factors: Mapping[str, float], errors: Mapping[str, float],
) -> Iterable[Row]:  # fmt: skip
    is_fitted = not isinstance(one, Check)
    figures = one.published if isinstance(one, Check) else {ALL: plan.plan.fitted[name].target}
    path = ("fitted", name, "target") if is_fitted else ("checked", name, "published")
    for part, figure in figures.items():
        low, high = one.bounds(figure)
        yield Row(
            name, one.label or name, "" if part == ALL else part, MEASURES[one.measure].measured_in, figure, low, high,
            one.at_most is not None, estimate(values[name, part]), plan.source_of(path), one.reason,
            factors[name] if is_fitted else None, errors.get(name) if is_fitted else None,
        )  # fmt: skip


# ---- the model's file ----


def write_times(file: Path, factors: Mapping[str, float]) -> str:
    """Writes fitted factors into a model's file, where nothing else changes; its name.

    Raises StoppedError where a factor does not stand on a line of its own.
    """
    text = file.read_bytes().decode("utf-8")
    _replace(file, with_times_written(text, factors, str(file)).encode("utf-8"))
    return str(file)


def _replace(file: Path, content: bytes) -> None:
    """A file with new content, whole at every moment."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "wb") as out:
        out.write(content)
    Path(name).chmod(file.stat().st_mode if file.exists() else 0o644)
    Path(name).replace(file)


_TIMES = re.compile(r"(?<![\w-])(times: *(?:\{ *value: *)?)([0-9.eE+-]+)")


def with_times_written(text: str, factors: Mapping[str, float], file: str) -> str:
    """The text of a model with the numbers of its fitted factors in place of those that stand there."""
    tree = parse_yaml(text, file, Faults())
    assert tree is not None, "the model was read before"
    lines = text.splitlines(keepends=True)
    for name, value in factors.items():
        number = tree.line(("fitted", name, "times"))
        found = _TIMES.findall(lines[number - 1])
        if len(found) != 1:
            raise StoppedError(f"{file}:{number}: fitted.{name}: must stand on a line of its own to be written")
        lines[number - 1] = _TIMES.sub(rf"\g<1>{value:.{DIGITS}g}", lines[number - 1])
    changed = "".join(lines)
    again = parse_yaml(changed, file, Faults())
    assert again is not None and {name: again.data["fitted"][name]["times"] for name in factors} == dict(factors)
    return changed
