"""A model run by both engines, and whether they agree to the last visit and the last row of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from flowsim.engine.addresses import SEEDS
from flowsim.engine.building import compile_network
from flowsim.engine.running import Engine
from flowsim.engine.verify import NAMES, Comparison, LedgerDifference, VisitDifference, compare
from flowsim.engine.warming import compile_ahead
from flowsim.errors import InputError, refusal
from flowsim.experiment.cells import MOST_REPLICATIONS
from flowsim.experiment.kinds import kind_of
from flowsim.experiment.simulating import MOST_DAYS, tell
from flowsim.model.calendar import DAY_MS, Window, anniversary
from flowsim.model.loading import load_model


@dataclass(frozen=True)
class Verification:
    """One replication of a model on both engines, compared in full. `days` from the model's start, without warm-up."""

    model: str
    days: int
    seed: int
    replication: int
    comparison: Comparison

    def document(self) -> dict[str, Any]:
        """The verification as plain data, by keys that stay.

        `model, days, seed, replication`; `equal`; `events, patients, inside` (null if the runs were stopped, and
        `stopped` says by what); `visits, ledger_rows` that were compared; `seconds` by engine; `difference`, null or
        the first one with its `kind`:

        - `visit`: `at` (date and time), `at_ms`, `patient`, `place`, `columns` of the visit log that differ (none if
          only one engine has the visit), `scenes` by engine: `before, now, next`, each a visit or null;
        - `ledger`: `period`, `book`, `row`, `values` by engine (null where none was written);
        - `end`: `ends` by engine, in words.
        """
        found = self.comparison
        end, has_ended = found.end, found.end.stopped_at < 0
        return {
            "model": self.model,
            "days": self.days,
            "seed": self.seed,
            "replication": self.replication,
            "equal": found.is_equal,
            "events": end.events if has_ended else None,
            "patients": end.patients if has_ended else None,
            "inside": end.inside if has_ended else None,
            "stopped": found.stopped or None,
            "visits": found.visits,
            "ledger_rows": found.entries,
            "seconds": dict(zip(NAMES, found.seconds, strict=True)),
            "difference": self._difference(),
        }

    def _difference(self) -> dict[str, Any] | None:
        found = self.comparison.difference
        if found is None:
            return None
        if isinstance(found, VisitDifference):
            scenes = {name: one._asdict() for name, one in zip(NAMES, found.scenes, strict=True)}
            return {"kind": "visit", **found._asdict(), "scenes": scenes}
        if isinstance(found, LedgerDifference):
            return {"kind": "ledger", **found._asdict(), "values": dict(zip(NAMES, found.values, strict=True))}
        return {"kind": "end", "ends": dict(zip(NAMES, found.ends, strict=True))}


def verify(model: str | Path, days: int | None = None, seed: int = 1, replication: int = 1) -> Verification:
    """Runs a model (a path, or the name of one that ships) on both engines and compares everything they give.

    `days` from the model's start, a year if left out. Raises InputError for what is no model or cannot be run.
    """
    if kind_of(model) != "model":
        raise _refusal("model", str(model), "is an experiment: name the model that it runs")
    built = load_model(model)
    if days is None:
        days = (anniversary(built.start, built.start.year + 1) - built.start).days
    for name, value, least, most in (
        ("days", days, 1, MOST_DAYS),
        ("seed", seed, 0, SEEDS - 1),
        ("replication", replication, 0, MOST_REPLICATIONS),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _refusal(name, str(value), f"must be a whole number from {least} to {most}")
    network, labels = compile_network(built, Window(built.start, 0, days * DAY_MS))
    for engine in get_args(Engine):
        compile_ahead(engine, tell)
    return Verification(built.name, days, seed, replication, compare(network, labels, seed, replication))


def _refusal(name: str, value: object, message: str) -> InputError:
    return refusal(name, value, message, "verify")
