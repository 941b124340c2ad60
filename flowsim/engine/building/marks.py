"""What all of building shares: numbers for names, marks, rows of shares, distributions, and flat arrays."""

from __future__ import annotations

import itertools
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np

from flowsim.engine.addresses import step_hash
from flowsim.engine.network import LEAVE, Floats, Ints
from flowsim.errors import Fault, InputError, show
from flowsim.model import parts
from flowsim.model.parts import Shares
from flowsim.model.places import Geography
from flowsim.model.schema import Model

AGE_BAND, PLACE, GROUPS = 0, 1, 2
"""Marks of a patient: its age band, its place of residence, and groups from here on."""
ALL_AGES = "all ages"
"""The only age band of a model that has none."""


def refuse(model: Model, field: str, value: object, message: str) -> NoReturn:
    """Raise InputError for a fault that shows only when a model is made ready to run."""
    raise InputError((Fault(model.name, None, field, "" if value is None else show(value), message),))


def ints(values: Iterable[int]) -> Ints:
    """A read-only array of int64."""
    return frozen(np.array(list(values), dtype=np.int64))  # type: ignore[no-any-return]


def floats(values: Iterable[float]) -> Floats:
    """A read-only array of float64."""
    return frozen(np.array(list(values), dtype=np.float64))  # type: ignore[no-any-return]


def frozen(array: Any) -> Any:
    """The same array, contiguous and read-only."""
    array = np.ascontiguousarray(array)
    array.setflags(write=False)
    return array


class Ragged:
    """A list of lists, stored flat: row i is flat[first[i] : first[i + 1]]."""

    def __init__(self) -> None:
        self.first = [0]
        self.flat: list[Any] = []

    def add(self, row: Iterable[Any]) -> int:
        """Append a row; its number."""
        self.flat.extend(row)
        self.first.append(len(self.flat))
        return len(self.first) - 2


class Shared:
    """Lists that many rows may share: the same content is stored once."""

    def __init__(self) -> None:
        self.flat: list[Any] = []
        self.known: dict[Hashable, int] = {}

    def add(self, content: Sequence[Any]) -> int:
        """Where a list stands in `flat`, appended if it is new."""
        key = tuple(content)
        if key not in self.known:
            self.known[key] = len(self.flat)
            self.flat.extend(content)
        return self.known[key]


def exact(value: float) -> Fraction:
    """A number as it was written, so that 0.29 x 50 is 14.5."""
    return Fraction(str(value))


def half_up(value: Fraction) -> int:
    """The nearest whole number, halves upwards."""
    return (value + Fraction(1, 2)).__floor__()


class Marks:
    """Marks of a patient and their values, by number: `age_band`, `place` and the groups."""

    def __init__(self, model: Model, base: Model, geography: Geography) -> None:
        self.model, self.geography = model, geography
        self.groups = tuple((name, _values(shares)) for name, shares in model.groups.items())
        self.age_bands = age_bands(model, base)
        self.places = tuple(geography.places)
        self.values: dict[str, dict[str, int]] = {
            "age_band": numbered(self.age_bands),
            "place": numbered(self.places),
            **{name: numbered(values) for name, values in self.groups},
        }
        self.number = numbered(self.values)

    @property
    def count(self) -> int:
        """Marks of a patient."""
        return len(self.values)

    def by(self, field: str, name: str | None) -> int:
        """Number of the mark something depends on; -1 if on none."""
        if name is None:
            return -1
        if name not in self.number:
            refuse(self.model, field, name, f"is no mark; marks are {', '.join(self.values)}")
        return self.number[name]

    def in_order(self, field: str, name: str, of: Mapping[str, Any], default: Any = None) -> list[Any]:
        """One entry for each value of a mark; a place without its own has that of the nearest place above it.

        A value without an entry is refused, unless a default is given.
        """
        self.by(field, name)
        unknown = [value for value in of if value not in self.values[name]]
        if unknown:
            refuse(self.model, field, unknown[0], f"is no value of {name}")
        found = []
        for value in self.values[name]:
            names = [value]
            if name == "place":
                names = [place.name for place in self.geography.upwards(value)]
            entry = next((of[one] for one in names if one in of), default)
            if entry is None:
                refuse(self.model, field, value, f"has no entry, and every {name} needs one")
            found.append(entry)
        return found


def age_bands(*models: Model) -> tuple[str, ...]:
    """All age bands that models speak of, youngest first; one band for all ages if there are none."""
    found: dict[str, None] = {}
    for model in models:
        if model.population is not None:
            found.update(dict.fromkeys(model.population.table.columns["age_band"]))
        for pathway in model.pathways.values():
            for source in pathway.arrivals:
                found.update(dict.fromkeys(source.ages))
                if source.trace is not None:
                    found.update(dict.fromkeys(source.trace.columns.get("age_band", ())))
                if source.need is not None:
                    found.update(dict.fromkeys(source.need.by_age))
                    for row in source.need.by_place.values():
                        found.update(dict.fromkeys(row))
            for step in pathway.steps.values():
                if step.then.by == "age_band":
                    found.update(dict.fromkeys(step.then.of))
                if step.priority.by == "age_band":
                    found.update(dict.fromkeys(step.priority.of))
        for shares in model.groups.values():
            if shares.by == "age_band":
                found.update(dict.fromkeys(shares.of))
        for shift in model.shifts:
            found.update(dict.fromkeys(shift.age_bands))
    found.pop(None, None)  # type: ignore[call-overload]
    return tuple(sorted(found, key=_youngest)) or (ALL_AGES,)


def _youngest(band: str) -> tuple[int, str]:
    digits = re.match(r"\d+", band)
    return (int(digits[0]) if digits else 1000, band)


def _values(shares: Shares) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for row in shares.rows() for value in row))


def numbered(names: Iterable[str]) -> dict[str, int]:
    """Names with their numbers, from 0."""
    return {name: number for number, name in enumerate(names)}


class Rows:
    """Rows of cumulative shares in written order: routing, and the values of groups."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks
        self.rows = Ragged()
        self.to: list[int] = []
        self.known: dict[Hashable, int] = {}

    def add(self, field: str, shares: Shares, target: Mapping[str, int]) -> tuple[int, int]:
        """(mark that chooses the row or -1, first row) of shares whose targets are numbered by `target`."""
        if shares.by is None:
            rows = [shares.everybody]
        else:
            rows = self.marks.in_order(field, shares.by, shares.of, default=self._nowhere(shares, target))
        content = tuple(tuple((target[to], share) for to, share in row.items()) for row in rows)
        if content not in self.known:
            self.known[content] = len(self.rows.first) - 1
            for row in content:
                self.rows.add(cumulative([share for _, share in row]))
                self.to.extend(to for to, _ in row)
        return self.marks.by(field, shares.by), self.known[content]

    def _nowhere(self, shares: Shares, target: Mapping[str, int]) -> dict[str, float] | None:
        """What a place above or beside those in the table does: it has no patients, so any row will do."""
        if shares.by != "place" or not shares.of:
            return None
        return next(iter(shares.of.values()))


def cumulative(shares: Sequence[float]) -> list[float]:
    """Running sums of shares; exactly 1 from the last share above 0 on."""
    last = max((i for i, share in enumerate(shares) if share > 0), default=len(shares) - 1)
    sums = itertools.accumulate(shares)
    return [1.0 if i >= last else min(total, 1.0) for i, total in enumerate(sums)]


def words(model: Model, field: str, names: Iterable[str]) -> list[int]:
    """32-bit hashes of names, which must differ: they are part of the addresses of random numbers."""
    found: dict[int, str] = {}
    for name in names:
        word = step_hash(name)
        if word in found:
            refuse(model, field, name, f"has the same hash as '{found[word]}': change one of the two names")
        found[word] = name
    return list(found)


def step_numbers(steps: Iterable[str], first: int) -> dict[str, int]:
    """Steps of one pathway by name, numbered from `first`, and the word for leaving."""
    return {**{name: first + i for i, name in enumerate(steps)}, parts.LEAVE: LEAVE}
