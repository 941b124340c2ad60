"""Whatever is done to a model, it is read as it is meant or refused in lines; nothing else ever comes out."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.errors import Faults, InputError
from flowsim.model.loading import leaves, read_model
from flowsim.model.reading import KeyPath, parse_yaml

TOWN = Path(__file__).parent.parent / "fixtures" / "town"
JUNK: list[Any] = [
    "",
    "x",
    "leave",
    "rest",
    "ward",
    "KGH",
    "age_band",
    "place",
    "unlimited",
    "3 days",
    "mon-fri",
    "08:00-09:00",
    "2018-04-01",
    "tables/units.csv",
    "tables",
    "{site}",
    "a\u200bb",
    0,
    -1,
    1,
    2.5,
    1e300,
    10**15,
    True,
    [],
    {},
    [[]],
    [{}],
    ["ward"],
    [1, 2],
    {"by": "place"},
    {"by": "age_band", "table": "tables/need.csv"},
    {"value": 3},
    {"x": {"y": 1}},
    {"ward": 1},
    {"leave": "rest"},
    {"shares": {"Barnet": {"KGH": 1}}},
    {"table": 4},
]


def plain() -> dict[str, Any]:
    tree = parse_yaml((TOWN / "model.yaml").read_text(encoding="utf-8"), "model.yaml", Faults())
    assert tree is not None
    return tree.data


def paths_of(data: Any) -> list[KeyPath]:
    """The paths of all values, also of mappings and lists."""
    found = {path[:length] for path, _ in leaves(data) for length in range(1, len(path) + 1)}
    return sorted(found, key=str)


DATA = plain()
PATHS = paths_of(DATA)


def mutated(data: Any, path: KeyPath, how: str, junk: Any) -> Any:
    data = copy.deepcopy(data)
    inner = data
    try:
        for part in path[:-1]:
            inner = inner[part]
        if how == "replace":
            inner[path[-1]] = junk
        elif how == "delete":
            del inner[path[-1]]
        elif isinstance(inner, dict):
            inner[str(junk)] = inner.pop(path[-1])
    except (KeyError, IndexError, TypeError):
        pass  # an earlier mutation has taken the place away
    return data


MUTATION = st.tuples(
    st.sampled_from(PATHS), st.sampled_from(["replace", "replace", "delete", "rename"]), st.sampled_from(JUNK)
)


@pytest.fixture(scope="module")
def folder() -> Any:
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(TOWN, Path(name) / "town")
        yield Path(name) / "town"


@settings(max_examples=40)
@given(mutations=st.lists(MUTATION, min_size=1, max_size=3))
def test_mutated_model_is_read_or_refused_in_lines(folder: Path, mutations: list[tuple[Any, ...]]) -> None:
    data: Any = DATA
    for path, how, junk in mutations:
        data = mutated(data, path, how, junk)
    (folder / "model.yaml").write_text(json.dumps(data), encoding="utf-8")
    try:
        read_model(folder)
    except InputError as error:
        lines = str(error).split("\n")
        assert len(lines) == len(error.faults)
        assert all(line.isprintable() and fault.message for line, fault in zip(lines, error.faults, strict=True))
