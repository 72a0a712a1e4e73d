"""Confirming triggers by an agent's own program: each query in an empty directory, with the skills where it looks.

Whether a skill was taken up is read from the program's own records (`trace2skill.traces.skill_use`), never from what it
says. A program without records, or one that a limit ended before it took anything up, leaves it unknown.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from trace2skill.agents.agent_log import TEXT
from trace2skill.agents.choose import choose_harness
from trace2skill.agents.harness import Assignment, CommandSettings
from trace2skill.agents.loop import Conversation
from trace2skill.agents.react import AgentSettings
from trace2skill.core import stopping
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput, InfrastructureFault, ModelUnusable
from trace2skill.core.progress import watcher
from trace2skill.core.step_label import StepLabel
from trace2skill.evaluation.trigger_agreement import (
    AskedProgram,
    ConfirmedTriggers,
    ProgramTriggers,
    agreement_on,
    sample_of,
)
from trace2skill.evaluation.trigger_queries import TriggerQuery
from trace2skill.evaluation.triggers import TriggerReport, control_query
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.triggers import Choices, books_of
from trace2skill.sandbox import choose_sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.traces.skill_use import skill_uses
from trace2skill.types.trajectory import Outcome, Trajectory

COST = 0.5
"""US dollars that a session may cost at most, as far as its program can be told."""
ATTEMPTS = 2
DEAF = "asked for by its name it was not taken up"
NO_RECORDS = "no records of its own"


class ProgramSessions:
    """Gives queries to an agent's program.

    Args:
        store: keeps each session as a trajectory, so that none is paid for twice.
        choices: with the books of these skills.
        settings: with the program (`learning.agent.harness`), the sandbox and the seed.
        seconds: of a session, at most.

    Raises:
        BadInput: it is no program of its own, or it cannot work here; said before anything is spent.
    """

    def __init__(self, store: Store, choices: Choices, settings: RunSettings, seconds: float) -> None:
        program = _fit(settings.learning.agent.harness, choices.library)
        limits = program.limits
        bounded = limits.model_copy(update={"wall_seconds": min(limits.wall_seconds, seconds)})
        loop = settings.learning.agent.loop
        agent = AgentSettings(
            loop=loop.model_copy(update={"cost": min(loop.cost, COST)}),
            harness=program.model_copy(update={"limits": bounded}),
        )
        sandbox = choose_sandbox(settings.learning.sandbox, simulated_model=False)
        self._model = settings.models.agent
        self._harness = choose_harness(agent, self._model, store, sandbox, sandbox)
        self._store, self._choices, self._library = store, choices, choices.library
        self._seed, self._workers = settings.learning.seeds[0], settings.operation.workers
        installed = [skill.digest for skill in self._library]
        self._how = digest_of(self._harness.identity, self._model.identity, sandbox.name, installed, self._seed)

    def confirm(self, found: TriggerReport, queries: Sequence[TriggerQuery], most: int) -> ConfirmedTriggers:
        """Ask for each skill by its name, then give it a sample of the queries.

        Args:
            found: what the choices in one call came to, which are in the store.
            queries: what they were asked.
            most: queries of the sample.

        Raises:
            ModelUnusable: asked for by name, a skill was not taken up. BadInput, BudgetReached, Interrupted: it cannot
                go on; finished sessions are kept.
        """
        names = [skill.name for skill in self._library]
        control = self._sessions([control_query(name) for name in names], "control")
        first = {name: control[control_query(name)] for name in names}
        made = ProgramTriggers(program=self._harness.agent or "command", version=self._harness.version)
        deaf = {name: one.why or DEAF for name, one in first.items() if name not in (one.used or ())}
        if len(deaf) == len(names):
            if silent := [one.why for one in first.values() if one.used is None]:
                return _confirmed(found, self._paid(made.model_copy(update={"why_unknown": silent[0]}), control))
            paid = self._paid(made, control)
            raise ModelUnusable(
                f"asked for {', '.join([*deaf][:5])} by name, {made.program} has no record of taking it up: what it "
                "does with other requests says nothing of descriptions. Does it look for skills where `skill_at` puts "
                "them, and is `log` its session's own log? see docs/harnesses.md. Asking cost "
                f"${paid.cost:.4f}; it is asked again the next time"
            )
        heard = [name for name in names if name not in deaf]
        sample = sample_of([item for item in queries if item.skill not in deaf], most, self._seed)
        should = sum(bool(item.skill) for item in sample)
        made = made.model_copy(update={"queries": len(sample), "should": should, "not_judged": deaf})
        sessions = self._sessions([item.query for item in sample], "sessions")
        chosen = self._choices.taken(self._library, [item.query for item in sample])
        counted = agreement_on(made, heard, sample, chosen, sessions)
        return _confirmed(found, self._paid(counted, {**control, **sessions}))

    def _paid(self, made: ProgramTriggers, asked: Iterable[str]) -> ProgramTriggers:
        """With what all attempts at these cost, also those that broke and those of earlier calls of the command."""
        ids = {self._id(query) for query in asked}
        rows = [row for row in self._store.ledger(books_of(self._model, self._library)) if row.call_key in ids]
        known = Counter(
            str(row.params.get("cost_from") or "unknown") + (", of one that broke" if row.outcome != "answered" else "")
            for row in rows
        )
        return made.model_copy(
            update={"cost": math.fsum(row.cost for row in rows), "cost_from": dict(sorted(known.items()))}
        )

    def _id(self, query: str) -> str:
        return "T" + digest_of("trigger session", self._how, query)[:12]

    def _sessions(self, queries: Sequence[str], stage: str) -> dict[str, AskedProgram]:
        watcher().begin(stage, len(queries))
        found = {}
        with ThreadPoolExecutor(self._workers) as pool:
            try:
                for query, one in zip(queries, pool.map(partial(self._session, stage), queries), strict=True):
                    found[query] = one
                    watcher().item(stage, query[:60], "failed" if one.used is None else "done")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # what has not begun is not paid for
                raise
        return found

    def _session(self, stage: str, query: str) -> AskedProgram:
        id = self._id(query)
        known = self._store.get("trajectory", id, Trajectory)
        if known is not None and stage == "control" and not self._read(known).used:
            known = None  # what made it deaf may be mended
        if known is None:
            try:
                known = self._worked(id, stage, query)
            except InfrastructureFault as error:
                return AskedProgram(None, f"it broke: {' '.join(str(error).split())[:200]}")
            self._store.put("trajectory", id, known)
        return self._read(known)

    def _worked(self, id: str, stage: str, query: str) -> Trajectory:
        step = StepLabel(f"trigger {stage}", query[:60], unit=id)
        for number in range(1, ATTEMPTS + 1):
            stopping.check()
            with scratch_directory(prefix="t2s-trigger-") as directory:
                given = Assignment(query, Path(directory), None, self._seed, step, id, library=tuple(self._library))
                try:
                    done = self._harness.work(self._choices.client, given)
                    break
                except InfrastructureFault:
                    if number == ATTEMPTS:
                        raise
        return Trajectory(
            id=id,
            task_id=f"request {digest_of(query)[:12]}",
            seed=self._seed,
            model=self._model.name,
            steps=done.steps,
            outcome=_unknown(done),
            stop=done.stop,
            usage=done.usage,
            agent=self._harness.agent,
            agent_version=self._harness.version,
            extra=done.extra,
        )

    def _read(self, done: Trajectory) -> AskedProgram:
        """What a session has on record."""
        names = frozenset(skill.name for skill in self._library)
        used = names & {use.skill for use in skill_uses(done, names)}
        if not used and done.stop != "answered":
            why = f"ended by {done.stop.replace('_', ' ')} before it took any up"
            return AskedProgram(None, why)
        if done.extra.get("log") == TEXT:
            problem = done.extra.get("log_problem")
            return AskedProgram(None, f"{NO_RECORDS}{f': {problem}' if problem else ''}")
        return AskedProgram(used)


def _fit(program: object, library: Sequence[Skill]) -> CommandSettings:
    """The settings of a program that looks for skills by itself.

    Raises:
        BadInput: it is none.
    """
    if not isinstance(program, CommandSettings):
        raise BadInput(
            "--harness is to be a program that looks for skills by itself, such as claude or codex: the built-in agent "
            "and functions are handed the skill, so that nothing shows whether they would have taken it up"
        )
    if program.skill_text_at or program.skill_in_prompt:
        raise BadInput(
            f"harness {program.label} is handed the text of the skill (skill_text_at, skill_in_prompt), so that "
            "nothing shows whether it would have taken it up"
        )
    if len(library) > 1 and "{skill_name}" not in program.skill_at:
        raise BadInput(f"harness {program.label}: skill_at has no {{skill_name}}, and there are {len(library)} skills")
    return program


def _unknown(done: Conversation) -> Outcome:
    return Outcome(kind="unknown", reason=f"nobody says what is right here; it ended with {done.stop}")


def _confirmed(found: TriggerReport, program: ProgramTriggers) -> ConfirmedTriggers:
    return ConfirmedTriggers(**{name: getattr(found, name) for name in TriggerReport.model_fields}, program=program)
