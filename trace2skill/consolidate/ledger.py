"""The support ledger: for every line of a skill that a trace speaks for, who asked for it and what shows it.

A ledger belongs to one version of a skill, by digest. It takes over what its parent's ledger says of the lines that are
still there, and what later traces find stated already is added to the rows of those lines: so support outlives the
version it came with, and grows.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import not_

from pydantic import Field

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.groups import EditGroup, Saying, Support
from trace2skill.consolidate.lines import LineRange, moved_lines, places_of
from trace2skill.core.record import Record
from trace2skill.skills.markdown import line_of, split_lines
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import Lesson
from trace2skill.types.patch import Confirmation, Edit

FindLesson = Callable[[str], Lesson | None]


class SupportRow(Record):
    """Lines first..last of a file, counted from 1, and everything that speaks for and against them."""

    file: str
    first: int
    last: int
    group: str = Field(description="Id of the edit group that wrote them; '' for lines that were there before.")
    support: Support
    opposing: tuple[str, ...] = Field(default=(), description="Trajectories that ask for the opposite.")
    lessons: tuple[Lesson, ...] = Field(default=(), description="With their evidence: steps of their trajectories.")
    stands_for: tuple[str, ...] = Field(default=(), description="Ids of the edit groups merged into it.")
    path: tuple[str, ...] = Field(default=(), description="The merges that united them, from the leaves up.")
    seen: dict[str, int] = Field(default_factory=dict, description="Generation in which each trajectory spoke up.")
    said: tuple[Saying, ...] = Field(default=(), exclude_if=not_, description="Its supporters' own words for it.")
    against: tuple[Saying, ...] = Field(default=(), exclude_if=not_, description="Words that say the opposite.")
    shortened_from: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="The longer lines that they took the place of, the oldest first."
    )
    let_through: str = Field(
        default="", exclude_if=not_, description="What was suspected of it, and who called it harmless; '' for nothing."
    )


class SupportLedger(Record, form="SupportLedger", version=1):
    """The ledger of one version. `parent` is the skill it came from; `generation` counts versions from 1."""

    skill: str
    parent: str
    generation: int = 1
    rows: tuple[SupportRow, ...] = ()


def build_ledger(
    base: Skill,
    skill: Skill,
    candidate: Candidate,
    lesson: FindLesson,
    parent: SupportLedger | None,
    *,
    forget_after: int | None = None,
) -> SupportLedger:
    """The ledger of a candidate.

    Args:
        base: S0.
        skill: the candidate.
        candidate: what became of every group.
        lesson: looks a lesson up by its id.
        parent: the ledger of S0, if it has one.
        forget_after: votes of more than so many generations ago are not carried on; None keeps all.
    """
    generation = parent.generation + 1 if parent else 1
    rows = list(_inherited(base, skill, parent, generation, forget_after))
    judged = {item.group: item.in_words for item in candidate.let_through}
    for group, edits in (part for written in candidate.applied for part in _parts(written)):
        lessons = found_lessons(group.lessons, lesson)
        for edit in edits:
            for place in places_of(base, skill, edit):
                rows.append(_row(group, place, lessons, generation, judged.get(group.id, "")))
    return SupportLedger(skill=skill.digest, parent=base.digest, generation=generation, rows=in_order(rows))


def _parts(written: EditGroup) -> Iterator[tuple[EditGroup, tuple[Edit, ...]]]:
    """Groups with the edits each asks for: of a file of many rules, each rule, and the link for all of them."""
    files = {edit.file for rule in written.inner for edit in rule.edits}
    yield from ((rule, rule.edits) for rule in written.inner)
    yield written, tuple(edit for edit in written.edits if edit.file not in files)


def inherited_ledger(parent: Skill, skill: Skill, ledger: SupportLedger) -> SupportLedger:
    """The ledger of a version that people made out of `parent`: its rows whose lines are still there."""
    rows = in_order(_inherited(parent, skill, ledger, ledger.generation, None))
    return SupportLedger(skill=skill.digest, parent=parent.digest, generation=ledger.generation, rows=rows)


def confirmed(
    ledger: SupportLedger | None, skill: Skill, confirmations: Iterable[Confirmation], lesson: FindLesson
) -> SupportLedger:
    """The ledger with the votes of lessons that found their rule stated already. A vote counts once.

    Args:
        ledger: of `skill`; None where no refresh wrote a line of it yet.
        skill: the version the confirmations speak of, or one made from it.
        confirmations: lessons and the lines that state them.
        lesson: looks a lesson up by its id.
    """
    now = ledger or SupportLedger(skill=skill.digest, parent="")
    rows = list(now.rows)
    for item in confirmations:
        found, line = lesson(item.lesson), line_of(skill.text(item.file) or "", item.text)
        if found is None or line is None:
            continue
        vote = _vote(found)
        spoken = {found.trajectory_id: now.generation}
        at = next((n for n, row in enumerate(rows) if row.file == item.file and row.first <= line <= row.last), None)
        if at is None:
            place = {"file": item.file, "first": line, "last": line, "group": ""}
            rows.append(SupportRow(**place, support=vote, lessons=(found,), seen=spoken))
            continue
        rows[at] = rows[at].model_copy(
            update={
                "support": Support.union([rows[at].support, vote]),
                "lessons": _distinct((*rows[at].lessons, found)),
                "seen": {**spoken, **rows[at].seen},
            }
        )
    return now.model_copy(update={"rows": in_order(rows)})


def united_ledgers(one: SupportLedger | None, other: SupportLedger) -> SupportLedger:
    """Two ledgers of the same version: what either knows. The same lines of the same group are one row."""
    rows = {(row.file, row.first, row.last, row.group): row for row in (one.rows if one else ())}
    for row in other.rows:
        before = rows.get((row.file, row.first, row.last, row.group))
        rows[row.file, row.first, row.last, row.group] = row if before is None else _united(before, row)
    return other.model_copy(update={"rows": in_order(rows.values())})


def in_order(rows: Iterable[SupportRow]) -> tuple[SupportRow, ...]:
    """Rows in the order of a reader: SKILL.md first, then by file and line."""
    return tuple(sorted(rows, key=lambda row: (row.file != "SKILL.md", row.file, row.first, row.group)))


def _row(
    group: EditGroup, place: tuple[str, int, int], lessons: tuple[Lesson, ...], now: int, let_through: str
) -> SupportRow:
    file, first, last = place
    return SupportRow(
        file=file,
        first=first,
        last=last,
        group=group.id,
        support=group.support,
        opposing=tuple(sorted({saying.trajectory_id for saying in group.against})),
        lessons=lessons,
        stands_for=group.stands_for or (group.id,),
        path=group.path,
        seen=dict.fromkeys(group.support.trajectories, now),
        said=group.said,
        against=group.against,
        let_through=let_through,
    )


def _inherited(
    base: Skill, skill: Skill, parent: SupportLedger | None, generation: int, forget_after: int | None
) -> Iterator[SupportRow]:
    """The parent's rows whose lines are all still there, at their new numbers, without the votes that are too old."""
    by_file: dict[str, dict[int, int]] = {}
    for row in parent.rows if parent else ():
        if row.file not in by_file:
            by_file[row.file] = moved_lines(base, skill, row.file)
        now = [by_file[row.file].get(line) for line in range(row.first, row.last + 1)]
        if now[0] is not None and now == list(range(now[0], now[0] + len(now))):
            kept = row if forget_after is None else _without_votes_before(row, generation - forget_after)
            yield kept.model_copy(update={"first": now[0], "last": now[0] + len(now) - 1})


def _without_votes_before(row: SupportRow, oldest: int) -> SupportRow:
    seen = {id: generation for id, generation in row.seen.items() if generation >= oldest}
    lessons = tuple(lesson for lesson in row.lessons if lesson.trajectory_id in seen)
    votes = [_vote(lesson) for lesson in lessons]
    said = tuple(saying for saying in row.said if saying.trajectory_id in seen)
    return row.model_copy(update={"support": Support.union(votes), "lessons": lessons, "seen": seen, "said": said})


def _vote(lesson: Lesson) -> Support:
    return Support.of(lesson.trajectory_id, lesson.task_id, lesson.kind, weak=lesson.counts_half)


def with_shorter_lines(
    made: SupportLedger, before: SupportLedger, skill: Skill, shorter: Iterable[tuple[LineRange, str, EditGroup]]
) -> SupportLedger:
    """The ledger of a version in which some lines are said in fewer words: who spoke for the old ones speaks for these.

    Args:
        made: what the version has inherited.
        before: the ledger of the version before.
        skill: the version.
        shorter: lines as they were in the version before, the line that took their place, and who asks for it, for
            lines that no row of `before` knows.
    """
    rows = {(row.file, row.first, row.last, row.group): row for row in made.rows}
    for (file, first, last), says, group in shorter:
        line = next((n for n, text in enumerate(split_lines(skill.text(file) or ""), 1) if text.rstrip() == says), None)
        if line is None:
            continue  # another version: somebody has changed it since
        old = [row for row in before.rows if row.file == file and first <= row.first and row.last <= last]
        place = {"file": file, "first": line, "last": line}
        old = old or [SupportRow(**place, group="", support=group.support, said=group.said)]
        for row in old:
            from_ = tuple(dict.fromkeys((*row.shortened_from, group.text.strip())))
            moved = row.model_copy(update={**place, "shortened_from": from_})
            key = (file, line, line, row.group)
            rows[key] = _united(rows[key], moved) if key in rows else moved
    return made.model_copy(update={"rows": in_order(rows.values())})


def _united(one: SupportRow, other: SupportRow) -> SupportRow:
    return one.model_copy(
        update={
            "stands_for": tuple(dict.fromkeys((*one.stands_for, *other.stands_for))),
            "shortened_from": tuple(dict.fromkeys((*one.shortened_from, *other.shortened_from))),
            "support": Support.union([one.support, other.support]),
            "opposing": tuple(sorted({*one.opposing, *other.opposing})),
            "lessons": _distinct((*one.lessons, *other.lessons)),
            "seen": {**other.seen, **one.seen},
            "said": tuple(dict.fromkeys((*one.said, *other.said))),
            "against": tuple(dict.fromkeys((*one.against, *other.against))),
        }
    )


def found_lessons(ids: Iterable[str], lesson: FindLesson) -> tuple[Lesson, ...]:
    """The lessons of these ids that can still be found, each once, in the order of ids."""
    return _distinct(found for id in ids if (found := lesson(id)) is not None)


def _distinct(lessons: Iterable[Lesson]) -> tuple[Lesson, ...]:
    by_id = {lesson.id: lesson for lesson in lessons}
    return tuple(by_id[id] for id in sorted(by_id))
