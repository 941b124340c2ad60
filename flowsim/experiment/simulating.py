"""One run of a model, kept in memory: for learning, looking and trying. Experiments are run by `conduct`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from flowsim.engine.building import compile_network
from flowsim.engine.network import Ints
from flowsim.engine.running import Engine, run_once
from flowsim.engine.visits import COLUMNS, VisitEnd
from flowsim.engine.warming import compile_ahead
from flowsim.errors import InputError, refusal
from flowsim.measure.catalogue import MEASURES
from flowsim.measure.ledgers import Columns, Ledger, read_ledger
from flowsim.measure.measures import HOUR_MS, measured
from flowsim.model.calendar import Window, anniversary
from flowsim.model.loading import load_model
from flowsim.model.names import near
from flowsim.model.quantities import parse_whole_duration
from flowsim.model.schema import Model

DAY_MS = 86_400_000
MOST_DAYS = 36_525


class Run:
    """One replication of a model: its measures, and its visits if they were logged.

    `events` and `patients` count what was simulated, `inside` the patients still there at the end.
    """

    def __init__(self, ledger: Ledger, rows: Ints | None, events: int, patients: int, inside: int) -> None:
        self.ledger = ledger
        self.events, self.patients, self.inside = events, patients, inside
        self._rows = rows

    def measure(
        self, name: str, by: str | None = None, of: Mapping[str, str | Iterable[str]] | None = None
    ) -> pd.Series:
        """A measure (see `flowsim.measures()`), one value for each value of the attribute `by`, all in one
        for "all".

        `of` keeps only what it names: `of={"setting": "ward"}`. NaN where there was nobody to measure. Raises
        InputError for a measure or attribute that is not known.
        """
        if name not in MEASURES:
            raise _refusal("measure", name, "there is no such measure" + near(name, MEASURES))
        measure = MEASURES[name]
        kept = {key: frozenset([value] if isinstance(value, str) else value) for key, value in (of or {}).items()}
        if "all" in kept:
            raise _refusal("of", "all", "names no attribute")
        try:
            measure.told_by((by or measure.named, *kept))
        except ValueError as error:
            raise _refusal("by", by or measure.named, str(error)) from None
        values = measured(measure, self.ledger, by, kept)
        return pd.Series(list(values.values()), list(values), float, f"{name} ({measure.measured_in})")

    @property
    def visits(self) -> pd.DataFrame:
        """One row a visit, in the order in which they ended, then those still going on; times in hours from the start.

        Columns: patient, pathway, step, unit (own unit if the patient never started), age_band, place, visit,
        joined_hours, started_hours, ready_hours, ended_hours, left_hours (NaN if not reached), outcome,
        blocked_hours, waited_for. Raises InputError for a run without `log=True`.
        """
        if self._rows is None:
            raise _refusal("log", "False", "visits were not logged: simulate(..., log=True)")
        return decode_visits(self._rows, self.ledger)


def simulate(
    model: Model | str | Path,
    years: int | None = None,
    days: int | None = None,
    warm_up: int | str = 0,
    seed: int = 1,
    replication: int = 1,
    engine: Engine = "compiled",
    log: bool = False,
) -> Run:
    """Runs one replication of a model, here and now.

    `years` (1 if neither is given) or `days` are measured, after `warm_up` (days, or a text such as "6
    weeks"); `log`
    keeps every visit. Raises InputError for what cannot be run, StoppedError for a model that cannot go on.
    """
    built = model if isinstance(model, Model) else load_model(model)
    window = _window(built, years, days, warm_up)
    for name, value, least, most in (
        ("seed", seed, 0, 2**64 - 1),
        ("replication", replication, 0, 1_000_000),
    ):
        _whole(name, value, least, most)
    if engine not in get_args(Engine):
        raise _refusal("engine", str(engine), f"must be one of {', '.join(get_args(Engine))}")
    network, labels = compile_network(built, window)
    pages: list[Ints] = []
    visits: list[Ints] = [np.empty((0, len(COLUMNS)), np.int64)]

    def write(page: Ints) -> None:
        pages.append(page.copy())

    def keep(rows: Ints) -> None:
        visits.append(rows.copy())

    compile_ahead(engine, tell)
    outcome = run_once(network, labels, seed, replication, write, keep if log else None, engine)
    ledger = read_ledger(Columns.of(pages), network, labels)
    return Run(ledger, np.concatenate(visits) if log else None, *outcome)


def decode_visits(rows: np.ndarray, ledger: Ledger) -> pd.DataFrame:
    """Rows of the visit log (columns `engine.visits.COLUMNS`) with their names, times in hours."""
    network, labels = ledger.network, ledger.labels
    column = {name: rows[:, place] for place, name in enumerate(COLUMNS)}
    unit = np.where(column["unit"] >= 0, column["unit"], column["own_unit"])
    patients = (f"{labels.streams[s]} #{layer}.{index}" for s, layer, index in rows[:, :3].tolist())
    awaited = [labels.units[u].name for u in network.block_awaited]
    table = {
        "patient": list(patients),
        "pathway": [labels.steps[k][0] for k in column["step"]],
        "step": [labels.steps[k][1] for k in column["step"]],
        "unit": [labels.units[u].name for u in unit],
        "age_band": [_named(labels.age_bands, age) for age in column["age"]],
        "place": [labels.places[place] for place in column["place"]],
        "visit": column["visit"],
    }
    for moment in ("joined", "started", "ready", "ended", "left"):
        at = column[f"{moment}_ms"]
        # People who wait on the first day joined before the start: only -1 alone says "not reached".
        missing = at == -1 if moment != "joined" else np.zeros(len(at), bool)
        table[f"{moment}_hours"] = np.where(missing, np.nan, at / HOUR_MS)
    table["outcome"] = [VisitEnd(end).name.lower() for end in column["outcome"]]
    table["blocked_hours"] = column["blocked_ms"] / HOUR_MS
    table["waited_for"] = [awaited[b] if b >= 0 else "" for b in column["waited_for"]]
    return pd.DataFrame(table)


def tell(line: str) -> None:
    """A line on standard error, for who runs a model from Python."""
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)


def _named(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 <= number < len(names) else ""


def _window(model: Model, years: int | None, days: int | None, warm_up: int | str) -> Window:
    if years is not None and days is not None:
        raise _refusal("days", str(days), "give years or days, not both")
    if days is None:
        years = _whole("years", 1 if years is None else years, 1, 100)
        days = (anniversary(model.start, model.start.year + years) - model.start).days
    days = _whole("days", days, 1, MOST_DAYS)
    if isinstance(warm_up, str):
        try:
            warm_up_ms = parse_whole_duration(warm_up)
        except ValueError as error:
            raise _refusal("warm_up", warm_up, str(error)) from None
        if warm_up_ms % DAY_MS:
            raise _refusal("warm_up", warm_up, "must be whole days")
    else:
        warm_up_ms = _whole("warm_up", warm_up, 0, MOST_DAYS) * DAY_MS
    return Window(model.start, warm_up_ms, warm_up_ms + days * DAY_MS)


def _whole(name: str, value: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise _refusal(name, str(value), f"must be a whole number from {least} to {most}")
    return int(value)


def _refusal(name: str, value: object, message: str) -> InputError:
    return refusal(name, value, message, "simulate")
