"""Prints the bits of a batch of every function of sampling; a program to run with the JIT on or off."""

from __future__ import annotations

import json

import numpy as np

from flowsim.engine import quantiles, sampling
from flowsim.engine.distributions import (
    gamma_parameters,
    hyperexponential_parameters,
    lognormal_parameters,
    mean_and_sd,
    weibull_parameters,
)
from flowsim.engine.sampling import Family

FAMILIES: list[tuple[Family, tuple[float, ...]]] = [
    (Family.FIXED, (7.25,)),
    (Family.EXPONENTIAL, (30.0,)),
    (Family.LOGNORMAL, lognormal_parameters(5.0, 4.0)),
    (Family.GAMMA, gamma_parameters(5.0, 8.0)),
    (Family.GAMMA, gamma_parameters(5.0, 1.0)),
    (Family.WEIBULL, weibull_parameters(5.0, 3.0)),
    (Family.HYPEREXPONENTIAL, hyperexponential_parameters(5.0, 9.0)),
    (Family.UNIFORM, (2.0, 9.0)),
    (Family.EMPIRICAL, (4.0, 0.0, 0.25, 0.8, 1.0, 0.5, 2.0, 3.0, 12.0)),
    (Family.LISTED, (300.0, *(0.5 * i for i in range(300)))),
]


def batch(size: int = 300) -> dict[str, list[str]]:
    """Bits of each function at `size` addresses, as hexadecimal text."""
    parameters = np.array([0.0] + [x for _, values in FAMILIES for x in values])
    key = sampling.stream_key(20160401, "emergency from Croydon")
    word = sampling.step_hash("ward")
    found: dict[str, list[str]] = {"uniform": [], "uniform_pair": [], "gap_ms": [], "philox": []}
    for i in range(size):
        found["uniform"].append(sampling.uniform(key, 3, 2, i, 5, word, 1).hex())
        found["uniform_pair"] += [u.hex() for u in sampling.uniform_pair(key, 3, 2, i, 10, word, 0)]
        found["gap_ms"].append(hex(sampling.gap_ms(key, 3, 2, i, 90_000.0)))
        found["philox"] += [hex(x) for x in sampling.philox(word, i, 0xFFFFFFFF - i, i, word, 1 << 31)]
    first = 1
    for kind, values in FAMILIES:
        here: list[str] = []
        for i in range(size):
            address = (key, 3, 2, i, 5, word, 1)
            u, v = sampling.uniform_pair(*address)
            here.append(quantiles.quantile(int(kind), u, parameters, first, i).hex())
            here.append(quantiles.residual(int(kind), u, v, parameters, first, i).hex())
            here.append(hex(sampling.stay_ms(*address, int(kind), first, 3_600_000.0, parameters)))
            here.append(hex(sampling.residual_ms(*address, int(kind), first, 3_600_000.0, parameters)))
        here += [x.hex() for x in mean_and_sd(int(kind), parameters.tolist(), first)]
        found[f"{kind.name} from {first}"] = here
        first += len(values)
    return found


if __name__ == "__main__":
    print(json.dumps(batch()))
