"""What the cells of a table hold: parsers of text, by the kind of a column."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from flowsim.errors import is_odd
from flowsim.model import quantities as q
from flowsim.model.names import describe, near

LONGEST_CELL = 2000
_COMMON = re.compile(r"(?:0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?")
"""Numbers that need no second look, for the speed of long tables."""
LEVELS = ("root", "stp", "borough", "neighbourhood", "outside")
CAPACITY_KINDS = ("beds", "slots", "unlimited")
_ABSENT = {
    "nan",
    "na",
    "n/a",
    "n.a.",
    "none",
    "null",
    "nil",
    "-",
    "--",
    ".",
    "..",
    ":",
    "\u2013",
    "\u2014",
    "x",
    "c",
    "z",
    "u",
}


def _number(text: str) -> int | float:
    """The number in a cell, with the cause told for what spreadsheets and publishers leave in one."""
    if match := _COMMON.fullmatch(text):
        return float(text) if match[1] else int(text)
    _refuse_general(text)
    if text.lower() in _ABSENT:
        raise ValueError("must be a number: where it is not known, leave the row out or write what you assume")
    if set(text) <= {"*", "†"}:
        raise ValueError("must be a number: a small number is suppressed here, write what you assume")
    return q.number_of(text)


def _refuse_general(text: str) -> None:
    if not text:
        raise ValueError("is empty: every row needs a value here")
    if len(text) > LONGEST_CELL:
        raise ValueError(f"a cell of {len(text)} characters: at most {LONGEST_CELL} are read")
    if text != text.strip():
        raise ValueError("a space or another blank stands before or after it: remove it")
    if text.startswith("="):
        raise ValueError("a formula stands here: write its value")
    if re.fullmatch(r"#(REF!|N/A|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!)", text):
        raise ValueError("an error of a spreadsheet stands here: write the value")
    odd = next((c for c in text if is_odd(c) and not c.isspace()), None) if not text.isprintable() else None
    if odd is not None:
        raise ValueError(f"holds a character that cannot be seen, {describe(odd)}: remove it")


def _zero_or_more(text: str) -> float:
    number = q.parse_number(_number(text))
    if number < 0:
        raise ValueError("must be 0 or more")
    return number


def _year(text: str) -> int:
    if not re.fullmatch(r"(19|20|21)[0-9]{2}|2200", text):
        _refuse_general(text)
        raise ValueError("must be a year of four digits, such as 2018")
    return int(text)


def _length(text: str) -> str:
    """A length of time, in the words in which it stands."""
    q.parse_whole_duration(text)
    return text


def _degrees(name: str, most: int) -> Callable[[str], float]:
    def parse(text: str) -> float:
        number = q.parse_number(_number(text))
        if abs(number) > most:
            raise ValueError(f"a {name} lies between -{most} and {most} degrees")
        return number

    return parse


def _word(words: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            _refuse_general(text)
            raise ValueError(f"must be one of {', '.join(words)}{near(text, words) if len(words) > 3 else ''}")
        return text

    return parse


def _checked(parse: Callable[[Any], Any]) -> Callable[[str], Any]:
    """A parser of words, with what no cell may hold refused first."""

    def parse_cell(text: str) -> Any:
        _refuse_general(text)
        return parse(text)

    return parse_cell


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "name": _checked(q.parse_name),
    "text": _checked(q.parse_text),
    "number": _zero_or_more,
    "any number": lambda text: q.parse_number(_number(text)),
    "any whole": lambda text: q.parse_whole(_number(text)),
    "whole": lambda text: q.parse_count(_number(text)),
    "share": lambda text: q.parse_share(_number(text)),
    "date": _checked(q.parse_date),
    "datetime": _checked(q.parse_datetime),
    "year": _year,
    "latitude": _degrees("latitude", 90),
    "longitude": _degrees("longitude", 180),
    "age band": _checked(q.parse_age_band),
    "duration": _checked(_length),
    "level": _word(LEVELS),
    "capacity kind": _word(CAPACITY_KINDS),
}
"""Each takes the text of a cell and returns its value, or raises ValueError that says what would be right."""
