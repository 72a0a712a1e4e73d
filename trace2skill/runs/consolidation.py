"""The consolidation of a run as a whole: patches to rules, rules to the book, the book to groups to be applied."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, Self

from trace2skill.analysts.script_trial import TriedScript
from trace2skill.consolidate.assign import Coding
from trace2skill.consolidate.book import Grouping
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.consolidate.proposals import Cutter, Proposal, Proposals, together
from trace2skill.consolidate.quarantine import allowed_in, keep
from trace2skill.consolidate.reading import AssignJob, InduceJob, Runner, WriteJob, read_book
from trace2skill.consolidate.settle import RuleBook, by_words
from trace2skill.consolidate.standing import standing_in
from trace2skill.consolidate.worded import worded
from trace2skill.consolidate.write import SheetWording
from trace2skill.core.failures import Failure
from trace2skill.core.garbage import no_full_collections
from trace2skill.runs.distill import Consolidated, Distilled, distilled, tasks_of
from trace2skill.runs.known_scripts import keep_as_files
from trace2skill.runs.lineage import taken_out
from trace2skill.runs.longer_again import lengthened
from trace2skill.runs.memory import recalled
from trace2skill.runs.reviewers_words import in_words_of_reviewers, standing_in_words, wordings
from trace2skill.runs.routines import makes_scripts, named_apart, routines_in
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.assign import ASSIGN
from trace2skill.runs.steps.induce import INDUCE
from trace2skill.runs.steps.script import SCRIPT, ScriptJob
from trace2skill.runs.steps.stored import looks_again, skill_of, stored
from trace2skill.runs.steps.write import WRITE
from trace2skill.runs.verdicts import past_known, verdicts_for
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import LessonKind
from trace2skill.types.patch import Patch
from trace2skill.types.references import Extracted, Merged, Proposed


class RunRunner(Runner, Protocol):
    """A runner that makes scripts of routines, too; asked for that only where scripts are wanted."""

    def script(self, jobs: Sequence[ScriptJob], base: str) -> Sequence[TriedScript]:
        """See `steps.script`; `base` is the digest of S0."""


class StepRunner:
    """Answers the jobs of a round one after the other in this thread, without Prefect; hits come out of no cache."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt

    def induce(self, jobs: Sequence[InduceJob]) -> list[Grouping]:
        """See `Runner`."""
        return [INDUCE(self._rt, job) for job in jobs]

    def assign(self, jobs: Sequence[AssignJob]) -> list[Coding]:
        """See `Runner`."""
        return [ASSIGN(self._rt, job) for job in jobs]

    def write(self, jobs: Sequence[WriteJob]) -> list[SheetWording]:
        """See `Runner`."""
        return [WRITE(self._rt, job) for job in jobs]

    def script(self, jobs: Sequence[ScriptJob], base: str) -> list[TriedScript]:
        """See `RunRunner`."""
        return [SCRIPT(self._rt, job, base) for job in jobs]


class _Beside:
    """A runner beside whose writers something else is done: once their requests are out, this process is idle."""

    BY_THEN_OUT = 0.1

    def __init__(self, runner: Runner, work: Callable[[], object]) -> None:
        self._runner, self._work = runner, work
        self._thread = ThreadPoolExecutor(1)
        self._done: Future[object] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._thread:
            if kind is None:
                (self._done or self._thread.submit(self._work)).result()

    def _later(self) -> object:
        time.sleep(self.BY_THEN_OUT)
        return self._work()

    def write(self, jobs: Sequence[WriteJob]) -> Sequence[SheetWording]:
        """See `Runner`."""
        self._done = self._thread.submit(self._later if jobs else self._work)
        return self._runner.write(jobs)

    def induce(self, jobs: Sequence[InduceJob]) -> Sequence[Grouping]:
        """See `Runner`."""
        return self._runner.induce(jobs)

    def assign(self, jobs: Sequence[AssignJob]) -> Sequence[Coding]:
        """See `Runner`."""
        return self._runner.assign(jobs)


class Cutting:
    """Cuts the patches of a run while others are still being written, so that nothing waits for it in the end.

    Each is cut by the skill it was written against: the candidate of the round before, in later rounds.
    """

    def __init__(self, rt: Runtime, base: str) -> None:
        self._rt, self._base = rt, skill_of(rt, base)
        self._cutters: dict[str, Cutter] = {}
        self._known: dict[tuple[str, LessonKind, bool, tuple[str, ...]], Proposal] = {}

    def take(self, item: Proposed) -> None:
        """Cut one patch."""
        self._cut(self._proposal(item))

    def of(self, proposed: Iterable[Proposed]) -> Proposals:
        """What the patches propose, without what the screening keeps out."""
        return together(self._rt.store, [self._cut(self._proposal(item)) for item in proposed])

    def _cut(self, given: Proposal) -> Proposals:
        digest = given.patch.base
        if digest not in self._cutters:
            known = None if digest == self._base.digest else self._rt.store.get("skill", digest, Skill)
            self._cutters[digest] = Cutter(self._rt.store, known or self._base, looked=looks_again(self._rt))
        return self._cutters[digest].take(given)

    def _proposal(self, item: Proposed) -> Proposal:
        key = (item.content, item.kind, item.weak, item.halved)
        if key not in self._known:
            self._known[key] = Proposal(stored(self._rt, "patch", item.content, Patch), *key[1:])
        return self._known[key]


def united(
    rt: Runtime,
    base: str,
    analysed: Sequence[Extracted],
    proposed: Sequence[Proposed],
    runner: RunRunner,
    failures: tuple[Failure, ...] = (),
    cutting: Cutting | None = None,
) -> Distilled:
    """Everything after the patches: their rules and those that are remembered, in one book.

    Args:
        rt: the run.
        base: digest of S0.
        analysed: all analyses, those without a lesson among them.
        proposed: the patches.
        runner: answers the jobs.
        failures: what failed before.
        cutting: has cut some of the patches already.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached, StageFailed: as the runner; what was answered is kept.
    """
    with no_full_collections():
        found = (cutting or Cutting(rt, base)).of(proposed)
        known = recalled(rt, found, skill_of(rt, base), [item.task_id for item in analysed])
        tasks = tasks_of(analysed) + known.tasks
        made = consolidated(rt, known.proposals, base, tasks, runner, analysed)
        earlier = len(known.proposals.rules) - len(found.rules)
        return distilled(base, analysed, proposed, known.proposals, made, failures, known.tasks, earlier)


def consolidated(
    rt: Runtime,
    found: Proposals,
    base: str,
    tasks: int,
    runner: RunRunner,
    analysed: Sequence[Extracted] = (),
) -> Consolidated:
    """Read the book of all rules, make scripts of routines where that is wanted, and word it; all is kept in the store.

    Args:
        rt: the run. Where no merger is asked, rules of equal words are one and keep them.
        found: what the patches propose.
        base: digest of S0.
        tasks: distinct tasks that were analysed: they set the support that a rule needs.
        runner: answers the jobs.
        analysed: the analyses whose programs may be routines.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached, StageFailed: as the runner; what was answered is kept.
    """
    proposes, makes = bool(found.rules or found.whole), makes_scripts(rt)
    if not proposes and not makes:
        return Consolidated(None, "")
    skill, book = skill_of(rt, base), _read(rt, found, runner)
    scripts = _scripts(rt, base, analysed, book, runner) if makes else ()
    if not proposes and not any(item.group for item in scripts):
        return Consolidated(None, "", scripts)
    past = past_known(rt, skill.name)
    words = wordings(past, book.rules)
    standing = standing_in(skill, rt.store.get("support", base, SupportLedger), book)
    standing = standing_in_words(skill, book.rules, words) | standing
    where = {id: item.words for id, item in standing.items()}
    enough = rt.settings.learning.thresholds.for_tasks(tasks)[1]
    out = taken_out(rt, skill, book, where, enough) if rt.settings.learning.memory else {}
    verdicts = verdicts_for(rt, skill.name, book).items()
    waits = {id: found for id, found in verdicts if found.waits and id not in where}
    out |= {id: found.in_words for id, found in waits.items()}
    refuted = {id: found.in_words for id, found in waits.items() if found.harms}
    longer = lengthened(skill, standing, past, rt.settings.learning.new_evidence)
    whole = [*found.whole, *longer, *(item.group for item in scripts if item.group)]
    with _Beside(runner, lambda: rt.store.put_all([("book", book.digest, book)])) as asked:
        root = worded(skill, book, whole, enough, asked, standing=where, out=out, refuted=refuted)
    root, aside = in_words_of_reviewers(root, book.rules, words, skill, allowed_in(rt.store) if words else ())
    keep(rt.store, aside)
    rt.store.put_all([("groups", root.digest, root)])
    waiting = tuple(item.digest for item in aside)
    return Consolidated(Merged(content=root.digest, groups=len(root.groups)), book.digest, scripts, waiting)


def _scripts(
    rt: Runtime, base: str, analysed: Sequence[Extracted], book: RuleBook, runner: RunRunner
) -> tuple[TriedScript, ...]:
    """What became of all routines; those that may enter have a name each."""
    routines = routines_in(rt, analysed, book)
    made = named_apart(runner.script(routines.jobs, base), skill_of(rt, base))
    keep_as_files(rt, made)
    return (*made, *routines.left)


def _read(rt: Runtime, found: Proposals, runner: Runner) -> RuleBook:
    if "merger" not in rt.settings.roles_asked:
        return by_words(found.rules)
    return read_book(found.rules, runner, rt.settings.learning.merge)
