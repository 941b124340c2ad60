"""Opening the files of a model safely: regular files inside its folder, up to a size, in UTF-8."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flowsim.errors import show
from flowsim.model.names import describe, near

_SHEET = ".xlsx#"


def split_sheet(path: Path) -> tuple[Path, str | None]:
    """The file and, for `file.xlsx#Sheet`, the sheet."""
    head, mark, sheet = path.name.partition(_SHEET)
    return (path.with_name(head + ".xlsx"), sheet) if mark else (path, None)


def resolve_inside(folder: Path, text: object) -> Path:
    """The path of a file that a model names, which must lie in the folder of the model.

    `file.xlsx#Sheet` names a sheet of a workbook and stays in the path. Raises ValueError for absolute paths,
    web addresses, ways out of the folder (`..`, symbolic links), and what is missing or no regular file.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError("must be the name of a file in the folder of the model")
    odd = next((c for c in text if not c.isprintable()), None)
    if odd is not None:
        slash = (
            "; a backslash in double quotes is an escape: write / between folders" if odd in "\t\n\r\b\f\v\a" else ""
        )
        raise ValueError(f"a file name has only characters that can be seen: {describe(odd)} stands in it{slash}")
    if "://" in text or text.lower().startswith(("http:", "https:", "ftp:", "file:", "data:")):
        raise ValueError("nothing is fetched from the web: put the file in the folder of the model and name it")
    if "\\" in text:
        raise ValueError("write / between folders, not a backslash")
    named, sheet = split_sheet(Path(text))
    if named.is_absolute() or text.startswith("~") or text[1:2] == ":":
        raise ValueError("must be relative to the folder of the model, not absolute, so that the model can travel")
    if ".." in named.parts:
        raise ValueError("must stay inside the folder of the model, without ..")
    path = folder / named
    try:
        whole = path.resolve()
        if not whole.is_relative_to(folder.resolve()):
            raise ValueError("leads out of the folder of the model by a link: put the file itself there")
        missing = not whole.exists()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"cannot be found: {_reason(error)}") from None
    if missing:
        raise ValueError(f"there is no such file in {show(str(path.parent))}{_near_file(path)}")
    if fault := _wrong_kind(path):
        raise ValueError(fault)
    return path if sheet is None else path.with_name(f"{path.name}#{sheet}")


def _near_file(path: Path) -> str:
    try:
        there = sorted(one.name for one in path.parent.iterdir() if one.suffix == path.suffix)
    except OSError:
        return ""
    return near(path.name, there[:500])


def _reason(error: Exception) -> str:
    return (error.strerror or "cannot be read").lower() if isinstance(error, OSError) else "a link points to itself"


def _wrong_kind(path: Path) -> str:
    """Why a path is no regular file that can be opened; empty if it is one. Looks without opening."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        return f"cannot be read: {_reason(error)}"
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISDIR(mode):
        return "is a folder: a file must stand here"
    return "is not an ordinary file (a pipe, a device or a socket): a file must stand here"


def read_bytes(path: Path, limit: int) -> bytes:
    """All bytes of a regular file of at most `limit` bytes. Raises ValueError if it cannot be had."""
    if fault := _wrong_kind(path):
        raise ValueError(fault)
    try:
        if not path.resolve().is_relative_to(path.parent.resolve()):
            raise ValueError("is a link out of its folder: put the file itself there")
        # Opening never waits, and the kind is looked at again once open: the file may have changed since.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise ValueError("is not an ordinary file")
            data = file.read(limit + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {_reason(error)}") from None
    if len(data) > limit:
        raise ValueError(f"is too large: at most {limit // 2**20} MB are read")
    return data


class NotText(ValueError):
    """A file is no UTF-8 text; `line` counts from 1, or is None where the whole file is of another kind."""

    def __init__(self, line: int | None, message: str) -> None:
        self.line = line
        super().__init__(message)


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, without the mark that Windows puts at its start. Raises NotText."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:4].count(0) >= 2:
        raise NotText(None, "is not UTF-8 (it looks like UTF-16): save it as UTF-8")
    if data.startswith(b"%PDF"):
        raise NotText(None, "is a PDF, not a text file")
    if data.startswith(b"PK\x03\x04"):
        raise NotText(None, "is a workbook or another zipped file, not a text file")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotText(line, f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8") from None
