"""Speed and memory: `python -m tests.studies.speed`, from the root. Prints tables for tests/README.md.

flowsim's SimPy engine, with its full ledger, and bare SimPy without any run in turn in one process, five
rounds; what is compared is the median over rounds of the ratio of events a processor second. An event is an
arrival or the end of a stay. Memory is the peak of a fresh process for one and for four years of `emergency`.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from flowsim.bench import bare_simpy
from flowsim.engine.building import compile_network
from flowsim.engine.running import run_once
from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.loading import load_model

ROUNDS = 5
CLINIC_DAYS, CLINIC_PATIENTS = 232, 100_000
EMERGENCY_DAYS, EMERGENCY_SINCE = 120, 60


def flowsim_run(name: str, days: int, since: int = 0) -> Callable[[int], int]:
    """A shipped model made ready to run for some days: seed -> events."""
    model = load_model(name)
    window = Window(model.start, since * DAY_MS, days * DAY_MS)
    network, labels = compile_network(model, window)

    def run(seed: int) -> int:
        return run_once(network, labels, seed, 0, lambda page: None).events

    return run


def rate(run: Callable[[int], int], seed: int) -> float:
    """Events a processor second."""
    start = time.process_time()
    events = run(seed)
    return events / (time.process_time() - start)


def compare(flowsim: Callable[[int], int], bare: Callable[[int], int]) -> tuple[float, float, float]:
    """Median rates of flowsim and of bare SimPy, and the median of their ratios, taking turns."""
    flowsim(0)
    bare(0)
    rounds = [(rate(flowsim, seed), rate(bare, seed)) for seed in range(1, ROUNDS + 1)]
    ratios = [ours / theirs for ours, theirs in rounds]
    ours, theirs = zip(*rounds, strict=True)
    return statistics.median(ours), statistics.median(theirs), statistics.median(ratios)


def speed() -> None:
    """Print the table of speeds."""
    print("| model | flowsim, events/s | bare SimPy, events/s | ratio, median of 5 |")
    print("| --- | --- | --- | --- |")
    pairs = {
        f"clinic, {CLINIC_PATIENTS:,} patients": (
            flowsim_run("clinic", CLINIC_DAYS),
            lambda seed: bare_simpy.clinic(seed, CLINIC_PATIENTS).events,
        ),
        f"emergency, {EMERGENCY_DAYS} days from {EMERGENCY_SINCE}": (
            flowsim_run("emergency", EMERGENCY_DAYS, EMERGENCY_SINCE),
            lambda seed: bare_simpy.emergency(seed, EMERGENCY_DAYS, EMERGENCY_SINCE).events,
        ),
    }
    for name, (flowsim, bare) in pairs.items():
        ours, theirs, ratio = compare(flowsim, bare)
        print(f"| {name} | {ours:,.0f} | {theirs:,.0f} | {ratio:.2f} |", flush=True)


def own_peak_mb() -> float:
    """Peak resident memory of this process in MB; `ru_maxrss` would start from the peak of the parent."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def peak_mb(years: int) -> float:
    """Peak resident memory in MB of a fresh process that runs `emergency` for some years."""
    command = [sys.executable, "-m", "tests.studies.speed", "--run-years", str(years)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def memory() -> None:
    """Print the table of memory."""
    one, four = peak_mb(1), peak_mb(4)
    print("\n| horizon of emergency | peak memory, MB |\n| --- | --- |")
    print(f"| 1 year | {one:.1f} |\n| 4 years | {four:.1f} ({four / one - 1:+.1%}) |")


def machine() -> str:
    """The machine and the versions in one line."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text(encoding="utf-8").splitlines() if cpu.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def main() -> None:
    """Print all tables, or run some years of `emergency` and print the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run-years", type=int)
    years = parser.parse_args().run_years
    if years is not None:
        flowsim_run("emergency", 365 * years)(1)
        print(own_peak_mb())
        return
    print(machine() + "\n")
    speed()
    memory()


if __name__ == "__main__":
    main()
