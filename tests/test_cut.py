"""Cutting patches into rules, form that becomes place, and sections that are nearly named."""

import json
from pathlib import Path

import pytest

from trace2skill.consolidate.cut import cut, cut_text, given_up
from trace2skill.core.errors import BadInput
from trace2skill.sim.meaning import labelled_reader, read_corpus
from trace2skill.skills.form import in_form
from trace2skill.skills.markdown import sections
from trace2skill.skills.near import find_near, same_title
from trace2skill.skills.place import Placed, place
from trace2skill.skills.skill import Skill, SkillFile
from trace2skill.types.patch import Edit, Patch, Unplaced

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "bench" / "corpora" / "workbook-rules"
TEXT = """---
name: small
description: A small skill.
---

# Small

## 1. Read the file

- Open it.

```python
open("x")
```

## 2. Tests

| sign | meaning |
|---|---|
| a | b |

## 3. Validation & output

Print it.
"""
BASE = Skill(files=(SkillFile(path="SKILL.md", content=TEXT.encode()),))


def rules(content: str, **edit: object) -> list[tuple[str, str]]:
    values: dict[str, object] = {
        "op": "append_to_section",
        "section": ("Small", "2. Tests"),
        "content": content,
        **edit,
    }
    patch = Patch(trajectory_id="t", task_id="k", base="b", edits=(Edit(**values),))
    return [(rule.text, rule.place.words) for rule in cut(patch, "error", BASE).rules]


def test_items_paragraphs_rows_and_code_are_rules() -> None:
    found = [
        text
        for text, _ in cut_text("Do it so:\n\n```sh\nx\n```\n\n- one\n  more of it\n- **Two**: b\n\n1. three\n\nlast")
    ]
    assert found == ["Do it so:\n\n```sh\nx\n```", "one\nmore of it", "**Two**: b", "three", "last"]
    assert [text for text, _ in cut_text("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |")] == ["| 1 | 2 |", "| 3 | 4 |"]


def test_a_heading_in_the_content_is_a_place_and_no_rule() -> None:
    found = rules("## 4. Working habits\n\n- one\n\n## 1. Reading the file\n\n- two")
    assert found == [
        ("one", "SKILL.md > Small > Working habits (new)"),
        ("two", "SKILL.md > Small > 1. Read the file"),
    ]


@pytest.mark.parametrize(
    ("path", "title"),
    [
        (("Small", "Testing"), "2. Tests"),
        (("Tests",), "2. Tests"),
        (("Small", "4. Validation and Output"), "3. Validation & output"),
        (("Small", "Validation"), "3. Validation & output"),
        (("Small", "Reading files"), "1. Read the file"),
    ],
)
def test_a_near_right_name_finds_its_section(path: tuple[str, ...], title: str) -> None:
    found = find_near(TEXT, path)
    assert found is not None
    assert found.path[-1] == title


def test_a_name_that_fits_two_sections_fits_none() -> None:
    assert find_near("# A\n\n## Read files\n\n## Read tables\n", ("A", "Read")) is None
    assert same_title("3. Edge Cases", "Edge case")
    assert not same_title("Edge cases", "Corner cases")


def test_a_section_that_is_not_there_becomes_one_and_says_so() -> None:
    (formed,) = in_form(BASE, Edit(op="append_to_section", section=("Small", "History"), content="- x"))
    assert (formed.edit.op, formed.edit.section, formed.edit.title) == ("add_section", ("Small",), "History")
    assert "becomes one" in formed.note


def test_a_piece_with_inner_headings_lands_whole() -> None:
    edit = Edit(op="append_to_section", section=("Small", "2. Tests"), content="# Big\n\n- a\n\n## Inner\n\n- b")
    placed = [place(BASE, formed.edit) for formed in in_form(BASE, edit)]
    assert all(isinstance(item, Placed) for item in placed)
    assert all(head.level > 2 for item in placed if isinstance(item, Placed) for head in sections(item.text))


def test_rows_of_a_table_give_way_to_rows_only() -> None:
    row = Edit(op="replace_in_section", section=("2. Tests",), anchor="| a | b |", content="| a | c |")
    assert isinstance(place(BASE, row), Placed)
    assert isinstance(place(BASE, row.model_copy(update={"content": "no row"})), Unplaced)


@pytest.mark.parametrize(
    ("anchor", "content", "gone"),
    [
        ("- Read it once.\n", "- Read it twice.", "- Read it once.\n"),
        ("- Read it once.", "- Read it once.\n- Read it aloud.", ""),
        ("- Read it once.", "- First look.\n- **Read it once**.", ""),
        ("- Read it once.\n- Stop.\n", "- Read it once.\n- Go on.", "- Stop.\n"),
        ("- Stop.\n- Read it once.\n- Wait.\n", "- Read it once.\n- Go on.", "- Stop.\n"),
        ("- Read it once.", "- Read it once. Then again.", "- Read it once."),
        ("a word in a line", "another word", "a word in a line"),
    ],
)
def test_what_a_replacement_says_again_is_not_given_up(anchor: str, content: str, gone: str) -> None:
    edit = Edit(op="replace_in_section", section=("Small", "2. Tests"), anchor=anchor, content=content)
    assert given_up(edit) == gone
    found = cut(Patch(trajectory_id="t", task_id="k", base="b", edits=(edit,)), "error", BASE)
    assert {rule.replaces for rule in found.rules} <= {gone, ""}
    assert "".join(rule.replaces for rule in found.rules) == gone
    assert not [rule for rule in found.rules if rule.replaces and rule.text == "Read it once."]


def test_a_link_to_a_file_of_the_same_patch_is_recorded_and_no_rule() -> None:
    edits = (
        Edit(op="create", file="references/more.md", content="# More\n\n- a rule"),
        Edit(op="append_to_section", section=("Small", "2. Tests"), content="- See [more](references/more.md)."),
    )
    found = cut(Patch(trajectory_id="t", task_id="k", base="b", edits=edits), "error", BASE)
    assert [rule.text for rule in found.rules] == ["a rule"]
    assert [item.text for item in found.uncut] == ["See [more](references/more.md)."]


def test_every_label_of_the_corpus_stands_in_one_rule() -> None:
    from trace2skill.skills.skill import read_skill

    base = read_skill(CORPUS / "skill" / "workbook-rules")
    patches, _ = read_corpus(CORPUS)
    assert len(patches) >= 60
    for line in patches:
        edits = tuple(Edit(**edit) for edit in line["patch"]["edits"])
        patch = Patch(trajectory_id=line["trajectory"], task_id=line["task"], base=base.digest, edits=edits)
        texts = [" ".join(rule.text.split()) for rule in cut(patch, "error", base).rules]
        for label in line["labels"]:
            assert sum(" ".join(label["text"].split()) in text for text in texts) == 1, label


def test_a_corpus_that_is_none_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no labelled corpus"):
        read_corpus(tmp_path)
    (tmp_path / "themes.json").write_text('{"A": "a thing"}')
    patches = tmp_path / "patches.jsonl"
    patches.write_text("{not json\n")
    with pytest.raises(BadInput, match="line 1"):
        read_corpus(tmp_path)
    line = {"patch": {"edits": [{"content": "do a"}]}, "labels": [{"edit": 0, "text": "do b", "themes": ["A"]}]}
    patches.write_text(json.dumps(line) + "\n")
    with pytest.raises(BadInput, match="not in its edit"):
        read_corpus(tmp_path)


def test_the_labelled_reader_knows_texts_by_their_labels() -> None:
    reader = labelled_reader(str(CORPUS))
    assert reader.themes("Address the sheet by the name in the task; `wb.active` was the cover page.") == {"W04"}
    assert reader.themes("Nobody ever labelled this sentence.") == frozenset()
    assert reader.opposite("C1a") == "C1b"
    (alone,) = reader.themes("Region codes 7 and 9 were swapped in the export of May.")
    assert alone.startswith("own: ")


@pytest.mark.parametrize(
    "scope",
    [
        "Where the request asks for a report by its name.",
        "Only when the sheet is empty",
        "If the header is bold.",
        "unless a column has dates",
    ],
)
def test_a_scope_without_an_instruction_is_no_rule_and_is_recorded(scope: str) -> None:
    edit = Edit(op="append_to_section", section=("Small", "2. Tests"), content=f"- {scope}\n- Print it.")
    found = cut(Patch(trajectory_id="t", task_id="k", base="b", edits=(edit,)), "error", BASE)
    assert [rule.text for rule in found.rules] == ["Print it."]
    assert [(item.text, item.reason) for item in found.uncut] == [
        (scope, "it says when something holds and not what to do")
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "When writing dates use ISO format.",
        "If the file is missing stop.",
        "If the file exists stop.",
        "When a cell is empty pandas returns NaN.",
        "If the file has a header skip it.",
        "When all else fails give up.",
        "If in doubt ask.",
        "Where the request asks for a report, name the day.",
        "Unless told otherwise: write in place.",
        "When it is a date it must be text.",
        "Use it where the header is bold.",
        "If tests fail stop.",
    ],
)
def test_a_condition_with_an_instruction_stays_a_rule(rule: str) -> None:
    assert [text for text, _ in rules(f"- {rule}")] == [rule]


@pytest.mark.parametrize("order", [1, -1])
def test_a_rule_beside_a_better_line_does_not_take_that_lines_place(order: int) -> None:
    better = "- Ask `max_row` of the sheet that you read how far it goes, and count its last row."
    beside = "- Print a last row before you leave it out as a total."
    content = "\n".join([better, beside][::order])
    edit = Edit(
        op="replace_in_section",
        section=("Small", "2. Tests"),
        anchor="- Ask `max_row` how far a sheet goes; do not guess.",
        content=content,
    )
    found = cut(Patch(trajectory_id="t", task_id="k", base="b", edits=(edit,)), "error", BASE)
    assert {rule.text: bool(rule.replaces) for rule in found.rules} == {better[2:]: True, beside[2:]: False}


def replaced_by(anchor: str, content: str, *more: Edit) -> dict[str, str]:
    edit = Edit(op="replace_in_section", section=("Small", "2. Tests"), anchor=anchor, content=content)
    found = cut(Patch(trajectory_id="t", task_id="k", base="b", edits=(edit, *more)), "error", BASE)
    return {rule.text: rule.replaces for rule in found.rules}


def test_each_line_of_an_anchor_has_its_own_heir() -> None:
    anchor = "- Sum by month.\n- Round to cents.\n"
    found = replaced_by(anchor, "- Round to whole euros.\n- Sum by month and region.\n- Print the sum.")
    assert found == {
        "Round to whole euros.": "- Round to cents.\n",
        "Sum by month and region.": "- Sum by month.\n",
        "Print the sum.": "",
    }
    kept = replaced_by("- Sum by month.\n- Sum by year.\n", "- Sum by month.\n- Print it.")
    assert kept == {"Sum by month.": "", "Print it.": "- Sum by year.\n"}, "what stays is nobody's heir"
    assert replaced_by(anchor, "- Sum by month, in whole euros.") == {"Sum by month, in whole euros.": anchor}


def test_what_is_no_rule_is_no_heir_and_letters_tell_where_no_words_do() -> None:
    create = Edit(op="create", file="references/rows.md", content="- Look at the rows.\n")
    found = replaced_by(
        "- Count rows from one.", "- Count rows: see [rows](references/rows.md).\n- Begin at zero.", create
    )
    assert found["Begin at zero."] == "- Count rows from one."
    assert replaced_by(
        "- 行を数える前に見出しを除く。", "- 日付を確認する。\n- 行を数える前に見出しと空行を除く。"
    ) == {
        "日付を確認する。": "",
        "行を数える前に見出しと空行を除く。": "- 行を数える前に見出しを除く。",
    }
