"""The lever `demand growth`: another projection of the population, and other growth."""

from __future__ import annotations

from pydantic import Field, model_validator

from flowsim.model.levers.base import Lever, LeverError
from flowsim.model.names import near
from flowsim.model.parts import Name, Number
from flowsim.model.schema import Model


class DemandGrowth(Lever):
    """Another variant of the population table, other yearly growth, or both."""

    variant: Name | None = Field(None, description="projection of the population table")
    growth: dict[Name, Number] = Field(
        default_factory=dict, description="name under `growth` of the model: share a year, above -1"
    )

    @model_validator(mode="after")
    def _not_empty(self) -> DemandGrowth:
        if self.variant is None and not self.growth:
            raise ValueError("give variant, growth or both")
        for name, a_year in self.growth.items():
            if not -1 < a_year <= 10:
                raise ValueError(f"growth of {name}: must be above -1, and at most 10 (0.013 is 1.3% a year)")
        return self

    @property
    def start(self) -> None:
        """It has no date: it holds from the first day."""
        return None

    def apply(self, model: Model) -> Model:
        """The model with the variant and the growth named here, else as it was."""
        changes: dict[str, object] = {}
        if self.variant is not None:
            changes["population"] = _with_variant(model, self.variant)
        for name in self.growth:
            if name not in model.growth:
                raise LeverError(f"the model has no growth {name!r}{near(name, model.growth)}")
        if self.growth:
            changes["growth"] = {
                name: growth.model_copy(update={"a_year": self.growth.get(name, growth.a_year)})
                for name, growth in model.growth.items()
            }
        return model.model_copy(update=changes)

    def describe(self) -> str:
        """The change in words."""
        words = [f"population as in {self.variant}"] if self.variant else []
        words += [f"{name} of {a_year:.4g} a year" for name, a_year in self.growth.items()]
        return "demand growth: " + ", ".join(words)


def _with_variant(model: Model, variant: str) -> object:
    if model.population is None:
        raise LeverError("the model has no population, so no variant of it")
    variants = list(dict.fromkeys(model.population.table.columns.get("variant", ())))
    if variant not in variants:
        raise LeverError(f"the population has no variant {variant!r}{near(variant, variants)}")
    return model.population.model_copy(update={"variant": variant})
