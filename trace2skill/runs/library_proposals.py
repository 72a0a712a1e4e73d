"""What could be done about a library: split a skill, merge two, retire one. Proposals with evidence; nothing changes.

All of it is read from the skills and from what the store holds of runs over them. What nobody has measured is said to
be unknown, and proposes nothing.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from pydantic import Field

from trace2skill.consolidate.settle import BookRule, RuleBook
from trace2skill.core.forms import from_text_or_none
from trace2skill.core.record import Record
from trace2skill.evaluation.compare import compare
from trace2skill.runs.library_summary import LibrarySummary
from trace2skill.runs.library_use import LibraryUse
from trace2skill.runs.past import past_of
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.markdown import block_tokens, split_lines
from trace2skill.skills.near import stems
from trace2skill.skills.skill import Skill
from trace2skill.store import Store

ALIKE, LEAST_STEMS, LEAST_DOUBLES, DOUBLED = 0.6, 4, 2, 0.3
"""Two lines double each other from that share of common word stems on, where each has so many; two skills, from so many
such lines on, where they are that share of the smaller one's."""
ENOUGH_SESSIONS = 20
"""Fewer sessions than that say nothing of a skill that none of them used."""
ALWAYS = 0.8
"""Two skills that most sessions with one of them take up both are not told apart."""
LEAST_RULES, LEAST_TASKS = 2, 3
"""A group of rules that could be a skill has so many rules, and so many tasks that ask for them."""
ENOUGH_HELD_OUT = 8
"""Held-out tasks before a skill without effect is one."""
SHOWN = 5

Kind = Literal["split", "merge", "retire"]


class LibraryProposal(Record):
    """One proposal, with what speaks for it in words and the figures behind these."""

    kind: Kind
    skills: tuple[str, ...]
    why: str
    evidence: tuple[str, ...]
    measures: dict[str, float] = Field(default_factory=dict)


class LibraryReview(Record):
    """All proposals for a library, and what is not known of it."""

    skills: tuple[str, ...]
    runs: tuple[str, ...] = Field(description="Runs over all or some of these skills that tell of their use.")
    use: LibraryUse
    proposals: tuple[LibraryProposal, ...]
    unknown: tuple[str, ...] = ()


def review_library(store: Store, library: Sequence[Skill]) -> LibraryReview:
    """Look through a library and what the store knows of it. No model is asked, and nothing is changed."""
    names = sorted(skill.name for skill in library)
    told = _runs(store, names)
    use = sum((summary.use for summary in told), LibraryUse())
    use = use.of(names)
    found: list[LibraryProposal] = []
    unknown = [] if told else ["no run over this library is in the store: which skills are used is not known"]
    for skill in sorted(library, key=lambda skill: skill.name):
        runs = [summary for _, summary in past_of(store, skill.name).runs]
        book = _last_book(store, runs)
        if book is None:
            unknown.append(f"{skill.name}: no run has left a rule book, so whether its rules fall apart is not known")
        else:
            found += split_of(skill.name, book.rules)
        found += retired(skill, use, runs)
        if not any(_with_and_without(skill, summary) for summary in runs):
            unknown.append(f"{skill.name}: as it is now never scored beside the agent without it (--no-skill)")
    for one, other in combinations(sorted(library, key=lambda skill: skill.name), 2):
        found += merged(one, other, use)
    return LibraryReview(
        skills=tuple(names),
        runs=tuple(summary.run_id for summary in told),
        use=use,
        proposals=tuple(sorted(found, key=lambda item: (item.kind, item.skills))),
        unknown=tuple(unknown),
    )


def split_of(name: str, rules: Sequence[BookRule]) -> list[LibraryProposal]:
    """A skill whose rules no task joins: groups of rules, each asked for by tasks of its own."""
    groups = [group for group in _apart(rules) if len(group) >= LEAST_RULES and len(_tasks(group)) >= LEAST_TASKS]
    if len(groups) < 2:
        return []
    evidence = [
        f"{len(group)} rules of {len(_tasks(group))} tasks ({', '.join(_tasks(group)[:SHOWN])}): "
        + "; ".join(" ".join(rule.says.split()) for rule in group[:SHOWN])
        for group in groups
    ]
    why = f"its rules fall into {len(groups)} groups that no task asks for together"
    measures = {"groups": float(len(groups)), "rules": float(sum(map(len, groups)))}
    return [LibraryProposal(kind="split", skills=(name,), why=why, evidence=tuple(evidence), measures=measures)]


def merged(one: Skill, other: Skill, use: LibraryUse) -> list[LibraryProposal]:
    """Two skills whose lines double each other, or which sessions nearly always take up both."""
    ours, theirs = lines_of(one), lines_of(other)
    pairs = [(a, b) for a in ours for b in theirs if alike(a, b) >= ALIKE]
    doubled = min(len({a for a, _ in pairs}), len({b for _, b in pairs}))
    share = doubled / max(1, min(len(ours), len(theirs)))
    both = next((u.sessions for u in use.together if {u.first, u.second} == {one.name, other.name}), 0)
    either = use.used.get(one.name, 0) + use.used.get(other.name, 0) - both
    always = either >= ENOUGH_SESSIONS and both / either >= ALWAYS
    if not (doubled >= LEAST_DOUBLES and share >= DOUBLED) and not always:
        return []
    evidence = [f'"{a}" in {one.name}, "{b}" in {other.name}' for a, b in pairs[:SHOWN]]
    evidence += [f"{both} of {either} sessions that used one of them used both"] if either else []
    why = "they say the same" if doubled >= LEAST_DOUBLES and share >= DOUBLED else "sessions do not tell them apart"
    measures = {"lines": float(doubled), "share": share, "used both": float(both), "used either": float(either)}
    names = (one.name, other.name)
    return [LibraryProposal(kind="merge", skills=names, why=why, evidence=tuple(evidence), measures=measures)]


def retired(skill: Skill, use: LibraryUse, runs: Sequence[RunSummary]) -> list[LibraryProposal]:
    """A skill that no session used since it is there, or without which held-out tasks are passed as well as now."""
    name, evidence, measures = skill.name, list[str](), dict[str, float]()
    sessions = use.sessions_with(name)
    unused = name in use.used and use.used[name] == 0 and sessions >= ENOUGH_SESSIONS
    if unused:
        evidence.append(f"none of {sessions} sessions used it")
        measures |= {"sessions": float(sessions), "used": 0.0}
    compared = next((found for summary in reversed(runs) if (found := _with_and_without(skill, summary))), None)
    without_effect = compared is not None and compared[2] >= ENOUGH_HELD_OUT and compared[0] <= 0
    if compared is not None:
        lift, words, tasks = compared
        measures |= {"lift over without": lift, "held-out tasks": float(tasks)}
        evidence += [words] if without_effect else []
    if not unused and not without_effect:
        return []
    why = "no session used it" if unused else "no effect was measured"
    return [LibraryProposal(kind="retire", skills=(name,), why=why, evidence=tuple(evidence), measures=measures)]


def alike(one: str, other: str) -> float:
    """Share of common word stems, 0 to 1; 0 where either has too few to tell."""
    left, right = stems(one), stems(other)
    return len(left & right) / len(left | right) if min(len(left), len(right)) >= LEAST_STEMS else 0.0


def lines_of(skill: Skill) -> list[str]:
    """The items of the lists of a skill's documents, each on one line and once."""
    found: dict[str, None] = {}
    for file in skill.files:
        text = skill.text(file.path) if file.path.endswith(".md") else None
        rows = split_lines(text or "")
        for token in block_tokens(text or "", level=1):
            if token.type == "list_item_open" and token.map:
                item = " ".join("".join(rows[token.map[0] : token.map[1]]).split())
                found[item.lstrip("-*+ ")] = None
    return list(found)


def _with_and_without(skill: Skill, summary: RunSummary) -> tuple[float, str, int] | None:
    """How much better the agent did with the skill as it is now than without, in words too, and on how many tasks."""
    bare = next((item for item in summary.evaluations if item.condition == "no skill"), None)
    now = next((item for item in summary.evaluations if item.skill == skill.digest), None)
    if bare is None or now is None:
        return None
    found = compare(bare, now)
    low, high = found.lift.low, found.lift.high
    words = (
        f"with it {found.after_score.mean:.1%} of {found.tasks} held-out tasks were passed, without it "
        f"{found.before_score.mean:.1%} (lift {found.lift.mean:+.1%}, 95% interval {low:+.1%} to {high:+.1%}; "
        f"{summary.run_id})"
    )
    return found.lift.mean, words, found.tasks


def _apart(rules: Sequence[BookRule]) -> list[list[BookRule]]:
    """Rules in groups that share no task, in the order of their first."""
    groups: list[tuple[set[str], list[BookRule]]] = []
    for rule in rules:
        tasks, members = set(rule.support.tasks), [rule]
        left = []
        for theirs, others in groups:
            if theirs & tasks:
                tasks, members = tasks | theirs, [*others, *members]
            else:
                left.append((theirs, others))
        groups = [*left, (tasks, members)]
    return [members for _, members in groups]


def _tasks(rules: Sequence[BookRule]) -> list[str]:
    return sorted({task for rule in rules for task in rule.support.tasks})


def _last_book(store: Store, runs: Sequence[RunSummary]) -> RuleBook | None:
    books: Mapping[str, None] = dict.fromkeys(summary.book for summary in reversed(runs) if summary.book)
    return next((book for digest in books if (book := store.get("book", digest, RuleBook))), None)


def _runs(store: Store, names: Sequence[str]) -> list[LibrarySummary]:
    """The runs over these skills, oldest first: those whose skills are some of these, or these some of theirs."""
    found = []
    for row in store.runs("library"):
        summary = from_text_or_none(row.summary, LibrarySummary) if row.summary else None
        if summary is not None and {item.name for item in summary.skills} & set(names):
            found.append(summary)
    return found
