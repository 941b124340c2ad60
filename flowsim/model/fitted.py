"""Factors fitted to data: what each multiplies, and the model that they make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from flowsim.model.parts import ByMark, Name, Part, Positive, Shares
from flowsim.model.pathways import Distribution, Mixture, Points, Range, Spread

if TYPE_CHECKING:
    from flowsim.model.schema import Model


class Fitted(Part):
    """A factor fitted to data by `flowsim calibrate`: on the stays of steps, or on the shares of a group.

    Exactly one of `stay_of` and `shares_of`. Two factors on one stay multiply each other.
    """

    times: Positive = Field(description="the factor; 1 changes nothing")
    stay_of: tuple[Name, ...] = Field((), description="steps: `pathway: step`, or a step in every pathway that has it")
    shares_of: Name | None = Field(None, description="a group, all of whose shares but one are multiplied")
    except_: Name | None = Field(
        None, alias="except", description="with `shares_of`: the value that has what the others leave"
    )

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("stay_of"), str):
            data = {**data, "stay_of": (data["stay_of"],)}
        return data

    @model_validator(mode="after")
    def _one_of(self) -> Fitted:
        if bool(self.stay_of) == (self.shares_of is not None):
            raise ValueError("give exactly one of stay_of and shares_of")
        if (self.shares_of is None) != (self.except_ is None):
            raise ValueError("shares_of and except go together: name the value that has what the others leave")
        return self


def with_fitted(model: Model) -> Model:
    """The model with its fitted factors multiplied in, and none left: what is run.

    Raises ValueError where a factor makes shares sum to more than 1, or names what is not there.
    """
    for factor in model.fitted.values():
        if factor.shares_of is not None and factor.except_ is not None:
            shares = _larger(model.groups[factor.shares_of], factor.except_, factor.times)
            model = model.model_copy(update={"groups": {**model.groups, factor.shares_of: shares}})
        for pathway, step in steps_of(model, factor):
            model = _longer(model, pathway, step, factor.times)
    return model.model_copy(update={"fitted": {}})


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


def most(model: Model, factor: Fitted) -> float | None:
    """The largest value that a factor may have; None if there is none."""
    if factor.shares_of is None:
        return None
    multiplied = (1 - row.get(factor.except_ or "", 0.0) for row in model.groups[factor.shares_of].rows())
    largest = max(multiplied, default=0.0)
    return 1 / largest if largest > 0 else None


def _larger(shares: Shares, rest: str, times: float) -> Shares:
    """Shares times a factor, but for the one that has what the others leave."""
    if times == 1:
        return shares

    def row(was: dict[str, float]) -> dict[str, float]:
        others = sum(share for value, share in was.items() if value != rest) * times
        if others > 1 + 1e-9:
            raise ValueError(f"shares other than '{rest}' would sum to {others:.4g}: at most 1")
        return {value: max(0.0, 1 - others) if value == rest else share * times for value, share in was.items()}

    if shares.by is None:
        return shares.model_copy(update={"everybody": row(shares.everybody)})
    return shares.model_copy(update={"of": {mark: row(was) for mark, was in shares.of.items()}})


def _longer(model: Model, pathway: str, step: str, times: float) -> Model:
    content = model.pathways[pathway].steps[step]
    return model.with_steps(pathway, {step: content.model_copy(update={"stay": times_length(content.stay, times)})})


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
