"""Files of a results folder, written so that a kill leaves none that reads as whole: the lower half of
`store`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from flowsim.errors import StoppedError, escape
from flowsim.experiment.cells import CELL_ID, Cell, FileRecord

FORMAT = 1
CELL_SCHEMA = pa.schema(
    [
        pa.field("period", pa.int32(), nullable=False),
        pa.field("book", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("row", pa.int32(), nullable=False),
        pa.field("value", pa.int64(), nullable=False),
    ]
)
ROWS_A_GROUP = 65_536
TEMPORARY = re.compile(r"\..+\.[0-9]+\.tmp")
_ROW = np.dtype([("period", "<i4"), ("book", "<i4"), ("row", "<i4"), ("value", "<i8")])
_HINTS = {
    errno.ENOSPC: "make room and run again",
    errno.EDQUOT: "make room and run again",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run again",
    errno.EIO: "look after the disk, then run again",
}


@contextmanager
def or_stop(path: Path) -> Iterator[None]:
    """An error of the operating system becomes one line."""
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "put it right and run again")
        said = error.strerror or str(error)
        raise StoppedError(f"{escape(str(path))}: {said}: finished cells are kept; {hint}") from error


def write_all(handle: int, data: bytes | memoryview) -> None:
    """Writes all of it, however little the system takes at a time."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(handle, rest) :]


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str | None:
    """Digest of a regular file (never waits on a pipe), None if there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if path.is_file() else ""


def names_under(folder: Path, prefix: str = "") -> list[str]:
    """Everything in a folder but folders, as sorted names within it; links are not followed."""
    names: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                names += names_under(Path(entry.path), f"{prefix}{entry.name}/")
            else:
                names.append(prefix + entry.name)
    return sorted(names)


def is_temporary(name: str) -> bool:
    """Whether a file is in the making, or looks so: hidden, `tmp...` or `....tmp...`, and never a cell."""
    last = PurePosixPath(name).name
    return ".tmp" in last or (last.startswith((".", "tmp")) and not CELL_ID.match(last))


class NewFile:
    """A file in the making, under a temporary name until `keep`; serves pyarrow as a sink."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.path = root / name
        self._temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        self._digest = hashlib.sha256()
        self._size = 0
        self.closed = False
        self._handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)

    def write(self, data: bytes | memoryview) -> int:
        """Writes to the temporary file."""
        size = memoryview(data).nbytes
        # After `drop`, pyarrow's own clean-up still writes a footer, to nowhere.
        if not self.closed:
            write_all(self._handle, data)
            self._digest.update(data)
            self._size += size
        return size

    def tell(self) -> int:
        """Bytes so far."""
        return self._size

    def flush(self) -> None:
        """pyarrow asks for it; nothing is buffered here."""

    def close(self) -> None:
        """Ends writing; the file still has its temporary name."""
        if not self.closed:
            self.closed = True
            os.close(self._handle)

    def keep(self) -> FileRecord:
        """Syncs the file, gives it its name, syncs the folder."""
        os.fsync(self._handle)
        self.close()
        self._temporary.rename(self.path)
        sync_folder(self.path.parent)
        return FileRecord(self.name, self._digest.hexdigest(), self._size)

    def drop(self) -> None:
        """Removes the file, as far as that can be done."""
        with suppress(OSError):
            self.close()
        with suppress(OSError):
            self._temporary.unlink()


# ------------------------------------------------------------------ cells, written while they run
@dataclass(frozen=True)
class CellFolder:
    """Where a worker writes its cell: the results folder, the digest of what it is of, and the seed."""

    path: Path
    provenance: str
    seed: int

    def marks(self, cell: Cell) -> dict[bytes, bytes]:
        """What a cell's file says of itself, so that one of another experiment is noticed."""
        says = {"cell": cell.id, "provenance": self.provenance, "seed": str(self.seed), "format": str(FORMAT)}
        return {f"flowsim.{key}".encode(): value.encode() for key, value in says.items()}


class _TableFile:
    """A Parquet file of one cell in the making; a context that keeps it, or on an exception drops it."""

    def __init__(self, folder: CellFolder, kind: str, cell: Cell, schema: pa.Schema, **options: Any) -> None:
        schema = schema.with_metadata({**(schema.metadata or {}), **folder.marks(cell)})
        self.record: FileRecord | None = None
        name = f"{kind}/{cell.id}.parquet"
        self._path = folder.path / name
        with or_stop(self._path):
            self._file = NewFile(folder.path, name)
            self._writer = pq.ParquetWriter(self._file, schema, compression="zstd", write_page_checksum=True, **options)
        self.schema = schema

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()

    def _flush(self) -> None:
        raise NotImplementedError

    def _put(self, table: pa.Table | pa.RecordBatch) -> None:
        with or_stop(self._path):
            self._writer.write(table, row_group_size=ROWS_A_GROUP)

    def close(self) -> FileRecord:
        """Syncs the file and gives it its name; the journal line is the store's to write."""
        if self.record is None:
            try:
                self._flush()
                with or_stop(self._path):
                    self._writer.close()
                    self.record = self._file.keep()
            except BaseException:
                self.abort()
                raise
        return self.record

    def abort(self) -> None:
        """Drops what was written."""
        self._writer.is_open = False
        self._file.drop()


class LedgerDigest:
    """SHA-256 over ledger rows in their order, however they are cut into batches or files."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._books: dict[str, int] = {}

    def add(self, period: object, book: str, rows: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
        """Adds one row or more of one book; `period` is one number, or one a row."""
        if book not in self._books:
            # A row of its own kind says how long the name is, so no two ledgers read the same.
            name = book.encode()
            self._digest.update(np.array([(len(name), -1, 0, 0)], _ROW).tobytes() + name)
            self._books[book] = len(self._books)
        table = np.empty(len(rows), _ROW)
        table["period"], table["book"], table["row"], table["value"] = period, self._books[book], rows, values
        self._digest.update(table.tobytes())

    def hexdigest(self) -> str:
        """The digest of the rows so far."""
        return self._digest.hexdigest()


def _whole(numbers: Sequence[int] | npt.NDArray[Any], kind: type[np.integer[Any]], book: str) -> npt.NDArray[Any]:
    """A copy as whole numbers of a kind; copied because an engine fills the same array again."""
    given = np.asarray(numbers)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise TypeError(f"{book}: a ledger holds whole numbers in one dimension, not {given.dtype}")
    copy = given.astype(kind)
    if not np.array_equal(copy, given):
        raise OverflowError(f"{book}: a number is beyond {np.dtype(kind).name}")
    return copy


class CellWriter(_TableFile):
    """Writes the ledger of a cell, in long form: period, book, row, value; `digest` is over the rows as
    written.
    """

    def __init__(self, folder: CellFolder, cell: Cell) -> None:
        packed = dict.fromkeys(("period", "row", "value"), "DELTA_BINARY_PACKED")
        super().__init__(folder, "cells", cell, CELL_SCHEMA, use_dictionary=["book"], column_encoding=packed)
        self._digest = LedgerDigest()
        self._waiting: list[tuple[int, str, npt.NDArray[np.int32], npt.NDArray[np.int64]]] = []
        self._rows_waiting = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the rows so far."""
        return self._digest.hexdigest()

    def write(
        self,
        period: int,
        book: str,
        rows: Sequence[int] | npt.NDArray[Any],
        values: Sequence[int] | npt.NDArray[Any],
    ) -> None:
        """Adds rows of one book in one period: whole numbers only, `rows` from 0, as many as `values`."""
        if len(rows) != len(values):
            raise ValueError(f"{book}: {len(rows)} rows but {len(values)} values")
        if not len(rows):
            return
        row = _whole(rows, np.int32, book)
        value = _whole(values, np.int64, book)
        self._digest.add(period, book, row, value)
        self._waiting.append((period, book, row, value))
        self._rows_waiting += len(row)
        if self._rows_waiting >= ROWS_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        sizes = [len(row) for _, _, row, _ in self._waiting]
        books = {book: number for number, book in enumerate(dict.fromkeys(one[1] for one in self._waiting))}
        codes = np.repeat(np.array([books[book] for _, book, _, _ in self._waiting], np.int32), sizes)
        columns = [
            pa.array(np.repeat(np.array([period for period, _, _, _ in self._waiting], np.int32), sizes)),
            pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(books), pa.string())),
            pa.array(np.concatenate([row for _, _, row, _ in self._waiting])),
            pa.array(np.concatenate([value for _, _, _, value in self._waiting])),
        ]
        self._waiting, self._rows_waiting = [], 0
        self._put(pa.Table.from_arrays(columns, schema=self.schema))


class VisitWriter(_TableFile):
    """Writes the visit log of a cell in the columns of the schema given."""

    def __init__(self, folder: CellFolder, cell: Cell, schema: pa.Schema) -> None:
        super().__init__(folder, "visits", cell, schema)
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds visits; the batch has the columns of the schema."""
        self._waiting.append(batch)
        if sum(one.num_rows for one in self._waiting) >= ROWS_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting).cast(self.schema)
            self._waiting = []
            self._put(table)
