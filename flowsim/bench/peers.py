"""Who takes part in `flowsim bench`, and how each runs a model."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import importlib.util
import multiprocessing
import typing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from flowsim.bench.outcome import Outcome
from flowsim.engine.running import Engine

Runner = Callable[[int], Outcome]
"""One run from a seed."""
COMPILED: Engine = "compiled"
"""The engine that is measured in every respect."""
REFERENCE = "bare-simpy"
"""The peer that all others are measured against, side by side."""


class Form(NamedTuple):
    """A model and how much of it is run: so many patients (m1), or days of which those from `since` count."""

    model: str
    patients: int = 0
    days: int = 0
    since: int = 0
    scale: float = 1.0
    mult: int = 1


@dataclass(frozen=True, eq=False)
class Peer:
    """A program: its name, the library whose version is told, how it is written, and its models.

    `runs` has for each model the module of `flowsim.bench` and the function that makes one run. A peer that runs
    `apart` has a process of its own, because it changes numba for everybody else in its process.
    """

    name: str
    library: str
    style: str
    runs: Mapping[str, tuple[str, str]]
    apart: bool = False

    @property
    def label(self) -> str:
        """Name and style, as tables tell it."""
        return f"{self.name}, {self.style}" if self.style else self.name

    @property
    def is_here(self) -> bool:
        """Whether this program can run in this installation."""
        return importlib.util.find_spec(self.library) is not None

    @property
    def version(self) -> str:
        """The version of its library."""
        return importlib.metadata.version(self.library)

    def runner(self, form: Form) -> Runner:
        """A function of a seed that runs a form, made ready."""
        if self.library == "flowsim":
            from flowsim.bench import ours

            return ours.runner(form, typing.cast(Engine, self.name))
        if self.apart:
            return lambda seed: _process_apart().submit(_run, *self.runs[form.model], form, seed).result()
        return functools.partial(_run, *self.runs[form.model], form)


def _run(module: str, name: str, form: Form, seed: int) -> Outcome:
    """One run by a function of `flowsim.bench`."""
    run = getattr(importlib.import_module(f"flowsim.bench.{module}"), name)
    how_much: dict[str, float] = {"patients": form.patients}
    if form.model != "m1":
        how_much = {"days": form.days, "since_day": form.since}
    if form.model == "m3":
        how_much |= {"scale": form.scale, "mult": form.mult}
    return typing.cast(Outcome, run(seed, **how_much))


@functools.cache
def _process_apart() -> ProcessPoolExecutor:
    """A process in which numba is used by one peer alone."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


ALL_MODELS = dict.fromkeys(("m1", "m2", "m3"), ("ours", "runner"))
PEERS = (
    Peer("compiled", "flowsim", "", ALL_MODELS),
    Peer("simpy", "flowsim", "", ALL_MODELS),
    Peer(
        "bare-simpy", "simpy", "",
        {"m1": ("bare_simpy", "clinic"), "m2": ("bare_simpy", "emergency"), "m3": ("bare_city", "city")},
    ),
    Peer("ciw", "ciw", "", {"m1": ("peer_ciw", "clinic"), "m2": ("peer_ciw", "emergency")}),
    Peer("salabim", "salabim", "", {"m1": ("peer_salabim", "clinic"), "m2": ("peer_salabim", "emergency")}),
    Peer("cimba", "cimba", "process a patient", {"m2": ("peer_cimba", "emergency")}, apart=True),
    Peer(
        "cimba", "cimba", "process a server",
        {"m1": ("peer_cimba", "clinic"), "m2": ("peer_cimba", "emergency_by_server")}, apart=True,
    ),
    Peer("cimba", "cimba", "events only", {"m1": ("peer_cimba", "clinic_by_event")}, apart=True),
)  # fmt: skip
