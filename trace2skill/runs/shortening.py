"""What of a skill may be worded more shortly: its lines by section, for the step that asks, and what came of it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from trace2skill.consolidate.cut import MARK, plain_words, rule_spans
from trace2skill.consolidate.lines import LineRange
from trace2skill.consolidate.shorten import LongLine, LongSection, ShortenedSection
from trace2skill.consolidate.standing import lines_of
from trace2skill.consolidate.write import one_line
from trace2skill.runs.dead_weight import Goes, SkillPart
from trace2skill.skills.markdown import section_at, split_lines
from trace2skill.skills.skill import Skill

LONG = 60
"""Characters from which a line is worth a call; beside one that is, shorter ones may say the same."""
MOST = 40
"""Lines of one call."""
FORM = re.compile(r"^\s*(?:#|\||>|```|~~~|<!--)|^\s*(?:[-*_]\s*){3,}$")
"""Begins a line that is no sentence."""


class SectionToShorten(NamedTuple):
    """What a call is about, and the parts of the skill that its lines are, in their order."""

    asks: LongSection
    parts: tuple[SkillPart, ...]


def sections_of(skill: Skill, pieces: Sequence[SkillPart]) -> list[SectionToShorten]:
    """The parts of a skill that may be said in fewer words, by section: those in plain sentences, a line or item each.

    Args:
        skill: the champion.
        pieces: parts that may be changed and stay.
    """
    plain = [piece for piece in pieces if len(piece.places) == 1 and _is_plain(piece.text)]
    alone = [piece for piece in plain if not any(_overlap(piece.id, other.id) for other in plain if other is not piece)]
    by_place: dict[tuple[str, tuple[str, ...]], list[SkillPart]] = {}
    for piece in sorted(alone, key=lambda piece: piece.id):
        by_place.setdefault((piece.id[0], section_at(skill.text(piece.id[0]) or "", piece.id[1])), []).append(piece)
    made = []
    for (file, path), mine in sorted(by_place.items()):
        for start in range(0, len(mine), MOST):
            part = mine[start : start + MOST]
            if any(len(piece.text) >= LONG for piece in part):
                made.append(SectionToShorten(_asked(" > ".join((file, *path)), part), tuple(part)))
    return made


def nobodys(skill: Skill, pieces: Sequence[SkillPart]) -> list[SkillPart]:
    """Items and paragraphs of a skill that are in none of its parts: people wrote them, and no run asks for them."""
    found = []
    for file in skill.files:
        text = skill.text(file.path) or "" if file.path.endswith(".md") else ""
        lines = split_lines(text)
        for kind, start, end in rule_spans(text):
            while end > start + 1 and not lines[end - 1].strip():
                end -= 1
            place = (file.path, start + 1, end)
            if kind in ("item", "paragraph") and not any(_overlap(place, at) for one in pieces for at in one.places):
                found.append(SkillPart((place,), "".join(lines[start:end]), (), ()))
    return found


def as_goes(
    skill: Skill, found: Sequence[tuple[SectionToShorten, ShortenedSection]]
) -> tuple[list[Goes], tuple[str, ...]]:
    """What may be said in fewer words, as parts that may go, what saves most first; and what was not taken, and why."""
    goes, refused, there = list[Goes](), list[str](), {*lines_of(skill)}
    for section, said in found:
        refused += [item.in_words for item in said.refused]
        for line in said.shorter:
            if plain_words(line.says) in there:
                refused.append(f"it stands in the skill already: {line.says!r}")
                continue
            there.add(plain_words(line.says))
            parts = section.parts[line.first : line.last + 1]
            whole = parts[0] if len(parts) == 1 else _together(parts)
            mark = MARK.match(parts[0].text)
            says = (mark.group() if mark else "") + line.says
            saved = len(whole.text.rstrip()) - len(says)
            many = f"{len(parts)} lines that say the same" if len(parts) > 1 else "it"
            reason = f"{many} in {saved} fewer characters: {line.says}"
            goes.append(Goes(whole, "shortened", reason, says=says))
    return sorted(goes, key=lambda item: (len(item.says) - len(item.piece.text), item.piece.id)), tuple(refused)


def _asked(place: str, part: Sequence[SkillPart]) -> LongSection:
    texts = [one_line(MARK.sub("", piece.text)) for piece in part]
    lines = [
        LongLine(text=text, follows=number > 0 and piece.id[1] == part[number - 1].id[2] + 1)
        for number, (piece, text) in enumerate(zip(part, texts, strict=True))
    ]
    return LongSection(place=place, lines=tuple(lines))


def _together(parts: Sequence[SkillPart]) -> SkillPart:
    file, first, _ = parts[0].id
    rules = {rule.id: rule for piece in parts for rule in piece.rules}
    return SkillPart(
        ((file, first, parts[-1].id[2]),),
        "".join(piece.text for piece in parts),
        tuple(rules.values()),
        tuple(row for piece in parts for row in piece.rows),
    )


def _is_plain(text: str) -> bool:
    """One item or paragraph of sentences, which can be one line."""
    first, *rest = split_lines(text)
    return not FORM.match(first) and not any(FORM.match(line) or MARK.match(line) or not line.strip() for line in rest)


def _overlap(one: LineRange, other: LineRange) -> bool:
    return one[0] == other[0] and one[1] <= other[2] and other[1] <= one[2]
