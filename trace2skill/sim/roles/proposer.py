"""The simulated proposer: a line for each lesson that the skill does not hold yet, in the section where it belongs."""

import re

from trace2skill.sim.causes import ALL_CAUSES, ALL_HABITS, cause_of, guided, habit_of
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.skills.markdown import sections

SECTIONS = {cause.name: cause.section for cause in ALL_CAUSES} | {habit.name: habit.section for habit in ALL_HABITS}
ELSEWHERE = "Special cases"


def speak(heard: Heard) -> Spoken:
    """A patch for the lessons in the prompt."""
    skill = heard.block("skill")
    paths = {section.path[-1].lower(): list(section.path) for section in sections(skill)}
    known = guided(skill)
    edits: list[dict[str, object]] = []
    already = []
    for name, text in blocks(heard.opening):
        if not name.startswith("lesson "):
            continue
        about = cause_of(text) or habit_of(text)
        lesson = name.removeprefix("lesson ")
        if about in known:
            line = next(line for line in skill.splitlines() if about in guided(line))
            already.append({"lesson": lesson, "file": _file_of(skill, line), "text": line})
            continue
        content = "- " + re.sub(r"\s+", " ", text.split("\n\n")[-1]).strip()
        edits.append(_edit(SECTIONS.get(about or "", ELSEWHERE), paths, content, lesson))
    return answer_json(
        {
            "reasoning": "One line for each lesson that the skill does not hold yet.",
            "edits": edits,
            "already": already,
            "changelog": [f"Add: {str(edit['content'])[2:80]}" for edit in edits],
        }
    )


def _file_of(skill: str, line: str) -> str:
    """The file under whose mark a line stands (see `trace2skill.relevant`)."""
    marks = re.findall(r"^\[file (.+)\]$", skill[: skill.index(line)], re.MULTILINE)
    return marks[-1] if marks else "SKILL.md"


def _edit(section: str, paths: dict[str, list[str]], content: str, lesson: str) -> dict[str, object]:
    path = paths.get(section.lower())
    if path is not None:
        return {"op": "append_to_section", "section": path, "content": content, "lessons": [lesson]}
    return {"op": "add_section", "section": [], "title": section, "content": content, "lessons": [lesson]}
