"""CSV files and sheets of workbooks -> tables, strictly, with each row's line and the source of its numbers.

A table has one header line, then one line a row; no field holds a line break. Both kinds of file obey the
same rules: a cell of a workbook is read as the text it would have in a CSV file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from flowsim.errors import Faults
from flowsim.model import cells, files, headers
from flowsim.model.files import resolve_inside
from flowsim.model.names import near, normal_name
from flowsim.model.reading import KINDS, Provenance

__all__ = ["Column", "Table", "read_table", "resolve_inside"]

BYTES_LIMIT = 64 * 2**20
ROWS_LIMIT = 2_000_000
FAULTS_SHOWN = 20
"""Of one column; the others are counted."""

Kind = Literal[
    "name", "text", "number", "any number", "whole", "any whole", "share", "date", "datetime", "year",
    "latitude", "longitude", "age band", "duration", "level", "capacity kind",
]  # fmt: skip


@dataclass(frozen=True)
class Column:
    """What a column holds: its kind, whether it may be left out, whether its cells may be blank (None)."""

    kind: Kind
    optional: bool = False
    blank: bool = False


@dataclass(frozen=True)
class Table:
    """A table as read: `columns` by name, one value a row each, with the line and provenance of each row.

    Optional columns that the file leaves out are not in `columns`.
    """

    file: str
    columns: Mapping[str, tuple[Any, ...]]
    lines: tuple[int, ...]
    provenance: tuple[Provenance, ...]

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True)
class Grid:
    """A file as text: the header with its line, and the rows, each with its line."""

    header_line: int
    header: list[str]
    rows: list[tuple[int, list[str]]]


class _Refused(Exception):
    """The table cannot be read further; the faults have been told."""


class _Teller:
    """Tells the faults of one table, the first few of each column in full."""

    def __init__(self, file: str, faults: Faults) -> None:
        self.file = file
        self.faults = faults
        self.count = 0
        self.of_field: dict[str, int] = {}
        self.last: dict[str, int | None] = {}

    def add(self, line: int | None, field: str, value: object, message: str) -> None:
        self.count += 1
        self.of_field[field] = self.of_field.get(field, 0) + 1
        self.last[field] = line
        if self.of_field[field] <= FAULTS_SHOWN:
            self.faults.add(self.file, line, field, value, message)

    def stop(self, line: int | None, field: str, value: object, message: str) -> NoReturn:
        self.add(line, field, value, message)
        raise _Refused

    def close(self) -> None:
        for field, number in self.of_field.items():
            if number > FAULTS_SHOWN:
                more = number - FAULTS_SHOWN
                self.faults.add(
                    self.file, self.last[field], field, None, f"and {more} more faults here, up to this line"
                )


def read_table(
    path: Path,
    columns: Mapping[str, Column],
    faults: Faults,
    *,
    field: str,
    key: Sequence[str] = (),
    open_columns: Column | None = None,
    provenance: Provenance = Provenance(),  # noqa: B008 - immutable
    may_be_empty: bool = False,
) -> Table | None:
    """Reads a CSV file, or a sheet of a workbook (`file.xlsx#Sheet`), whose path `resolve_inside` has found.

    `columns` are those it may have, beside `source` and `kind`; `open_columns` allows others, all of that
    kind. Rows must differ in the columns of `key` together. `provenance` holds for rows that say nothing;
    `field` is the field of the model that names the table. Faults are collected; None if there are any.
    """
    file, sheet = files.split_sheet(path)
    teller = _Teller(str(path), faults)
    try:
        grid = _grid(file, sheet, field, teller)
        return _Rows(grid, columns, open_columns, teller).table(tuple(key), provenance, may_be_empty)
    except _Refused:
        return None
    finally:
        teller.close()


def _grid(file: Path, sheet: str | None, field: str, teller: _Teller) -> Grid:
    try:
        data = files.read_bytes(file, BYTES_LIMIT)
        if file.suffix.lower() == ".xlsx":
            from flowsim.model import workbooks

            return _checked(workbooks.read_sheet(data, sheet, ROWS_LIMIT, teller.add), teller)
        text = files.decode(data)
    except files.NotText as error:
        teller.stop(error.line, field, None, str(error))
    except ValueError as error:
        teller.stop(None, field, None, str(error))
    if text.count("\n") > ROWS_LIMIT:
        teller.stop(None, field, None, f"is too long: at most {ROWS_LIMIT} rows are read")
    return _checked(_csv_grid(text, teller), teller)


def _checked(lines: list[tuple[int, list[str]]], teller: _Teller) -> Grid:
    if not lines:
        teller.stop(None, "", None, "is empty: its first line must name the columns")
    if teller.count:
        raise _Refused
    return Grid(lines[0][0], lines[0][1], lines[1:])


# ---- CSV ----


def _csv_grid(text: str, teller: _Teller) -> list[tuple[int, list[str]]]:
    """The fields of every line. Line ends are all LF or all CRLF; blank lines may stand at the end only."""
    lines = text.split("\n")
    ends = [line.endswith("\r") for line in lines[:-1]]
    if any(ends):
        if not all(ends):
            odd = ends.index(not ends[0])
            message = "line ends of two kinds (LF and CRLF) in one file: save it with one"
            teller.stop(odd + 1, "", None, message)
        lines = [line.removesuffix("\r") for line in lines]
    if "\r" in text.replace("\r\n", "") if any(ends) else "\r" in text:
        number = next(n for n, line in enumerate(lines, start=1) if "\r" in line)
        teller.stop(number, "", None, "a lone carriage return ends no line: save the file with ordinary line ends")
    while lines and not lines[-1]:
        lines.pop()
    grid: list[tuple[int, list[str]]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            teller.add(
                number,
                "",
                None,
                "a blank line above or inside a table: remove it, and any title above the header",
            )
        elif '"' not in line:
            grid.append((number, line.split(",")))
        else:
            try:
                grid.append((number, _quoted_fields(line)))
            except ValueError as error:
                teller.add(number, "", line, str(error))
    return grid


def _quoted_fields(line: str) -> list[str]:
    """The fields of a line with quotes. A quoted field is quoted whole, and a quote in it is doubled."""
    fields: list[str] = []
    at = 0
    while True:
        if line.startswith('"', at):
            end = at + 1
            while True:
                end = line.find('"', end)
                if end < 0:
                    raise ValueError("a quote opens on this line and does not close on it: a field has no line breaks")
                if not line.startswith('""', end):
                    break
                end += 2
            fields.append(line[at + 1 : end].replace('""', '"'))
            at = end + 1
            if at < len(line) and line[at] != ",":
                raise ValueError("text follows a closing quote: a quote inside a quoted field is doubled")
        else:
            end = line.find(",", at)
            end = len(line) if end < 0 else end
            if '"' in line[at:end]:
                raise ValueError('a quote inside a field: quote the whole field and double it, "King""s"')
            fields.append(line[at:end])
            at = end
        if at >= len(line):
            return fields
        at += 1


# ---- rows ----


class _Rows:
    """The rows of one grid, read by its columns."""

    def __init__(self, grid: Grid, columns: Mapping[str, Column], others: Column | None, teller: _Teller) -> None:
        self.grid = grid
        self.teller = teller
        notes = {"source": Column("text", blank=True), "kind": Column("text", blank=True)}
        known = {**{name: column for name, column in notes.items() if name not in columns}, **columns}
        required = [name for name, column in columns.items() if not column.optional]
        for fault in headers.faults_of(
            grid.header_line, grid.header, grid.rows[:10], known, required, others is not None
        ):
            teller.add(*fault)
        if teller.count:
            raise _Refused
        self.columns = {name: known.get(name) or others or Column("text") for name in grid.header}

    def table(self, key: tuple[str, ...], provenance: Provenance, may_be_empty: bool) -> Table | None:
        if not self.grid.rows and not may_be_empty:
            self.teller.stop(self.grid.header_line, "", None, "the table has a header and no rows: add rows below it")
        self._check_width()
        lines = tuple(line for line, _ in self.grid.rows)
        values = {name: self._values(name, place, column) for place, (name, column) in enumerate(self.columns.items())}
        notes = self._provenance(values, lines, provenance)
        if not self.teller.count:
            self._refuse_duplicates([name for name in key if name in values], values, lines)
        if self.teller.count:
            return None
        return Table(self.teller.file, values, lines, notes)

    def _check_width(self) -> None:
        width = len(self.grid.header)
        for line, row in self.grid.rows:
            if len(row) != width:
                self.teller.add(line, *headers.wrong_width(row, self.grid.header))
        if self.teller.count:
            raise _Refused

    def _values(self, name: str, place: int, column: Column) -> tuple[Any, ...]:
        """The values of a column. Equal cells are parsed once: columns of a long table repeat themselves."""
        parse: Callable[[str], Any] = cells.PARSERS[column.kind]
        known: dict[str, Any] = {"": None} if column.blank else {}
        found: list[Any] = []
        for line, row in self.grid.rows:
            text = row[place]
            if text not in known:
                try:
                    value = parse(text)
                except ValueError as error:
                    self.teller.add(line, name, text, str(error))
                    found.append(None)
                    continue
                if len(known) < 100_000:
                    known[text] = value
                found.append(value)
            else:
                found.append(known[text])
        return tuple(found)

    def _provenance(
        self, values: dict[str, tuple[Any, ...]], lines: tuple[int, ...], outer: Provenance
    ) -> tuple[Provenance, ...]:
        nothing = (None,) * len(lines)
        sources, kinds = values.pop("source", nothing), values.pop("kind", nothing)
        made: dict[tuple[Any, Any], Provenance] = {}
        for line, source, kind in zip(lines, sources, kinds, strict=True):
            if kind is not None and kind not in KINDS:
                self.teller.add(line, "kind", kind, f"must be read, derived or assumed{near(kind, KINDS)}")
            if (source, kind) not in made:
                made[source, kind] = Provenance(kind, source).within(outer)
        return tuple(made[pair] for pair in zip(sources, kinds, strict=True))

    def _comparable(self, name: str, values: tuple[Any, ...]) -> Sequence[Any]:
        """Names without case, spaces and look-alike letters: those nobody can tell apart are the same."""
        if self.columns[name].kind != "name":
            return values
        normal = {value: None if value is None else normal_name(value) for value in set(values)}
        return [normal[value] for value in values]

    def _refuse_duplicates(self, key: list[str], values: Mapping[str, tuple[Any, ...]], lines: tuple[int, ...]) -> None:
        if not key:
            return
        seen: dict[tuple[Any, ...], int] = {}
        parts = [self._comparable(name, values[name]) for name in key]
        for place, row in enumerate(zip(*parts, strict=True)):
            if row in seen:
                first = seen[row]
                same = all(column[place] == column[first] for column in values.values())
                what = "the same row stands" if same else "another row with other numbers stands"
                written = ", ".join(str(values[name][place]) for name in key)
                message = f"{what} for it on line {lines[first]}: remove one of the two"
                self.teller.add(lines[place], ", ".join(key), written, message)
            seen.setdefault(row, place)
