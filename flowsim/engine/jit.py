"""How the engine is compiled: one decorator, and a cache that never runs stale code and never fails.

numba's own cache looks at the file of the function it loads, not at the helpers compiled into it. Here the
folder's name carries a hash of all sources of the engine, so any edit starts a new folder. `NUMBA_CACHE_DIR`
is used first if set, then `__pycache__` beside this file, then the user's cache folder; where none can be
written the engine compiles at each start. `NUMBA_DISABLE_JIT=1` runs everything as plain Python.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, TypeVar, cast

import numba
import numba.core.caching

F = TypeVar("F", bound=Callable[..., Any])
SOURCES = Path(__file__).parent

config: Any = numba.config
FunctionCache: Any = numba.core.caching.FunctionCache


def compiled(function: F) -> F:
    """`function` compiled by numba when first called: strict IEEE arithmetic, one thread, cached.

    Division by zero gives infinity or NaN instead of an exception, which would cost a branch each time; the
    plain function raises.
    """
    dispatcher: Any = numba.njit(error_model="numpy")(function)
    if not config.DISABLE_JIT and CACHE_FOLDER is not None:
        dispatcher._cache = _cache(function, CACHE_FOLDER)
    return cast(F, dispatcher)


def compiled_copies(module: ModuleType, names: Iterable[str]) -> SimpleNamespace:
    """Compiled copies of the named plain functions of `module`, which call each other's compiled copies.

    numba cannot call a plain function. So each is rebuilt over one shared scope in which the names mean the
    copies; `module` itself stays plain and free of numba, and there is one source for both.
    """
    scope = dict(vars(module))
    for name in names:
        plain = scope[name]
        scope[name] = compiled(FunctionType(plain.__code__, scope, name, plain.__defaults__))
    return SimpleNamespace(**{name: scope[name] for name in names})


def source_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of the Python files in `folder`. Raises `OSError`."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.name}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def cache_folder(sources: Path) -> str | None:
    """Folder for the compiled code of these sources, made and known to be writable; None if there is none."""
    try:
        name = f"flowsim-{source_digest(sources)[:32]}"
    except OSError:
        return None
    beside = sources / "__pycache__"
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    for parent in (Path(chosen) if chosen else None, beside, _user_cache()):
        if parent is None:
            continue
        folder = parent / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except (OSError, ValueError):
            continue
        if parent == beside:
            _remove_older(beside, name)
        return str(folder)
    return None


def _user_cache() -> Path | None:
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # no HOME, and a user without an entry in the password file
        return None
    return home / "flowsim" if home.is_absolute() else None


def _remove_older(parent: Path, name: str) -> None:
    # Each edit of the engine would otherwise leave a folder of some megabytes behind.
    for folder in parent.glob("flowsim-*"):
        if folder.name != name:
            shutil.rmtree(folder, ignore_errors=True)


class _ForgivingCache(FunctionCache):  # type: ignore[misc]
    """numba's cache of one function; a full disk or a damaged file costs a compilation, not the run."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # a damaged pickle may raise anything
            with contextlib.suppress(Exception):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception:
            self.disable()


def _cache(function: Callable[..., Any], folder: str) -> Any:
    # numba takes the folder of a cache from its configuration, once, when the cache is made.
    before = config.CACHE_DIR
    config.CACHE_DIR = folder
    try:
        return _ForgivingCache(function)
    finally:
        config.CACHE_DIR = before


CACHE_FOLDER = cache_folder(SOURCES)
