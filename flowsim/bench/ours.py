"""flowsim's own engines as peers: a run with the full ledger, audited, as `flowsim run` does it."""

from __future__ import annotations

import functools

import numpy as np

from flowsim.bench.city import city_model
from flowsim.bench.outcome import DAY_MS, Outcome, Stopwatch, Waits
from flowsim.bench.peers import Form, Runner
from flowsim.engine.addresses import stream_key
from flowsim.engine.building import compile_network
from flowsim.engine.laws import broken_laws
from flowsim.engine.ledger import entries_of
from flowsim.engine.network import Ints, Labels, Network
from flowsim.engine.running import Engine, run_of, run_once
from flowsim.engine.totals import Totals
from flowsim.model.calendar import Window
from flowsim.model.loading import load_model

CLINIC_PATIENTS_A_DAY = 18 * 24


@functools.lru_cache(maxsize=16)
def prepared(form: Form) -> tuple[Network, Labels]:
    """The Network of a form. m1 runs for the days in which so many patients come on average."""
    if form.model == "m3":
        model = city_model(form.scale, form.mult)
    else:
        model = load_model("clinic" if form.model == "m1" else "emergency")
    days = round(form.patients / CLINIC_PATIENTS_A_DAY) if form.model == "m1" else form.days
    return compile_network(model, Window(model.start, form.since * DAY_MS, max(days, 1) * DAY_MS))


def runner(form: Form, engine: Engine) -> Runner:
    """A function of a seed that runs a form on an engine."""
    network, labels = prepared(form)

    def run(seed: int) -> Outcome:
        pages: list[Ints] = []
        watch = Stopwatch()
        done = run_once(network, labels, seed, 0, lambda page: pages.append(page.copy()), engine=engine)
        seconds = watch.seconds()
        return Outcome(done.events, done.patients, waits_of(pages, network, labels), seconds)

    return run


def waits_of(pages: list[Ints], network: Network, labels: Labels) -> Waits:
    """Waits by setting, of those who started in the data collection period."""
    first = int(np.searchsorted(network.period_starts, labels.data_start_ms))
    settings = [unit.setting for unit in labels.units]
    waits = Waits()
    for page in pages:
        for period, book, rows, values in entries_of(page):
            if period >= first and book in ("wait_ms", "starts"):
                unit = network.class_own[rows] if book == "wait_ms" else network.lane_unit[rows]
                for number, value in zip(unit.tolist(), values.tolist(), strict=True):
                    waited, started = (value, 0) if book == "wait_ms" else (0, value)
                    waits.add_sum(settings[number], waited, started)
    return waits


def run_without_audit(form: Form, engine: Engine, seed: int) -> tuple[float, float]:
    """Processor seconds of a run whose ledger is written but not audited, and of the audit of what it wrote."""
    network, labels = prepared(form)
    keys = [stream_key(seed, name) for name in labels.streams]
    pages: list[Ints] = []
    run = run_of(engine)
    watch = Stopwatch()
    run(network, keys, 0, lambda page: pages.append(page.copy()), None)
    seconds = watch.seconds()
    watch = Stopwatch()
    totals = Totals(network)
    for page in pages:
        totals.add(page)
    broken_laws(network, labels, totals.books())
    return seconds, watch.seconds()
