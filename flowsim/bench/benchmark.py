"""The whole of `flowsim bench`: both engines and the peers that are installed, side by side, as one document."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flowsim.bench import ours
from flowsim.bench.agreement import Sample, against_theory, agreement
from flowsim.bench.alone import memory_of
from flowsim.bench.outcome import Waits
from flowsim.bench.peers import COMPILED, PEERS, REFERENCE, Form, Peer, Runner
from flowsim.bench.plans import LONG, QUICK, Plan, Size, emergency
from flowsim.bench.rounds import Middle, Turn, cost, ratio, rounds_of
from flowsim.bench.side_by_side import two_against_one
from flowsim.bench.startup import start_up
from flowsim.bench.unrecorded import recording_share
from flowsim.errors import Fault, InputError

MODELS = {"m1": "clinic", "m2": "emergency", "m3": "city"}
"""The bench models, by the names under which they ship."""
SMALL = {
    "m1": Form("m1", patients=500), "m2": Form("m2", days=1), "m3": Form("m3", days=1, scale=0.01),
}  # fmt: skip
"""What is run once before any round, so that everything is compiled."""
LIBRARIES = ("flowsim", "numpy", "numba", "simpy")
YEARS = (1, 4)
"""Horizons of m2 over which memory is compared."""
Key = tuple[Size, Peer]


def benchmark(
    quick: bool = False, models: Sequence[str] = tuple(MODELS), note: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Measures speed, memory and agreement of the engines and the peers; a document of plain data.

    `machine` says where; `rows` has one entry for each model, size and peer; `ratios` compares rates within rounds,
    as median, low and high; `agreement`, `theory`, `scale`, `units`, `processes`, `ledger`, `memory` and `start_up`
    tell the rest; `missing` names peers that are not installed. Takes up to two minutes if `quick`, else up to 25.
    Raises InputError for a model that is none of the bench.
    """
    chosen = _chosen(models)
    plan = QUICK if quick else LONG
    forms = {size: found for size, found in plan.forms.items() if size[0] in chosen}
    begin = time.monotonic()
    turns = _turns(forms, plan, note)
    rows = [_row(key, forms, found, plan, note) for key, found in turns.items()]
    document: dict[str, Any] = {
        "machine": machine(), "quick": quick, "rounds": plan.rounds, "rows": rows, "ratios": _ratios(turns),
        "scale": _scale(turns), "missing": sorted({peer.name for peer in PEERS if not peer.is_here}),
        "agreement": [], "theory": None, "units": [], "processes": None, "ledger": [], "memory": [],
    }  # fmt: skip
    note("agreement of mean waits")
    document["agreement"] = agreement(_hours(turns, forms), plan.replications)
    if "m1" in chosen:
        note("m1 against theory")
        document["theory"] = against_theory(plan)
    if "m2" in chosen:
        document["memory"] = _memory(note)
    if "m3" in chosen:
        document["units"] = _units(plan, note)
        note("two processes against one")
        document["processes"] = two_against_one(plan.shared).document()
    document["ledger"] = [_ledger(form, plan.rounds, not quick, note) for form in plan.ledger if form.model in chosen]
    note("start-up")
    document["start_up"] = start_up(1 if quick else 5, cold=not quick)
    document["seconds"] = time.monotonic() - begin
    return document


def machine() -> dict[str, Any]:
    """The processor and the versions of what the figures depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def _chosen(models: Sequence[str]) -> list[str]:
    named = {shipped: model for model, shipped in MODELS.items()}
    found = [named.get(model, model) for model in models]
    for model in found:
        if model not in MODELS:
            both = ", ".join(f"{model} ({shipped})" for model, shipped in MODELS.items())
            raise InputError([Fault("bench", None, "models", model, f"is none of the bench's models: {both}")])
    return [model for model in MODELS if model in found]


def _turns(forms: dict[Size, dict[str, Form]], plan: Plan, note: Callable[[str], None]) -> dict[Key, list[Turn]]:
    """Rounds of all peers, model by model; everyone has run once before."""
    turns: dict[Key, list[Turn]] = {}
    for size, by_peer in forms.items():
        runners: dict[Key, Runner] = {}
        for peer in PEERS:
            if peer.is_here and peer.name in by_peer and size[0] in peer.runs:
                note(f"making ready: {told(size)}, {peer.label}")
                peer.runner(SMALL[size[0]])(0)
                runners[size, peer] = peer.runner(by_peer[peer.name])
        turns |= rounds_of(runners, plan.rounds, note, lambda key: f"{told(key[0])}, {key[1].label}")
    return turns


def told(size: Size) -> str:
    """A model and its size in words."""
    model, scale, mult = size
    words = f"{model} {MODELS[model]}"
    if model == "m3":
        words += f" at scale {scale:g}" + (f", {mult} x units" if mult > 1 else "")
    return words


def _row(
    key: Key, forms: dict[Size, dict[str, Form]], turns: list[Turn], plan: Plan, note: Callable[[str], None]
) -> dict[str, Any]:
    size, peer = key
    form = forms[size][peer.name]
    memory: float | None = None
    if peer.name in plan.memory:
        note(f"memory: {told(size)}, {peer.label}")
        memory = memory_of(peer, form)["memory_mb"]
    waits = _all_waits(turns)
    return {
        "model": size[0], "scale": size[1], "mult": size[2], "peer": peer.name, "style": peer.style,
        "version": peer.version, "patients": round(Middle.of(one.patients / one.runs for one in turns).median),
        "events": round(Middle.of(one.events / one.runs for one in turns).median),
        "seconds": Middle.of(one.seconds / one.runs for one in turns).median,
        "patients_per_second": Middle.of(one.patients / one.seconds for one in turns).median,
        "events_per_second": Middle.of(one.events_per_second for one in turns).median,
        "memory_mb": memory, "mean_wait_hours": waits.mean_hours(), "wait_hours": waits.hours(),
        "form": form._asdict(), "runs": sum(one.runs for one in turns),
    }  # fmt: skip


def _all_waits(turns: Sequence[Turn]) -> Waits:
    waits = Waits()
    for one in turns:
        waits.add_all(one.waits)
    return waits


def _hours(turns: dict[Key, list[Turn]], forms: dict[Size, dict[str, Form]]) -> list[Sample]:
    """Mean waits of all runs of everybody."""
    return [
        Sample(peer, forms[size][peer.name], [hours for one in found for hours in one.hours])
        for (size, peer), found in turns.items()
    ]


def _ratios(turns: dict[Key, list[Turn]]) -> list[dict[str, Any]]:
    """Rates against bare SimPy, and those of the compiled engine against cimba, within rounds."""
    found = []
    for (size, peer), own in turns.items():
        for (other_size, other), theirs in turns.items():
            is_wanted = other.name == REFERENCE or (peer.name, other.name) == ("compiled", "cimba")
            if size == other_size and peer != other and is_wanted:
                found.append({
                    "model": size[0], "scale": size[1], "mult": size[2], "peer": peer.name, "style": peer.style,
                    "to": other.name, "to_style": other.style, **ratio(own, theirs).document(),
                })  # fmt: skip
    return found


def _scale(turns: dict[Key, list[Turn]]) -> list[dict[str, Any]]:
    """Cost of an event in cities of all scales over that in the smallest, by engine and peer."""
    found = []
    for peer in PEERS:
        mine = {size[1]: one for (size, other), one in turns.items() if other is peer and size[0] == "m3"}
        for scale, one in mine.items():
            nanoseconds = Middle.of(1e9 / turn.events_per_second for turn in one).median
            times = cost(one, mine[min(mine)]).document()
            found.append({"peer": peer.name, "scale": scale, "nanoseconds_an_event": nanoseconds, **times})
    return found


def _units(plan: Plan, note: Callable[[str], None]) -> list[dict[str, Any]]:
    """Cost of an event in cities of ever more places over that in the first, at the same arrivals."""
    runners = {form: ours.runner(form, COMPILED) for form in plan.units}
    turns = rounds_of(runners, plan.rounds, note, lambda form: f"{told(('m3', form.scale, form.mult))}")
    first = turns[plan.units[0]]
    return [
        {
            "peer": COMPILED, "scale": form.scale, "mult": form.mult, "units": len(ours.prepared(form)[1].units),
            "nanoseconds_an_event": Middle.of(1e9 / turn.events_per_second for turn in found).median,
            **cost(found, first).document(),
        }
        for form, found in turns.items()
    ]  # fmt: skip


def _ledger(form: Form, rounds: int, is_recording: bool, note: Callable[[str], None]) -> dict[str, Any]:
    """What the ledger's audit and its recording cost, as shares of a run without them."""
    audits = []
    for number in range(1, rounds + 1):
        note(f"round {number} of {rounds}: the ledger of {told((form.model, form.scale, form.mult))}")
        seconds, audit = ours.run_without_audit(form, COMPILED, 1)
        audits.append(audit / seconds)
    recording = None
    if is_recording:
        note(f"with its ledger and without: {told((form.model, form.scale, form.mult))}")
        recording = recording_share(form).document()
    return {
        "model": form.model, "scale": form.scale, "mult": form.mult, "peer": COMPILED,
        "audit_share": Middle.of(audits).document(),
        "recording_share": recording,
    }  # fmt: skip


def _memory(note: Callable[[str], None]) -> list[dict[str, Any]]:
    """Peak memory of runs of m2 over one year and over four."""
    peer = next(peer for peer in PEERS if peer.name == COMPILED)
    found = []
    for years in YEARS:
        note(f"memory: m2 over {years} years")
        found.append({"model": "m2", "peer": COMPILED, "years": years, **memory_of(peer, emergency(365 * years))})
    return found
