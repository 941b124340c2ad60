"""Random networks on both engines, as many as wanted: `python tests/studies/two_engines.py --count 10000`.

Prints how many there were, with how many visits and events, how many were stopped, and how many had each part of the
language. The first on which the engines differ is shrunk, kept in tests/engine/cases and named; exit code 3.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from two_engines import CASES, Tally, try_out

CHUNK = 500


def main() -> int:
    """Try so many, in chunks that are told as they end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="networks")
    parser.add_argument("--first", type=int, default=1, help="number of the first chunk: others are drawn from another")
    parser.add_argument("--last-case", type=Path, help="file that has the case under way, for an engine that crashes")
    given = parser.parse_args()
    tally, begun, tried, number = Tally(), time.perf_counter(), 0, given.first
    while tried < given.count:
        chunk = min(CHUNK, given.count - tried)
        failed = try_out(chunk, number, tally=tally, last=given.last_case)
        if failed is not None:
            case, error = failed
            traceback.print_exception(error)
            print(f"different: chunk {number}, kept as {CASES / case.name()}", flush=True)
            return 3
        tried, number = tried + chunk, number + 1
        print(f"{tried:,} networks equal after {time.perf_counter() - begun:,.0f} s", file=sys.stderr, flush=True)
    print("\n".join(tally.lines()))
    print(f"equal: {tally.networks:,} random networks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
