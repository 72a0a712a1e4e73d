"""Recoveries that worked in the same way in several tasks.

What is common to those who show it is kept and said: the command, the module, the end of a path, the form of a value.
A way that only one task shows is none, and of two ways that contradict each other neither is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from trace2skill.analysts.mining.commands import READ_ONLY, Segment, installed_by, tail
from trace2skill.analysts.mining.corpus import Read
from trace2skill.analysts.mining.rule import MinedRule, Witness
from trace2skill.analysts.mining.signs import SEP, Mended, Signs, step_of, without_what_was_seen
from trace2skill.analysts.mining.wording import common_words, listed, quoted, words_of_error

FEW, MANY = 2, 3
MANY_TASKS = 30
"""In a corpus of so many tasks a way counts from three tasks on, else from two."""
MOST_SHOWN = 400
OPPOSED = 4
SHAPES = ((re.compile(r"[0-9]"), "9"), (re.compile(r"[A-Z]+"), "A"), (re.compile(r"[a-z]+"), "a"))
INTERPRETER = re.compile(r"python[\d.]*|py")
EDITS = frozenset(["git", "patch", "tee", "cp", "mv", "rm", "touch"])


@dataclass
class _Way:
    """One way of putting something right, and who took it."""

    key: tuple[str, ...]
    tasks: set[str] = field(default_factory=set)
    sessions: int = 0
    shown: list[tuple[Signs, Mended]] = field(default_factory=list)

    def add(self, signs: Signs, mended: Mended) -> None:
        """One more session."""
        self.sessions += 1
        self.tasks.add(signs.task)
        if len(self.shown) < MOST_SHOWN:
            self.shown.append((without_what_was_seen(signs), mended))


def recovery_rules(read: Read, tasks: int) -> tuple[list[MinedRule], int, int]:
    """The rules, how many failed calls were put right, and in how many ways."""
    least = MANY if tasks >= MANY_TASKS else FEW
    ways: dict[tuple[str, ...], _Way] = {}
    counted = 0
    for signs in read():
        taken = set()
        counted += len({item.failed for item in signs.mended})
        for mended in signs.mended:
            for key in _keys(mended):
                if key not in taken:
                    taken.add(key)
                    ways.setdefault(key, _Way(key)).add(signs, mended)
        if len(ways) > 200_000:
            ways = {key: way for key, way in ways.items() if way.sessions > 1}
    common = {key: way for key, way in ways.items() if len(way.tasks) >= least and not _opposed(way, ways)}
    return list(_rules(common)), counted, len(ways)


def _keys(mended: Mended) -> Iterator[tuple[str, ...]]:
    """What makes two recoveries the same, the most exact first; nothing for what differs from case to case."""
    if mended.how == "between":
        kind, _ = installed_by(Segment(mended.name, mended.come))
        if not kind and mended.name not in READ_ONLY and mended.name.split()[0] not in EDITS:
            yield "between", mended.tool, " ".join(tail(word) for word in mended.come)
    elif mended.how == "command":
        if mended.come or mended.gone:
            yield "command", mended.tool, SEP.join(map(tail, mended.gone)), SEP.join(map(tail, mended.come))
    else:
        gone, come = SEP.join(mended.gone), SEP.join(mended.come)
        yield "argument", mended.tool, mended.name, gone, come
        if not mended.gone or not mended.come:
            yield "needs" if mended.come else "leaves", mended.tool, mended.name
        else:
            for kind, form in (("form", _digits), ("shape", _shape)):
                if form(gone) != form(come):
                    yield kind, mended.tool, mended.name, form(gone), form(come)
            if _digits(gone) != _digits(come):
                yield "not", mended.tool, mended.name, _digits(gone)


def _digits(value: str) -> str:
    """A value with its digits as 9."""
    return re.sub(r"[0-9]", "9", value)[:40]


def _shape(value: str) -> str:
    """The form of a value: digits as 9, letters as A and a, the signs between them as they are."""
    for pattern, sign in SHAPES:
        value = pattern.sub(sign, value)
    return value[:40]


def _opposed(way: _Way, ways: dict[tuple[str, ...], _Way]) -> bool:
    """Do others put the opposite right by the same change turned round?"""
    kind, *rest = way.key
    if kind in ("command", "argument", "form", "shape"):
        tool, *about = rest[:-2]
        if kind == "command":  # `python -m pytest` has a name of its own
            tool = _as_module(rest[-1], tool) or _by_itself(rest[-2], tool) or tool
        other = ways.get((kind, tool, *about, rest[-1], rest[-2]))
    elif kind in ("needs", "leaves"):
        other = ways.get(("leaves" if kind == "needs" else "needs", *rest))
    else:
        return False
    return other is not None and OPPOSED * len(other.tasks) > len(way.tasks)


def _as_module(come: str, tool: str) -> str:
    """How a program is called as a module of an interpreter that came before it; '' where none did."""
    interpreter, _, flag = come.partition(SEP)
    return f"{interpreter} -m {tool}" if flag == "-m" and INTERPRETER.fullmatch(interpreter) else ""


def _by_itself(gone: str, tool: str) -> str:
    """How what was called as a module is called by itself; '' where it was none."""
    interpreter, _, flag = gone.partition(SEP)
    return tool.removeprefix(f"{interpreter} -m ") if flag == "-m" and INTERPRETER.fullmatch(interpreter) else ""


def _rules(common: dict[tuple[str, ...], _Way]) -> Iterator[MinedRule]:
    said: set[tuple[str, str]] = set()
    for way in sorted(common.values(), key=lambda item: (ORDER[item.key[0]], -len(item.tasks), item.key)):
        kind, tool, *rest = way.key
        about = (tool, rest[0] if kind not in ("between", "command") else way.key[-1])
        if about in said:
            continue  # the same change, said in a more exact way already
        error, fix = words_of_error([item.error for _, item in way.shown]), _fix(way)
        if fix:
            said.add(about)
            title = f"what puts {tool} right"
            content = f'When `{quoted(tool)}` answers "{error}", {fix}.' if error else f"{fix[:1].upper()}{fix[1:]}."
            yield MinedRule(
                kind="recovery",
                title=title[:120],
                content=content,
                evidence=f"it worked in {way.sessions} sessions of {len(way.tasks)} tasks",
                witnesses=tuple(_witnesses(way)),
                sessions=way.sessions,
                tasks=len(way.tasks),
            )


def _fix(way: _Way) -> str:
    """What to do, '' where it would be no more than "do it right"."""
    kind, tool, *rest = way.key
    if kind == "between":
        return f"run `{quoted(common_words([' '.join(item.come) for _, item in way.shown]))}` and call it again"
    if kind == "command":
        gone, come = (part.split(SEP) if part else [] for part in rest)
        if come and gone:
            return f"use {listed(come)} instead of {listed(gone)}"
        for other in (_as_module(SEP.join(come), tool), _by_itself(SEP.join(gone), tool)):
            if other:  # where the words go, a list of them does not say
                return f"run `{quoted(other)}` instead of `{quoted(tool)}`"
        return f"add {listed(come)}" if come else f"leave {listed(gone)} out"
    name = rest[0]
    if kind == "argument":
        return _argument(name, *rest[1:])
    if kind in ("form", "shape"):
        told = kind == "form" or len(re.findall(r"[Aa]+", rest[2])) <= 1
        return f"give `{name}` in the form `{quoted(rest[2])}`, not `{quoted(rest[1])}`" if told else ""
    if kind == "not":
        return f"do not give `{name}` in the form `{quoted(rest[1])}`"
    return f"give it `{name}`" if kind == "needs" else f"leave `{name}` out"


def _argument(name: str, gone: str, come: str) -> str:
    if not come:
        return f"leave `{name}` out"
    if not gone:
        return f"give it `{name}` = `{quoted(come)}`"
    return f"give `{name}` as `{quoted(come)}`, not `{quoted(gone)}`"


ORDER = {"between": 0, "command": 1, "argument": 2, "form": 3, "shape": 4, "not": 5, "needs": 6, "leaves": 7}


def _witnesses(way: _Way) -> Iterator[Witness]:
    for signs, item in way.shown:
        yield Witness(id=signs.id, first=step_of(item.failed), last=step_of(item.worked))
