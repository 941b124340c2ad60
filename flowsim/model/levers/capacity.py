"""The lever `capacity`: beds, slots, packages or staff more or fewer, dated and ramped."""

from __future__ import annotations

from datetime import date

from flowsim.model.changing import below_zero, changes_by_unit, spread, units_changed
from flowsim.model.levers.base import DAYS, Lever, LeverError, date_in_words, hours_in_words, ramp_in_words
from flowsim.model.levers.room import closed_by, with_change
from flowsim.model.names import near
from flowsim.model.places import Geography
from flowsim.model.schema import Model
from flowsim.model.settings import CapacityChange
from flowsim.model.units import Unit, geography_of, units_of


class Capacity(CapacityChange, Lever):
    """A dated change of capacity; the same keys as an entry of `capacity_changes`.

    What is added to a place or trust goes to the units that no lever before it closes.
    """

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
        change = CapacityChange.model_construct(**{name: getattr(self, name) for name in CapacityChange.model_fields})
        units = units_of(model, geography)
        changed = model
        try:
            for one in self._parts(model, change, units, geography):
                changed = with_change(changed, one)
            found = below_zero(changed, units, geography)
        except ValueError as error:
            raise LeverError(str(error)) from None
        if found is not None:
            raise LeverError(f"removes more than there is: {found[1]}")
        return changed

    def _parts(
        self, model: Model, change: CapacityChange, units: dict[str, Unit], geography: Geography
    ) -> list[CapacityChange]:
        """The change; of a place or trust with several units, one for each that no other lever closes."""
        found = units_changed(change, units, geography)
        is_more = (self.add or 0) > 0 or bool(self.set) or (self.times or 0) > 1
        closed = closed_by(model, self.setting, self.from_) if is_more else {}
        there = [unit for unit in found if unit.at not in closed]
        is_spread = len(found) > 1 and (self.at is not None or self.trust is not None)
        if len(there) < len(found) and not (is_spread and there):
            at, since = next(one for one in closed.items() if one[0] in {unit.at for unit in found})
            when = date_in_words(since)
            raise LeverError(f"{self.setting!r} at {at} is closed from {when}: change it before, or leave it open")
        if not is_spread:
            return [change]
        if change.add is None:
            parts = [change.model_copy(update={"at": unit.at, "trust": None}) for unit in there]
        else:
            before = changes_by_unit(model, units, geography)
            parts = spread(change, there, {unit.name: [one for _, one in before[unit.name]] for unit in there})
        free = [one.model_copy(update={"one_off_cost": 0.0}) for one in parts[1:]]
        return [one for one in (parts[0], *free) if one.add != 0 or one.one_off_cost]

    def describe(self) -> str:
        """The change in words."""
        where = f"{self.setting} at {self.at}" if self.at else self.setting
        where = f"{self.setting} of {self.trust}" if self.trust else where
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
