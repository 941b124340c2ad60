"""The models and experiments that ship with flowsim, by name.

In a checkout they are read from its folders `configs` and `experiments`, so that an edit is seen at once;
elsewhere from the copies in the wheel.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from flowsim.errors import Fault, Faults, InputError, show
from flowsim.model.names import near
from flowsim.model.reading import parse_yaml

PACKAGE = Path(__file__).resolve().parent.parent
MAIN_FILE = {"configs": "model.yaml", "experiments": "experiment.yaml"}
"""The file of a model or experiment that is a folder."""

Folder = Literal["configs", "experiments"]


class Shipped(NamedTuple):
    """Something that ships: its name, one line on what it is, and its YAML file."""

    name: str
    title: str
    file: Path


def folder_of(kind: Folder) -> Path:
    """Where `configs` or `experiments` are: in the checkout if this is one, else in the wheel."""
    checkout = PACKAGE.parent / kind
    is_checkout = (PACKAGE.parent / "pyproject.toml").is_file() or (PACKAGE.parent / ".git").exists()
    return checkout if is_checkout and checkout.is_dir() else PACKAGE / kind


def files_of(kind: Folder) -> dict[str, Path]:
    """The YAML file of everything that ships, by name, in order of the names."""
    folder = folder_of(kind)
    return dict(sorted(_inside(folder, MAIN_FILE[kind]))) if folder.is_dir() else {}


def _inside(folder: Path, main: str) -> Iterator[tuple[str, Path]]:
    """What ships in a folder; one without a main file, such as `evidence`, only keeps together what ships in it."""
    for path in folder.iterdir():
        if path.suffix == ".yaml":
            yield path.stem, path
        elif (path / main).is_file():
            yield path.name, path / main
        elif path.is_dir():
            yield from _inside(path, main)


def list_shipped(kind: Folder) -> list[Shipped]:
    """Everything that ships, with its title (for an experiment, its question)."""
    return [Shipped(name, _title(path), path) for name, path in files_of(kind).items()]


def _title(path: Path) -> str:
    tree = parse_yaml(path.read_text(encoding="utf-8"), str(path), Faults())
    data = tree.data if tree is not None else {}
    return " ".join(str(data.get("title") or data.get("question") or "").split())


def find(path: str | Path, kind: Folder) -> Path:
    """The YAML file that is meant: a file, a folder that has one, or the name of what ships.

    Raises InputError, with what was probably meant, if there is none.
    """
    given = Path(path)
    what = "model" if kind == "configs" else "experiment"
    if "\0" in str(path) or not str(path).strip():
        raise InputError([Fault(show(str(path)), None, "", "", f"is no name of a file or of a {what}")])
    try:
        is_there, is_folder = given.exists() or given.is_symlink(), given.is_dir()
    except OSError as error:
        raise InputError([Fault(str(path), None, "", "", f"cannot be read: {error.strerror}")]) from None
    shipped = files_of(kind)
    if str(path) in shipped and not (is_there and given.suffix):
        return shipped[str(path)]
    if is_folder:
        inside = given / MAIN_FILE[kind]
        if inside.exists():
            return inside
        message = f"the folder has no {MAIN_FILE[kind]}: name the file of the {what}"
        raise InputError([Fault(str(path), None, "", "", message)])
    if is_there:
        return given
    words = near(str(path), shipped)
    message = f"there is no such file or folder, and no {what} of this name ships{words}"
    raise InputError([Fault(str(path), None, "", "", message)])
