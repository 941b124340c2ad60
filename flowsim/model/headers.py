"""What is wrong with the shape of a table: its header, and rows that are too short or too long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from flowsim.errors import escape, show
from flowsim.model.names import near
from flowsim.model.quantities import is_number

HeaderFault = tuple[int, str, object, str]
"""Line, field, value and message."""


def faults_of(
    line: int,
    header: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    known: Iterable[str],
    required: Sequence[str],
    is_open: bool,
) -> Iterator[HeaderFault]:
    """What is wrong with a header. `rows` are the first few rows, where a misplaced header may stand."""
    known = list(known)
    if not set(header) & set(required) and (whole := _no_header(line, header, rows, required)):
        yield whole
        return
    missing = [name for name in required if name not in header]
    seen: set[str] = set()
    for place, name in enumerate(header, start=1):
        if not name.strip():
            yield (
                line,
                "",
                None,
                f"column {place} has no name: name it, or remove the column (a comma too many?)",
            )
        elif name in seen:
            yield line, name, None, "two columns have this name: remove one"
        elif name not in known and (guess := _guess(name, missing)):
            missing.remove(guess)
            yield line, name, None, f"is not a column of this table (did you mean {guess}?)"
        elif name not in known and not is_open:
            yield (
                line,
                name,
                None,
                f"is not a column of this table{near(name, [n for n in known if n not in header])}",
            )
        elif name not in known and name != escape(name.strip()):
            yield (
                line,
                name,
                None,
                "the name of a column has a blank at an end, or characters that cannot be seen",
            )
        seen.add(name)
    for name in missing:
        yield (
            line,
            name,
            None,
            f"this column is missing: the header has {', '.join(show(one) for one in header[:12])}",
        )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", escape(name).split("\\")[0].casefold()).strip()


def _guess(name: str, missing: Sequence[str]) -> str | None:
    """The missing column that a name stands for, by its letters or by its words."""
    plain = _plain(name)
    for one in missing:
        if plain == _plain(one) or set(_plain(one).split()) <= set(plain.split()):
            return one
    close = near(name, missing) if len(plain) > 2 else ""
    return next((one for one in missing if f"mean {show(one)}?" in close), None)


def _no_header(
    line: int, header: Sequence[str], rows: Sequence[tuple[int, list[str]]], required: Sequence[str]
) -> HeaderFault | None:
    """What stands in place of a header that has none of the columns; None if only its names are wrong."""
    text = ",".join(header)
    right = f"the first line must name the columns: {', '.join(required)}"
    if text.startswith("#"):
        return line, "", text, f"a table has no comments: {right}"
    for mark, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and mark in text:
            return line, "", text, f"the fields are separated by {word}: save the file with commas"
    for below, row in rows:
        if set(row) & set(required):
            return line, "", text, f"the header stands on line {below}: remove the lines above it"
    if any(is_number(name) for name in header):
        return line, "", text, f"there is no header: {right}"
    if len(header) == 1 and len(required) > 1:
        return line, "", text, f"this is no header: {right}"
    return None


def wrong_width(row: Sequence[str], header: Sequence[str]) -> tuple[str, object, str]:
    """Field, value and message for a row with too few or too many fields."""
    width = len(header)
    text = ",".join(row)
    if len(row) == 1:
        return (
            header[0],
            text,
            f"one field where the header names {width}: notes below a table must be removed",
        )
    if len(row) < width:
        return header[len(row)], text, f"{len(row)} fields where the header names {width}: fields are missing"
    cause = ""
    if any(re.fullmatch(r"[0-9]{3}", right) and re.search(r"[0-9]$", left) for left, right in pairwise(row)):
        cause = " (a comma for thousands? write the number without it)"
    elif any(right.startswith(" ") for right in row[1:]):
        cause = " (a name with a comma must be in quotes)"
    elif not any(row[width:]):
        cause = " (commas too many at the end)"
    return (
        "",
        text,
        f"{len(row)} fields where the header names {width}{cause or ': quote names that have a comma'}",
    )
