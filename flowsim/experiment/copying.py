"""A copy of a shipped model or experiment, to edit."""

from __future__ import annotations

from pathlib import Path

from flowsim.errors import StoppedError, escape, refusal
from flowsim.model import shipped
from flowsim.model.names import near


def copy_shipped(name: str, target: str | Path) -> Path:
    """Copies the shipped model or experiment `name` into the folder `target`; where its YAML file is.

    A model becomes `model.yaml` with its tables beside it, an experiment `experiment.yaml`, so that the
    folder can be
    named in place of the file. Raises InputError if nothing of this name ships, or the folder is there and
    not empty.
    """
    folder = Path(target)
    models, experiments = shipped.files_of("configs"), shipped.files_of("experiments")
    if name in models:
        source, main = models[name], shipped.MAIN_FILE["configs"]
    elif name in experiments:
        source, main = experiments[name], shipped.MAIN_FILE["experiments"]
    else:
        message = "no model or experiment of this name ships" + near(name, [*models, *experiments])
        raise refusal("NAME", name, message)
    if not str(target).strip() or "\0" in str(target):
        raise refusal("DIR", target, "is no name of a folder")
    files = {main: source}
    if source.name == main:
        inside = sorted(path for path in source.parent.rglob("*") if path.is_file())
        files = {path.relative_to(source.parent).as_posix(): path for path in inside if _is_wanted(path, source.parent)}
    try:
        if folder.is_symlink() or folder.exists():
            if not folder.is_dir():
                raise refusal("DIR", target, "is a file: give a folder that is empty or not there yet")
            if any(folder.iterdir()):
                raise refusal("DIR", target, "is not empty: give a folder that is empty or not there yet")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal("DIR", target, f"cannot be used ({error.strerror}): give another folder") from None
    try:
        for place, path in files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(path.read_bytes())
    except OSError as error:
        raise StoppedError(f"{escape(str(folder))}: {error.strerror}: the copy is not whole") from None
    return folder / main


def _is_wanted(path: Path, root: Path) -> bool:
    return not any(part.startswith((".", "__")) for part in path.relative_to(root).parts)
