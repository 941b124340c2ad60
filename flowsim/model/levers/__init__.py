"""Levers: named changes of a model, one file each.

A scenario is a list of them; each makes a new model of the one before it.
"""

from __future__ import annotations

from collections.abc import Mapping

from flowsim.model.levers.base import Lever, LeverError
from flowsim.model.levers.capacity import Capacity
from flowsim.model.levers.care_shift import CommunityShift
from flowsim.model.levers.close_service import CloseService
from flowsim.model.levers.growth import DemandGrowth
from flowsim.model.levers.prevention import Prevention
from flowsim.model.levers.social_care import SocialCare
from flowsim.model.loading import frozen
from flowsim.model.names import near
from flowsim.model.schema import Model

__all__ = ["LEVERS", "Lever", "LeverError", "parse_lever"]

LEVERS: Mapping[str, type[Lever]] = {
    "capacity": Capacity,
    "close service": CloseService,
    "community shift": CommunityShift,
    "demand growth": DemandGrowth,
    "prevention": Prevention,
    "social care": SocialCare,
}
"""The class of every lever, by the name it has in a scenario."""


def parse_lever(name: str, data: object, model: Model) -> Lever:
    """A lever as written in a scenario, which fits a model.

    Raises LeverError for an unknown lever or one that does not fit, and pydantic's ValidationError for its
    keys and values.
    """
    if name not in LEVERS:
        raise LeverError(f"there is no lever {name!r}{near(name, LEVERS)}")
    lever = LEVERS[name].model_validate(frozen(data), by_alias=True, by_name=False)
    lever.apply(model)
    return lever
