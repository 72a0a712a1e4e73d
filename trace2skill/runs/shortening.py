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


def sections_of(skill: Skill, pieces: Sequence[SkillPart], beside: Sequence[SkillPart] = ()) -> list[SectionToShorten]:
    """The parts of a skill that may be said in fewer words, by section: those in plain sentences, a line or item each.

    Args:
        skill: the champion.
        pieces: parts that may be changed and stay. Of these those of documents that are a whole item or paragraph: half
            of a sentence is not worded again.
        beside: parts that go or are not to be changed: what overlaps one of them stays as it is.
    """
    plain = [
        piece for piece in pieces if len(piece.places) == 1 and piece.id[0].endswith(".md") and _is_plain(piece.text)
    ]
    every = [(place, piece) for piece in (*pieces, *beside) for place in piece.places]
    whole = {file: _sentences(skill, file) for file in {piece.id[0] for piece in plain}}
    alone = [
        piece
        for piece in plain
        if piece.id[1:] in whole[piece.id[0]]
        and not any(_overlap(piece.id, place) for place, other in every if other.places != piece.places)
    ]
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
    taken = [at for one in pieces for at in one.places]
    found = []
    for file in skill.files:
        lines = split_lines(skill.text(file.path) or "") if file.path.endswith(".md") else []
        for first, last in _spans(skill, file.path) if lines else ():
            place = (file.path, first, last)
            if not any(_overlap(place, at) for at in taken):
                found.append(SkillPart((place,), "".join(lines[first - 1 : last]), (), ()))
    return found


def whole_pieces(skill: Skill, pieces: Sequence[SkillPart]) -> list[SkillPart]:
    """The same parts, those that lie within one item or paragraph of people as the whole of it, with all their rows.

    Lines of people are stated by a row at their first line, however many they are.
    """
    within: dict[LineRange, list[SkillPart]] = {}
    for piece in pieces:
        file, first, last = piece.id
        spans = _sentences(skill, file) if file.endswith(".md") and piece.by_people and len(piece.places) == 1 else ()
        wide = next(((file, a, b) for a, b in spans if a <= first and last <= b), piece.id)
        within.setdefault(wide, []).append(piece)
    return [
        some[0] if len(some) == 1 and some[0].id == place else _as_one(skill, place, some)
        for place, some in within.items()
    ]


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


def _spans(skill: Skill, file: str) -> list[tuple[int, int]]:
    """First and last lines of the items and paragraphs of a document, from 1, without empty lines at their ends."""
    text, found = skill.text(file) or "", []
    lines = split_lines(text)
    for kind, start, end in rule_spans(text):
        while end > start + 1 and not lines[end - 1].strip():
            end -= 1
        if kind in ("item", "paragraph"):
            found.append((start + 1, end))
    return found


def _sentences(skill: Skill, file: str) -> list[tuple[int, int]]:
    """The same of what is one item or paragraph of sentences: up to a code block, and each item within an item."""
    lines, found = split_lines(skill.text(file) or ""), []
    for first, last in _spans(skill, file):
        begins = first
        for number in range(first, last + 2):
            text = lines[number - 1] if number <= last else ""
            if not text.strip() or FORM.match(text) or (number > begins and MARK.match(text)):
                if number > begins:
                    found.append((begins, number - 1))
                if not text.strip() or not MARK.match(text):
                    break
                begins = number
    return found


def _together(parts: Sequence[SkillPart]) -> SkillPart:
    file, first, _ = parts[0].id
    place = (file, first, parts[-1].id[2])
    return _of(place, "".join(piece.text for piece in parts), parts)


def _as_one(skill: Skill, place: LineRange, parts: Sequence[SkillPart]) -> SkillPart:
    lines = split_lines(skill.text(place[0]) or "")
    return _of(place, "".join(lines[place[1] - 1 : place[2]]), parts)


def _of(place: LineRange, text: str, parts: Sequence[SkillPart]) -> SkillPart:
    rules = {rule.id: rule for piece in parts for rule in piece.rules}
    return SkillPart((place,), text, tuple(rules.values()), tuple(row for piece in parts for row in piece.rows))


def _is_plain(text: str) -> bool:
    """One item or paragraph of sentences, which can be one line."""
    first, *rest = split_lines(text)
    return not FORM.match(first) and not any(FORM.match(line) or MARK.match(line) or not line.strip() for line in rest)


def _overlap(one: LineRange, other: LineRange) -> bool:
    return one[0] == other[0] and one[1] <= other[2] and other[1] <= one[2]
