"""The part of a skill that bears on some texts: all of it when it is small, else its closest sections."""

from collections.abc import Sequence

from trace2skill.core.similarity import words
from trace2skill.skills.markdown import outline, section_text, sections
from trace2skill.skills.skill import Skill

SMALL = 12_000


def relevant_sections(skill: Skill, texts: Sequence[str], limit: int = SMALL) -> str:
    """The Markdown of a skill within `limit` characters, each section under the name of its file.

    What does not fit is left out from the section that shares the smallest part of its words with the texts on; the
    rest stands in the order of the skill. The outline, shown beside it, names every section.
    """
    parts = [
        (file.path, path, section_text(skill.text(file.path) or "", path))
        for file in skill.files
        if file.path.endswith(".md") and skill.text(file.path) is not None
        for path in ((), *(section.path for section in sections(skill.text(file.path) or "")))
    ]
    parts = [part for part in parts if part[2].strip()]
    if sum(len(text) for _, _, text in parts) > limit:
        wanted = {word for text in texts for word in words(text)}
        ranked = sorted(parts, key=lambda part: (-_share(part[2], wanted), part[0], part[1]))
        kept, room = set(), limit
        for file, path, text in ranked:
            if len(text) <= room:
                kept.add((file, path))
                room -= len(text)
        parts = [part for part in parts if part[:2] in kept]
    shown, last = [], ""
    for file, _, text in parts:
        if file != last:
            shown.append(f"[file {file}]")
            last = file
        shown.append(text.strip("\r\n"))
    return "\n\n".join(shown)


def outlines(skill: Skill) -> str:
    """The headings of every Markdown file of a skill, each under the name of its file."""
    documents = [file for file in skill.files if file.path.endswith(".md")]
    return "\n\n".join(f"{file.path}\n{outline(skill.text(file.path) or '')}" for file in documents)


def _share(text: str, wanted: set[str]) -> float:
    found = set(words(text))
    return len(found & wanted) / len(found) if found else 0.0
