"""Files of a model -> `Model`, with every fault of every file told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flowsim.errors import Faults
from flowsim.model import shipped, tables
from flowsim.model.checks.whole import check_model
from flowsim.model.explaining import tell
from flowsim.model.files import resolve_inside
from flowsim.model.reading import KeyPath, Tree, field_name, read_yaml
from flowsim.model.references import check_references
from flowsim.model.schema import LISTS, Model
from flowsim.model.tables import Column, Table


@dataclass(frozen=True)
class ReadTable:
    """A table of a model: the field that names it, its columns as asked for, and what it holds."""

    path: KeyPath
    columns: Mapping[str, Column]
    table: Table


@dataclass(frozen=True)
class LoadedModel:
    """A model and what it was read from: the YAML as a tree, its tables, its folder and all its files."""

    model: Model
    tree: Tree
    tables: tuple[ReadTable, ...]
    folder: Path
    files: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


class Loader:
    """Reads the tables that a model names; pydantic's `info.context` while the model is validated."""

    def __init__(self, tree: Tree, folder: Path, faults: Faults) -> None:
        self.tree = tree
        self.folder = folder
        self.faults = faults
        self.read: dict[tuple[Any, ...], ReadTable | None] = {}
        self.files: dict[Path, None] = {}

    def table(
        self,
        path: object,
        columns: Mapping[str, Column],
        key: tuple[str, ...] = (),
        others: Column | None = None,
    ) -> Table | None:
        """The table in a file of the model's folder, or None where its faults have been told.

        Raises ValueError, for the field that names it, if there is no such file.
        """
        if not isinstance(path, str):
            raise ValueError("must be the name of a table in the folder of the model, such as units.csv")
        mark = (path, tuple(columns.items()), key, others)
        if mark not in self.read:
            found = resolve_inside(self.folder, path)
            field = self._field(path)
            table = tables.read_table(
                found,
                columns,
                self.faults,
                field=field_name(field),
                key=key,
                open_columns=others,
                provenance=self.tree.provenance_of(field),
            )
            self.files[found] = None
            self.read[mark] = None if table is None else ReadTable(field, columns, table)
        read = self.read[mark]
        return None if read is None else read.table

    def refuse(self, table: Table, row: int, field: str, value: object, message: str) -> None:
        """Tells a fault of a row of a table."""
        self.faults.add(table.file, table.lines[row], field, value, message)

    def _field(self, text: str) -> KeyPath:
        """The first field of the model that names a file."""
        return next((path for path, value in leaves(self.tree.data) if value == text), ())


def leaves(data: object, path: KeyPath = ()) -> list[tuple[KeyPath, object]]:
    """All single values of plain data with their paths, in written order."""
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in leaves(value, (*path, key))]
    if isinstance(data, list | tuple):
        return [leaf for place, value in enumerate(data) for leaf in leaves(value, (*path, place))]
    return [(path, data)]


def frozen(data: object) -> object:
    """Plain data with tuples in place of lists, as the strict schema wants them."""
    if isinstance(data, dict):
        return {key: frozen(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return tuple(frozen(value) for value in data)
    return data


def read_model(path: str | Path) -> LoadedModel:
    """Reads and checks a model: a YAML file, a folder with `model.yaml`, or the name of one that ships.

    Raises InputError with all faults of all its files, in order of file and line.
    """
    file = shipped.find(path, "configs")
    faults = Faults()
    tree = read_yaml(file, faults)
    if tree is None:
        faults.raise_if_any()
        raise AssertionError("a file without a tree has a fault")
    loader = Loader(tree, file.parent, faults)
    model: Model | None = None
    try:
        model = Model.model_validate(frozen(tree.data), context=loader, by_alias=True, by_name=False)
    except ValidationError as error:
        tell(error, tree, Model, faults)
    found = tuple(one for one in loader.read.values() if one is not None)
    check_references(tree, [(one.columns, one.table) for one in found], faults)
    faults.raise_if_any()
    assert model is not None
    lists = {name: one.table for one in found for name, columns in LISTS.items() if one.columns is columns}
    warnings = check_model(model, tree, faults, lists)
    faults.raise_if_any()
    return LoadedModel(model, tree, found, file.parent, (file, *loader.files), warnings)


def load_model(path: str | Path) -> Model:
    """The model that `read_model` reads.

    Raises InputError with all faults of all its files, in order of file and line.
    """
    return read_model(path).model
