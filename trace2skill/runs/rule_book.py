"""The rule book of a skill for a reader: each rule with who says it, since when, and whether it is in the skill."""

from collections.abc import Iterator
from operator import not_

from pydantic import Field

from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.consolidate.memory import RuleMemory
from trace2skill.consolidate.quarantine import allowed_in
from trace2skill.consolidate.settle import BookRule, RuleBook, saying_of
from trace2skill.consolidate.standing import Standing, standing_in
from trace2skill.core.errors import BadInput
from trace2skill.core.forms import from_text_or_none
from trace2skill.core.record import Record
from trace2skill.evaluation.attribution import RuleEffect
from trace2skill.runs.past import past_of
from trace2skill.runs.refutation import verdicts_of
from trace2skill.runs.reviewers_words import standing_in_words, why_not_taken, wordings
from trace2skill.runs.rule_effects import effects_of
from trace2skill.runs.rule_trials import RuleTrial, candidates_of, trials_of
from trace2skill.runs.rule_verdict import RuleVerdict
from trace2skill.runs.sections import LearningSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.skill_reviews import lines_said, reviews_of
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.skill import Skill
from trace2skill.store import Store

Key = tuple[str, str]
"""Who said it, and in which words."""


class ListedRule(Record):
    """A rule of the book."""

    id: str
    says: str
    tasks: int
    trajectories: int
    opposed_by: tuple[str, ...] = Field(default=(), description="Ids of rules that cannot hold beside it.")
    against: int = Field(default=0, description="Trajectories that say the opposite.")
    first_seen: str = Field(default="", description="Day (ISO 8601), '' where no store remembers.")
    last_seen: str = ""
    place: str = Field(default="", description="Where the skill says it, '' where it does not.")
    why_not: str = Field(default="", exclude_if=not_, description="Why it is not in the skill.")
    shortened_from: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Longer lines that said it, and can come back; the oldest first."
    )
    tried: tuple[RuleTrial, ...] = Field(
        default=(), exclude_if=not_, description="The candidates it was in, oldest first, and what became of them."
    )
    effect: RuleEffect | None = Field(
        default=None, exclude_if=not_, description="What it adds to the pass rate over the evolve tasks, where known."
    )
    verdict: RuleVerdict | None = Field(
        default=None, exclude_if=not_, description="That it stands refuted, and what has come since."
    )
    reviews: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="What reviewers of pull requests have said of its lines."
    )


class ListedBook(Record):
    """The book as the last run over the skill left it."""

    skill: str
    run_id: str
    rules: tuple[ListedRule, ...]
    left_out: int = Field(description="Statements that count for no rule.")


def listed_book(store: Store, skill: Skill) -> ListedBook:
    """The rule book of a skill, by its name.

    Raises:
        BadInput: no run over a skill of that name left one in the store.
    """
    summary = _last_run(store, skill.name)
    book = store.get("book", summary.book, RuleBook)
    if book is None:
        raise BadInput(f"the book of {summary.run_id} is no longer in {store.path}: was it pruned? run again")
    memory = store.get("memory", skill.name, RuleMemory) or RuleMemory(skill=skill.name)
    standing = standing_in(skill, store.get("support", skill.digest, SupportLedger), book)
    fate = dict(_fates(summary))
    opposed: dict[str, list[str]] = {}
    for pair in book.opposed:
        opposed.setdefault(pair.first, []).append(pair.second)
        opposed.setdefault(pair.second, []).append(pair.first)
    past = past_of(store, skill.name)
    standing = standing_in_words(skill, book.rules, wordings(past, book.rules)) | standing
    tried = trials_of(candidates_of(past, book.rules))
    refuted = verdicts_of(past, book.rules, _needed(store, summary.run_id))
    effects, reviews = effects_of(store, past, book), reviews_of(store, skill.name)
    allowed = allowed_in(store)
    rules = [
        _listed(rule, memory, standing.get(rule.id), fate, opposed.get(rule.id, [])).model_copy(
            update={
                "tried": tried.get(rule.id, ()),
                "effect": effects.get(rule.id),
                "verdict": refuted.get(rule.id),
                "reviews": tuple(
                    "; ".join(part for part in (line.in_words, why_not_taken(line, skill, allowed)) if part)
                    for line in lines_said(reviews, [saying_of(one) for one in rule.said], rule.says)
                ),
            }
        )
        for rule in book.rules
    ]
    return ListedBook(skill=skill.name, run_id=summary.run_id, rules=tuple(rules), left_out=len(book.left_out))


def _needed(store: Store, run_id: str) -> int:
    row = store.run(run_id)
    settings = from_text_or_none(row.settings, RunSettings) if row else None
    return (settings.learning if settings else LearningSettings()).new_evidence


def _last_run(store: Store, name: str) -> RunSummary:
    for row in store.runs(newest_first=True):
        summary = from_text_or_none(row.summary, RunSummary) if row.summary else None
        if summary is not None and summary.skill_name == name and summary.book:
            return summary
    raise BadInput(f"no run in {store.path} has left a rule book for a skill called {name}")


def _listed(
    rule: BookRule, memory: RuleMemory, standing: Standing | None, fate: dict[Key, str], opposed: list[str]
) -> ListedRule:
    days = sorted(day for id in rule.support.trajectories if (day := memory.seen.get(id)))
    keys = [(one.rule.trajectory_id, one.rule.text) for one in rule.said]
    why = next((fate[key] for key in keys if key in fate), "it was not part of the last candidate")
    return ListedRule(
        id=rule.id,
        says=rule.says,
        tasks=len(rule.support.tasks),
        trajectories=len(rule.support.trajectories),
        opposed_by=tuple(sorted(opposed)),
        against=len({other.trajectory_id for other in rule.against}),
        first_seen=days[0] if days else "",
        last_seen=days[-1] if days else "",
        place=standing.words if standing else "",
        why_not="" if standing else why,
        shortened_from=standing.row.shortened_from if standing and standing.row else (),
    )


def _fates(summary: RunSummary) -> Iterator[tuple[Key, str]]:
    """What became of what was said, by who said it; of a rule that was written, which candidate it is in."""
    made = summary.candidate
    for item in made.dropped:
        yield from _each(item.group, item.reason)
    for conflict in made.open:
        for side in conflict.sides:
            yield from _each(side, f"open conflict: {conflict.reason}")
    for rule in made.written:
        yield from _each(rule, f"in the candidate of {summary.run_id}, which is not this version")


def _each(group: EditGroup, fate: str) -> Iterator[tuple[Key, str]]:
    for saying in group.said:
        yield (saying.trajectory_id, saying.text), fate
