"""Cutting a patch into rules: a list item, a paragraph, a row of a table, a code block with its lead-in.

The rule is the unit of support: whoever says it is counted for it and for nothing else that stood beside it. Headings,
numbers and list marks are form; they say where a rule belongs and are no part of it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property, lru_cache
from itertools import dropwhile, takewhile
from operator import not_

from pydantic import Field
from rapidfuzz import fuzz

from trace2skill.consolidate.fragment import only_a_scope
from trace2skill.consolidate.groups import Support, half_of
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.skills.form import ADDS_TEXT, in_form
from trace2skill.skills.markdown import BlockToken, block_tokens, links, sections, split_lines
from trace2skill.skills.near import plain_title, stems
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import LessonKind
from trace2skill.types.patch import Edit, EditOp, Patch

MARK = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")
LEAD_WORDS = re.compile(r"^\s*(?:\*\*|__)(?P<lead>[^*_\n]{1,80}?)[.:]?(?:\*\*|__)\s*[:.\u2013\u2014-]?\s+")
PLAIN = re.compile(r"\w+|[^\w\s*_`.]")
REFERENCE = re.compile(r"references/[^/]+(?:/[^/]+)*\.md")


class Place(Record):
    """Where a rule belongs: a section of a file, or a new one called `title` in that section."""

    file: str = "SKILL.md"
    section: tuple[str, ...] = ()
    title: str = ""

    @property
    def words(self) -> str:
        """For a reader."""
        return " > ".join((self.file, *self.section, *((f"{self.title} (new)",) if self.title else ())))


class Rule(Record, form="Rule", version=1):
    """One rule in its author's exact words."""

    text: str = Field(description="Markdown, without heading, list mark or number.")
    place: Place
    trajectory_id: str
    task_id: str
    kind: LessonKind
    weak: bool = Field(default=False, exclude_if=not_, description="Only lessons speak for it that count half.")
    lessons: tuple[str, ...] = ()
    replaces: str = Field(default="", exclude_if=not_, description="The lines it was to take the place of.")
    note: str = Field(default="", exclude_if=not_, description="What was read into the form of its edit.")

    @cached_property
    def id(self) -> str:
        """Short content id: who says what, where."""
        return "R" + digest_of(self.trajectory_id, self.text, self.place)[:12]

    @cached_property
    def plain(self) -> str:
        """The words that count when two texts are compared: no emphasis, no code marks, no case, no full stop."""
        return plain_words(self.text)

    @cached_property
    def order(self) -> str:
        """A place among other wordings that depends on the words alone: their digest."""
        return digest_of(self.plain)

    def worked_out(self) -> None:
        """Work out now what will be asked of it: while patches are still being written nothing waits for that."""
        _ = (self.id, self.plain, self.order, self.support)

    @property
    def as_edit(self) -> Edit:
        """The rule alone, as an edit of the place that its author wanted."""
        op: EditOp = "add_section" if self.place.title else "append_to_section"
        at = {"file": self.place.file, "section": self.place.section, "title": self.place.title}
        return Edit(op=op, content=as_item(self.text), lessons=self.lessons, **at)

    @cached_property
    def support(self) -> Support:
        """One vote."""
        return Support.of(self.trajectory_id, self.task_id, self.kind, weak=self.weak)


class Uncut(Record):
    """A part of a patch that is no rule, and why. Nothing that was said goes without such a record."""

    trajectory_id: str
    text: str
    reason: str


class Cut(Record, form="Cut", version=1):
    """A patch cut up: its rules, the edits that stand as they are (files that go, scripts), and what is no rule."""

    rules: tuple[Rule, ...]
    whole: tuple[Edit, ...] = ()
    uncut: tuple[Uncut, ...] = ()


def cut(patch: Patch, kind: LessonKind, base: Skill, *, weak: bool = False, halved: Collection[str] = ()) -> Cut:
    """Cut one patch into its rules.

    Args:
        patch: what one trajectory asks for.
        kind: of the lessons behind it.
        base: the skill it was written against; sections are found in it.
        weak: do only weak labels speak for it?
        halved: ids of lessons that count half; so does a rule that has no others.
    """
    rules: dict[str, Rule] = {}
    whole: list[Edit] = []
    uncut: list[Uncut] = []
    created = {edit.file for edit in patch.edits if edit.op == "create"}
    kept = {edit.file for edit in patch.edits if edit.op == "create" and not is_cut(edit)}
    for edit in patch.edits:
        if not is_cut(edit):
            whole.append(edit)
            continue
        texts = [*_texts(base, edit)]
        reached = kept if edit.op in ADDS_TEXT else set()
        rule_like = [text for text, _, _ in texts if not _targets(text) & reached and not _no_rule(text, created)]
        replaces = _heirs(edit, rule_like)
        for text, place, note in texts:
            if _targets(text) & reached:  # a file is only reached by what links it
                whole.append(_linking(edit, text, place))
                continue
            if reason := _no_rule(text, created):
                uncut.append(Uncut(trajectory_id=patch.trajectory_id, text=text, reason=reason))
                continue
            rule = Rule(
                text=text,
                place=place,
                trajectory_id=patch.trajectory_id,
                task_id=patch.task_id,
                kind=kind,
                weak=weak or half_of(edit.lessons, halved),
                lessons=edit.lessons,
                replaces=replaces.get(text, ""),
                note=note,
            )
            rules.setdefault(rule.id, rule)
    return Cut(rules=tuple(rules.values()), whole=tuple(whole), uncut=tuple(uncut))


def given_up(edit: Edit) -> str:
    """What a replacement takes the place of: the part of its anchor that it does not say again, '' where there is none.

    Who wants a line kept and another beside it often writes both in its place.
    """
    return "".join(_parts_given_up(edit))


def _parts_given_up(edit: Edit) -> list[str]:
    """The same, line by line or item by item; an anchor within a line is one part."""
    if edit.op != "replace_in_section":
        return []
    again = {plain_words(text) for text, _ in cut_text(edit.content)}
    lines = split_lines(edit.anchor)
    texts = [("".join(lines[start:end]), kind) for kind, start, end in rule_spans(edit.anchor)]
    parts = [(plain_words(_bare(text, kind)) in again, text) for text, kind in texts]
    if not any(kept for kept, _ in parts):
        whole = [text for _, text in parts]
        return whole if "".join(whole) == edit.anchor else [edit.anchor]
    return [text for _, text in takewhile(lambda part: not part[0], dropwhile(lambda part: part[0], parts))]


def _heirs(edit: Edit, texts: Sequence[str]) -> dict[str, str]:
    """Which rules of a replacement take the place of what it gives up, and of what each.

    Of as many rules as lines each takes the place of the line that it is likest to; where there are fewer, the likest
    takes the place of all. The others are rules beside it: each of them would delete a line that it says nothing of,
    where it is asked for more often than the one that says the line better.
    """
    parts = _parts_given_up(edit)
    there = {plain_words(text) for text, _ in cut_text(edit.anchor)} if parts else set()
    free = [text for text in dict.fromkeys(texts) if plain_words(text) not in there] or [*dict.fromkeys(texts)]
    if len(free) < len(parts):
        parts = ["".join(parts)]
    found: dict[str, str] = {}
    for part in parts:
        if left := [text for text in free if text not in found]:
            found[max(left, key=lambda text: _likeness(part, text))] = part
    return found


def _likeness(old: str, new: str) -> tuple[int, float]:
    """By the words that both have; of equal ones, and of languages that write no spaces, by the letters."""
    return len(stems(old) & stems(new)), fuzz.ratio(plain_words(old), plain_words(new))


def as_item(text: str) -> str:
    """A rule as an item of a list, its further lines indented."""
    return "- " + "\n".join(f"  {line}" if n and line else line for n, line in enumerate(text.split("\n")))


@lru_cache(maxsize=16_384)
def plain_words(text: str) -> str:
    """A text without marks, case and white space, for comparing. Each is compared with many."""
    return " ".join(PLAIN.findall(text.lower()))


def is_cut(edit: Edit) -> bool:
    """Is an edit text alone, to be cut into rules?"""
    return edit.op in ADDS_TEXT or (edit.op == "create" and REFERENCE.fullmatch(edit.file) is not None)


def _texts(base: Skill, edit: Edit) -> Iterable[tuple[str, Place, str]]:
    """(text, place, note) of the rules of one edit."""
    if edit.op == "create":
        for text, _ in cut_text(edit.content):
            yield text, Place(file=edit.file), ""
        return
    for formed in in_form(base, edit):
        at = formed.edit
        new = plain_title(at.title) if at.op == "add_section" else ""
        for text, _ in cut_text(at.content):
            yield text, Place(file=at.file, section=at.section, title=new), formed.note


def _no_rule(text: str, created: set[str]) -> str:
    """Why a text is no rule, '' where it may be one."""
    if not re.search(r"\w", text):
        return "it says nothing"
    if only_a_scope(text):
        return "it says when something holds and not what to do"
    targets = _targets(text) if created else set()
    if targets and targets <= created:
        return "it links a file of the same patch, whose rules are counted one by one"
    return ""


def _targets(text: str) -> set[str]:
    return {link.target.split("#")[0].removeprefix("./") for link in links(text)}


def _linking(edit: Edit, text: str, place: Place) -> Edit:
    """The part of an edit that links a file of the same patch which stands or falls with it."""
    op = "add_section" if place.title else "append_to_section"
    where = {"file": place.file, "section": place.section, "title": place.title, "anchor": ""}
    return edit.model_copy(update={"op": op, "content": as_item(text), **where})


def cut_text(content: str) -> list[tuple[str, tuple[str, ...]]]:
    """The rules of a Markdown text in order, each with the headings above it."""
    lines = split_lines(content)
    heads = sections(content)
    found = []
    for kind, start, end in rule_spans(content):
        above = next((head.path for head in reversed(heads) if head.heading_start <= start), ())
        text = _bare("".join(lines[start:end]), kind)
        if text:
            found.append((text, above))
    return found


def rule_spans(content: str) -> list[tuple[str, int, int]]:
    """(kind, first line, end) of the rules of a Markdown text in order."""
    pieces: list[tuple[str, int, int]] = []
    for token in block_tokens(content):
        if token.map is not None:
            pieces += _pieces(token, content)
    return _joined(pieces, split_lines(content))


def _pieces(token: BlockToken, content: str) -> list[tuple[str, int, int]]:
    start, end = token.map or (0, 0)
    if token.type in ("paragraph_open", "blockquote_open", "html_block"):
        return [("paragraph", start, end)]
    if token.type in ("fence", "code_block"):
        return [("code", start, end)]
    if token.type == "table_open":  # the head and the line below it name columns
        return [("row", line, line + 1) for line in range(start + 2, end)]
    if token.type in ("bullet_list_open", "ordered_list_open"):
        return [("item", first, last) for first, last in _items(token, content)]
    return []


def _items(opened: BlockToken, content: str) -> list[tuple[int, int]]:
    """The lines of the items of one list of the top level."""
    start, end = opened.map or (0, 0)
    return [
        (token.map[0], token.map[1])
        for token in block_tokens(content, level=1)
        if token.type == "list_item_open" and token.map and start <= token.map[0] < end
    ]


def _joined(pieces: Sequence[tuple[str, int, int]], lines: Sequence[str]) -> list[tuple[str, int, int]]:
    """A code block goes with the text before it, or after it where it comes first; a row that is alone stays a row."""
    joined: list[tuple[str, int, int]] = []
    for kind, start, end in pieces:
        last = joined[-1] if joined else None
        if kind == "code" and last and last[0] in ("paragraph", "item") and not _between(lines, last[2], start):
            joined[-1] = (last[0], last[1], end)
        elif kind == "paragraph" and last and last[0] == "code" and not _between(lines, last[2], start):
            joined[-1] = ("paragraph", last[1], end)
        else:
            joined.append((kind, start, end))
    return joined


def _between(lines: Sequence[str], start: int, end: int) -> bool:
    """Does anything but empty lines stand between two lines?"""
    return any(line.strip() for line in lines[start:end])


def _bare(text: str, kind: str) -> str:
    """A rule's text without its mark and indentation. A row of one cell that stands alone is read as a row."""
    text = text.strip("\r\n").rstrip()
    if kind == "item":
        mark = MARK.match(text)
        width = mark.end() if mark else 0
        first, *rest = split_lines(text[width:]) or [""]
        return (first + "".join(_dedented(line, width) for line in rest)).strip()
    return text.strip()


def _dedented(line: str, width: int) -> str:
    bare = line.lstrip(" ")
    return line[min(len(line) - len(bare), width) :]
