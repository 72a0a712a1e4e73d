"""The effects of the rules of a book, from the rollouts on evolve tasks that earlier runs made of several skills.

Held-out tasks take no part: what they turned is the gate's alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from trace2skill.consolidate.cut import MARK, plain_words
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.consolidate.settle import RuleBook
from trace2skill.consolidate.standing import lines_of, standing_in
from trace2skill.evaluation.attribution import RuleEffect, RunsOfTask, rule_effects
from trace2skill.runs.past import Past, past_of
from trace2skill.runs.rule_trials import RulesByWords
from trace2skill.runs.spread import SkillScores
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.skill import Skill
from trace2skill.store import Store

Seeds = tuple[int, ...]
"""Of a night, where its seeds move; none where they do not."""


def effects_of(store: Store, past: Past, book: RuleBook) -> Mapping[str, RuleEffect]:
    """What is known of each rule, by id: none where no two skills that differ in it were rolled out on one task."""
    return rule_effects(runs_seen(store, past, book), {rule.id: rule.support.tasks for rule in book.rules})


def effects_beside(
    seen: Sequence[RunsOfTask], asked_by: Mapping[str, Collection[str]], rules: Collection[str]
) -> Mapping[str, RuleEffect]:
    """What each of the rules of a skill does beside the others, by id: what is missed where it is left out.

    Of skills that lack half of these rules or more, too much differs at once: a task that turned with another rule
    would be put down to one that asked for it in vain. So it is of those that lack a rule which is surely missed.
    """
    wanted = frozenset(rules)
    near = [row for row in seen if 2 * len(wanted - row.rules) < len(wanted)]
    first = rule_effects(near, asked_by)
    missed = {id for id in wanted if id in first and is_missed(first[id])}
    return {**first, **rule_effects([row for row in near if missed <= row.rules], asked_by)}


def is_missed(effect: RuleEffect) -> bool:
    """Is a skill surely worse without it, over all tasks or over those that asked for it?"""
    return effect.effect.low > 0 or (effect.on_asking is not None and effect.on_asking.low > 0)


def runs_seen(
    store: Store, past: Past, book: RuleBook, more: Sequence[SkillScores] = (), seeds: Seeds = ()
) -> list[RunsOfTask]:
    """Each skill's runs of each evolve task, with the rules of the book that the skill states.

    A skill that the store has lost says nothing. Nights with seeds of their own add up; of several runs with the same
    seeds that with the most rollouts of a task counts.

    Args:
        store: where the skills are.
        past: the runs that count.
        book: whose rules.
        more: scores of a run that has not ended, with its seeds.
        seeds: see `more`.
    """
    most: dict[tuple[str, str, Seeds], tuple[int, int]] = {}
    for scores, of in (*_scores(past), *((item, seeds) for item in more)):
        for task, (passed, scored) in scores.tasks.items():
            if scored > most.get((task, scores.skill, of), (0, 0))[1]:
                most[task, scores.skill, of] = (passed, scored)
    totals: dict[tuple[str, str], tuple[int, int]] = {}
    for (task, skill, _), (passed, scored) in most.items():
        before = totals.get((task, skill), (0, 0))
        totals[task, skill] = (before[0] + passed, before[1] + scored)
    written = _as_written(past, book)
    inside = {digest: _rules_in(store, digest, book, written) for digest in {skill for _, skill in totals}}
    return [
        RunsOfTask(task, rules, passed, scored)
        for (task, skill), (passed, scored) in sorted(totals.items())
        if (rules := inside[skill]) is not None
    ]


def _scores(past: Past) -> Iterator[tuple[SkillScores, Seeds]]:
    for _, summary in past.runs:
        for scores in (*summary.rolled, *(item for record in summary.replays for item in record.scores)):
            yield scores, summary.seeds
    for _, shrunk in past.shrunk:
        for scores in shrunk.scores:
            yield scores, shrunk.seeds


def settled_groups(store: Store, summary: RunSummary) -> dict[str, str]:
    """The groups of a run's candidate all of whose rules have a settled effect, by id, with these effects in words."""
    book = store.get("book", summary.book, RuleBook) if summary.book else None
    if book is None:
        return {}
    effects = effects_of(store, past_of(store, summary.skill_name), book)
    known, found = RulesByWords(book.rules), dict[str, str]()
    for group in summary.candidate.applied:
        rules = {id for line in group.inner or (group,) for id in known.of(line)}
        if rules and all(id in effects and effects[id].settled for id in rules):
            found[group.id] = "; ".join(effects[id].in_words for id in sorted(rules))
    return found


def _as_written(past: Past, book: RuleBook) -> dict[str, frozenset[str]]:
    """The rules of each line that a candidate had or was to have, by its plain words: a writer has words of its own."""
    known, found = RulesByWords(book.rules), dict[str, frozenset[str]]()
    for _, summary in past.runs:
        made = summary.candidate
        for group in (*made.written, *(item.group for item in made.dropped)):
            for edit in group.edits:
                words = plain_words(MARK.sub("", edit.content))
                found[words] = found.get(words, frozenset()) | known.of(group)
    return found


def _rules_in(
    store: Store, digest: str, book: RuleBook, written: Mapping[str, frozenset[str]]
) -> frozenset[str] | None:
    """The rules that a skill states: by its ledger where it has one, and by its lines."""
    skill = store.get("skill", digest, Skill)
    if skill is None:
        return None
    by_words = (written.get(words, frozenset()) for words in lines_of(skill))
    return frozenset(standing_in(skill, store.get("support", digest, SupportLedger), book)).union(*by_words)
