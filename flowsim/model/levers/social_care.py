"""The lever `social care`: who is offered it, and how many packages or places there are."""

from __future__ import annotations

from pydantic import Field, model_validator

from flowsim.model.levers.base import Lever, LeverError, date_in_words, ramp_in_words, who_in_words
from flowsim.model.levers.capacity import Capacity
from flowsim.model.levers.care_shift import CommunityShift
from flowsim.model.levers.room import refuse_unknown_people
from flowsim.model.names import near
from flowsim.model.parts import Amount, Date, Duration, Name, Share, Whole
from flowsim.model.pathways import CareShift
from flowsim.model.places import Geography
from flowsim.model.schema import Model
from flowsim.model.units import geography_of


class SocialCare(Lever):
    """Fewer people offered a kind of social care, packages or places more or fewer, or both.

    Those who are not offered it go to the step named, such as home without care; what becomes of them there, and who
    comes back to hospital, is in the model.
    """

    setting: Name = Field(description="the kind of care: home care, care home ...")
    start: Date = Field(alias="from", description="first day")
    ramp: Duration = Field(0, description="time until the whole of it is done")
    refused_share: Share | None = Field(
        None, description="threshold raised: share of those who would get it and are not offered any"
    )
    instead: Name | None = Field(None, description="the step of those who are not offered it: home without care ...")
    age_bands: tuple[Name, ...] = Field((), description="the threshold is raised for these; for all if left out")
    places: tuple[Name, ...] = Field(
        (), description="the threshold is raised for who lives in these; for all if left out"
    )
    add: Whole | None = Field(None, description="packages or places more (or fewer)")
    times: Amount | None = Field(None, description="factor on packages or places")
    at: Name | None = Field(
        None, description="site or place of the packages, or a place that holds several; needed with `add`"
    )

    @model_validator(mode="after")
    def _says_something(self) -> SocialCare:
        if (self.refused_share is None) != (self.instead is None):
            raise ValueError("refused_share and instead go together: say who is not offered care, and where they go")
        if self.add is not None and self.times is not None:
            raise ValueError("give add or times, not both")
        if self.refused_share is None and self.add is None and self.times is None:
            raise ValueError("give refused_share with instead, add or times")
        if self.at is not None and self.add is None and self.times is None:
            raise ValueError("at says which packages change: give add or times with it")
        if (self.age_bands or self.places) and self.refused_share is None:
            field = "age_bands" if self.age_bands else "places"
            raise ValueError(f"{field} says who is not offered care: give refused_share with it")
        return self

    def apply(self, model: Model) -> Model:
        """The model with the threshold raised and the packages changed."""
        if self.setting not in model.settings:
            raise LeverError(f"there is no setting {self.setting!r}{near(self.setting, model.settings)}")
        if self.instead is not None:
            model = self._threshold(model, self.instead)
        if self.add is not None or self.times is not None:
            change = Capacity.model_construct(
                setting=self.setting, at=self.at, add=self.add, times=self.times, from_=self.start, ramp=self.ramp
            )
            model = change.apply(model)
        return model

    def _threshold(self, model: Model, instead: str) -> Model:
        steps = {
            (name, step)
            for name, pathway in model.pathways.items()
            for step, content in pathway.steps.items()
            if content.in_ == self.setting and step != instead and instead in pathway.steps
        }
        if not steps:
            known = dict.fromkeys(
                step
                for pathway in model.pathways.values()
                if any(content.in_ == self.setting for content in pathway.steps.values())
                for step in pathway.steps
            )
            raise LeverError(f"no pathway with {self.setting!r} has a step {instead!r}{near(instead, known)}")
        refuse_unknown_people(model, self.age_bands, self.places)
        geography = geography_of(model)
        for name, step in sorted(steps):
            for shift in model.shifts:
                same = (shift.from_, shift.to) == (step, instead) and shift.pathway in (None, name)
                if same and not self._is_for_others(shift, geography):
                    since = date_in_words(shift.start)
                    raise LeverError(f"a share of {step!r} is not offered it from {since} already: say it in one lever")
            assert self.refused_share is not None
            away = CommunityShift.model_construct(
                from_=step,
                to=instead,
                share=self.refused_share,
                start=self.start,
                ramp=self.ramp,
                pathway=name,
                age_bands=self.age_bands,
                places=self.places,
            )
            model = away.apply(model)
        return model

    def _is_for_others(self, shift: CareShift, geography: Geography) -> bool:
        """Whether a shift is for patients of other ages, or who live elsewhere."""
        ages = bool(shift.age_bands and self.age_bands) and not {*shift.age_bands} & {*self.age_bands}
        return ages or (bool(shift.places and self.places) and geography.are_apart(shift.places, self.places))

    def describe(self) -> str:
        """The change in words."""
        words = []
        if self.refused_share is not None:
            who = who_in_words(self.age_bands, self.places)
            words.append(f"{self.refused_share:.4g} of those{who} who would get it go to {self.instead} instead")
        where = f" at {self.at}" if self.at else ""
        if self.add is not None:
            words.append(f"{abs(self.add)} {'more' if self.add >= 0 else 'fewer'}{where}")
        if self.times is not None:
            words.append(f"capacity{where} times {self.times:g}")
        when = f"from {date_in_words(self.start)}{ramp_in_words(self.ramp)}"
        return f"social care: {self.setting}: {'; '.join(words)} {when}"
