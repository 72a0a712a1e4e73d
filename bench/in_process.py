"""A refresh step by step in this process, as the flow does it, without a Prefect server.

A step whose key is in the store is a hit; it is done again all the same, which asks no model. Prefect's share of a step
is several times the step's own where a model answers at once, so that tests and benchmarks of many nights do without.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from trace2skill.consolidate.candidate import Candidate
from trace2skill.evaluation.conditions import evaluation_of, jobs_of
from trace2skill.runs import closing, promotion, selection
from trace2skill.runs import refresh as run
from trace2skill.runs.batching import answered_ahead
from trace2skill.runs.consolidation import united
from trace2skill.runs.distill import Distilled, choose_for_analysis, choose_pairs, with_lessons
from trace2skill.runs.estimate import Estimate, foreseen
from trace2skill.runs.evolve_tasks import for_base, for_candidate
from trace2skill.runs.replay import replay_of, still_out
from trace2skill.runs.rounds import Search
from trace2skill.runs.runtime import Runtime, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.shrink import Shrinking, shrinking_of
from trace2skill.runs.shrunk import Shrunk
from trace2skill.runs.steps.apply import APPLY
from trace2skill.runs.steps.assign import ASSIGN
from trace2skill.runs.steps.audit import AUDIT
from trace2skill.runs.steps.contrast import CONTRAST
from trace2skill.runs.steps.draft import DRAFT
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.induce import INDUCE
from trace2skill.runs.steps.judge import JUDGE, to_judge
from trace2skill.runs.steps.mine import MINE, taken_over
from trace2skill.runs.steps.observe import OBSERVE, by_rules, to_observe
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.runs.steps.script import SCRIPT
from trace2skill.runs.steps.shorten import SHORTEN
from trace2skill.runs.steps.signs import SIGNS, batches
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.write import WRITE
from trace2skill.runs.summary import RunSummary
from trace2skill.runs.watermarks import Taken
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.references import Extracted


@dataclass
class Done:
    """What a run did: its summary, what was foreseen, and which steps were in the store."""

    rt: Runtime
    workers: int = 1
    hits: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    summary: RunSummary | None = None
    estimate: Estimate | None = None
    guard: Any = field(default_factory=threading.Lock)

    def steps(self, step: RunStep[Any], items: Iterable[Any], *rest: Any) -> list[Any]:
        """The step for each item, in their order; side by side where there are workers, or in batches."""
        items = [*items]
        if step.one_call is not None:
            answered_ahead(self.rt, [(step, items, rest)])
        if self.workers == 1:
            return [self.step(step, item, *rest) for item in items]
        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(lambda item: self.step(step, item, *rest), items))

    def step(self, step: RunStep[Any], *inputs: Any) -> Any:
        key = step.key(self.rt, *inputs)
        known = self.rt.store.get_result(key) is not None
        with self.guard:
            (self.hits if known else self.missed)[step.name] += 1
        result = step(self.rt, *inputs)
        if not known:
            self.rt.store.put_result(key, b"done")
        return result

    def evaluate(self, conditions: Any, tasks: Any, seeds: tuple[int, ...]) -> list[Evaluation]:
        jobs = list(dict.fromkeys(job for condition in conditions for job in jobs_of(condition, tasks, seeds)))
        rolled = self.steps(ROLLOUT, jobs)
        return [evaluation_of(condition, jobs, rolled) for condition in conditions]


class Stepped:
    """Answers the jobs of the consolidation, and counts which of them were in the store."""

    def __init__(self, done: Done) -> None:
        self._done = done

    def induce(self, jobs: Any) -> Any:
        return self._done.steps(INDUCE, jobs)

    def assign(self, jobs: Any) -> Any:
        return self._done.steps(ASSIGN, jobs)

    def write(self, jobs: Any) -> Any:
        return self._done.steps(WRITE, jobs)

    def script(self, jobs: Any, base: str) -> Any:
        return self._done.steps(SCRIPT, jobs, base)


def refresh(settings: RunSettings, workers: int = 1) -> Done:
    """The flow of that name."""
    settings, intake = run.take_in_logs(settings)
    rt = runtime(settings)
    done, how = Done(rt, workers), settings.learning
    run.start(rt)
    planned = run.plan(rt, done.steps(AUDIT, (*rt.splits.evolve, *rt.splits.validation)))
    done.estimate = foreseen(rt, intake, planned.evolve, planned.validation)
    base = rt.given_skill.digest if rt.given_skill else done.step(DRAFT)
    judged = [done.step(JUDGE, item) for item in to_judge(rt, intake.taken)]
    observed = _observed(done, to_observe(intake.taken, judged))
    grown = []
    for number in range(how.candidates):
        seeds = selection.seeds_of(how.seeds, number)
        spread = for_base(rt, planned.evolve, base, seeds)
        rolled = done.steps(ROLLOUT, spread.jobs(seeds, base))
        spread = for_candidate(rt, spread, rolled, seeds)
        search = Search(number, tuple(rolled), how.rounds, spread)
        learned = _learned(done, rolled, base, observed)
        search.learned(rolled, learned, _built(done, learned))
        _replayed(done, search)
        while (skill := search.to_try) is not None:
            tried = done.steps(ROLLOUT, spread.jobs(seeds, skill))
            _replayed(done, search, tried)
            if search.to_try != skill:
                continue
            search.tried(tried)
            if search.goes_on:
                again = search.failing
                learned = _learned(done, again, base, [], learned, skill)
                search.learned(again, learned, still_out(rt, _built(done, learned), search.replays))
        grown.append(search.evolution)
    best = grown[0]
    if len(grown) > 1:
        tasks = planned.validation if how.select == "validation" else planned.evolve
        scored = done.evaluate(promotion.conditions_to_choose(grown), tasks, settings.gate.held_out_seeds)
        best = grown[selection.best(grown, scored)[0]]
    conditions = promotion.conditions(rt, best.candidate, base)
    scored = done.evaluate(conditions, planned.validation, settings.gate.held_out_seeds)
    repeat = promotion.repeat_of(rt, best.candidate, base)
    repeated = done.evaluate(repeat, planned.validation, promotion.fresh_seeds(settings))
    decision = promotion.verdict(rt, best.candidate, scored, repeated)
    promotion.promote(rt, best.candidate, base, decision)
    promoted = best.candidate if promotion.is_champion(rt, best.candidate) else None
    shrunk = shrink(done, shrinking_of(rt, planned.evolve, planned.validation, promoted))
    read = intake.read if intake.taken else None
    done.summary = closing.finish(rt, planned, best, [*scored, *repeated], decision, [], read=read, shrunk=shrunk)
    return done


def shrink(done: Done, one: Shrinking | None) -> Shrunk | None:
    """The flow of that name."""
    if one is None:
        return None
    while jobs := one.jobs():
        one.take(done.steps(ROLLOUT, jobs))
    one.take_shorter(done.steps(SHORTEN, one.sections()))
    return one.settle(done.evaluate(one.conditions(), one.held_out, done.rt.settings.gate.held_out_seeds))


def _replayed(done: Done, search: Search, tried: Any = ()) -> None:
    """Nothing with several rounds before the candidate was rolled out, and once where it was."""
    if (replay := replay_of(done.rt, search, tried)) is not None:
        while jobs := replay.next_jobs():
            replay.take(done.steps(ROLLOUT, jobs))
        search.replayed(replay.candidate, replay.record(search.number))


def _observed(done: Done, items: Sequence[Taken]) -> list[Extracted]:
    """What imported trajectories teach, said by the analyst of logs or by the miner."""
    if items and by_rules(done.rt):
        return taken_over(done.rt, done.step(MINE, done.steps(SIGNS, batches(items))))
    return [found for item in items for found in done.step(OBSERVE, item).extracted]


def _learned(
    done: Done, rolled: Any, base: str, observed: Any, before: Distilled | None = None, tried: str = ""
) -> Distilled:
    how = done.rt.settings.learning
    analysed = done.steps(EXTRACT, choose_for_analysis(rolled, how.analysts, how.error_analyst))
    analysed += done.steps(CONTRAST, choose_pairs(rolled, how.analysts))
    analysed += observed
    proposed = done.steps(PROPOSE, with_lessons(analysed), tried or base)
    if before:
        analysed, proposed = [*before.analysed, *analysed], [*before.proposed, *proposed]
    return united(done.rt, base, analysed, proposed, Stepped(done))


def _built(done: Done, learned: Distilled) -> Candidate:
    if learned.root is None:
        thresholds = done.rt.settings.learning.thresholds.for_tasks(learned.tasks)
        return run.nothing_learned(learned.base, thresholds)
    made: Candidate = done.step(APPLY, learned.root, learned.base, learned.tasks)
    return made
