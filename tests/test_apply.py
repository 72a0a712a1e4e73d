"""Edits land exactly where they are meant to, or not at all."""

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from trace2skill.skills.apply import apply_edits, conflicts
from trace2skill.skills.markdown import find_section, outline, protected_blocks, section_text, sections, split_lines
from trace2skill.skills.place import EditPolicy, Unplaced, place
from trace2skill.skills.skill import Skill, SkillFile
from trace2skill.types.patch import Edit

HEAD = "---\nname: small\ndescription: A small skill.\n---\n"
BODY = """
# Small

Intro.

## Write

- one
- two

```python
# not a heading
x = 1
```

### Deep

deep text

Setext
------

| a | b |
|---|---|
| 1 | 2 |

## Write

again
"""


def skill_of(body: str, **files: bytes) -> Skill:
    every = {"SKILL.md": (HEAD + body).encode(), **files}
    return Skill(files=tuple(SkillFile(path=path, content=every[path]) for path in sorted(every)))


SMALL = skill_of(BODY)


def after(*edits: Edit, skill: Skill = SMALL) -> str:
    return apply_edits(skill, edits).skill.text("SKILL.md") or ""


def test_sections_are_those_of_the_document() -> None:
    text = HEAD + BODY
    assert [section.path for section in sections(text)] == [
        ("Small",),
        ("Small", "Write"),
        ("Small", "Write", "Deep"),
        ("Small", "Setext"),
        ("Small", "Write [2]"),
    ]
    assert "x = 1" in section_text(text, ("Write",))
    assert section_text(text, ("Small", "Write [2]")) == "## Write\n\nagain\n"
    assert find_section(text, ("Deep",)) == find_section(text, ("Small", "Write", "Deep"))
    assert "Deep (" in outline(text)
    assert [block.kind for block in protected_blocks(text)] == ["front_matter", "fence", "table_open"]


@pytest.mark.parametrize("text", ["a\r\nb\rc\nd", "a\x0bb\u2028c\n", "", "\n", "no end", "\r\n\r\n"])
def test_lines_are_those_of_the_specification(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert all("\n" not in line.rstrip("\r\n") and "\r" not in line.rstrip("\r\n") for line in lines)


def test_append_goes_on_with_the_list_and_neither_into_the_fence_nor_behind_it() -> None:
    text = after(Edit(op="append_to_section", section=("Small", "Write"), content="- three"))
    assert "- one\n- two\n- three\n\n```py" in text
    assert after(Edit(op="append_to_section", section=("Write [2]",), content="more")).endswith("again\n\nmore\n")


def test_inserts_hold_on_to_their_anchor() -> None:
    assert "- one\n- half\n- two\n" in after(
        Edit(op="insert_after", section=("Write",), anchor="- one", content="- half")
    )
    assert "- half\n- one\n" in after(Edit(op="insert_before", section=("Write",), anchor="-   one", content="- half"))
    in_fence = after(Edit(op="insert_after", section=("Write",), anchor="x = 1", content="text"))
    assert "x = 1\n```\n\ntext\n" in in_fence


@pytest.mark.parametrize(
    "content", ["<pre>\nx", "<?x", "<![CDATA[ x", "<!-- x", "<script>", " <style>\n", "<!DOCTYPE x", "- a\n\n<pre>"]
)
def test_what_opens_html_and_does_not_close_it_hides_no_section(content: str) -> None:
    skill = skill_of("# A\n\n## Rules\n\n- one\n\n## Ends\n\nlast\n")
    for edit in (
        Edit(op="append_to_section", file="SKILL.md", section=("A", "Rules"), content=content),
        Edit(op="add_section", file="SKILL.md", section=("A",), title="New", content=content),
    ):
        made = apply_edits(skill, [edit])
        after = [section.path for section in sections(made.skill.body)]
        assert [path for path in after if path != ("A", "New")] == [("A",), ("A", "Rules"), ("A", "Ends")]


def test_a_line_of_signs_makes_no_heading_of_the_text_above_it() -> None:
    skill = skill_of("# A\n\n## Rules\n\none\ntwo\n\n## Ends\n\nlast\n")
    for content in ("===", "---", "  ====  "):
        edit = Edit(op="replace_in_section", file="SKILL.md", section=("A", "Rules"), anchor="two", content=content)
        made = apply_edits(skill, [edit])
        assert [section.path for section in sections(made.skill.body)] == [("A",), ("A", "Rules"), ("A", "Ends")]
    inside = skill_of("# A\n\n```html\n<b>\n```\n\n## Ends\n\nlast\n")
    edit = Edit(op="replace_in_section", file="SKILL.md", section=("A",), anchor="<b>", content="<pre>")
    assert not apply_edits(inside, [edit]).unplaced


def test_replacing_inside_a_fence_is_possible_when_it_is_meant() -> None:
    assert "x = 2\n```" in after(Edit(op="replace_in_section", section=("Write",), anchor="x = 1", content="x = 2"))
    closing = Edit(op="replace_in_section", section=("Write",), anchor="x = 1", content="```\nout")
    assert isinstance(place(SMALL, closing), Unplaced)


def test_new_sections_of_one_name_become_one() -> None:
    text = after(*(Edit(op="add_section", title="New", content=f"- {n}") for n in "ab"))
    assert text.count("## New") == 1
    assert text.endswith("\n- a\n- b\n") or text.endswith("\n- b\n- a\n")
    deep = after(Edit(op="add_section", section=("Write",), title="Sub", content="text"))
    assert "### Sub\n\ntext\n\nSetext\n------" in deep


def test_a_created_file_needs_its_link_and_a_link_its_file() -> None:
    create = Edit(op="create", file="references/a.md", content="# A")
    link = Edit(op="append_to_section", section=("Write [2]",), content="See [a](references/a.md).")
    both = apply_edits(SMALL, [create, link])
    assert both.problems == ()
    assert both.skill.text("references/a.md") == "# A\n"
    for alone in (create, link):
        result = apply_edits(SMALL, [alone])
        assert result.skill == SMALL
        assert len(result.conflicts) == 1


def test_conflicts_name_both_edits_and_withhold_both() -> None:
    one = Edit(op="replace_in_section", section=("Write",), anchor="- one", content="- uno")
    other = Edit(op="replace_in_section", section=("Write",), anchor="- one", content="- eins")
    inside = Edit(op="append_to_section", section=("Small", "Write", "Deep"), content="x")
    gone = Edit(op="delete_section", section=("Small", "Write"))
    (clash,) = conflicts(SMALL, [one, other])
    assert {clash.first, clash.second} == {one.id, other.id}
    assert clash.lines[1] > clash.lines[0]
    assert {c.reason for c in conflicts(SMALL, [inside, gone])} == {"one deletes the section that the other changes"}
    result = apply_edits(SMALL, [one, other, Edit(op="append_to_section", section=("Write [2]",), content="fine")])
    assert "- one\n" in (result.skill.text("SKILL.md") or "")
    assert (result.skill.text("SKILL.md") or "").endswith("fine\n")


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Edit(op="create", file="../x.md", content="x"), "not a path inside"),
        (Edit(op="create", file="/etc/x.md", content="x"), "not a path inside"),
        (Edit(op="create", file="references/.hidden.md", content="x"), "not a path inside"),
        (Edit(op="create", file="references/x.exe", content="x"), "none of SKILL.md"),
        (Edit(op="create", file="SKILL.md", content="x"), "neither created nor deleted"),
        (Edit(op="create", file="scripts/a.py", content="x"), "scripts are not allowed"),
        (Edit(op="delete_file", file="references/no.md"), "no file"),
        (Edit(op="append_to_section", file="references/no.md", content="x"), "no text file"),
        (Edit(op="append_to_section", section=("Nowhere",), content="x"), "no section"),
        (Edit(op="append_to_section", section=("Write",), content="```\nopen"), "code fence"),
        (Edit(op="append_to_section", section=("Write",), content="# Top"), "would cut"),
        (Edit(op="append_to_section", section=("Write",), content="  "), "no content"),
        (Edit(op="insert_after", section=("Write",), anchor="nothing like it", content="x"), "not in the section"),
        (Edit(op="insert_after", section=("Write",), anchor="", content="x"), "no anchor"),
        (Edit(op="add_section", content="x"), "needs a title"),
    ],
)
def test_what_cannot_land_says_why(edit: Edit, reason: str) -> None:
    result = apply_edits(SMALL, [edit])
    assert result.skill == SMALL
    assert result.diff == ""
    assert reason in result.unplaced[0].reason


def test_scripts_must_parse_where_they_are_allowed() -> None:
    policy = EditPolicy(allow_scripts=True)
    assert isinstance(place(SMALL, Edit(op="create", file="scripts/a.py", content="def ("), policy), Unplaced)
    assert not isinstance(place(SMALL, Edit(op="create", file="scripts/a.py", content="x = 1"), policy), Unplaced)


# Random skills and random edits.

WORD = st.sampled_from(["alpha", "beta", "gamma", "délta", "# hash", "`tick`", "1. num"])
LINE = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
FENCE = st.sampled_from(["```", "~~~", "````"]).flatmap(
    lambda mark: st.lists(LINE, max_size=3).map(lambda lines: "\n".join([mark, "# code", *lines, mark]))
)
BLOCK = st.one_of(
    LINE.map(lambda line: line.lstrip("# ")),
    st.lists(LINE, min_size=1, max_size=3).map(lambda lines: "\n".join(f"- {line}" for line in lines)),
    FENCE,
    st.just("| a | b |\n|---|---|\n| 1 | 2 |"),
    st.just("<div>\n# html\n</div>"),
    st.just("    indented code\n    # still code"),
    st.tuples(st.integers(1, 4), st.sampled_from(["One", "Two", "Three"])).map(
        lambda pair: f"{'#' * pair[0]} {pair[1]}"
    ),
)


@st.composite
def random_skills(draw: st.DrawFn) -> Skill:
    body = "\n\n".join(draw(st.lists(BLOCK, min_size=1, max_size=8)))
    body = draw(st.sampled_from(["\n", ""])) + body + draw(st.sampled_from(["\n", "", "\n\n"]))
    text = HEAD + body
    return Skill(
        files=(SkillFile(path="SKILL.md", content=text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode()),)
    )


@st.composite
def skills_with_edits(draw: st.DrawFn) -> tuple[Skill, list[Edit]]:
    skill = draw(random_skills())
    text = skill.text("SKILL.md") or ""
    paths = [(), *(section.path for section in sections(text))]
    lines = [line.strip("\r\n") for line in split_lines(text)] or [""]
    op = st.sampled_from(
        ["insert_after", "insert_before", "append_to_section", "replace_in_section", "add_section", "delete_section"]
    )
    edits = [
        Edit(
            op=draw(op),
            section=draw(st.sampled_from(paths)),
            anchor=draw(st.sampled_from(lines)),
            title=draw(st.sampled_from(["Fresh", "Two"])),
            content=draw(st.sampled_from(["- new rule MARK", "MARK text", "```\nMARK\n```", "##### MARK\n\ntext"])),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    return skill, edits


PROPERTY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(skills_with_edits(), st.randoms(use_true_random=False))
@PROPERTY
def test_any_order_gives_the_same_bytes(case: tuple[Skill, list[Edit]], rng: random.Random) -> None:
    skill, edits = case
    shuffled = list(edits)
    rng.shuffle(shuffled)
    one, other = apply_edits(skill, edits), apply_edits(skill, shuffled)
    assert one.skill == other.skill
    assert one.diff == other.diff


@given(skills_with_edits())
@PROPERTY
def test_text_outside_the_edited_lines_keeps_its_bytes(case: tuple[Skill, list[Edit]]) -> None:
    skill, edits = case
    result = apply_edits(skill, edits)
    before, now = split_lines(skill.text("SKILL.md") or ""), result.skill.text("SKILL.md") or ""
    gone = {line for item in result.placed for line in range(item.start, item.end)}
    position = 0
    for number, line in enumerate(before):
        if number in gone:
            continue
        kept = line.rstrip("\r\n") if number == len(before) - 1 else line
        position = now.find(kept, position)
        assert position >= 0, f"line {number} is gone: {line!r}"
        position += len(kept)


@given(skills_with_edits())
@PROPERTY
def test_no_section_is_cut_and_nothing_lands_in_a_block(case: tuple[Skill, list[Edit]]) -> None:
    skill, edits = case
    inserts = [
        edit.model_copy(update={"title": "Fresh"})
        for edit in edits
        if edit.op not in ("delete_section", "replace_in_section")
    ]
    result = apply_edits(skill, inserts)
    before, now = skill.text("SKILL.md") or "", result.skill.text("SKILL.md") or ""
    had = list(sections(before))
    have = [s for s in sections(now) if s.path[-1].split(" [")[0] not in ("Fresh", "MARK")]
    assert [(s.path[-1].split(" [")[0], s.level) for s in had] == [(s.path[-1].split(" [")[0], s.level) for s in have]
    for old, new in zip(had, have, strict=True):
        own = [line.rstrip("\r\n") for line in split_lines(before)[old.content_start : old.end] if line.strip()]
        kept = iter(line.rstrip("\r\n") for line in split_lines(now)[new.content_start : new.end])
        assert all(line in kept for line in own), f"{old.path} lost text of its own, or its order"
    lines = split_lines(before)
    for block in protected_blocks(before):
        body = "".join(lines[block.start : block.end]).rstrip("\r\n")
        assert body in now, f"a {block.kind} was changed"
    for item in result.placed:
        for block in protected_blocks(before):
            assert not block.start < item.start < block.end


@given(st.lists(skills_with_edits(), min_size=1, max_size=8))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_git_applies_the_diff_and_takes_it_back(
    tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[Skill, list[Edit]]]
) -> None:
    for skill, edits in cases:
        result = apply_edits(skill, edits)
        assume(result.diff)
        folder = tmp_path_factory.mktemp("git")
        write(folder, skill)
        (folder.parent / "change.diff").write_bytes(result.diff.encode())
        git(folder, "apply", "--whitespace=nowarn", "../change.diff")
        assert read(folder) == {file.path: file.content for file in result.skill.files}
        git(folder, "apply", "--whitespace=nowarn", "--reverse", "../change.diff")
        assert read(folder) == {file.path: file.content for file in skill.files}


def test_git_applies_created_and_deleted_files(tmp_path: Path) -> None:
    skill = skill_of("\n[old](references/old.md)\n", **{"references/old.md": b"old\nno end"})
    edits = [
        Edit(op="create", file="references/new.md", content="# New"),
        Edit(op="replace_in_section", anchor="[old](references/old.md)", content="[new](references/new.md)"),
        Edit(op="delete_file", file="references/old.md"),
    ]
    result = apply_edits(skill, edits)
    assert result.problems == ()
    folder = tmp_path / "skill"
    folder.mkdir()
    write(folder, skill)
    (tmp_path / "change.diff").write_text(result.diff)
    git(folder, "apply", "../change.diff")
    assert read(folder) == {file.path: file.content for file in result.skill.files}
    git(folder, "apply", "--reverse", "../change.diff")
    assert read(folder) == {file.path: file.content for file in skill.files}


def write(folder: Path, skill: Skill) -> None:
    for file in skill.files:
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_bytes(file.content)


def read(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def git(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
