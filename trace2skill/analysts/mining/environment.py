"""What the environment lacks: packages and programs that several tasks missed, and how they got them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from trace2skill.analysts.mining.corpus import Read
from trace2skill.analysts.mining.recoveries import FEW, MANY, MANY_TASKS, MOST_SHOWN, OPPOSED
from trace2skill.analysts.mining.rule import MinedRule, Witness
from trace2skill.analysts.mining.signs import SEP, Signs, step_of, without_what_was_seen
from trace2skill.analysts.mining.wording import listed, quoted

TOGETHER = 0.3
MOST_NAMES = 8
INSTALLERS = {"python": "pip install", "node": "npm install", "command": "apt-get install"}
JOINTS = re.compile(r"[-_.]+")


@dataclass
class _Lack:
    """Something that is not there, by who missed it and who installed it."""

    kind: str
    name: str
    tasks: set[str] = field(default_factory=set)
    installed: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    """Tasks of those who called it and did not miss it: for them it is there."""
    told: bool = False
    """Did an error name it that was not about its absence?"""
    shown: list[tuple[Signs, int, int]] = field(default_factory=list)


def _advised(name: str, signs: Signs) -> bool:
    """Does an error of the session name that package?"""
    wanted = re.compile(rf"(?<![\w-]){re.escape(JOINTS.sub('-', name.lower()))}(?![\w-])")
    return any(wanted.search(JOINTS.sub("-", item.error.lower())) for item in signs.mended)


def environment_rules(read: Read, tasks: int) -> list[MinedRule]:
    """What several tasks found missing, and how they got it: one line for what was missing together."""
    least = MANY if tasks >= MANY_TASKS else FEW
    lacks: dict[tuple[str, str], _Lack] = {}
    for signs in read():
        for key in {*signs.lacking, *signs.installed}:
            kind, name = key.split(SEP)
            lack = lacks.setdefault((kind, name.lower()), _Lack(kind, name))
            if key in signs.lacking:
                lack.tasks.add(signs.task)
                lack.sessions.add(signs.id)
            if key in signs.installed:
                lack.installed.add(signs.task)
                lack.sessions.add(signs.id)
                lack.told = lack.told or (key not in signs.lacking and _advised(name, signs))
            if len(lack.shown) < MOST_SHOWN:
                places = [found[key] for found in (signs.lacking, signs.installed) if key in found]
                lack.shown.append((without_what_was_seen(signs), step_of(min(places)), step_of(max(places))))
    for signs in read():
        called = {tool.partition(" ")[0].lower() for tool in signs.first}
        missed = {key.split(SEP)[1].lower() for key in signs.lacking}
        for name in called - missed:
            if ("command", name) in lacks:
                lacks["command", name].used.add(signs.task)
    return list(_facts(lacks, least))


def _facts(lacks: dict[tuple[str, str], _Lack], least: int) -> Iterator[MinedRule]:
    """One line starts with what is lacking in many tasks; what was missing beside it joins from two tasks on.

    What an error told to install has a line of its own, which nobody lets in unasked: the error may name a look-alike.
    """
    for lack in sorted((lack for lack in lacks.values() if lack.told), key=lambda lack: (lack.kind, lack.name)):
        if len(lack.installed) >= least and lack.kind in INSTALLERS:
            yield _installable(lack.kind, [lack]).model_copy(update={"installs": ()})
    for kind in INSTALLERS:
        wanted = sorted(
            (lack for lack in lacks.values() if lack.kind == kind and len(lack.installed) >= FEW and not lack.told),
            key=lambda lack: (-len(lack.installed), lack.name),
        )
        while wanted and len(wanted[0].installed) >= least:
            group = [wanted[0], *(lack for lack in wanted[1:] if _together(wanted[0], lack))][:MOST_NAMES]
            wanted = [lack for lack in wanted if lack not in group]
            yield _installable(kind, sorted(group, key=lambda lack: lack.name.lower()))
    gone = [
        lack
        for lack in lacks.values()
        if lack.kind == "command" and len(lack.tasks) >= least and len(lack.installed) < least
        # what is there for some of them is not missing in this environment, whatever it is called by
        if OPPOSED * len(lack.used) <= len(lack.tasks)
    ]
    for lack in sorted(gone, key=lambda lack: (-len(lack.tasks), lack.name)):
        yield _rule(
            f"{lack.name} is not there",
            f"`{quoted(lack.name)}` is not installed in this environment: do not call it.",
            [lack],
            f"missing in {len(lack.tasks)} tasks",
        )


def _installable(kind: str, group: list[_Lack]) -> MinedRule:
    names = [lack.name for lack in group]
    command = INSTALLERS[kind]
    thing = {"python": "Python packages", "node": "Node packages", "command": "programs"}[kind]
    ran = f"{command} {' '.join(map(quoted, names))}"
    told = len(set.union(*(lack.tasks | lack.installed for lack in group)))
    each = ", ".join(f"{lack.name} in {len(lack.tasks | lack.installed)}" for lack in group)
    rule = _rule(
        f"{thing} that the environment lacks",
        f"The environment lacks {listed(names)}: install {'them' if len(names) > 1 else 'it'} first (`{ran}`).",
        group,
        f"missing or installed in {told} tasks: {each}",
    )
    return rule.model_copy(update={"installs": (ran,)})


def _together(one: _Lack, other: _Lack) -> bool:
    first, second = one.tasks | one.installed, other.tasks | other.installed
    return len(first & second) >= TOGETHER * len(first | second)


def _rule(title: str, content: str, group: list[_Lack], evidence: str) -> MinedRule:
    seen: dict[str, Witness] = {}
    for lack in group:
        for signs, first, last in lack.shown:
            before = seen.get(signs.id)
            first, last = (min(first, before.first), max(last, before.last)) if before else (first, last)
            seen[signs.id] = Witness(id=signs.id, first=first, last=last)
    tasks = set.union(*(lack.tasks | lack.installed for lack in group))
    return MinedRule(
        kind="fact",
        title=title[:120],
        content=content,
        evidence=evidence[:300],
        witnesses=tuple(seen.values()),
        sessions=len(set.union(*(lack.sessions for lack in group))),
        tasks=len(tasks),
    )
