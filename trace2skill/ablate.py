"""A study of one candidate: which groups are still to be tried, with which seeds, and what is known of each."""

from collections.abc import Sequence

from pydantic import Field

from trace2skill.consolidate.candidate import Candidate
from trace2skill.errors import BadInput
from trace2skill.evaluation.ablation import Ablation, AblationSettings, GroupEffect, by_cost, judge, without
from trace2skill.evaluation.conditions import Condition
from trace2skill.evaluation.decision import Decision
from trace2skill.evaluation.matrix import Cell, Evaluation
from trace2skill.evaluation.selection import SEED_STEP
from trace2skill.noun import Noun
from trace2skill.runtime import Runtime
from trace2skill.summary import RunSummary

FULL = "whole"


class Batch(Noun):
    """What is scored next: conditions at one more seed."""

    conditions: list[Condition]
    seeds: tuple[int, ...]


class Pruned(Noun):
    """The result of an ablation: the effects, and what the gate says of the skill without the groups to prune."""

    ablation: Ablation
    evaluations: tuple[Evaluation, ...] = ()
    decision: Decision
    directory: str = Field(default="", description="Where the pruned skill stands; '' where nothing is pruned.")


class Study:
    """The state of an ablation. Scores come in by `take`; what comes next depends on them alone."""

    def __init__(self, rt: Runtime, summary: RunSummary, how: AblationSettings) -> None:
        self.candidate: Candidate = summary.candidate
        self.base = summary.candidate.base
        self.how = how
        self.tasks = tuple(dict.fromkeys(cell.task_id for cell in summary.evaluations[0].cells))
        self._rt = rt
        self._seeds = [
            seed + SEED_STEP * 100 * number for number in range(how.seeds) for seed in rt.settings.held_out_seeds[:1]
        ]
        base = rt.skill(self.base)
        if base is None:
            raise BadInput("an ablation needs a skill")
        self._groups = {group.id: group for group in by_cost(self.candidate)}
        self._skills: dict[str, str] = {}
        for id in self._groups:
            skill = without(base, self.candidate, [id], rt.settings.edits)
            if skill is not None:
                rt.store.put("skill", skill.digest, skill)
                self._skills[id] = skill.digest
        self._cells: dict[str, list[Cell]] = {}
        self._done = dict.fromkeys([FULL, *self._groups], 0)
        self._spent = 0
        self.effects: dict[str, GroupEffect] = {}

    def next_batch(self) -> Batch | None:
        """The next seed, for the whole candidate and as many undecided groups as the budget allows."""
        room = self.how.rollouts - self._spent
        number = self._done[FULL]
        waiting = [id for id in self._skills if self._undecided(id) and self._done[id] == number]
        most = room // max(1, len(self.tasks)) - 1
        if number >= len(self._seeds) or not waiting or most < 1:
            return None
        chosen = waiting[:most]
        conditions = [Condition(name=FULL, skill=self.candidate.skill)]
        conditions += [Condition(name=id, skill=self._skills[id]) for id in chosen]
        return Batch(conditions=conditions, seeds=(self._seeds[number],))

    def take(self, scored: Sequence[Evaluation]) -> None:
        """Note the scores of a batch and judge its groups."""
        for item in scored:
            self._cells.setdefault(item.condition, []).extend(item.cells)
            self._done[item.condition] += 1
            self._spent += len(item.cells)
        for item in scored:
            if item.condition != FULL:
                self.effects[item.condition] = judge(
                    self._groups[item.condition], self._so_far(FULL), self._so_far(item.condition), self.how
                )

    def pruned_candidate(self) -> Candidate:
        """The candidate without the groups to prune; S0 itself as candidate where none is pruned."""
        gone = [id for id, effect in self.effects.items() if effect.verdict == "prune"]
        base = self._rt.skill(self.base)
        skill = without(base, self.candidate, gone, self._rt.settings.edits) if gone and base is not None else None
        if skill is None:
            return self.candidate.model_copy(update={"skill": self.base, "applied": ()})
        self._rt.store.put("skill", skill.digest, skill)
        kept = tuple(group for group in self.candidate.applied if group.id not in gone)
        return self.candidate.model_copy(update={"skill": skill.digest, "applied": kept})

    @property
    def rollouts(self) -> int:
        """Runs of the matrix so far."""
        return self._spent

    def _undecided(self, id: str) -> bool:
        return id not in self.effects or self.effects[id].verdict == "unknown"

    def _so_far(self, condition: str) -> Evaluation:
        skill = self.candidate.skill if condition == FULL else self._skills[condition]
        return Evaluation.of(condition, skill, self._cells[condition])


def begin(rt: Runtime, run_id: str, how: AblationSettings) -> Study:
    """Open the study of a run's candidate.

    Raises:
        BadInput: no such run, it has not ended, it was not evaluated, or it learned nothing.
    """
    row = rt.store.run(run_id)
    if row is None or not row.summary or row.kind not in ("run", "refresh"):
        raise BadInput(f"no finished run '{run_id}' in {rt.settings.store}: `trace2skill show` lists them")
    summary = RunSummary.model_validate_json(row.summary)
    if not summary.evaluations:
        raise BadInput(f"run '{run_id}' has no evaluated candidate: there is nothing to ablate")
    return Study(rt, summary, how)


def finish(rt: Runtime, study: Study, pruned: Candidate, scored: Sequence[Evaluation], decision: Decision) -> Pruned:
    """Close the run and say what was found."""
    changed = pruned.skill != pruned.base
    found = Pruned(
        ablation=Ablation(
            candidate=study.candidate.skill,
            effects=tuple(study.effects.values()),
            rollouts=study.rollouts,
            pruned=pruned.skill if changed else None,
        ),
        evaluations=tuple(scored),
        decision=decision
        if changed
        else Decision(verdict="reject", reason="no group is to be pruned: the candidate stays as it is"),
        directory=_directory(rt, pruned) if changed else "",
    )
    rt.store.put("ablation", study.candidate.skill, found.ablation)
    rt.store.finish_run(rt.run_id, "completed", found.model_dump_json())
    return found


def _directory(rt: Runtime, pruned: Candidate) -> str:
    from trace2skill.registry import Registry

    skill = rt.skill(pruned.skill)
    return str(Registry(rt.store).directory(skill)) if skill else ""
