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
import struct
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, TypeVar, cast

import numba
import numba.core.caching
from numba import types
from numba.extending import intrinsic

PART: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of functions that compiled code alone calls."""
F = TypeVar("F", bound=Callable[..., Any])
SOURCES = Path(__file__).parent

config: Any = numba.config
FunctionCache: Any = numba.core.caching.FunctionCache


def compiled(function: F) -> F:
    """`function` compiled by numba when first called: strict IEEE arithmetic, one thread, cached.

    Division by zero gives infinity or NaN instead of an exception, which would cost a branch each time; the
    plain function raises.
    """
    return _cached(function, numba.njit(error_model="numpy")(function))


def compiled_inline(function: F) -> F:
    """As `compiled`, and written into whatever compiled code calls it, so that a loop of calls may be done at once."""
    return _cached(function, numba.njit(error_model="numpy", forceinline=True)(function))


def _cached(function: F, dispatcher: Any) -> F:
    _once_for_all_numbers(dispatcher)
    if not config.DISABLE_JIT and CACHE_FOLDER is not None:
        dispatcher._cache = _cache(function, CACHE_FOLDER)
    return cast(F, dispatcher)


def inlined(function: F) -> F:
    """As `compiled`, for the parts of an engine: written into whatever calls it, and cached only as part of that."""
    return cast(F, _once_for_all_numbers(numba.njit(forceinline=True, **PART)(function)))


def spliced(function: F) -> F:
    """As `inlined`, but copied into its callers before they are compiled: for what is short or called once."""
    return cast(F, numba.njit(inline="always", **PART)(function))


def called(function: F) -> F:
    """As `inlined`, but kept apart: for what happens seldom, or is called from several places."""
    return cast(F, _once_for_all_numbers(numba.njit(**PART)(function)))


def _once_for_all_numbers(dispatcher: Any) -> Any:
    """numba would compile a function anew for each constant that compiled code passes to it: not here."""
    if config.DISABLE_JIT:
        return dispatcher
    template, plain = dispatcher.get_call_template, cast(Any, types).unliteral

    def get_call_template(args: Any, kws: Any) -> Any:
        return template(tuple(map(plain, args)), {name: plain(kind) for name, kind in kws.items()})

    dispatcher.get_call_template = get_call_template
    return dispatcher


def compiled_copies(
    module: ModuleType,
    names: Iterable[str],
    instead: Mapping[str, Callable[..., Any]],
    how: Callable[[Any], Any] = compiled,
) -> SimpleNamespace:
    """Compiled copies of the named plain functions of `module`, which call each other's compiled copies.

    numba cannot call a plain function. So each is rebuilt over one shared scope in which the names mean the
    copies; `module` itself stays plain and free of numba, and there is one source for both. Those in `instead`
    are replaced by others that mean the same; `how` is `compiled` or `compiled_inline`.
    """
    scope = dict(vars(module)) | {name: how(function) for name, function in instead.items()}
    for name in names:
        plain = scope[name]
        scope[name] = how(FunctionType(plain.__code__, scope, name, plain.__defaults__))
    return SimpleNamespace(**{name: scope[name] for name in names})


def is_ready(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    """Whether a compiled function need not be compiled any more for arguments of these types."""
    dispatcher: Any = function
    if arguments in dispatcher.overloads:
        return True
    return CACHE_FOLDER is not None and bool(dispatcher._cache.has(arguments, dispatcher.targetctx))


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


def _plain_bits_of(x: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", x))[0])


def _plain_float_of(bits: int) -> float:
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])


@intrinsic
def _bits_of(typingctx: Any, x: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def _float_of(typingctx: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


bits_of: Callable[[float], int] = _plain_bits_of if config.DISABLE_JIT else cast(Any, _bits_of)
"""The 64 bits of a float as a whole number."""
float_of: Callable[[int], float] = _plain_float_of if config.DISABLE_JIT else cast(Any, _float_of)
"""The float that has these bits."""


class _ForgivingCache(FunctionCache):  # type: ignore[misc]
    """numba's cache of one function; a full disk or a damaged file costs a compilation, not the run."""

    def has(self, sig: Any, target_context: Any) -> bool:
        """Whether code for these types and this processor is kept, without loading it."""
        try:
            name = self._cache_file._load_index().get(self._index_key(sig, target_context.codegen()))
            return name is not None and Path(self._cache_file._data_path(name)).is_file()
        except Exception:  # as below
            return False

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
