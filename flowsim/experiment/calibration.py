"""A calibration as a person writes it: which factors of a model are fitted to what, and what is only checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from flowsim.errors import Fault, Faults, InputError
from flowsim.experiment.scenarios import (
    Replications,
    Seed,
    Year,
    parse_whole,
    refuse_unknown,
    refuse_window,
    window_of,
    with_lists,
)
from flowsim.model.calendar import Window
from flowsim.model.explaining import tell
from flowsim.model.loading import LoadedModel, frozen
from flowsim.model.names import near
from flowsim.model.parts import Amount, Name, Number, Part, Positive, Text, WholeDuration
from flowsim.model.reading import KeyPath, Tree, field_name, read_yaml

FILE = "calibration.yaml"
ALL = "all"


class Quantity(Part):
    """A measure of the model beside a published figure, and how far they may lie apart."""

    measure: Name = Field(description="name of a measure")
    of: dict[Name, tuple[Name, ...]] = Field(default_factory=dict, description="only rows with these")
    less: dict[Name, tuple[Name, ...]] = Field(
        default_factory=dict, description="what is subtracted: the same measure of these instead"
    )
    label: Text = Field("", description="how tables call it; its name if left out")
    within: Positive | None = Field(None, description="in the unit of the measure: 0.03 of a share is 3 points")
    within_share: Positive | None = Field(None, description="share of the published figure: 0.03 is 3% of it")
    within_times: Positive | None = Field(None, description="2 is from half of the published figure to twice")
    at_most: Amount | None = Field(None, description="the published figure is not tested, only this")
    reason: Text = Field("", description="why it is out of tolerance; told where it is")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        return with_lists(data, "of", "less")

    @model_validator(mode="after")
    def _known(self) -> Quantity:
        refuse_unknown(self.measure, (*self.of, *self.less))
        if sum(one is not None for one in (self.within, self.within_share, self.within_times, self.at_most)) != 1:
            raise ValueError("give exactly one of within, within_share, within_times, at_most")
        if self.within_times is not None and self.within_times <= 1:
            raise ValueError("within_times must be above 1, such as 2 for half to twice")
        return self

    def bounds(self, published: float) -> tuple[float | None, float]:
        """Lowest and highest value that is within tolerance of a published one."""
        if self.at_most is not None:
            return None, self.at_most
        if self.within_times is not None:
            return tuple(sorted((published / self.within_times, published * self.within_times)))  # type: ignore[return-value]
        apart = self.within if self.within is not None else (self.within_share or 0) * abs(published)
        return published - apart, published + apart


class Target(Quantity):
    """What a fitted factor is fitted to: one figure, within a tolerance."""

    target: Number

    @model_validator(mode="after")
    def _has_a_width(self) -> Target:
        low, high = self.bounds(self.target)
        if low is None or self.within_times is not None or low >= high:
            raise ValueError("a target needs `within`, or `within_share` of a figure that is not 0")
        return self


class Check(Quantity):
    """A published figure that nothing is fitted to, or one for each value of an attribute."""

    by: Name | None = Field(None, description="attribute to tell it apart by")
    published: dict[Name, Number] = Field(description="the figure, or {value of `by`: figure}")

    @model_validator(mode="before")
    @classmethod
    def _one_figure(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("published"), int | float):
            data = {**data, "published": {ALL: data["published"]}}
        return data

    @model_validator(mode="after")
    def _told_apart(self) -> Check:
        refuse_unknown(self.measure, (*self.of, *([] if self.by is None else [self.by])))
        if (self.by is None) != (list(self.published) == [ALL]):
            raise ValueError("give one published figure, or `by` and a figure for each of its values")
        return self


class Calibration(Part):
    """How a model is calibrated: a file `calibration.yaml` beside it. Exactly one of `years` and `days`."""

    flowsim: Literal[1] = Field(description="version of the language")
    title: Text
    years: tuple[Year, ...] = Field((), description="model years measured, such as [2018/19]")
    days: Annotated[int, parse_whole(1, 36_500)] | None = Field(None, description="days measured")
    warm_up: WholeDuration = Field(0, description="whole days run before, and not measured")
    seed: Seed = 1
    replications: Replications = Field(8, description="of each trial, all on the same patients")
    rounds: Annotated[int, parse_whole(1, 50)] = Field(8, description="most rounds of trials")
    confirmation: Replications = Field(20, description="fresh replications for the tables, none of them fitted to")
    fitted: dict[Name, Target] = Field(default_factory=dict, description="a target for each fitted factor of the model")
    by_rule: dict[Name, Text] = Field(default_factory=dict, description="what is fixed, and by which rule")
    checked: dict[Name, Check] = Field(default_factory=dict, description="figures that nothing is fitted to")

    @model_validator(mode="after")
    def _whole(self) -> Calibration:
        refuse_window(self.years, self.days, self.warm_up)
        if not self.fitted and not self.checked:
            raise ValueError("nothing is fitted and nothing checked: give a target or a published figure")
        if twice := sorted(self.fitted.keys() & self.checked.keys()):
            raise ValueError(f"'{twice[0]}' is both fitted and checked: what is checked needs a name of its own")
        return self


@dataclass(frozen=True)
class LoadedCalibration:
    """A model and how it is calibrated; `tree` is what the calibration was read from."""

    model: LoadedModel
    plan: Calibration
    tree: Tree

    @property
    def window(self) -> Window:
        """When a run begins, how long it warms up and when it ends."""
        plan, start = self.plan, self.model.model.start
        return window_of(start, plan.years, plan.days, plan.warm_up, "month")

    def source_of(self, path: KeyPath) -> str:
        """Where a figure is from."""
        return self.tree.provenance_of(path).source or ""

    def refusal(self, path: KeyPath, value: str, message: str) -> InputError:
        """A field of the calibration is refused."""
        return InputError([Fault(self.tree.file, self.tree.line(path), field_name(path), value, message)])


def load_calibration(loaded: LoadedModel) -> LoadedCalibration:
    """The calibration beside a model. Raises InputError with all its faults, or if there is none."""
    file = loaded.files[0].parent / FILE
    if not file.is_file():
        message = f"has no {FILE} beside it, which says what is fitted to what"
        raise InputError([Fault(str(loaded.files[0]), None, "", "", message)])
    faults = Faults()
    tree = read_yaml(Path(file), faults)
    plan: Calibration | None = None
    if tree is not None:
        try:
            plan = Calibration.model_validate(frozen(tree.data))
        except ValidationError as error:
            tell(error, tree, Calibration, faults)
    faults.raise_if_any()
    assert tree is not None and plan is not None
    _check(LoadedCalibration(loaded, plan, tree), faults)
    faults.raise_if_any()
    return LoadedCalibration(loaded, plan, tree)


def _check(found: LoadedCalibration, faults: Faults) -> None:
    """The factors of the model are those that have a target, and every figure has a source."""
    tree, factors = found.tree, found.model.model.fitted
    for name in found.plan.fitted:
        if name not in factors:
            message = "the model has no fitted factor of this name" + near(name, factors)
            faults.add(tree.file, tree.line(("fitted", name)), field_name(("fitted", name)), name, message)
    for name in factors:
        if name not in found.plan.fitted:
            message = f"the model's fitted factor '{name}' has no target: give it one"
            faults.add(tree.file, tree.line(("fitted",)), "fitted", None, message)
    for kind, figure in (("fitted", "target"), ("checked", "published")):
        for name in getattr(found.plan, kind):
            if tree.provenance_of((kind, name, figure)).source is None:
                path = (kind, name)
                faults.add(tree.file, tree.line(path), field_name(path), None, "has no source: say where it is from")
