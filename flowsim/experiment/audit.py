"""Reading results back, and checking that they are what was written. Writes nothing, needs no lock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flowsim.errors import DamagedError, Fault, FlowsimError, InputError, escape
from flowsim.experiment.cellfile import (
    CELL_SCHEMA,
    CellFolder,
    LedgerDigest,
    is_temporary,
    names_under,
    numbers_of,
    or_stop,
    sha256_of,
)
from flowsim.experiment.cells import Cell, CellOutcome, FileRecord
from flowsim.experiment.journal import Journal, fingerprint, parse
from flowsim.experiment.store import JOURNAL, LOCK, PROVENANCE, identity_digest, read_provenance


@dataclass(frozen=True)
class Results:
    """What a results folder holds: by the journal, never by what lies about in the folder."""

    path: Path
    identity: dict[str, Any]
    about: dict[str, Any]
    journal: Journal

    @property
    def outcomes(self) -> list[CellOutcome]:
        """Finished cells by scenario and replication, done and stopped."""
        return sorted(self.journal.outcomes.values(), key=lambda one: (one.cell.scenario, one.cell.replication))

    @property
    def missing(self) -> list[Cell]:
        """Planned cells that are not finished yet."""
        return [cell for cell in self.journal.planned() if cell.id not in self.journal.outcomes]

    @property
    def fingerprint(self) -> str:
        """One digest of all finished ledgers, whatever the order or number of workers that made them."""
        return fingerprint(self.journal.outcomes)

    def check_kept(self, name: str) -> None:
        """DamagedError unless this file beside the cells and those of the model as run are what was written."""
        if name not in self.journal.extras:
            raise DamagedError(f"{escape(str(self.path / name))}: is not in the journal: run again to go on")
        for record in (self.journal.extras[name], *self.journal.model.values()):
            if wrong := _file_fault(self.path, record):
                raise DamagedError(f"{escape(str(self.path / record.name))}: {wrong}: delete it and run again")

    def read_cell(self, cell_id: str) -> pa.Table:
        """The ledger of a done cell: period, book, row, value. DamagedError unless it is what was written."""
        return self._read("cells", cell_id)

    def read_visits(self, cell_id: str) -> pa.Table:
        """The visit log of a done cell, checked as `read_cell` does."""
        return self._read("visits", cell_id)

    def _read(self, kind: str, cell_id: str) -> pa.Table:
        outcome = self.journal.outcomes.get(cell_id)
        records = [one for one in outcome.files if one.name.startswith(f"{kind}/")] if outcome else []
        if outcome is None or not records:
            raise InputError([Fault(str(self.path), None, kind, cell_id, "there is no such cell in these results")])
        path = self.path / records[0].name
        with or_stop(path):
            data = path.read_bytes() if path.is_file() else b""
        # The digest comes first: a damaged file could crash its reader.
        if hashlib.sha256(data).hexdigest() != records[0].sha256:
            raise DamagedError(f"{escape(str(path))}: is not as it was written: delete it and run again")
        file = pq.ParquetFile(pa.BufferReader(data))
        if strange := self.strangeness(file, outcome.cell):
            raise DamagedError(f"{escape(str(path))}: {strange}: remove it and run again")
        return file.read()

    def strangeness(self, file: pq.ParquetFile, cell: Cell) -> str:
        """How a whole file shows that it is not this cell's; empty if it does not."""
        marks = file.schema_arrow.metadata or {}
        wanted = CellFolder(self.path, identity_digest(self.identity), self.identity["seed"]).marks(cell)
        wrong = sorted(key.decode().partition(".")[2] for key, value in wanted.items() if marks.get(key) != value)
        return f"belongs to other results (its {', '.join(wrong)} differ)" if wrong else ""


def read_results(folder: Path) -> Results:
    """Opens results for reading, whole or not: `missing` tells. InputError if nothing was run there."""
    if not (folder / PROVENANCE).is_file():
        if (folder / JOURNAL).exists():
            raise DamagedError(f"{escape(str(folder / PROVENANCE))}: is missing: run into another folder")
        message = "holds no results: run the experiment first, with `flowsim run`"
        raise InputError([Fault(str(folder), None, "", "", message)])
    said = read_provenance(folder)
    path = folder / JOURNAL
    with or_stop(path):
        if not path.is_file():
            raise DamagedError(f"{escape(str(path))}: is missing: run again into another folder")
        journal = parse(path.read_bytes())
        digest = sha256_of(folder / PROVENANCE)
    if journal.damage:
        raise DamagedError(f"{escape(str(path))}: {journal.damage}: run again into another folder")
    if journal.begin is None:
        raise DamagedError(f"{escape(str(path))}: lists nothing yet: run again")
    if journal.begin["provenance"] != digest:
        raise DamagedError(f"{escape(str(folder / PROVENANCE))}: is not as it was written: run into another folder")
    return Results(folder, said["identity"], said["about"], journal)


def read_cell(folder: Path, cell_id: str) -> pa.Table:
    """One ledger of a results folder, checked; use `read_results` for many."""
    return read_results(folder).read_cell(cell_id)


@dataclass(frozen=True)
class AuditReport:
    """What an audit found. `whole`: every planned cell is there and every file is what was written.

    `lines`: what is wrong, one line each, none if whole; `notes`: what does no harm. Counts are of cells.
    """

    whole: bool
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    fingerprint: str
    planned: int
    done: int
    stopped: int


def audit(folder: Path, laws: Callable[[Path], list[str]] | None = None) -> AuditReport:
    """Checks every file against the journal and every ledger against itself.

    `laws` is given the path of each ledger that is as written, and returns a line for each law it breaks.
    Damage is told in the report, never raised.
    """
    try:
        results = read_results(folder)
        names = names_under(folder)
    except FlowsimError as error:
        return AuditReport(False, tuple(str(error).splitlines()), (), "", 0, 0, 0)
    except OSError as error:
        return AuditReport(False, (f"{escape(str(folder))}: {error.strerror}",), (), "", 0, 0, 0)
    lines: list[str] = []
    journal = results.journal
    changed = set()
    for name, record in journal.files().items():
        if wrong := _file_fault(folder, record):
            changed.add(name)
            lines.append(f"{escape(name)}: {wrong}")
    for outcome in results.outcomes:
        if not any(record.name in changed for record in outcome.files):
            lines += _cell_faults(results, outcome, laws)
    others = [name for name in names if name not in journal.files() and name not in (PROVENANCE, JOURNAL, LOCK)]
    lines += [f"{escape(name)}: is not in the journal" for name in others if not is_temporary(name)]
    if journal.cut_bytes:
        lines.append(f"{JOURNAL}: line {journal.lines + 1} is cut short, as by a kill: run again to go on")
    if journal.plan is None:
        lines.append(f"{JOURNAL}: has no plan yet: run again to go on")
    if results.missing:
        first = results.missing[0]
        lines.append(
            f"{len(results.missing)} of {len(journal.planned())} cells are not finished, first "
            f"{escape(first.scenario)}, replication {first.replication}: run again to go on"
        )
    done = sum(outcome.status == "done" for outcome in results.outcomes)
    return AuditReport(
        whole=not lines,
        lines=tuple(lines),
        notes=tuple(f"{escape(name)}: temporary, never read" for name in others if is_temporary(name)),
        fingerprint=results.fingerprint,
        planned=len(journal.planned()),
        done=done,
        stopped=len(results.outcomes) - done,
    )


def _file_fault(folder: Path, record: FileRecord) -> str:
    path = folder / record.name
    try:
        digest = sha256_of(path)
        if digest is None:
            return "is missing"
        size = path.stat().st_size
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if size != record.bytes:
        return f"has {size} bytes, the journal says {record.bytes}"
    return "" if digest == record.sha256 else "is not as it was written (its SHA-256 differs from the journal's)"


def _cell_faults(results: Results, outcome: CellOutcome, laws: Callable[[Path], list[str]] | None) -> Iterator[str]:
    ledgers = [record for record in outcome.files if record.name.startswith("cells/")]
    if outcome.status == "done" and [one.name for one in ledgers] != [f"cells/{outcome.cell.id}.parquet"]:
        yield f"{JOURNAL}: lists no ledger for {outcome.cell.id}"
    for record in outcome.files:
        path = results.path / record.name
        name = escape(record.name)
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                if strange := results.strangeness(file, outcome.cell):
                    yield f"{name}: {strange}"
                elif record not in ledgers:
                    continue
                elif not file.schema_arrow.equals(CELL_SCHEMA):
                    yield f"{name}: has other columns than a ledger"
                elif _ledger_digest(file) != outcome.ledger:
                    yield f"{name}: its rows differ from the digest in the journal"
                elif laws is not None:
                    yield from (f"{name}: {line}" for line in laws(path))
        except (OSError, pa.ArrowException):
            yield f"{name}: cannot be read as Parquet"


def _ledger_digest(file: pq.ParquetFile) -> str:
    digest = LedgerDigest()
    for batch in file.iter_batches():
        period, book, row, value = (batch.column(name) for name in CELL_SCHEMA.names)
        columns = [numbers_of(column) for column in (period, book.indices, row, value)]
        digest.add(book.dictionary.to_pylist(), *columns)
    return digest.hexdigest()
