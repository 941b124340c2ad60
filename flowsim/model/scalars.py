"""What single YAML scalars are: YAML 1.2, narrowed by what two readers could take for two things."""

from __future__ import annotations

import re
import unicodedata

from flowsim.errors import escape, is_odd
from flowsim.model.names import describe
from flowsim.model.quantities import explain_number, is_number, number_of

Scalar = str | int | float | bool


def odd_character(text: str, is_plain: bool) -> str:
    """Why a character may not stand in a text; empty if all may. Quoted text may have no-break spaces."""
    if text.isprintable():
        return ""
    for character in text:
        if character == "\n" or not is_odd(character):
            continue
        if character == "\t":
            return "holds a tab: write spaces; in double quotes \\t is a tab, so write / between folders"
        if unicodedata.category(character) == "Zs":
            if is_plain:
                return f"holds {escape(character)} ({describe(character)}): type an ordinary space"
            continue
        return f"holds {escape(character)} ({describe(character)}): remove it"
    return ""


def resolve(text: str) -> Scalar:
    """What a plain (unquoted) scalar is: true or false, a decimal number, else text. Dates stay text.

    Raises ValueError for what is empty, or looks like a number and is none that can be taken as written.
    """
    if text in _EMPTY:
        raise ValueError("has no value: write one, or leave the key out")
    if text in _TRUTH:
        return _TRUTH[text]
    if hint := explain_number(text):
        raise ValueError(hint)
    return number_of(text) if is_number(text) else text


_EMPTY = ("", "~", "null", "Null", "NULL")
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def why_not_key(text: str) -> str:
    """Why a plain key is no text; empty if it is."""
    if text in _EMPTY:
        return "a key must be text: it is empty here" if not text else f'a key must be text: quote it, "{text}"'
    if text == "<<":
        return "merge keys are not read: write the keys out"
    if text in _TRUTH or is_number(text) or explain_number(text) or re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text):
        return f'a key must be text, and this reads as a number, a date or true/false: quote it, "{text}"'
    return ""
