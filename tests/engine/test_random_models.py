from __future__ import annotations

from agreeing import disagreements
from hypothesis import given, settings
from random_models import Case, cases
from small import play_model

from flowsim.errors import InputError, StoppedError


@settings(max_examples=150)
@given(cases())
def test_any_small_model_obeys_all_laws_and_its_log_agrees_with_its_ledger(case: Case) -> None:
    model, window = case.build()
    try:
        played = play_model(model, window, case.seed)
    except (InputError, StoppedError):
        return  # a step that some cannot enter, or a ring of units: told, not run
    assert disagreements(played, case.seed) == []
