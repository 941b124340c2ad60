"""Whose visits are logged, where only a share of the patients is: compiled, because it is asked of every visit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowsim.engine.addresses import Purpose
from flowsim.engine.jit import compiled
from flowsim.engine.network import Ints
from flowsim.engine.sampling import uniform

LOG = int(Purpose.LOG)


@compiled
def are_logged(keys: Ints, replication: int, patients: Ints, share: float) -> NDArray[np.bool_]:
    """Which patients, rows of (stream, layer, index), belong to a share that is chosen by address.

    `keys` are those of the streams. The greater share has all patients of the smaller.
    """
    found = np.empty(len(patients), np.bool_)
    for row in range(len(patients)):
        key, layer, index = int(keys[patients[row, 0]]), int(patients[row, 1]), int(patients[row, 2])
        found[row] = uniform(key, replication, layer, index, LOG, 0, 0) < share
    return found
