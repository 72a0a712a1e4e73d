"""Replay before the gate: rules that break evolve tasks are found by trials of parts of a candidate, and taken out.

The candidate as a whole is tried first; where it was rolled out anyway, that is the trial. Where fewer than two tasks
fail that S0 passed, nothing more is tried. Else skills with some of the rules are tried on those tasks, and on tasks
that asked for the rules and pass with them (`trace2skill.evaluation.culprits`). Held-out tasks take no part.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.groups import Dropped, EditGroup
from trace2skill.consolidate.parts import is_same_rule, left, parts_of, without
from trace2skill.core.digest import digest_of
from trace2skill.evaluation.culprits import LEAST, Blame, Culprits, Trial, most_batches
from trace2skill.runs.replayed import Replayed, ReplayedRule
from trace2skill.runs.rounds import Search
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.spread import scores_of
from trace2skill.runs.steps.stored import skill_of
from trace2skill.runs.turned import Turned, turned
from trace2skill.types.references import Rolled, RolloutJob


class Replay:
    """The trials of one candidate: what is rolled out next, and what it came to.

    Args:
        rt: the run.
        candidate: as it was built.
        before: the rollouts of S0 on the evolve tasks.
        whole: those of the candidate, where it has any.
        spent: trials that earlier candidates of the same search have taken: one allowance holds for all.
        is_left: is the candidate what an earlier replay left? Then nothing is rolled out to look at it as a whole.
    """

    def __init__(
        self,
        rt: Runtime,
        candidate: Candidate,
        before: Sequence[Rolled],
        whole: Sequence[Rolled] = (),
        spent: int = 0,
        *,
        is_left: bool = False,
    ) -> None:
        self._rt, self._candidate, self._before = rt, candidate, before
        self._parts = parts_of(candidate)
        self._most = rt.settings.learning.replay
        self._seeds = {**_seeds_of(before), **_seeds_of(whole)}
        self._swept = list(_seeds_of(whole))
        self._whole: tuple[Rolled, ...] = tuple(whole)
        self._turned: Turned = turned(before, whole)
        self._to_look_at = [] if is_left else self._sample()
        self._culprits: Culprits | None = None if self._to_look_at else self._begin()
        self._trials: list[tuple[Trial, Turned, frozenset[str]]] = []
        self._left = most_batches(len(self._parts)) - spent
        self._batches = self._runs = 0
        self._next: Trial | None = None
        self._rolled: list[Rolled] = list(whole)

    def next_jobs(self) -> list[RolloutJob]:
        """What is to be rolled out now; nothing where the search is over."""
        if not self._most or self._left <= 0 or self._candidate.skill == self._candidate.base:
            return []
        if self._to_look_at:
            return self._jobs(self._to_look_at, self._candidate.skill)
        if self._culprits is None:
            return []
        for trial, tasks in self._wanted(self._culprits):
            skill = self._skill(trial)
            if skill is not None:
                self._next = trial
                return self._jobs(tasks, skill)
        return []

    def take(self, rolled: Sequence[Rolled]) -> None:
        """So did the skill of the last jobs."""
        self._left -= 1
        self._batches += 1
        self._runs += len(rolled)
        self._rolled += rolled
        if self._next is None:
            self._whole, self._to_look_at = (*self._whole, *rolled), []
            self._turned = turned(self._before, self._whole)
            self._culprits = self._begin()
            return
        trial, self._next = self._next, None
        found, scored = turned(self._before, rolled), _scored(rolled)
        if self._culprits is not None:
            self._culprits.take(trial, {t: t in found.lost for t in self._culprits.tasks if t in scored})
        self._trials.append((trial, turned(self._whole, rolled), scored))

    @property
    def candidate(self) -> Candidate:
        """What is left of the candidate; itself where nothing was taken out."""
        out = [item for item in self._judged() if item.out]
        return _left_out(self._rt, self._candidate, out) if out else self._candidate

    def record(self, evolution: int = 0) -> Replayed:
        """What was tried and what it came to."""
        judged = self._judged()
        explained = {task for item in judged for task in item.broken}
        return Replayed(
            evolution=evolution,
            skill=self._candidate.skill,
            left=self.candidate.skill,
            parts=len(self._parts),
            batches=self._batches,
            runs=self._runs,
            lost=len(self._turned.lost),
            unexplained=len(set(self._turned.lost) - explained),
            rules=tuple(judged),
            scores=scores_of(self._rolled),
        )

    def _begin(self) -> Culprits | None:
        """The search among the rules, None where too few tasks were lost."""
        lost = self._in_order(self._turned.lost)[: max(LEAST, 2 * self._most // 3)]
        if len(lost) < LEAST or len(self._parts) < 2:
            return None
        return Culprits(len(self._parts), lost, digest_of("replay", self._candidate.skill))

    def _wanted(self, culprits: Culprits) -> Iterator[tuple[Trial, list[str]]]:
        """Trials, the best first, each with its tasks. The last that may be made is of what would be left."""
        if self._left > 1:
            yield from ((trial, self._tasks(culprits)) for trial in culprits.designs())
        out = {blame.part for blame in culprits.blamed() if self._harms(blame)}
        check = frozenset(range(len(self._parts))) - out
        if out and check not in [trial for trial, *_ in self._trials]:
            yield check, list(dict.fromkeys([*self._swept, *self._tasks(culprits)]))

    def _tasks(self, culprits: Culprits) -> list[str]:
        """Those that were lost, and gained ones that asked for a rule: first for those that are blamed."""
        blamed = [blame.part for blame in culprits.blamed()]
        parts = [*blamed, *(number for number in range(len(self._parts)) if number not in blamed)]
        own = _in_turn(self._in_order(self._asked_and_gained(self._parts[part])) for part in parts)
        return list(dict.fromkeys([*culprits.tasks, *own]))[: max(self._most, len(culprits.tasks))]

    def _sample(self) -> list[str]:
        """For a first look at the whole: a third of tasks that asked for the rules, and tasks that S0 passed, of every
        kind. Where it was rolled out as a whole, the tasks that S0 passed and that were left out then.
        """
        if not self._most or (self._swept and self._rt.settings.learning.spread.by == "even"):
            return []
        asked = [] if self._swept else self._asked()
        passed = [task for task in self._passed() if task not in self._swept]
        return list(dict.fromkeys([*asked[: self._most // 3], *passed]))[: self._most]

    def _asked(self) -> list[str]:
        tasks = _in_turn(self._in_order(set(part.support.tasks) & self._seeds.keys()) for part in self._parts)
        return list(dict.fromkeys(tasks))

    def _passed(self) -> list[str]:
        kinds: dict[str, list[str]] = {}
        for task in self._in_order({item.cell.task_id for item in self._before if item.cell.hard > 0}):
            kinds.setdefault(self._rt.task(task).kind, []).append(task)
        return list(_in_turn(kinds[kind] for kind in sorted(kinds)))

    def _in_order(self, tasks: Iterable[str]) -> list[str]:
        """In an order that the run's seeds and nothing else decide."""
        seeds = self._rt.settings.learning.seeds
        return sorted(tasks, key=lambda task: (digest_of("replay", seeds, task), task))

    def _asked_and_gained(self, part: EditGroup) -> set[str]:
        return set(part.support.tasks) & set(self._turned.gained)

    def _jobs(self, tasks: Sequence[str], skill: str) -> list[RolloutJob]:
        return [RolloutJob(task_id=task, seed=seed, skill=skill) for task in tasks for seed in self._seeds[task]]

    def _skill(self, trial: Trial) -> str | None:
        """The digest of the skill with these rules, which is then in the store; None where it is no valid skill."""
        ids = [part.id for number, part in enumerate(self._parts) if number not in trial]
        base, policy = skill_of(self._rt, self._candidate.base), self._rt.settings.learning.policy
        found = without(base, self._candidate, ids, policy)
        if found is None:
            return None
        self._rt.store.put("skill", found[0].skill.digest, found[0].skill)
        return found[0].skill.digest

    def _judged(self) -> list[ReplayedRule]:
        """The rules that are blamed; out are those that the last trial did without, if it passed their tasks."""
        found = self._culprits.blamed() if self._culprits and self._trials else []
        return [
            ReplayedRule(
                group=self._parts[blame.part],
                out=self._harms(blame) and self._is_better_without(blame),
                broken=tuple(sorted(blame.tasks)),
                needed=self._needed(blame.part),
                chance=blame.chance,
                beside=tuple(self._parts[part].text for part in blame.beside),
            )
            for blame in found
        ]

    def _is_better_without(self, blame: Blame) -> bool:
        assert self._culprits is not None
        trial, broken = self._culprits.trials[-1]
        ends = [broken[task] for task in blame.tasks if task in broken]
        return blame.part not in trial and sum(ends) * 2 < len(ends)

    def _harms(self, blame: Blame) -> bool:
        return len(blame.tasks) > self._needed(blame.part)

    def _needed(self, part: int) -> int:
        """Of the tasks that asked for it and pass with the candidate only, those that no trial without it passed."""
        own = self._asked_and_gained(self._parts[part])
        spared = {
            task
            for trial, since, scored in self._trials
            if part not in trial
            for task in own
            if task in scored and task not in since.lost
        }
        return len(own - spared)


def replay_of(rt: Runtime, search: Search, tried: Sequence[Rolled] = ()) -> Replay | None:
    """The replay of a search's last candidate; None where none is asked for, or where the candidate has yet to be
    rolled out as a whole, as rounds do anyway.
    """
    if not rt.settings.learning.replay or (search.to_try is not None and not tried):
        return None
    is_left = bool(search.replays) and search.replays[-1].left == search.candidate.skill
    return Replay(rt, search.candidate, search.rolled, tried, search.trials, is_left=is_left)


def still_out(rt: Runtime, candidate: Candidate, before: Sequence[Replayed]) -> Candidate:
    """A later candidate of a search without the rules that were taken out of an earlier one."""
    known = [item for record in before for item in record.out]
    found = {
        part.id: item.model_copy(update={"group": part})
        for part in parts_of(candidate)
        for item in known
        if is_same_rule(part, item.group)
    }
    return _left_out(rt, candidate, list(found.values())) if found else candidate


def _left_out(rt: Runtime, candidate: Candidate, out: Sequence[ReplayedRule]) -> Candidate:
    base = skill_of(rt, candidate.base)
    found = without(base, candidate, [item.group.id for item in out], rt.settings.learning.policy)
    if found is None:
        return candidate
    rt.store.put("skill", found[0].skill.digest, found[0].skill)
    dropped = [Dropped(group=item.group, reason=f"taken out before the gate: {item.reason}") for item in out]
    return left(candidate, *found, dropped)


def _seeds_of(rolled: Iterable[Rolled]) -> dict[str, list[int]]:
    """The seeds of each task."""
    found: dict[str, list[int]] = {}
    for item in rolled:
        found.setdefault(item.cell.task_id, []).append(item.cell.seed)
    return found


def _scored(rolled: Sequence[Rolled]) -> frozenset[str]:
    return frozenset(item.cell.task_id for item in rolled if item.cell.outcome in ("passed", "failed"))


def _in_turn(lists: Iterable[Sequence[str]]) -> Iterator[str]:
    """The first of each, then the second of each, and so on."""
    rows: Iterator[tuple[str | None, ...]] = zip_longest(*lists)
    return (task for task in chain.from_iterable(rows) if task is not None)
