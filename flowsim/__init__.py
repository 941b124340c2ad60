"""Simulation of patient flow through every level of a city's health and care.

The names below are all there is to use; each is loaded when it is first asked for, so importing flowsim does
no work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowsim.bench.benchmark import benchmark as benchmark
    from flowsim.errors import DamagedError as DamagedError
    from flowsim.errors import FlowsimError as FlowsimError
    from flowsim.errors import InputError as InputError
    from flowsim.errors import StoppedError as StoppedError
    from flowsim.experiment.calibrating import calibrate as calibrate
    from flowsim.experiment.checking import Check as Check
    from flowsim.experiment.checking import check as check
    from flowsim.experiment.copying import copy_shipped as copy_shipped
    from flowsim.experiment.results import ExperimentResults as ExperimentResults
    from flowsim.experiment.results import audit as audit
    from flowsim.experiment.results import open_results as open_results
    from flowsim.experiment.scenarios import LoadedExperiment as LoadedExperiment
    from flowsim.experiment.scenarios import load_experiment as load_experiment
    from flowsim.experiment.simulating import Run as Run
    from flowsim.experiment.simulating import simulate as simulate
    from flowsim.experiment.verifying import verify as verify
    from flowsim.measure.catalogue import measures as measures
    from flowsim.model.loading import load_model as load_model
    from flowsim.model.schema import Model as Model
    from flowsim.model.shipped import list_shipped as list_shipped

_HOMES = {
    "Check": "flowsim.experiment.checking",
    "DamagedError": "flowsim.errors",
    "ExperimentResults": "flowsim.experiment.results",
    "FlowsimError": "flowsim.errors",
    "InputError": "flowsim.errors",
    "LoadedExperiment": "flowsim.experiment.scenarios",
    "Model": "flowsim.model.schema",
    "Run": "flowsim.experiment.simulating",
    "StoppedError": "flowsim.errors",
    "audit": "flowsim.experiment.results",
    "benchmark": "flowsim.bench.benchmark",
    "calibrate": "flowsim.experiment.calibrating",
    "check": "flowsim.experiment.checking",
    "copy_shipped": "flowsim.experiment.copying",
    "list_shipped": "flowsim.model.shipped",
    "load_experiment": "flowsim.experiment.scenarios",
    "load_model": "flowsim.model.loading",
    "measures": "flowsim.measure.catalogue",
    "open_results": "flowsim.experiment.results",
    "simulate": "flowsim.experiment.simulating",
    "verify": "flowsim.experiment.verifying",
}

__all__ = [
    "Check",
    "DamagedError",
    "ExperimentResults",
    "FlowsimError",
    "InputError",
    "LoadedExperiment",
    "Model",
    "Run",
    "StoppedError",
    "audit",
    "benchmark",
    "calibrate",
    "check",
    "copy_shipped",
    "list_shipped",
    "load_experiment",
    "load_model",
    "measures",
    "open_results",
    "simulate",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'flowsim' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
