"""A skill with some of its lines taken out, and nothing else changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from trace2skill.consolidate.limits import CHARS_PER_TOKEN
from trace2skill.consolidate.lines import LineRange
from trace2skill.skills.markdown import Section, sections, split_lines
from trace2skill.skills.skill import Skill, problems


def tokens_of(skill: Skill) -> int:
    """Tokens of all its Markdown, four characters each."""
    return sum(len(skill.text(file.path) or "") for file in skill.files if file.path.endswith(".md")) // CHARS_PER_TOKEN


def without_lines(skill: Skill, places: Iterable[LineRange], keep: Collection[tuple[str, str]] = ()) -> Skill:
    """The skill without these lines. A section that has nothing left goes, and so does a file other than SKILL.md,
    but for headings that stay.

    Args:
        skill: as it is.
        places: files and lines, counted from 1.
        keep: files, and headings in them that stay, as they stand there, whatever is left below them.
    """
    out: dict[str, set[int]] = {}
    for file, first, last in places:
        out.setdefault(file, set()).update(range(first - 1, last))
    stay = {file: {heading for at, heading in keep if at == file} for file in out}
    thinned = {file: _thinned(skill.text(file) or "", gone, file, stay[file]) for file, gone in out.items()}
    return skill.with_files(thinned)


def with_shorter(
    skill: Skill,
    shorter: Mapping[LineRange, str],
    places: Iterable[LineRange],
    keep: Collection[tuple[str, str]] = (),
) -> Skill:
    """The skill without these lines, and with a shorter line in place of some others.

    Args:
        skill: as it is.
        shorter: lines, and the one that takes their place, with its list mark and without its end.
        places: lines that go, as `without_lines` takes them.
        keep: as `without_lines` takes it.
    """
    made, rest = dict[str, list[str]](), [*places]
    for (file, first, last), line in shorter.items():
        lines = made.setdefault(file, split_lines(skill.text(file) or ""))
        old = lines[first - 1]
        lines[first - 1] = line + old[len(old.rstrip("\r\n")) :]
        rest += [(file, first + 1, last)] * (last > first)
    return without_lines(skill.with_files({file: "".join(lines).encode() for file, lines in made.items()}), rest, keep)


def valid_without(
    skill: Skill, parts: Sequence[Iterable[LineRange]], keep: Collection[tuple[str, str]] = ()
) -> tuple[Skill, list[int]]:
    """The skill without these parts, but for those that it would not be valid without.

    Args:
        skill: as it is; problems that it has already do not count.
        parts: lines that go together, those that should rather go first.
        keep: as `without_lines` takes it.

    Returns:
        What is left, and the numbers of the parts that stay, from 0.
    """

    def left_without(numbers: Iterable[int]) -> Skill:
        return without_lines(skill, [place for number in numbers for place in parts[number]], keep)

    out, stay = list(range(len(parts))), list[int]()
    if problems(left_without(out), skill):
        out, waiting = [], out
        while waiting != stay:  # a file may go once the line that links to it has gone
            stay = waiting
            for number in stay:
                if not problems(left_without([*out, number]), skill):
                    out.append(number)
            waiting = [number for number in stay if number not in out]
    return left_without(out), stay


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
    if file != "SKILL.md" and not _says_anything(left, keep):
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


def _says_anything(text: str, keep: Collection[str]) -> bool:
    heads = {number for item in sections(text) for number in range(item.heading_start, item.content_start)}
    lines = enumerate(split_lines(text))
    return any(line.strip() and (number not in heads or line.strip() in keep) for number, line in lines)
