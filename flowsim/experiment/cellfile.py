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

from flowsim.engine.ledger import BOOKS
from flowsim.engine.network import Ints
from flowsim.errors import DamagedError, StoppedError, escape
from flowsim.experiment.cells import CELL_ID, Cell, FileRecord
from flowsim.measure.ledgers import Columns

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

    def add(
        self,
        names: Sequence[str],
        periods: npt.NDArray[Any],
        books: npt.NDArray[Any],
        rows: npt.NDArray[Any],
        values: npt.NDArray[Any],
    ) -> None:
        """Adds rows of a ledger; `books` are numbers in `names`."""
        codes = np.array([self._books.get(name, -1) for name in names], np.int32)[books]
        table = np.empty(len(rows), _ROW)
        table["period"], table["book"], table["row"], table["value"] = periods, codes, rows, values
        written = 0
        if codes.min(initial=0) < 0:
            new = np.flatnonzero(codes < 0)
            numbers, first = np.unique(books[new], return_index=True)
            for at, number in sorted(zip(new[first].tolist(), numbers.tolist(), strict=True)):
                # A row of its own kind says how long the name is, so no two ledgers read the same.
                name = names[number].encode()
                self._digest.update(table[written:at].tobytes())
                self._digest.update(np.array([(len(name), -1, 0, 0)], _ROW).tobytes() + name)
                table["book"][books == number] = self._books[names[number]] = len(self._books)
                written = at
        self._digest.update(table[written:].tobytes())

    def hexdigest(self) -> str:
        """The digest of the rows so far."""
        return self._digest.hexdigest()


NAMES = [book.name for book in BOOKS]


class CellWriter(_TableFile):
    """Writes the ledger of a cell, in long form: period, book, row, value; `digest` is over the rows as written.

    Neither file nor digest depend on how the rows are cut into pages.
    """

    def __init__(self, folder: CellFolder, cell: Cell) -> None:
        packed = dict.fromkeys(("period", "row", "value"), "DELTA_BINARY_PACKED")
        super().__init__(folder, "cells", cell, CELL_SCHEMA, use_dictionary=["book"], column_encoding=packed)
        self._digest = LedgerDigest()
        self._waiting = np.empty((ROWS_A_GROUP, 4), np.int64)
        self._rows_waiting = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the rows so far."""
        return self._digest.hexdigest()

    def write(self, page: Ints) -> None:
        """Adds a page of the ledger (`engine.ledger.Write`)."""
        if page.dtype != np.int64 or page.ndim != 2 or page.shape[1] != 4:
            raise TypeError(f"a page of a ledger is int64 [rows, 4], not {page.dtype} {list(page.shape)}")
        if not len(page):
            return
        columns = page.T.copy()
        if columns[:3].min() < 0 or columns[:3].max() >= 2**31 or columns[1].max() >= len(NAMES):
            raise OverflowError("a page of a ledger has a period, book or row below 0 or beyond what there is")
        self._digest.add(NAMES, *columns)
        taken = 0
        while taken < len(page):
            more = page[taken : taken + ROWS_A_GROUP - self._rows_waiting]
            self._waiting[self._rows_waiting : self._rows_waiting + len(more)] = more
            taken, self._rows_waiting = taken + len(more), self._rows_waiting + len(more)
            if self._rows_waiting == ROWS_A_GROUP:
                self._flush()

    def _flush(self) -> None:
        if not self._rows_waiting:
            return
        periods, books, rows, values = self._waiting[: self._rows_waiting].T
        numbers, first, codes = np.unique(books, return_index=True, return_inverse=True)
        order = np.argsort(first)
        names = texts([NAMES[number] for number in numbers[order].tolist()])
        columns = [
            whole_numbers(periods, pa.int32()),
            pa.DictionaryArray.from_arrays(whole_numbers(np.argsort(order)[codes], pa.int32()), names),
            whole_numbers(rows, pa.int32()),
            whole_numbers(values, pa.int64()),
        ]
        self._rows_waiting = 0
        self._put(pa.Table.from_arrays(columns, schema=self.schema))


def whole_numbers(numbers: Ints, kind: pa.DataType) -> pa.Array:
    """A column of an Arrow table: a copy of the numbers. `pa.array` would load pandas, which takes half a second."""
    data = numbers.astype(kind.to_pandas_dtype())
    return pa.Array.from_buffers(kind, len(data), [None, pa.py_buffer(data)])


def texts(words: Sequence[str]) -> pa.Array:
    """A column of words, made without pandas too."""
    coded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, coded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(coded), pa.py_buffer(ends), pa.py_buffer(b"".join(coded)))


def numbers_of(column: pa.Array) -> npt.NDArray[Any]:
    """The numbers of such a column; `to_numpy` would load pandas."""
    return np.from_dlpack(column)


def columns_of(table: pa.Table) -> Columns:
    """The rows of a cell's file, nothing copied. Raises DamagedError for a book that there is not."""
    books = table["book"].unify_dictionaries().combine_chunks()
    names = books.dictionary.to_pylist()
    if unknown := [name for name in names if name not in NAMES]:
        raise DamagedError(f"a ledger has a book '{escape(unknown[0])}', which this version of flowsim does not know")
    numbers = np.array([NAMES.index(name) for name in names], np.uint8)
    period, row, value = (numbers_of(table[name].combine_chunks()) for name in ("period", "row", "value"))
    return Columns(period, numbers[numbers_of(books.indices)], row, value)


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
