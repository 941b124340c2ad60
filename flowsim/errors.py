"""What can go wrong, as exceptions, and faults as lines that a person can act on.

    FlowsimError
    |-- InputError        what was written is refused before work starts      exit 2
    |-- StoppedError      a run had to stop; finished cells are kept          exit 3
    |   |-- Gridlock      units hold patients that wait for each other in a ring
    |   `-- CannotFinish  steps go on for ever
    `-- DamagedError      results on disk are not what was written            exit 3

Every exception rebuilds itself from its own arguments, so that it crosses process boundaries whole.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

VALUE_WIDTH = 60
FIELD_WIDTH = 120
MESSAGE_WIDTH = 600


def is_odd(character: str) -> bool:
    """Whether a character cannot be seen, or is not what it seems: control, bidi, zero-width, odd space."""
    if character.isascii():
        return not " " <= character <= "~"
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def escape(text: str) -> str:
    """The text on one line, with every odd character written as its escape, such as \\u200b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) if is_odd(character) else character for character in text)


def _escaped(character: str) -> str:
    if character in "\t\n\r":
        return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def shorten(text: str, width: int = VALUE_WIDTH) -> str:
    """At most `width` characters of a text: its beginning and its end, with dots between."""
    if len(text) <= width:
        return text
    tail = width // 4
    return f"{text[: width - tail - 3]}...{text[-tail:]}"


def show(value: object) -> str:
    """A value as it would be written, escaped, on one line and short; text stands in quotes."""
    if isinstance(value, str):
        # Escapes lengthen a text, so it is cut before and after.
        inner = shorten(escape(shorten(value, 4 * VALUE_WIDTH)), VALUE_WIDTH - 2)
        return f"'{inner}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, int) and value.bit_length() > 4 * VALUE_WIDTH:
        return "a number of more than 70 digits"
    if isinstance(value, Mapping):
        parts = [f"{escape(str(key))}: {show(item)}" for key, item in islice(value.items(), 20)]
        return shorten("{" + ", ".join(parts) + "}")
    if isinstance(value, list | tuple | set | frozenset):
        return shorten("[" + ", ".join(show(item) for item in islice(value, 20)) + "]")
    return shorten(escape(str(value)))


@dataclass(frozen=True)
class Fault:
    """One thing wrong with what was written: where, what stands there, and what would be right.

    `line` counts from 1 and is None for a fault of the whole file; `field` and `value` may be empty.
    """

    file: str
    line: int | None
    field: str
    value: str
    message: str

    def __str__(self) -> str:
        where = escape(self.file) if self.line is None else f"{escape(self.file)}:{self.line}"
        field = shorten(escape(self.field), FIELD_WIDTH)
        value = shorten(escape(self.value))
        what = f"{field} = {value}" if field and value else field or value
        message = shorten(escape(self.message), MESSAGE_WIDTH)
        return f"{where}: {what}: {message}" if what else f"{where}: {message}"


class Faults:
    """Collects faults while reading goes on, so that all of them can be told at once."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __len__(self) -> int:
        return len(self._faults)

    def __iter__(self) -> Iterator[Fault]:
        return iter(sorted(self._faults, key=lambda fault: (fault.file, fault.line or 0)))

    def add(self, file: str | Path, line: int | None, field: str, value: object, message: str) -> None:
        """Notes a fault; `value` is what was written (None: nothing to show). The same fault counts once."""
        fault = Fault(str(file), line, field, show(value), message)
        if fault not in self._faults[-50:]:
            self._faults.append(fault)

    def raise_if_any(self) -> None:
        """Raises InputError with all faults, sorted by file and line, if there are any."""
        if self._faults:
            raise InputError(tuple(self))


class FlowsimError(Exception):
    """Whatever flowsim raises on purpose; `exit_code` is what the command line ends with."""

    exit_code = 3


class InputError(FlowsimError):
    """What was written is refused: `faults` has every fault, and the text is one line for each."""

    exit_code = 2

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def refusal(option: str, value: object, message: str, where: str = "command line") -> InputError:
    """What was given to a command, or to the function named in `where`, is refused."""
    return InputError([Fault(where, None, option, str(value), message)])


class StoppedError(FlowsimError):
    """A run had to stop; what was finished before is kept."""


class Gridlock(StoppedError):
    """Units hold patients that wait for each other in a ring: `units` in order of the ring, `at` in ms."""

    def __init__(self, units: Sequence[str], at: int) -> None:
        self.units = tuple(units)
        self.at = at
        super().__init__(self.units, at)

    def __str__(self) -> str:
        ring = " waits for ".join(escape(unit) for unit in (*self.units, *self.units[:1]))
        return f"gridlock {_since_start(self.at)}: {ring}"


class CannotFinish(StoppedError):
    """Patients go round steps for ever: `steps` names them, `why` says how that shows."""

    def __init__(self, steps: Sequence[str], why: str) -> None:
        self.steps = tuple(steps)
        self.why = why
        super().__init__(self.steps, why)

    def __str__(self) -> str:
        names = ", ".join(escape(step) for step in self.steps)
        return f"the model cannot finish: {escape(self.why)}: {names}"


class DamagedError(FlowsimError):
    """Results on disk are not what was written: a file is missing, changed or cut."""


def _since_start(at: int) -> str:
    seconds, milliseconds = divmod(at, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    return f"on day {day + 1} at {hour:02d}:{minute:02d}:{second:02d}.{milliseconds:03d}"
