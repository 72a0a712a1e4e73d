"""Placing an edit: where exactly it lands in the frozen S0, or why it cannot land at all."""

import json
import re
from difflib import SequenceMatcher
from pathlib import PurePosixPath

from pydantic import Field

from trace2skill.core.program import parse_program
from trace2skill.core.record import Record
from trace2skill.skills.file_names import wrong_name
from trace2skill.skills.markdown import (
    Block,
    Section,
    block_tokens,
    closes_its_fences,
    find_section,
    front_matter_end,
    moves_headings,
    protected_blocks,
    sections,
    split_lines,
    value_lines,
)
from trace2skill.skills.near import stems
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit, Unplaced

FUZZY = 0.85
LIST_ITEM = re.compile(r"\s*([-*+]|\d+[.)])\s")


class EditPolicy(Record):
    """What a patch may touch besides SKILL.md and `references/*.md`."""

    allow_scripts: bool = Field(default=False, description="Scripts may be created and deleted; they must parse.")
    allow_description: bool = Field(default=False, description="The description in the front matter may change.")


class Placed(Record):
    """Where an edit lands: lines start..end of S0's file give way to `text`. A new file has start = end = 0.

    At one place, text for existing sections comes first, then new sections, the deepest first, so that nothing is cut.
    """

    edit: Edit
    start: int
    end: int
    text: str
    whole_file: bool = False
    region: tuple[int, int] = Field(default=(0, 0), description="Lines of the section it changes, with subsections.")
    heading: str = Field(default="", description="The heading a new section starts with.")
    level: int = Field(default=0, description="Level of a new section, 0 for anything else.")


class _CannotPlace(Exception):
    pass


def place(skill: Skill, edit: Edit, policy: EditPolicy = EditPolicy()) -> Placed | Unplaced:
    """Where an edit lands in a skill. Never raises: what cannot land comes back with its reason."""
    try:
        _check_path(edit, policy)
        if edit.op in ("create", "delete_file"):
            return _place_file(skill, edit)
        if edit.op == "set_description":
            return _place_description(skill, edit, policy)
        found = _place_lines(skill, edit)
        if moves_headings(skill.text(edit.file) or "", found.start, found.end, found.text):
            raise _CannotPlace("the content would hide headings that follow, or make one of the text above it")
        return found
    except _CannotPlace as reason:
        return Unplaced(edit=edit, reason=str(reason))


def _check_path(edit: Edit, policy: EditPolicy) -> None:
    path = PurePosixPath(edit.file)
    parts = edit.file.split("/")
    if (
        path.is_absolute()
        or "\\" in edit.file
        or any(part in ("", ".", "..") or part.startswith(".") for part in parts)
    ):
        raise _CannotPlace(f"'{edit.file}' is not a path inside the skill")
    if edit.file == "SKILL.md":
        if edit.op in ("create", "delete_file"):
            raise _CannotPlace("SKILL.md is neither created nor deleted by a patch")
    elif parts[0] == "scripts" and len(parts) > 1:
        if not policy.allow_scripts:
            raise _CannotPlace("scripts are not allowed to change here")
        if edit.op not in ("create", "delete_file"):
            raise _CannotPlace("a script is created or deleted as a whole")
        _check_script(edit)
    elif parts[0] != "references" or len(parts) < 2 or path.suffix != ".md":
        raise _CannotPlace(f"'{edit.file}' is none of SKILL.md and references/NAME.md")


def _check_script(edit: Edit) -> None:
    if edit.op == "create" and edit.file.endswith(".py"):
        try:
            parse_program(edit.content)
        except SyntaxError as error:
            raise _CannotPlace(f"the script does not parse: {error}") from error


def _place_file(skill: Skill, edit: Edit) -> Placed:
    there = any(file.path == edit.file for file in skill.files)
    if edit.op == "delete_file":
        if not there:
            raise _CannotPlace(f"there is no file {edit.file}")
        return Placed(edit=edit, start=0, end=0, text="", whole_file=True)
    if there:
        raise _CannotPlace(f"{edit.file} exists already")
    if not edit.content.strip():
        raise _CannotPlace("a new file needs content")
    if problem := wrong_name(edit.file, [file.path for file in skill.files]):
        raise _CannotPlace(problem)
    return Placed(edit=edit, start=0, end=0, text=edit.content.rstrip() + "\n", whole_file=True)


def _place_description(skill: Skill, edit: Edit, policy: EditPolicy) -> Placed:
    if not policy.allow_description:
        raise _CannotPlace("the description is not allowed to change here")
    if edit.file != "SKILL.md":
        raise _CannotPlace("only SKILL.md has a description")
    words = " ".join(edit.content.split())
    if not words:
        raise _CannotPlace("the edit has no content")
    text = skill.text("SKILL.md") or ""
    try:
        start, end = value_lines(text, "description")
    except ValueError as error:
        raise _CannotPlace(str(error)) from error
    line = f"description: {json.dumps(words, ensure_ascii=False)}\n"  # a JSON string is a YAML string
    return Placed(edit=edit, start=start, end=end, text=_with(newline_of(text), line))


def _place_lines(skill: Skill, edit: Edit) -> Placed:
    text = skill.text(edit.file)
    if text is None:
        raise _CannotPlace(f"there is no text file {edit.file}")
    if edit.op == "add_section":
        return _place_new_section(text, edit)
    section = _section(text, edit)
    if edit.op == "delete_section":
        return Placed(edit=edit, start=section.heading_start, end=section.tree_end, text="", region=_region(section))
    _check_content(edit, section)
    lines = split_lines(text)
    if edit.op == "append_to_section":
        return _insertion(text, edit, _behind_its_list(text, lines, edit.content, section), section)
    if edit.op == "replace_in_section" and not edit.anchor.strip():
        start, end = _content(lines, section)
        return _replacement(text, edit, start, end, section)
    start, end = _find_anchor(lines, edit, section)
    if edit.op == "replace_in_section":
        _check_nothing_is_cut_off(edit, end, _end_of_content(lines, section))
        return _replacement(text, edit, start, end, section)
    at = start if edit.op == "insert_before" else end
    for block in protected_blocks(text):
        if block.start < at < block.end:
            at = block.start if edit.op == "insert_before" else block.end
    _check_nothing_is_cut_off(edit, at, _end_of_content(lines, section))
    return _insertion(text, edit, at, section)


def _place_new_section(text: str, edit: Edit) -> Placed:
    title = " ".join(edit.title.split())
    if not title:
        raise _CannotPlace("a new section needs a title")
    parent = _section(text, edit) if edit.section else None
    there = find_section(text, (*(parent.path if parent else ()), title)) if parent else _top(text, title)
    if there is not None:
        _check_content(edit, there)
        return _insertion(text, edit, _end_of_content(split_lines(text), there), there)
    level = min(parent.level + 1, 6) if parent else _top_level(text)
    _check_content(edit, None, above=level)
    lines = split_lines(text)
    at = parent.tree_end if parent else len(lines)
    while at > 0 and not lines[at - 1].strip():
        at -= 1
    body = edit.content.strip("\r\n") + "\n"
    heading = f"{'#' * level} {title}"
    return Placed(edit=edit, start=at, end=at, text=_with(newline_of(text), body), heading=heading, level=level)


def _section(text: str, edit: Edit) -> Section:
    if not edit.section:
        first = sections(text)
        start = front_matter_end(text)
        end = first[0].heading_start if first else len(split_lines(text))
        return Section(path=(), level=0, heading_start=start, content_start=start, end=end, tree_end=end)
    found = find_section(text, edit.section)
    if found is None:
        raise _CannotPlace(f"{edit.file} has no section {' > '.join(edit.section)}")
    return found


def _check_content(edit: Edit, section: Section | None, above: int = 0) -> None:
    if not edit.content.strip():
        raise _CannotPlace("the edit has no content")
    if not closes_its_fences(edit.content):
        raise _CannotPlace("the content opens a code fence that it does not close")
    highest = section.level if section else above
    if any(inner.level <= highest for inner in sections(edit.content)):
        raise _CannotPlace(f"the content has a heading of level {highest} or above, which would cut the section")
    if front_matter_end(edit.content):
        raise _CannotPlace("the content starts with front matter")


def _check_nothing_is_cut_off(edit: Edit, at: int, end: int) -> None:
    """A heading in the middle of a section's own text would take what follows away from the section."""
    if at < end and sections(edit.content):
        raise _CannotPlace("the content has a heading and text of the section follows it: append it, or add a section")


def _find_anchor(lines: list[str], edit: Edit, section: Section) -> tuple[int, int]:
    """The one place of the anchor: exact lines, then with white space normalised, then the closest, if unique."""
    wanted = [line.rstrip("\r\n") for line in split_lines(edit.anchor.strip("\r\n"))]
    if not any(line.strip() for line in wanted):
        raise _CannotPlace("the edit names no anchor")
    start, end = section.content_start, section.end
    spans = [(at, at + len(wanted)) for at in range(start, end - len(wanted) + 1)]
    have = {span: [line.rstrip("\r\n") for line in lines[span[0] : span[1]]] for span in spans}
    for normal in (lambda text: text, lambda text: " ".join(text.split())):
        found = [span for span in spans if [normal(x) for x in have[span]] == [normal(x) for x in wanted]]
        if len(found) == 1:
            return found[0]
        if found:
            raise _CannotPlace(f"the anchor stands {len(found)} times in the section")
    joined = " ".join(" ".join(wanted).split())
    ratios = {span: SequenceMatcher(None, joined, " ".join(" ".join(have[span]).split())).ratio() for span in spans}
    close = sorted((span for span in spans if ratios[span] >= FUZZY), key=lambda span: -ratios[span])
    if not close or (len(close) > 1 and ratios[close[0]] - ratios[close[1]] < 0.05):
        raise _CannotPlace(
            "the anchor is not in the section" if not close else "the anchor is not unique in the section"
        )
    return close[0]


def _replacement(text: str, edit: Edit, start: int, end: int, section: Section) -> Placed:
    for block in protected_blocks(text):
        if _is_rows(text, block, start, end) and all(_is_row(line) for line in split_lines(edit.content.strip())):
            continue
        inside = block.start < start and end < block.end
        overlaps = block.start < end and start < block.end
        covered = start <= block.start and block.end <= end
        if overlaps and not covered and not (inside and block.kind == "fence"):
            raise _CannotPlace(f"the anchor cuts into a {block.kind.removesuffix('_open')} block")
        if inside and re.search(r"^[ \t]*(```|~~~)", edit.content, re.MULTILINE):
            raise _CannotPlace("the content would close the code fence it stands in")
    lines = split_lines(text)
    body = _with(newline_of(text), edit.content.strip("\r\n") + "\n")
    if end == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        body = body.rstrip("\r\n")
    return Placed(edit=edit, start=start, end=end, text=body, region=_region(section))


def _insertion(text: str, edit: Edit, at: int, section: Section) -> Placed:
    lines, newline = split_lines(text), newline_of(text)
    content = edit.content.strip("\r\n")
    before = lines[at - 1] if at > section.content_start else ""
    after = lines[at] if at < len(lines) else ""
    tight = _is_item(before) and _is_item(content)
    heading_above = at <= section.content_start and bool(section.path)
    body = ("\n" if (before.strip() or heading_above) and not tight else "") + content + "\n"
    if after.strip() and not (_is_item(after) and _is_item(split_lines(content)[-1]) and at < section.end):
        body += "\n"
    return Placed(edit=edit, start=at, end=at, text=_with(newline, body), region=_region(section))


def _is_rows(text: str, block: Block, start: int, end: int) -> bool:
    """Are these lines rows of the body of a table?"""
    return block.kind == "table_open" and block.start + 2 <= start and end <= block.end


def _is_row(line: str) -> bool:
    return bool(re.fullmatch(r"\s*\|.*\|\s*", line))


def _content(lines: list[str], section: Section) -> tuple[int, int]:
    start, end = section.content_start, _end_of_content(lines, section)
    while start < end and not lines[start].strip():
        start += 1
    return start, end


def _end_of_content(lines: list[str], section: Section) -> int:
    """Behind the last line of a section's own text that is not empty."""
    end = section.end
    while end > section.content_start and not lines[end - 1].strip():
        end -= 1
    return end


def _behind_its_list(text: str, lines: list[str], content: str, section: Section) -> int:
    """Where an item goes: behind the list of its section that it is most like, the last of several; else to the end.

    A list that a table or a code block follows goes on where it is, not behind them.
    """
    end = _end_of_content(lines, section)
    if not _is_item(content) or sections(content):
        return end
    kind = "bullet_list_open" if content.lstrip()[0] in "-*+" else "ordered_list_open"
    lists = [
        token.map
        for token in block_tokens(text)
        if token.type == kind and token.map and section.content_start <= token.map[0] and token.map[1] <= section.end
    ]
    wanted = stems(content)
    ends = [(len(wanted & stems("".join(lines[a:b]))), _last_line(lines, a, b)) for a, b in lists]
    return max(ends)[1] if ends else end


def _last_line(lines: list[str], start: int, end: int) -> int:
    """Behind the last line of a range that is not empty."""
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end


def _top(text: str, title: str) -> Section | None:
    level = _top_level(text)
    return next((s for s in sections(text) if s.path[-1] == title and s.level == level), None)


def _top_level(text: str) -> int:
    """The level of a new top section: 2 below a single title, else that of the first heading."""
    found = sections(text)
    titles = [section for section in found if section.level == 1]
    if len(titles) == 1 and found[0].level == 1:
        return 2
    return found[0].level if found else 2


def _region(section: Section) -> tuple[int, int]:
    return (section.heading_start, section.tree_end)


def _is_item(line: str) -> bool:
    return bool(LIST_ITEM.match(line))


def newline_of(text: str) -> str:
    """The line end that most lines of a text have."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def _with(newline: str, text: str) -> str:
    return re.sub(r"\r\n|\n|\r", lambda _: newline, text)
