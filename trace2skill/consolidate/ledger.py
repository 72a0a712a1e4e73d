"""The support ledger: for every line that a refresh added to a skill, who asked for it and what shows it.

A ledger belongs to one version of a skill, by digest. It takes over what its parent's ledger says of the lines that are
still there, so that support outlives the version it came with.
"""

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from pydantic import Field

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.contradiction import opposed
from trace2skill.consolidate.groups import EditGroup, Support
from trace2skill.lesson import Lesson
from trace2skill.markdown import split_lines
from trace2skill.noun import Noun
from trace2skill.patch import Edit
from trace2skill.skill import Skill


class SupportRow(Noun):
    """Lines first..last of a file, counted from 1, and everything that speaks for and against them."""

    file: str
    first: int
    last: int
    group: str
    support: Support
    opposing: tuple[str, ...] = Field(default=(), description="Trajectories that ask for the opposite.")
    lessons: tuple[Lesson, ...] = Field(default=(), description="With their evidence: steps of their trajectories.")
    stands_for: tuple[str, ...] = Field(default=(), description="Ids of the edit groups merged into it.")


class SupportLedger(Noun):
    """The ledger of one version. `parent` is the skill it came from."""

    skill: str
    parent: str
    rows: tuple[SupportRow, ...] = ()


def build_ledger(
    base: Skill,
    skill: Skill,
    candidate: Candidate,
    lesson: Callable[[str], Lesson | None],
    parent: SupportLedger | None,
) -> SupportLedger:
    """The ledger of a candidate.

    Args:
        base: S0.
        skill: the candidate.
        candidate: what became of every group.
        lesson: looks a lesson up by its id.
        parent: the ledger of S0, if it has one.
    """
    rows = list(_inherited(base, skill, parent))
    for group in candidate.applied:
        lessons = tuple(found for id in group.lessons if (found := lesson(id)) is not None)
        sides = [side for conflict in candidate.open for side in conflict.sides if opposed(side.text, group.text)]
        opposing = tuple(sorted({id for side in sides for id in side.support.trajectories}))
        for edit in group.edits:
            for file, first, last in _places(base, skill, edit):
                rows.append(_row(group, file, first, last, opposing, lessons))
    rows.sort(key=lambda row: (row.file != "SKILL.md", row.file, row.first, row.group))
    return SupportLedger(skill=skill.digest, parent=base.digest, rows=tuple(rows))


def _row(
    group: EditGroup, file: str, first: int, last: int, opposing: tuple[str, ...], lessons: tuple[Lesson, ...]
) -> SupportRow:
    return SupportRow(
        file=file,
        first=first,
        last=last,
        group=group.id,
        support=group.support,
        opposing=opposing,
        lessons=lessons,
        stands_for=group.stands_for or (group.id,),
    )


def _places(base: Skill, skill: Skill, edit: Edit) -> Iterator[tuple[str, int, int]]:
    """Where the content of an edit stands in the new skill: among its new lines, and once."""
    wanted = [line.rstrip() for line in edit.content.strip("\r\n").splitlines()]
    if not wanted:
        return
    if edit.op == "set_description":
        wanted = []
    lines = [line.rstrip() for line in split_lines(skill.text(edit.file) or "")]
    new = _new_lines(base, skill, edit.file)
    for at in range(len(lines) - len(wanted) + 1):
        here = range(at, at + len(wanted))
        if wanted and lines[at : at + len(wanted)] == wanted and all(n in new for n in here if lines[n]):
            yield edit.file, at + 1, at + len(wanted)
            return


def _new_lines(base: Skill, skill: Skill, file: str) -> set[int]:
    old, now = (split_lines(version.text(file) or "") for version in (base, skill))
    codes = SequenceMatcher(None, old, now, autojunk=False).get_opcodes()
    return {line for tag, _, _, first, end in codes if tag in ("insert", "replace") for line in range(first, end)}


def _inherited(base: Skill, skill: Skill, parent: SupportLedger | None) -> Iterator[SupportRow]:
    """The parent's rows whose lines are all still there, at their new numbers."""
    by_file: dict[str, dict[int, int]] = {}
    for row in parent.rows if parent else ():
        if row.file not in by_file:
            by_file[row.file] = _moved(base, skill, row.file)
        now = [by_file[row.file].get(line) for line in range(row.first, row.last + 1)]
        if now[0] is not None and now == list(range(now[0], now[0] + len(now))):
            yield row.model_copy(update={"first": now[0], "last": now[0] + len(now) - 1})


def _moved(base: Skill, skill: Skill, file: str) -> dict[int, int]:
    """Old line number -> new one, counted from 1, of the lines that both versions have."""
    old, now = (split_lines(version.text(file) or "") for version in (base, skill))
    blocks: Sequence[tuple[int, int, int]] = SequenceMatcher(None, old, now, autojunk=False).get_matching_blocks()
    return {a + n + 1: b + n + 1 for a, b, size in blocks for n in range(size)}
