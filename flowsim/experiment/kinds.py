"""Whether a path or a name is of a model or of an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from flowsim.errors import Fault, Faults, InputError
from flowsim.model import shipped
from flowsim.model.names import near
from flowsim.model.reading import parse_yaml

Kind = Literal["model", "experiment"]
EXPERIMENT_KEYS = frozenset({"scenarios", "baseline", "measures", "question", "replications"})
"""A file with one of these at its top is meant to be an experiment."""


def kind_of(path: str | Path) -> Kind:
    """Whether a path or name is of a model or of an experiment. InputError if it is of neither."""
    name, given = str(path), Path(path)
    models, experiments = shipped.files_of("configs"), shipped.files_of("experiments")
    if not name.strip() or "\0" in name:
        shipped.find(path, "configs")
    try:
        is_there = given.exists()
    except OSError as error:
        raise InputError([Fault(name, None, "", "", f"cannot be read: {error.strerror}")]) from None
    if not (is_there and given.suffix) and (name in models or name in experiments):
        return "model" if name in models else "experiment"
    if given.is_dir():
        if (given / shipped.MAIN_FILE["experiments"]).exists():
            return "experiment"
        if (given / shipped.MAIN_FILE["configs"]).exists():
            return "model"
        message = "the folder has no model.yaml and no experiment.yaml: name the file that is meant"
        if (given / "provenance.json").exists():
            message = "holds results: look at them with `flowsim compare` or `flowsim audit`"
        raise InputError([Fault(name, None, "", "", message)])
    if not is_there:
        message = "there is no such file or folder, and nothing of this name ships" + near(
            name, [*models, *experiments]
        )
        raise InputError([Fault(name, None, "", "", message)])
    try:
        tree = parse_yaml(given.read_text(encoding="utf-8"), name, Faults())
    except (OSError, ValueError):
        return "model"  # reading it as one tells what is wrong
    keys = set(tree.data) if tree is not None and isinstance(tree.data, dict) else set()
    return "model" if keys.isdisjoint(EXPERIMENT_KEYS) else "experiment"
