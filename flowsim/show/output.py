"""Where words go: results to standard output, notes and progress to standard error. Neither ever ends in a
traceback.
"""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, TextIO


def prepare_streams() -> None:
    """Makes standard streams safe: closed ones lead nowhere, and letters they cannot hold become escapes."""
    for handle in (0, 1, 2):
        try:
            os.fstat(handle)
        except OSError:
            # Else the next file opened, perhaps a cell of results, would become this stream.
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """Writes to standard output; a reader who went away is no fault."""
    _write(sys.stdout, text)


def tell(text: str) -> None:
    """Writes a note to standard error."""
    _write(sys.stderr, text)


def say_json(document: object) -> None:
    """Writes one JSON document, in ASCII whatever the locale; what is not a finite number becomes null."""
    say(json.dumps(_plain(document), indent=1, ensure_ascii=True, allow_nan=False))


def flush() -> None:
    """Hands over what is buffered, so that Python finds no broken pipe when it ends."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except BrokenPipeError:
                _lead_nowhere(stream)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person looks at this stream."""
    return stream is not None and stream.isatty()


def table_text(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: int) -> list[str]:
    """A table as lines: fitted to the terminal's width with rules, or aligned only where it is piped.

    The last `numbers` columns are aligned to the right.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    fits = is_terminal(sys.stdout)
    encoding = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "")
    rules = (box.SIMPLE_HEAD if encoding == "utf8" else box.ASCII2) if fits else None
    table = Table(box=rules, show_edge=False, pad_edge=False, padding=(0, 1) if fits else (0, 2, 0, 0))
    for place, name in enumerate(columns):
        table.add_column(Text(name), justify="right" if place >= len(columns) - numbers else "left", no_wrap=not fits)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = max(shutil.get_terminal_size((100, 24)).columns, 40) if fits else 10_000
    paper = io.StringIO()
    Console(file=paper, width=width, color_system=None, force_terminal=False, legacy_windows=False).print(table)
    return [line.rstrip() for line in paper.getvalue().rstrip("\n").split("\n")]


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        _lead_nowhere(stream)


def _lead_nowhere(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _plain(value: Any) -> Any:
    """Plain data for JSON: numbers of numpy as Python's, tuples as lists, NaN as None."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
