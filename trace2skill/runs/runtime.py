"""`Runtime`: what the steps of a run share in one process - store, model client, domain, sandbox, tasks, skills."""

import os
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from trace2skill.agents.choose import choose_harness
from trace2skill.agents.harness import Harness
from trace2skill.analysts.strategy import Analyst, Means
from trace2skill.core.budget import Budget
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.domains.base import Domain, Pictured, Sandboxed
from trace2skill.domains.load import load_tasks
from trace2skill.domains.splits import Splits, places_of, remembered, sample_tasks, split_tasks
from trace2skill.llm import Client
from trace2skill.llm.checks import check_model, check_vision
from trace2skill.proposals.draft import empty_skill
from trace2skill.runs.live_skills import live_library, live_skill
from trace2skill.runs.run_progress import ProgressFile
from trace2skill.runs.settings import RunSettings
from trace2skill.sandbox import Access, CommandResult, Limits, Sandbox, choose_sandbox
from trace2skill.sandbox.environment import with_environment
from trace2skill.sandbox.limits import NO_ACCESS
from trace2skill.skills.skill import Skill
from trace2skill.store import Store, open_store
from trace2skill.store.divisions import Divisions
from trace2skill.types.task import Task
from trace2skill.versions.places import SkillPlace, place_of

RunKind = Literal["run", "rollout", "evaluate", "ablate", "shrink", "drift", "ingest", "experiment", "library"]
NOTHING = Splits(evolve=(), validation=(), test=())
_open: dict[str, "Runtime"] = {}
_guard = threading.Lock()


class Runtime:
    """Opened once per process and settings; safe to use from many threads."""

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        self.store: Store = open_store(settings.operation.store, wait_seconds=settings.operation.store_wait_seconds)
        data = settings.data
        self.domain: Domain = load_domain(data.domain, data.domain_options, recalculate=data.recalculate)
        if isinstance(self.domain, Sandboxed):
            self.domain.use_sandbox(lambda: self.sandbox)
        loaded = load_tasks(self.domain, data.path)
        if data.tasks is not None:
            loaded = sample_tasks(loaded, data.tasks, data.split_seed)
        self.tasks: dict[str, Task] = {task.id: task for task in loaded}
        self.splits: Splits = NOTHING if settings.of_logs and not self.tasks else self._divided()
        self.library: dict[Path, Skill] = live_library(self.store, data.skill, settings.operation.library_read_by)
        commit, skill = settings.operation.skill_commit, None if self.library else data.skill
        self.place: SkillPlace | None = place_of(skill, self.store.beside, commit) if skill else None
        newest = place_of(skill, self.store.beside) if skill and commit else self.place
        self.given_skill: Skill | None = live_skill(self.store, self.place, newest) if self.place and newest else None
        if settings.of_logs and not self.library and self.given_skill is None and data.sources is not None:
            self.given_skill = empty_skill(data.sources.name)
        self.kind: RunKind = "run"
        self.progress: ProgressFile | None = None
        self._asked_last: tuple[str, Skill] | None = None

    @property
    def as_read(self) -> RunSettings:
        """The settings with the commit the skill was read at: for the record, and for the run's other processes."""
        commit = self.place.commit if self.place else ""
        return self.settings.changed(skill_commit=commit) if commit else self.settings

    @cached_property
    def sandbox(self) -> Sandbox:
        """Where commands run. Chosen when first needed, so that a run answered from the store needs none."""
        return Slots(self._bare_sandbox, max(2, 2 * (os.cpu_count() or 1)))

    @cached_property
    def _bare_sandbox(self) -> Sandbox:
        known = self.settings.models.all_simulated and self.settings.learning.agent.harness is None
        learning = self.settings.learning
        return with_environment(choose_sandbox(learning.sandbox, simulated_model=known), learning.environment)

    @cached_property
    def harness(self) -> Harness:
        """Who plays the agent. One that is not ours mostly waits for its model, and takes none of the slots."""
        settings = self.settings
        return choose_harness(
            settings.learning.agent, settings.models.agent, self.store, self.sandbox, self._bare_sandbox
        )

    def begin(self, kind: RunKind) -> None:
        """Say what kind of run this is; its calls are then written down under that run's id."""
        if kind != self.kind:
            self.kind = kind
            self.__dict__.pop("client", None)

    def keep_division(self) -> None:
        """Write down where each task stands, before anything looks at one: tasks that come later move none of these."""
        if self.splits == NOTHING:
            return
        tasks, data = [*self.tasks.values()], self.settings.data.path
        while not Divisions(self.store).keep(self.settings.data.plan, places_of(self.splits, tasks, data)):
            self.splits = self._divided()  # another process has placed some of them since

    @property
    def run_id(self) -> str:
        """Names the run by what it computes: the same kind, settings, tasks and skill are the same run.

        A part of an experiment has the experiment's.
        """
        return self.settings.operation.part_of or f"{self.kind}-{self._what_is_computed[:10]}"

    @cached_property
    def _what_is_computed(self) -> str:
        """Asked for at every step and moved display, so it is computed once: it looks at every task."""
        how = self.settings.operation
        skill = self.given_skill.digest if self.given_skill else None
        library = [[one.digest for one in self.library.values()]] if self.library else []
        within = [{"library": how.of_library}] if how.of_library else []
        contents = sorted(task.content for task in self.tasks.values())
        agent = [self.harness.identity] if self.settings.learning.agent.harness else []
        return digest_of(self.settings.identity, skill, contents, self.domain.version, *agent, *library, *within)

    @property
    def books(self) -> str:
        """The id under which its calls are written down: its own, or that of the run over a library it is a part of."""
        return self.settings.operation.of_library or self.run_id

    @cached_property
    def client(self) -> Client:
        """The model client, with the run's budget. What the run spent before counts against the cap."""
        for role in sorted(self.settings.roles_asked):
            check_model(getattr(self.settings.models, role))
        if isinstance(self.domain, Pictured):
            for settings in (self.settings.models.agent, self.settings.models.analyst):
                check_vision(settings)
        if self.settings.models.simulated:
            self._teach_simulated_model()
        cap, monthly = self.settings.money.max_cost, self.settings.money.max_cost_per_month
        budget = Budget(cap, monthly=monthly, reservations=self.store.reservations(), run_id=self.books)
        return Client(self.store, budget, self.books)

    def analyst(self, kind: type[Analyst]) -> Analyst:
        """An analyst with what this run gives it to work with."""
        settings = self.settings
        means = Means(
            domain=self.domain,
            model=settings.models.analyst,
            client=lambda: self.client,
            store=lambda: self.store,
            sandbox=lambda: self.sandbox,
            loop=settings.learning.analyst,
            command=settings.learning.agent.command,
        )
        return kind(means)

    def task(self, task_id: str) -> Task:
        """The task of that id.

        Raises:
            BadInput: the data set has none, or the sample left it out.
        """
        if task_id not in self.tasks:
            raise BadInput(f"no task '{task_id}' in {self.settings.data.path}")
        return self.tasks[task_id]

    def evolve_task(self, task_id: str) -> Task:
        """The task of that id, from which a lesson may be drawn.

        Raises:
            BadInput: the task is held out. No setting lets a lesson come from validation or test.
        """
        if task_id not in self.splits.evolve:
            raise BadInput(f"task '{task_id}' is held out: lessons come from the evolve split alone")
        return self.task(task_id)

    def skill(self, digest: str | None) -> Skill | None:
        """The skill of that digest: the given one, or one from the store; None for no skill.

        The one that was asked for last is kept: a stage asks for one skill once for each of its items.

        Raises:
            BadInput: the store has no such skill.
        """
        if digest is None:
            return None
        if self.given_skill is not None and self.given_skill.digest == digest:
            return self.given_skill
        known = self._asked_last
        if known is not None and known[0] == digest:
            return known[1]
        skill = self.store.get("skill", digest, Skill)
        if skill is None:
            raise BadInput(
                f"the store {self.settings.operation.store} has no skill {digest[:12]}: was it pruned? run again"
            )
        self._asked_last = digest, skill
        return skill

    def run_directory(self) -> Path:
        """Where the run writes what a person reads."""
        return self.settings.operation.output / self.run_id

    def _divided(self) -> Splits:
        data, tasks = self.settings.data, [*self.tasks.values()]
        places = remembered(tasks, data.path, Divisions(self.store).places(self.settings.data.plan))
        return split_tasks(tasks, data.splits, data.split_seed, places=places)

    def _teach_simulated_model(self) -> None:
        from trace2skill.sim.answer_key import teach, teach_answers, teach_scripts

        domain, tasks = self.domain, self.tasks.values()
        if answer := getattr(domain, "gold_answer", None):
            teach_answers(domain.name, tasks, domain.describe, answer)
        if solution := getattr(domain, "solution", None):
            teach_scripts(tasks, domain.describe, solution)
        if gold := getattr(domain, "gold_values", None):
            teach(tasks, domain.describe, lambda task: {case.name: gold(task, case) for case in task.cases})


class Slots:
    """A sandbox that runs at most so many commands at once: more only slow each other down."""

    def __init__(self, sandbox: Sandbox, slots: int) -> None:
        self._sandbox = sandbox
        self._slots = threading.BoundedSemaphore(slots)
        self.name = sandbox.name

    def run(
        self,
        command: str,
        workspace: Path,
        *,
        read_only: Mapping[str, Path] | None = None,
        limits: Limits | None = None,
        access: Access = NO_ACCESS,
    ) -> CommandResult:
        """See `Sandbox.run`."""
        with self._slots:
            return self._sandbox.run(
                command, workspace, read_only=read_only or {}, limits=limits or Limits(), access=access
            )


def runtime(settings: RunSettings) -> Runtime:
    """The process's runtime for these settings, opened on first use.

    Raises:
        BadInput: anything the settings name is missing or malformed.
        StoreUnavailable: the store cannot be opened.
    """
    with _guard:
        if settings.digest not in _open:
            _open[settings.digest] = Runtime(settings)
        return _open[settings.digest]


def is_open(settings: RunSettings) -> bool:
    """Does this process have a runtime for these settings?"""
    with _guard:
        return settings.digest in _open


def open_runtimes() -> list[Runtime]:
    """The runtimes that this process has open. Asked without a lock: somebody may hold it who does not end."""
    return list(_open.values())


def forget_runtimes() -> None:
    """Close every store opened here and forget the runtimes, e.g. between tests or before another process reads."""
    with _guard:
        for opened in _open.values():
            opened.store.close()
        _open.clear()
