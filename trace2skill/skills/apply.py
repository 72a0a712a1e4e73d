"""Applying edits: all placed against the frozen S0, conflicts withheld, the rest written from the bottom up.

Edits that do not touch each other give the same bytes in any order.
"""

import difflib
from collections.abc import Mapping, Sequence
from itertools import combinations

from trace2skill.core.record import Record
from trace2skill.skills.markdown import links, sections, split_lines
from trace2skill.skills.place import LIST_ITEM, EditPolicy, Placed, newline_of, place
from trace2skill.skills.skill import Skill, problems
from trace2skill.types.patch import Edit, Unplaced


class Conflict(Record):
    """Two edits that cannot both be applied, by id, and where. For a link without its file both ids are the same."""

    first: str
    second: str
    file: str
    lines: tuple[int, int]
    reason: str


class Applied(Record):
    """What became of a list of edits. `problems` are those of the resulting skill; empty means valid."""

    skill: Skill
    placed: tuple[Placed, ...]
    unplaced: tuple[Unplaced, ...]
    conflicts: tuple[Conflict, ...]
    diff: str
    problems: tuple[str, ...]


def apply_edits(
    skill: Skill,
    edits: Sequence[Edit],
    policy: EditPolicy = EditPolicy(),
    *,
    order: Mapping[str, int] | None = None,
) -> Applied:
    """Apply edits to a skill.

    Args:
        skill: S0; not changed.
        edits: in any order; equal ones count once.
        policy: what may be touched.
        order: rank per edit id for insertions at the same place; without it they stand in the order of their ids.
    """
    distinct = list({edit.id: edit for edit in edits}.values())
    found = [place(skill, edit, policy) for edit in distinct]
    placed = [item for item in found if isinstance(item, Placed)]
    clashes = find_conflicts(skill, placed)
    withheld = {id for clash in clashes for id in (clash.first, clash.second)}
    kept = [item for item in placed if item.edit.id not in withheld]
    ranks = order or {}
    after = _written(skill, sorted(kept, key=lambda item: (ranks.get(item.edit.id, 0), item.edit.id)))
    return Applied(
        skill=after,
        placed=tuple(kept),
        unplaced=tuple(item for item in found if isinstance(item, Unplaced)),
        conflicts=tuple(clashes),
        diff=unified_diff(skill, after),
        problems=tuple(problems(after, skill)),
    )


def conflicts(skill: Skill, edits: Sequence[Edit], policy: EditPolicy = EditPolicy()) -> list[Conflict]:
    """The conflicts among edits against one skill; edits that cannot be placed conflict with nothing."""
    found = [place(skill, edit, policy) for edit in {edit.id: edit for edit in edits}.values()]
    return find_conflicts(skill, [item for item in found if isinstance(item, Placed)])


def find_conflicts(skill: Skill, placed: Sequence[Placed]) -> list[Conflict]:
    """Overlapping lines, text put into what another edit removes, one path created twice, half a create-link pair."""
    ordered = sorted(placed, key=lambda item: item.edit.id)
    found = []
    for one, other in combinations(ordered, 2):
        if one.edit.file == other.edit.file and (reason := _clash(one, other)):
            lines = (max(one.start, other.start), min(one.end, other.end))
            found.append(
                Conflict(first=one.edit.id, second=other.edit.id, file=one.edit.file, lines=lines, reason=reason)
            )
    return found + _broken_pairs(skill, ordered)


def unified_diff(before: Skill, after: Skill) -> str:
    """The change as `git apply` takes it: new, deleted and changed text files, and files without a final newline."""
    old = {file.path: file for file in before.files}
    new = {file.path: file for file in after.files}
    parts = []
    for path in sorted(old.keys() | new.keys()):
        a, b = old.get(path), new.get(path)
        if a == b:
            continue
        mode = "100755" if (b or a) and (b or a).executable else "100644"  # type: ignore[union-attr]
        head = f"diff --git a/{path} b/{path}\n"
        if a is None:
            head += f"new file mode {mode}\n"
        if b is None:
            head += f"deleted file mode {mode}\n"
        parts.append(head + _body(path, a.content if a else None, b.content if b else None))
    return "".join(parts)


def _clash(one: Placed, other: Placed) -> str:
    if one.whole_file or other.whole_file:
        creates = one.edit.op == other.edit.op == "create"
        return "both create this file" if creates else "one deletes the file that the other changes"
    if "delete_section" in (one.edit.op, other.edit.op):
        gone, stays = (one, other) if one.edit.op == "delete_section" else (other, one)
        inside = gone.start <= stays.start and stays.end <= gone.end and stays.region != (0, 0)
        if (
            gone.start < stays.region[1]
            and stays.region[0] < gone.end
            and (inside or stays.edit.op == "delete_section")
        ):
            return "one deletes the section that the other changes"
    if one.start < other.end and other.start < one.end:
        return "both change these lines"
    strictly_inside = any(a.start < b.start == b.end < a.end for a, b in ((one, other), (other, one)))
    return "one inserts into lines that the other replaces" if strictly_inside else ""


def _broken_pairs(skill: Skill, placed: Sequence[Placed]) -> list[Conflict]:
    """A created reference that nothing links, and a link to a file that nobody creates."""
    there = {file.path for file in skill.files}
    created = {item.edit.file: item.edit for item in placed if item.edit.op == "create"}
    linked: dict[str, list[Edit]] = {}
    for item in placed:
        folder = item.edit.file.rpartition("/")[0]
        for link in links(item.edit.content):
            target = link.target.split("#")[0].removeprefix("./")
            linked.setdefault(target if not folder else f"{folder}/{target}", []).append(item.edit)
    found = []
    for path, edit in created.items():
        if path.endswith(".md") and path not in linked:
            found.append(_lonely(edit, f"{path} is created and nothing links to it"))
    for path, edits in linked.items():
        if path not in there and path not in created:
            found += [_lonely(edit, f"{path} is linked and nobody creates it") for edit in edits]
    return found


def _lonely(edit: Edit, reason: str) -> Conflict:
    return Conflict(first=edit.id, second=edit.id, file=edit.file, lines=(0, 0), reason=reason)


def _written(skill: Skill, placed: Sequence[Placed]) -> Skill:
    changes: dict[str, bytes | None] = {}
    for item in placed:
        if item.whole_file:
            changes[item.edit.file] = None if item.edit.op == "delete_file" else item.text.encode()
    files = {item.edit.file for item in placed if not item.whole_file}
    for path in files:
        changes[path] = _spliced(skill.text(path) or "", [p for p in placed if p.edit.file == path]).encode()
    return skill.with_files(changes)


def _spliced(text: str, placed: Sequence[Placed]) -> str:
    """The lines with every splice done, from the last to the first; at one place in the order given."""
    lines, newline = split_lines(text), newline_of(text)
    for start, end in sorted({(item.start, item.end) for item in placed}, reverse=True):
        here = [item for item in placed if (item.start, item.end) == (start, end)]
        if start == len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
            lines[-1] += newline
        follows = end < len(lines) and bool(lines[end].strip())
        lines[start:end] = [_joined(here, newline, follows)]
    return "".join(lines)


def _joined(placed: Sequence[Placed], newline: str, follows: bool) -> str:
    """Texts that land at one place: those of existing sections first, then new sections under one heading each."""
    joined = ""
    plain = [item for item in placed if not item.heading]
    for item in sorted(plain, key=lambda item: bool(sections(item.text))):  # what has a heading of its own comes last
        joined = _meeting(joined, item.text, newline)
    new: dict[tuple[int, str], list[str]] = {}
    for item in placed:
        if item.heading:
            new.setdefault((-item.level, item.heading), []).append(item.text)
    for (_, heading), texts in sorted(new.items(), key=lambda entry: entry[0][0]):
        joined = _meeting(joined, f"{newline}{heading}{newline}{newline}{''.join(texts)}", newline)
    return joined + newline if new and follows else joined


def _meeting(before: str, text: str, newline: str) -> str:
    """Two texts one after the other, without an empty line twice, and a list going on as one list."""
    if text.startswith(newline) and (before.endswith(newline * 2) or _goes_on(before, text)):
        text = text.removeprefix(newline)
    return before + text


def _goes_on(before: str, text: str) -> bool:
    last, first = split_lines(before)[-1:], split_lines(text.lstrip("\r\n"))[:1]
    return bool(last and first and LIST_ITEM.match(last[0]) and LIST_ITEM.match(first[0]))


def _body(path: str, a: bytes | None, b: bytes | None) -> str:
    try:
        old, new = (split_lines_lf((side or b"").decode()) for side in (a, b))
    except UnicodeDecodeError:
        return f"Binary files a/{path} and b/{path} differ\n"
    names = ("/dev/null" if a is None else f"a/{path}", "/dev/null" if b is None else f"b/{path}")
    lines = difflib.unified_diff(old, new, *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def split_lines_lf(text: str) -> list[str]:
    """Lines as git counts them: ended by \\n alone."""
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
