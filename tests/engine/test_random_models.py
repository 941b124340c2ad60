from __future__ import annotations

import pytest
from agreeing import disagreements
from hypothesis import given, seed, settings
from random_models import Case, cases
from small import play_model

from flowsim.errors import InputError, StoppedError


@pytest.mark.filterwarnings("ignore:.*rows of the trace lie outside the run")
@pytest.mark.parametrize("number", range(4))
def test_any_small_model_obeys_all_laws_and_its_log_agrees_with_its_ledger(number: int) -> None:
    @seed(number)  # several draws of a few: one of many would be of variations of a few
    @settings(max_examples=25, database=None)
    @given(cases())
    def obeys_and_agrees(case: Case) -> None:
        model, window = case.build()
        try:
            played = play_model(model, window, case.seed)
        except (InputError, StoppedError):
            return  # a step that some cannot enter, or a ring of units: told, not run
        assert disagreements(played, case.seed) == []

    obeys_and_agrees()
