"""The journal as text: one JSON line an entry, each with a check chained to the line before. Does no I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowsim.experiment.cells import Cell, CellOutcome, FileRecord

CHECK_DIGITS = 16
START = "0" * CHECK_DIGITS


def canonical(value: object) -> str:
    """JSON with one spelling only: keys sorted, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


@dataclass
class Journal:
    """What a journal says. Later lines win; a line cut by a kill (no newline) is apart from damage.

    `whole_bytes` is the length of the whole lines, `cut_bytes` what follows them; `damage` has one text
    for the first line that is not what was written (nothing after it is believed).
    """

    begin: dict[str, Any] | None = None
    plan: dict[str, Any] | None = None
    outcomes: dict[str, CellOutcome] = field(default_factory=dict)
    model: dict[str, FileRecord] = field(default_factory=dict)
    extras: dict[str, FileRecord] = field(default_factory=dict)
    check: str = START
    lines: int = 0
    whole_bytes: int = 0
    cut_bytes: int = 0
    damage: str = ""

    def files(self) -> dict[str, FileRecord]:
        """Every file listed, by name within the results folder."""
        cells = {record.name: record for outcome in self.outcomes.values() for record in outcome.files}
        return {**self.model, **cells, **self.extras}

    def planned(self) -> list[Cell]:
        """The cells of the plan in force, replications first."""
        plan = self.plan or {"scenarios": [], "replications": 0}
        return [Cell(s, r) for r in range(1, plan["replications"] + 1) for s in plan["scenarios"]]


def chained(entry: Mapping[str, object], previous: str) -> tuple[bytes, str]:
    """The line of an entry, newline included, and its check."""
    content = canonical(entry)
    check = hashlib.sha256(f"{previous}{content}".encode()).hexdigest()[:CHECK_DIGITS]
    return f'{content[:-1]},"check":"{check}"}}\n'.encode(), check


def parse(data: bytes) -> Journal:
    """Reads a journal; what is wrong with it is told in the result, never raised."""
    journal = Journal()
    *lines, rest = data.split(b"\n")
    journal.cut_bytes = len(rest)
    for number, line in enumerate(lines, 1):
        # Compared byte for byte with the line that would be written, so no bit is outside the check.
        try:
            entry = json.loads(line.decode("ascii"))
            stated = entry.pop("check")
            expected, check = chained(entry, journal.check)
            if expected != line + b"\n":
                raise ValueError(stated)
            _take(journal, entry)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            journal.damage = f"line {number} is not as it was written"
            return journal
        journal.check = check
        journal.lines = number
        journal.whole_bytes += len(line) + 1
    return journal


def cell_entry(outcome: CellOutcome) -> dict[str, object]:
    """The entry of a finished cell."""
    return {
        "kind": "cell",
        "cell": outcome.cell.id,
        "scenario": outcome.cell.scenario,
        "replication": outcome.cell.replication,
        "status": outcome.status,
        "ledger": outcome.ledger,
        "message": outcome.message,
        "files": [[record.name, record.sha256, record.bytes] for record in outcome.files],
    }


def file_entry(kind: str, record: FileRecord) -> dict[str, object]:
    """The entry of a file of the model as run (`model`) or of a table or figure (`extra`)."""
    return {"kind": kind, "name": record.name, "sha256": record.sha256, "bytes": record.bytes}


def fingerprint(outcomes: Mapping[str, CellOutcome]) -> str:
    """SHA-256 over scenario, replication and ledger of every finished cell, whatever their order."""
    rows = sorted(
        (one.cell.scenario, one.cell.replication, one.status, one.ledger or one.message) for one in outcomes.values()
    )
    return hashlib.sha256(canonical(rows).encode()).hexdigest()


def _take(journal: Journal, entry: dict[str, Any]) -> None:
    kind = entry["kind"]
    if (kind == "begin") != (journal.begin is None):
        raise ValueError(kind)
    if kind == "begin":
        journal.begin = entry
    elif kind == "plan":
        journal.plan = entry
    elif kind == "cell":
        files = tuple(FileRecord(name, sha256, size) for name, sha256, size in entry["files"])
        cell = Cell(entry["scenario"], entry["replication"])
        if entry["cell"] != cell.id:
            raise ValueError(entry["cell"])
        journal.outcomes[cell.id] = CellOutcome(cell, entry["status"], entry["ledger"], files, entry["message"])
    elif kind in ("model", "extra"):
        record = FileRecord(entry["name"], entry["sha256"], entry["bytes"])
        (journal.model if kind == "model" else journal.extras)[record.name] = record
    else:
        raise ValueError(kind)
