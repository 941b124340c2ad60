"""Distributions of stays and patiences: the model's words -> family, parameters and factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flowsim.engine.building.marks import Marks, Ragged, Shared, refuse
from flowsim.engine.distributions import (
    Family,
    gamma_parameters,
    hyperexponential_parameters,
    lognormal_parameters,
    weibull_parameters,
)
from flowsim.model.parts import ByMark
from flowsim.model.pathways import Distribution, Mixture, Points, Spread

BY_SPREAD = {
    "lognormal": (Family.LOGNORMAL, lognormal_parameters),
    "gamma": (Family.GAMMA, gamma_parameters),
    "weibull": (Family.WEIBULL, weibull_parameters),
}


class Drawn(NamedTuple):
    """A distribution in the Network: its number, the mark that scales it (-1: none), and the row of its
    scale.
    """

    distribution: int
    by: int
    scale_first: int


class Distributions:
    """All distributions of a model, each stored once, and the factors on what is drawn from them."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.family: list[int] = []
        self.parameters = Ragged()
        self.scale = Shared()
        self._known: dict[tuple[int, tuple[float, ...]], int] = {}

    def add(self, field: str, law: Distribution) -> Drawn:
        """A distribution in milliseconds; with a mean by mark, one of mean 1 scaled by the mark's mean."""
        by, scale = None, [1.0]
        mean = mean_of(law)
        if mean is not None and mean.by is not None:
            by, scale = mean.by, self.marks.in_order(field, mean.by, mean.of)
        try:
            family, parameters = parameters_of(law, None if by is None else 1.0)
        except ValueError as error:
            refuse(self.marks.model, field, None, str(error))
        key = (int(family), tuple(map(float, parameters)))
        if key not in self._known:
            self._known[key] = self.parameters.add(key[1])
            self.family.append(key[0])
        return Drawn(self._known[key], self.marks.by(field, by), self.scale.add([float(s) for s in scale]))


def mean_of(law: Distribution) -> ByMark | None:
    """The mean of a distribution that is given by one."""
    for one in (law.fixed, law.exponential):
        if one is not None:
            return one
    for spread in (law.lognormal, law.gamma, law.weibull, law.hyperexponential):
        if spread is not None:
            return spread.mean
    return None


def parameters_of(law: Distribution, unit: float | None) -> tuple[Family, Sequence[float]]:
    """Family and parameters in milliseconds; with `unit` those of the mean `unit` in place of the law's own.

    Raises ValueError where a family has no such spread.
    """
    if law.fixed is not None:
        return Family.FIXED, (_mean(law.fixed, unit),)
    if law.exponential is not None:
        return _unless_zero(Family.EXPONENTIAL, (_mean(law.exponential, unit),))
    for name, (family, parameters) in BY_SPREAD.items():
        spread: Spread | None = getattr(law, name)
        if spread is not None:
            mean = _mean(spread.mean, unit)
            if mean == 0:
                return Family.FIXED, (0.0,)
            sd = float(spread.sd) if spread.sd is not None else (spread.cv or 0.0) * mean
            return family, parameters(mean, sd)
    if law.hyperexponential is not None:
        return Family.HYPEREXPONENTIAL, _branches(law.hyperexponential, unit)
    if law.uniform is not None:
        return Family.UNIFORM, (float(law.uniform.low), float(law.uniform.high))
    if law.empirical is not None:
        return Family.EMPIRICAL, _quantiles(law.empirical)
    listed = law.listed or ()
    return Family.LISTED, (float(len(listed)), *map(float, listed))


def _mean(mean: ByMark, unit: float | None) -> float:
    if unit is not None:
        return unit
    return float(mean.value or 0.0)


def _unless_zero(family: Family, parameters: tuple[float, ...]) -> tuple[Family, tuple[float, ...]]:
    return (Family.FIXED, (0.0,)) if parameters[0] == 0 else (family, parameters)


def _branches(mixture: Mixture, unit: float | None) -> Sequence[float]:
    if mixture.mean is not None:
        mean = _mean(mixture.mean, unit)
        return hyperexponential_parameters(mean, (mixture.cv or 0.0) * mean)
    total = 0.0
    sums = []
    for share in mixture.shares:
        total += share
        sums.append(total)
    return (float(len(sums)), *sums[:-1], 1.0, *map(float, mixture.means))


def _quantiles(points: Points) -> Sequence[float]:
    chances = [percentile / 100 for percentile in points.percentiles]
    chances[0], chances[-1] = 0.0, 1.0
    return (float(len(chances)), *chances, *map(float, points.values))
