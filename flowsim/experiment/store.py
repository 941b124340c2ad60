"""Results on disk: the only module that writes them, with `cellfile` for the files themselves.

A results folder holds `provenance.json` (what the results are of), `model/` (the model as run), `cells/` and
`visits/` (one Parquet file a cell), the experiment's words and measures, tables and figures, and `journal.jsonl`,
which lists every file with its SHA-256. What the journal does not list is never read. Order of writing: a file under
a temporary name, synced, renamed, its folder synced, and only then its line in the journal, synced too.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from flowsim.errors import DamagedError, Fault, InputError, StoppedError, escape, show
from flowsim.experiment.cellfile import (
    FORMAT,
    TEMPORARY,
    CellFolder,
    NewFile,
    is_temporary,
    names_under,
    or_stop,
    sha256_of,
    sync_folder,
    write_all,
)
from flowsim.experiment.cells import Cell, CellOutcome, FileRecord
from flowsim.experiment.journal import Journal, canonical, cell_entry, chained, file_entry, parse

PROVENANCE, JOURNAL, LOCK = "provenance.json", "journal.jsonl", ".lock"
FOLDERS = ("cells", "visits", "model")
_CANNOT_OPEN = {
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}


class Store:
    """A results folder open for writing, by one run at a time; also a context.

    `notes` has one line for everything that was found and put right on opening.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        """Begins a results folder, or opens one to go on with it.

        `identity` says what the results are of (at least `seed`, an int; digests of model and experiment)
        and must never differ; `about` tells where they were made (versions, machine). Both as JSON would
        hold them, without times or absolute paths. How many replications there are belongs to the plan, not
        to the identity. Raises InputError if the folder cannot be used or is of something else, DamagedError
        if it was changed.
        """
        self.path = path
        self.notes: list[str] = []
        self._broken = False
        self._journal = -1
        _check_usable(path)
        with _or_refuse(path):
            path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            self._take_lock()
            self._open(identity, about)
        except BaseException:
            self._let_go()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            with suppress(OSError):
                self._clear_temporaries()
            self._let_go()

    def close(self) -> None:
        """Gives the folder free for the next run."""
        if self._lock >= 0:
            try:
                with or_stop(self.path / LOCK):
                    os.ftruncate(self._lock, 0)
            finally:
                self._let_go()

    def _let_go(self) -> None:
        for handle in (self._journal, self._lock):
            if handle >= 0:
                with suppress(OSError):
                    os.close(handle)
        self._journal = self._lock = -1

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 200, 0).decode("utf-8", "replace") or "unknown"
            message = f"another run ({holder}) is writing here: wait for it or end it"
            raise _refusal(self.path, message) from None
        except OSError as error:
            raise _refusal(self.path, f"cannot be locked ({error.strerror}): use another folder") from error
        with or_stop(self.path / LOCK):
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)

    def _open(self, identity: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        with _or_refuse(self.path):
            for name in FOLDERS:
                (self.path / name).mkdir(exist_ok=True)
                if not os.access(self.path / name, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with or_stop(self.path):
            names = self._clear_temporaries()
            said = _json_of({"format": FORMAT, "identity": dict(identity), "about": dict(about)})
            if PROVENANCE in names:
                was = read_provenance(self.path)
                _compare_identity(self.path, was["identity"], identity)
                self.notes += _changed_about(was["about"], about)
            else:
                sync_folder(self.path.parent)
                self._write_new(PROVENANCE, said)
            journal = self._open_journal(names)
        self.cells = CellFolder(self.path, identity_digest(identity), identity["seed"])
        self._plan, self._model, self._extras = journal.plan, journal.model, journal.extras
        with or_stop(self.path):
            self._finished = set(self._check_listed(journal))
            self._clear_unlisted(names, journal)

    def _clear_temporaries(self) -> list[str]:
        """Removes files in the making, of a run that was ended; the names of all others."""
        names = []
        for name in names_under(self.path):
            if TEMPORARY.fullmatch(PurePosixPath(name).name):
                (self.path / name).unlink()
            else:
                names.append(name)
        return names

    def _open_journal(self, names: list[str]) -> Journal:
        path = self.path / JOURNAL
        data = path.read_bytes() if JOURNAL in names else b""
        journal = parse(data)
        if journal.damage:
            raise DamagedError(f"{escape(str(path))}: {journal.damage}: keep the folder, run into another one")
        if journal.begin is None and any(name.startswith(("cells/", "visits/")) for name in names):
            what = "is missing" if JOURNAL not in names else "lists nothing"
            raise DamagedError(f"{escape(str(path))}: {what}, but there are cells: remove them to begin again")
        self._journal = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o666)
        if journal.cut_bytes:
            os.ftruncate(self._journal, journal.whole_bytes)
            os.fsync(self._journal)
            self.notes.append(f"{JOURNAL}: line {journal.lines + 1} was cut short, as by a kill, and is dropped")
        self._end = (journal.whole_bytes, journal.check)
        digest = sha256_of(self.path / PROVENANCE)
        if journal.begin is None:
            os.fsync(self._journal)
            sync_folder(self.path)
            self._append({"kind": "begin", "format": FORMAT, "provenance": digest})
        elif journal.begin["provenance"] != digest:
            raise DamagedError(
                f"{escape(str(self.path / PROVENANCE))}: is not as it was written: run into another folder"
            )
        return journal

    def _check_listed(self, journal: Journal) -> Iterator[str]:
        """Ids of the cells that are whole; one whose file is gone is left out, a changed one refused."""
        for record in journal.model.values():
            if sha256_of(self.path / record.name) not in (record.sha256, None):
                raise self._changed(record)
        for outcome in journal.outcomes.values():
            digests = [sha256_of(self.path / record.name) for record in outcome.files]
            for record, digest in zip(outcome.files, digests, strict=True):
                if digest is None:
                    self.notes.append(f"{record.name}: is missing, so this cell is run again")
                elif digest != record.sha256:
                    raise self._changed(record)
            if None not in digests:
                yield outcome.cell.id

    def _changed(self, record: FileRecord) -> DamagedError:
        where = escape(str(self.path / record.name))
        return DamagedError(f"{where}: is not as it was written: delete it to have it made again")

    def _clear_unlisted(self, names: list[str], journal: Journal) -> None:
        """Removes cells that a kill left between their name and their line; refuses cells of strangers."""
        listed = journal.files()
        for name in names:
            if name in listed or not name.startswith(("cells/", "visits/")) or is_temporary(name):
                continue
            path = self.path / name
            if not self._is_own(path):
                where = escape(str(path))
                raise DamagedError(f"{where}: is no cell of these results and not in the journal: remove it")
            path.unlink()
            self.notes.append(f"{name}: was not yet in the journal, so this cell is run again")

    def _is_own(self, path: Path) -> bool:
        try:
            marks = pq.read_schema(path).metadata or {}
        except (OSError, pa.ArrowInvalid):
            return False
        wanted = {b"flowsim.cell": path.stem, b"flowsim.provenance": self.cells.provenance}
        return all(marks.get(key) == value.encode() for key, value in wanted.items())

    def _write_new(self, name: str, data: bytes) -> FileRecord:
        file = NewFile(self.path, name)
        try:
            file.write(data)
            return file.keep()
        except BaseException:
            file.drop()
            raise

    def _append(self, entry: Mapping[str, object]) -> None:
        path = self.path / JOURNAL
        if self._broken:
            raise StoppedError(f"{escape(str(path))}: could not be written before: run again to go on")
        before = size, check = self._end
        line, check = chained(entry, check)
        with or_stop(path):
            try:
                write_all(self._journal, line)
                # One assignment, so that an interrupt never leaves length and check of different lines. One that
                # comes from here on keeps the line, which is whole; a disk that fails does not.
                self._end = (size + len(line), check)
                os.fsync(self._journal)
            except BaseException as error:
                if isinstance(error, OSError):
                    self._end = before
                self._broken = True
                os.ftruncate(self._journal, self._end[0])
                self._broken = False
                raise

    def plan(self, scenarios: Sequence[str], replications: int) -> None:
        """Says which cells make these results complete; a later plan takes the place of an earlier one."""
        entry = {"kind": "plan", "scenarios": list(scenarios), "replications": replications}
        if entry != self._plan:
            self._append(entry)
            self._plan = entry

    def is_finished(self, cell: Cell) -> bool:
        """Whether a cell is done or stopped, and listed."""
        return cell.id in self._finished

    def record(self, outcome: CellOutcome) -> None:
        """Lists a finished cell, whose files are in place."""
        self._append(cell_entry(outcome))
        self._finished.add(outcome.cell.id)

    def write_model(self, name: str, data: bytes) -> None:
        """Keeps a file of the model as run, under `model/`; it may never differ from what was kept before."""
        self._write_listed("model", self._model, f"model/{_checked(name)}", data)

    def write_extra(self, name: str, data: bytes) -> None:
        """Writes a table or figure beside the cells, in place of an earlier one; nothing if it is the
        same.
        """
        if _checked(name).split("/")[0] in (*FOLDERS, PROVENANCE, JOURNAL):
            raise ValueError(f"{name}: this name is the store's own")
        self._write_listed("extra", self._extras, name, data)

    def _write_listed(self, kind: str, listed: dict[str, FileRecord], name: str, data: bytes) -> None:
        record = FileRecord(name, hashlib.sha256(data).hexdigest(), len(data))
        path = self.path / name
        if kind == "model" and listed.get(name, record) != record:
            raise _refusal(path, "differs from the model these results were begun with: use another folder")
        with or_stop(path):
            for folder in reversed(path.relative_to(self.path).parents[:-1]):
                if not (self.path / folder).is_dir():
                    (self.path / folder).mkdir()
                    sync_folder((self.path / folder).parent)
            if sha256_of(path) != record.sha256:
                self._write_new(name, data)
        if listed.get(name) != record:
            self._append(file_entry(kind, record))
            listed[name] = record


def identity_digest(identity: Mapping[str, Any]) -> str:
    """What every cell carries, to be known by."""
    return hashlib.sha256(canonical({"format": FORMAT, "identity": dict(identity)}).encode()).hexdigest()


def read_provenance(folder: Path) -> dict[str, Any]:
    """The provenance of a results folder; DamagedError if it is none, InputError for another format."""
    path = folder / PROVENANCE
    with or_stop(path):
        data = path.read_bytes()
    try:
        said = json.loads(data.decode("ascii"))
        form, identity, about = said["format"], said["identity"], said["about"]
        if not (isinstance(identity, dict) and isinstance(about, dict) and isinstance(identity["seed"], int)):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DamagedError(f"{escape(str(path))}: is not as it was written: run into another folder") from None
    if form != FORMAT:
        message = f"this version of flowsim reads format {FORMAT}: run again into another folder"
        raise InputError([Fault(str(path), None, "format", show(form), message)])
    return {"identity": identity, "about": about}


def _json_of(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _refusal(path: Path, message: str) -> InputError:
    return InputError([Fault(str(path), None, "--out", "", message)])


@contextmanager
def _or_refuse(path: Path) -> Iterator[None]:
    """A folder that cannot be written is refused before any work; other errors stop the run."""
    try:
        with or_stop(path):
            yield
    except StoppedError as stopped:
        error = stopped.__cause__
        if isinstance(error, OSError) and error.errno in _CANNOT_OPEN:
            raise _refusal(path, f"cannot be written ({error.strerror}): give a folder that can") from error
        raise


def _check_usable(path: Path) -> None:
    """A folder with other things in it is never written to."""
    with _or_refuse(path):
        try:
            names = names_under(path)
        except FileNotFoundError:
            return
        except NotADirectoryError:
            raise _refusal(path, "is a file: give a folder that is empty or not there yet") from None
    own = [name for name in names if name != LOCK and not TEMPORARY.fullmatch(PurePosixPath(name).name)]
    if own and PROVENANCE not in own:
        if JOURNAL in own:
            raise DamagedError(f"{escape(str(path / PROVENANCE))}: is missing: run into another folder")
        raise _refusal(path, "holds other files, and no results: give a folder that is empty or not there yet")


def _compare_identity(path: Path, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    faults = [
        Fault(
            str(path / PROVENANCE),
            None,
            key,
            show(now.get(key)),
            f"these results were begun with {show(was.get(key)) or 'none'}: use another folder",
        )
        for key in sorted({*was, *now})
        if canonical(was.get(key)) != canonical(now.get(key))
    ]
    if faults:
        raise InputError(faults)


def _changed_about(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    keys = sorted(key for key in {*was, *now} if canonical(was.get(key)) != canonical(now.get(key)))
    return [f"{PROVENANCE}: these results were begun elsewhere: {', '.join(keys)} differ"] if keys else []


def _checked(name: str) -> str:
    parts = name.split("/")
    if any(part in ("", ".", "..") or part.startswith(".") or not part.isprintable() for part in parts):
        raise ValueError(f"{name!r}: must be a plain name within the results folder")
    return name
