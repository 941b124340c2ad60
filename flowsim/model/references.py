"""Every name that a model refers to must be there: looked up in the tree, beside what else is wrong.

The tree may have faults of every kind, so nothing here relies on its shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flowsim.errors import Faults
from flowsim.model.arrivals import POPULATION
from flowsim.model.names import describe, near, normal_name
from flowsim.model.parts import LEAVE, REST
from flowsim.model.pathways import RULES
from flowsim.model.reading import KeyPath, Tree, field_name
from flowsim.model.schema import FIRST_DAY, TABLES
from flowsim.model.settings import CHANGES
from flowsim.model.tables import Column, Table
from flowsim.model.units import SITE, unit_name

RESERVED = (LEAVE, REST, "by", "table", "of", "everybody", "value")
"""Words of the language that no step and no mark may be called."""


def check_references(tree: Tree, tables: Iterable[tuple[Mapping[str, Column], Table]], faults: Faults) -> None:
    """Adds a fault for every name that is not there, and for names that nobody can tell apart.

    `tables` are those that could be read, each with its columns as asked for; names that stand in others are
    not missed.
    """
    _References(tree, list(tables), faults).check()


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    yield from value.items() if isinstance(value, dict) else ()


def _list(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """The items of a list with their paths; one value stands for a list of one."""
    if isinstance(value, list):
        yield from (((*path, place), item) for place, item in enumerate(value))
    elif value is not None:
        yield path, value


class _References:
    def __init__(
        self,
        tree: Tree,
        tables: list[tuple[Mapping[str, Column], Table]],
        faults: Faults,
    ) -> None:
        self.tree = tree
        self.data = tree.data
        self.faults = faults
        self.tables = tables
        self.settings = self._keys("settings")
        self.groups = self._keys("groups")
        self.pathways = self._keys("pathways")
        self.steps = {name: list(dict(_items(_get(one, "steps")))) for name, one in _items(self._at("pathways"))}
        places, sites, units = (self._table(TABLES[name][0]) for name in ("places", "sites", "units"))
        self.places: list[str] | None = None
        self.sites: list[str] | None = None
        self.units: list[str] | None = None
        if places is not None or "places" not in self.data:
            name = self.data.get("name")
            self.places = [str(name)] if places is None else list(places.columns["name"])
        if sites is not None or "sites" not in self.data:
            self.sites = [] if sites is None else list(sites.columns["name"])
        single = [name for name, one in _items(self._at("settings")) if "capacity" in _dict(one)]
        if units is not None or "units" not in self.data:
            rows = () if units is None else zip(units.columns["setting"], units.columns["at"], strict=True)
            self.units = single + [unit_name(setting, at) for setting, at in rows]

    # ---- what is there ----

    def _at(self, *keys: str) -> Any:
        value: Any = self.data
        for key in keys:
            value = _get(value, key)
        return value

    def _keys(self, key: str) -> list[str]:
        return list(_dict(self._at(key)))

    def _table(self, columns: Mapping[str, Column]) -> Table | None:
        return next((table for asked, table in self.tables if asked is columns), None)

    def _spots(self) -> list[str] | None:
        """Places and sites, or None where they are not known."""
        return None if self.places is None or self.sites is None else self.places + self.sites

    # ---- what is told ----

    def _say(self, path: KeyPath, value: object, message: str) -> None:
        if self.tree.is_refused(path):
            return
        field, line = field_name(path), self.tree.line(path)
        # A name that is malformed is told so; that there is none of this name adds nothing.
        if not any((one.file, one.line, one.field) == (self.tree.file, line, field) for one in self.faults):
            self.faults.add(self.tree.file, line, field, value, message)

    def _find(self, path: KeyPath, value: Any, names: Iterable[str] | None, what: str) -> None:
        """Refuses a name that is not among `names`; None as `names` means that they are not known."""
        if names is None or not isinstance(value, str):
            return
        known = list(names)
        if value not in known:
            self._say(path, value, f"there is no {what} of this name{near(value, known)}")

    def _row(self, table: Table, column: str, names: Iterable[str] | None, what: str) -> None:
        """Refuses names in a column of a table; a name that stands in many rows is told once."""
        if names is None or column not in table.columns:
            return
        known = list(names)
        told = {None, *known}
        for line, value in zip(table.lines, table.columns[column], strict=True):
            if value not in told:
                told.add(value)
                self.faults.add(table.file, line, column, value, f"there is no {what} of this name{near(value, known)}")

    # ---- the walk ----

    def check(self) -> None:
        self._alike()
        self._tables()
        for name, setting in _items(self._at("settings")):
            self._find(("settings", name, "at"), _get(setting, "at"), self._spots(), "place or site")
        for name, pathway in _items(self._at("pathways")):
            self._pathway(("pathways", name), pathway, self.steps[name])
        for path, change in _list(self._at("capacity_changes"), ("capacity_changes",)):
            self._find((*path, "setting"), _get(change, "setting"), self.settings, "setting")
            self._find((*path, "at"), _get(change, "at"), self._spots(), "place or site")
        for name, pool in _items(self._at("pools")):
            self._pool(("pools", name), name, pool)
        for path, shift in _list(self._at("shifts"), ("shifts",)):
            steps = self._of_pathway(path, shift)
            self._find((*path, "from"), _get(shift, "from"), steps, "step")
            self._find((*path, "to"), _get(shift, "to"), steps, "step")
            self._live_in(path, shift)
        for path, one in _list(self._at("prevention"), ("prevention",)):
            self._find((*path, "enters"), _get(one, "enters"), self._of_pathway(path, one), "step")
            self._live_in(path, one)
        for name, clock in _items(self._at("clocks")):
            self._clock(("clocks", name), clock)
        for name, response in _items(self._at("responses")):
            self._response(("responses", name), response, SITE in name)
        for name, factor in _items(self._at("fitted")):
            for path, step in _list(_get(factor, "stay_of"), ("fitted", name, "stay_of")):
                self._find(path, step, [*self._full_steps(), *self._all_steps()], "step")
            for path, setting in _list(_get(factor, "stay_in"), ("fitted", name, "stay_in")):
                self._find(path, setting, self.settings, "setting")
            for path, spot in _list(_get(factor, "at"), ("fitted", name, "at")):
                self._find(path, spot, self._spots(), "place or site")
            self._find(("fitted", name, "shares_of"), _get(factor, "shares_of"), self.groups, "group")
            for key in ("patients_of", "instead_of"):
                steps = [*self._full_steps(), *self._all_steps()]
                self._find(("fitted", name, key), _get(factor, key), steps, "step")
        for path, first in _list(self._at("first_day"), ("first_day",)):
            steps = self._of_pathway(path, first)
            self._find((*path, "step"), _get(first, "step"), steps, "step")
            self._find((*path, "at"), _get(first, "at"), self._spots(), "place or site")
            self._find((*path, "residence"), _get(first, "residence"), self.places, "place")

    def _live_in(self, path: KeyPath, part: Any) -> None:
        for place_path, place in _list(_get(part, "places"), (*path, "places")):
            self._find(place_path, place, self.places, "place")

    def _of_pathway(self, path: KeyPath, part: Any) -> list[str]:
        """The steps of the pathway that a part names, or of all where it names none."""
        name = _get(part, "pathway")
        self._find((*path, "pathway"), name, self.pathways, "pathway")
        if isinstance(name, str):
            return self.steps.get(name, [])
        return self._all_steps()

    def _all_steps(self) -> list[str]:
        return list(dict.fromkeys(step for steps in self.steps.values() for step in steps))

    def _full_steps(self) -> list[str]:
        return [f"{pathway}: {step}" for pathway, steps in self.steps.items() for step in steps]

    def _tables(self) -> None:
        places, sites, units, people = (
            self._table(columns) for columns in (*(TABLES[name][0] for name in TABLES), POPULATION)
        )
        if places is not None:
            self._row(places, "within", self.places, "place")
        if sites is not None:
            self._row(sites, "within", self.places, "place")
        if units is not None:
            self._row(units, "setting", self.settings, "setting")
            self._row(units, "at", self._spots(), "place or site")
        if people is not None:
            self._row(people, "place", self.places, "place")
        known = {id(table) for table in (places, sites, units, people)}
        for columns, table in self.tables:
            if id(table) not in known:
                self._row(table, "place", self.places, "place")
                if "at" in columns and columns["at"].kind == "name":
                    self._row(table, "at", self._spots(), "place or site")
            if columns is CHANGES:
                self._row(table, "setting", self.settings, "setting")
            elif columns is FIRST_DAY:
                self._row(table, "pathway", self.pathways, "pathway")
                self._row(table, "residence", self.places, "place")
                self._steps_of_rows(table)

    def _steps_of_rows(self, table: Table) -> None:
        """Refuses steps that the pathway of their row does not have; each is told once."""
        told: set[tuple[str, str]] = set()
        for line, pathway, step in zip(table.lines, table.columns["pathway"], table.columns["step"], strict=True):
            steps = self.steps.get(pathway)
            if steps is not None and step not in steps and (pathway, step) not in told:
                told.add((pathway, step))
                message = f"there is no step of this name in {pathway!r}{near(step, steps)}"
                self.faults.add(table.file, line, "step", step, message)

    def _pathway(self, path: KeyPath, pathway: Any, steps: list[str]) -> None:
        for source_path, source in _list(_get(pathway, "arrivals"), (*path, "arrivals")):
            for key, what in (("profile", "profile"), ("growth", "growth")):
                names = self._keys("profiles" if key == "profile" else "growth")
                for item_path, item in _list(_get(source, key), (*source_path, key)):
                    self._find(item_path, item, names, what)
            self._find((*source_path, "enters"), _get(source, "enters"), steps, "step")
            residence = _get(source, "residence")
            for place, _ in _items(residence):
                self._find((*source_path, "residence", place), place, self.places, "place")
            if isinstance(residence, str) and not residence.lower().endswith((".csv", ".xlsx")):
                self._find((*source_path, "residence"), residence, self.places, "place")
            for place, _ in _items(_get(source, "need", "by_place")):
                self._find((*source_path, "need", "by_place", place), place, self.places, "place")
        for name in steps:
            self._step((*path, "steps", name), _get(pathway, "steps", name), steps)

    def _step(self, path: KeyPath, step: Any, steps: list[str]) -> None:
        where = [*steps, LEAVE]
        self._find((*path, "in"), _get(step, "in"), self.settings, "setting")
        self._shares((*path, "then"), _get(step, "then"), where)
        for key in ("patience", "queue_limit"):
            self._find((*path, key, "otherwise"), _get(step, key, "otherwise"), where, "step")
        self._find((*path, "luck_of"), _get(step, "luck_of"), steps, "step")
        for item_path, held in _list(_get(step, "holds"), (*path, "holds")):
            self._find(item_path, held, steps, "step")
        spots = self._spots()
        at = _get(step, "at")
        self._find((*path, "at"), at, None if spots is None else [*RULES, *spots], "rule, place or site")
        for item_path, spot in _list(_get(at, "without"), (*path, "at", "without")):
            self._find(item_path, spot, spots, "place or site")
        for place, row in _items(_get(at, "shares")):
            self._find((*path, "at", "shares", place), place, self.places, "place")
            for name, _ in _items(row):
                self._find((*path, "at", "shares", place, name), name, spots, "place or site")
        self._find(
            (*path, "divert", "to"),
            _get(step, "divert", "to"),
            None if spots is None else ["nearest other", *spots],
            "place or site",
        )
        self._marks((*path, "priority"), _get(step, "priority"))
        for family, spread in _items(_get(step, "stay")):
            self._marks((*path, "stay", family), spread)
            self._marks((*path, "stay", family, "mean"), _get(spread, "mean"))

    def _marks(self, path: KeyPath, value: Any) -> None:
        self._find((*path, "by"), _get(value, "by"), ["age_band", "place", *self.groups], "group")

    def _shares(self, path: KeyPath, then: Any, where: list[str]) -> None:
        self._find(path, then, where, "step")
        rows = [(path, then)]
        if isinstance(then, dict) and "by" in then:
            self._marks(path, then)
            rows = [((*path, mark), row) for mark, row in then.items() if mark not in ("by", "table")]
        for row_path, row in rows:
            self._find(row_path, row, where, "step")
            for name, _ in _items(row):
                self._find((*row_path, name), name, where, "step")

    def _pool(self, path: KeyPath, name: str, pool: Any) -> None:
        if self.units is None:
            return
        known = [*self.settings, *self.units]
        if SITE in name:
            known += [unit_name(setting, SITE) for setting in self.settings]
        what = "setting or unit"
        for item_path, unit in _list(_get(pool, "units"), (*path, "units")):
            self._find(item_path, unit, known, what)
        for unit, others in _items(_get(pool, "tries")):
            self._find((*path, "tries", unit), unit, known, what)
            for item_path, other in _list(others, (*path, "tries", unit)):
                self._find(item_path, other, known, what)
        for unit, _ in _items(_get(pool, "overflow_after")):
            self._find((*path, "overflow_after", unit), unit, known, what)

    def _clock(self, path: KeyPath, clock: Any) -> None:
        steps = self._of_pathway(path, clock)
        for key in ("from", "to"):
            for item_path, point in _list(_get(clock, key), (*path, key)):
                if isinstance(point, str) and " " in point:
                    self._find(item_path, point.rpartition(" ")[0], steps, "step")

    def _response(self, path: KeyPath, response: Any, is_at_sites: bool) -> None:
        pools = self._keys("pools")
        watched = None if self.units is None or self.sites is None else [*self.units, *self.settings]
        if watched is not None:
            spread = [name.replace(SITE, site) for name in pools for site in self.sites or [] if SITE in name]
            watched += [name for name in pools if is_at_sites or SITE not in name] + spread
        at_sites = [unit_name(setting, SITE) for setting in self.settings] if is_at_sites else []
        for key in ("occupancy", "mean_wait", "queue"):
            looked_at = None if watched is None else [*watched, *at_sites]
            self._find((*path, "follows", key), _get(response, "follows", key), looked_at, "unit or pool")
        known = None if self.units is None else [*self.units, *self.settings, *at_sites]
        self._find((*path, "changes", "capacity"), _get(response, "changes", "capacity"), known, "unit")
        self._find((*path, "changes", "stay_in"), _get(response, "changes", "stay_in"), known, "unit or setting")
        self._find((*path, "changes", "need"), _get(response, "changes", "need"), self.pathways, "pathway")
        steps = [*self._full_steps(), *self._all_steps()]
        for key in ("share", "stay"):
            self._find((*path, "changes", key), _get(response, "changes", key), steps, "step")

    # ---- names that nobody can tell apart ----

    def _alike(self) -> None:
        for key in ("settings", "pathways", "groups", "profiles", "growth", "pools", "clocks", "responses", "fitted"):
            self._refuse_alike((key,), self._keys(key))
        for name, steps in self.steps.items():
            path: KeyPath = ("pathways", name, "steps")
            self._refuse_alike(path, steps)
            self._refuse_reserved(path, steps)
        for name, values in _items(self._at("groups")):
            self._refuse_alike(("groups", name), list(_dict(values)))
        for mark in ("age_band", "place"):
            if mark in self.groups:
                self._say(("groups", mark), None, f"every patient has the mark {mark} already: name it otherwise")
        self._refuse_reserved(("groups",), self.groups)

    def _refuse_reserved(self, path: KeyPath, names: list[str]) -> None:
        for name in names:
            if name in RESERVED:
                self._say((*path, name), None, f"{name!r} is a word of the language: use another name")

    def _refuse_alike(self, path: KeyPath, names: list[str]) -> None:
        seen: dict[str, str] = {}
        for name in names:
            normal = normal_name(name)
            if normal in seen:
                first = seen[normal]
                odd = next((c for c in name if c not in first and not c.isascii()), "")
                why = f": {describe(odd)} stands in it" if odd else ""
                line = self.tree.line((*path, first))
                message = f"cannot be told from {first!r} on line {line}{why}: use another name"
                self._say((*path, name), name, message)
            seen.setdefault(normal, name)


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
