"""The lever `community shift`: patients on their way to one step go to another instead."""

from __future__ import annotations

from flowsim.model.ages import age_bands_of
from flowsim.model.levers.base import Lever, LeverError, date_in_words, ramp_in_words
from flowsim.model.names import near
from flowsim.model.pathways import CareShift
from flowsim.model.schema import Model
from flowsim.model.units import shares_above_one


class CommunityShift(CareShift, Lever):
    """A share of the patients of a step go elsewhere; the same keys as an entry of `shifts`."""

    def apply(self, model: Model) -> Model:
        """The model with the shift after those it has."""
        if self.pathway is not None and self.pathway not in model.pathways:
            raise LeverError(f"there is no pathway {self.pathway!r}{near(self.pathway, model.pathways)}")
        pathways = model.pathways if self.pathway is None else {self.pathway: model.pathways[self.pathway]}
        steps = list(dict.fromkeys(step for pathway in pathways.values() for step in pathway.steps))
        for step in (self.from_, self.to):
            if step not in steps:
                raise LeverError(f"there is no step {step!r}{near(step, steps)}")
        if self.from_ == self.to:
            raise LeverError(f"{self.to!r} is both from and to: patients must go elsewhere")
        if not any({self.from_, self.to} <= set(pathway.steps) for pathway in pathways.values()):
            raise LeverError(f"{self.from_!r} and {self.to!r} must be steps of one pathway")
        bands = age_bands_of(model)
        for band in self.age_bands:
            if band not in bands:
                raise LeverError(f"there is no age band {band!r}{near(band, bands)}")
        shift = CareShift.model_construct(**{name: getattr(self, name) for name in CareShift.model_fields})
        changed = model.model_copy(update={"shifts": (*model.shifts, shift)})
        if shares_above_one(changed):
            raise LeverError(f"with the shifts before it more than all patients would leave {self.from_!r}")
        return changed

    def describe(self) -> str:
        """The change in words."""
        who = f" aged {', '.join(self.age_bands)}" if self.age_bands else ""
        where = f" ({self.pathway})" if self.pathway else ""
        what = f"{self.share:.4g} of patients{who} go to {self.to} instead of {self.from_}{where}"
        return f"community shift: {what} from {date_in_words(self.start)}{ramp_in_words(self.ramp)}"
