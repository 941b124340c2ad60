"""YAML files -> plain trees, strictly, with the line of every key and the source of every number.

Read by the events of ruamel.yaml's parser: nothing is constructed, so no tag runs code and no alias is
expanded. Scalars are resolved in `scalars`. What two readers could take for two things is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from flowsim.errors import Faults, escape, is_odd, show
from flowsim.model import files
from flowsim.model.names import describe, near
from flowsim.model.scalars import Scalar, odd_character, resolve, why_not_key

BYTES_LIMIT = 4 * 2**20
DEPTH_LIMIT = 40
VALUES_LIMIT = 300_000
KINDS = ("read", "derived", "assumed")

KeyPath = tuple[str | int, ...]


class Provenance(NamedTuple):
    """Where a number is from: `kind` is read, derived or assumed; None where nobody said."""

    kind: str | None = None
    source: str | None = None
    note: str | None = None

    def within(self, outer: Provenance) -> Provenance:
        """This one, with what it does not say taken from the outer one."""
        return Provenance(self.kind or outer.kind, self.source or outer.source, self.note or outer.note)


UNKNOWN = Provenance()


@dataclass(frozen=True)
class Tree:
    """A YAML file as plain data, without the keys `source` and `kind`.

    `data` has dict, list, str, int, float and bool only; text that was quoted is always str, so numbers are
    plain. `lines` gives the line (from 1) of each key or item by its path. `refused` are the paths of values
    that were refused and told as faults; they hold their text, and what the schema says of them adds nothing.
    """

    file: str
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]
    provenance: Mapping[KeyPath, Provenance]
    refused: frozenset[KeyPath]

    def line(self, path: KeyPath) -> int:
        """The line of the deepest part of a path that the file has."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1

    def is_refused(self, path: KeyPath) -> bool:
        """Whether the value at a path, or one that holds it, was refused while reading."""
        return any(path[:length] in self.refused for length in range(len(path) + 1))

    def provenance_of(self, path: KeyPath) -> Provenance:
        """Where the number at a path is from: the innermost kind, source and note that hold for it."""
        found = UNKNOWN
        for length in range(len(path), -1, -1):
            found = found.within(self.provenance.get(path[:length], UNKNOWN))
        return found


def field_name(path: KeyPath) -> str:
    """A path in words: keys joined by points, items of lists counted from 1."""
    return (
        "".join(f" item {part + 1}" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".").strip()
    )


def read_yaml(path: Path, faults: Faults) -> Tree | None:
    """Reads a YAML file whose top level is a mapping. Faults are collected; None if there is no tree."""
    try:
        text = files.decode(files.read_bytes(path, BYTES_LIMIT))
    except files.NotText as error:
        faults.add(path, error.line, "", None, str(error))
        return None
    except ValueError as error:
        faults.add(path, None, "", None, str(error))
        return None
    return parse_yaml(text, str(path), faults)


def parse_yaml(text: str, file: str, faults: Faults) -> Tree | None:
    """`read_yaml` of a text at hand; `file` is the name that messages give it."""
    if _refuse_raw(text, file, faults):
        return None
    return _Reader(file, faults, [*text.split("\n"), ""]).read(text)


def _refuse_raw(text: str, file: str, faults: Faults) -> bool:
    """Refuses what the parser would choke on, or count lines by that no editor shows, and directives."""
    before = len(faults)
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        odd = next((c for c in line if c != "\t" and is_odd(c) and not _parser_takes(c)), None)
        if odd == "\r":
            faults.add(
                file,
                number,
                "",
                None,
                "a lone carriage return ends no line: save the file with ordinary line ends",
            )
        elif odd is not None:
            faults.add(file, number, "", line.strip(), f"holds {escape(odd)} ({describe(odd)}): remove it")
        if len(faults) - before > 20:
            break
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith("%"):
            faults.add(file, number, "", line.strip(), "lines that start with % (directives) are not read: remove it")
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    return len(faults) > before


def _parser_takes(character: str) -> bool:
    code = ord(character)
    return (
        code >= 0xA0
        and code not in (0x2028, 0x2029, 0xFEFF)
        and not 0xD800 <= code <= 0xDFFF
        and code & 0xFFFE != 0xFFFE
    )


@dataclass
class _Node:
    """A value with its line. A mapping has its keys with their lines; a refused scalar keeps its text.

    `is_cut` marks text that a comment follows so closely (`Ward #1`) that the comment may be meant as text.
    """

    line: int
    value: Scalar | list[_Node] | dict[str, tuple[int, _Node]]
    refused: bool = False
    is_cut: bool = False


@dataclass
class _Open:
    """A mapping or list that is being read; `key` is the key whose value comes next, `key_line` its line."""

    path: KeyPath
    node: _Node
    is_flow: bool
    key: str | None = None
    key_line: int = 0
    is_key_refused: bool = False


class _Stop(Exception):
    """Reading cannot go on; the fault has been told."""


class _Reader:
    """Builds the nodes of one file from the events of a parser."""

    def __init__(self, file: str, faults: Faults, source: list[str]) -> None:
        self.file = file
        self.faults = faults
        self.source = source
        self.stack: list[_Open] = []
        self.root: _Node | None = None
        self.documents = 0
        self.values = 0
        self.last_line = 1

    def read(self, text: str) -> Tree | None:
        try:
            for event in self._events(text):
                self._take(event)
        except _Stop:
            return None
        if self.root is None or (self.root.refused and self.root.value == ""):
            message = "is empty: a mapping of keys and values must stand here, such as name: clinic"
            self.faults.add(self.file, None, "", None, message)
            return None
        if isinstance(self.root.value, dict):
            return _Plain(self.file, self.faults).tree(self.root)
        kind = "a list" if isinstance(self.root.value, list) else "one value"
        shown = None if isinstance(self.root.value, list) else self.root.value
        message = f"the top level is {kind}: it must be keys and values, such as name: clinic (mind the space)"
        self._fault(self.root.line, (), shown, message)
        return None

    def _fault(self, line: int, path: KeyPath, value: object, message: str) -> None:
        self.faults.add(self.file, line, field_name(path), value, message)

    def _events(self, text: str) -> Iterator[Any]:
        """The parser's events; its errors, over several lines, become one fault of one line."""
        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            line, message = self._explain(error)
            shown = self.source[line - 1].strip() if 0 < line <= len(self.source) else None
            self.faults.add(self.file, line, "", shown or None, message)
            raise _Stop from None
        except (YAMLError, ValueError, AssertionError, LookupError, AttributeError, TypeError):
            # The parser lets some of Python's own errors through, such as chr() out of range.
            self.faults.add(self.file, self.last_line, "", None, "cannot be read as YAML at or after this line")
            raise _Stop from None

    def _explain(self, error: MarkedYAMLError) -> tuple[int, str]:
        """The line that helps, and what would be right, for an error of the parser."""
        problem, context = str(error.problem or ""), str(error.context or "")
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column) if mark else (self.last_line, 0)
        opened = error.context_mark.line + 1 if error.context_mark else line
        here = self.source[line - 1] if line <= len(self.source) else ""
        flow = next((one.node.line for one in reversed(self.stack) if one.is_flow), None)
        if "\\t" in problem or "\t" in here[: len(here) - len(here.lstrip())]:
            return line, "a tab stands here: YAML is indented and spaced with spaces, write spaces instead"
        if "quoted scalar" in context and "end of stream" in problem:
            return opened, "a quote opens on this line and never closes"
        if "flow sequence" in context or "flow mapping" in context or (flow and "stream end" in problem):
            bracket = "[" if "sequence" in context else "{" if "mapping" in context else "[ or {"
            return (
                flow or opened,
                f"a {bracket} opens on this line and is not closed, or a comma is missing after it",
            )
        if "flow node" in context and "','" in problem:
            return line, "an entry of the list is empty: write a value between the commas"
        if column > 1000 and "not allowed" in problem:
            return line, "a key of more than 1,000 characters: names have at most 120"
        if re.search(r"\s#\S", here):
            return line, "what follows # is a comment: quote names that have one"
        for words, message in _PROBLEMS:
            if words in problem:
                return line, message
        if "cannot start any token" in problem:
            return line, f"text may not start with {problem.split(chr(39))[1]}: quote it"
        return line, f"cannot be read as YAML: {problem or context}"

    # ---- from events to nodes ----

    def _take(self, event: Any) -> None:
        line = self.last_line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._fault(line, (), None, "a second document starts on this line: a file has only one")
                raise _Stop
        elif isinstance(event, AliasEvent):
            message = "a * at the start names an alias: write the value itself, or quote it if it is text"
            self._add(_Node(line, f"*{event.anchor}", refused=True), message)
        elif isinstance(event, ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._start(event, line)
        elif isinstance(event, CollectionEndEvent):
            self._end(self.stack.pop())

    def _end(self, done: _Open) -> None:
        """Looks at a finished list for names that a comment has cut to the same."""
        if not isinstance(done.node.value, list):
            return
        seen: dict[Scalar, int] = {}
        for place, item in enumerate(done.node.value):
            named = item.value["name"][1] if isinstance(item.value, dict) and "name" in item.value else item
            if named.is_cut and isinstance(named.value, str):
                if named.value in seen:
                    first = seen[named.value]
                    message = f"the same as on line {first}: what follows # is a comment, quote names with #"
                    self._fault(named.line, (*done.path, place), named.value, message)
                seen.setdefault(named.value, named.line)

    def _path(self) -> KeyPath:
        """The path of the value that comes next."""
        if not self.stack:
            return ()
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            return (*top.path, len(top.node.value))
        return top.path if top.key is None else (*top.path, top.key)

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].node.value, dict) and self.stack[-1].key is None

    def _start(self, event: Any, line: int) -> None:
        path = self._path()
        if len(self.stack) >= DEPTH_LIMIT:
            self._fault(line, path[:3], None, f"is nested more than {DEPTH_LIMIT} deep")
            raise _Stop
        node = _Node(line, {} if isinstance(event, MappingStartEvent) else [], refused=bool(_mark(event)))
        self._add(node, _mark(event))
        self.stack.append(_Open(path, node, bool(event.flow_style)))

    def _scalar(self, event: Any, line: int) -> None:
        text: str = event.value
        is_plain = event.style in (None, "")
        if self._wants_key():
            self._key(
                text,
                line,
                _mark(event) or odd_character(text, is_plain) or (why_not_key(text) if is_plain else ""),
            )
            return
        message = _mark(event) or odd_character(text, is_plain)
        if event.style in ("'", '"') and event.end_mark.line > event.start_mark.line:
            end = event.end_mark.line + 1
            message = f"the quote that opens here closes only on line {end}: for long text use >"
        value: Scalar = text
        if is_plain and not message:
            try:
                value = resolve(text)
            except ValueError as error:
                message = str(error)
                if not text and self.stack and self.stack[-1].key is not None:
                    # The parser finds that nothing is there only at what comes next.
                    line = self.stack[-1].key_line
                    message += "; a space must follow each colon" if ":" in self.stack[-1].key else ""
        rest = self.source[event.end_mark.line][event.end_mark.column :] if is_plain and text else ""
        self._add(_Node(line, value, bool(message), bool(re.match(r"\s*#\S", rest))), message)

    def _add(self, node: _Node, message: str) -> None:
        """Puts a value in its place; with a message, tells the fault first."""
        self.values += 1
        if self.values > VALUES_LIMIT:
            message = f"has more than {VALUES_LIMIT} values: put long tables into CSV files"
            self.faults.add(self.file, None, "", None, message)
            raise _Stop
        if self._wants_key():
            self._fault(node.line, self._path(), None, message or "a key must be text on one line: quote it")
            raise _Stop
        if message and (self.stack or node.value != ""):
            shown = node.value if isinstance(node.value, str) and node.value else None
            self._fault(node.line, self._path(), shown, message)
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif isinstance(top.node.value, dict) and top.key is not None:
            node.refused |= top.is_key_refused
            top.node.value.setdefault(top.key, (top.key_line, node))
            top.key = None

    def _key(self, text: str, line: int, message: str) -> None:
        top = self.stack[-1]
        assert isinstance(top.node.value, dict)
        path = (*top.path, text)
        if message:
            self._fault(line, path, None, message)
        if text in top.node.value:
            first = top.node.value[text][0]
            self._fault(line, path, None, f"this key stands on line {first} already: remove one of the two")
        top.key, top.key_line, top.is_key_refused = text, line, bool(message)


_PROBLEMS = (
    (
        "unknown escape character",
        "a backslash in double quotes is an escape: write / between folders, or use single quotes",
    ),
    ("hexdecimal", "an escape in double quotes has too few digits: use single quotes for a backslash"),
    (
        "mapping values are not allowed",
        "a colon and a space stand inside text, or the line is indented too far: quote the text",
    ),
    ("could not find expected ':'", "a key, a colon and a space must stand here, such as name: clinic"),
    (
        "found '<scalar>'",
        "text follows a closing quote, or is out of line: a quote inside 'quotes' is doubled",
    ),
    ("expected <block end>", "the line is not indented like those above it, or a bracket has no partner"),
    ("sequence entries are not allowed", "a list starts on the line after its key, or in [brackets]"),
    ("expected the node content", "a value is missing before the bracket or comma that stands here"),
)
"""Words of the parser's problems, and what would be right."""


def _mark(event: Any) -> str:
    """Why a value or key may not bear its anchor or tag; empty if it has neither."""
    if event.anchor is not None:
        anchor = show(str(event.anchor))
        return f"a & at the start names an anchor ({anchor}): remove it, or quote the text if it is one"
    if event.tag is not None:
        tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
        return f"a ! at the start is a tag ({show(tag)}): remove it, or quote the text if it is one"
    return ""


# ---- from nodes to plain data ----


class _Plain:
    """Turns nodes into plain data, and takes out of them where the numbers are from."""

    def __init__(self, file: str, faults: Faults) -> None:
        self.file = file
        self.faults = faults
        self.lines: dict[KeyPath, int] = {}
        self.provenance: dict[KeyPath, Provenance] = {}
        self.refused: set[KeyPath] = set()

    def tree(self, root: _Node) -> Tree:
        data = self._mapping(root, ())
        self.lines[()] = root.line
        return Tree(self.file, data, self.lines, self.provenance, frozenset(self.refused))

    def _value(self, node: _Node, path: KeyPath, line: int) -> Any:
        while isinstance(node.value, dict) and path and "value" in node.value and set(node.value) <= _ONE_NUMBER:
            self._take_provenance(node.value, path, ("kind", "source", "note"))
            line, node = node.value["value"]
        self.lines[path] = line
        if node.refused:
            self.refused.add(path)
        if isinstance(node.value, dict):
            return self._mapping(node, path)
        if isinstance(node.value, list):
            return [self._value(item, (*path, place), item.line) for place, item in enumerate(node.value)]
        return node.value

    def _mapping(self, node: _Node, path: KeyPath) -> dict[str, Any]:
        assert isinstance(node.value, dict)
        self._take_provenance(node.value, path, ("kind", "source"))
        rest = {key: held for key, held in node.value.items() if key not in ("kind", "source")}
        return {key: self._value(child, (*path, key), line) for key, (line, child) in rest.items()}

    def _take_provenance(self, value: dict[str, tuple[int, _Node]], path: KeyPath, words: tuple[str, ...]) -> None:
        found = {word: self._word(word, *value[word], path) for word in words if word in value}
        if any(found.values()):
            outer = self.provenance.get(path, UNKNOWN)
            self.provenance[path] = Provenance(found.get("kind"), found.get("source"), found.get("note")).within(outer)

    def _word(self, word: str, line: int, node: _Node, path: KeyPath) -> str | None:
        value = node.value
        if node.refused:
            return None
        if not isinstance(value, str) or not value.strip():
            shown = None if isinstance(value, dict | list) else value
            message = "must be text, quoted if it looks like a number: it says where the numbers are from"
        elif word == "kind" and value not in KINDS:
            shown, message = value, f"must be read, derived or assumed{near(value, KINDS)}"
        else:
            return " ".join(value.split())
        self.faults.add(self.file, line, field_name((*path, word)), shown, message)
        return None


_ONE_NUMBER = {"value", "kind", "source", "note"}
