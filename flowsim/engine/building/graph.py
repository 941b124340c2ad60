"""The steps of all pathways as a graph: which can follow which, and what is kept on the way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from flowsim.engine.building.marks import Marks, Ragged, floats, frozen, ints, refuse, step_numbers, words
from flowsim.engine.network import LEAVE
from flowsim.model.calendar import date_ms
from flowsim.model.parts import Shares
from flowsim.model.pathways import CareShift, Step
from flowsim.model.schema import Model


class Graph:
    """Steps of all pathways in written order, numbered through, and the ways between them."""

    def __init__(self, model: Model, marks: Marks) -> None:
        self.model, self.marks = model, marks
        self.steps: list[tuple[str, str, Step]] = []
        self.number: dict[str, dict[str, int]] = {}
        self.word: list[int] = []
        for name, pathway in model.pathways.items():
            self.number[name] = step_numbers(pathway.steps, len(self.steps))
            self.steps.extend((name, step, content) for step, content in pathway.steps.items())
            word = dict(zip(pathway.steps, words(model, f"pathways: {name}: steps", pathway.steps), strict=True))
            for step, content in pathway.steps.items():
                if content.luck_of is not None and content.luck_of not in word:
                    refuse(model, f"pathways: {name}: steps: {step}: luck_of", content.luck_of, "is no step of it")
                self.word.append(word[content.luck_of or step])
        self.shifts = self._care_shifts()
        follows = {self.find(f"responses: {name}", one.changes.share) for name, one in model.responses.items()
                   if one.changes.share is not None}  # fmt: skip
        self.turned = [self._turned_away(k) for k in range(len(self.steps))]
        self.onward = [self._onward(k, k in follows) for k in range(len(self.steps))]

    def field(self, step: int) -> str:
        """Where a step stands in the model."""
        return f"pathways: {self.steps[step][0]}: steps: {self.steps[step][1]}"

    def find(self, field: str, name: str) -> int:
        """A step by its name, `pathway: step` where several pathways have it."""
        pathway, _, step = name.rpartition(": ")
        found = [
            k
            for k, (of, here, _) in enumerate(self.steps)
            if here == (step if pathway in self.number else name) and pathway in ("", of)
        ]
        if len(found) != 1:
            what = "is a step of several pathways: write `pathway: step`" if found else "is no step of a pathway"
            refuse(self.model, field, name, what)
        return found[0]

    def target(self, step: int, field: str, name: str) -> int:
        """A step of the same pathway by name, or leaving."""
        numbers = self.number[self.steps[step][0]]
        if name not in numbers:
            refuse(self.model, f"{self.field(step)}: {field}", name, "is no step of this pathway, nor `leave`")
        return numbers[name]

    def shares(self, step: int) -> Shares:
        """Where next, with every target known."""
        then = self.steps[step][2].then
        for row in then.rows():
            for name in row:
                self.target(step, "then", name)
        return then

    def _care_shifts(self) -> list[list[tuple[int, CareShift]]]:
        found: list[list[tuple[int, CareShift]]] = [[] for _ in self.steps]
        for number, shift in enumerate(self.model.shifts, start=1):
            field = f"shifts[{number}]"
            if shift.pathway is not None and shift.pathway not in self.number:
                refuse(self.model, field, shift.pathway, "is no pathway of the model")
            pathways = [shift.pathway] if shift.pathway is not None else list(self.number)
            has = [name for name in pathways if {shift.from_, shift.to} <= set(self.model.pathways[name].steps)]
            if not has:
                refuse(self.model, field, f"{shift.from_} to {shift.to}", "are not both steps of a pathway")
            for name in has:
                found[self.number[name][shift.from_]].append((self.number[name][shift.to], shift))
        return found

    def instead(self, step: int) -> list[int]:
        """The step and those that a shift of care may lead to in its place."""
        return [step, *(to for to, _ in self.shifts[step])] if step != LEAVE else []

    def _turned_away(self, step: int) -> list[int]:
        """Steps of those who wait too long for a step, or find its queue full."""
        _, _, content = self.steps[step]
        found = []
        if content.patience is not None:
            found.append(self.target(step, "patience", content.patience.otherwise))
        if content.queue_limit is not None:
            found.append(self.target(step, "queue_limit", content.queue_limit.otherwise))
        return [to for to in found if to != LEAVE]

    def _onward(self, step: int, follows_response: bool) -> list[int]:
        """Steps that patients whose stay is over may go to."""
        numbers = self.number[self.steps[step][0]]
        found: dict[int, None] = {}
        for row in self.shares(step).rows():
            for place, (name, share) in enumerate(row.items()):
                if share > 0 or (follows_response and place == 0):
                    found.update(dict.fromkeys(self.instead(numbers[name])))
        return list(found)

    def entered(self, stream_steps: Iterable[int]) -> set[int]:
        """Steps that patients can reach from those they enter."""
        found: set[int] = set()
        ahead = [to for step in stream_steps for to in self.instead(step)]
        while ahead:
            here = ahead.pop()
            if here not in found:
                found.add(here)
                ahead.extend((*self.onward[here], *self.turned[here]))
        return found

    def holds(self, step: int) -> list[int]:
        """Earlier steps whose unit is released when this step starts."""
        return [self.target(step, "holds", name) for name in self.steps[step][2].holds]

    def keeps(self) -> Any:
        """[K, K] keeps[next, held]: whether a unit held from `held` is kept on the way to `next`.

        A way that leads through the step again, or through one that shares its luck, is another stay and keeps nothing.
        """
        size = len(self.steps)
        lucky = [self.number[pathway][step.luck_of or name] for pathway, name, step in self.steps]
        keeps = np.zeros((size, size), np.uint8)
        before: list[list[int]] = [[] for _ in range(size)]
        for step in range(size):
            for to in {*self.onward[step], *self.turned[step]}:
                before[to].append(step)
        for step in range(size):
            for held in self.holds(step):
                ahead = [step]
                while ahead:
                    here = ahead.pop()
                    is_again = here != step and lucky[here] == lucky[held]
                    if here != held and not is_again and not keeps[here, held]:
                        keeps[here, held] = 1
                        ahead.extend(before[here])
        return frozen(keeps)

    def shift_arrays(self, origin: Any) -> dict[str, Any]:
        """The arrays of a Network about shifts of care."""
        flat, ages, homes = Ragged(), [], []
        bands, places = self.marks.values["age_band"], self.marks.values["place"]
        for rules in self.shifts:
            flat.add(rules)
            for _, shift in rules:
                unknown = [band for band in shift.age_bands if band not in bands]
                if unknown:
                    refuse(self.model, "shifts", unknown[0], "is no age band of the model")
                ages.append([not shift.age_bands or band in shift.age_bands for band in bands])
                unknown = [place for place in shift.places if place not in places]
                if unknown:
                    refuse(self.model, "shifts", unknown[0], "is no place of the model")
                lies_in = self.marks.geography.is_within
                homes.append([not shift.places or lies_in(place, shift.places) for place in places])
        return {
            "shift_first": ints(flat.first),
            "shift_to": ints(to for to, _ in flat.flat),
            "shift_share": floats(shift.share for _, shift in flat.flat),
            "shift_start": ints(date_ms(shift.start, origin) for _, shift in flat.flat),
            "shift_ramp": ints(round(shift.ramp) for _, shift in flat.flat),
            "shift_ages": frozen(np.array(ages, np.uint8).reshape(len(ages), len(bands))),
            "shift_places": frozen(np.array(homes, np.uint8).reshape(len(homes), len(places))),
        }
