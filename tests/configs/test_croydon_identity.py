"""In `croydon-beds` patients who meet nothing that a lever changed have the same history in every scenario."""

import numpy as np
import pytest

from flowsim.engine.building import compile_network
from flowsim.engine.running import run_once
from flowsim.engine.visits import COLUMNS
from flowsim.experiment.scenarios import load_experiment
from flowsim.model.calendar import DAY_MS, Window

STREAM, STEP = COLUMNS.index("stream"), COLUMNS.index("step")


@pytest.fixture(scope="module")
def logs():
    loaded = load_experiment("croydon-beds")
    base = loaded.base.model
    window = Window(base.start, 0, 12 * DAY_MS, "day")  # the levers begin on the model's first day
    logs = {}
    for scenario in loaded.scenarios:
        network, labels = compile_network(scenario.model, window, base)
        rows = []
        run_once(network, labels, 1, 1, lambda page: None, lambda more, kept=rows: kept.append(more.copy()))
        logs[scenario.name] = (labels, network, np.concatenate(rows))
    return logs


def pathway_of(labels, network, rows, name):
    return rows[network.stream_pathway[rows[:, STREAM]] == labels.pathways.index(name)]


def at_steps(labels, rows, names):
    return rows[[labels.steps[step][1] in names for step in rows[:, STEP]]]


def by_patient(rows):
    return rows[np.lexsort(rows.T[[5, 2, 1, 0]])]


def test_urgent_treatment_patients_are_the_same_in_every_scenario(logs):
    histories = [
        by_patient(at_steps(log[0], pathway_of(*log, "attendance"), ("door", "urgent treatment")))
        for log in logs.values()
    ]
    assert len(histories[0]) > 3000
    for other in histories[1:]:
        assert np.array_equal(histories[0], other)


def test_every_patient_exists_in_every_scenario_with_the_same_marks(logs):
    who = [np.unique(rows[:, [0, 1, 2, 3, 4]], axis=0) for _, _, rows in logs.values()]
    for other in who[1:]:
        assert np.array_equal(who[0], other)


def test_the_lever_does_change_those_it_should(logs):
    histories = [by_patient(pathway_of(*log, "emergency admission")) for log in logs.values()]
    assert not np.array_equal(histories[0], histories[1])
