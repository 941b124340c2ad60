"""Cells: scenarios times replications, as values with stable names, and what became of each."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MOST_REPLICATIONS = 1_000_000
CELL_ID = re.compile(r"[a-z0-9-]{1,40}-[0-9a-f]{8}-r[0-9]{4,7}")


@dataclass(frozen=True, slots=True)
class Cell:
    """One replication of one scenario: what is run, stored and resumed as a whole."""

    scenario: str
    replication: int

    def __post_init__(self) -> None:
        if not self.scenario:
            raise ValueError("a cell needs the name of its scenario")
        if not 0 <= self.replication <= MOST_REPLICATIONS:
            raise ValueError(f"replication = {self.replication}: must be 0 to {MOST_REPLICATIONS}")

    @property
    def id(self) -> str:
        """A file name: the scenario in plain letters, eight digits of its digest, the replication."""
        plain = unicodedata.normalize("NFKD", self.scenario).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain)[:40].strip("-") or "scenario"
        digest = hashlib.sha256(self.scenario.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{slug}-{digest}-r{self.replication:04d}"


def cells_of(scenarios: Sequence[str], replications: int) -> list[Cell]:
    """All cells, replications counted from 1; a run cut short leaves whole pairs, so scenarios vary first."""
    if len(set(scenarios)) != len(scenarios):
        raise ValueError("each scenario must be named once")
    return [Cell(scenario, replication) for replication in range(1, replications + 1) for scenario in scenarios]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was written: its name within the results folder, SHA-256 and size in bytes."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """What became of a cell: `done` with its files, or `stopped` (as by gridlock) with one line that says
    why.

    `ledger` is the digest of the ledger's rows, empty for a stopped cell.
    """

    cell: Cell
    status: str
    ledger: str = ""
    files: tuple[FileRecord, ...] = ()
    message: str = ""

    @classmethod
    def done(cls, cell: Cell, ledger: str, files: Sequence[FileRecord]) -> CellOutcome:
        """A cell that ran to its end."""
        return cls(cell, "done", ledger, tuple(files))

    @classmethod
    def stopped(cls, cell: Cell, message: str) -> CellOutcome:
        """A cell that cannot finish, such as a gridlocked one; the message is made one line."""
        return cls(cell, "stopped", message=" ".join(message.split()))
