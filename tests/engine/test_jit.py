"""The cache of compiled code: never stale, never in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import flowsim.engine
from flowsim.engine import jit

ENGINE = Path(flowsim.engine.__file__).parent
FILES = (
    "__init__",
    "addresses",
    "distributions",
    "elementary",
    "jit",
    "quantiles",
    "sampling",
)
PROGRAM = "from flowsim.engine import jit, sampling; print(jit.CACHE_FOLDER, sampling.gap_ms(7, 0, 0, 1, 1e9))"


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A copy of the files that are compiled, as a package of its own without a cache."""
    copy = tmp_path / "flowsim" / "engine"
    copy.mkdir(parents=True)
    (copy.parent / "__init__.py").touch()  # else an installed flowsim would be found first
    for name in FILES:
        shutil.copy(ENGINE / f"{name}.py", copy)
    return copy


def run(engine: Path, **environment: str) -> tuple[str, int]:
    """Folder of the cache and a gap drawn in a new process that imports this copy."""
    kept = {name: value for name, value in os.environ.items() if name not in ("HOME", "NUMBA_CACHE_DIR")}
    settings = {**kept, "PYTHONPATH": str(engine.parents[1]), "PYTHONWARNINGS": "error", **environment}
    settings["NUMBA_DISABLE_JIT"] = "0"
    # Python puts the working folder first on its path, so the process must start in the copy.
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=engine.parents[1], env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder, gap = done.stdout.split()
    return folder, int(gap)


def test_an_edited_helper_is_never_run_from_the_cache(engine: Path) -> None:
    folder, gap = run(engine)
    assert Path(folder).parent == engine / "__pycache__"
    stored = list(Path(folder).rglob("*.nbc"))
    assert stored
    assert run(engine) == (folder, gap)
    helper = engine / "elementary.py"
    helper.write_text(helper.read_text().replace("f = fraction - 1.0", "f = 2.0 * (fraction - 1.0)"))
    new_folder, new_gap = run(engine)
    assert new_folder != folder
    assert new_gap != gap
    assert not Path(folder).exists()


def test_a_damaged_cache_costs_a_compilation_only(engine: Path) -> None:
    folder, gap = run(engine)
    assert Path(folder).is_relative_to(engine)
    for path in Path(folder).rglob("*.nb[ci]"):
        path.write_bytes(path.read_bytes()[:10])
    assert run(engine) == (folder, gap)


def test_without_any_folder_to_write_in_the_engine_runs_uncached(engine: Path) -> None:
    (engine / "__pycache__").write_text("a file where the folder would be")
    blocked = str(engine / "__init__.py" / "below a file")
    folder, gap = run(engine, HOME=blocked, XDG_CACHE_HOME=blocked, NUMBA_CACHE_DIR=blocked)
    assert folder == "None"
    assert gap > 0


def test_an_install_that_is_read_only_keeps_its_code_with_the_user(engine: Path, tmp_path: Path) -> None:
    (engine / "__pycache__").write_text("root may write even where nobody may: a file where the folder would be")
    engine.chmod(0o555)
    user = str(tmp_path / "user")
    try:
        folder, gap = run(engine, XDG_CACHE_HOME=user)
        kept = {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*.nb[ci]")}
        assert Path(folder).parent == tmp_path / "user" / "flowsim"
        assert kept
        assert run(engine, XDG_CACHE_HOME=user) == (folder, gap)
        assert {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*.nb[ci]")} == kept
    finally:
        engine.chmod(0o755)


def test_the_first_folder_that_can_be_written_is_used(
    engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    name = Path(jit.cache_folder(engine) or "").name
    assert jit.cache_folder(engine) == str(tmp_path / "chosen" / name)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(engine / "jit.py" / "below a file"))
    assert jit.cache_folder(engine) == str(engine / "__pycache__" / name)
    shutil.rmtree(engine / "__pycache__")
    (engine / "__pycache__").write_text("a file where the folder would be")
    assert jit.cache_folder(engine) == str(tmp_path / "user" / "flowsim" / name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(engine / "jit.py"))
    assert jit.cache_folder(engine) is None


@pytest.mark.parametrize("name", sorted(path.stem for path in ENGINE.glob("*.py")))
def test_an_edit_of_any_source_changes_the_digest(engine: Path, name: str) -> None:
    shutil.copy(ENGINE / f"{name}.py", engine)
    before = jit.source_digest(engine)
    path = engine / f"{name}.py"
    path.write_text(path.read_text() + "\n")
    assert jit.source_digest(engine) != before
