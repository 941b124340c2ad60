"""The lever `demand growth`: another projection of the population, or none, and other growth."""

from __future__ import annotations

from pydantic import Field, model_validator

from flowsim.model.arrivals import Population
from flowsim.model.levers.base import Lever, LeverError
from flowsim.model.names import near
from flowsim.model.parts import Name, Number, Whole
from flowsim.model.people import years_of
from flowsim.model.schema import Model


class DemandGrowth(Lever):
    """Another variant of the population table, its people of one year in all years, or other yearly growth."""

    variant: Name | None = Field(None, description="projection of the population table")
    people_as_in: Whole | None = Field(None, description="a year of the population table: its people in every year")
    growth: dict[Name, Number] = Field(
        default_factory=dict, description="name under `growth` of the model: share a year, above -1"
    )

    @model_validator(mode="after")
    def _not_empty(self) -> DemandGrowth:
        if self.variant is None and self.people_as_in is None and not self.growth:
            raise ValueError("give at least one of variant, people_as_in and growth")
        for name, a_year in self.growth.items():
            if not -1 < a_year <= 10:
                raise ValueError(f"growth of {name}: must be above -1, and at most 10 (0.013 is 1.3% a year)")
        return self

    @property
    def start(self) -> None:
        """It has no date: it holds from the first day."""
        return None

    def apply(self, model: Model) -> Model:
        """The model with the variant, the year and the growth named here, else as it was."""
        changes: dict[str, object] = {}
        if self.variant is not None or self.people_as_in is not None:
            changes["population"] = self._population(model)
        for name in self.growth:
            if name not in model.growth:
                raise LeverError(f"the model has no growth {name!r}{near(name, model.growth)}")
        if self.growth:
            changes["growth"] = {
                name: growth.model_copy(update={"a_year": self.growth.get(name, growth.a_year)})
                for name, growth in model.growth.items()
            }
        return model.model_copy(update=changes)

    def _population(self, model: Model) -> Population:
        if model.population is None:
            raise LeverError("the model has no population, so no variant and no year of it")
        variants = list(dict.fromkeys(model.population.table.columns.get("variant", ())))
        if self.variant is not None and self.variant not in variants:
            raise LeverError(f"the population has no variant {self.variant!r}{near(self.variant, variants)}")
        years = years_of(model.population)
        if self.people_as_in is not None and self.people_as_in not in years:
            raise LeverError(f"the population has no people of {self.people_as_in}, but of {years[0]} to {years[-1]}")
        given = {"variant": self.variant, "as_in": self.people_as_in}
        return model.population.model_copy(update={key: one for key, one in given.items() if one is not None})

    def describe(self) -> str:
        """The change in words."""
        words = [f"population as in {self.variant}"] if self.variant else []
        words += [f"people as in {self.people_as_in}"] if self.people_as_in else []
        words += [f"{name} of {a_year:.4g} a year" for name, a_year in self.growth.items()]
        return "demand growth: " + ", ".join(words)
