"""One replication of a Network: which engine, under which seed, and whether its ledger obeys the laws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from flowsim.engine.addresses import stream_key
from flowsim.engine.laws import broken_laws
from flowsim.engine.ledger import Log, Write
from flowsim.engine.loops import loops
from flowsim.engine.network import Ints, Labels, Network
from flowsim.engine.rules import Outcome, Stuck
from flowsim.errors import CannotFinish, DamagedError, Gridlock

Engine = Literal["compiled", "simpy"]
"""The two engines, equal event for event: `compiled` is the fast one, `simpy` the one to read."""


Run = Callable[[Network, Sequence[int], int, Write, Log | None], Outcome]
"""One run of a Network under keys of its streams: `run` of `reference` and of `compiled`."""


def run_of(engine: Engine) -> Run:
    """The function that runs an engine; imported here, since each brings heavy libraries."""
    if engine == "simpy":
        from flowsim.engine.reference import run
    else:
        from flowsim.engine.compiled import run
    return run


def run_once(
    network: Network, labels: Labels, seed: int, replication: int, write: Write, log: Log | None = None,
    engine: Engine = "compiled",
) -> Outcome:  # fmt: skip
    """Run one replication: events, patients, and patients inside at the end.

    `write` takes a page of the ledger as each period closes, `log` rows of the visit log, many at a time. What they
    are given is good during the call only. Raises Gridlock or CannotFinish where the model cannot go on, and
    DamagedError if the ledger breaks a law.
    """
    from flowsim.engine.totals import Totals  # numba and SimPy are not wanted by those who only check a model

    totals = Totals(network)

    def audited(page: Ints) -> None:
        totals.add(page)
        write(page)

    keys = [stream_key(seed, name) for name in labels.streams]
    try:
        outcome = run_of(engine)(network, keys, replication, audited, log)
    except Stuck as stuck:
        if stuck.units:
            raise Gridlock([labels.units[unit].name for unit in stuck.units], stuck.at) from None
        steps = [": ".join(labels.steps[step]) for step in _loop(network, stuck.steps[0])]
        raise CannotFinish(steps, "a patient joined without end at one instant") from None
    broken = broken_laws(network, labels, totals.books())
    if broken:
        raise DamagedError("the run breaks a law of its ledger: " + "; ".join(broken[:5]))
    return outcome


def _loop(network: Network, step: int) -> list[int]:
    """The steps of the loop that a step lies on; the step alone if it lies on none."""
    loop_of = loops(network).tolist()
    return [k for k, loop in enumerate(loop_of) if k == step or loop == loop_of[step] >= 0]
