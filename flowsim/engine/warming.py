"""The compiled code made ready before it is wanted: one process compiles, others wait for it and load what it kept."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flowsim.engine.running import Engine

LOCK = "compiling.lock"
COMPILING = "compiling the engine, once: about half a minute"
WAITING = "another process is compiling the engine: waiting for it"
NO_CACHE = (
    "no folder can be written for the compiled engine, so each start compiles it: set NUMBA_CACHE_DIR to one that can"
)

Function = tuple[Any, tuple[Any, ...]]
"""A compiled function, and the types of its arguments."""


def compile_ahead(engine: Engine, note: Callable[[str], None], is_sampled: bool = False) -> None:
    """See to it that runs on an engine find all compiled code in the cache; `is_sampled` if visits of a share are kept.

    `note` is told in a line if that takes time. Processes that find code missing take turns, so that one compiles.
    """
    from flowsim.engine import jit  # numba is not wanted by those who only check a model

    if jit.config.DISABLE_JIT:
        return
    if jit.CACHE_FOLDER is None:
        note(NO_CACHE)
        return
    wanted = functions_of(engine, is_sampled)
    if all(jit.is_ready(*one) for one in wanted):
        return
    with _in_turn(Path(jit.CACHE_FOLDER), note):
        missing = [one for one in wanted if not jit.is_ready(*one)]
        if missing:
            note(COMPILING)
        with _uncollected():
            for function, arguments in missing:
                function.compile(arguments)


def functions_of(engine: Engine, is_sampled: bool) -> list[Function]:
    """Every compiled function that runs on an engine call from Python, with the types it is called with."""
    from numba import types

    from flowsim.engine import arrivals, choices, logged, sampling, totals

    whole, real, truth = types.int64, types.float64, types.boolean
    wholes, reals, table = whole[::1], real[::1], whole[:, ::1]
    given_wholes, given_reals = wholes.copy(readonly=True), reals.copy(readonly=True)  # those of a Network
    found: list[Function] = [(totals.add_page, (wholes, wholes, truth[::1], whole, table))]
    if is_sampled:
        found.append((logged.are_logged, (wholes, whole, table, real)))
    if engine == "compiled":
        from flowsim.engine import compiled, compiled_premises
        from flowsim.engine.records import City
        from flowsim.engine.tables import TablesType

        city = TablesType(City)
        return [
            *found,
            (compiled.open_city, (city,)),
            (compiled.live, (city,)),
            (compiled.count_inside, (city, wholes)),
            (compiled_premises.close_day, (city,)),
        ]
    address, thinning = (whole,) * 4, (whole,) * 5 + (reals, wholes)
    draw = address + (whole,) * 5 + (real, given_reals)
    return [
        *found,
        (sampling.uniform, (*address, *[whole] * 3)),
        (sampling.stay_ms, draw),
        (sampling.residual_ms, draw),
        (arrivals.age_of, (*address, whole, whole, given_reals)),
        (arrivals.next_arrival, (*address, whole, real, whole, *thinning)),
        (arrivals.next_candidate, (*address, whole, real, whole, reals)),
        (arrivals.is_kept, (*address, whole, whole, real, *thinning)),
        (choices.ramped, (real, whole, whole, whole)),
        (choices.first_share_set, (real, real, real)),
        (choices.response_value, (whole, whole, real, whole, whole, reals)),
        (choices.fixed_round, (whole, whole, whole, given_wholes)),
        (choices.window_round, (whole, real, whole, given_wholes)),
    ]


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: numba makes millions of objects that stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def _in_turn(folder: Path, note: Callable[[str], None]) -> Iterator[None]:
    """One process at a time; where files cannot be locked, or the folder is gone, all at once."""
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield
        return
    try:
        _lock(handle, note)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, note: Callable[[str], None]) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        note(WAITING)
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        pass
