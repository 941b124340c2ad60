"""The house has five floors and one stair down: imports go up only, and heavy libraries wait until they are
wanted.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import flowsim

PACKAGE = Path(flowsim.__file__).parent
FLOORS = ("model", "engine", "measure", "experiment", "show")
FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] in FLOORS or path.parent == PACKAGE
)
HEAVY = ("numba", "simpy", "matplotlib", "pandas", "scipy", "pyarrow")


SHORT = """\
flowsim: 1
name: short
title: A short run
question: What does it load?
model: clinic
days: 3
replications: 2
visits: 0.5
scenarios: {as it is: []}
baseline: as it is
measures: {wait: mean_wait_hours}
"""


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Everything of flowsim that a file imports, at its top, in functions and for type checking."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(path)}: relative import"
            module = node.module or ""
            yield from (f"{module}.{name.name}" for name in node.names)


def of_flowsim(path: Path) -> list[str]:
    return [name for name in imports(path) if name == "flowsim" or name.startswith("flowsim.")]


def floor_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else None


def test_there_are_files_on_every_floor() -> None:
    assert {path.relative_to(PACKAGE).parts[0] for path in FILES} >= set(FLOORS)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent != PACKAGE], ids=name_of)
def test_a_file_imports_only_from_its_own_floor_and_those_above(path: Path) -> None:
    own = FLOORS.index(path.relative_to(PACKAGE).parts[0])
    if own == FLOORS.index("show"):
        return  # held more strictly below
    below = [name for name in of_flowsim(path) if (floor := floor_of(name)) and FLOORS.index(floor) > own]
    assert below == []
    assert "flowsim" not in imports(path), "the public surface is for users and for the floor of show"


@pytest.mark.parametrize("path", sorted((PACKAGE / "engine").glob("*.py")), ids=name_of)
def test_only_building_knows_the_model(path: Path) -> None:
    if path.parent.name != "building":
        assert [name for name in of_flowsim(path) if floor_of(name) == "model"] == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "measure").glob("*.py")), ids=name_of)
def test_measures_know_layouts_and_no_engine(path: Path) -> None:
    allowed = {"flowsim.engine.ledger", "flowsim.engine.network", "flowsim.engine.visits"}
    engine = {".".join(name.split(".")[:3]) for name in of_flowsim(path) if floor_of(name) == "engine"}
    assert engine <= allowed


@pytest.mark.parametrize("path", sorted((PACKAGE / "show").rglob("*.py")), ids=name_of)
def test_what_people_look_at_uses_only_exported_names(path: Path) -> None:
    for name in of_flowsim(path):
        if name == "flowsim" or name.startswith(("flowsim.show", "flowsim.errors")):
            continue
        assert name.count(".") == 1, f"{name} lies below the surface"
        assert name.removeprefix("flowsim.") in flowsim.__all__


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_is_long(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    # One process reads beside the pathway diagram, from START to the last release: it is kept in one piece, in both
    # engines, which are read side by side.
    most = 1000 if name_of(path) in ("engine/reference.py", "engine/compiled.py") else 500
    assert lines <= most


def loaded_by(code: str) -> set[str]:
    """The heavy libraries that are loaded after some code, in a process of its own."""
    tail = f"\nimport sys; print('loaded:', *[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_importing_flowsim_loads_nothing_heavy() -> None:
    assert loaded_by("import flowsim") == set()


def test_help_loads_nothing_heavy() -> None:
    assert loaded_by("from flowsim.show import cli; assert cli.run(['--help']) == 0") == set()
    assert loaded_by("from flowsim.show import cli; assert cli.run(['run', '--help']) == 0") == set()


def test_a_run_without_a_figure_loads_no_library_of_tables_and_starts_no_process(tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text(SHORT, encoding="utf-8")
    run = f"from flowsim.show import cli; assert cli.run(['run', {str(file)!r}, '--out', {str(tmp_path / 'r')!r}]) == 0"
    no_process = "import sys; assert 'multiprocessing.popen_spawn_posix' not in sys.modules"
    assert loaded_by(f"{run}; {no_process}").isdisjoint({"pandas", "matplotlib", "simpy"})


def test_checking_a_model_compiles_and_draws_nothing() -> None:
    loaded = loaded_by("from flowsim.show import cli; assert cli.run(['check', 'emergency']) == 0")
    assert loaded.isdisjoint({"numba", "simpy", "matplotlib"})
