"""Laws of a whole model: its parts fit together, or the refusal names what does not; warnings warn."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.model.loading import read_model

TOWN = Path(__file__).parent.parent / "fixtures" / "town"
ONES = ", ".join("1" * 24)
Edit = tuple[str, str, str]
"""File, what stands there, and what stands there instead."""

MODEL, PLACES, SITES, UNITS = "model.yaml", "tables/places.csv", "tables/sites.csv", "tables/units.csv"
PEOPLE, SHARES = "tables/population.csv", "tables/catchment.csv"


def town(folder: Path, *edits: Edit) -> Path:
    shutil.copytree(TOWN, folder / "town")
    for file, old, new in edits:
        path = folder / "town" / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
    return folder / "town"


def faults_of(folder: Path, *edits: Edit) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_model(town(folder, *edits))
    return [str(fault) for fault in caught.value.faults]


REFUSED: dict[str, tuple[list[Edit], list[str]]] = {
    "costs without a price year": (
        [(MODEL, "price_year: 2018/19\n", "")],
        ["settings.ward.costs", "price_year"],
    ),
    "more patients on the first day than beds": (
        [(MODEL, "inside: 20", "inside: 61")],
        ["first_day item 1.inside = 61", "60 beds"],
    ),
    "first day of a setting with several units": (
        [(MODEL, "step: ward, at: KGH", "step: ward")],
        ["first_day item 1", "2 units"],
    ),
    "change that takes more than there is": (
        [(MODEL, "add: 5, from", "add: -41, from")],
        ["capacity_changes item 1.add = -41", "'home care at Barnet' has 40"],
    ),
    "addition that does not say to which unit": (
        [(MODEL, "setting: home care, at: Barnet, add", "setting: home care, add")],
        ["capacity_changes item 1", "2 units", "`at`"],
    ),
    "change of an unlimited unit": (
        [(MODEL, "setting: home care, at: Barnet, add", "setting: advice, add")],
        ["'advice'", "unlimited"],
    ),
    "nearest without coordinates": (
        [(MODEL, "at: own place", "at: nearest"), (PLACES, "51.6,-0.2", ",")],
        ["Barnet"],
    ),
    "shares that leave a place out": (
        [(SHARES, "Bexley,KGH,0.3\nBexley,Queens,0.7\n", "")],
        ["steps.door.at", "Bexley"],
    ),
    "shares to a site without a unit": (
        [(SHARES, "Bexley,Queens,0.7", "Bexley,Barnet,0.7")],
        ["steps.door.at = 'Barnet'", "'cubicle' has no unit"],
    ),
    "fixed site without a unit": (
        [(MODEL, "at: same site", "at: Bexley")],
        ["'ward' has no unit", "KGH, Queens"],
    ),
    "two profiles of the day": (
        [
            (MODEL, "profile: [a day, months]", "profile: [a day, a night]"),
            (MODEL, "growth:\n  other", f"  a night: {{by: hour, weights: [{ONES}]}}\ngrowth:\n  other"),
        ],
        ["profile item 2 = 'a night'", "second profile of the day"],
    ),
    "capacity in the model and in the table": (
        [(MODEL, "cubicle: {level: stp}", "cubicle: {level: stp, capacity: 4 beds}")],
        ["units.csv:2: setting = 'cubicle'", "remove one of the two"],
    ),
    "setting without any capacity": (
        [(UNITS, "escalation,KGH,5,beds,1\nescalation,Queens,4,beds,1\n", "")],
        ["settings.escalation", "no capacity"],
    ),
    "sessions of beds": (
        [(MODEL, "cubicle: {level: stp}", "cubicle: {level: stp, opens: [{hours: 08:00-20:00}]}")],
        ["settings.cubicle.opens", "only slots"],
    ),
    "unlimited unit with a number": (
        [(UNITS, "KGH,5,beds", "KGH,5,unlimited")],
        ["units.csv:6: capacity = 5"],
    ),
    "setting in no row and no place": ([(UNITS, "ward,Queens", "ward,Kings")], ["units.csv:5: at = 'Kings'"]),
    "site within no place": (
        [(SITES, "Queens,Bexley", "Queens,Bexly")],
        ["sites.csv:3", "did you mean 'Bexley'?"],
    ),
    "site with the name of a place": (
        [
            (SITES, "Queens,Bexley", "Bexley,Bexley"),
            (UNITS, "Queens", "Bexley"),
            (SHARES, "Queens", "Bexley"),
        ],
        ["sites.csv:3: name = 'Bexley'"],
    ),
    "people of an unknown place": ([(PEOPLE, "Bexley", "Bexly")], ["population.csv:11: place = 'Bexly'"]),
    "bands of age that a stay leaves out": ([(MODEL, "18-64: 4 days, ", "")], ["stay.gamma.mean", "18-64"]),
    "age band that nobody has": ([(MODEL, "18-64: 0.8", "18-69: 0.8")], ["arrivals.ages = '18-69'"]),
    "residence beside the population": (
        [(MODEL, "{from: population,", "{from: population, residence: Barnet,")],
        ["arrivals.residence", "population"],
    ),
    "no population to take patients from": (
        [(MODEL, "population: tables/population.csv\n", "")],
        ["arrivals.from = 'population'"],
    ),
    "variant that the table does not have": (
        [
            (
                MODEL,
                "population: tables/population.csv",
                "population: {table: tables/population.csv, variant: high}",
            )
        ],
        ["population.variant = 'high'"],
    ),
    "pre-emption by a step with a hold": (
        [(MODEL, "        holds: ward\n", "        holds: ward\n        preempts: true\n")],
        ["preempts", "holds"],
    ),
    "pre-emption for slots": (
        [
            (
                MODEL,
                "        queue_limit: {",
                "        priority: 1\n        preempts: true\n        queue_limit: {",
            )
        ],
        ["preempts", "only beds"],
    ),
    "shift to the same step": (
        [
            (
                MODEL,
                "first_day:",
                "shifts: [{from: ward, to: ward, share: 0.1, start: 2018-04-01}]\nfirst_day:",
            )
        ],
        ["shifts item 1.to = 'ward'"],
    ),
    "shift between pathways": (
        [
            (
                MODEL,
                "first_day:",
                "shifts: [{from: ward, to: call, share: 0.1, start: 2018-04-01}]\nfirst_day:",
            )
        ],
        ["shifts item 1.to = 'call'", "steps of one pathway"],
    ),
    "shifts of more than all": (
        [
            (
                MODEL,
                "first_day:",
                "shifts:\n  - {from: ward, to: home care, share: 0.6, start: 2018-04-01}\n"
                "  - {from: ward, to: door, share: 0.5, start: 2018-04-01}\nfirst_day:",
            )
        ],
        ["shifts item 2.share = 0.5", "more than all"],
    ),
    "response of a step in two pathways": (
        [
            (MODEL, "      call:\n", "      home care:\n"),
            (MODEL, "otherwise: call", "otherwise: home care"),
            (MODEL, "then: {call", "then: {home care"),
        ],
        ["changes.stay = 'home care'", "`planned: home care`"],
    ),
    "response of a share where all go one way": (
        [
            (MODEL, "changes: {stay: home care}", "changes: {share: home care}"),
            (MODEL, "[0.9, 1.1]", "[0.9, 1]"),
        ],
        ["changes.share = 'home care'", "one way"],
    ),
    "response to a setting with several units": (
        [(MODEL, "occupancy: ward at KGH", "occupancy: ward")],
        ["follows.occupancy = 'ward'", "2 units"],
    ),
    "response to nothing": (
        [(MODEL, "ward at KGH, over", "ward at KHG, over")],
        ["did you mean 'ward at KGH'?"],
    ),
    "unit for nobody in this pool": (
        [(MODEL, "{escalation: 6 hours}", "{cubicle: 6 hours}")],
        ["overflow_after.cubicle", "not in this pool"],
    ),
    "clock that never stops": (
        [(MODEL, "to: door left", "to: call joined")],
        ["clocks.four hours.to", "never stop"],
    ),
    "word of the language as a step": (
        [
            (MODEL, "      call:\n", "      rest:\n"),
            (MODEL, "otherwise: call", "otherwise: rest"),
            (MODEL, "{call", "{rest"),
        ],
        ["steps.rest", "word of the language"],
    ),
    "group called like a mark": ([(MODEL, "groups:\n", "groups:\n  place: {a: 1}\n")], ["groups.place"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_parts_that_do_not_fit_are_named(name: str, tmp_path: Path) -> None:
    edits, words = REFUSED[name]
    text = "\n".join(faults_of(tmp_path, *edits))
    for word in words:
        assert word in text, f"{word!r} is not in:\n{text}"


def test_own_place_is_the_nearest_above_that_has_a_unit(tmp_path: Path) -> None:
    rows = "home care,Barnet,40,beds,1\nhome care,Bexley,35,beds,1\n"
    higher = "home care,London,40,beds,1\nhome care,Bexley,35,beds,1\n"
    edits = [
        (UNITS, rows, higher),
        (MODEL, "  - {setting: home care, at: Barnet,", "  - {setting: home care, at: London,"),
    ]
    assert read_model(town(tmp_path, *edits)).warnings == ()


def test_setting_with_one_unit_serves_every_place(tmp_path: Path) -> None:
    rows = "home care,Barnet,40,beds,1\nhome care,Bexley,35,beds,1\n"
    assert read_model(town(tmp_path, (UNITS, rows, "home care,Barnet,75,beds,1\n"))).warnings == ()


def test_cut_down_to_nothing_is_allowed(tmp_path: Path) -> None:
    assert read_model(town(tmp_path, (MODEL, "add: 5, from", "add: -40, from"))).warnings == ()


def test_closed_unit_with_patients_and_no_patience_is_warned_of(tmp_path: Path) -> None:
    closed = town(tmp_path, (UNITS, "cubicle,KGH,12", "cubicle,KGH,0"))
    assert ["'cubicle at KGH'" in warning for warning in read_model(closed).warnings] == [True]


def test_ring_of_holds_is_warned_of_unless_a_patience_opens_it(tmp_path: Path) -> None:
    back = "then: {back: 0.1, home care: 0.25, leave: 0.65}"
    step = "      back:\n        in: cubicle\n        at: same site\n        holds: ward\n        stay: 1 hour\n"
    edits = [
        (MODEL, "then: {home care: 0.25, leave: 0.75}", back),
        (MODEL, "      home care:\n", step + "      home care:\n"),
    ]
    warnings = read_model(town(tmp_path / "ring", *edits)).warnings
    assert ["cubicle is kept until ward is kept until cubicle" in warning for warning in warnings] == [True]
    patient = (MODEL, "stay: 1 hour\n", "stay: 1 hour\n        patience: 2 hours\n")
    assert read_model(town(tmp_path / "open", *edits, patient)).warnings == ()


def test_pathway_without_arrivals_is_warned_of(tmp_path: Path) -> None:
    arrivals = "    arrivals: {per_day: 30, residence: {Barnet: 0.6, Bexley: 0.4}, ages: {18-64: 0.8, 65+: 0.2}}\n"
    assert "'planned'" in read_model(town(tmp_path, (MODEL, arrivals, ""))).warnings[0]
