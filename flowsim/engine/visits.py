"""The visit log: one row a visit to a step, written when the unit is vacated or the patient gives up."""

from __future__ import annotations

from enum import IntEnum


class VisitEnd(IntEnum):
    """How a visit ended."""

    COMPLETED = 0
    RENEGED = 1  # the patience ended first
    BALKED = 2  # the queue was full
    UNFINISHED = 3  # still there at the end of the run


COLUMNS = (
    "stream", "layer", "index",  # the patient
    "age", "place",  # marks
    "visit",  # how manieth of the patient
    "step", "own_unit", "unit",  # unit is -1 if the patient never started
    "joined_ms", "started_ms", "ready_ms", "ended_ms", "left_ms",  # -1 if not reached
    "outcome",  # VisitEnd
    "blocked_ms", "waited_for",  # time held while waiting for another unit; row of the block last waited for, or -1
)  # fmt: skip
"""Columns of a row, all whole numbers; times in milliseconds from the start of the run."""
