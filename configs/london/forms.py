"""Two larger forms of the London model, with parts in YAML put into model.yaml. Used by rebuild.py.

with_clinics_and_nursing.yaml is model.yaml with clinics_and_nursing.yaml, and with_general_practice.yaml that with
general_practice.yaml. clinics.py and general_practice.py make their tables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import clinics
import general_practice
from beds import Line
from people import HERE, Rates

Lines = list[Sequence[object]]
FORMS = {"with_clinics_and_nursing": "clinics_and_nursing", "with_general_practice": "general_practice"}
"""Each form and the part that makes it of the form before; the first of model.yaml."""
KEY = re.compile(r'("[^"]*"|[^\s#"{\[-][^:]*):(?=\s|$)')


def needs() -> dict[str, Rates]:
    """Need per 1,000 a year by band, alike everywhere, of both forms."""
    return clinics.needs()


def needs_by_place() -> dict[str, tuple[Rates, dict[str, float]]]:
    """Shape by band and patients a year by place, of both forms."""
    return clinics.needs_by_place() | general_practice.needs_by_place()


def flows() -> dict[str, clinics.Flow]:
    """Sites and patients from each residence to each of them, of both forms."""
    return clinics.flows()


def tables(units: Lines, first_day: Lines) -> dict[str, Lines]:
    """Units and first day of both forms, from those of the model that ships."""
    capacities = cast(list[Line], units[1:])
    operated = ("planned operation", "planned orthopaedics")
    there = [("planned care", *row[1:]) if row[0] in operated else row for row in first_day]
    return {
        "units_with_clinics_and_nursing": [*units, *clinics.units()],
        "units_with_general_practice": [*units, *clinics.units(), *general_practice.units()],
        "first_day_with_clinics_and_nursing": [*there, *clinics.first_day(capacities)],
    }


def models(model: str) -> dict[str, str]:
    """The text of each form by name."""
    found: dict[str, str] = {}
    for form, part in FORMS.items():
        model = merged(model, (HERE / f"{part}.yaml").read_text("utf-8"))
        said = " and ".join(f"{one}.yaml" for one in ("written", *(FORMS[name] for name in (*found, form))))
        found[form] = f"# Written by rebuild.py from {said}: edit those.\n" + model.partition("\n")[2]
    return found


# --- putting a part into a model ---


def merged(model: str, part: str) -> str:
    """A model with a part: keys that the model has are taken from the part, others added to their section.

    Mappings are gone into, lists are added to; a key of the part with nothing in it takes that of the model away.
    """
    return "".join(_merged(model.splitlines(keepends=True), part.splitlines(keepends=True), ""))


def _merged(model: list[str], part: list[str], path: str) -> list[str]:
    """Lines of a mapping with those of a part; the lines of both stand at their own indent."""
    body, tail = _without_tail(model)
    found = _entries(body)
    apart = ["\n"] if any(lines and not lines[-1].strip() for lines in found.values()) else []
    for key, written in _entries(part).items():
        if not key:
            continue
        lines, old = _without_tail(written)[0], found.get(key)
        below = _below(lines)
        if not below and _opens(lines):
            if old is None:
                raise SystemExit(f"{path}{key} is to be taken away, and the model has none")
            del found[key]
        elif old and _opens(lines) and _opens(old) and _is_list(below) and _is_list(_below(old)):
            kept, after = _without_tail(old)
            found[key] = [*kept, *below, *after]
        elif old and _opens(lines) and _opens(old) and _is_mapping(below) and _is_mapping(_below(old)):
            found[key] = [old[0], *_merged(old[1:], below, f"{path}{key}: ")]
        else:
            found[key] = [*lines, *_without_tail(old)[1]] if old else [*apart, *lines]
    return [line for lines in found.values() for line in lines] + tail


def _entries(lines: list[str]) -> dict[str, list[str]]:
    """Lines of a mapping by key, each with what stands below it; what comes before the first key is under ""."""
    indent = min((_indent(line) for line in lines if _says(line)), default=0)
    found: dict[str, list[str]] = {"": []}
    key = ""
    for line in lines:
        here = KEY.match(line[indent:]) if _says(line) and _indent(line) == indent else None
        if here:
            key = here[1]
            if key in found:
                raise SystemExit(f"{key} stands twice")
        found.setdefault(key, []).append(line)
    return found


def _below(lines: list[str]) -> list[str]:
    """What stands below the first line of an entry; nothing if only comments and blank lines do."""
    return lines[1:] if any(_says(line) for line in lines[1:]) else []


def _without_tail(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines, and the blank lines and comments at their end."""
    end = max((i + 1 for i, line in enumerate(lines) if _says(line)), default=0)
    return lines[:end], lines[end:]


def _opens(lines: list[str]) -> bool:
    """Whether an entry has no value on its own line."""
    return lines[0].split(" #")[0].rstrip().endswith(":")


def _is_list(lines: list[str]) -> bool:
    return next((line.lstrip().startswith("- ") for line in lines if _says(line)), False)


def _is_mapping(lines: list[str]) -> bool:
    return next((KEY.match(line.lstrip()) is not None for line in lines if _says(line)), False)


def _says(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
