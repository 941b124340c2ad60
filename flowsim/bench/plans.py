"""What `flowsim bench` runs: which peer runs how much of which model, in the long form and in the quick one.

Slow peers run less: their rates are what compares. A model's size is told by (model, scale, mult).
"""

from __future__ import annotations

from typing import NamedTuple

from flowsim.bench.peers import Form

Size = tuple[str, float, int]
YEAR = 365


class Plan(NamedTuple):
    """Rounds, and what each peer runs of each size; forms of the other sections."""

    rounds: int
    forms: dict[Size, dict[str, Form]]
    units: tuple[Form, ...]
    """Cities of the same arrivals and ever more places."""
    shared: Form
    """What two processes do side by side."""
    ledger: tuple[Form, ...]
    """On what the cost of the ledger and of its audit is measured."""
    memory: tuple[str, ...]
    """Peers whose memory is measured, each in a fresh process."""
    replications: int
    """Of the compiled engine, to know what mean waits to expect."""


def clinic(patients: int) -> Form:
    """m1 for so many patients."""
    return Form("m1", patients=patients)


def emergency(days: int, since: int = 0) -> Form:
    """m2 for some days."""
    return Form("m2", days=days, since=since)


def city(scale: float, days: int = YEAR, mult: int = 1) -> Form:
    """m3 for some days from empty."""
    return Form("m3", days=days, scale=scale, mult=mult)


LONG = Plan(
    rounds=5,
    forms={
        ("m1", 1.0, 1): {
            "compiled": clinic(1_000_000), "simpy": clinic(100_000), "bare-simpy": clinic(200_000),
            "ciw": clinic(100_000), "salabim": clinic(10_000), "cimba": clinic(1_000_000),
        },
        ("m2", 1.0, 1): {
            "compiled": emergency(930, 200), "simpy": emergency(120, 60), "bare-simpy": emergency(930, 200),
            "ciw": emergency(120, 60), "salabim": emergency(120, 60), "cimba": emergency(930, 200),
        },
        ("m3", 0.01, 1): {"compiled": city(0.01), "simpy": city(0.01, 120), "bare-simpy": city(0.01)},
        ("m3", 0.1, 1): {"compiled": city(0.1), "simpy": city(0.1, 10), "bare-simpy": city(0.1, 30)},
        ("m3", 1.0, 1): {"compiled": city(1.0), "simpy": city(1.0, 2), "bare-simpy": city(1.0, 10)},
    },
    units=(city(0.1), city(0.1, mult=4), city(0.1, mult=16)),
    shared=city(1.0, 30),
    ledger=(clinic(1_000_000), emergency(930, 200), city(0.1)),
    memory=("compiled", "simpy", "bare-simpy", "ciw", "salabim", "cimba"),
    replications=100,
)  # fmt: skip
QUICK = Plan(
    rounds=3,
    forms={
        ("m1", 1.0, 1): {
            "compiled": clinic(200_000), "simpy": clinic(10_000), "bare-simpy": clinic(30_000),
            "ciw": clinic(10_000), "salabim": clinic(1_000), "cimba": clinic(200_000),
        },
        ("m2", 1.0, 1): {
            "compiled": emergency(120, 60), "simpy": emergency(10), "bare-simpy": emergency(40, 20),
            "ciw": emergency(10), "salabim": emergency(5), "cimba": emergency(120, 60),
        },
        ("m3", 0.01, 1): {"compiled": city(0.01), "simpy": city(0.01, 20), "bare-simpy": city(0.01, 40)},
        ("m3", 0.1, 1): {"compiled": city(0.1, 60), "bare-simpy": city(0.1, 4)},
        ("m3", 1.0, 1): {"compiled": city(1.0, 10), "bare-simpy": city(1.0, 1)},
    },
    units=(city(0.1, 60), city(0.1, 60, mult=4)),
    shared=city(0.1, 60),
    ledger=(emergency(365), city(0.1, 120)),
    memory=("compiled",),
    replications=30,
)  # fmt: skip
