"""Runs of the compiled engine that record nothing: `python -m flowsim.bench.unrecorded FORM SEED`.

Prints the processor seconds of the quickest of a few runs. What is measured is the engine without its books: its
answers mean nothing, and nobody is told them.
"""

from __future__ import annotations

import json
import sys

from flowsim.bench.outcome import Stopwatch
from flowsim.bench.peers import Form
from flowsim.engine import tables
from flowsim.engine.addresses import stream_key
from flowsim.engine.ledger import BOOKS

RUNS = 4


def main() -> None:
    """Run what the arguments say."""
    from flowsim.bench.ours import prepared
    from flowsim.engine.compiled import run
    from flowsim.engine.records import KEEPERS

    tables.unrecorded |= {f"{KEEPERS[book.row]}.{book.name}" for book in BOOKS if book.row in KEEPERS} | {"memory"}

    network, labels = prepared(Form(*json.loads(sys.argv[1])))
    keys = [stream_key(int(sys.argv[2]), name) for name in labels.streams]
    seconds = []
    for _ in range(RUNS):
        watch = Stopwatch()
        run(network, keys, 0, lambda page: None)
        seconds.append(watch.seconds())
    print(min(seconds[1:]))


if __name__ == "__main__":
    main()
