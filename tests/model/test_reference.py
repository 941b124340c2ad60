"""The reference of the model language is current, whole, and its examples are what flowsim reads."""

from __future__ import annotations

import re

import pytest

from flowsim.errors import Faults
from flowsim.model import pathways, schema
from flowsim.model.levers import LEVERS
from flowsim.model.parts import Part
from flowsim.model.reading import parse_yaml
from flowsim.model.reference import CLASSES, EXAMPLES, SHORT, reference
from flowsim.model.shipped import folder_of


def test_reference_is_current() -> None:
    written = (folder_of("configs") / "README.md").read_text(encoding="utf-8")
    assert written == reference(), "run python -m flowsim.model.reference"


def test_every_class_that_the_model_uses_is_described() -> None:
    described = {part for classes in CLASSES.values() for part in classes}
    assert set(used_by(schema.Model)) <= described


def used_by(part: type[Part]) -> list[type[Part]]:
    text = " ".join(str(field.annotation) for field in part.model_fields.values())
    known = {f"{one.__module__}.{one.__name__}": one for one in subclasses(Part)}
    inner = [known[name] for name in re.findall(r"flowsim\.model\.\w+\.\w+", text) if name in known]
    return [part, *(deeper for one in inner if one is not part for deeper in used_by(one))]


def subclasses(part: type[Part]) -> list[type[Part]]:
    return [one for direct in part.__subclasses__() for one in (direct, *subclasses(direct))]


def test_every_link_leads_to_a_heading() -> None:
    text = reference()
    headings = {one.lower().replace(" ", "-") for one in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\(#([^)]+)\)", text)) <= headings


def test_every_lever_is_described() -> None:
    assert all(f"### {name}\n" in reference() for name in LEVERS)


@pytest.mark.parametrize("line", [line for text in (*EXAMPLES.values(), *SHORT.values()) for line in text.splitlines()])
def test_example_is_read_as_it_stands(line: str) -> None:
    faults = Faults()
    tree = parse_yaml(line, "example", faults)
    assert not list(faults)
    assert tree is not None


def test_keys_stand_as_they_are_written() -> None:
    text = reference()
    assert "| `in` |" in text
    assert "`in_`" not in text
    assert pathways.Step.model_fields["in_"].alias == "in"
