"""The engine compiled ahead: all that a run will want, by one process at a time, and whoever waits is told."""

from __future__ import annotations

import errno
import fcntl
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowsim.engine import jit, warming

MODEL = Path(__file__).parents[1] / "fixtures" / "busy.yaml"
PROGRAM = """
import json, pickle, sys
from numba.core.dispatcher import Dispatcher
from flowsim import load_model
from flowsim.engine import jit, warming
from flowsim.engine.building import compile_network
from flowsim.engine.running import run_once
from flowsim.model.calendar import DAY_MS, Window

depth, called = [0], []
load, compile_ = jit._ForgivingCache.load_overload, Dispatcher.compile

def watched_load(self, types, context):
    if depth[0] == 1:  # else it is called by compiled code alone
        called.append((self._py_func.__qualname__, str(types)))
    return load(self, types, context)

def watched_compile(self, types):
    depth[0] += 1
    try:
        return compile_(self, types)
    finally:
        depth[0] -= 1

jit._ForgivingCache.load_overload, Dispatcher.compile = watched_load, watched_compile
engine, model = sys.argv[2], load_model(sys.argv[1])
built = compile_network(model, Window(model.start, 0, 10 * DAY_MS))
for network, labels in (built, pickle.loads(pickle.dumps(built, protocol=5))):  # here, and as a worker gets it
    run_once(network, labels, 1, 1, lambda page: None, lambda rows: None, engine)
ahead = [(function.py_func.__qualname__, str(types)) for function, types in warming.functions_of(engine, False)]
print(json.dumps([ahead, called]))
"""


class Function:
    """Stands for a compiled function: `kept` is the cache that processes share."""

    def __init__(self, kept: set[Any], entered: Callable[[], None] = lambda: None) -> None:
        self.kept, self.entered = kept, entered
        self.compiled = 0

    @property
    def overloads(self) -> set[Any]:
        return self.kept

    @property
    def _cache(self) -> Any:
        class Never:
            def has(self, *_: Any) -> bool:
                return False

        return Never()

    targetctx = None

    def compile(self, arguments: Any) -> None:
        self.entered()
        self.compiled += 1
        self.kept.add(arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jit.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(jit, "CACHE_FOLDER", str(tmp_path))
    return tmp_path


def give(monkeypatch: pytest.MonkeyPatch, *functions: Function) -> None:
    monkeypatch.setattr(warming, "functions_of", lambda engine, is_sampled: [(one, ("int64",)) for one in functions])


@pytest.mark.parametrize("engine", ["compiled", "simpy"])
def test_all_that_a_run_calls_is_compiled_ahead(engine: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, MODEL, engine], capture_output=True, text=True, check=True)
    ahead, wanted = json.loads(done.stdout)
    # What was compiled on the way to another is not asked for again, unless the other comes from the cache.
    assert [one for one in wanted if one not in ahead] == []
    assert len(ahead) - len(wanted) <= 1


def test_what_is_missing_is_compiled_once_and_told_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, told = Function({("int64",)}), list[str]()
    missing = Function(set())
    give(monkeypatch, kept, missing)
    warming.compile_ahead("compiled", told.append)
    warming.compile_ahead("compiled", told.append)
    assert (kept.compiled, missing.compiled, told) == (0, 1, [warming.COMPILING])


def test_processes_take_turns_and_the_second_compiles_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on, waiting = threading.Event(), threading.Event(), threading.Event()

    def entered() -> None:
        began.set()
        assert go_on.wait(10)

    function = Function(set(), entered)
    give(monkeypatch, function)
    told: list[list[str]] = [[], []]

    def note(line: str) -> None:
        told[1].append(line)
        waiting.set()

    first = threading.Thread(target=warming.compile_ahead, args=("compiled", told[0].append))
    second = threading.Thread(target=warming.compile_ahead, args=("compiled", note))
    first.start()
    assert began.wait(10)
    second.start()
    assert waiting.wait(10)
    go_on.set()
    for thread in (first, second):
        thread.join(10)
    assert function.compiled == 1
    assert told == [[warming.COMPILING], [warming.WAITING]]


def test_where_files_cannot_be_locked_it_is_compiled_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    function = Function(set())
    give(monkeypatch, function)
    warming.compile_ahead("compiled", lambda line: None)
    assert function.compiled == 1
    folder.joinpath(warming.LOCK).unlink()
    folder.joinpath(warming.LOCK).mkdir()
    function.kept.clear()
    warming.compile_ahead("compiled", lambda line: None)
    assert function.compiled == 2


def test_without_a_cache_nothing_is_compiled_in_vain(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    function, told = Function(set()), list[str]()
    give(monkeypatch, function)
    monkeypatch.setattr(jit, "CACHE_FOLDER", None)
    warming.compile_ahead("compiled", told.append)
    assert (function.compiled, told) == (0, [warming.NO_CACHE])
    monkeypatch.setattr(jit.config, "DISABLE_JIT", 1)
    warming.compile_ahead("compiled", told.append)
    assert (function.compiled, len(told)) == (0, 1)
