"""What it costs the compiled engine to record: runs with its ledger and runs that record nothing, in turns."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor

from flowsim.bench.outcome import Stopwatch
from flowsim.bench.peers import COMPILED, Form
from flowsim.bench.rounds import LEAST_SECONDS, Middle, in_turns

ROUNDS = 11


def recording_share(form: Form, rounds: int = ROUNDS) -> Middle:
    """Processor seconds that recording adds to a run, as a share of the run without it."""
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="flowsim-unrecorded-") as cache,
        ProcessPoolExecutor(1, context) as recording,
        ProcessPoolExecutor(1, context, _leave_out_the_books, (cache,)) as unrecorded,
    ):
        for process in (recording, unrecorded):
            process.submit(seconds_a_run, form).result()  # has compiled, and made its memory ready
        ratio = in_turns(
            lambda: recording.submit(seconds_a_run, form).result(),
            lambda: unrecorded.submit(seconds_a_run, form).result(),
            rounds,
        )
    return Middle(*(value - 1 for value in ratio))


def seconds_a_run(form: Form) -> float:
    """Processor seconds of a run of the compiled engine in this process, in the mean over a turn."""
    from flowsim.bench.ours import prepared  # not before it is known what is left out of the compiled code
    from flowsim.engine.addresses import stream_key
    from flowsim.engine.running import run_of

    network, labels = prepared(form)
    keys = [stream_key(1, name) for name in labels.streams]
    run, runs, watch = run_of(COMPILED), 0, Stopwatch()
    while not runs or watch.seconds() < LEAST_SECONDS:
        run(network, keys, 0, lambda page: None, None)
        runs += 1
    return watch.seconds() / runs


def _leave_out_the_books(cache: str) -> None:
    """From here on this process compiles the engine, into a cache of its own, without what writes to the books.

    Its answers mean nothing, and nobody is told them.
    """
    os.environ["NUMBA_CACHE_DIR"] = cache
    from flowsim.engine import tables
    from flowsim.engine.ledger import BOOKS
    from flowsim.engine.records import KEEPERS

    tables.unrecorded |= {f"{KEEPERS[book.row]}.{book.name}" for book in BOOKS if book.row in KEEPERS} | {"memory"}
