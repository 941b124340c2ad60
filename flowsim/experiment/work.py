"""The work of one cell: run a scenario's Network once, and write its ledger (and visits) as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from flowsim.engine.addresses import stream_key
from flowsim.engine.network import Ints, Labels, Network
from flowsim.engine.running import Engine, run_once
from flowsim.engine.visits import COLUMNS
from flowsim.errors import StoppedError
from flowsim.experiment.cellfile import CellFolder, CellWriter, VisitWriter, whole_numbers
from flowsim.experiment.cells import Cell, CellOutcome

VISIT_SCHEMA = pa.schema([(name, pa.int64()) for name in COLUMNS])
"""The visit log's columns: whole numbers, as the Labels of the run number things."""


@dataclass(frozen=True)
class Work:
    """What a worker needs for any cell of an experiment: each scenario's Network, the seed, and what to log."""

    networks: Mapping[str, tuple[Network, Labels]]
    seed: int
    engine: Engine
    visits: float


def run_cell(work: Work, cell: Cell, folder: CellFolder) -> CellOutcome:
    """Run a cell and write its files; a model that cannot go on is an outcome too, with one line that says why."""
    network, labels = work.networks[cell.scenario]
    try:
        with CellWriter(folder, cell) as ledger:
            if work.visits:
                with VisitWriter(folder, cell, VISIT_SCHEMA) as visits:
                    log = VisitLog(visits, work, cell, labels)
                    run_once(network, labels, work.seed, cell.replication, ledger.write, log, work.engine)
                files = [ledger.close(), visits.close()]
            else:
                run_once(network, labels, work.seed, cell.replication, ledger.write, None, work.engine)
                files = [ledger.close()]
    except StoppedError as stopped:
        if isinstance(stopped.__cause__, OSError):
            raise
        return CellOutcome.stopped(cell, str(stopped))
    return CellOutcome.done(cell, ledger.digest, files)


class VisitLog:
    """Takes rows of the visit log, and writes those of a share of the patients, chosen by address."""

    def __init__(self, writer: VisitWriter, work: Work, cell: Cell, labels: Labels) -> None:
        self.writer, self.share, self.replication = writer, work.visits, cell.replication
        self.keys = np.array([stream_key(work.seed, name) for name in labels.streams], np.int64)

    def __call__(self, rows: Ints) -> None:
        """Some visits, one a row, in the columns of `visits.COLUMNS`."""
        if self.share < 1.0:
            from flowsim.engine.logged import are_logged  # numba is not wanted otherwise

            rows = rows[are_logged(self.keys, self.replication, np.ascontiguousarray(rows[:, :3]), self.share)]
        if len(rows):
            columns = [whole_numbers(column, pa.int64()) for column in rows.T]  # copies: the engine fills its own again
            self.writer.write(pa.record_batch(columns, schema=VISIT_SCHEMA))
