"""The segments of logs that an audit asks about: those from which a skill has not learned, as far as the store knows.

Sessions are told apart as for a gate on mined tasks: parts, forks and sub-agents of one, those of one task, and those
that ask the same in the same words are one group. Of a group from which the skill has learned nothing is audited.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from operator import not_

from pydantic import Field

from trace2skill.agents.loop import cut
from trace2skill.analysts.excerpt import excerpt
from trace2skill.analysts.reading import whole
from trace2skill.consolidate.cut import MARK, plain_words
from trace2skill.consolidate.standing import lines_of
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.mined.requests import LEANS, SHORTEST
from trace2skill.runs.learned_from import LearnedFrom
from trace2skill.runs.reading_progress import ReadingProgress
from trace2skill.runs.session_groups import SessionGroups, before_work, first_request, is_said
from trace2skill.runs.skill_usage import whole_of
from trace2skill.runs.sources import Sources
from trace2skill.safety.redaction import Redactor, redacted
from trace2skill.safety.shown import hides
from trace2skill.skills.skill import Skill
from trace2skill.traces import ReadFile, read_paths
from trace2skill.traces.outcomes import labelled, read_labels
from trace2skill.traces.own_format import reader_for
from trace2skill.traces.segments import segmented
from trace2skill.traces.stores import files_of
from trace2skill.traces.verdicts import Verdicts, verdicts_for
from trace2skill.types.trajectory import Step, Trajectory

SHOWN = 40_000
"""Characters of a session that writer and judges see; of a longer one what decides is kept first."""
REQUEST, BEFORE, AFTER, ANSWER = 8_000, 12_000, 2_000, 12_000
HEADER = re.compile(r"^## Step \d+ \(agent\)\n+", re.MULTILINE)
KEPT = 2_000
"""Segments whose texts are held while logs are read."""
KEPT_ALIKE = 50
"""Of these, such as begin with one request: more of one group would take the places of others."""
QUESTION = re.compile(r"[?？؟]\s")
SHOWN_THERE = "recorded with lines of the skill in sight: the agent without it would see them"
LEAST_LINE = 24
"""Characters of a line by which a skill is known again."""
NOT_ASKED = "not in the file of assertions, or there already"


class ShownSegment(Record):
    """One segment as texts, all of them redacted."""

    id: str
    session: str
    group: str = ""
    request: str
    before: str = Field(default="", description="What the log shows before the work began, besides the request.")
    recorded: str = Field(description="What happened.")
    after: str = Field(default="", description="What the person said next.")
    answer: str = Field(description="The recorded work in the form of an answer: what was called, and the last words.")
    steps: int = Field(description="How many there are.")
    outcome: str
    source: str


class AuditedSessions(Record):
    """Which segments are audited, and why the others are not."""

    segments: tuple[ShownSegment, ...]
    read: int = Field(description="Segments in the logs.")
    learned: int = Field(description="Segments of groups from which the skill has learned.")
    unfit: dict[str, int] = Field(description="By reason, segments that hold no request or no work of their own.")
    beyond: int = Field(default=0, exclude_if=not_, description="Segments that are left out since there are enough.")
    known: bool = Field(description="Does the store know what the skill has learned from? Else nothing is left out.")
    absent: tuple[str, ...] = Field(default=(), exclude_if=not_, description="Wanted segments that no log holds.")
    problems: int = Field(default=0, exclude_if=not_, description="Lines and files that could not be read.")


def sessions_to_audit(
    sources: Sources,
    taught: LearnedFrom,
    most: int,
    seed: int,
    wanted: Collection[str] | None = None,
    unwanted: Collection[str] = (),
    skills: Sequence[Skill] = (),
) -> AuditedSessions:
    """Read logs, and choose what is audited: of each group one segment first, then the second of each, and so on.

    Args:
        sources: the logs, their format and labels.
        taught: what the skill has learned from.
        most: segments at most.
        seed: which of many groups come first.
        wanted: ids of segments; None takes any.
        unwanted: ids of segments that are not taken.
        skills: that are audited: what was recorded with lines of theirs in sight is no work without them.

    Raises:
        BadInput: a path, the labels or the format is not what it should be, or no session was found.
    """
    verdicts = verdicts_for(files_of(sources.paths), read_labels(sources.labels) if sources.labels else None)
    reader = reader_for(sources.format) if sources.format else None
    choosing = _Choosing(verdicts, seed, wanted, unwanted, taught, telling_lines(skills))
    readings = read_paths(sources.paths, choosing, reader=reader, aside=verdicts.files)
    if not choosing.seen:
        first = f": {Redactor().text(str(readings.problems[0]))}" if readings.problems else ""
        raise BadInput(f"no session was found in {', '.join(map(str, sources.paths[:5]))}{first}")
    return choosing.chosen(most, readings.counts.get("problem", 0))


@dataclass
class _Choosing(ReadingProgress):
    """Takes what is read, and keeps the texts of what may be audited."""

    verdicts: Verdicts
    seed: int
    wanted: Collection[str] | None
    unwanted: Collection[str]
    taught: LearnedFrom
    lines: Collection[str]
    unfit: Counter[str] = field(default_factory=Counter)
    groups: SessionGroups = field(default_factory=SessionGroups)
    seen: list[str] = field(default_factory=list)
    """The ids of all segments."""
    kept: dict[str, ShownSegment] = field(default_factory=dict)
    alike: Counter[str] = field(default_factory=Counter)
    """How many texts are kept of those that begin with one request."""
    beyond: int = 0
    """Segments of which there was no room to keep the texts."""

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """See `Taker`."""
        del number
        clean, redactor = redacted(trajectory)
        self.groups.add(clean)
        parts = segmented(clean, trajectory)  # a placeholder may read as another beginning than what it stands for
        ends = [labelled(part, self.verdicts, file.path).outcome for part in segmented(trajectory)]
        of_another = whole_of(trajectory)[1]
        for place, (part, end) in enumerate(zip(parts, ends, strict=True)):
            self.seen.append(part.id)
            self.groups.add(part)
            why = "a sub-agent's, which nobody asked" if of_another else _why_unfit(trajectory, part, place)
            if why:
                self.unfit[why] += 1
            elif _shows(part, self.lines):
                self.unfit[SHOWN_THERE] += 1
            elif part.id in self.unwanted or (self.wanted is not None and part.id not in self.wanted):
                self.unfit[NOT_ASKED] += 1
            elif self._has_taught(part) or self._has_taught(clean):
                continue  # no room is taken up by what is left out in the end
            elif len(self.kept) >= KEPT or self.alike[began := first_request(part)] >= KEPT_ALIKE:
                self.beyond += 1
            else:
                self.alike[began] += 1
                later = parts[place + 1].steps if place + 1 < len(parts) else ()
                told = {"outcome": end.kind, "source": end.source, "session": redactor.text(trajectory.session)}
                self.kept[part.id] = _shown(part, later).model_copy(update=told)

    def chosen(self, most: int, problems: int) -> AuditedSessions:
        """What is audited."""
        known = {self.groups.of(id) for id in self._met()}
        by_group: dict[str, list[ShownSegment]] = {}
        for id, item in self.kept.items():
            if (name := self.groups.of(id)) not in known:
                by_group.setdefault(name, []).append(item.model_copy(update={"group": name}))
        ranked = sorted(
            (place, digest_of("audit", self.seed, name), item.id, item)
            for name, items in by_group.items()
            for place, item in enumerate(items)
        )
        found = [row[3] for row in ranked[:most]]
        learned = sum(self.groups.of(id) in known for id in self.seen)
        return AuditedSessions(
            segments=tuple(found),
            read=len(self.seen),
            learned=learned,
            unfit=dict(sorted(self.unfit.items())),
            beyond=self.beyond + len(ranked) - len(found),
            known=self.taught.known,
            absent=tuple(sorted({*(self.wanted or ())} - {*self.seen})),
            problems=problems,
        )

    def _has_taught(self, part: Trajectory) -> bool:
        """Has the skill learned from this, as far as can be said of it alone?"""
        ids = {part.id, part.parent, part.task_id} & self.taught.ids
        return bool(ids or self.groups.asked[part.id] & self.taught.asked)

    def _met(self) -> list[str]:
        """Names of these sessions under which the skill has learned."""
        ids, asked = self.taught.ids, self.taught.asked
        names = [id for id in self.groups.families.above if id in ids or id.removeprefix("task ") in ids]
        return [*names, *(id for id, said in self.groups.asked.items() if said & asked)]


def _why_unfit(trajectory: Trajectory, part: Trajectory, place: int) -> str:
    request = first_request(part)
    if trajectory.extra.get("taken_back"):
        return "taken back by the person"
    if len(request) < SHORTEST:
        return "no request of its own"
    if place and LEANS.search(request):
        return "its request leans on what was said before"
    if not any(step.tool_calls or step.message.strip() for step in part.steps if step.source == "agent"):
        return "no work"
    if _told_later(part):
        return "a conversation: what was wanted was told after the agent had asked"
    return ""


def telling_lines(skills: Sequence[Skill]) -> frozenset[str]:
    """The lines of skills' documents by which they are known again, in plain words; any agent is shown descriptions."""
    told = {line for skill in skills for line in lines_of(skill) if not line.startswith("description")}
    return frozenset(line for line in told if len(line) >= LEAST_LINE)


def _shows(part: Trajectory, lines: Collection[str]) -> bool:
    """Do lines of a skill stand in what both arms would be shown?"""
    told = [step.message for step in before_work(part)] if lines else []
    return any(plain_words(MARK.sub("", line)) in lines for text in told for line in text.splitlines())


def _told_later(part: Trajectory) -> bool:
    """Did the person answer a question before anything was called? An answer to the first words could only ask back."""
    work = part.steps[len(before_work(part)) :]
    called = next((place for place, step in enumerate(work) if step.tool_calls), len(work))
    asked = [step.source == "agent" and bool(QUESTION.search(f"{step.message} ")) for step in work[:called]]
    return any(
        before and step.source == "user" and is_said(step) for before, step in zip(asked, work[1:called], strict=False)
    )


def _shown(part: Trajectory, later: Sequence[Step]) -> ShownSegment:
    said_next = [step.message for step in later if step.source == "user" and step.message.strip()][:1]
    return ShownSegment(
        id=part.id,
        session=part.session,
        request=plain(first_request(part), REQUEST),
        before=plain(_before(part), BEFORE),
        recorded=plain(whole(_work(part), SHOWN, everyone=True), SHOWN),
        after=plain("".join(said_next), AFTER),
        answer=plain(as_answer(part), ANSWER),
        steps=len(part.steps),
        outcome=part.outcome.kind,
        source=part.outcome.source,
    )


def as_answer(part: Trajectory) -> str:
    """What was called in a segment, in its order, and the last words: as an agent would say that it would do it.

    Of a long one what changes something is kept first.
    """
    agent = [step for step in part.steps if step.source == "agent"]
    last = next((step.number for step in reversed(agent) if step.message.strip()), 0)
    steps = tuple(
        step.model_copy(
            update={"observations": (), "reasoning": "", "message": step.message if step.number == last else ""}
        )
        for step in agent
    )
    return HEADER.sub("", excerpt(part.model_copy(update={"steps": steps}), steps, ANSWER)).strip()


def _before(part: Trajectory) -> str:
    return "\n\n".join(step.message.strip() for step in before_work(part) if step.source == "system" and step.message)


def _work(part: Trajectory) -> Trajectory:
    """What happened from the first step of the agent on: the request is shown beside it."""
    return part.model_copy(update={"steps": part.steps[len(before_work(part)) :]})


def plain(text: str, most: int) -> str:
    """A text without signs that nobody sees, and of a long one what fits."""
    return cut("".join(sign for sign in text if not hides(sign)), most)
