"""Where the content of an edit stands in a skill: the lines by which the ledger maps a group to what it wrote."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from trace2skill.consolidate.groups import EditGroup
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit

LineRange = tuple[str, int, int]
"""File, first and last line, counted from 1."""


def places_of(base: Skill, skill: Skill, edit: Edit) -> Iterator[LineRange]:
    """Where the content of an edit stands in the new skill: among its new lines, and once."""
    wanted = [line.rstrip() for line in edit.content.strip("\r\n").splitlines()]
    if not wanted or edit.op == "set_description":
        return
    lines = [line.rstrip() for line in split_lines(skill.text(edit.file) or "")]
    new = _new_lines(base, skill, edit.file)
    for at in range(len(lines) - len(wanted) + 1):
        here = range(at, at + len(wanted))
        if lines[at : at + len(wanted)] == wanted and all(n in new for n in here if lines[n]):
            yield edit.file, at + 1, at + len(wanted)
            return


def mapped(base: Skill, skill: Skill, group: EditGroup) -> int:
    """How many of a group's edits can be found in the new skill."""
    return sum(any(True for _ in places_of(base, skill, edit)) for edit in group.edits)


def moved_lines(base: Skill, skill: Skill, file: str) -> dict[int, int]:
    """Old line number -> new one, counted from 1, of the lines that both versions have."""
    old, now = (split_lines(version.text(file) or "") for version in (base, skill))
    blocks = SequenceMatcher(None, old, now, autojunk=False).get_matching_blocks()
    return {a + n + 1: b + n + 1 for a, b, size in blocks for n in range(size)}


def _new_lines(base: Skill, skill: Skill, file: str) -> set[int]:
    old, now = (split_lines(version.text(file) or "") for version in (base, skill))
    codes = SequenceMatcher(None, old, now, autojunk=False).get_opcodes()
    return {line for tag, _, _, first, end in codes if tag in ("insert", "replace") for line in range(first, end)}
