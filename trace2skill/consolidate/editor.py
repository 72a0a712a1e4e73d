"""The editor: wording of what is already decided, and repair of a file that fails validation. It decides nothing.

A reworded rule keeps its group, its place and its polarity; where the program cannot tell that, the rule stays as
it was merged. A repair sees and changes one file.
"""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from trace2skill.consolidate.contradiction import CONDITION, FORBIDS
from trace2skill.consolidate.groups import EditGroup
from trace2skill.core.errors import BadAnswer
from trace2skill.core.similarity import similarity, words
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.prompts import prompt_digest, render
from trace2skill.skills.markdown import links, section_text, sections
from trace2skill.skills.skill import Skill

PROMPTS = ("editor", "editor_task", "repairer", "repairer_task")
LEAST_ALIKE = 0.3  # share of common words below which a rewording is taken for another rule
REWORDED = ("append_to_section", "insert_after", "insert_before", "add_section")


class WordedRule(BaseModel):
    """A rule as the editor words it."""

    model_config = ConfigDict(extra="ignore")
    id: str
    content: str


class Rewording(BaseModel):
    """What the editor answers: every rule of the section once."""

    model_config = ConfigDict(extra="ignore")
    rules: list[WordedRule]


class RepairedFile(BaseModel):
    """What the repairer answers: the whole file."""

    model_config = ConfigDict(extra="ignore")
    content: str


class Editor(Protocol):
    """Rewords the rules of a section, mends a file."""

    def reword(self, base: Skill, groups: Sequence[EditGroup]) -> list[EditGroup]:
        """The groups, all of one section, in the wording of the editor where that keeps what they say."""

    def repair(self, skill: Skill, path: str, problems: Sequence[str]) -> Skill | None:
        """The skill with one file mended; None where no usable answer came."""


class ModelEditor:
    """The editor played by a model."""

    def __init__(self, client: Client, model: ModelSettings, step: StepLabel) -> None:
        self._client = client
        self._model = model
        self._step = step

    def reword(self, base: Skill, groups: Sequence[EditGroup]) -> list[EditGroup]:
        """See `Editor`."""
        edit = groups[0].edits[0]
        section = section_text(base.text(edit.file) or "", edit.section)
        task = render("editor_task", section=section, rules=[(group.id, group.edits[0].content) for group in groups])
        try:
            answer = ask(self._client, self._request("editor", task), Rewording, step=self._step.asking_for("wording"))
        except BadAnswer:
            return list(groups)
        said = {rule.id: rule.content for rule in answer.rules}
        if sorted(said) != sorted(group.id for group in groups) or len(answer.rules) != len(groups):
            return list(groups)
        return [reworded(group, said[group.id]) for group in groups]

    def repair(self, skill: Skill, path: str, problems: Sequence[str]) -> Skill | None:
        """See `Editor`."""
        task = render("repairer_task", path=path, text=skill.text(path) or "", problems=problems)
        try:
            answer = ask(
                self._client, self._request("repairer", task), RepairedFile, step=self._step.asking_for("repair", path)
            )
        except BadAnswer:
            return None
        return skill.with_files({path: (answer.content.rstrip() + "\n").encode()})

    def _request(self, prompt: str, task: str) -> Request:
        messages = ({"role": "system", "content": render(prompt)}, {"role": "user", "content": task})
        return Request(role="merger", settings=self._model, messages=messages)


def editor_identity(model: ModelSettings) -> dict[str, object]:
    """What a candidate's key holds of the editor."""
    return {"editor": 1, "model": model.identity, "prompts": prompt_digest(*PROMPTS)}


def by_section(groups: Sequence[EditGroup]) -> list[list[EditGroup]]:
    """The groups whose wording may change, by the section they land in: single additions of text."""
    found: dict[tuple[str, ...], list[EditGroup]] = {}
    for group in groups:
        edit = group.edits[0]
        if len(group.edits) == 1 and edit.op in REWORDED and edit.content.strip():
            found.setdefault((edit.file, *edit.section, edit.title), []).append(group)
    return [found[key] for key in sorted(found)]


def reworded(group: EditGroup, content: str) -> EditGroup:
    """The group in another wording, or as it was where the wording does not plainly say the same.

    It says the same when it shares words, forbids or not as before, has the same conditions and links, opens no
    section, and is not longer by more than a fifth.
    """
    (edit,) = group.edits
    before, after = edit.content.strip(), content.strip()
    same = (
        after
        and similarity(before, after) >= LEAST_ALIKE
        and bool(set(words(before)) & FORBIDS) == bool(set(words(after)) & FORBIDS)
        and len(CONDITION.findall(before)) <= len(CONDITION.findall(after))
        and [link.target for link in links(before)] == [link.target for link in links(after)]
        and not sections(after)
        and len(after) <= 1.2 * len(before)
    )
    if not same:
        return group
    stands_for = group.stands_for or (group.id,)
    return group.model_copy(update={"edits": (edit.model_copy(update={"content": after}),), "stands_for": stands_for})
