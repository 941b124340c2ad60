"""What the checks of a whole model share: the model, what it comes to, and where its faults are told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from flowsim.errors import Faults
from flowsim.model.arrivals import Arrivals
from flowsim.model.explaining import locate
from flowsim.model.parts import LEAVE
from flowsim.model.pathways import Pathway, Step
from flowsim.model.people import homes_of
from flowsim.model.places import Geography
from flowsim.model.reading import KeyPath, Tree, field_name
from flowsim.model.schema import Model
from flowsim.model.tables import Table
from flowsim.model.units import Unit, pools_of, root_of, units_of


class Report:
    """Tells faults and warnings of a model; needs sound places for all but `say`."""

    def __init__(self, model: Model, tree: Tree, faults: Faults, lists: Mapping[str, Table]) -> None:
        self.model = model
        self.tree = tree
        self.faults = faults
        self.lists = lists
        self.warnings: list[str] = []

    def look_around(self, geography: Geography) -> None:
        """Works out units, pools and where people live, once the places are known to be a tree."""
        self.geography = geography
        self.populated = list(homes_of(self.model.population, geography))
        self.root = root_of(geography)
        self.units = units_of(self.model, geography)
        self.pools = pools_of(self.model, self.units, geography)
        self._of_setting: dict[str, list[Unit]] = {}
        for unit in self.units.values():
            self._of_setting.setdefault(unit.setting, []).append(unit)

    def say(self, path: KeyPath, value: object, message: str) -> None:
        """Tells a fault of a field, or of a row of the table that it stands in; parts of its path that nobody wrote
        are left out.
        """
        if len(path) > 1 and isinstance(row := path[1], int) and str(path[0]) in self.lists:
            self.say_row(self.lists[str(path[0])], row, str(path[2]) if len(path) > 2 else "", value, message)
            return
        found, _ = locate(self.tree, (), path)
        self.faults.add(self.tree.file, self.tree.line(found), field_name(found), value, message)

    def say_row(self, table: Table, row: int, field: str, value: object, message: str) -> None:
        """Tells a fault of a row of a table."""
        self.faults.add(table.file, table.lines[row], field, value, message)

    def units_of(self, setting: str) -> list[Unit]:
        """The units of a setting."""
        return self._of_setting.get(setting, [])

    def steps(self) -> Iterator[tuple[KeyPath, str, Step, Pathway]]:
        """Every step with its path, its name and its pathway."""
        for name, pathway in self.model.pathways.items():
            for step_name, step in pathway.steps.items():
                yield ("pathways", name, "steps", step_name), step_name, step, pathway

    def homes(self, source: Arrivals) -> list[str]:
        """The places where the patients of a source may live."""
        if source.from_ is not None and self.model.population is not None:
            return self.populated
        if source.trace is not None and "place" in source.trace.columns:
            return list(dict.fromkeys(source.trace.columns["place"]))
        return list(source.residence) or [self.root]

    def homes_of(self, pathway: Pathway) -> list[str]:
        """The places where the patients of a pathway may live."""
        return list(dict.fromkeys(place for source in pathway.arrivals for place in self.homes(source)))


def next_steps(model: Model, pathway: Pathway, name: str, *, with_zero: bool = False) -> set[str]:
    """Where a patient may go from a step: by shares above 0, patience, a full queue, or a shift of care."""
    step = pathway.steps[name]
    found = {to for row in step.then.rows() for to, share in row.items() if share > 0 or with_zero}
    if any(response.changes.share is not None for response in model.responses.values()):
        found |= {to for row in step.then.rows() for to in list(row)[:1]}
    shifted = {shift.to for shift in model.shifts if shift.from_ in found and shift.to in pathway.steps}
    others = [part.otherwise for part in (step.patience, step.queue_limit) if part is not None]
    return found | shifted | set(others)


def reached(edges: Mapping[str, Iterable[str]], starts: Iterable[str]) -> set[str]:
    """What can be reached from some nodes of a graph, these included."""
    found: set[str] = set()
    open_nodes = list(starts)
    while open_nodes:
        node = open_nodes.pop()
        if node not in found:
            found.add(node)
            open_nodes.extend(edges.get(node, ()))
    return found


def ring(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """A ring of a graph, each node leading to the next and the last to the first; empty if there is none."""
    for start in edges:
        before: dict[str, str] = {}
        open_nodes = [start]
        while open_nodes:
            node = open_nodes.pop()
            for following in edges.get(node, ()):
                if following == start:
                    path = [node]
                    while path[-1] != start:
                        path.append(before[path[-1]])
                    return path[::-1]
                if following not in before:
                    before[following] = node
                    open_nodes.append(following)
    return []


def edges_of(model: Model, pathway: Pathway, *, with_zero: bool = False) -> dict[str, set[str]]:
    """The graph of the steps of a pathway, without leaving."""
    return {name: next_steps(model, pathway, name, with_zero=with_zero) - {LEAVE} for name in pathway.steps}
