"""Mining: the signs of many sessions to rules, and rules to lessons of the sessions that show them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from trace2skill.analysts.checks import LessonRules
from trace2skill.analysts.mining.associations import Distinction, Looked, associations
from trace2skill.analysts.mining.corpus import Corpus, Read, numbers
from trace2skill.analysts.mining.environment import environment_rules
from trace2skill.analysts.mining.exact import odds_ratio
from trace2skill.analysts.mining.recoveries import recovery_rules
from trace2skill.analysts.mining.rule import MinedRule, Mining, Witness
from trace2skill.analysts.mining.signs import Signs, step_of
from trace2skill.analysts.mining.wording import in_numbers, name_of, title_and_content
from trace2skill.types.lesson import KIND_OF, DroppedLesson, Evidence, Extraction, Lesson
from trace2skill.types.trajectory import Trajectory

WITNESSES = 60
"""So many sessions bring a rule in as their lesson; all are counted."""
LESSONS_EACH = 3
Look = Callable[[str], tuple[Trajectory, Sequence[str]] | None]
"""A session by its id, with what its log says of the expected answer."""


def mining(read: Read) -> Mining:
    """The rules of all these sessions, and what was looked at. The same signs in another order give the same."""
    outcomes: Counter[str] = Counter()
    tasks: set[str] = set()
    for signs in read():
        outcomes[signs.outcome] += 1
        tasks.add(signs.task)
    corpus = Corpus(read)
    looked = associations(corpus)
    recovered, failures, changes = recovery_rules(read, len(tasks))
    facts = environment_rules(read, len(tasks))
    absent = {rule.title.partition(" is not there")[0] for rule in facts if rule.title.endswith(" is not there")}
    replaced = {name for name in absent for rule in recovered if f"instead of `{name}`" in rule.content}
    facts = [rule for rule in facts if rule.title.partition(" is not there")[0] not in replaced]
    rules = [*facts, *recovered, *_associated(corpus, looked, recovered)]
    return Mining(
        sessions=sum(outcomes.values()),
        outcomes=dict(sorted(outcomes.items())),
        tasks=len(tasks),
        tested_sessions=len(corpus.sessions),
        within=looked.within,
        signs=looked.signs,
        shared=looked.shared,
        level=looked.level,
        nearest=_nearest(looked),
        failures=failures,
        changes=changes,
        rules=tuple(rule.model_copy(update={"witnesses": _spread(rule.witnesses)}) for rule in rules),
    )


def extractions(found: Mining, look: Look) -> tuple[list[Extraction], Mining]:
    """The rules as lessons of the sessions that show them, without what would give something of a log away.

    Returns the extractions by session, and the mining without the rules that no session could bring in.
    """
    brought: dict[str, list[tuple[MinedRule, Witness]]] = {}
    for rule in found.rules:
        for witness in rule.witnesses:
            brought.setdefault(witness.id, []).append((rule, witness))
    made: list[Extraction] = []
    kept: set[str] = set()
    for id, shows in sorted(brought.items()):
        there = look(id)
        if there is not None:
            extracted = _of_session(there[0], there[1], shows)
            made += extracted
            kept.update(lesson.content for item in extracted for lesson in item.lessons)
    rules = tuple(rule for rule in found.rules if rule.content in kept)
    return made, found.model_copy(update={"rules": rules, "given_up": len(found.rules) - len(rules)})


def _of_session(
    trajectory: Trajectory, gold: Sequence[str], shows: Iterable[tuple[MinedRule, Witness]]
) -> list[Extraction]:
    checks = LessonRules.of_log(trajectory, gold)
    lessons: list[Lesson] = []
    dropped: list[DroppedLesson] = []
    kind = KIND_OF.get(trajectory.outcome.kind, "unknown")
    common: dict[str, Any] = {"trajectory_id": trajectory.id, "task_id": trajectory.task_id, "kind": kind}
    weak = trajectory.outcome.source if trajectory.outcome.weak and trajectory.outcome.kind != "unknown" else ""
    for rule, witness in shows:
        leaks = checks.leaks_in(f"{rule.title}\n{rule.content}")
        if leaks:
            dropped.append(DroppedLesson(title=rule.title, content=rule.content, reason="; ".join(leaks)))
            continue
        last = len(trajectory.steps)
        steps = Evidence(first=min(witness.first, last), last=min(max(witness.first, witness.last), last))
        lesson = Lesson(
            **common,
            proof="observed",
            title=rule.title[:120],
            description=f"Seen in logs: {rule.evidence}."[:400],
            content=rule.content[:1500],
            evidence=(steps,),
            weak_label=weak if rule.kind == "association" else "",
        )
        lessons.append(lesson)
    if not lessons:
        reason = "what was found would give something of its log away"
        return [Extraction(**common, verdict="nothing_learned", dropped=tuple(dropped), reason=reason)]
    parts = [tuple(lessons[at : at + LESSONS_EACH]) for at in range(0, len(lessons), LESSONS_EACH)]
    first, *others = [Extraction(**common, verdict="lessons", lessons=part) for part in parts]
    return [first.model_copy(update={"dropped": tuple(dropped)}), *others]


def _associated(corpus: Corpus, looked: Looked, others: Sequence[MinedRule]) -> list[MinedRule]:
    said = {rule.content for rule in others}
    wanted = {number for item in looked.found for number in _shows(corpus, item)}
    signs = {number: found for number, found in enumerate(corpus.kept()) if number in wanted}
    rules = []
    for item in looked.found:
        title, content = title_and_content(item)
        if content in said:
            continue
        said.add(content)
        shows = _shows(corpus, item)
        rules.append(
            MinedRule(
                kind="association",
                title=title[:120],
                content=content,
                evidence=in_numbers(item, looked.within),
                witnesses=tuple(_witness(signs[number], item) for number in shows),
                sessions=(item.sign.shown & item.sign.eligible & corpus.known).bit_count(),
                tasks=len({corpus.sessions[number].task for number in shows}),
                table=item.table,
                odds=round(odds_ratio(item.table), 2),
                p=item.tested.p,
            )
        )
    return rules


def _shows(corpus: Corpus, item: Distinction) -> list[int]:
    """The sessions that bear a rule out: failures on its bad side, and passes on its good one that show the sign."""
    sign = item.sign
    with_it, without = sign.shown & sign.eligible, sign.eligible & ~sign.shown
    bad = with_it if item.with_failure else without
    good = 0 if item.with_failure else with_it
    return [*numbers(bad & corpus.failed), *numbers(good & corpus.passed)]


def _witness(signs: Signs, item: Distinction) -> Witness:
    """The steps in which a session shows the sign, or those in which it could have."""
    sign, places = item.sign, []
    for tool in (word for word in sign.words if word in signs.first):
        places += [signs.first[tool], signs.last[tool]] if sign.kind in ("before", "after") else [signs.first[tool]]
    exact = [place for mark, place in signs.marks.items() if mark.split("\t")[1:] == list(sign.words)]
    shown = exact or places or [0]
    first, last = (1, max(1, signs.steps)) if shown == [0] else (step_of(min(shown)), step_of(max(shown)))
    return Witness(id=signs.id, first=first, last=last)


def _spread(witnesses: Sequence[Witness]) -> tuple[Witness, ...]:
    """At most so many, evenly over the order of their ids."""
    ordered = sorted(witnesses, key=lambda item: item.id)
    if len(ordered) <= WITNESSES:
        return tuple(ordered)
    return tuple(ordered[at * len(ordered) // WITNESSES] for at in range(WITNESSES))


def _nearest(looked: Looked) -> str:
    if looked.nearest is None:
        return ""
    found = looked.nearest
    return f"{name_of(found.sign)}: {in_numbers(found, looked.within)}, odds {odds_ratio(found.table):.1f}"
