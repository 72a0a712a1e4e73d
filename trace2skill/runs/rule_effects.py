"""The effects of the rules of a book, from the rollouts on evolve tasks that earlier runs made of several skills.

Held-out tasks take no part: what they turned is the gate's alone.
"""

from collections.abc import Mapping

from trace2skill.consolidate.cut import MARK, plain_words
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.consolidate.settle import RuleBook
from trace2skill.consolidate.standing import lines_of, standing_in
from trace2skill.evaluation.attribution import RuleEffect, RunsOfTask, rule_effects
from trace2skill.runs.past import Past, past_of
from trace2skill.runs.rule_trials import RulesByWords
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.skill import Skill
from trace2skill.store import Store


def effects_of(store: Store, past: Past, book: RuleBook) -> Mapping[str, RuleEffect]:
    """What is known of each rule, by id: none where no two skills that differ in it were rolled out on the same task.

    A skill that the store has lost says nothing. Of several runs with one skill that with the most rollouts of a
    task counts, since two nights may have had the same seeds.
    """
    totals: dict[tuple[str, str], tuple[int, int]] = {}
    for _, summary in past.runs:
        for scores in (*summary.rolled, *(item for record in summary.replays for item in record.scores)):
            for task, (passed, scored) in scores.tasks.items():
                if scored > totals.get((task, scores.skill), (0, 0))[1]:
                    totals[task, scores.skill] = (passed, scored)
    written = _as_written(past, book)
    inside = {digest: _rules_in(store, digest, book, written) for digest in {skill for _, skill in totals}}
    seen = [
        RunsOfTask(task, rules, passed, scored)
        for (task, skill), (passed, scored) in sorted(totals.items())
        if (rules := inside[skill]) is not None
    ]
    return rule_effects(seen, {rule.id: rule.support.tasks for rule in book.rules})


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
