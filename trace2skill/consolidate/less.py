"""A skill with some of its lines taken out, and nothing else changed."""

from collections.abc import Collection, Iterable

from trace2skill.consolidate.limits import CHARS_PER_TOKEN
from trace2skill.consolidate.lines import LineRange
from trace2skill.skills.markdown import Section, sections, split_lines
from trace2skill.skills.skill import Skill


def tokens_of(skill: Skill) -> int:
    """Tokens of all its Markdown, four characters each."""
    return sum(len(skill.text(file.path) or "") for file in skill.files if file.path.endswith(".md")) // CHARS_PER_TOKEN


def without_lines(skill: Skill, places: Iterable[LineRange], keep: Collection[str] = ()) -> Skill:
    """The skill without these lines. A section that has nothing left goes, and so does a file other than SKILL.md.

    Args:
        skill: as it is.
        places: files and lines, counted from 1.
        keep: headings that stay, as they stand in the file, whatever is left below them.
    """
    out: dict[str, set[int]] = {}
    for file, first, last in places:
        out.setdefault(file, set()).update(range(first - 1, last))
    return skill.with_files({file: _thinned(skill.text(file) or "", gone, file, keep) for file, gone in out.items()})


def _thinned(text: str, gone: Collection[int], file: str, keep: Collection[str]) -> bytes | None:
    had = {section.path for section in sections(text) if _is_empty(split_lines(text), section)}
    lines: list[str] = []
    seam = False  # a gap that was left by what stood between two empty lines is one empty line
    for number, line in enumerate(split_lines(text)):
        if number in gone:
            seam = True
        elif not (seam and not line.strip() and (not lines or not lines[-1].strip())):
            lines.append(line)
            seam = seam and not line.strip()
    left = "".join(lines)
    while (emptied := _emptied(left, had, keep)) is not None:
        lines = split_lines(left)
        left = "".join(lines[: emptied.heading_start] + lines[emptied.tree_end :])
    if file != "SKILL.md" and not _says_anything(left):
        return None
    return (left.rstrip() + "\n").encode() if left.strip() else b""


def _emptied(text: str, had: Collection[tuple[str, ...]], keep: Collection[str]) -> Section | None:
    """The last section that has become empty."""
    lines = split_lines(text)
    return next(
        (
            section
            for section in reversed(sections(text))
            if section.path not in had
            and _is_empty(lines, section)
            and lines[section.heading_start].strip() not in keep
        ),
        None,
    )


def _is_empty(lines: list[str], section: Section) -> bool:
    return not any(line.strip() for line in lines[section.content_start : section.tree_end])


def _says_anything(text: str) -> bool:
    heads = {number for item in sections(text) for number in range(item.heading_start, item.content_start)}
    return any(line.strip() for number, line in enumerate(split_lines(text)) if number not in heads)
