"""Bad input is refused before work starts, in one line that names where, what, and what would be right.

`fixtures/bad_inputs.json` lists the cases: each an edit of the model in `fixtures/town`, what must be refused
(or accepted), and what the line must name.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flowsim.errors import Fault, Faults, InputError
from flowsim.model.digest import digest
from flowsim.model.explaining import tell
from flowsim.model.levers import Lever, parse_lever
from flowsim.model.loading import read_model
from flowsim.model.reading import Tree

FIXTURES = Path(__file__).parent.parent / "fixtures"
TOWN = FIXTURES / "town"
TOWN_DIGEST = digest(read_model(TOWN))
CASES: list[dict[str, Any]] = json.loads((FIXTURES / "bad_inputs.json").read_text(encoding="utf-8"))


def made(case: dict[str, Any], folder: Path) -> int:
    """Copies the town into a folder and edits it; the first line that the edit changed."""
    shutil.copytree(TOWN, folder)
    target = folder / case["file"]
    before = target.read_text(encoding="utf-8")
    text = case.get("whole", before)
    for old, new in case.get("edits", ()):
        assert old in text, f"{case['id']}: the edit {old!r} does not fit the model"
        text = text.replace(old, new)
    target.write_bytes(text.encode(case.get("encoding", "utf-8")))
    for name, table in case.get("tables", {}).items():
        (folder / name).write_text(table, encoding="utf-8")
    pairs = zip(before.split("\n"), text.split("\n"), strict=False)
    return next((line for line, (old, new) in enumerate(pairs, start=1) if old != new), 1)


def refused(case: dict[str, Any], folder: Path) -> tuple[Fault, ...]:
    """The faults for which a case is refused."""
    if "lever" not in case:
        with pytest.raises(InputError) as caught:
            read_model(folder)
        return caught.value.faults
    faults = Faults()
    spec = case["lever"]["spec"]
    tree = Tree("experiment.yaml", spec, {(): 7, **{(key,): 7 for key in spec}}, {}, frozenset())
    try:
        parse_lever(case["lever"]["name"], spec, read_model(folder).model)
    except ValidationError as error:
        tell(error, tree, Lever, faults)
    except ValueError as error:
        faults.add(tree.file, 7, case["lever"]["name"], spec, str(error))
    return tuple(faults)


@pytest.mark.parametrize("case", [case for case in CASES if case["expected"] == "refuse"], ids=lambda case: case["id"])
def test_bad_input_is_refused_in_lines_that_name_what_is_wrong(case: dict[str, Any], tmp_path: Path) -> None:
    changed = made(case, tmp_path / "town")
    faults = refused(case, tmp_path / "town")
    lines = [str(fault) for fault in faults]
    text = "\n".join(lines)
    assert text.count("\n") == len(lines) - 1
    assert all(line.isprintable() and len(line) < 1200 for line in lines)
    assert len(set(lines)) == len(lines)
    if case.get("faults", 1) is not None:
        assert len(lines) == case.get("faults", 1), text
    for word in case.get("names", ()):
        assert word in text, f"{word!r} is not named in:\n{text}"
    expected = case.get("line", changed)
    must = case["message_must_name"]
    if expected != "any":
        assert any(fault.line == expected for fault in faults), f"line {expected} is not named in:\n{text}"
    if "field" in must:
        assert all(fault.field or fault.line is not None for fault in faults), text
    if "fix" in must:
        assert all(len(fault.message) > 8 for fault in faults), text


@pytest.mark.parametrize("case", [case for case in CASES if case["expected"] == "accept"], ids=lambda case: case["id"])
def test_unusual_input_is_accepted_as_it_is_meant(case: dict[str, Any], tmp_path: Path) -> None:
    made(case, tmp_path / "town")
    loaded = read_model(tmp_path / "town")
    if "warning" in case:
        assert any(case["warning"] in warning for warning in loaded.warnings)
    else:
        assert loaded.warnings == ()
    assert (digest(loaded) == TOWN_DIGEST) == case.get("same", False)


def special(kind: str, path: Path) -> None:
    path.unlink()
    if kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_table_that_is_no_ordinary_file_is_refused_without_waiting(kind: str, tmp_path: Path) -> None:
    shutil.copytree(TOWN, tmp_path / "town")
    special(kind, tmp_path / "town" / "tables" / "population.csv")
    with pytest.raises(InputError) as caught:
        read_model(tmp_path / "town")
    assert [fault.field for fault in caught.value.faults] == ["population"]
