"""Laws of the command line: what is said where, which code it ends with, and that nothing is ever a
traceback.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., tuple[int, str, str]]
RECORD = [
    "scenario",
    "baseline",
    "measure",
    "measured_in",
    "place",
    "setting",
    "mean",
    "low",
    "high",
    "baseline_mean",
    "difference",
    "difference_low",
    "difference_high",
    "replications",
]


def contents(folder: Path) -> dict[str, str]:
    """Every file with its digest; the lock of results names its last holder and is no content."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["rnu", "wards.yaml"], ["'rnu'", "'run'"]),
        (["run", "wards.yaml", "--worker", "2"], ["--worker", "--workers"]),
        (["run", "wards.yaml", "--seed", "1", "--seed", "2"], ["--seed", "1, 2", "once"]),
        (["run", "wards.yaml", "--quick", "--quick"], ["--quick", "once"]),
        (["run", "wards.yaml", "--seed=1", "--seed=2"], ["--seed", "1, 2", "once"]),
        (["run", "croydon-comunity-shift"], ["croydon-comunity-shift", "'croydon-community-shift'"]),
        (["run", "clinic"], ["clinic", "is a model", "flowsim check"]),
        (["run", "wards.yaml", "--workers", "1000000"], ["--workers", "1000000", "must be 1 to"]),
        (["run", "wards.yaml", "--workers", "0"], ["--workers", "0", "must be 1 to"]),
        (["run", "wards.yaml", "--workers", "two"], ["--workers", "two", "whole number"]),
        (["run", "wards.yaml", "--replications", "0"], ["--replications", "0", "from 1 to 33333"]),
        (["run", "wards.yaml", "--replications", "100000"], ["--replications", "100000", "cells"]),
        (["run", "wards.yaml", "--precision", "0"], ["--precision", "0", "above 0"]),
        (["run", "wards.yaml", "--precision", "5%"], ["--precision", "5%", "0.05"]),
        (["run", "wards.yaml", "--precision", "nan"], ["--precision", "nan", "0.05"]),
        (["run", "wards.yaml", "--engine", "fast"], ["--engine", "fast", "must be compiled or simpy"]),
        (["run", "wards.yaml", "--seed", "-1"], ["--seed", "-1"]),
        (["run", "wards.yaml", "--out", "wards.yaml"], ["wards.yaml", "--out", "is a file"]),
        (["run", "wards.yaml", "--out", "."], ["--out", "other files"]),
        (["run", "wards.yaml", "--out", ""], ["--out", "no name of a folder"]),
        (["run", "wards.yaml", "--out", "/proc/results"], ["/proc/results", "--out", "cannot be written"]),
        (["run", "wards.yaml", "--seed", "2"], ["seed", "2", "begun with 1", "another folder"]),
        (["run", "wards.yaml", "more"], ["more"]),
        (["run"], ["experiment"]),
        (["check", ""], ["no name of a file"]),
        (["check", "results"], ["results", "model.yaml", "experiment.yaml"]),
        (["check", "results/wards"], ["holds results", "flowsim compare"]),
        (["check", "clinik"], ["clinik", "did you mean 'clinic'"]),
        (["check", "nosuch.yaml"], ["nosuch.yaml", "no such file"]),
        (["compare", "croydon-beds"], ["croydon-beds", "flowsim run croydon-beds"]),
        (["compare", "nothing"], ["nothing", "flowsim run"]),
        (["compare", "wards.yaml"], ["wards.yaml", "is a file"]),
        (["compare", "wards", "--measure", "ocupancy"], ["--measure", "ocupancy", "'occupancy'"]),
        (["compare", "wards", "--by", "settin"], ["--by", "settin", "'setting'"]),
        (["compare", "wards", "--measure", "reneged_a_year", "--by", "area"], ["--by", "area", "'setting'"]),
        (["compare", "wards", "--baseline", "as is"], ["--baseline", "as is", "'as it is'"]),
        (["audit", "nothing"], ["nothing", "flowsim run"]),
        (["copy", "clinc", "new"], ["clinc", "'clinic'"]),
        (["copy", "clinic", "results"], ["results", "not empty"]),
        (["copy", "clinic", "wards.yaml"], ["wards.yaml", "is a file"]),
        (["copy", "clinic", ""], ["DIR", "no name of a folder"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_one_line_that_names_it(
    flowsim: Command, here: Path, arguments: list[str], named: list[str]
) -> None:
    before = contents(here)
    code, out, err = flowsim(*arguments)
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert all(word in err for word in named), err
    assert contents(here) == before


def test_all_faults_of_a_file_are_told_at_once_a_line_each(flowsim: Command, here: Path) -> None:
    text = (here / "wards.yaml").read_text(encoding="utf-8")
    bad = text.replace("replications: 3", "replications: -5").replace("scenarios:", "scenario:")
    (here / "bad.yaml").write_text(bad, encoding="utf-8")
    code, out, err = flowsim("check", "bad.yaml")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) >= 3
    assert all(line.startswith("bad.yaml:") for line in err.splitlines())
    assert "did you mean 'scenarios'" in err


def test_results_of_another_experiment_are_not_mixed_in(flowsim: Command, here: Path) -> None:
    other = (here / "wards.yaml").read_text(encoding="utf-8").replace("name: wards", "name: other")
    (here / "other.yaml").write_text(other, encoding="utf-8")
    before = contents(here)
    code, _, err = flowsim("run", "other.yaml", "--out", "results/wards")
    assert code == 2
    assert "'wards'" in err
    assert contents(here) == before


# ------------------------------------------------------------------ list, copy, check


def test_what_ships_is_listed_with_name_and_title(flowsim: Command) -> None:
    code, out, err = flowsim("list", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert set(found) == {"models", "experiments"}
    assert all(set(one) == {"name", "title"} and one["title"] for kind in found.values() for one in kind)
    assert "clinic" in [one["name"] for one in found["models"]]
    _, words, _ = flowsim("list")
    assert all(one["name"] in words and one["title"] in words for kind in found.values() for one in kind)


@pytest.mark.parametrize("name", ["clinic", "emergency", "croydon", "croydon-beds"])
def test_a_copy_can_be_checked_as_it_is_by_its_folder(flowsim: Command, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "King's own copy"
    code, out, _ = flowsim("copy", name, str(folder))
    assert code == 0
    assert "flowsim check" in out
    assert flowsim("check", str(folder))[0] == 0
    assert all(os.access(path, os.W_OK) for path in folder.rglob("*"))


def test_an_empty_folder_takes_a_copy(flowsim: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert flowsim("copy", "clinic", str(tmp_path / "empty"))[0] == 0


def test_a_check_says_what_a_model_is_and_what_tips_first(flowsim: Command, tmp_path: Path) -> None:
    flowsim("copy", "emergency", str(tmp_path / "copy"))
    file = tmp_path / "copy" / "model.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("525 beds", "400 beds"), encoding="utf-8")
    code, out, err = flowsim("check", str(file))
    assert (code, err) == (0, "")
    assert "87,600 patients a year" in out
    assert "4 settings, 4 units and 1 pathway" in out
    assert "Tips first: home care in 2001, offered 126% of what it can do" in out
    found = json.loads(flowsim("check", str(file), "--json")[1])
    assert found["tips"][0]["unit"] == "home care"
    load = {row["setting"]: row for row in found["load"]}
    # 240 a day, a quarter admitted for 5 days.
    assert load["ward"]["load"] == pytest.approx(240 * 0.25 * 5)
    assert load["ward"]["utilisation"] == pytest.approx(300 / 325)
    assert found["patients_a_year"] == pytest.approx(240 * 365)


def test_a_check_of_an_experiment_says_what_the_levers_do(flowsim: Command, here: Path) -> None:
    code, out, _ = flowsim("check", "wards.yaml")
    assert code == 0
    assert "3 scenarios, 9 cells" in out
    assert "as it is: nothing is changed" in out
    assert re.search(r"three beds fewer: .*ward.*3 fewer", out)


def test_work_that_a_lever_moves_is_shown_on_both_sides(flowsim: Command) -> None:
    found = json.loads(flowsim("check", "croydon-community-shift", "--json")[1])
    moved = {row["setting"]: row["change_a_year"] for row in found["moved"] if row["scenario"] == "10 of 100"}
    assert moved["medical ward"] < 0 < moved["rapid response"]
    assert "as it is" not in {row["scenario"] for row in found["moved"]}
    _, out, _ = flowsim("check", "croydon-community-shift")
    assert re.search(r"10 of 100: removed from .*medical ward .*; added to .*rapid response", out)


def test_assumptions_have_kind_and_source(flowsim: Command) -> None:
    code, out, err = flowsim("check", "clinic", "--assumptions", "--json")
    rows = json.loads(out)["assumptions"]
    assert (code, err) == (0, "")
    assert {"field", "value", "measured_in", "kind", "source"} == set(rows[0])
    assert {row["kind"] for row in rows} <= {"read", "derived", "assumed"}
    _, words, _ = flowsim("check", "clinic", "--assumptions")
    assert all(row["field"] in words for row in rows)


# ------------------------------------------------------------------ run


def test_a_run_ends_with_table_sentence_and_figures(flowsim: Command, here: Path) -> None:
    code, out, err = flowsim("run", "wards.yaml", "--workers", "1", "--quiet")
    assert (code, err) == (0, "")
    assert "all were finished before" in out
    assert "3 scenarios x 3 replications of 8 January 2001 to 6 February 2001, in results/wards" in out
    size = r"[\d.]+ percentage points \([\d.]+ to [\d.]+\)"
    assert re.search(
        rf"With few packages the hospital .* and lowers the four-hour share by {size}; it \w+.* below 60%.*\.", out
    )
    assert re.search(r"What tips, and when.*\n  few packages\n    the four-hour share by month: .* below 60%", out)
    assert "Longer at the end than at the beginning: the queue" in out
    assert re.search(r"When the run ended, \d+ patients were still in care and \d+ still waiting under 'as it is'", out)
    assert re.search(r"\d+ replications? more would halve the intervals", out)
    for name in ("csv", "svg", "png"):
        path = f"results/wards/comparison.{name}"
        assert path in out
        assert Path(path).stat().st_size > 0


def test_running_what_is_complete_changes_no_byte(flowsim: Command, here: Path) -> None:
    before = contents(here)
    assert flowsim("run", "wards.yaml", "--workers", "1")[0] == 0
    assert contents(here) == before


def test_a_run_with_json_is_one_document_with_the_comparison(flowsim: Command, here: Path) -> None:
    code, out, _ = flowsim("run", "wards.yaml", "--json", "--workers", "1")
    document = json.loads(out)
    assert code == 0
    assert document["cells_run_now"] == 0
    assert [list(one) for one in document["comparison"][:1]] == [RECORD]
    assert document["sentence"].startswith("With few packages the hospital ")
    assert all(Path(figure).is_file() for figure in document["figures"])


def test_other_words_and_measures_are_told_from_what_was_run(flowsim: Command, here: Path) -> None:
    file = Path("wards.yaml")
    words = file.read_text(encoding="utf-8").replace("With few packages the hospital", "With fewer, it")
    words = words.replace("answer:", "  cost: {measure: cost_a_year, label: the cost}\nanswer:")
    before = contents(here / "results" / "wards" / "cells")
    file.write_text(words, encoding="utf-8")
    code, out, _ = flowsim("run", "wards.yaml", "--workers", "1", "--quiet")
    assert code == 0
    assert "all were finished before" in out and "With fewer, it" in out and "the cost" in out
    assert contents(here / "results" / "wards" / "cells") == before
    assert "the cost" in flowsim("compare", "wards")[1]
    assert flowsim("audit", "wards")[0] == 0


def test_other_levers_are_refused_where_others_were_run(flowsim: Command, here: Path) -> None:
    file = Path("wards.yaml")
    file.write_text(file.read_text(encoding="utf-8").replace("set: 1,", "set: 2,"), encoding="utf-8")
    before = contents(here / "results" / "wards")
    code, out, err = flowsim("run", "wards.yaml", "--workers", "1", "--quiet")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "scenarios" in err
    assert contents(here / "results" / "wards") == before


@pytest.mark.parametrize("name", ["as_run.yaml", "model/model.yaml"])
def test_results_whose_questions_or_model_were_scribbled_on_are_not_told(
    flowsim: Command, here: Path, name: str
) -> None:
    file = here / "results" / "wards" / name
    file.write_bytes(file.read_bytes().replace(b"1", b"2", 1))
    code, out, err = flowsim("compare", "wards")
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert name in err
    assert flowsim("audit", "wards")[0] == 3


def test_a_lost_cell_is_run_again_to_the_same_bytes(flowsim: Command, here: Path) -> None:
    before = contents(here / "results" / "wards" / "cells")
    lost = sorted((here / "results" / "wards" / "cells").iterdir())[0]
    lost.unlink()
    code, out, err = flowsim("run", "wards.yaml", "--workers", "1")
    assert code == 0
    assert "finished before" not in out
    # Nobody looks at a screen here, so progress is plain lines.
    assert re.fullmatch(r".*is missing, so this cell is run again\n9 of 9 cells finished in \d+ seconds?\n", err)
    assert contents(here / "results" / "wards" / "cells") == before


def test_a_run_that_must_compile_says_so_in_one_line(
    flowsim: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowsim.engine import jit, warming

    compiled: list[object] = []

    class Missing:
        def compile(self, types: object) -> None:
            compiled.append(types)

    monkeypatch.setattr(jit.config, "DISABLE_JIT", 0)
    monkeypatch.setattr(jit, "CACHE_FOLDER", str(here))
    monkeypatch.setattr(jit, "is_ready", lambda function, types: types in compiled)
    monkeypatch.setattr(warming, "functions_of", lambda engine, is_sampled: [(Missing(), engine)])

    def said(*more: str) -> str:
        code, _, err = flowsim("run", "wards.yaml", "--quick", "--workers", "1", *more)
        assert code == 0
        return err

    assert flowsim("run", "wards.yaml", "--workers", "1")[2] == ""
    assert compiled == []  # all cells were finished before
    assert said("--out", "a").splitlines()[0] == warming.COMPILING
    assert compiled == ["compiled"]
    assert "compiling" not in said("--out", "b")
    assert said("--out", "c", "--engine", "simpy", "--quiet") == ""
    assert compiled == ["compiled", "simpy"]


def test_the_small_form_has_a_folder_of_its_own(flowsim: Command, here: Path) -> None:
    code, out, err = flowsim("run", "wards.yaml", "--quick", "--workers", "1", "--quiet")
    assert (code, err) == (0, "")
    assert "3 scenarios x 2 replications of 1 January 2001 to 2 January 2001, in results/wards-quick" in out
    assert flowsim("audit", "wards-quick")[0] == 0


def test_one_replication_says_that_it_has_no_interval(flowsim: Command, here: Path) -> None:
    arguments = ("--quick", "--replications", "1", "--out", "one", "--workers", "1", "--quiet")
    code, out, _ = flowsim("run", "wards.yaml", *arguments)
    assert code == 0
    assert "One replication has no interval" in out
    assert "nan" not in out.lower()


def test_more_replications_go_on_from_those_there_are(flowsim: Command, here: Path) -> None:
    flowsim("run", "wards.yaml", "--quick", "--replications", "1", "--workers", "1", "--quiet")
    first = contents(here / "results" / "wards-quick" / "cells")
    flowsim("run", "wards.yaml", "--quick", "--workers", "1", "--quiet")
    second = contents(here / "results" / "wards-quick" / "cells")
    assert len(second) == 6
    assert first.items() <= second.items()


# ------------------------------------------------------------------ compare, audit


def test_a_comparison_has_exactly_its_keys(flowsim: Command, here: Path) -> None:
    code, out, err = flowsim("compare", "results/wards", "--json")
    records = json.loads(out)
    assert (code, err) == (0, "")
    assert all(list(one) == RECORD for one in records)
    assert {one["replications"] for one in records} == {3}
    beds = [one for one in records if one["measure"] == "beds_in_use"]
    assert [one["scenario"] for one in beds] == ["as it is", "few packages", "three beds fewer"]
    assert beds[0]["difference"] is None
    assert beds[1]["difference"] == pytest.approx(beds[1]["mean"] - beds[1]["baseline_mean"])
    assert beds[1]["difference_low"] < beds[1]["difference"] < beds[1]["difference_high"]


def test_a_comparison_can_be_told_apart_and_turned_round(flowsim: Command, here: Path) -> None:
    def records(*more: str) -> list[dict[str, object]]:
        return json.loads(flowsim("compare", "wards", "--measure", "beds_in_use", *more, "--json")[1])

    assert {one["setting"] for one in records("--by", "setting")} == {
        "triage",
        "cubicle",
        "ward",
        "home care",
    }
    forward = next(one for one in records("--by", "all") if one["scenario"] == "few packages")
    turned = records("--by", "all", "--baseline", "few packages")
    backward = next(one for one in turned if one["scenario"] == "as it is")
    assert backward["difference"] == pytest.approx(-forward["difference"])  # type: ignore[operator]


def test_a_table_that_is_piped_is_plain_and_never_cut(flowsim: Command, here: Path) -> None:
    _, out, _ = flowsim("compare", "wards")
    assert out.isascii()
    assert "..." not in out
    assert "ward beds in use" in out
    assert "three beds fewer" in out


def test_a_whole_folder_passes_its_audit_and_a_changed_one_does_not(flowsim: Command, here: Path) -> None:
    code, out, _ = flowsim("audit", "results/wards", "--json")
    whole = json.loads(out)
    assert (code, whole["whole"], whole["lines"]) == (0, True, [])
    assert re.fullmatch("[0-9a-f]{64}", whole["fingerprint"])
    victim = sorted((here / "results" / "wards" / "cells").iterdir())[0]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    code, out, err = flowsim("audit", "results/wards", "--json")
    assert (code, err) == (3, "")
    assert victim.name in json.loads(out)["lines"][0]
    assert flowsim("audit", "results/wards")[0] == 3
    code, out, err = flowsim("compare", "results/wards")
    assert (code, out) == (3, "")
    assert victim.name in err


def test_unfinished_results_are_compared_with_a_note(flowsim: Command, here: Path) -> None:
    journal = here / "results" / "wards" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    cells = [place for place, line in enumerate(lines) if b'"kind":"cell"' in line]
    journal.write_bytes(b"".join(lines[: cells[-1]]))
    code, out, err = flowsim("compare", "wards", "--json")
    assert code == 0
    assert json.loads(out)
    assert "1 of 9 cells are not finished" in err
