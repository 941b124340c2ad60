"""The lever `close service`: a unit takes no new patients, always or in some hours, and they go elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from pydantic import Field, field_validator, model_validator

from flowsim.model.calendar import DAY_MS
from flowsim.model.changing import apportioned, units_changed
from flowsim.model.levers.base import Lever, LeverError, date_in_words, hours_in_words, length_in_words, ramp_in_words
from flowsim.model.levers.doors import AT_ONCE, site_first, turned_to, with_rows
from flowsim.model.levers.receiving import receiving
from flowsim.model.levers.room import (
    EVERY_DAY,
    Span,
    changes_of,
    closings,
    day_after,
    door_setting,
    has_room,
    opened,
    spans_on,
    units_in,
    with_change,
)
from flowsim.model.levers.steads import Stead, in_stead, linked, new_name, step_in, with_shift
from flowsim.model.names import near
from flowsim.model.parts import (
    LEAVE,
    Count,
    Date,
    Duration,
    Hours,
    Name,
    Part,
    Priority,
    Share,
    Shares,
    WholeDuration,
)
from flowsim.model.pathways import At, CareShift, Distribution, QueueLimit, Step
from flowsim.model.schema import Model
from flowsim.model.settings import Capacity, CapacityChange, Setting
from flowsim.model.units import DOOR, Unit, geography_of, units_of

NEAREST = "nearest"
RUN_DOWN_MS = 30 * DAY_MS
"""Closed at all hours, the beds stay for this long, unless the plan says otherwise: who waits is still seen."""
DOOR_PLACES = 100
"""Patients who may come to a door in one millisecond. They stay for no time."""


class Conversion(Part):
    """What a closed service becomes: another setting, in which a share of its patients are seen to the end."""

    setting: Name = Field(description="the setting it becomes; a new one if the model has none of this name")
    share: Share = Field(description="share of those who find it closed and are cared for here")
    beds: Count = Field(0, description="its beds, more than there are in the setting at this place already")
    stay: Distribution | None = Field(None, description="how long they stay; as long as before if left out")
    pathways: tuple[Name, ...] = Field((), description="only patients of these stay; of all if left out")


class CloseService(Lever):
    """A setting at one site takes no new patients from a date on, or in some hours, and they go elsewhere.

    They go to the nearest other unit from where they live, or to the place named, which is opened if it is not there.
    Patients inside finish; who waits at closing is seen during the run-down. Later steps at the `same site` follow the
    patient; of others `with` says where they are taken. Luck stays the same: who would have stayed five days does.
    """

    setting: Name = Field(description="whose unit closes")
    at: Name | None = Field(None, description="its site or place; needed if the setting has several units")
    start: Date = Field(alias="from", description="first day on which it is closed")
    hours: tuple[Hours, ...] = Field((), description="closed in these hours, `22:00-08:00`; at all hours if left out")
    ramp: Duration = Field(0, description="time until all go elsewhere; those turned away by another step go at once")
    to: Name = Field(NEAREST, description="the site or place, or another setting, they go to; `nearest` by distance")
    with_: dict[Name, Name] = Field(
        default_factory=dict, alias="with", description="later steps: {setting: the site or setting for those who went}"
    )
    adds: Count | None = Field(
        None, description="beds or slots more where they go; of several places each by how many come there"
    )
    moves_share: Share | None = Field(
        None, description="share of the closed beds or slots that goes there, in both places during the run-down"
    )
    moves: dict[Name, Share] = Field(
        default_factory=dict, description="beds of other settings at the site that go along: {setting: share of them}"
    )
    run_down: WholeDuration | None = Field(
        None, description="time until its beds close too: 30 days, or with `hours` never, if left out"
    )
    becomes: Conversion | None = Field(None, description="what is there instead")

    @field_validator("hours", mode="before")
    @classmethod
    def _past_midnight(cls, value: Any) -> Any:
        """One span for a list of one; a span past midnight as two."""
        if not isinstance(value, str | list | tuple):
            return value
        found: list[Any] = []
        for span in (value,) if isinstance(value, str) else value:
            first, _, last = span.partition("-") if isinstance(span, str) else ("", "", "")
            if "00:00" <= last < first and len(first) == len(last) == 5:
                found += [f"{first}-24:00", *([f"00:00-{last}"] if last != "00:00" else [])]
            else:
                found.append(span)
        return tuple(found)

    @model_validator(mode="after")
    def _fits_together(self) -> CloseService:
        if self.adds is not None and self.moves_share is not None:
            raise ValueError("give adds or moves_share, not both: either says how much more there is")
        if self.hours and self.moves_share is not None and self.run_down is None:
            raise ValueError("staff cannot be in two places: with hours and moves_share give `run_down`")
        if self.hours and self.moves:
            raise ValueError("moves goes with closing at all hours: leave `hours` out")
        return self

    # ---- the change ----

    def apply(self, model: Model) -> Model:
        """The model with the service closed."""
        unit = self._unit(model)
        if (found := closings(model, self.setting).get(unit.at)) is not None:
            raise LeverError(f"{unit.name!r} is closed from {date_in_words(found[0])} already")
        if not has_room(model, unit, self.start):
            raise LeverError(
                f"{unit.name!r} has no beds or slots on {date_in_words(self.start)}: nothing is left to close"
            )
        entries = self._entries(model, unit)
        whole = [shift for shift in model.shifts if self._is_into(model, shift)]
        if whole and not self.hours and len(units_in(model, self.setting)) == 1:
            one = whole[0]
            raise LeverError(f"care is shifted into {self.setting!r} (from {one.from_!r}): leave that shift out")
        plan = self._plan(model, unit)
        more = self._more(unit, plan, entries) + self._along(unit, plan, entries)
        model = self._with_door(plan.model, unit)
        for name, steps in entries.items():
            for step in steps:
                model = self._closed(model, name, step, unit, plan)
        return self._with_capacity(model, unit, plan, more)

    def _unit(self, model: Model) -> Unit:
        if self.setting not in model.settings or self.setting.startswith(DOOR):
            raise LeverError(f"there is no setting {self.setting!r}{near(self.setting, model.settings)}")
        units = units_in(model, self.setting)
        found = [unit for unit in units if self.at in (None, unit.at)]
        if len(found) != 1:
            places = [unit.at for unit in units]
            what = f"has no unit at {self.at}" if not found else f"has {len(found)} units: say which with `at`"
            raise LeverError(f"{self.setting!r} {what}{near(self.at or '', places)}")
        return found[0]

    def _is_into(self, model: Model, shift: CareShift) -> bool:
        names = [shift.pathway] if shift.pathway is not None else list(model.pathways)
        steps = [model.pathways[name].steps.get(shift.to) for name in names]
        return any(step is not None and step.in_ == self.setting and step.luck_of != shift.from_ for step in steps)

    def _entries(self, model: Model, unit: Unit) -> dict[str, list[str]]:
        """Steps whose patients may come to the unit, by pathway."""
        found: dict[str, list[str]] = {}
        for name, pathway in model.pathways.items():
            for step, content in pathway.steps.items():
                if content.in_ != self.setting or unit.at in content.at.without:
                    continue
                if content.at.rule == "fixed" and content.at.name != unit.at:
                    continue
                if content.divert is not None and content.divert.to in ("nearest other", unit.at):
                    raise LeverError(f"patients of {step!r} may divert to {unit.name!r}: take `divert` out of the step")
                if content.at.rule == "shares" and len(units_in(model, self.setting)) > 1:
                    sites = geography_of(model).sites
                    if any(at not in sites for row in content.at.shares.values() for at in row):
                        why = "whose units are drawn by shares and are at places, not sites"
                        raise LeverError(f"cannot tell who comes to {unit.name!r} at the step {step!r}, {why}")
                found.setdefault(name, []).append(step)
        if not found:
            raise LeverError(f"no step leads to {unit.name!r}: there is nobody to send elsewhere")
        if self.becomes is not None and (unknown := [one for one in self.becomes.pathways if one not in found]):
            raise LeverError(f"no patient of {unknown[0]!r} comes to {unit.name!r}{near(unknown[0], found)}")
        return found

    def _plan(self, model: Model, unit: Unit) -> _Plan:
        """Where patients go, with the units that are opened for them."""
        places = {self.setting: self.to, **self.with_}
        targets: dict[str, tuple[str, At]] = {}
        opens_here = self.adds is not None or self.moves_share is not None
        for setting, to in places.items():
            if setting not in model.settings:
                raise LeverError(f"there is no setting {setting!r} for `with`{near(setting, model.settings)}")
            targets[setting] = self._target(model, unit, setting, to)
            if to == NEAREST or to in model.settings:
                continue
            model, found, at = opened(model, setting, to, units_in(model, setting)[0])
            targets[setting] = (found, at)
            is_new = not any(has_room(model, one, self.start) for one in units_in(model, found) if one.at == to)
            if is_new and not (opens_here and setting == self.setting):
                how = (
                    "say with `adds` or `moves_share` how much" if setting == self.setting else "name a setting that is"
                )
                raise LeverError(f"{setting!r} is not there at {to}: {how}")
        stays = None
        if self.becomes is not None:
            model, found, at = opened(model, self.becomes.setting, unit.at, None)
            stays = (found, at)
            if not self.becomes.beds and not any(has_room(model, one, self.start) for one in units_in(model, found)):
                raise LeverError(f"{found!r} has no beds: say how many with `beds` under `becomes`")
        return _Plan(model, targets, stays)

    def _target(self, model: Model, unit: Unit, setting: str, to: str) -> tuple[str, At]:
        if to != NEAREST:
            if to in model.settings:
                if to == setting:
                    raise LeverError(f"{to!r} is the setting that closes: name another, or a site")
                if not any(has_room(model, one, self.start) for one in units_in(model, to)):
                    raise LeverError(
                        f"{to!r} has no room on {date_in_words(self.start)}: name another, or open it first"
                    )
                there = step_in(model, to)
                return to, there.at if there is not None else At(rule="own place")
            if to == unit.at:
                raise LeverError(f"{to} is what closes: name another site")
            closed = closings(model, setting).get(to)
            if closed is not None and closed[1]:
                raise LeverError(f"{setting!r} at {to} is closed from {date_in_words(closed[0])}: name another site")
            return setting, At(rule="fixed", name=to)
        gone = [at for at, (_, is_whole) in closings(model, setting).items() if is_whole]
        left = [one for one in units_in(model, setting) if one.at not in (*gone, unit.at)]
        if not left:
            raise LeverError(f"{setting!r} is nowhere else: name a site or a setting in `to`")
        if len(left) == 1:
            return setting, At(rule="fixed", name=left[0].at)
        geography = geography_of(model)
        unlocated = [one.at for one in left if geography.location(one.at) is None]
        if unlocated:
            raise LeverError(f"nearest cannot be told: {unlocated[0]} has no coordinates; name a site in `to`")
        return setting, At(rule="nearest", without=(*gone, unit.at))

    def _with_door(self, model: Model, unit: Unit) -> Model:
        """A setting with a unit wherever the closed one has, of which one lets in: that of who finds it closed."""
        door = door_setting(self.setting, unit.at)
        level = model.settings[self.setting].level
        if model.settings[self.setting].capacity is not None:
            new = Setting(level=level, capacity=Capacity(beds=0), at=model.settings[self.setting].at)
        else:
            new = Setting(level=level)
            model = model.model_copy(update={"units": with_rows(model.units, door, units_in(model, self.setting))})
        changes = [
            CapacityChange.model_construct(setting=door, at=unit.at, add=DOOR_PLACES, from_=self.start, **_timed(span))
            for span in self._spans()
        ]
        return model.model_copy(
            update={
                "settings": {**model.settings, door: new},
                "capacity_changes": (*model.capacity_changes, *changes),
            }
        )

    def _closed(self, model: Model, name: str, step: str, unit: Unit, plan: _Plan) -> Model:
        """One step with a door before it, and its copy elsewhere, with the copies of what follows it there."""
        if model.pathways[name].steps[step].at.rule == "shares" and len(units_in(model, self.setting)) > 1:
            model = site_first(model, name, step)
        pathway = model.pathways[name]
        names = {one: new_name(pathway, f"{one} elsewhere") for one in self._following(model, name, step)}
        added = {new: self._elsewhere(pathway.steps[one], one, plan, names) for one, new in names.items()}
        door = new_name(pathway, f"{DOOR}{step} at {unit.at}")
        then = {names[step]: 1.0}
        steads = {one: Stead(new, new) for one, new in names.items()}
        content = pathway.steps[step]
        if self.becomes is not None and plan.stays is not None and name in (self.becomes.pathways or (name,)):
            here = new_name(pathway, f"{step}, in {self.becomes.setting}")
            then = {here: self.becomes.share, names[step]: float(1 - self.becomes.share)}
            added[here] = content.model_copy(
                update={
                    "in_": plan.stays[0],
                    "at": plan.stays[1],
                    "stay": self.becomes.stay or content.stay,
                    "then": Shares(everybody={LEAVE: 1.0}),
                    "divert": None,
                    "preempts": False,
                    "luck_of": content.luck_of or step,
                }
            )
        added[door] = Step.model_construct(
            in_=door_setting(self.setting, unit.at),
            at=content.at,
            stay=AT_ONCE,
            priority=Priority(value=0),
            then=Shares(everybody=then),
            queue_limit=QueueLimit(waiting=0, otherwise=step),
        )
        model = in_stead(model, name, added, steads)
        if self.becomes is not None and len(then) == 2:
            model = in_stead(model, name, {}, {step: Stead(here, here)})
        model = turned_to(model, name, step, door)
        shift = CareShift.model_construct(
            from_=step, to=door, share=1.0, start=self.start, ramp=self.ramp, pathway=name
        )
        return with_shift(model, shift)

    def _following(self, model: Model, name: str, step: str) -> list[str]:
        """The step, and those after it that are in a setting of `with`."""
        steps = model.pathways[name].steps
        found, ahead = {step: None}, [step]
        while ahead:
            here = steps[ahead.pop()]
            for to in dict.fromkeys(to for row in here.then.rows() for to in row if to != LEAVE):
                if steps[to].in_ in self.with_ and to not in found:
                    found[to] = None
                    ahead.append(to)
        return list(found)

    def _elsewhere(self, step: Step, name: str, plan: _Plan, names: Mapping[str, str]) -> Step:
        setting, at = plan.targets[step.in_]
        copy = linked(step, names)
        return copy.model_copy(update={"in_": setting, "at": at, "divert": None, "luck_of": step.luck_of or name})

    def _spans(self) -> list[Span]:
        return [Span(EVERY_DAY, hours, 0) for hours in self.hours] or [Span(EVERY_DAY, None, 0)]

    def _more(self, unit: Unit, plan: _Plan, entries: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Beds more where the patients go: of several places each has them by how many come there."""
        model, target = plan.model, plan.targets[self.setting][0]
        if self.adds:
            numbers = [span._replace(number=self.adds) for span in self._spans()]
        elif self.moves_share is not None:
            spans = self._spans()
            if self.hours and self.run_down is not None:
                spans = _later(spans, self.run_down)
            parts = [part for one in self._there(model, unit) for part in _overlaps(one, spans)]
            numbers = [part._replace(number=int(part.number * self.moves_share + 0.5)) for part in parts]
        else:
            return []
        spots, weights = self._receivers(unit, plan, entries)
        return [
            {"setting": target, "at": spot, "add": number, "from_": self.start, **_timed(span)}
            for span in numbers
            for spot, number in zip(spots, apportioned(span.number, weights), strict=True)
            if number
        ]

    def _receivers(
        self, unit: Unit, plan: _Plan, entries: dict[str, list[str]]
    ) -> tuple[list[str | None], list[Fraction]]:
        """Places and sites that patients go to, each with how many come; None where another setting takes them."""
        target, at = plan.targets[self.setting]
        if at.rule != "nearest" or target != self.setting:
            return [at.name if at.rule == "fixed" else None], [Fraction(1)]
        patients = receiving(plan.model, unit, units_in(plan.model, target), entries, at.without)
        if not patients:
            raise LeverError(f"nobody comes to {unit.name!r}: name the place in `to` that has its beds")
        return [*patients], [Fraction(number) for number in patients.values()]

    def _along(self, unit: Unit, plan: _Plan, entries: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Beds of other settings that go to where the patients go, and leave here after the run-down."""
        found: list[dict[str, Any]] = []
        model, day = plan.model, self._beds_close()
        for setting, share in self.moves.items():
            if setting not in model.settings or setting == self.setting:
                why = "is what closes: say moves_share" if setting == self.setting else "is no setting"
                raise LeverError(f"moves: {setting!r} {why}{near(setting, model.settings)}")
            units = {one.at: one for one in units_in(model, setting) if one.kind != "unlimited"}
            if unit.at not in units:
                raise LeverError(f"moves: {setting!r} has no beds or slots at {unit.at}")
            spots, weights = self._receivers(unit, plan, entries)
            known = [(spot, weight) for spot, weight in zip(spots, weights, strict=True) if spot in units]
            if not known:
                raise LeverError(f"moves: {setting!r} is at no place that the patients go to: leave it out")
            for part in self._there(model, units[unit.at]):
                number = int(part.number * share + 0.5)
                gone = {"setting": setting, "at": unit.at, "add": -number, "from_": day, **_timed(part)}
                parts = apportioned(number, [weight for _, weight in known])
                there = [
                    {"setting": setting, "at": spot, "add": some, "from_": self.start, **_timed(part)}
                    for (spot, _), some in zip(known, parts, strict=True)
                ]
                found += [one for one in (gone, *there) if one["add"]]
        return found

    def _there(self, model: Model, unit: Unit) -> list[Span]:
        """Beds or slots of a unit on the first day, by the part of the week."""
        if unit.kind == "slots" and any(change.is_timed for change in changes_of(model, unit)):
            raise LeverError(
                f"slots of {unit.name!r} differ by the hour through other changes: use `adds` or `capacity`"
            )
        return spans_on(model, unit, self.start)

    def _beds_close(self) -> date:
        """The first day on which beds are gone, where it is closed at all hours."""
        return day_after(self.start, RUN_DOWN_MS if self.run_down is None else self.run_down)

    def _with_capacity(self, model: Model, unit: Unit, plan: _Plan, more: list[dict[str, Any]]) -> Model:
        """Beds closed here after the run-down, and more there."""
        changes: list[dict[str, Any]] = []
        spans, beds_close = self._spans(), self.start
        if not self.hours:
            beds_close = self._beds_close()
        elif self.run_down is not None:
            spans = _later(spans, self.run_down)
        if unit.kind != "unlimited" and not (self.hours and self.run_down is None):
            here = {"setting": self.setting, "at": unit.at, "times": 0.0, "from_": beds_close}
            changes += [{**here, **_timed(span)} for span in spans]
        changes += more
        if self.becomes is not None and plan.stays is not None and self.becomes.beds:
            stays = {"setting": plan.stays[0], "at": unit.at, "add": self.becomes.beds, "from_": self.start}
            changes += [{**stays, **_timed(span)} for span in self._spans()]
        made = tuple(CapacityChange.model_construct(**change) for change in changes)
        geography = geography_of(model)
        units = units_of(model, geography)
        for change in made:
            try:
                units_changed(change, units, geography)
            except ValueError as error:
                raise LeverError(str(error).replace("say which with `at`", "name its site in `to`")) from None
            is_here = (change.setting, change.at) == (self.setting, unit.at)
            last = {"capacity_changes": (*model.capacity_changes, change)}
            model = model.model_copy(update=last) if is_here else with_change(model, change)
        return model

    def describe(self) -> str:
        """The change in words."""
        what = f"{self.setting} at {self.at}" if self.at else self.setting
        hours = ""
        if self.hours:
            hours = " in the hours " + " and ".join(hours_in_words(span) for span in self.hours)
        words = [f"patients go to {self.to if self.to != NEAREST else 'the nearest other'}"]
        words += [f"those who went use {to} for {setting}" for setting, to in self.with_.items()]
        if self.adds:
            words.append(f"{self.adds} more beds or slots there")
        if self.moves_share is not None:
            words.append(f"{self.moves_share:.4g} of its beds or slots go there")
        words += [f"{share:.4g} of the beds of {setting} go along" for setting, share in self.moves.items()]
        if self.run_down is not None:
            words.append(f"its beds close {length_in_words(self.run_down)} later")
        if self.becomes is not None:
            words.append(f"it becomes {self.becomes.setting}, where {self.becomes.share:.4g} of them stay")
        when = f"from {date_in_words(self.start)}{ramp_in_words(self.ramp)}"
        return f"close service: {what}{hours} {when}; {', '.join(words)}"


class _Plan(NamedTuple):
    """The model with what is opened; where patients of each setting go; what the closed unit becomes."""

    model: Model
    targets: dict[str, tuple[str, At]]
    stays: tuple[str, At] | None


def _timed(span: Span) -> dict[str, Any]:
    return {"days": span.days, "hours": span.hours}


def _later(spans: list[Span], run_down: int) -> list[Span]:
    """Hours of every day that begin a time later; those past midnight go on with those before it."""
    found = []
    ends = {span.hours[1]: span for span in spans if span.hours is not None}
    for span in spans:
        assert span.hours is not None
        start, end = span.hours
        before = ends.get(DAY_MS) if start == 0 else None
        begun = before.hours[0] - DAY_MS if before is not None and before.hours is not None else start
        start = max(start, begun + run_down)
        if start < end:
            found.append(span._replace(hours=(start, end)))
    return found


def _overlaps(part: Span, spans: list[Span]) -> list[Span]:
    """What a part of the week has in common with some hours."""
    found = []
    for span in spans:
        first, last = part.hours or (0, DAY_MS)
        start, end = span.hours or (0, DAY_MS)
        start, end = max(first, start), min(last, end)
        if start < end:
            is_whole = part.hours is None and span.hours is None
            found.append(Span(part.days, None if is_whole else (start, end), part.number))
    return found
