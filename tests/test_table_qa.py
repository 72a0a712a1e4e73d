"""Questions on tables: the official rule, the official layout, and the form in which a table is a workbook."""

import csv
import datetime
import io
import random
import shutil
import string
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from conftest import shared
from hypothesis import given
from hypothesis import strategies as st
from questions_of_tests import write_tables

from trace2skill.analysts.gate import run_gate
from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.domains.base import ANSWER, Domain
from trace2skill.domains.splits import split_tasks
from trace2skill.domains.table_qa.dataset import read_table, values_in
from trace2skill.domains.table_qa.denotation import normalised, same, set_of, value_of
from trace2skill.domains.table_qa.workbooks import workbook_of
from trace2skill.sandbox import Limits
from trace2skill.sandbox.process import PlainProcess
from trace2skill.types.task import Task

FORMS = ("prompt", "workbook")
WORDS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
TEXTS = st.text(max_size=30)


def domain(form: str) -> Domain:
    return load_domain("table_qa", {"form": form}, recalculate="never")


def written(task: Task, tmp_path: Path, *values: object) -> dict[str, bytes]:
    """The output of an agent that wrote these values below each other."""
    book = workbook_of(read_table(task.cases[0].input or Path()))
    for row, value in enumerate(values, start=1):
        book["Answer"].cell(row, 1, value)
    content = io.BytesIO()
    book.save(content)
    return {"output/1.xlsx": content.getvalue()}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Café", "cafe"),
        ("‘It`s’", "'it's'"),
        ("It´s", "it s"),  # the accent is taken apart first, there as here
        ("“Junkies”", "junkies"),
        ('"Junkies"', "junkies"),
        ('""Twice""', '""twice""'),
        ("1990–91", "1990-91"),
        ("Zürich[3]", "zurich"),
        ("Zürich [note]", "zurich"),
        ("Zürich†*", "zurich"),
        ("[3]", ""),
        ("[note]", "[note]"),
        ("Rome (Italy) (old)[1]", "rome"),
        ("(Italy)", "(italy)"),
        ("St. Anne.", "st. anne"),
        ("and so on..", "and so on."),
        ("Two \t  words\u00a0more ", "two words more"),
    ],
)
def test_texts_are_normalised_as_the_rule_says(text: str, wanted: str) -> None:
    assert normalised(text) == wanted


@pytest.mark.parametrize(
    ("gold", "canon", "answer", "right"),
    [
        ("3 losses", "3.0", "3", True),
        ("3 losses", "3.0", "3 losses", True),
        ("3 losses", "3.0", "3 wins", False),
        ("1000", "1000.0", "1,000", False),
        ("1000", "1000.0", "1e3", True),
        ("1,000", "1000.0", "1000", True),
        ("7", "7.0", "7.0000001", True),
        ("7", "7.0", "7.00001", False),
        ("7", "7.0", "nan", False),
        ("1000", "1000.0", "1_000", False),
        ("12 March 1968", "1968-03-12", "1968-3-12", True),
        ("12 March 1968", "1968-03-12", "march 12, 1968", False),
        ("March 12", "xx-03-12", "xx-03-12", True),
        ("March 12", "xx-03-12", "1968-03-12", False),
        ("1968", "1968-xx-xx", "1968", True),
        ("A|B", "A|B", "b | a", True),
        ("A|B", "A|B", "a", False),
        ("A|B", "A|B", "a|b|c", False),
        ("A", "A", "a|A.", True),
        (r"B \p C", r"B \p C", r"b \p c", True),
        ("Jane|2002", "Jane|2002.0", "2002.0|jane", True),
        ("yes", "yes", "Yes", True),
        ("yes", "yes", "", False),
    ],
)
def test_answers_match_as_sets_by_their_canonical_values(gold: str, canon: str, answer: str, right: bool) -> None:
    assert same(set_of(values_in(gold), values_in(canon)), set_of(values_in(answer))) is right


@given(TEXTS)
def test_a_normalised_text_has_one_form_of_case_and_space(text: str) -> None:
    found = normalised(text)
    assert found == found.lower().strip()
    assert "  " not in found
    assert not set(found) & set("‘’“”–—−\n\t")
    assert value_of(text).matches(value_of(text))


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_what_the_rule_ignores_changes_nothing(words: list[str]) -> None:
    text = " ".join(words)
    for other in (text.upper(), f'"{text}"', f"{text}[12]", f"{text} (so they say)", f"  {text}†", "  ".join(words)):
        assert normalised(other) == normalised(text)
    assert normalised(f"{text}.") == normalised(text)


@given(st.lists(TEXTS, max_size=5), st.randoms())
def test_order_and_repetition_change_nothing_and_one_value_more_does(texts: list[str], rng: random.Random) -> None:
    mixed = [*texts, *texts[:2]]
    rng.shuffle(mixed)
    gold = set_of(texts)
    assert same(gold, set_of(mixed))
    assert not same(gold, set_of([*mixed, "something else entirely"]))


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.floats(-1e-4, 1e-4))
def test_numbers_are_the_same_within_a_millionth(number: float, off: float) -> None:
    one, other = value_of("one text", repr(number)), value_of("another", repr(number + off))
    assert one.matches(other) is other.matches(one) is (abs(number - (number + off)) < 1e-6)


def test_real_gold_passes_in_both_forms(tmp_path: Path) -> None:
    data = shared("wikitablequestions")
    tasks = domain("prompt").load(data)
    assert len(tasks) == 300
    asked = domain("prompt")
    assert [task.id for task in tasks if not asked.grade(task, {ANSWER: task.detail["gold"].encode()}).hard] == []
    books = domain("workbook")
    for task in tasks:
        (case,) = task.cases
        cells = books.gold_values(task, case)["Answer"]  # type: ignore[attr-defined]
        assert books.audit(task).verdict == "usable", task.id
        if int(task.id.rpartition("-")[2]) % 5 == 0:  # the rest would only cost time
            grade = books.grade(task, written(task, tmp_path, *cells.values()))
            assert grade.hard == 1.0, (task.id, cells, grade.reason)


@pytest.mark.parametrize("data", ["own", "real"])
def test_no_table_stands_in_two_splits(data: str, tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "own", 12) if data == "own" else shared("wikitablequestions")
    tasks = domain("prompt").load(folder)
    splits = split_tasks(tasks)
    table = {task.id: task.cases[0].input for task in tasks}
    tables = [{table[id] for id in split} for split in (splits.evolve, splits.validation, splits.test)]
    assert sum(map(len, tables)) == len(set().union(*tables)) == len(set(table.values()))
    assert all(tables)


def test_the_csv_dialect_is_read_and_laid_out_as_every_program_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('"A","B"\n"say \\"so\\"","a \\\\ and\na line, more"\n"short"\n')
    rows = read_table(path)
    assert rows == (("A", "B"), ('say "so"', "a \\ and\na line, more"), ("short", ""))
    task = domain("prompt").load(write_tables(tmp_path / "own", 1))[0]
    domain("prompt").lay_out(task, tmp_path)
    with (tmp_path / "input" / "table.csv").open(newline="") as file:
        assert tuple(map(tuple, csv.reader(file))) == read_table(task.cases[0].input or Path())


def test_an_agent_reads_table_question_and_form_and_never_gold(tmp_path: Path) -> None:
    tasks = domain("prompt").load(write_tables(tmp_path / "own", 1))
    text = domain("prompt").describe(tasks[0])
    assert "| Club | Town | Founded | Members |\n|---|---|---|---|\n| Blue River Rovers | Old Harbour |" in text
    assert "Question: how many clubs are from old harbour?" in text
    assert "`|` between them" in text
    in_workbook = domain("workbook").describe(tasks[1])
    assert "sheet 'Table' of the workbook: which club has the most members?" in in_workbook
    assert tasks[1].detail["gold"] not in in_workbook
    domain("workbook").lay_out(tasks[1], tmp_path)
    book = openpyxl.load_workbook(tmp_path / "input" / "1.xlsx")
    assert book.sheetnames == ["Table", "Answer"]
    assert [cell.value for cell in book["Table"][2]] == ["Blue River Rovers", "Old Harbour", 1890, 1000]
    assert book["Answer"]["A1"].value is None


@pytest.mark.parametrize(
    ("values", "right", "reason"),
    [
        (("Iron Bridge Club",), False, "1 value), first Answer!A1 downwards: value; there stands Iron Bridge Club"),
        (("lake rowers.", None, "Iron  bridge club"), True, ""),
        (("lake rowers|iron bridge club",), False, "there stands lake rowers|iron bridge club"),
        ((), False, "missing; there stands (empty)"),
        (("Lake Rowers", "Iron Bridge Club", 7), False, "there stands Lake Rowers | Iron Bridge Club | 7"),
    ],
)
def test_several_values_stand_below_each_other(
    values: tuple[object, ...], right: bool, reason: str, tmp_path: Path
) -> None:
    task = domain("workbook").load(write_tables(tmp_path / "own", 1))[0]
    gold = "Iron Bridge Club|Lake Rowers"
    task = task.model_copy(update={"detail": {"gold": gold, "canon": gold}})
    grade = domain("workbook").grade(task, written(task, tmp_path, *values))
    assert (grade.hard == 1.0) is right
    assert reason in grade.reason


def test_cells_of_every_type_are_compared_as_the_rule_reads_them(tmp_path: Path) -> None:
    task = domain("workbook").load(write_tables(tmp_path / "own", 1))[0]
    cases: list[tuple[str, str, object]] = [
        ("12 March 1968", "1968-03-12", datetime.datetime(1968, 3, 12)),
        ("3 losses", "3.0", 3),
        ("2.5", "2.5", 2.5),
        ("1000", "1000.0", "1000"),
    ]
    for gold, canon, cell in cases:
        asked = task.model_copy(update={"detail": {"gold": gold, "canon": canon}})
        assert domain("workbook").grade(asked, written(asked, tmp_path, cell)).hard == 1.0, gold
        assert domain("workbook").grade(asked, written(asked, tmp_path, "=1+1")).hard == 0.0


COMPUTES = """\
import sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
rows = list(book["Table"].iter_rows(min_row=2, values_only=True))
book["Answer"]["A1"] = max(rows, key=lambda row: row[3])[0] if rows else None
book.save(sys.argv[2])
"""


def test_a_fix_must_compute_the_answer_from_the_workbook(tmp_path: Path) -> None:
    books = domain("workbook")
    task = books.load(write_tables(tmp_path / "own", 1))[1]
    assert run_gate(books, task, PlainProcess(), COMPUTES, Limits()).opened
    knows = COMPUTES.replace("max(rows, key=lambda row: row[3])[0] if rows else None", repr(task.detail["gold"]))
    judged = run_gate(books, task, PlainProcess(), knows, Limits())
    assert judged.grade.hard == 1.0
    assert judged.leaks == ("1: Answer!A1 stays the same whatever the input holds",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("targetCanon\t", "canon\t"), r"questions\.tsv:1: there is no column targetCanon"),
        (lambda text: text.replace("csv/200-csv/0.csv", "csv/200-csv/9.csv", 1), r"tsv:2: there is no table"),
        (lambda text: text.replace("csv/200-csv/0.csv", "../0.csv", 1), r"tsv:2: its context leads out of"),
        (lambda text: text.replace("nt-1\t", "nt-0\t"), r"tsv:3: the id 'nt-0' stands there twice"),
        (lambda text: text.replace("\tnumber\n", "\n", 1), r"tsv:2: 5 fields instead of 6"),
        (lambda text: text.replace("how many clubs are from old harbour?", " ", 1), r"tsv:2: utterance is empty"),
        (
            lambda text: text.replace("\tstring", "|more\tstring", 1),
            r"tsv:3: targetValue and targetCanon hold different",
        ),
    ],
)
def test_bad_questions_are_refused_with_file_and_line(change: Callable[[str], str], said: str, tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "own", 1)
    (folder / "questions.tsv").write_text(change((folder / "questions.tsv").read_text()))
    for form in FORMS:
        with pytest.raises(BadInput, match=said):
            domain(form).load(folder)


def test_bad_tables_and_directories_are_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "own", 1)
    (folder / "csv" / "200-csv" / "0.csv").write_text('"A","B"\n"a","b\n')
    with pytest.raises(BadInput, match=r"0\.csv:\d: not a table of this data set"):
        domain("prompt").load(folder)
    with pytest.raises(BadInput, match=r"neither questions\.tsv nor tagged/data"):
        domain("prompt").load(tmp_path)
    official = write_tables(tmp_path / "official", 1)
    (official / "tagged" / "data").mkdir(parents=True)
    for name in ("training", "pristine-unseen-tables"):
        shutil.copy(official / "questions.tsv", official / "tagged" / "data" / f"{name}.tagged")
    (official / "questions.tsv").unlink()
    with pytest.raises(BadInput, match=r"choose with --domain-option questions=FILE, of tagged/data/pristine"):
        domain("prompt").load(official)
    chosen = load_domain("table_qa", {"questions": "tagged/data/training.tagged"})
    assert len(chosen.load(official)) == 4
    with pytest.raises(BadInput, match="no file nowhere.tsv"):
        load_domain("table_qa", {"questions": "nowhere.tsv"}).load(official)
    with pytest.raises(BadInput, match=r"form: Input should be 'prompt' or 'workbook'"):
        load_domain("table_qa", {"form": "page"})
