"""The lever `community shift`: attendances, admissions, outpatients or days of stay, cared for elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, model_validator

from flowsim.model.fitted import times_length
from flowsim.model.levers.base import Lever, LeverError, date_in_words, ramp_in_words, who_in_words
from flowsim.model.levers.room import closings, refuse_full, refuse_unknown_people
from flowsim.model.levers.steads import Stead, door_of, in_stead, new_name, step_in, with_shift
from flowsim.model.names import near
from flowsim.model.parts import LEAVE, Share, Shares
from flowsim.model.pathways import At, CareShift
from flowsim.model.schema import Model
from flowsim.model.units import shares_above_one


class CommunityShift(CareShift, Lever):
    """A share of the patients of a step go elsewhere; the same keys as an entry of `shifts`.

    `to` is a step of their pathway or, where it has none, a setting: they are then cared for there, as long as others
    in it and to the end; who waits longer than those others would comes to the step after all.
    With `stay_share` they come as before and spend this share of their stay, its end, in another setting: `to` names
    it, or a step in it. The bed is kept until there is a place. The whole stay, the patient's luck and what follows
    are as before.
    """

    stay_share: Share | None = Field(None, description="share of each stay that is spent in the setting of `to`")

    @model_validator(mode="after")
    def _part(self) -> CommunityShift:
        if self.stay_share is not None and not 0 < self.stay_share < 1:
            raise ValueError("stay_share must be above 0 and below 1: for whole stays leave it out")
        return self

    def apply(self, model: Model) -> Model:
        """The model with the shift after those it has."""
        if self.pathway is not None and self.pathway not in model.pathways:
            raise LeverError(f"there is no pathway {self.pathway!r}{near(self.pathway, model.pathways)}")
        pathways = model.pathways if self.pathway is None else {self.pathway: model.pathways[self.pathway]}
        steps = list(dict.fromkeys(step for pathway in pathways.values() for step in pathway.steps))
        if self.from_ not in steps:
            raise LeverError(f"there is no step {self.from_!r}{near(self.from_, steps)}")
        refuse_unknown_people(model, self.age_bands, self.places)
        having = [name for name, pathway in pathways.items() if self.from_ in pathway.steps]
        if self.stay_share is not None:
            for name in having:
                model = self._stay(model, name)
            return model
        if self.to not in steps and self.to in model.settings:
            return self._to_setting(model, having)
        if self.to not in steps:
            raise LeverError(f"there is no step or setting {self.to!r}{near(self.to, [*steps, *model.settings])}")
        if self.from_ == self.to:
            raise LeverError(f"{self.to!r} is both from and to: patients must go elsewhere")
        having = [name for name in having if self.to in pathways[name].steps]
        if not having:
            raise LeverError(f"{self.from_!r} and {self.to!r} must be steps of one pathway")
        for where, to in self._targets(model, having):
            refuse_full(model, pathways[having[0]].steps[self.to].in_, self.start)
            model = self._shifted(model, to, where)
        return model

    def _to_setting(self, model: Model, having: list[str]) -> Model:
        """The shift to a new step in a setting, in each pathway."""
        template = step_in(model, self.to)
        if template is None:
            raise LeverError(f"nobody is cared for in {self.to!r} yet, so nobody knows how long: name a step")
        for name in having:
            pathway = model.pathways[name]
            step = pathway.steps[self.from_]
            if step.in_ == self.to:
                raise LeverError(f"{self.from_!r} is in {self.to!r} already: patients must go elsewhere")
            refuse_full(model, self.to, self.start)
            to = new_name(pathway, f"{self.from_}, in {self.to}")
            there = template.model_copy(
                update={
                    "then": Shares(everybody={LEAVE: 1.0}),
                    "patience": template.patience and template.patience.model_copy(update={"otherwise": self.from_}),
                    "holds": step.holds,
                    **dict.fromkeys(("queue_limit", "divert", "luck_of")),
                }
            )
            model = self._shifted(model.with_steps(name, {to: there}), to, name)
        return model

    def _shifted(self, model: Model, to: str, pathway: str | None) -> Model:
        """The model with the shift. Raises LeverError if more than all patients would leave."""
        model = with_shift(model, self._shift(to, pathway))
        if shares_above_one(model) is not None:
            raise LeverError(f"with the shifts before it more than all patients would leave {self.from_!r}")
        return model

    def _shift(self, to: str, pathway: str | None) -> CareShift:
        kept = {name: getattr(self, name) for name in CareShift.model_fields}
        return CareShift.model_construct(**{**kept, "to": to, "pathway": pathway})

    def _targets(self, model: Model, having: list[str]) -> Iterator[tuple[str | None, str]]:
        """(pathway, step) to shift to: the door of what is closed at some site, the same in every pathway if it may."""
        doors = {name: door_of(model.pathways[name], self.to) for name in having}
        if not any(doors.values()):
            yield self.pathway, self.to
            return
        yield from ((name, door or self.to) for name, door in doors.items())

    def _stay(self, model: Model, name: str) -> Model:
        """The end of a stay in another setting, for the patients of one pathway."""
        assert self.stay_share is not None
        pathway = model.pathways[name]
        step = pathway.steps[self.from_]
        if self.to not in (*pathway.steps, *model.settings):
            known = [*model.settings, *pathway.steps]
            raise LeverError(f"there is no setting or step {self.to!r} for the rest of the stay{near(self.to, known)}")
        template = pathway.steps.get(self.to) or step_in(model, self.to)
        setting = self.to if self.to in model.settings else pathway.steps[self.to].in_
        if setting == step.in_:
            raise LeverError(f"{self.from_!r} is in {setting!r} already: the rest of the stay must be spent elsewhere")
        if door_of(pathway, self.from_) is not None:
            closed = ", ".join(closings(model, step.in_))
            raise LeverError(f"{self.from_!r} is closed at {closed}: list this shift before `close service`")
        if any(one.luck_of == self.from_ for one in pathway.steps.values()):
            raise LeverError(f"days of {self.from_!r} are shifted already: say it in one lever")
        if step.stay.listed is not None or step.preempts:
            why = "its stays are listed" if step.stay.listed is not None else "its patients go first"
            raise LeverError(f"the stay of {self.from_!r} cannot be divided: {why}")
        refuse_full(model, setting, self.start)
        begins = new_name(pathway, f"{self.from_}, first part")
        ends = new_name(pathway, f"{self.from_}, in {setting}")
        lucky = step.luck_of or self.from_
        first = step.model_copy(
            update={
                "stay": times_length(step.stay, 1 - self.stay_share),
                "then": Shares(everybody={ends: 1.0}),
                "luck_of": lucky,
            }
        )
        rest = first.model_copy(
            update={
                "in_": setting,
                "at": template.at if template is not None else At(rule="own place"),
                "stay": times_length(step.stay, self.stay_share),
                "priority": template.priority if template is not None else step.priority,
                "then": step.then,
                "holds": (begins,),
                **dict.fromkeys(("patience", "queue_limit", "divert", "waits_for")),
                "rounds": (),
            }
        )
        model = in_stead(model, name, {begins: first, ends: rest}, {self.from_: Stead(begins, ends)})
        return with_shift(model, self._shift(begins, name))

    def describe(self) -> str:
        """The change in words."""
        who = who_in_words(self.age_bands, self.places)
        where = f" ({self.pathway})" if self.pathway else ""
        when = f"from {date_in_words(self.start)}{ramp_in_words(self.ramp)}"
        if self.stay_share is not None:
            days = f"the last {self.stay_share:.4g} of the stay of {self.share:.4g} of patients{who} in {self.from_}"
            return f"community shift: {days}{where} is spent in {self.to} {when}"
        what = f"{self.share:.4g} of patients{who} go to {self.to} instead of {self.from_}{where}"
        return f"community shift: {what} {when}"
