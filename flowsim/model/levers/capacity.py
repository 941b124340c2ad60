"""The lever `capacity`: beds, slots, packages or staff more or fewer, dated and ramped."""

from __future__ import annotations

from datetime import date

from flowsim.model.levers.base import DAYS, Lever, LeverError, date_in_words, hours_in_words, ramp_in_words
from flowsim.model.levers.room import refuse_closed, with_change
from flowsim.model.names import near
from flowsim.model.schema import Model
from flowsim.model.settings import CapacityChange
from flowsim.model.units import below_zero, geography_of, units_changed, units_of


class Capacity(CapacityChange, Lever):
    """A dated change of capacity; the same keys as an entry of `capacity_changes`."""

    @property
    def start(self) -> date:
        """First day of the change."""
        return self.from_

    def apply(self, model: Model) -> Model:
        """The model with the change after those it has."""
        if self.setting not in model.settings:
            raise LeverError(f"there is no setting {self.setting!r}{near(self.setting, model.settings)}")
        geography = geography_of(model)
        if self.at is not None and self.at not in (spots := [*geography.places, *geography.sites]):
            raise LeverError(f"there is no place or site {self.at!r}{near(self.at, spots)}")
        if self.one_off_cost and not model.price_year:
            raise LeverError("a cost needs the `price_year` of the model")
        self._refuse_closed(model)
        change = CapacityChange.model_construct(**{name: getattr(self, name) for name in CapacityChange.model_fields})
        units = units_of(model, geography)
        try:
            units_changed(change, units)
        except ValueError as error:
            raise LeverError(str(error)) from None
        changed = with_change(model, change)
        if found := below_zero(changed, units):
            raise LeverError(f"removes more than there is: {found[1]}")
        return changed

    def _refuse_closed(self, model: Model) -> None:
        """More of what another lever closes."""
        if (self.add or 0) > 0 or self.set or (self.times or 0) > 1:
            refuse_closed(model, self.setting, self.at, self.from_)

    def describe(self) -> str:
        """The change in words."""
        where = f"{self.setting} at {self.at}" if self.at else self.setting
        if self.add is not None:
            what = f"{abs(self.add)} {'more' if self.add >= 0 else 'fewer'}"
        elif self.set is not None:
            what = f"set to {self.set}"
        elif self.times is not None:
            what = f"times {self.times:g}"
        else:
            what = f"staffed share {self.staffed_share:g}"
        hours = ""
        if self.is_timed:
            days = "" if len(self.days) == 7 else " on " + ", ".join(DAYS[day] for day in self.days)
            hours = days + (f" in the hours {hours_in_words(self.hours)}" if self.hours else "")
        return f"capacity of {where}: {what}{hours} from {date_in_words(self.from_)}{ramp_in_words(self.ramp)}"
