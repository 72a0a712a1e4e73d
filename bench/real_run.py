"""One consolidation of patches over the real path of calls, and what it cost: what the benches of real text share."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from labelled_corpus import Corpus, rules_of

from trace2skill.consolidate.bounded import Asker, Bounds, ModelAsker
from trace2skill.consolidate.candidate import build_candidate
from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.node import Groups
from trace2skill.consolidate.reading import AssignJob, InduceJob, WriteJob, read_book
from trace2skill.consolidate.route import Thresholds
from trace2skill.consolidate.runner import ThreadRunner
from trace2skill.consolidate.worded import worded
from trace2skill.core.budget import Budget
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings
from trace2skill.skills.skill import Skill
from trace2skill.store import Store, open_store
from trace2skill.types.patch import Patch


@dataclass
class Counted:
    """A runner that counts: calls one after the other in the slowest job of each round, and rounds."""

    inner: ThreadRunner
    rounds: int = 0
    by_round: list[tuple[str, int]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def induce(self, jobs: Sequence[InduceJob]) -> Any:
        """One round."""
        return self._round("induce", jobs, self.inner.induce)

    def assign(self, jobs: Sequence[AssignJob]) -> Any:
        """One round."""
        return self._round("again" if any(job.again for job in jobs) else "assign", jobs, self.inner.assign)

    def write(self, jobs: Sequence[WriteJob]) -> Any:
        """One round."""
        return self._round("write", jobs, self.inner.write)

    def _round(self, kind: str, jobs: Sequence[Any], answer: Callable[[Sequence[Any]], Any]) -> Any:
        before = Counter(self.calls)
        found = answer(jobs)
        longest = max((self.calls - before).values(), default=0)
        self.rounds += longest
        self.by_round.append((kind, sum((self.calls - before).values())))
        return found


@dataclass
class Run:
    """What one consolidation came to and what it cost."""

    groups: Groups
    written: list[EditGroup]
    conflicts: list[tuple[EditGroup, ...]]
    calls: int
    rounds: int
    tokens: int
    largest: int
    by_round: list[tuple[str, int]]
    skill: Skill


def consolidated(
    corpus: Corpus,
    patches: Sequence[Patch],
    store: Store,
    bounds: Bounds,
    mistakes: float,
    seed: int,
    model: ModelSettings | None = None,
) -> Run:
    """The product's path from patches to a candidate, each call over the real path; by default by the labels."""
    query = {"corpus": str(corpus.directory.resolve()), **({"mistakes": mistakes} if mistakes else {}), "seed": seed}
    model = model or ModelSettings(name=f"sim/labelled?{urlencode(query)}")
    before = len(store.ledger())
    client = Client(store, Budget(None), "bench")
    guard = threading.Lock()

    def asker(step: StepLabel) -> Asker:
        inner = ModelAsker(client, model, step)

        def asked(prompt: str, wanted: Any, values: Any, said: Sequence[str]) -> Any:
            with guard:
                counted.calls[str(step)] += 1
            return inner(prompt, wanted, values, said)

        return asked

    counted = Counted(ThreadRunner(asker, bounds))
    tasks = len({patch.task_id for patch in patches})
    thresholds = Thresholds()
    book = read_book(rules_of(corpus, patches), counted, bounds)
    groups = worded(corpus.base, book, (), thresholds.for_tasks(tasks)[1], counted)
    skill, candidate = build_candidate(corpus.base, groups, thresholds, tasks)
    rows = [row for row in store.ledger()[before:] if row.outcome == "answered"]
    written = [inner for group in candidate.applied for inner in (group.inner or (group,))]
    return Run(
        groups=groups,
        written=written,
        conflicts=[item.sides for item in candidate.open],
        calls=len(rows),
        rounds=counted.rounds,
        tokens=sum(row.tokens_in for row in rows),
        largest=max((row.tokens_in for row in rows), default=0),
        by_round=counted.by_round,
        skill=skill,
    )


def in_store(directory: str, name: str, work: Callable[[Store], Any]) -> Any:
    """Do something with a store of its own."""
    store = open_store(Path(directory) / name)
    try:
        return work(store)
    finally:
        store.close()
