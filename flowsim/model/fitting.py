"""A model with fitted factors becomes the model that is run."""

from __future__ import annotations

from flowsim.model.fitted import Fitted, steps_of, times_length
from flowsim.model.fitting_patients import Arriving
from flowsim.model.parts import Shares
from flowsim.model.schema import Model
from flowsim.model.tables import Table
from flowsim.model.units import geography_of, root_of


def with_fitted(model: Model) -> Model:
    """The model with its fitted factors multiplied in, and none left: what is run.

    Raises ValueError where a factor makes shares sum to more than 1, takes more patients than there are, or names
    what is not there.
    """
    arriving = Arriving(model) if any(one.patients_of is not None for one in model.fitted.values()) else None
    for factor in model.fitted.values():
        if factor.times == 1:
            continue
        if factor.shares_of is not None and factor.except_ is not None:
            shares = _larger(model.groups[factor.shares_of], factor.except_, factor.times)
            model = model.model_copy(update={"groups": {**model.groups, factor.shares_of: shares}})
        for pathway, step in steps_of(model, factor):
            model = _longer(model, pathway, step, factor.times)
        if factor.stay_in:
            model = _longer_in(model, factor)
        if factor.patients_of is not None and arriving is not None:
            model = arriving.times(model, factor)
    return model.model_copy(update={"fitted": {}}) if model.fitted else model


def most(model: Model, factor: Fitted) -> float | None:
    """The largest value that a factor may have; None if there is none."""
    if factor.instead_of is not None:
        return Arriving(model).most(model, factor)
    if factor.shares_of is None:
        return None
    multiplied = (1 - row.get(factor.except_ or "", 0.0) for row in model.groups[factor.shares_of].rows())
    largest = max(multiplied, default=0.0)
    return 1 / largest if largest > 0 else None


def _larger(shares: Shares, rest: str, times: float) -> Shares:
    """Shares times a factor, but for the one that has what the others leave."""

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


def _longer_in(model: Model, factor: Fitted) -> Model:
    """The model in which all stays in some units are longer."""

    def is_meant(setting: str, at: str) -> bool:
        return setting in factor.stay_in and (not factor.at or at in factor.at)

    root = root_of(geography_of(model))
    settings = {
        name: setting.model_copy(update={"stay_factor": setting.stay_factor * factor.times})
        if setting.capacity is not None and is_meant(name, setting.at or root)
        else setting
        for name, setting in model.settings.items()
    }
    model = model.model_copy(update={"settings": settings})
    table = model.units
    if table is None:
        return model
    rows = zip(
        table.columns["setting"],
        table.columns["at"],
        table.columns.get("stay_factor", (1.0,) * len(table)),
        strict=True,
    )
    factors = tuple(
        factor.times * (1.0 if was is None else was) if is_meant(setting, at) else was for setting, at, was in rows
    )
    columns = {**table.columns, "stay_factor": factors}
    return model.model_copy(update={"units": Table(table.file, columns, table.lines, table.provenance)})
