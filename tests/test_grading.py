"""What a grader makes of gold that is doubtful, of outputs that are wrong, and of outputs made to harm it."""

import io
import json
import os
import re
import resource
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font

from trace2skill.analysts.feedback import COMPARISONS, REFUSALS_EXPLAINED, Evaluating, in_words
from trace2skill.core.errors import InfrastructureFault
from trace2skill.domains.base import CaseGrade, Grade
from trace2skill.domains.spreadsheet import Spreadsheet, reading, recalculate
from trace2skill.domains.spreadsheet.grade import grade_case
from trace2skill.domains.spreadsheet.ranges import parse_answer_position
from trace2skill.sandbox.bubblewrap import works
from trace2skill.types.task import Task

SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def book(sheet: str = "Sheet", **cells: object) -> bytes:
    made = openpyxl.Workbook()
    made.worksheets[0].title = sheet
    for name, value in cells.items():
        made.worksheets[0][name].value = value
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def parts(raw: bytes, **changed: bytes) -> bytes:
    """The workbook with parts of other content: `sheet`, `strings`, `styles`, or anything by its name."""
    names = {"sheet": SHEET, "strings": "xl/sharedStrings.xml", "styles": "xl/styles.xml"}
    wanted = {names.get(name, name): content for name, content in changed.items()}
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            if name not in wanted:
                new.writestr(name, old.read(name))
        for name, content in wanted.items():
            new.writestr(name, content)
    return out.getvalue()


def stored(raw: bytes, cell: str, element: str) -> bytes:
    """The workbook with that result stored beside a formula, as Excel stores it."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        text = archive.read(SHEET).decode()
    found = re.sub(rf'<c r="{cell}"([^>]*)>(<f>.*?</f>)<v ?/?>(</v>)?', lambda m: element.format(m[2]), text)
    assert found != text
    return parts(raw, sheet=found.encode())


def task_of(folder: Path, gold: bytes, position: str = "A1", given: bytes | None = None) -> tuple[Spreadsheet, Task]:
    """A data set of one task."""
    (folder / "spreadsheet" / "t").mkdir(parents=True)
    (folder / "spreadsheet/t/1_t_init.xlsx").write_bytes(given or book())
    (folder / "spreadsheet/t/1_t_golden.xlsx").write_bytes(gold)
    row = {"id": "t", "instruction": "Fill it.", "answer_position": position}
    (folder / "dataset.json").write_text(json.dumps([row]))
    domain = Spreadsheet("never")
    return domain, domain.load(folder)[0]


# Gold


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        (book(A1="=1+2"), "nobody has calculated: Sheet!A1"),
        (stored(book(A1="=1+2"), "A1", '<c r="A1">{}<v>3</v>'), ""),
        (stored(book(A1='=""'), "A1", '<c r="A1" t="str">{}<v></v>'), "passes"),
        (book(A1="#REF!"), "an error value: Sheet!A1"),
        (stored(book(A1="=B9/0"), "A1", '<c r="A1" t="e">{}<v>#DIV/0!</v>'), "an error value: Sheet!A1"),
        (book(A1="#N/A"), ""),
        (stored(book(A1="=[1]Other!A1"), "A1", '<c r="A1">{}<v>3</v>'), "another file, which is not there: Sheet!A1"),
        (stored(book(A1="=SUM(Table1[Price])"), "A1", '<c r="A1">{}<v>3</v>'), ""),
        (book(A1=3, B1="=1+2"), ""),
        (b"PK no workbook", "gold cannot be read"),
    ],
)
def test_doubtful_gold_is_left_out_with_the_reason(gold: bytes, said: str, tmp_path: Path) -> None:
    domain, task = task_of(tmp_path, gold)
    found = domain.audit(task)
    assert said in found.reason
    assert found.verdict == ("usable" if not said else "passes_untouched" if said == "passes" else "never_passes")


def styled(*places: str, merged: str = "", **cells: object) -> bytes:
    made = openpyxl.load_workbook(io.BytesIO(book(**cells)))
    for place in places:
        made.worksheets[0][place].font = Font(bold=True)
    if merged:
        made.worksheets[0].merge_cells(merged)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize("position", ["A:C", "A1:C1048576", "1:1048576", "A:XFD", "Sheet!A1:C3"])
@pytest.mark.parametrize(
    "inflated",
    [styled("A1048576", A1=1, C2="x"), styled("XFD1", A1=1, C2="x"), styled(merged="A5:C90", A1=1, C2="x")],
    ids=["last row", "last column", "merged"],
)
def test_cells_that_exist_are_compared(position: str, inflated: bytes) -> None:
    plain = book(A1=1, C2="x")
    began = time.process_time()
    assert grade_case("1", plain, inflated, position).passed
    assert grade_case("1", inflated, plain, position).passed
    assert not grade_case("1", inflated, book(A1=1, C2="y"), position).passed
    assert not grade_case("1", inflated, book(A1=1, C2="x", C3="more"), position).passed
    assert time.process_time() - began < 2


def test_a_merged_cell_has_the_value_of_its_range_alone() -> None:
    hidden = parts(
        book(A1=1, A2=2),
        sheet=sheet_of('<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>', "A1:A2"),
    )
    assert grade_case("1", book(A1=1), hidden, "A1:A9").passed


def test_merged_ranges_may_lie_over_each_other() -> None:
    """As openpyxl has it: what is the first of one range and within another has no value."""
    row = "".join(f'<c r="{column}1"><v>{number}</v></c>' for number, column in enumerate("ABCDE", start=1))
    over = parts(book(), sheet=sheet_of(f'<row r="1">{row}</row>', "A1:B1", "A1:B1", "B1:C2000", "D1:D1", "E1"))
    assert grade_case("1", book(A1=1, D1=4, E1=5), over, "A1:F9").passed


def test_gold_that_nobody_calculated_passes_nothing_and_says_so(tmp_path: Path) -> None:
    """A command that audits nothing, such as `rollout`, meets it, too."""
    domain, task = task_of(tmp_path, book(A1="=1+2"))
    for left in (book(), book(A1=3)):
        assert "cannot be graded: nobody has calculated" in domain.grade(task, {"output/1.xlsx": left}).reason


# What is said of differences


def kinds(gold: bytes, output: bytes, position: str = "A1:A3") -> list[tuple[str, str]]:
    return [(item.where, item.kind) for item in grade_case("1", gold, output, position).differences]


@pytest.mark.parametrize(
    ("gold", "output", "kind"),
    [
        (1, 2, "value"),
        (1, "1,00 EUR", "type: text where a number belongs"),
        ("x", 1, "type: a number where text belongs"),
        (1, None, "missing"),
        (None, 1, "extra"),
        (1, "=B1", "formula without a stored result"),
        (1, "#NAME?", "error value"),
    ],
)
def test_a_difference_has_a_kind_and_shows_what_stands_there(gold: object, output: object, kind: str) -> None:
    assert kinds(book(A2=gold), book(A2=output)) == [("Sheet!A2", kind)]


def test_what_stands_on_another_sheet_is_said_to_stand_there() -> None:
    output = openpyxl.load_workbook(io.BytesIO(book()))
    output.create_sheet("Draft")["A1"] = 7
    out = io.BytesIO()
    output.save(out)
    assert kinds(book(A1=7), out.getvalue()) == [("Sheet!A1", "wrong sheet: it stands on 'Draft'")]
    broken = parts(out.getvalue(), **{"xl/worksheets/sheet2.xml": sheet_of("<row><c><v>7</v></c></row>", "none")})
    assert kinds(book(A1=7), broken) == [("Sheet!A1", "missing")], "nobody asked for that sheet"


def test_nothing_that_is_expected_is_said(tmp_path: Path) -> None:
    domain, task = task_of(tmp_path, book(A1=123456, A2="a secret"), "A1:A2")
    left = {"output/1.xlsx": book(A1="=B1+1", A2="wrong")}
    grade = domain.grade(task, left)
    said = Evaluating(domain, task, left, lambda: left)({}).text
    for text in (said, grade.reason, in_words(grade), in_words(grade, refused=1)):
        assert "123456" not in text
        assert "a secret" not in text
    assert "Sheet!A1: formula without a stored result; there stands =B1+1; whether it would be right" in said
    assert "Sheet!A2: value; there stands 'wrong'" in said
    assert "Sheet!A2" in in_words(grade, refused=REFUSALS_EXPLAINED)
    assert "Sheet!A2" not in in_words(grade, refused=REFUSALS_EXPLAINED + 1)
    assert "2 places differ" in in_words(grade, refused=REFUSALS_EXPLAINED + 1)


def test_few_questions_are_answered_and_one_of_a_place(tmp_path: Path) -> None:
    cells = {f"A{row}": row * 1000 for row in range(1, 10)}
    domain, task = task_of(tmp_path, book(**cells), "A1:A9")
    left, now = {"output/1.xlsx": book()}, {"output/1.xlsx": book()}
    evaluate = Evaluating(domain, task, left, lambda: now)

    def asked(**arguments: str) -> str:
        return evaluate(arguments).text

    assert "differ" in asked()
    assert "no place" in asked(place="Sheet!Z9", value="1")
    assert "Give both" in asked(place="Sheet!A1")
    assert "A1: yes" in asked(place="Sheet!A1", value="1000")
    assert "only one is" in asked(place="'Sheet'!$A$1", value="2000")
    assert "A2: no" in asked(place="A2", value="1")
    now["output/1.xlsx"] = book(A1=1000)
    assert "not right yet. 2 questions are left" in asked()
    now["output/1.xlsx"] = book(**cells)
    assert "it is all right" in asked()
    assert "A3: yes. No questions" in asked(place="A3", value="3000.00")
    assert COMPARISONS == 5
    assert "no more" in asked()
    assert "no more" in asked(place="A4", value="4000")


# Outputs made to harm


def sheet_of(rows: str, *merged: str) -> bytes:
    ranges = "".join(f'<mergeCell ref="{item}"/>' for item in merged)
    return f"<worksheet {NAMESPACE}><sheetData>{rows}</sheetData><mergeCells>{ranges}</mergeCells></worksheet>".encode()


def lying() -> bytes:
    """Its directory says that a sheet of a few bytes has 3 GiB."""
    raw = bytearray(parts(book(A1=2), sheet=sheet_of("")))
    name = SHEET.encode()
    at = raw.rindex(name) - 46  # the entry in the central directory
    raw[at + 24 : at + 28] = (3 * 2**30).to_bytes(4, "little")
    return bytes(raw)


def crowded() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(A1=2))) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        for number in range(3000):
            new.writestr(f"x/{number}", b"")
    return out.getvalue()


def strings(text: str) -> dict[str, bytes]:
    return {"strings": text.encode(), "sheet": sheet_of('<row r="1"><c r="A1" t="s"><v>0</v></c></row>')}


LAUGHS = '<!DOCTYPE a [<!ENTITY a "lol">{}]><sst {}><si><t>&z9;</t></si></sst>'.format(
    "".join(f'<!ENTITY z{n} "{("&z" + str(n - 1) + ";" if n else "&a;") * 10}">' for n in range(10)), NAMESPACE
)
ENTITY = f'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><sst {NAMESPACE}><si><t>&a;</t></si></sst>'
FILLED = book(A1="text")
HOSTILE: dict[str, Callable[[], bytes]] = {
    "merged whole sheet": lambda: parts(book(), sheet=sheet_of("", "A1:XFD1048576")),
    "merged a thousand times": lambda: parts(book(), sheet=sheet_of("", *["A1:XFD1048576"] * 1000)),
    "merged in every row": lambda: parts(book(), sheet=sheet_of("", *["A1:XFD1000"] * 4000)),
    "more cells than memory": lambda: parts(book(), sheet=sheet_of(f'<row r="1">{"<c/>" * 2_000_000}</row>')),
    "more cells than time": lambda: parts(book(), sheet=sheet_of('<row><c t="b"><v>1</v></c></row>' * 300_000)),
    "merged backwards, which pays for more": lambda: parts(
        book(), sheet=sheet_of("", *["A1048576:A1"] * 60, *["A1:A1000"] * 60_000)
    ),
    "merged over each other": lambda: parts(
        book(), sheet=sheet_of(f'<row r="1">{"<c><v>1</v></c>" * 4000}</row>', *["A1"] * 100_000)
    ),
    "a size that is a lie": lying,
    "three thousand files": crowded,
    "nested deep": lambda: parts(book(), sheet=sheet_of("<a>" * 40_000 + "</a>" * 40_000)),
    "entities in entities": lambda: parts(FILLED, **strings(LAUGHS)),
    "an entity of the host": lambda: parts(FILLED, **strings(ENTITY)),
    "a row beyond every sheet": lambda: parts(
        book(), sheet=sheet_of(f'<row r="{10**30}"><c r="A1"><v>2</v></c></row>')
    ),
    "a number beyond every number": lambda: parts(book(), sheet=sheet_of(f"<row><c><v>{'9' * 5000}</v></c></row>")),
    "a part outside": lambda: parts(
        book(),
        **{
            "xl/_rels/workbook.xml.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="../../../../etc/passwd"/></Relationships>'
        },
    ),
    "another workbook's cell": lambda: book(A1="=INDIRECT(\"'[../../golden.xlsx]Sheet'!A1\",1)"),
    "a picture of a billion pixels": lambda: parts(
        book(), **{"xl/media/image1.png": b"\x89PNG\r\n\x1a\n" + b"\xff" * 64}
    ),
    "a file cut off": lambda: book(A1=1)[:-30],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_an_output_made_to_harm_has_failed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Graded as wrong, in seconds, in a gigabyte, without an error of the infrastructure, and nothing of the host read."""
    monkeypatch.setattr(reading, "LARGE_SECONDS", 2)
    monkeypatch.setattr(reading, "LARGE_MEMORY", 300 * 2**20)
    domain, task = task_of(tmp_path, book(A1=1), "A1:XFD1")
    output = HOSTILE[name]()
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    grade = domain.grade(task, {"output/1.xlsx": output})
    assert grade.hard == 0.0
    assert grade.reason
    assert "root:" not in grade.reason
    assert time.process_time() - began < 10
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert max(grown, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) < 1.2 * 2**20  # KiB


@pytest.mark.parametrize("kind", ["fifo", "link", "directory", "device"])
def test_what_is_no_file_is_no_output(kind: str, tmp_path: Path) -> None:
    domain, task = task_of(tmp_path / "data", book(A1=1))
    (tmp_path / "output").mkdir()
    place = tmp_path / "output/1.xlsx"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "link":
        place.symlink_to(tmp_path / "data/spreadsheet/t/1_t_golden.xlsx")
    elif kind == "directory":
        place.mkdir()
    else:
        try:
            os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("only root makes a device")
    assert domain.collect(task, tmp_path) == {}
    assert domain.grade(task, {}).reason == "there is no output file"


def test_a_large_workbook_is_read_as_a_small_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime

    cells = {
        "A1": 1.5,
        "A2": "x",
        "A3": datetime.datetime(2024, 1, 2),
        "A4": datetime.time(9, 30),
        "A5": True,
        "A6": "=A1",
    }
    before = grade_case("1", book(A9=1), book(**cells), "A:A")
    monkeypatch.setattr(reading, "SMALL", reading.Allowance(packed=10, unpacked=10, tags=1))
    assert grade_case("1", book(A9=1), book(**cells), "A:A") == before
    assert before.difference_count == 6  # the formula reads as empty, and so does gold


@pytest.mark.parametrize(("signal", "fault"), [("INT", True), ("TERM", True), ("KILL", True), ("XCPU", False)])
def test_who_ends_the_process_that_reads_says_nothing_of_the_workbook(
    signal: str, fault: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C, or a machine without memory, while a right answer is read: that is no score."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ncat > /dev/null\nkill -{signal} $$\n")
    python.chmod(0o755)
    monkeypatch.setattr(reading.sys, "executable", str(python))
    monkeypatch.setattr(reading, "SMALL", reading.Allowance(packed=10, unpacked=10, tags=1))
    with pytest.raises(InfrastructureFault if fault else reading.Unreadable):
        reading.read_areas(book(A1=1), parse_answer_position("A1"))


# LibreOffice


def office(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str, **limits: int) -> None:
    """In the place of LibreOffice, a shell script: `$BOOK` is the workbook, and `mark` holds where that has the text 'slow'."""
    if works():
        pytest.skip(works())
    program = folder / "office/program/soffice"
    program.parent.mkdir(parents=True)
    program.write_text(
        f"#!/bin/sh\nmark() {{ unzip -p book.xlsx 2>/dev/null | grep -q slow || grep -q slow book.xlsx; }}\n{script}\n"
    )
    program.chmod(0o755)
    folder.chmod(0o755)
    monkeypatch.setattr(recalculate, "_soffice", lambda: str(program))
    monkeypatch.setattr(recalculate, "LIMITS", recalculate.LIMITS.model_copy(update=limits))


def plain(text: str) -> bytes:
    """Bytes that hold a text as it is: what a script can look for."""
    return book() + text.encode()


COPY = "mkdir out; cp book.xlsx out/book.xlsx"


@pytest.mark.parametrize(
    ("script", "limits", "fault"),
    [
        ("sleep 60", {"wall_seconds": 1}, True),
        ("exit 1", {}, True),
        (f"if mark; then exit 1; fi; {COPY}", {}, False),
        (f"if mark; then sleep 60; fi; {COPY}", {"wall_seconds": 2}, False),
        (f"if mark; then while :; do :; done; fi; {COPY}", {"cpu_seconds": 1}, False),
    ],
    ids=["machine too slow", "office broken", "fails on it", "sleeps on it", "computes for ever"],
)
def test_a_busy_machine_is_unknown_and_a_workbook_that_breaks_it_is_wrong(
    script: str, limits: dict[str, int], fault: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office(tmp_path, monkeypatch, script, **limits)
    with pytest.raises(InfrastructureFault if fault else reading.Unreadable):
        recalculate.recalculated(plain("slow"))


def test_a_machine_that_is_slow_at_one_formula_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office(tmp_path, monkeypatch, f"if mark; then exit 1; fi; {COPY}")
    monkeypatch.setattr(recalculate, "QUICK_SECONDS", 0)
    with pytest.raises(InfrastructureFault):
        recalculate.recalculated(plain("slow"))


def test_what_calculates_sees_one_workbook_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "golden.xlsx").write_bytes(book(A1=1))
    look = f"(ls -a; ls {tmp_path}; ls ../..; cat /proc/net/dev; env) > out/book.xlsx 2>&1"
    monkeypatch.setenv("OPENAI_API_KEY", "a secret")
    office(tmp_path, monkeypatch, f"mkdir out; {look}")
    seen = recalculate.recalculated(book()).decode()
    assert "golden" not in seen
    assert "a secret" not in seen
    assert "eth" not in seen
    assert "book.xlsx" in seen


def test_a_result_that_cannot_be_read_is_a_wrong_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office(tmp_path, monkeypatch, "mkdir out; echo nothing > out/book.xlsx")
    grade: CaseGrade = grade_case("1", book(A1=3), book(A1="=1+2"), "A1", recalculate.recalculated)
    assert "cannot be read as a workbook" in grade.problem


def test_what_is_not_listed_is_counted_so() -> None:
    """60 cells differ, 50 of them were looked at, 12 are listed: each number is said for what it is."""
    gold = book(**{f"A{row}": row for row in range(1, 61)})
    (case,) = [grade_case("1", gold, book(**{f"A{row}": 0 for row in range(1, 61)}), "A1:A60", None)]
    grade = Grade(cases=(case,))
    assert "  and 48 more, not listed" in in_words(grade).split("\n")
    assert grade.reason.startswith("60 cells differ (of the first 50: 50 value), first ")
    few = Grade(
        cases=(grade_case("1", gold, book(**{f"A{row}": max(row, 3) for row in range(1, 61)}), "A1:A60", None),)
    )
    assert "more, not listed" not in in_words(few)
    assert few.reason.startswith("2 cells differ (2 value), first ")
