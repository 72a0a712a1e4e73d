"""A study of one candidate: which groups are still to be tried, with which seeds, and what is known of each."""

from collections.abc import Mapping, Sequence

from trace2skill.consolidate.candidate import Candidate
from trace2skill.core.errors import BadInput
from trace2skill.core.forms import as_text, from_text
from trace2skill.core.record import Record
from trace2skill.evaluation.ablation import Ablation, AblationSettings, GroupEffect, by_cost, judge, untried, without
from trace2skill.evaluation.conditions import Condition
from trace2skill.evaluation.ends import without_undecided
from trace2skill.runs.pruned import Pruned
from trace2skill.runs.refresh import end
from trace2skill.runs.rule_effects import settled_groups
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.selection import SEED_STEP
from trace2skill.runs.summary import RunSummary
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Cell, Evaluation

FULL = "whole"


class NextBatch(Record):
    """What is scored next: conditions at one more seed."""

    conditions: list[Condition]
    seeds: tuple[int, ...]


class AblationStudy:
    """The state of an ablation. Scores come in by `take`; what comes next depends on them alone.

    A group that harms hides what the others do, so the worst of them is taken out at once, and the others are measured
    again without it. What rollouts on the evolve tasks have settled already comes last.
    """

    def __init__(
        self, rt: Runtime, summary: RunSummary, how: AblationSettings, settled: Mapping[str, str] | None = None
    ) -> None:
        base = rt.skill(summary.candidate.base)
        if base is None:
            raise BadInput("an ablation needs a skill")
        self.candidate: Candidate = summary.candidate
        self.base = base.digest
        self.how = how
        self.tasks = tuple(dict.fromkeys(cell.task_id for cell in summary.evaluations[0].cells))
        self.effects: dict[str, GroupEffect] = {}
        self.rollouts = 0
        self._rt, self._skill = rt, base
        first = rt.settings.gate.held_out_seeds[0]
        self._seeds = [first + SEED_STEP * 100 * number for number in range(how.seeds)]
        self._settled = settled or {}
        order = sorted(by_cost(self.candidate), key=lambda group: group.id in self._settled)
        self._groups = {group.id: group for group in order}
        self._harmful: list[str] = []
        self._cells: dict[str, dict[int, tuple[Cell, ...]]] = {}

    def next_batch(self) -> NextBatch | None:
        """One more seed for the undecided groups, as far as the budget goes, and for the skill with them all."""
        whole = self._digest([])
        undecided = [id for id in self._left() if self._undecided(id)]
        for seed in self._seeds:
            waiting = {id: digest for id in undecided if (digest := self._digest([id])) and not self._has(digest, seed)}
            room = (self.how.rollouts - self.rollouts) // max(1, len(self.tasks)) - (not self._has(whole, seed))
            if waiting and room > 0:
                wanted = {FULL: whole, **dict(list(waiting.items())[:room])}
                conditions = [Condition(name=n, skill=d) for n, d in wanted.items() if d and not self._has(d, seed)]
                return NextBatch(conditions=conditions, seeds=(seed,))
        return None

    def take(self, scored: Sequence[Evaluation]) -> None:
        """Note the scores of a batch, judge its groups, and take the most harmful one out."""
        for item in scored:
            for cell in item.cells:
                seeds = self._cells.setdefault(str(item.skill), {})
                seeds[cell.seed] = (*seeds.get(cell.seed, ()), cell)
            self.rollouts += len(item.cells)
        for id in self._left():
            found = self._judge(id)
            if found is not None:
                self.effects[id] = found
        harmful = [id for id in self._left() if id in self.effects and self.effects[id].effect.high < 0]
        if harmful:
            worst = min(harmful, key=lambda id: (self.effects[id].effect.mean, id))
            self._harmful.append(worst)
            self.effects = {id: effect for id, effect in self.effects.items() if id in self._harmful}

    def all_effects(self) -> tuple[GroupEffect, ...]:
        """What is known of every group; of those that the budget did not reach, nothing."""
        return tuple(
            self.effects.get(id) or untried(group, self._settled.get(id, "")) for id, group in self._groups.items()
        )

    def pruned_candidate(self) -> Candidate:
        """The candidate without the groups to prune; S0 itself as candidate where none or all are pruned."""
        gone = [id for id, effect in self.effects.items() if effect.verdict == "prune"]
        skill = without(self._skill, self.candidate, gone, self._rt.settings.learning.policy) if gone else None
        if skill is None or skill.digest == self.base:
            return self.candidate.model_copy(update={"skill": self.base, "applied": ()})
        self._rt.store.put("skill", skill.digest, skill)
        kept = tuple(group for group in self.candidate.applied if group.id not in gone)
        return self.candidate.model_copy(update={"skill": skill.digest, "applied": kept})

    def _left(self) -> list[str]:
        return [id for id in self._groups if id not in self._harmful]

    def _undecided(self, id: str) -> bool:
        return id not in self.effects or self.effects[id].verdict == "unknown"

    def _digest(self, left_out: list[str]) -> str | None:
        """The skill without the harmful groups and `left_out`, kept in the store; None where that is no valid skill."""
        skill = without(self._skill, self.candidate, [*self._harmful, *left_out], self._rt.settings.learning.policy)
        if skill is None:
            return None
        self._rt.store.put("skill", skill.digest, skill)
        return skill.digest

    def _has(self, digest: str | None, seed: int) -> bool:
        return seed in self._cells.get(str(digest), {})

    def _judge(self, id: str) -> GroupEffect | None:
        whole, ablated = self._cells.get(str(self._digest([])), {}), self._cells.get(str(self._digest([id])), {})
        seeds = sorted(whole.keys() & ablated.keys())
        if not seeds:
            return None
        one, other = (
            Evaluation.of(name, None, [cell for seed in seeds for cell in cells[seed]])
            for name, cells in ((FULL, whole), (id, ablated))
        )
        one, other = without_undecided(one, other)
        return judge(self._groups[id], one, other, self.how)


def begin(rt: Runtime, run_id: str, how: AblationSettings) -> AblationStudy:
    """Open the study of a run's candidate.

    Raises:
        BadInput: no such run, it has not ended, it was not evaluated, or it learned nothing.
    """
    row = rt.store.run(run_id)
    if row is None or not row.summary or row.kind not in ("run", "refresh"):
        raise BadInput(f"no finished run '{run_id}' in {rt.settings.operation.store}: `trace2skill show` lists them")
    summary = from_text(row.summary, RunSummary)
    if not summary.evaluations:
        raise BadInput(f"run '{run_id}' has no evaluated candidate: there is nothing to ablate")
    return AblationStudy(rt, summary, how, settled_groups(rt.store, summary))


def finish(
    rt: Runtime, study: AblationStudy, pruned: Candidate, scored: Sequence[Evaluation], decision: Decision
) -> Pruned:
    """Close the run and say what was found."""
    changed = pruned.skill != pruned.base
    found = Pruned(
        ablation=Ablation(
            candidate=study.candidate.skill,
            effects=study.all_effects(),
            rollouts=study.rollouts,
            pruned=pruned.skill if changed else None,
        ),
        evaluations=tuple(scored),
        decision=decision if changed else _nothing_left(study),
        directory=_directory(rt, pruned) if changed else "",
    )
    rt.store.put("ablation", study.candidate.skill, found.ablation)
    end(rt, "completed", as_text(found), found.decision.reason)
    return found


def _nothing_left(study: AblationStudy) -> Decision:
    gone = sum(effect.verdict == "prune" for effect in study.effects.values())
    reason = (
        "every group is to be pruned: S0 stays" if gone else "no group is to be pruned: the candidate stays as it is"
    )
    return Decision(verdict="reject", reason=reason)


def _directory(rt: Runtime, pruned: Candidate) -> str:
    from trace2skill.versions.registry import Registry

    skill = rt.skill(pruned.skill)
    return str(Registry(rt.store).directory(skill)) if skill else ""
