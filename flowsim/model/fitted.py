"""Factors fitted to data: what each multiplies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from flowsim.model.parts import ByMark, Name, Part, Positive
from flowsim.model.pathways import Distribution, Mixture, Points, Range, Spread

if TYPE_CHECKING:
    from flowsim.model.schema import Model


class Fitted(Part):
    """A factor fitted to data by `flowsim calibrate`: on stays, on the shares of a group, or on patients who arrive.

    Exactly one of `stay_of`, `stay_in`, `shares_of` and `patients_of`. Factors on one thing multiply each other.
    """

    times: Positive = Field(description="the factor; 1 changes nothing")
    stay_of: tuple[Name, ...] = Field((), description="steps: `pathway: step`, or a step in every pathway that has it")
    stay_in: tuple[Name, ...] = Field((), description="settings: every stay in their units")
    shares_of: Name | None = Field(None, description="a group, all of whose shares but one are multiplied")
    except_: Name | None = Field(
        None, alias="except", description="with `shares_of`: the value that has what the others leave"
    )
    patients_of: Name | None = Field(
        None, description="`pathway: step`, or a step found in one pathway: the patients who arrive to enter it"
    )
    instead_of: Name | None = Field(
        None,
        description="with `patients_of`: a step; as many fewer (or more) arrive to enter it, of each age and place and"
        " at each site. Both come from the population, and draw their units by shares",
    )
    at: tuple[Name, ...] = Field(
        (), description="with `stay_in` or `patients_of`: only units at these sites or places; all if left out"
    )

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        if isinstance(data, dict):
            data = {k: (v,) if k in ("stay_of", "stay_in", "at") and isinstance(v, str) else v for k, v in data.items()}
        return data

    @model_validator(mode="after")
    def _one_of(self) -> Fitted:
        given = (bool(self.stay_of), bool(self.stay_in), self.shares_of is not None, self.patients_of is not None)
        if sum(given) != 1:
            raise ValueError("give exactly one of stay_of, stay_in, shares_of, patients_of")
        if (self.shares_of is None) != (self.except_ is None):
            raise ValueError("shares_of and except go together: name the value that has what the others leave")
        if self.instead_of is not None and self.patients_of is None:
            raise ValueError("instead_of goes with patients_of")
        if self.at and not self.stay_in and self.patients_of is None:
            raise ValueError("at goes with stay_in or patients_of")
        return self


def steps_of(model: Model, factor: Fitted) -> Iterator[tuple[str, str]]:
    """(pathway, step) of every stay that a factor multiplies, each once."""
    found = {
        (pathway, step): None
        for name in factor.stay_of
        for pathway, content in model.pathways.items()
        for step in content.steps
        if name in (step, f"{pathway}: {step}")
    }
    yield from found


def times_length(law: Distribution, times: float) -> Distribution:
    """A distribution of lengths that are all `times` as long, each drawn by the same luck."""
    if times == 1:
        return law
    changes: dict[str, Any] = {}
    for name in type(law).model_fields:
        held = getattr(law, name)
        match held:
            case ByMark():
                changes[name] = _mean(held, times)
            case Spread():
                sd = None if held.sd is None else held.sd * times
                changes[name] = held.model_copy(update={"mean": _mean(held.mean, times), "sd": sd})
            case Mixture():
                mean = None if held.mean is None else _mean(held.mean, times)
                means = tuple(one * times for one in held.means)
                changes[name] = held.model_copy(update={"mean": mean, "means": means})
            case Range():
                changes[name] = held.model_copy(update={"low": held.low * times, "high": held.high * times})
            case Points():
                changes[name] = held.model_copy(update={"values": tuple(one * times for one in held.values)})
            case tuple() if name == "listed":
                changes[name] = tuple(int(one * times + 0.5) for one in held)
    return law.model_copy(update=changes)


def _mean(mean: ByMark, times: float) -> ByMark:
    value = None if mean.value is None else mean.value * times
    return mean.model_copy(update={"value": value, "of": {mark: one * times for mark, one in mean.of.items()}})
