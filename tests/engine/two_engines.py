"""Random networks on both engines: drawn, run and compared. What differs is shrunk, and kept as a model in `cases`."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from random_models import Case, Kept, cases

from flowsim.engine.building import compile_network
from flowsim.engine.ledger import BOOKS
from flowsim.engine.network import Change, Choice, Follow, Moment, Network, StreamKind, UnitKind
from flowsim.engine.verify import Comparison, Run, compare
from flowsim.errors import InputError

CASES = Path(__file__).parent / "cases"
BOOK = {book.name: number for number, book in enumerate(BOOKS)}
HAPPENED = (
    "reneged", "balked", "diverted", "interrupted", "blocked_ms", "held_ms", "over_ms", "slots_lost", "gridlock_spells",
    "clock_met", "clock_missed", "clock_lost", "clock_running", "waiting", "inside", "holding",
)  # fmt: skip
"""Books whose being written is counted."""
BATCH = 25
Engines = tuple[Run, Run]


class Different(AssertionError):
    """Two engines part on a model."""


def compared(case: Case | Kept, engines: Engines | None = None, tally: Tally | None = None) -> Comparison | None:
    """A case on both engines; None if the model cannot be run, because some patients find no unit."""
    model, window = case.build()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network, labels = compile_network(model, window)
    except InputError:
        return None
    found = compare(network, labels, case.seed, 1, engines if tally is None else tally.watching(engines))
    if tally is not None:
        tally.count(case, network, found)
    return found


def agree(case: Case | Kept, engines: Engines | None = None, tally: Tally | None = None) -> bool:
    """Raises Different, with what parts first, unless both engines agree on a case. False if it cannot be run."""
    found = compared(case, engines, tally)
    if found is not None and not found.is_equal:
        raise Different(str(found.difference))
    return found is not None


def try_out(
    count: int,
    number: int = 0,
    engines: Engines | None = None,
    tally: Tally | None = None,
    folder: Path | None = CASES,
    last: Path | None = None,
) -> tuple[Case, Exception] | None:
    """So many random networks; the first that fails as small as it can be made, and why, or None.

    It is kept in `folder`. The draw is that of `number`, every time. Before a case runs it is written to `last` (for an
    engine that takes the process down).
    """  # fmt: skip
    for batch in range(-(-count // BATCH)):  # a draw of many would be of variations of a few
        found = _try_out(min(BATCH, count - batch * BATCH), (number << 20) + batch, engines, tally, last)
        if found is not None:
            if folder is not None:
                found[0].keep(folder / found[0].name())
            return found
    return None


def _try_out(
    count: int, number: int, engines: Engines | None, tally: Tally | None, last: Path | None
) -> tuple[Case, Exception] | None:
    failing: list[Case] = []

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, derandomize=False, report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    @given(cases())
    def all_agree(case: Case) -> None:
        if last is not None:
            last.write_text(json.dumps(asdict(case)), encoding="utf-8")
        try:
            can_run = agree(case, engines, tally)
        except Exception:
            failing.append(case)  # the last to fail is the smallest
            raise
        assume(can_run)

    try:
        all_agree()
    except Exception as error:
        if not failing:
            raise
        return failing[-1], error
    return None


class Tally:
    """How many networks had what, and in how many it happened."""

    def __init__(self) -> None:
        self.networks = self.refused = self.visits = self.entries = self.events = self.patients = 0
        self.seconds = [0.0, 0.0]
        self.has: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()
        self._books: set[int] = set()
        self._others = False

    def watching(self, engines: Engines | None) -> Engines:
        """The engines, the first of which is overheard."""
        if engines is None:
            from flowsim.engine import compiled, reference

            engines = reference.run, compiled.run
        first, second = engines

        def overheard(network: Network, keys: Any, replication: int, write: Any, log: Any) -> Any:
            self._books, self._others = set(), False
            own = network.class_own[np.repeat(np.arange(len(network.class_own)), np.diff(network.lane_first))]
            others = np.flatnonzero(own != network.lane_unit)

            def heard(page: Any) -> None:
                self._books |= set(page[:, 1].tolist())
                starts = page[page[:, 1] == BOOK["starts"], 2]
                self._others = self._others or bool(np.isin(starts, others).any())
                write(page)

            return first(network, keys, replication, heard, log)

        return overheard, second

    def count(self, case: Case | Kept, network: Network, found: Comparison) -> None:
        """Count a network that was run."""
        self.networks += 1
        self.visits += found.visits
        self.entries += found.entries
        self.events += found.end.events
        self.patients += found.end.patients
        self.seconds = [a + b for a, b in zip(self.seconds, found.seconds, strict=True)]
        self.has.update(features(case, network))  # True counts as 1
        self.happened.update({name: BOOK[name] in self._books for name in HAPPENED})
        self.happened["started in another unit"] += self._others
        self.happened["stopped by gridlock"] += bool(found.end.units)
        self.happened["stopped by an endless round"] += bool(found.end.steps)

    def lines(self) -> list[str]:
        """All counts, as text."""
        seconds = ", ".join(f"{one:,.0f} s" for one in self.seconds)
        head = f"{self.networks:,} networks: {self.visits:,} visits, {self.entries:,} rows of the ledger; "
        head += f"{self.events:,} events, {self.patients:,} patients in runs to the horizon ({seconds})"
        found = [head, "networks that have:"]
        found += [f"  {number:7,}  {name}" for name, number in sorted(self.has.items())]
        found += ["networks in which it happened:"]
        return found + [f"  {number:7,}  {name}" for name, number in sorted(self.happened.items())]


def features(case: Case | Kept, n: Network) -> dict[str, bool]:
    """What a network has, by name."""
    holds = [set(n.hold_step[a:b].tolist()) for a, b in zip(n.hold_first[:-1], n.hold_first[1:], strict=True)]
    units_of_pools, lanes = np.diff(n.pool_first), np.diff(n.lane_first)
    later = np.ones(len(n.lane_after), bool)
    later[n.lane_first[:-1]] = False
    changes = np.diff(n.capacity_first)
    clocks = (np.diff(n.clock_start_first) + np.diff(n.clock_stop_first)).reshape(-1, 5).sum(axis=0)
    ages = int(n.counts[7])
    has = {
        "pool of several units": (units_of_pools > 1).any(),
        "overflow at once": (later & (n.lane_after == 0)).any(),
        "overflow after a wait": (n.lane_after > 0).any(),
        "pool in which a class may not use all": bool((lanes < units_of_pools[n.class_pool]).any()),
        "hold": any(holds),
        "hold of several steps": any(len(one) > 1 for one in holds),
        "chain of holds": any(holds[step] for one in holds for step in one),
        "patience": (n.patience_distribution >= 0).any(),
        "patience that leads to a step": ((n.patience_distribution >= 0) & (n.patience_to >= 0)).any(),
        "patience that leads back": any(
            n.patience_distribution[k] >= 0 and 0 <= n.patience_to[k] <= k for k in range(len(n.patience_to))
        ),
        "queue limit": (n.limit >= 0).any(),
        "queue limit that leads to a step": ((n.limit >= 0) & (n.limit_to >= 0)).any(),
        "divert": (n.divert_at >= 0).any(),
        "priorities": len(set(n.class_priority.tolist())) > 1,
        "pre-emption": n.class_preempts.any(),
        "fixed rounds": (n.round_kind == 1).any(),
        "rounds in a window": (n.round_kind == 2).any(),
        "capacity changes": (changes > 1).any(),
        "stay scaled by the unit": (n.unit_stay_factor != 1).any(),
        "slots": (n.unit_kind == UnitKind.SLOTS).any(),
        "unlimited": (n.unit_kind == UnitKind.UNLIMITED).any(),
        "unit by shares": (n.choice == Choice.SHARES).any(),
        "unit at the same site": (n.choice == Choice.SAME_SITE).any(),
        "several places": len(n.place_area) > 1,
        "several age bands": ages > 1,
        "listed arrivals": (n.stream_kind == StreamKind.LISTED).any(),
        "arrivals at a rate": (n.stream_kind == StreamKind.RATE).any(),
        "several layers": (n.stream_layers > 1).any(),
        "inside on the first day": (n.stream_kind == StreamKind.INSIDE).any(),
        "waiting on the first day": (n.stream_kind == StreamKind.WAITING).any(),
        "stay by a mark": (n.stay_by >= 0).any(),
        "patience by a mark": (n.patience_by >= 0).any(),
        "priority by a mark": (n.priority_by >= 0).any(),
        "route by a mark": (n.route_by >= 0).any(),
        "group by a mark": (n.group_by >= 0).any(),
        "shift of care": len(n.shift_to) > 0,
        "shift of care of some ages": len(n.shift_to) > 0 and not n.shift_ages.all(),
        "shift of care of some places": len(n.shift_to) > 0 and not n.shift_places.all(),
        "several months": n.period_closes_month.sum() > 1,
        **{f"clock at {Moment(m).name.lower()}": number > 0 for m, number in enumerate(clocks.tolist())},
        **{f"response to {one.name.lower()}": (n.response_follows == one).any() for one in Follow},
        **{f"response of {one.name.lower()}": (n.response_changes == one).any() for one in Change},
    }
    if isinstance(case, Case):
        text = json.dumps(case.data)
        has.update({
            "warm-up": case.warm_up_ms > 0, **{f"ledger by {one}": case.period == one for one in ("day", "week", "month")},
            "timetable": "timetable" in text,
            "trace": "trace" in text, "growth": '"growth": [' in text, "profile": '"profile": [' in text,
            "listed stays or patience": '"listed"' in text, "rates before the run": case.data["start"] != "2001-01-29",
            "stays of no length": '"0 hours"' in text,
        })  # fmt: skip
    return {name: bool(value) for name, value in has.items()}
