"""What every lever is: a typed change of a model, and what it says of itself."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from flowsim.model.parts import Part
from flowsim.model.quantities import UNITS_MS
from flowsim.model.schema import Model


class LeverError(ValueError):
    """A lever does not fit the model; the text says what would be right, on one line."""


class Lever(Part):
    """A change of a model. `apply` makes a new model and never changes one."""

    if TYPE_CHECKING:  # A property here would hide the field of levers that are written with a `start`.

        @property
        def start(self) -> date | None:
            """First day on which the lever changes anything; None if it has no date."""

    def apply(self, model: Model) -> Model:
        """The model with this change. Raises LeverError if it does not fit the model."""
        raise NotImplementedError

    def describe(self) -> str:
        """The change in words."""
        raise NotImplementedError


def length_in_words(milliseconds: float) -> str:
    """A length of time in the largest unit that measures it in whole numbers, such as `3 months`."""
    if milliseconds <= 0:
        return "no time"
    for unit in sorted(UNITS_MS, key=lambda one: -UNITS_MS[one]):
        number, rest = divmod(milliseconds, UNITS_MS[unit])
        if number and not rest:
            return f"{number:g} {unit}{'' if number == 1 else 's'}"
    return f"{milliseconds:g} milliseconds"


def date_in_words(day: date) -> str:
    """A date such as `1 April 2018`."""
    return f"{day.day} {day:%B} {day.year}"


def ramp_in_words(milliseconds: float) -> str:
    """`, coming in over 3 months`, or nothing if the change comes at once."""
    return f", coming in over {length_in_words(milliseconds)}" if milliseconds else ""


def who_in_words(age_bands: tuple[str, ...], places: tuple[str, ...]) -> str:
    """` aged 65+ of Croydon, Merton`, or nothing for all."""
    aged = f" aged {', '.join(age_bands)}" if age_bands else ""
    return f"{aged} of {', '.join(places)}" if places else aged


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def hours_in_words(hours: tuple[int, int]) -> str:
    """Hours of a day such as `22:00-24:00`."""
    return "-".join(f"{at // 3_600_000:02d}:{at // 60_000 % 60:02d}" for at in hours)
