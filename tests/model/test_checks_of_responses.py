"""Laws of responses: what they follow can be measured, and those of several sites change something at each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.model.loading import load_model

TOWN = Path(__file__).parent.parent / "fixtures" / "town"
PLAIN = """\
  pressure:
    follows: {occupancy: ward at KGH, over: 1 day}
    changes: {stay: home care}
    points: [[0.9, 1.1], [1, 0.8]]
"""


def town(folder: Path, name: str, follows: str, changes: str) -> Path:
    shutil.copytree(TOWN, folder / "town")
    file = folder / "town" / "model.yaml"
    text = file.read_text(encoding="utf-8")
    assert PLAIN in text
    response = f"  {name}:\n    follows: {follows}\n    changes: {changes}\n    points: [[0.9, 1.1], [1, 0.8]]\n"
    file.write_text(text.replace(PLAIN, response), encoding="utf-8")
    return folder / "town"


@pytest.mark.parametrize(
    ("name", "follows", "changes"),
    [
        ("at {site}", '{occupancy: "beds at {site}", over: 1 day}', '{stay_in: "ward at {site}"}'),
        ("at {site}", "{occupancy: beds at KGH, over: 1 day}", '{capacity: "escalation at {site}"}'),
        ("all", "{mean_wait: beds at KGH, over: 1 day}", "{stay_in: home care}"),
        ("one", "{queue: ward at Queens, over: 1 day}", "{stay_in: home care at Barnet}"),
    ],
)
def test_response_that_fits_is_read(tmp_path: Path, name: str, follows: str, changes: str) -> None:
    assert list(load_model(town(tmp_path, name, follows, changes)).responses) == [name]


@pytest.mark.parametrize(
    ("name", "follows", "changes", "message"),
    [
        ("all", "{occupancy: ward at KGH, over: 1 day}", "{stay_in: wards}", "stay_in = 'wards': there is no unit or"),
        ("all", "{occupancy: ward at KGH, over: 1 day}", '{stay_in: "ward at {site}"}', "there is no unit or setting"),
        ("at {site}", '{occupancy: "ward at {site}", over: 1 day}', "{stay: home care}", "there is one for each site"),
        ("at {site}", '{occupancy: "advice at {site}", over: 1 day}', '{stay_in: "ward at {site}"}', "no site has all"),
        ("at {site}", "{occupancy: ward, over: 1 day}", '{stay_in: "ward at {site}"}', "has 2 units: name one"),
        ("one", "{occupancy: ward at KGH, over: 1 day}", "{stay_in: ward, stay: ward}", "give exactly one of share"),
    ],
)
def test_response_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, name: str, follows: str, changes: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        load_model(town(tmp_path, name, follows, changes))
    (fault,) = caught.value.faults
    assert message in str(fault) and f"responses.{name}" in str(fault)
