"""The form of an edit: headings in its content become places, and a section that is nearly named is found.

Models write `## 6. Working habits` into what they append to section 5. That is form, not a reason to lose what they
say: each heading's text goes to the section it names, or becomes a section of its own where there is none.
"""

import re
from typing import Literal

from trace2skill.core.record import Record
from trace2skill.skills.markdown import Section, closes_its_fences, find_section, sections, split_lines
from trace2skill.skills.near import find_near, plain_title, same_title
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit

Where = Literal["section", "top", "new"]
ADDS_TEXT = ("append_to_section", "insert_after", "insert_before", "add_section", "replace_in_section")


class Formed(Record):
    """One edit in a form that can be placed, and what was read into it, in words; '' where it stayed as it was."""

    edit: Edit
    note: str = ""


def in_form(skill: Skill, edit: Edit, *, invent: bool = True) -> list[Formed]:
    """The edit, or the several it comes to. Nothing of its content is lost but headings that became places.

    Args:
        skill: the skill it is to change.
        edit: as its author wrote it.
        invent: may a section that is named and not there, nor nearly, become a new one?
    """
    text = skill.text(edit.file)
    if edit.op not in ADDS_TEXT or text is None or not edit.content.strip():
        return [Formed(edit=edit)]
    found = _with_section(text, edit, invent=invent)
    return [piece for formed in found for piece in _by_headings(text, formed)]


def notes(skill: Skill, edit: Edit) -> list[str]:
    """What is read into the form of an edit, in words; empty where it stays as it is."""
    return [formed.note for formed in in_form(skill, edit) if formed.note]


def _with_section(text: str, edit: Edit, *, invent: bool) -> list[Formed]:
    """The edit with the section it means. One that names no section there is becomes a new section of that name."""
    if not edit.section or find_section(text, edit.section) is not None:
        return [Formed(edit=edit)]
    asked = " > ".join(edit.section)
    near = find_near(text, edit.section)
    if near is not None:
        moved = edit.model_copy(update={"section": near.path})
        return [Formed(edit=moved, note=f"'{asked}' was taken for '{' > '.join(near.path)}'")]
    if not invent:
        return [Formed(edit=edit)]
    parent = next(
        (found for end in range(len(edit.section) - 1, 0, -1) if (found := find_near(text, edit.section[:end]))), None
    )
    above = parent.path if parent else ()
    if edit.op == "add_section":
        moved = edit.model_copy(update={"section": above})
        return [Formed(edit=moved, note=f"there is no section '{asked}' to stand under")]
    title = plain_title(edit.section[-1])
    made = edit.model_copy(update={"op": "add_section", "section": above, "title": title, "anchor": ""})
    return [Formed(edit=made, note=f"there is no section '{asked}': it becomes one")]


def _by_headings(text: str, formed: Formed) -> list[Formed]:
    edit = formed.edit
    heads = sections(edit.content) if closes_its_fences(edit.content) else ()
    if not heads:
        return [formed]
    lines = split_lines(edit.content)
    highest = min(head.level for head in heads)
    cuts = [head for head in heads if head.level == highest or head is heads[0]]
    pieces = []
    before = "".join(lines[: heads[0].heading_start])
    if before.strip():
        pieces.append(formed.model_copy(update={"edit": edit.model_copy(update={"content": before})}))
    for number, head in enumerate(cuts):
        end = cuts[number + 1].heading_start if number + 1 < len(cuts) else len(lines)
        body = "".join(lines[head.content_start : end])
        if body.strip():
            pieces.append(_piece(text, edit, head, body, formed.note))
    return pieces or [formed]


def _piece(text: str, edit: Edit, head: Section, body: str, note: str) -> Formed:
    """What stands under one heading of the content, as an edit of the place that the heading names."""
    title = plain_title(head.path[-1]) or head.path[-1]
    own = find_section(text, edit.section) if edit.section else None
    mine = edit.title if edit.op == "add_section" else own.path[-1] if own else ""
    if mine and same_title(mine, title):
        level = own.level if own else 2
        kept = edit.model_copy(update={"content": _lowered(body, level + (edit.op == "add_section"))})
        return Formed(edit=kept, note=note)
    there = next((item for item in sections(text) if item.level > 1 and same_title(item.path[-1], title)), None)
    if there is not None:
        change = {"op": "append_to_section", "section": there.path, "title": "", "anchor": ""}
        moved = edit.model_copy(update={**change, "content": _lowered(body, there.level)})
        return Formed(edit=moved, note=f"the heading '{title}' was taken for '{' > '.join(there.path)}'")
    above = _parent(text, own, head.level)
    level = above.level + 1 if above else 2
    change = {"op": "add_section", "section": above.path if above else (), "title": title, "anchor": ""}
    made = edit.model_copy(update={**change, "content": _lowered(body, level)})
    return Formed(edit=made, note=f"the heading '{title}' became a section")


def _parent(text: str, own: Section | None, level: int) -> Section | None:
    """The section a heading of that level would stand under, seen from the section it was written into."""
    section = own
    while section is not None and section.level >= level:
        section = find_section(text, section.path[:-1]) if len(section.path) > 1 else None
    return section


def _lowered(body: str, below: int) -> str:
    """The text with its headings moved down so that all of them stand below a level, 6 at most."""
    heads = sections(body)
    shift = below + 1 - min((head.level for head in heads), default=below + 1)
    if shift <= 0:
        return body.strip("\r\n")
    lines = split_lines(body)
    for head in heads:
        line = lines[head.heading_start]
        if re.match(r"\s{0,3}#", line):
            lines[head.heading_start] = re.sub(r"^(\s{0,3})#+", rf"\1{'#' * min(head.level + shift, 6)}", line)
        else:  # underlined: the underline is the last line before the content
            lines[head.heading_start] = f"{'#' * min(head.level + shift, 6)} {line.strip()}\n"
            for under in range(head.heading_start + 1, head.content_start):
                lines[under] = ""
    return "".join(lines).strip("\r\n")
