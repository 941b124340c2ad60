"""The lever `prevention`: fewer people fall ill, so that a share of the patients of a pathway no longer come."""

from __future__ import annotations

from flowsim.model.levers.base import Lever, LeverError, date_in_words, ramp_in_words, who_in_words
from flowsim.model.levers.room import refuse_unknown_people
from flowsim.model.names import near
from flowsim.model.prevention import Prevented, fault_of
from flowsim.model.schema import Model


class Prevention(Prevented, Lever):
    """A share of the patients of a pathway no longer come; the same keys as an entry of `prevention`.

    Need per head falls, and the same patients come but for those prevented. While its ramp lasts the share rises in
    steps of a month (365/12 days), each at what it is in the middle of the month. Of several, each takes its share of
    those whom the others leave.
    """

    def apply(self, model: Model) -> Model:
        """The model with one more share of patients who no longer come."""
        if self.pathway not in model.pathways:
            raise LeverError(f"there is no pathway {self.pathway!r}{near(self.pathway, model.pathways)}")
        pathway = model.pathways[self.pathway]
        if self.enters is not None and self.enters not in pathway.steps:
            raise LeverError(f"{self.pathway!r} has no step {self.enters!r}{near(self.enters, pathway.steps)}")
        refuse_unknown_people(model, self.age_bands, self.places)
        if (fault := fault_of(pathway, self)) is not None:
            raise LeverError(fault)
        prevented = Prevented.model_construct(**{name: getattr(self, name) for name in Prevented.model_fields})
        return model.model_copy(update={"prevention": (*model.prevention, prevented)})

    def describe(self) -> str:
        """The change in words."""
        entry = f" (who enter at {self.enters})" if self.enters else ""
        who = who_in_words(self.age_bands, self.places)
        when = f"from {date_in_words(self.start)}{ramp_in_words(self.ramp)}"
        return f"prevention: {self.share:.4g} of patients{who} of {self.pathway}{entry} no longer come {when}"
