"""The address of a random number: which patient, which decision, which step, and how often there.

A uniform is Philox 4x32-10 of a key and a counter. Two decisions never share a counter under one key:

    key          64 bits of BLAKE2b of the seed and the stream's name (`stream_key`)
    counter 0    32 bits   index of the candidate in its layer
    counter 1    32 bits   replication
    counter 2    32 bits   hash of the step's or group's name (`step_hash`), 0 where there is none
    counter 3    32 bits   layer (6 bits), purpose (4 bits), occurrence (22 bits), from the top

The limits below are not tested in each draw: whoever numbers layers, candidates and visits keeps within them,
and whoever names streams and steps checks that no two names of one model have the same key or hash.
"""

from __future__ import annotations

import enum
import hashlib

SEEDS = 1 << 64
INDICES = 1 << 32
REPLICATIONS = 1 << 32
LAYERS = 1 << 6
OCCURRENCES = 1 << 22


class Purpose(enum.IntEnum):
    """What a uniform decides. At most sixteen, numbered for good: a new number is new luck for everyone."""

    GAP = 0  # time from one candidate of a layer to the next
    KEEP = 1  # whether a candidate is kept as a patient
    AGE = 2  # age band
    GROUP = 3  # a mark drawn once, such as urgency; the word is the group's name
    UNIT = 4  # which unit, by catchment shares
    STAY = 5  # length of stay
    PATIENCE = 6  # longest wait
    ROUTE = 7  # next step
    ROUND = 8  # time of day of the daily round, in its window
    SHIFT = 9  # whether a lever moves this patient
    RESIDUAL = 10  # what remains of the stay of someone found inside on the first day
    JOINED = 11  # how long someone found waiting on the first day has waited
    LOG = 13  # whether the visits of a patient are logged, where a share is
    FIRST_DAY = 12  # who they are: step, unit and group of someone found there on the first day


def stream_key(seed: int, name: str) -> int:
    """Key of an arrival stream: 64 bits of BLAKE2b of the seed (0 to 2^64 - 1) and the stream's name.

    Signed, so that numba takes every key as int64. Raises `ValueError` for a seed out of range.
    """
    if not 0 <= seed < SEEDS:
        raise ValueError(f"seed = {seed}: must be from 0 to 2^64 - 1")
    text = seed.to_bytes(8, "little") + name.encode("utf-8")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little", signed=True)


def step_hash(name: str) -> int:
    """32 bits of BLAKE2b of the name of a step or group: 0 to 2^32 - 1."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8"), digest_size=4).digest(), "little")
