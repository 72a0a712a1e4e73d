"""Loading, describing and grading workbooks by the benchmark's rule, on made cases and on the real tasks."""

import datetime
import io
import json
import shutil
from pathlib import Path

import openpyxl
import pytest
from conftest import OFFICE, shared
from hypothesis import given, settings
from hypothesis import strategies as st

from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.domains.base import Audit
from trace2skill.domains.spreadsheet import Spreadsheet, recalculate
from trace2skill.domains.spreadsheet.grade import grade_case
from trace2skill.domains.spreadsheet.ranges import Range, parse_answer_position
from trace2skill.domains.spreadsheet.values import same
from trace2skill.domains.spreadsheet.workbook import open_values
from trace2skill.types.task import Task


def book_bytes(**cells: object) -> bytes:
    book = openpyxl.Workbook()
    for name, value in cells.items():
        book.active[name].value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def golden(tmp_path: Path, **cells: object) -> Path:
    path = tmp_path / "golden.xlsx"
    path.write_bytes(book_bytes(**cells))
    return path


@pytest.mark.parametrize(
    ("expected", "got", "equal"),
    [
        (1, 1.0, True),
        (1, "1", True),
        (1.005, "1.0049", True),
        (2.344, 2.3401, True),
        (2.34, 2.35, False),
        ("1e3", 1000, True),
        ("1,000", 1000, False),
        ("$5", 5, False),
        (True, 1, True),
        (False, "0", True),
        (True, "True", False),
        (None, "", True),
        (None, 0, False),
        ("", None, True),
        ("a", "A", False),
        ("a", "a ", False),
        (" 5 ", 5, True),
        (datetime.datetime(2024, 1, 2), datetime.datetime(2024, 1, 2, 3), True),
        (datetime.datetime(2024, 1, 2), datetime.datetime(2024, 1, 2, 13), False),
        (datetime.datetime(2024, 1, 2), 45293, True),
        (datetime.datetime(2024, 1, 2), "2024-01-02", False),
        (datetime.time(9, 30, 59), "09:30", True),
        (datetime.time(9, 30), datetime.time(9, 31), False),
        ("nan", float("nan"), True),
    ],
)
def test_when_two_values_are_the_same(expected: object, got: object, equal: bool) -> None:
    assert same(expected, got) is equal


def one(sheet: str | None, columns: tuple[int, int], rows: tuple[int | None, int | None]) -> Range:
    return Range(sheet=sheet, first_column=columns[0], last_column=columns[1], first_row=rows[0], last_row=rows[1])


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("A1", [one(None, (1, 1), (1, 1))]),
        ("B3:A1", [one(None, (1, 2), (1, 3))]),
        ("'My Sheet'!$C$2:D5", [one("My Sheet", (3, 4), (2, 5))]),
        ("Sheet1!A:C", [one("Sheet1", (1, 3), (None, None))]),
        ("'b2b, sez, de'!A5:V10", [one("b2b, sez, de", (1, 22), (5, 10))]),
        ("G4:G6, G11:G13", [one(None, (7, 7), (4, 6)), one(None, (7, 7), (11, 13))]),
        ("\u00a0'Sheet1'!C2:C3", [one("Sheet1", (3, 3), (2, 3))]),
        ("'Sheet1'!BD2:308", [one("Sheet1", (56, 56), (2, 308))]),
        ("Sheet3'!A:G,'Sheet4'!A:G", [one("Sheet3", (1, 7), (None, None)), one("Sheet4", (1, 7), (None, None))]),
    ],
)
def test_answer_positions_are_read_as_a_person_would(text: str, ranges: list[Range]) -> None:
    assert list(parse_answer_position(text)) == ranges


@pytest.mark.parametrize("text", ["!", "A1:B2:C3", "12", "ZZZZ1", "A0", "nothing at all"])
def test_what_is_no_range_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="no range|outside"):
        parse_answer_position(text)


def test_every_cell_must_match_and_the_others_are_named(tmp_path: Path) -> None:
    gold = golden(tmp_path, A1="x", A2=2, A3=3)
    assert grade_case("1", gold, book_bytes(A1="x", A2="2", A3=3.001, B9="ignored"), "A1:A3").passed
    grade = grade_case("1", gold, book_bytes(A1="y", A2=2), "A1:A3")
    assert not grade.passed
    assert [(item.where, item.kind, item.expected, item.got) for item in grade.differences] == [
        ("Sheet!A1", "value", "'x'", "'y'"),
        ("Sheet!A3", "missing", "3", "(empty)"),
    ]


def test_a_formula_that_nobody_calculated_is_empty(tmp_path: Path) -> None:
    assert not grade_case("1", golden(tmp_path, A1=3), book_bytes(A1="=1+2"), "A1").passed


def test_the_sheet_must_be_there_under_its_name(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(book_bytes(A1=1)))
    book.active.title = "Other"
    out = io.BytesIO()
    book.save(out)
    assert "no sheet 'Sheet'" in grade_case("1", golden(tmp_path, A1=1), out.getvalue(), "A1").problem
    assert "gold has no sheet" in grade_case("1", golden(tmp_path, A1=1), out.getvalue(), "'Nope'!A1").problem


def test_whole_columns_reach_as_far_as_either_sheet(tmp_path: Path) -> None:
    gold = golden(tmp_path, A1=1, B1=1)
    assert grade_case("1", gold, book_bytes(A1=1, B1=1), "A:B").passed
    assert not grade_case("1", gold, book_bytes(A1=1, B1=1, A90="more"), "A:B").passed


@pytest.mark.parametrize("output", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 50, None])
def test_an_output_that_cannot_be_read_has_failed(tmp_path: Path, output: bytes | None) -> None:
    grade = grade_case("1", golden(tmp_path, A1=1), output, "A1")
    assert not grade.passed
    assert grade.problem


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    import zipfile

    raw = io.BytesIO()
    with (
        zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/workbook.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(500):
            part.write(b"\0" * 2**20)
    assert grade_case("1", golden(tmp_path, A1=1), raw.getvalue(), "A1").problem


CELL = st.one_of(
    st.none(), st.integers(-1000, 1000), st.floats(-1e6, 1e6), st.booleans(), st.text("abc 1.", max_size=5)
)


@given(st.lists(CELL, min_size=1, max_size=6), st.data())
@settings(max_examples=40, deadline=None)
def test_grading_is_reflexive_and_sees_each_cell(
    tmp_path_factory: pytest.TempPathFactory, values: list[object], data: st.DataObject
) -> None:
    cells = {f"A{row}": value for row, value in enumerate(values, 1)}
    gold = golden(tmp_path_factory.mktemp("gold"), **cells)
    position = f"A1:A{len(values)}"
    assert grade_case("1", gold, book_bytes(**cells), position).passed
    changed = data.draw(st.sampled_from(sorted(cells)))
    assert grade_case("1", gold, book_bytes(**{**cells, changed: "something else"}), position).difference_count == 1


def test_workspace_holds_inputs_and_never_gold(tmp_path: Path) -> None:
    domain = Spreadsheet("never")
    task = domain.load(OFFICE)[0]
    domain.lay_out(task, tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "input",
        "input/1.xlsx",
        "output",
    ]
    assert task.cases[0].input
    assert (tmp_path / "input" / "1.xlsx").read_bytes() == task.cases[0].input.read_bytes()
    text = domain.describe(task)
    assert task.instruction in text
    assert "golden" not in text
    assert str(OFFICE) not in text


def test_several_cases_give_a_soft_and_a_hard_score(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"id": 7, "instruction": "do", "answer_position": "A1"})
    folder = tmp_path / "spreadsheet" / "7"
    for case in (1, 2):
        (folder / f"{case}_7_input.xlsx").write_bytes(book_bytes(A1=0))
        (folder / f"{case}_7_answer.xlsx").write_bytes(book_bytes(A1=case))
    domain = Spreadsheet("never")
    (task,) = domain.load(data)
    assert task.id == "7"
    assert [case.name for case in task.cases] == ["1", "2"]
    grade = domain.grade(task, {"output/1.xlsx": book_bytes(A1=1), "output/2.xlsx": book_bytes(A1=1)})
    assert (grade.soft, grade.hard) == (0.5, 0.0)
    assert "input/2.xlsx output/2.xlsx" in domain.fix_command(task)


def dataset(tmp_path: Path, *rows: object) -> Path:
    for row in rows:
        if isinstance(row, dict) and "id" in row:
            (tmp_path / "spreadsheet" / str(row["id"])).mkdir(parents=True, exist_ok=True)
    (tmp_path / "dataset.json").write_text(json.dumps(rows))
    return tmp_path


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["text"], "row 1 is not an object"),
        ([{"id": "a", "answer_position": "A1"}], r"row 1 lacks instruction"),
        ([{"id": "a", "instruction": "x", "answer_position": "A1"}], r"row 1 \(a\).*needs an input and a gold"),
        ([{"id": "a", "instruction": "x", "answer_position": "A1", "spreadsheet_path": "../.."}], "leads out"),
        ([], "holds no task"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: list[object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Spreadsheet("never").load(dataset(tmp_path, *rows))


def test_bad_files_are_named_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no dataset\.json"):
        Spreadsheet("never").load(tmp_path)
    (tmp_path / "dataset.json").write_text('[\n {"id": 1,,}\n]')
    with pytest.raises(BadInput, match=r"dataset\.json:2: not JSON"):
        Spreadsheet("never").load(tmp_path)
    shutil.copytree(OFFICE, tmp_path / "office")
    path = tmp_path / "office" / "dataset.json"
    rows = json.loads(path.read_text())
    path.write_text(json.dumps([rows[0], rows[0]]))
    with pytest.raises(BadInput, match="rows 1 and 2 have the same id 'office-001'"):
        Spreadsheet("never").load(tmp_path / "office")
    with pytest.raises(BadInput, match="unknown domain"):
        load_domain("nosuch")


def test_without_libreoffice_always_is_refused_and_auto_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recalculate, "_soffice", lambda: None)
    recalculate._say_once.cache_clear()
    with pytest.raises(BadInput, match="libreoffice-calc"):
        Spreadsheet("always")
    assert Spreadsheet("auto").version == Spreadsheet("never").version
    Spreadsheet("auto")
    assert sum("LibreOffice is not installed" in record.message for record in caplog.records) == 1


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_with_libreoffice_formulas_are_calculated_before_grading(tmp_path: Path) -> None:
    data = dataset(tmp_path, {"id": "f", "instruction": "x", "answer_position": "A1"})
    folder = tmp_path / "spreadsheet" / "f"
    (folder / "1_f_init.xlsx").write_bytes(book_bytes(B1=2))
    (folder / "1_f_golden.xlsx").write_bytes(book_bytes(A1=3, B1=2))
    formula = {"output/1.xlsx": book_bytes(A1="=B1+1", B1=2)}
    domain = Spreadsheet("always")
    (task,) = domain.load(data)
    assert domain.grade(task, formula).hard == 1.0
    assert Spreadsheet("never").grade(task, formula).hard == 0.0
    assert domain.version != Spreadsheet("never").version


def audit(task: Task) -> Audit:
    return Spreadsheet("never").audit(task)


UNTOUCHED = ["13-1", "73-45"]
"""Real tasks that the untouched input passes already."""
DOUBTFUL = {
    "247-24": "refers to another file",
    "524-31": "nobody has calculated",
    "56786": "refers to another file",
}
"""Real tasks whose gold cannot be trusted, and why."""


@pytest.mark.parametrize(
    "step", [pytest.param(1, marks=pytest.mark.slow, id="all"), pytest.param(8, id="one in eight")]
)
def test_real_tasks_load_and_every_golden_passes_itself(step: int) -> None:
    tasks = Spreadsheet("never").load(shared("spreadsheetbench_verified"))
    assert len(tasks) == 400
    assert all(isinstance(task.id, str) and len(task.cases) == 1 for task in tasks)
    named = {*UNTOUCHED, *DOUBTFUL}
    audits = [audit(task) for number, task in enumerate(tasks) if number % step == 0 or task.id in named]
    left_out = {item.task_id: item.reason for item in audits if item.verdict == "never_passes"}
    assert left_out.keys() == DOUBTFUL.keys()
    assert all(DOUBTFUL[id] in reason for id, reason in left_out.items())
    assert [item.task_id for item in audits if item.verdict == "passes_untouched"] == UNTOUCHED


def test_real_goldens_as_files_pass_and_other_tasks_goldens_do_not() -> None:
    domain = Spreadsheet("never")
    tasks = domain.load(shared("spreadsheetbench_verified"))[:12]
    golds = [task.cases[0].gold.read_bytes() for task in tasks if task.cases[0].gold]
    for number, task in enumerate(tasks):
        assert domain.grade(task, {"output/1.xlsx": golds[number]}).hard == 1.0
        assert domain.grade(task, {"output/1.xlsx": golds[(number + 1) % 12]}).hard == 0.0


def test_gold_values_are_those_of_the_answer_range() -> None:
    domain = Spreadsheet("never")
    task = domain.load(OFFICE)[0]
    values = domain.gold_values(task, task.cases[0])
    (sheet,) = values
    assert task.cases[0].gold
    book = open_values(task.cases[0].gold)
    assert all(book[sheet][cell].value == value for cell, value in values[sheet].items())
