"""Two processes against one: how much more two workers do on two processors."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import Future, ProcessPoolExecutor

from flowsim.bench.ours import runner
from flowsim.bench.peers import COMPILED, Form
from flowsim.bench.rounds import Middle, in_turns

WORKERS = 2
ROUNDS = 11


def work(form: Form, seed: int) -> int:
    """Make one run; its events."""
    return runner(form, COMPILED)(seed).events


def two_against_one(form: Form, rounds: int = ROUNDS) -> Middle:
    """The work of two processes over that of one, by the clock: 2 is all there is to gain."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:

        def clock(tasks: int) -> float:
            begin = time.perf_counter()
            runs: list[Future[int]] = [pool.submit(work, form, 1) for _ in range(tasks)]
            for run in runs:
                run.result()
            return time.perf_counter() - begin

        clock(WORKERS)  # both are made ready, and have compiled
        clock(WORKERS)
        ratio = in_turns(lambda: clock(1), lambda: clock(WORKERS), rounds)
    return Middle(*(WORKERS * value for value in ratio))
