"""One form run by one peer in a fresh process, to see its memory: `python -m flowsim.bench.alone NUMBER FORM`.

Prints one JSON document: `memory_mb`, the peak resident memory, and `ready_mb`, the peak before the run began.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from flowsim.bench.peers import PEERS, Form, Peer


def peak_mb() -> float | None:
    """Peak resident memory of this process in MB; None where the system does not tell."""
    status = Path("/proc/self/status")  # `ru_maxrss` would start from the peak of the parent
    if status.is_file():
        return int(status.read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1024
    return None


def memory_of(peer: Peer, form: Form) -> dict[str, float | None]:
    """Memory of a run in a process of its own."""
    command = [sys.executable, "-m", "flowsim.bench.alone", str(PEERS.index(peer)), json.dumps(form)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    """Run what the arguments say."""
    peer = dataclasses.replace(PEERS[int(sys.argv[1])], apart=False)
    run = peer.runner(Form(*json.loads(sys.argv[2])))
    ready = peak_mb()
    run(1)
    print(json.dumps({"memory_mb": peak_mb(), "ready_mb": ready}))


if __name__ == "__main__":
    main()
