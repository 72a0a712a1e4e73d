"""What a lesson must not be, checked by program before it goes on.

A lesson quotes no value of the answer, names neither task nor run nor a path of the workspace, points at steps that
exist, says what proves it, and says something that neither another lesson of its trajectory says nor a line of the
skill that it does not name. Of an environment it says when it holds. (A lesson that tells to disregard a request is not
dropped here: the screening keeps it for review.)
"""

import re
from collections.abc import Iterable, Sequence

from pydantic import Field

from trace2skill.analysts.report import LessonDraft, SkilledDraft
from trace2skill.core.record import Record
from trace2skill.core.similarity import similarity, words
from trace2skill.safety.leaks import in_words, repeated
from trace2skill.safety.people import people_in
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import Fault
from trace2skill.types.trajectory import Trajectory

WORKSPACE_PATH = re.compile(r"(?<![\w./])(?:/(?:workspace|tmp|home|root)\b|(?:input|output|trace)/\w)[\w./-]*")
SAYS_WHEN = re.compile(
    r"\b(?:when|where|wherever|whenever|if|unless|without|lacks?|missing|before (?:you )?rely\w*"
    r"|(?:not|isn't|aren't) (?:there|available|installed))\b",
    re.IGNORECASE,
)
"""What a rule about an environment must hold: it is not the same everywhere."""
SHORTEST_ID, SHORTEST_LINE = 3, 5
SAME = 0.8


class LessonRules(Record):
    """What the lessons drawn from one trajectory are checked against."""

    task_id: str
    trajectory_ids: tuple[str, ...]
    last_step: int
    gold_only: frozenset[str] = frozenset()
    people: frozenset[str] = Field(default=frozenset(), description="Persons and accounts that a log names.")
    conditional: bool = Field(default=False, description="Must a lesson say when it holds?")
    stated: tuple[str, ...] = Field(default=(), description="Lines of the skill that the agent had.")

    @classmethod
    def of(
        cls, trajectory: Trajectory, gold_only: Iterable[str], *others: Trajectory, skill: Skill | None = None
    ) -> "LessonRules":
        """The rules for lessons of `trajectory`, drawn with `others` at hand, of an agent that had `skill`."""
        return cls(
            task_id=trajectory.task_id,
            trajectory_ids=(trajectory.id, *(other.id for other in others)),
            last_step=len(trajectory.steps),
            gold_only=frozenset(gold_only),
            stated=_lines_of(skill) if skill else (),
        )

    @classmethod
    def of_log(cls, trajectory: Trajectory, gold: Iterable[str]) -> "LessonRules":
        """The rules for lessons of an imported trajectory: they name nobody whom it names, either."""
        return cls.of(trajectory, gold).model_copy(update={"people": frozenset(people_in(trajectory))})

    def of_cause(self, fault: Fault | None) -> "LessonRules":
        """The rules for lessons of a cause of that kind."""
        return self.model_copy(update={"conditional": fault == "environment"})

    def leaks_in(self, text: str) -> list[str]:
        """What a text gives away, in words that tell the analyst what to mend."""
        found = [f"it quotes '{value}' of the expected result" for value in in_words(text, self.gold_only)[:3]]
        found += [f"it repeats '{piece}' of the expected result" for piece in repeated(text, self.gold_only)[:1]]
        found += [f"it names '{id}'" for id in (*_ids(self.task_id), *self.trajectory_ids) if _names(text, id)]
        return found + [f"it names '{who}' of the log" for who in sorted(self.people) if _names(text, who)][:3]

    def broken_by(self, draft: LessonDraft, before: Sequence[LessonDraft], default_steps: Sequence[int]) -> list[str]:
        """The rules a lesson breaks, in words that tell the analyst what to mend."""
        text = "\n".join((draft.title, draft.description, draft.content))
        found = self.leaks_in(text)
        found += [f"it names the path '{path}' of the workspace" for path in WORKSPACE_PATH.findall(text)[:3]]
        missing = [step for step in draft.steps if not 1 <= step <= self.last_step]
        if missing:
            found.append(f"there is no step {missing[0]}: the last one is {self.last_step}")
        if not draft.steps and not default_steps:
            found.append("it points at no step that shows it")
        if not draft.proved_by.strip():
            found.append("it does not say what proves it (proved_by)")
        if self.conditional and not SAYS_WHEN.search(text):
            found.append("its cause is an environment, and it does not say when it holds ('Where ... is missing, ...')")
        if isinstance(draft, SkilledDraft) and draft.stands == "new":
            found += [
                f"the skill says it already ('{line}'): say how it stands to that line"
                for line in self.stated
                if similarity(draft.content, line) >= SAME
            ][:1]
        if any(similarity(_essence(draft), _essence(other)) >= SAME for other in before):
            found.append("it says the same as another lesson")
        return found

    def sort_out(
        self, drafts: Sequence[LessonDraft], default_steps: Sequence[int]
    ) -> tuple[list[LessonDraft], list[tuple[LessonDraft, str]]]:
        """Lessons that keep the rules, and those that do not with the reason."""
        kept: list[LessonDraft] = []
        broken: list[tuple[LessonDraft, str]] = []
        for draft in drafts:
            problems = self.broken_by(draft, kept, default_steps)
            if problems:
                broken.append((draft, "; ".join(problems)))
            else:
                kept.append(draft)
        return kept, broken


def complaint(broken: Sequence[tuple[LessonDraft, str]]) -> str:
    """What the analyst is told, once."""
    lines = [f"- '{draft.title}': {reason}" for draft, reason in broken]
    return "These lessons break the rules for lessons:\n" + "\n".join(lines)


def _ids(task_id: str) -> list[str]:
    """A task's id, and of one in parts (`retail:12`, a session's path) those parts that tell: long, and with digits."""
    parts = [part for part in re.split(r"[:/]", task_id) if len(part) >= 6 and re.search(r"\d", part)]
    return list(dict.fromkeys((task_id, *parts)))


def _names(text: str, id: str) -> bool:
    return len(id) >= SHORTEST_ID and re.search(rf"(?<![\w-]){re.escape(id)}(?![\w-])", text) is not None


def _lines_of(skill: Skill) -> tuple[str, ...]:
    """The lines of a skill that can be rules, list marks aside."""
    texts = (skill.text(file.path) or "" for file in skill.files if file.path.endswith(".md"))
    lines = (line.strip().lstrip("-*+> ").strip() for text in texts for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if len(words(line)) >= SHORTEST_LINE))


def _essence(draft: LessonDraft) -> str:
    return f"{draft.title} {draft.content}"
