"""The miner: lessons from trajectories by rules alone, without a model.

It looks for what can be seen in the calls and their answers: a call that failed and, changed, then worked; an error
that recurs, in the session or over sessions; the same fact read again and again; a write after which nothing is looked
at. What differs from case to case (paths, numbers, ids, quoted values, addresses) is taken out of every text, so that
the same finding has the same words in every session and the program unites its support. Nothing of a conversation's
content gets in but names of tools, arguments, programs and flags, and the fixed words of error messages.

The proof is `observed`: the steps show it, and nobody ran a fix. The rules do not look at how a trajectory ended.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from trace2skill.analysts.checks import LessonRules
from trace2skill.analysts.events import Event, events_of, normal_command, recovered
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.core.digest import canonical_json
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import DroppedLesson, Evidence, Extraction, Lesson
from trace2skill.types.patch import Edit, Patch
from trace2skill.types.trajectory import OutcomeKind, ToolCall, Trajectory

VERSION = "rules 2"
SECTION = "Learned from traces"
LESSONS_EACH = 3
OFTEN = 3


class Mined(NamedTuple):
    """What a rule found in one trajectory. Title and content are the same wherever the rule finds the same."""

    title: str
    content: str
    first: int
    last: int


class RulesMiner:
    """The rules as an analyst of imported trajectories: it asks no model."""

    name: ClassVar[str] = "rules"
    stage: ClassVar[Stage] = "observe"
    signal: ClassVar[str] = ""
    way: ClassVar[str] = "rules"
    outcomes: ClassVar[tuple[OutcomeKind, ...]] = ("passed", "failed", "unknown")
    runs_commands: ClassVar[bool] = False
    tokens: ClassVar[tuple[int, int]] = (0, 0)
    calls: ClassVar[int] = 0

    def __init__(self, means: Means) -> None:
        del means

    @property
    def identity(self) -> str:
        """What an extraction's key holds of the rules."""
        return VERSION

    def examine(self, case: Case) -> list[Extraction]:
        """See `mine_one`."""
        return mine_one(case.trajectory, case.gold)


def mine(trajectories: Iterable[Trajectory]) -> list[Extraction]:
    """What the rules find in each trajectory: extractions of at most three lessons, in the order of the rules.

    A trajectory with nothing to find gives one extraction with the verdict `nothing_learned`.
    """
    return [extraction for trajectory in trajectories for extraction in mine_one(trajectory)]


def mine_one(trajectory: Trajectory, gold: Sequence[str] = ()) -> list[Extraction]:
    """What the rules find in one trajectory, without what would give something of its log away.

    It depends on that trajectory alone. `gold` is what its log says of the expected answer.
    """
    events = events_of(trajectory)
    found: dict[str, list[Mined]] = {}
    for finding in (*_fixed(events), *_recurring(events), *_read_again(events), *_unverified(events)):
        found.setdefault(finding.content, []).append(finding)
    kind = "success" if trajectory.outcome.kind == "passed" else "error"  # whose vote it is; a pass has its flaws, too
    common: dict[str, Any] = {"trajectory_id": trajectory.id, "task_id": trajectory.task_id, "kind": kind}
    lessons = [
        Lesson(
            **common,
            proof="observed",
            title=same[0].title[:120],
            description=f"Seen in the log: {same[0].title[:1].lower()}{same[0].title[1:]}."[:400],
            content=same[0].content[:1500],
            evidence=tuple(Evidence(first=item.first, last=item.last) for item in same[:5]),
        )
        for same in found.values()
    ]
    rules = LessonRules.of_log(trajectory, gold)
    leaks = {lesson.id: rules.leaks_in(f"{lesson.title}\n{lesson.content}") for lesson in lessons}
    dropped = tuple(
        DroppedLesson(title=item.title, content=item.content, reason="; ".join(leaks[item.id]))
        for item in lessons
        if leaks[item.id]
    )
    lessons = [lesson for lesson in lessons if not leaks[lesson.id]]
    if not lessons:
        return [Extraction(**common, verdict="nothing_learned", dropped=dropped, reason="no rule found anything")]
    parts = [lessons[at : at + LESSONS_EACH] for at in range(0, len(lessons), LESSONS_EACH)]
    first, *others = [Extraction(**common, verdict="lessons", lessons=tuple(part)) for part in parts]
    return [first.model_copy(update={"dropped": dropped}), *others]


def patch_of(extraction: Extraction, base: Skill) -> Patch:
    """The lessons of an extraction as a patch of `base`, written by program: a bullet each."""
    edits = tuple(
        Edit(op="add_section", title=SECTION, content=f"- {lesson.content}", lessons=(lesson.id,))
        for lesson in extraction.lessons
        if lesson.content not in base.body
    )
    return Patch(
        trajectory_id=extraction.trajectory_id,
        task_id=extraction.task_id,
        base=base.digest,
        verdict="patch" if edits else "nothing_to_add",
        edits=edits,
        reason="" if edits else "the skill says it already",
    )


def _fixed(events: list[Event]) -> Iterator[Mined]:
    """A call that failed, and the same tool called with other arguments soon after, which worked."""
    for event, later in recovered(events):
        yield Mined(
            f"{event.tool} failed, and worked with other arguments",
            f'When `{event.tool}` answers "{event.error}", read the message, {_correction(event, later)}; '
            "do not repeat the same call.",
            event.step,
            later.step,
        )


def _recurring(events: list[Event]) -> Iterator[Mined]:
    """An error that was not put right: once in a session is enough, since its support counts sessions."""
    fixed = {(event.step, event.call.id) for event, _ in recovered(events)}
    seen: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        if event.error:
            seen.setdefault((event.tool, event.error), []).append(event)
    for (tool, error), same in seen.items():
        if len(same) >= 2 or (same[0].step, same[0].call.id) not in fixed:
            yield Mined(
                f"{tool} failed in the same way again and again",
                f'Before calling `{tool}`, check what leads to "{error}"; after it happened once, find out why before '
                "trying again.",
                same[0].step,
                same[-1].step,
            )


def _read_again(events: list[Event]) -> Iterator[Mined]:
    """The same read with the same arguments three times and more, and no write in between."""
    seen: dict[str, list[Event]] = {}
    for event in events:
        if event.writes:
            seen.clear()
        elif event.reads and not event.failed and event.call.arguments:
            key = canonical_json([event.name, event.call.arguments])
            seen.setdefault(key, []).append(event)
            if len(seen[key]) == OFTEN:
                yield Mined(
                    f"{event.tool} was asked for the same thing {OFTEN} times",
                    f"Keep what `{event.tool}` answered and use it again: do not ask for the same thing while nothing "
                    "was changed.",
                    seen[key][0].step,
                    event.step,
                )


def _unverified(events: list[Event]) -> Iterator[Mined]:
    """A last write that worked, after which nothing was looked at or run, in a session that has a tool to do so."""
    writes = [at for at, event in enumerate(events) if event.writes and not event.failed]
    if not writes or not any(_looks(event) for event in events):
        return
    last = writes[-1]
    if not any(_looks(event) for event in events[last + 1 :]):
        yield Mined(
            f"nothing was read after {events[last].tool}",
            f"After `{events[last].tool}`, read the result back and compare it with what was asked before you say "
            "that it is done.",
            events[last].step,
            events[last].step,
        )


def _looks(event: Event) -> bool:
    return event.reads or (event.is_shell and not event.writes)


def _correction(failed: Event, worked: Event) -> str:
    """What to do instead, in words that are the same wherever the same was changed."""
    if failed.is_shell:
        before, after = normal_command(failed.command), normal_command(worked.command)
        if after and before != after:
            return f"and use `{after}` instead of `{before}`"
        return "correct the command and call it again"
    return f"correct {_changed(failed.call, worked.call)} and call it again"


def _changed(before: ToolCall, after: ToolCall) -> str:
    names = sorted(
        name
        for name in before.arguments.keys() | after.arguments.keys()
        if before.arguments.get(name) != after.arguments.get(name) and re.fullmatch(r"[A-Za-z_]{1,40}", name)
    )
    return f"`{names[0]}`" if len(names) == 1 else "its arguments"
