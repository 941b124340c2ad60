"""Names and other text: what may stand in one, which two look alike, and what was probably meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from flowsim.errors import escape, is_odd, show

LONGEST_NAME = 120
LONGEST_TEXT = 20_000
LISTED = 8
"""A message lists at most this many of what is allowed."""

_LOOK_ALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХҮԚԜаеѕіјорсухһԁԛԝ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυχ",
    "ABESIJKMHOPCTYXYQWaesijopcyxhdqw" + "ABEZHIKMNOPTYXaikvopux",
)
"""Cyrillic and Greek letters that look like Latin ones (after Unicode's confusables)."""
_FORMULA = ("=", "+", "-", "@")


def describe(character: str) -> str:
    """A character by its number and name, such as U+0430 CYRILLIC SMALL LETTER A."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name or 'CONTROL OR UNASSIGNED CHARACTER'}"


def normal_name(name: str) -> str:
    """A name without case, spaces and look-alike letters: two that are the same so would be mixed up."""
    folded = unicodedata.normalize("NFKC", name.translate(_LOOK_ALIKES)).casefold()
    folded = unicodedata.normalize("NFKC", folded).translate(_LOOK_ALIKES)
    return "".join(character for character in folded if not character.isspace() and not is_odd(character))


def near(word: str, words: Iterable[str]) -> str:
    """What was probably meant, ` (did you mean 'ward'?)`, else what is allowed; empty if nothing is.

    Where the word differs only by characters that cannot be told from the right ones, they are named.
    """
    allowed = list(words)
    if not allowed:
        return ""
    normal = normal_name(word[:1000])
    same = [one for one in allowed if normal_name(one) == normal]
    close = same or difflib.get_close_matches(word[:200], allowed, n=1, cutoff=0.6)
    if not close:
        by_fold = {one.casefold(): one for one in allowed}
        found = difflib.get_close_matches(word[:200].casefold(), by_fold, n=1, cutoff=0.6)
        close = [by_fold[one] for one in found]
    if close:
        return f" (did you mean {show(close[0])}?{_odd_letters(word, close[0])})"
    listed = ", ".join(show(one) for one in allowed[:LISTED])
    return f" (one of: {listed})" if len(allowed) <= LISTED else f" (one of {len(allowed)}: {listed} ...)"


def _odd_letters(word: str, right: str) -> str:
    odd = next((c for c in word if c not in right and (is_odd(c) or not c.isascii())), None)
    return f" {describe(odd)} is in what was written" if odd else ""


def parse_name(value: object) -> str:
    """A name: 1 to 120 printable characters, one space at most between words, none at the ends."""
    if not isinstance(value, str):
        if isinstance(value, bool | int | float):
            raise ValueError(f'must be a name: quote it, "{show(value)}", if it is one')
        raise ValueError("must be a name")
    return _checked(value)


@lru_cache(maxsize=2**16)
def _checked(value: str) -> str:
    """As `parse_name`: a model says the same names over and over."""
    if not value.strip():
        raise ValueError("must be a name, not empty")
    if len(value) > LONGEST_NAME:
        raise ValueError(f"a name has at most {LONGEST_NAME} characters, not {len(value)}")
    _refuse_odd(value, "a name")
    if value != value.strip() or "  " in value:
        raise ValueError("a name has no space at its start or end, and no two together")
    if value.startswith(_FORMULA):
        raise ValueError(f"a name may not start with {value[0]}: a spreadsheet would run it as a formula")
    if value.startswith("#") and value.endswith(("!", "?", "/A")):
        raise ValueError("an error of a spreadsheet stands here, not a name")
    for part in re.findall(r"\w+", value):
        strange = [letter for letter in part if ord(letter) in _LOOK_ALIKES]
        if strange and any("a" <= letter.lower() <= "z" for letter in part):
            raise ValueError(f"{describe(strange[0])} looks like a Latin letter among Latin letters: type it anew")
    return value


def parse_text(value: object) -> str:
    """Text for people, on one or more lines; quoted where it looks like a number."""
    if not isinstance(value, str):
        if isinstance(value, bool | int | float):
            raise ValueError(f'must be text: quote it, "{show(value)}", if it is meant so')
        raise ValueError("must be text")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"text has at most {LONGEST_TEXT} characters")
    _refuse_odd(value.replace("\n", ""), "text", allowed="\u00a0\u202f")
    return value


def _refuse_odd(value: str, what: str, allowed: str = "") -> None:
    odd = next((c for c in value if is_odd(c) and c not in allowed), None)
    if odd is None:
        return
    if odd == "\n":
        raise ValueError(f"{what} has no line breaks")
    if unicodedata.category(odd) == "Zs":
        raise ValueError(f"{what} has ordinary spaces only: {describe(odd)} stands at character {value.index(odd) + 1}")
    raise ValueError(
        f"{what} has only characters that can be seen: {escape(odd)} ({describe(odd)})"
        f" stands at character {value.index(odd) + 1}"
    )
