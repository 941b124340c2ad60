"""Sheets of Excel workbooks as text, cell by cell, as a CSV file would have it."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from itertools import zip_longest
from typing import Any

import openpyxl  # type: ignore[import-untyped,unused-ignore]

from flowsim.errors import show
from flowsim.model.names import near

UNPACKED_LIMIT = 512 * 2**20
COLUMNS_LIMIT = 500

Tell = Callable[[int | None, str, object, str], None]


def read_sheet(data: bytes, sheet: str | None, rows_limit: int, tell: Tell) -> list[tuple[int, list[str]]]:
    """The rows of a sheet with their row numbers, as text, without blank rows and columns at the ends.

    `tell` gets the faults of cells. Raises ValueError if there is no such sheet, or no sound workbook.
    """
    _refuse_bomb(data)
    values, formulas = _open(data, True), _open(data, False)
    name = _sheet_name(values, sheet)
    rows: list[tuple[int, list[str]]] = []
    blank: list[int] = []
    try:
        for number, row in enumerate(_rows(values[name], formulas[name]), start=1):
            if number > rows_limit:
                raise ValueError(f"is too long: at most {rows_limit} rows are read")
            texts = [_text(value, formula, number, place, tell) for place, (value, formula) in enumerate(row, start=1)]
            while texts and not texts[-1]:
                texts.pop()
            if not texts:
                blank.append(number)
                continue
            rows.append((number, texts))
            for line in blank:
                tell(
                    line,
                    "",
                    None,
                    "a blank row above or inside a table: remove it, and any title above the header",
                )
            blank.clear()
    except (KeyError, IndexError, TypeError, AttributeError, SyntaxError, zipfile.BadZipFile) as error:
        raise ValueError("is damaged: its sheet cannot be read as a workbook") from error
    width = len(rows[0][1]) if rows else 0
    # A workbook does not store empty cells: a row that ends early has blanks there.
    return [(number, texts + [""] * (width - len(texts))) for number, texts in rows]


def _refuse_bomb(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except (zipfile.BadZipFile, ValueError, OSError):
        raise ValueError("is not a workbook (.xlsx): save it as one, or as CSV") from None
    if size > UNPACKED_LIMIT:
        raise ValueError(f"is too large when unpacked: at most {UNPACKED_LIMIT // 2**20} MB are read")


def _open(data: bytes, data_only: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=data_only, keep_links=False)
        except Exception as error:  # openpyxl lets any error of a damaged file through
            raise ValueError("is not a sound workbook (.xlsx): save it again, or as CSV") from error


def _sheet_name(book: Any, sheet: str | None) -> str:
    names = [one.title for one in book.worksheets]
    if sheet is None:
        if len(names) == 1:
            return str(names[0])
        raise ValueError(f"has {len(names)} sheets: name one after #{near('', names)}")
    if sheet not in names:
        raise ValueError(f"has no sheet {show(sheet)}{near(sheet, names)}")
    return sheet


def _rows(values: Any, formulas: Any) -> Iterator[list[tuple[Any, Any]]]:
    for sheet in (values, formulas):
        # The size that a file states may be wrong, and rows would be cut.
        sheet.reset_dimensions()
    pairs = zip(
        values.iter_rows(values_only=True, max_col=COLUMNS_LIMIT),
        formulas.iter_rows(values_only=True, max_col=COLUMNS_LIMIT),
        strict=True,
    )
    for row, written in pairs:
        yield list(zip_longest(row, written))


def _text(value: Any, formula: Any, line: int, place: int, tell: Tell) -> str:
    where = f"column {place}"
    if value is None:
        if isinstance(formula, str) and formula.startswith("="):
            tell(
                line,
                where,
                formula,
                "the workbook holds no value for this formula: open and save it in a spreadsheet",
            )
        return ""
    if isinstance(value, bool):
        tell(line, where, value, "true or false stands in a cell: write a number or text")
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        # A workbook makes no difference between 24 and 24.0.
        return str(int(value))
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date().isoformat()
        return value.isoformat(" ", "milliseconds" if value.microsecond else "seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float):
        return repr(value) if isinstance(value, float) else str(value)
    tell(line, where, str(value), "a time or a length of time stands in a cell: format the column as text")
    return ""
