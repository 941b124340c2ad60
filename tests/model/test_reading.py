"""Laws of reading YAML: taken as written with its lines, or refused, saying what would be right."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from flowsim.errors import Faults
from flowsim.model.files import read_bytes, resolve_inside
from flowsim.model.reading import (
    BYTES_LIMIT,
    DEPTH_LIMIT,
    Provenance,
    Tree,
    field_name,
    parse_yaml,
    read_yaml,
)


def read(text: str) -> Tree:
    faults = Faults()
    tree = parse_yaml(text, "m.yaml", faults)
    faults.raise_if_any()
    assert tree is not None
    return tree


def faults_of(text: str) -> list[str]:
    faults = Faults()
    parse_yaml(text, "m.yaml", faults)
    lines = [str(fault) for fault in faults]
    assert all(line.isprintable() for line in lines)
    return lines


REFUSED = [
    # what stands in the file; line; what the message must name
    ("beds: 08", 1, "beds", "'08'", "write 8"),
    ("beds: 0o10", 1, "beds", "'0o10'", "decimal"),
    ("beds: 0x1f", 1, "beds", "'0x1f'", "decimal"),
    ("beds:", 1, "beds", "no value"),
    ("beds: null", 1, "beds", "'null'", "no value"),
    ("beds: ~", 1, "beds", "'~'", "no value"),
    ("hour_shares: [0.2, , 0.8]", 1, "empty", "commas"),
    ("mean_days: NaN", 1, "mean_days", "'NaN'", "finite"),
    ("a: 1\nmean_days: .nan", 2, "mean_days", "'.nan'", "finite"),
    ("longest_wait_hours: .inf", 1, "'.inf'", "leave the key out"),
    ("longest_wait_hours: -Infinity", 1, "'-Infinity'", "finite"),
    ("per_day: 1e309", 1, "per_day", "'1e309'", "too large"),
    ("per_day: 1e-400", 1, "per_day", "'1e-400'", "write 0"),
    ("population: 1,000", 1, "population", "'1,000'", "write 1000"),
    ("population: [1,000, 1,100, 1,250]", 1, "population item 2", "'000'", "thousands have no comma"),
    ("staffed_share: 0,95", 1, "'0,95'", "write 0.95"),
    ("probability: 5%", 1, "'5%'", "write 0.05"),
    ("population: 1\u00a0000", 1, "population", "1\\xa0000", "NO-BREAK SPACE"),
    ("beds:\u00a05", 1, "beds:\\xa05", "NO-BREAK SPACE"),
    ("beds: ２４", 1, "beds", "'２４'", "write 24"),
    ("beds: 1_000", 1, "'1_000'", "write 1000"),
    ("code: 00123", 1, "code", "'00123'", "quote it"),
    ("name: &Barking Riverside", 1, "name", "'Riverside'", "Barking", "quote"),
    ("- name: Ward #1\n- name: Ward #2", 2, "item 2", "'Ward'", "line 1", "quote names"),
    ("units:\n  2018-04-01: {beds: 24}", 2, "units.2018-04-01", "quote it"),
    ("true: 24", 1, "true", "quote it"),
    ("1: a\n1.0: b", 2, "1.0", "quote it"),
    ("~: a", 1, "~", "quote it"),
    (": a", 1, "key", "empty"),
    ("? [ward, icu]\n: 24", 1, "key must be text"),
    ("? {a: 1}\n: 24", 1, "key must be text"),
    ("name: Ward: Medical", 1, "Ward: Medical", "quote"),
    ("shifts: {mon:8, tue:8}", 1, "shifts.mon:8", "space must follow each colon"),
    ("units:\n  ward:\n  icu:", 2, "units.ward", "no value"),
    ("shares: {north, south}", 1, "shares.north", "no value"),
    ("beds: 24\nbeds: 20", 2, "beds", "line 1", "remove"),
    ('beds: 24\n"beds": 20', 2, "beds", "line 1"),
    ("units: &u [*u]", 1, "anchor", "remove"),
    ("a: &s {mean_days: 4}\nb: *s", 2, "*s", "alias", "write the value"),
    ("<<: {a: 1}", 1, "merge"),
    ('beds: !!python/object/apply:os.system ["id"]', 1, "beds", "python/object/apply:os.system", "tag"),
    ("beds: !staffed 24", 1, "beds", "!staffed", "remove"),
    ('beds: !!int "24"', 1, "beds", "!!int"),
    ("units: !!set {ward, icu}", 1, "units", "!!set"),
    ("%YAML 1.1\n---\nbeds: 010", 1, "%YAML 1.1", "remove"),
    ("%YAML 1.3\n---\nname: a", 1, "%YAML 1.3", "remove"),
    ("# a\n%TAG ! tag:x,2000:\n---\nname: a", 2, "%TAG", "remove"),
    ("ward:\n\tbeds: 24", 2, "tab", "spaces"),
    ("beds:\t24", 1, "tab", "spaces"),
    ("a: 1\nb: x\ty", 2, "b", "tab", "spaces"),
    ('a: 1\nname: "ward\nbeds: 24\n' + "c: 1\n" * 50, 2, "quote opens on this line"),
    ('a: 1\nname: "ward\nbeds: 24\nother: "x"', 2, "closes only on line 4"),
    ("a: 1\nshares: [0.5, 0.5\n" + "c: 1\n" * 50, 2, "[ opens on this line"),
    ("shares: {a: 0.5, b: 0.5", 1, "{ opens on this line"),
    ('population: "tables\\population.csv"', 1, "tables\\population.csv", "write / between folders"),
    ('population: "data\\tables.csv"', 1, "data\\tables.csv", "write / between folders"),
    ("- units\n- pathways", 1, "top level is a list", "name: clinic"),
    ("name:clinic", 1, "'name:clinic'", "space"),
    ("a" * 2000 + ": {beds: 24}", 1, "1,000 characters"),
    ("a: 1\n---\nb: 2", 2, "second document"),
    ("a: 1\n...\n---\n", 3, "second document"),
    ('name: "ward\\u0000"', 1, "name", "\\x00", "remove"),
    ('name: "ward\\ud800"', 1, "name", "\\ud800", "remove"),
    ('name: "\\U00110000"', 1, "cannot be read"),
    ("a: 1\nbeds\u200b: 24", 2, "beds\\u200b", "ZERO WIDTH SPACE"),
    ('name: "ward\u202e5"', 1, "name", "\\u202e", "RIGHT-TO-LEFT OVERRIDE"),
    ('name: "\\e[31mward"', 1, "name", "\\x1b"),
    ("a: 1\nb: x\x00y", 2, "\\x00", "remove"),
    ("a: 1\nb: x\u2028y", 2, "\\u2028", "remove"),
    ("a: 1\nb: x\ry: 2\n", 2, "carriage return"),
    ("mean_days: -0.0", 1, "mean_days", "'-0.0'", "without a minus"),
    ("priority: 100000000000000000000", 1, "priority", "too large"),
    ("name: @ward", 1, "@", "quote it"),
    ("a: 1\n b: 2", 2, "indented"),
    ("units:\n  a: 1\n  Ward #1: {beds: 1}", 3, "comment", "quote"),
    ("pool: [Ward #1, Ward #2]\na: 1", 1, "[ opens"),
    ("a: " + "[" * 5000, 1, "nested"),
    ("a: 1\nb: {kind: guessed, x: 1}", 2, "b.kind", "'guessed'", "read, derived or assumed"),
    ("b: {kind: asumed, x: 1}", 1, "did you mean 'assumed'"),
    ("b: {source: 2018, x: 1}", 1, "b.source", "2018", "text"),
]


@pytest.mark.parametrize(
    ("text", "line", "named"), [(t, n, w) for t, n, *w in REFUSED], ids=[str(r[0])[:30] for r in REFUSED]
)
def test_what_two_readers_could_take_for_two_things_is_refused(text: str, line: int, named: list[str]) -> None:
    found = [fault for fault in faults_of(text) if fault.startswith(f"m.yaml:{line}: ")]
    assert any(all(word in fault for word in named) for fault in found), faults_of(text)


@pytest.mark.parametrize("text", ["", "\n\n", "# to be written\n", "---\n...\n"])
def test_a_file_without_a_value_is_refused_as_empty(text: str) -> None:
    (fault,) = faults_of(text)
    assert "is empty" in fault


def test_all_faults_of_a_file_are_told_at_once_in_order_of_line() -> None:
    lines = faults_of("a: 1,000\nb:\nc: 5%\na: 2\nd: &x 1\ne: .inf\n")
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("24", 24),
        ("-4", -4),
        ("+5", 5),
        (".5", 0.5),
        ("0.142857142857", 0.142857142857),
        ("1e3", 1000.0),
        ("1.10", 1.1),
        ("0", 0),
        ("0.0", 0.0),
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("None", "None"),
        ("2018-04-01", "2018-04-01"),
        ("08:30", "08:30"),
        ("8:30", "8:30"),
        ("2018/19", "2018/19"),
        ("65+", "65+"),
        ("10-14", "10-14"),
        ("7d", "7d"),
        ('"24"', "24"),
        ("'5%'", "5%"),
        ("|\n  24", "24"),
        ("King’s", "King’s"),
        ("Barking & Dagenham", "Barking & Dagenham"),
        ("ward 🏥", "ward 🏥"),
        ("a#b", "a#b"),
        ("24  # staffed, 2018", 24),
        ('"10\u00a0beds"', "10\u00a0beds"),
        ("9223372036854775807", 2**63 - 1),
        ('"a\\nb"', "a\nb"),
        ("[1, 2]", [1, 2]),
        ("{b: 1}", {"b": 1}),
        ("{}", {}),
        ("[]", []),
        ("class", "class"),
        ("03/04/2019", "03/04/2019"),
        ("0.30000000000000004", 0.30000000000000004),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says_and_dates_stay_text(text: str, value: Any) -> None:
    found = read(f"a: {text}").data["a"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    [
        "a: {beds: 24, name: x}",
        "a:\n  beds: 24\n  name: x",
        "---\na:\n  beds: 24\n  name: x\n...\n",
        "a:\r\n  beds: 24\r\n  name: x\r\n",
        "# c\na: # c\n  # c\n  beds: 24 # c\n  name: x",
        "a:\n    'beds': 24\n    name: \"x\"\n",
        "a: {name: x, beds: 24}",
    ],
)
def test_the_same_content_in_any_style_is_the_same_data(text: str) -> None:
    assert read(text).data == {"a": {"beds": 24, "name": "x"}}


PLAIN = st.recursive(
    st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x or 0.0)
    | st.text("abc déЖ’🏥:#&*-,%0123\"'\\", max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc é#:", min_size=1), inner, max_size=4),
    max_leaves=12,
)


def _written(value: Any) -> str:
    """A value in flow style, text in double quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(item)}" for key, item in value.items()) + "}"
    return repr(value)


@given(PLAIN)
def test_what_is_written_plainly_is_read_back_unchanged(value: Any) -> None:
    assert read(f"a: {_written(value)}").data == {"a": value}


@settings(max_examples=300)
@given(st.text(max_size=60) | st.text(" \n\t:-#&*!|>'\"%@`{}[],?ab10.e~\\\u00a0\u200b\r", max_size=40))
@example("a: \x85")
@example("\ufeff\ufeffa: 1")
@example("a: !<x> 1")
@example("? ? ?")
@example("%YAML 99999999999999999999.1\n---\na: 1")
def test_any_text_is_a_tree_or_faults_never_a_traceback(text: str) -> None:
    faults = Faults()
    tree = parse_yaml(text, "m.yaml", faults)
    assert tree is not None or len(faults)
    assert all(str(fault).isprintable() for fault in faults)


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_tree_or_faults_never_a_traceback(tmp_path_factory: Any, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "m.yaml"
    path.write_bytes(data)
    faults = Faults()
    assert read_yaml(path, faults) is not None or len(faults)


MODEL = """\
name: clinic
source: the lead
settings:
  ward: {capacity: 10 beds, kind: assumed}
  home care:
    source: council return
    kind: read
    capacity: 5 beds
    stay:
      value: 4 days
      kind: derived
      note: rounded
    weights: {value: [1, 2], source: survey}
steps:
  - a
  - {b: 1}
"""


def test_every_key_and_item_knows_its_line() -> None:
    tree = read(MODEL)
    assert tree.line(("name",)) == 1
    assert tree.line(("settings", "ward", "capacity")) == 4
    assert tree.line(("settings", "home care")) == 5
    assert tree.line(("settings", "home care", "stay")) == 10
    assert tree.line(("steps", 1, "b")) == 16
    assert tree.line(("steps", 1, "absent", "deeper")) == 16
    assert tree.line(("absent",)) == 1


def test_sources_and_kinds_are_taken_out_and_the_innermost_holds() -> None:
    tree = read(MODEL)
    assert tree.data["settings"] == {
        "ward": {"capacity": "10 beds"},
        "home care": {"capacity": "5 beds", "stay": "4 days", "weights": [1, 2]},
    }
    assert tree.provenance_of(("name",)) == Provenance(None, "the lead")
    assert tree.provenance_of(("settings", "ward", "capacity")) == Provenance("assumed", "the lead")
    assert tree.provenance_of(("settings", "home care", "capacity")) == Provenance("read", "council return")
    assert tree.provenance_of(("settings", "home care", "stay")) == Provenance("derived", "council return", "rounded")
    assert tree.provenance_of(("settings", "home care", "weights", 1)) == Provenance("read", "survey")


def test_a_mapping_with_other_keys_beside_value_stays_a_mapping() -> None:
    assert read("a: {value: 3, from: x}").data == {"a": {"value": 3, "from": "x"}}
    assert read("a: {value: {value: 3, kind: read}, note: x}").data == {"a": 3}


def test_a_refused_value_is_known_as_refused_and_the_rest_is_kept() -> None:
    faults = Faults()
    tree = parse_yaml("a: 1,000\nb: {c: 5%, d: 2}\n&x e: 1", "m.yaml", faults)
    assert tree is not None
    assert len(faults) == 3
    assert [tree.is_refused(p) for p in (("a",), ("b", "c"), ("b", "d"), ("e",))] == [True, True, False, True]
    assert tree.data["b"]["d"] == 2


def test_a_path_in_words_counts_items_from_one() -> None:
    assert field_name(("settings", "ward", "weights", 0)) == "settings.ward.weights item 1"
    assert field_name(("steps", 1, "b")) == "steps item 2.b"


def test_a_utf_8_mark_at_the_start_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: clinic")
    faults = Faults()
    tree = read_yaml(path, faults)
    assert tree is not None and tree.data == {"name": "clinic"} and not len(faults)


@pytest.mark.parametrize(
    ("data", "line", "named"),
    [
        (b"a: 1\n# \xa3 of 2016\n", ":2:", "save the file as UTF-8"),
        ("name: a".encode("utf-16"), ":", "UTF-16"),
        ("name: a".encode("utf-16-le"), ":", "UTF-16"),
        (b'name: "wa\x00rd"', ":1:", "\\x00"),
        (b"%PDF-1.4\n\xe2\xe3\xcf\xd3\n", ":", "PDF"),
        (b"PK\x03\x04", ":", "workbook"),
        (b"a: 1\n" * (BYTES_LIMIT // 5 + 1), ":", "too large"),
    ],
)
def test_a_file_that_is_no_utf_8_text_is_refused_without_its_bytes(
    tmp_path: Path, data: bytes, line: str, named: str
) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(data)
    faults = Faults()
    assert read_yaml(path, faults) is None
    text = str(next(iter(faults)))
    assert text.startswith(f"{path}{line}") and named in text and text.isprintable()


def _make(path: Path, what: str) -> None:
    if what == "fifo":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "out":
        path.symlink_to("/etc/passwd")
    elif what == "loop":
        path.symlink_to(path.name)


@pytest.mark.parametrize("what", ["fifo", "folder", "device", "out", "loop", "missing"])
def test_only_regular_files_inside_their_folder_are_opened(tmp_path: Path, what: str) -> None:
    path = tmp_path / "m.yaml"
    _make(path, what)
    faults = Faults()
    assert read_yaml(path, faults) is None
    assert len(faults) == 1
    if what != "missing":
        with pytest.raises(ValueError):
            resolve_inside(tmp_path, "m.yaml")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("populaton.csv", "did you mean 'population.csv'"),
        ("/etc/passwd", "relative"),
        ("../x.csv", "without .."),
        ("https://example.org/p.csv", "from the web"),
        ("C:/x.csv", "relative"),
        ("a\\b.csv", "write /"),
        ("~/x.csv", "relative"),
        ("data\tables.csv", "write / between"),
        ("", "name of a file"),
        (5, "name of a file"),
        ("no/such/folder.csv", "no such file in"),
        ("x" * 5000, "cannot be found"),
        ("a\x00b", "can be seen"),
    ],
)
def test_a_path_leads_to_a_file_inside_the_folder_or_is_refused(tmp_path: Path, text: object, right: str) -> None:
    (tmp_path / "population.csv").write_text("a\n")
    with pytest.raises(ValueError) as caught:
        resolve_inside(tmp_path, text)
    assert right in str(caught.value)


def test_a_path_inside_is_found_beside_the_model_wherever_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "p.csv").write_text("a\n")
    monkeypatch.chdir("/")
    assert resolve_inside(tmp_path, "./tables/p.csv") == tmp_path / "tables" / "p.csv"
    assert read_bytes(tmp_path / "tables" / "p.csv", 10) == b"a\n"


def test_a_tree_as_deep_as_allowed_is_read_and_one_deeper_refused() -> None:
    deep = DEPTH_LIMIT - 1
    assert read("a: " + "[" * deep + "]" * deep)
    assert "nested" in faults_of("a: " + "[" * (deep + 1) + "]" * (deep + 1))[0]
