"""What happens first when several things happen at one instant.

Both engines take the smallest (time, kind, where, patient), where being a unit, pool or stream as the kind says, and a
patient (stream, layer, index). So an instant is ordered by what happens, never by the order in which it became known.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, TypeVar

from flowsim.engine.network import Ints


class Kind(IntEnum):
    """Kinds of event in their order at one instant."""

    CLOSE = 0  # a day ends, before anything of the next: midnight counts, periods closed, responses renewed
    END = 1  # a stay is over (or the round lets the patient go): beds fall free before anybody asks for one
    CAPACITY = 2  # beds open and close; one event for a unit and instant
    RENEW = 3  # sessions of slots open and close; close and open at one instant are one event
    ARRIVAL = 4  # a new patient enters the first step
    JOIN = 5  # steps with a condition look at the queue only when all the above is known
    START = 6  # a touched pool lets in whom it can: nobody starts anywhere else
    RENEGE = 7  # a patience ends: a bed freed in that instant was still had
    CHECK = 8  # gridlock is looked for when all else is done


JOINS_AT_ONE_INSTANT = 1000
"""A patient that joins more often in one instant is stopped: the model cannot finish."""

LAYER_BITS = 6
INDEX_BITS = 32
Numbers = TypeVar("Numbers", int, Ints)
"""A number, or an array of them."""


def patient_number(stream: Numbers, layer: Numbers, index: Numbers) -> Numbers:
    """(stream, layer, index) as one integer that sorts alike."""
    return ((stream << LAYER_BITS) | layer) << INDEX_BITS | index


class Outcome(NamedTuple):
    """What a run tells besides its ledger: events (arrivals and ends of stays), patients, and patients still inside."""

    events: int
    patients: int
    inside: int


class Stuck(Exception):
    """A run that cannot go on, told in numbers; `running` tells it in names.

    `units` that form a gridlock, or `steps`: the one that a patient went round to for ever; `at` in milliseconds.
    """

    def __init__(self, units: tuple[int, ...], steps: tuple[int, ...], at: int) -> None:
        self.units, self.steps, self.at = units, steps, at
        super().__init__(units, steps, at)
