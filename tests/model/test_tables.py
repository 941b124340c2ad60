"""Laws of reading tables: every row as written and with its line, or refused with what would be right."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowsim.errors import Faults
from flowsim.model.reading import Provenance
from flowsim.model.tables import BYTES_LIMIT, Column, Table, read_table

POPULATION = {
    "place": Column("name"),
    "band": Column("age band"),
    "year": Column("year"),
    "people": Column("number"),
}
KEY = ("place", "band", "year")
HEADER = "place,band,year,people\n"


def read(
    folder: Path,
    content: str | bytes,
    columns: dict[str, Column] = POPULATION,
    key: tuple[str, ...] = KEY,
    **how: Any,
) -> tuple[Table | None, list[str]]:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_at(path, columns, key, **how)


def read_at(
    path: Path, columns: dict[str, Column] = POPULATION, key: tuple[str, ...] = KEY, **how: Any
) -> tuple[Table | None, list[str]]:
    faults = Faults()
    table = read_table(path, columns, faults, field="population", key=key, **how)
    lines = [str(fault).replace(str(path.parent) + "/", "") for fault in faults]
    assert (table is None) == bool(lines)
    assert all(line.isprintable() for line in lines)
    return table, lines


def row(people: str, place: str = "Barnet", band: str = "65-69", year: str = "2018") -> str:
    return f"{HEADER}{place},{band},{year},{people}\n"


REFUSED: list[tuple[str | bytes, int | None, tuple[str, ...]]] = [
    ("place,band,year\nBarnet,65-69,2018\n", 1, ("people", "missing", "'band'")),
    ("Place Name,Age band,Year,People\nBarnet,65-69,2018,1\n", 1, ("Place Name", "did you mean place?")),
    ("Place Name,Age band,Year,People\nBarnet,65-69,2018,1\n", 1, ("Age band", "did you mean band?")),
    ("Place Name,Age band,Year,People\nBarnet,65-69,2018,1\n", 1, ("People", "did you mean people?")),
    ("place,band,year,people,peple\nBarnet,65-69,2018,1,1\n", 1, ("peple", "not a column")),
    ("place,band,year,people,people\nBarnet,65-69,2018,1,1\n", 1, ("people", "two columns")),
    ("place,band,year,people,\nBarnet,65-69,2018,1,\n", 1, ("column 5", "no name")),
    ("Barnet,65-69,2018,15000\n", 1, ("Barnet", "no header", "place, band, year, people")),
    ("Population of London\nplace,band,year,people\nB,1-2,2018,3\n", 1, ("Population of London", "line 2")),
    ("Population of London\n\nplace,band,year,people\nB,1-2,2018,3\n", 2, ("title above the header",)),
    (HEADER + "Barnet,65-69,2018\n", 2, ("people", "Barnet,65-69,2018", "3 fields")),
    (HEADER + "B,1-2,2018,3\n\nC,1-2,2018,3\n", 3, ("blank line", "remove")),
    ("place;band;year;people\nBarnet;65-69;2018;15000\n", 1, ("semicolons", "commas")),
    (HEADER + '"Barnet,65-69,2018,15000\n' + "C,1-2,2018,3\n" * 500, 2, ("'\"Barnet", "quote opens")),
    (HEADER + 'King"s,65-69,2018,24\n', 2, ("King", "double")),
    (HEADER + '"Kings"s,65-69,2018,24\n', 2, ("Kings", "closing quote")),
    (HEADER + '"Barnet\nNorth",65-69,2018,15000\n', 2, ("Barnet", "no line breaks")),
    ("", None, ("is empty", "columns")),
    (HEADER, 1, ("no rows",)),
    (HEADER + "B,1-2,2018,4\nB,1-2,2018,4\n", 3, ("place, band, year", "B, 1-2, 2018", "same row", "line 2")),
    (HEADER + "B,1-2,2018,4\nB,1-2,2018,5\n", 3, ("other numbers", "line 2")),
    (HEADER + "Barnet,1-2,2018,4\nbarnet,1-2,2018,5\n", 3, ("barnet, 1-2, 2018", "line 2")),
    (HEADER + "KGH,1-2,2018,4\nКGН,1-2,2018,5\n", 3, ("place", "CYRILLIC")),
    ("place,band,year,people\r\nB,1-2,2018,4\nC,1-2,2018,4\n", 2, ("line ends",)),
    (HEADER + "B,1-2,2018,4\rC,1-2,2018,4\n", 2, ("carriage return",)),
    ("# source: ONS\n" + HEADER + "B,1-2,2018,4\n", 1, ("# source: ONS", "no comments")),
    (row('"15,000"'), 2, ("people", "'15,000'", "write 15000")),
    (row("15,000"), 2, ("15,000", "5 fields", "thousands")),
    (row("95%"), 2, ("people", "'95%'", "0.95")),
    (row("=1+1"), 2, ("people", "'=1+1'", "formula")),
    (row("1", place="@x"), 2, ("place", "'@x'", "formula")),
    (row("1", place='"=HYPERLINK(""http://x"")"'), 2, ("place", "=HYPERLINK", "formula")),
    (row("#REF!"), 2, ("people", "'#REF!'", "error of a spreadsheet")),
    (row("#N/A"), 2, ("people", "'#N/A'", "error of a spreadsheet")),
    (row("n/a"), 2, ("people", "'n/a'", "must be a number")),
    (row("NA"), 2, ("people", "'NA'", "must be a number")),
    (row("-"), 2, ("people", "'-'", "must be a number")),
    (row("*"), 2, ("people", "'*'", "suppressed")),
    (row("nan"), 2, ("people", "'nan'", "must be a number")),
    (row("inf"), 2, ("people", "'inf'", "finite")),
    (row("1_000"), 2, ("people", "'1_000'", "write 1000")),
    (row("١٢"), 2, ("people", "write 12")),
    (row("-5"), 2, ("people", "'-5'", "0 or more")),
    (row("007"), 2, ("people", "'007'", "leading zeros")),
    (row(" 15000 "), 2, ("people", "' 15000 '", "space")),
    (row(""), 2, ("people", "empty")),
    (row("1", place='"Barnet "'), 2, ("place", "'Barnet '", "space")),
    (row("1", band="Oct-14"), 2, ("band", "'Oct-14'", "spreadsheet")),
    (row("1", band="65–69"), 2, ("band", "plain hyphen")),
    (row("1", year="18"), 2, ("year", "'18'", "four digits")),
    (HEADER + "B,1-2,2018,4\nSource: ONS mid-year estimates\n", 3, ("Source: ONS", "notes below a table")),
    (HEADER.encode() + b"B,1-2,2018,4\n" * 5 + b"ward,\xa3350\n", 7, ("population", "UTF-8")),
    (HEADER.encode() + b"B,1-2,2018,15\x00000\n", 2, ("people", "\\x00")),
    (row("x" * 200_000), 2, ("people", "200000 characters")),
    (row("1" * 1999), 2, ("people", "too large")),
    ("place,band,year,people,kind\nB,1-2,2018,4,asumed\n", 2, ("kind", "'asumed'", "did you mean 'assumed'")),
]


@pytest.mark.parametrize(("content", "line", "named"), REFUSED, ids=range(len(REFUSED)))
def test_a_table_that_could_be_misread_is_refused_with_its_line_and_the_cause(
    tmp_path: Path, content: str | bytes, line: int | None, named: tuple[str, ...]
) -> None:
    _, lines = read(tmp_path, content)
    start = "t.csv: " if line is None else f"t.csv:{line}: "
    assert any(text.startswith(start) and all(word in text for word in named) for text in lines), lines


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffplace,band,year,people\r\nBarnet,65-69,2018,15000\r\n",
        HEADER + "Barnet,65-69,2018,15000",
        HEADER + "Barnet,65-69,2018,15000\n\n\n",
        '"place","band","year","people"\n"Barnet","65-69","2018","15000"\n',
        "people,year,band,place\n15000,2018,65-69,Barnet\n",
        HEADER + "Barnet,65-69,2018,15000.0\n",
    ],
)
def test_harmless_differences_of_a_file_give_the_same_table(tmp_path: Path, content: str) -> None:
    table, lines = read(tmp_path, content)
    assert table is not None, lines
    assert dict(table.columns) == {
        "place": ("Barnet",),
        "band": ("65-69",),
        "year": (2018,),
        "people": (15000,),
    }
    assert table.lines == (2,) and len(table) == 1


def test_quoted_fields_hold_commas_and_doubled_quotes(tmp_path: Path) -> None:
    table, _ = read(tmp_path, 'name\n"Barking, Havering"\n"the ""old"" ward"\n', {"name": Column("name")}, ("name",))
    assert table is not None
    assert table.columns["name"] == ("Barking, Havering", 'the "old" ward')


KINDS: list[tuple[str, str, Any]] = [
    ("number", "0.30000000000000004", 0.30000000000000004),
    ("number", "-1", None),
    ("any number", "-1.5", -1.5),
    ("whole", "24", 24),
    ("whole", "24.0", None),
    ("whole", "4000000000000000000", None),
    ("share", "0.95", 0.95),
    ("share", "95", None),
    ("date", "01/04/2018", None),
    ("date", "43191", None),
    ("latitude", "51.5", 51.5),
    ("latitude", "515.2", None),
    ("longitude", "-0.1", -0.1),
    ("longitude", "181", None),
    ("duration", "2 days", "2 days"),
    ("datetime", "2018-10-28 01:30:00.250", datetime(2018, 10, 28, 1, 30, 0, 250_000)),
    ("level", "borough", "borough"),
    ("level", "Borough", None),
    ("capacity kind", "beds", "beds"),
    ("capacity kind", "bed", None),
    ("name", "12", "12"),
    ("text", "read off a chart, 2018", None),
]


@pytest.mark.parametrize(("kind", "text", "value"), KINDS)
def test_a_cell_is_read_by_the_kind_of_its_column(tmp_path: Path, kind: Any, text: str, value: Any) -> None:
    table, _ = read(tmp_path, f"x\n{text}\n", {"x": Column(kind)}, ())
    assert (table is None) == (value is None)
    if table is not None:
        assert table.columns["x"] == (value,)


def test_optional_columns_may_be_left_out_and_blank_cells_are_none(tmp_path: Path) -> None:
    columns = {"name": Column("name"), "within": Column("name", optional=True, blank=True)}
    table, _ = read(tmp_path, "name\nA\n", columns, ("name",))
    assert table is not None and set(table.columns) == {"name"}
    table, _ = read(tmp_path, "name,within\nA,\nB,A\n", columns, ("name",))
    assert table is not None and table.columns["within"] == (None, "A")


def test_open_columns_take_any_other_name(tmp_path: Path) -> None:
    table, _ = read(tmp_path, "name,2018,2019\nA,1,2\n", {"name": Column("name")}, (), open_columns=Column("number"))
    assert table is not None and table.columns["2019"] == (2,)


def test_each_row_knows_its_source_or_has_that_of_the_table(tmp_path: Path) -> None:
    content = HEADER.strip() + ",source,kind\nA,1-2,2018,4,ONS,read\nB,1-2,2018,4,,\n"
    table, _ = read(tmp_path, content, provenance=Provenance("assumed", "me"))
    assert table is not None
    assert table.provenance == (Provenance("read", "ONS"), Provenance("assumed", "me"))
    assert "source" not in table.columns


def test_equal_rows_of_a_table_without_a_key_are_all_kept(tmp_path: Path) -> None:
    table, _ = read(tmp_path, "at\n" + "2018-10-28 01:30:00\n" * 50, {"at": Column("datetime")}, ())
    assert table is not None and len(table) == 50


def test_many_faults_of_one_column_are_shown_and_then_counted(tmp_path: Path) -> None:
    _, lines = read(tmp_path, HEADER + "B,1-2,2018,x\n" * 1000)
    assert len(lines) == 21
    assert lines[-1].startswith("t.csv:1001: people: and 980 more")


@pytest.mark.parametrize("what", ["fifo", "device", "folder", "large", "long"])
def test_what_would_wait_or_fill_the_memory_is_refused_unread(tmp_path: Path, what: str) -> None:
    path = tmp_path / "t.csv"
    if what == "fifo":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "folder":
        path.mkdir()
    elif what == "large":
        with path.open("wb") as file:
            file.truncate(BYTES_LIMIT + 1)
    else:
        path.write_bytes(b"a\n" * 2_000_002)
    _, lines = read_at(path)
    assert len(lines) == 1 and lines[0].startswith("t.csv: population: ")


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=20))
def test_numbers_come_through_a_table_bit_for_bit(tmp_path_factory: Any, numbers: list[float]) -> None:
    numbers = [number or 0.0 for number in numbers]
    folder = tmp_path_factory.mktemp("numbers")
    table, lines = read(folder, "x\n" + "".join(f"{number!r}\n" for number in numbers), {"x": Column("number")}, ())
    assert table is not None, lines
    assert list(table.columns["x"]) == numbers


CELLS = st.lists(st.text('ab,;"\n\r\t =+@#*%0123456789.-é\u00a0\u200b', max_size=12), max_size=6)


@settings(max_examples=200)
@given(
    st.sampled_from(["", HEADER, "\ufeff" + HEADER, "place;band\n"]),
    CELLS.map(",".join) | st.binary(max_size=40),
)
def test_any_content_is_a_table_or_faults_never_a_traceback(
    tmp_path_factory: Any, header: str, body: str | bytes
) -> None:
    read(tmp_path_factory.mktemp("any"), header.encode() + (body if isinstance(body, bytes) else body.encode()))


def workbook(folder: Path, rows: list[list[Any]], sheets: tuple[str, ...] = ("Population",)) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(cells)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


NAMES = ["place", "band", "year", "people"]


def test_a_sheet_gives_the_same_table_as_the_csv_of_it(tmp_path: Path) -> None:
    path = workbook(tmp_path, [NAMES, ["Barnet", "65-69", 2018, 15000.5], ["Bexley", "90+", 2018.0, 12]], ("A", "B"))
    from_sheet, lines = read_at(path.with_name("t.xlsx#B"))
    from_csv, _ = read(tmp_path, HEADER + "Barnet,65-69,2018,15000.5\nBexley,90+,2018,12\n")
    assert from_sheet is not None and from_csv is not None, lines
    assert (from_sheet.columns, from_sheet.lines) == (from_csv.columns, from_csv.lines)


@pytest.mark.parametrize(
    ("cells", "line", "named"),
    [
        ([datetime(2018, 10, 14), "65-69", 2018, 1], None, ""),
        (["Barnet", datetime(2018, 10, 14), 2018, 1], 2, "spreadsheet has turned it into a date"),
        (["Barnet", "65-69", 2018, "=1+1"], 2, "no value for this formula"),
        (["Barnet", "65-69", 2018, "#REF!"], 2, "error of a spreadsheet"),
        (["Barnet", "65-69", 2018, True], 2, "true or false"),
        (["Barnet", "65-69", 2018, None], 2, "empty"),
        (["Barnet", "65-69", 2018, "15,000"], 2, "write 15000"),
        (["Barnet", "65-69", 2018, 1, 7], 2, "5 fields"),
    ],
)
def test_cells_of_a_workbook_obey_the_rules_of_csv(
    tmp_path: Path, cells: list[Any], line: int | None, named: str
) -> None:
    table, lines = read_at(workbook(tmp_path, [NAMES, cells]))
    if line is None:
        assert table is not None and table.columns["place"] == ("2018-10-14",)
        return
    assert any(f"t.xlsx:{line}: " in text and named in text for text in lines), lines


def test_a_sheet_is_found_by_its_name_only(tmp_path: Path) -> None:
    path = workbook(tmp_path, [NAMES, ["Barnet", "65-69", 2018, 1]], ("Population", "Notes"))
    assert "did you mean 'Population'" in read_at(path.with_name("t.xlsx#Populaton"))[1][0]
    assert "2 sheets" in read_at(path)[1][0]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"place,band\n", b"\xd0\xcf\x11\xe0" * 100])
def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.xlsx").write_bytes(data)
    assert "not a workbook" in read_at(tmp_path / "t.xlsx")[1][0]


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, [NAMES, ["Barnet", "65-69", 2018, 1]])
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        read_at(path)
