"""Result files of tau-bench (a list of runs) and tau2-bench (`simulations`, `tasks` and `info` in one object).

Both carry the gold: tau-bench the expected actions and outputs, the database's hash and the user's instruction, tau2
the evaluation criteria. None of it is kept: an analyst must not see it (docs/traces.md).
"""

from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import is_message, say, say_all, tool_calls
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.session import Session
from trace2skill.traces.values import content, label, mapping, moment, money, number, objects, rest
from trace2skill.types.trajectory import Outcome, Trajectory

GOLD = {"task", "reward_info", "actions", "outputs", "evaluation_criteria", "reward_breakdown"}
USED = {"task_id", "trial", "traj", "messages", "reward", "info", "id", "seed", "user_scenario"}


class TauBench:
    """Reader of result files of tau-bench."""

    name = "tau_bench"
    turn = 80
    fields = frozenset({"traj"})

    def claims(self, source: Source) -> bool:
        """A list of objects with `traj` and `reward`."""
        first = source.start[0] if isinstance(source.start, list) and source.start else None
        return isinstance(first, dict) and isinstance(first.get("traj"), list) and "task_id" in first

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a run: a task and a trial."""
        for place, run in enumerate(source.items("item"), start=1):
            if not isinstance(run, dict) or not isinstance(run.get("traj"), list):
                notes.problem(source, 0, f"item {place} is no run")
                continue
            task, trial = label(run.get("task_id")) or str(place), number(run.get("trial"))
            session = Session(self.name, source.name, task, trial, name=f"{source.stem}:{task}:{trial}")
            session.agent = "tau-bench"
            say_all(session, run["traj"], source, notes, where=f"item {place}, message")
            info = mapping(run.get("info"))
            session.extra = {**rest(run, USED | GOLD), **rest(info, GOLD)}
            _hide_gold(session, info, notes)
            yield session.finish(
                task_id=f"{source.stem}:{task}", seed=trial, outcome=from_score(run.get("reward"), "log")
            )


class Tau2Bench:
    """Reader of result files of tau2-bench, where the user may call tools, too."""

    name = "tau2"
    turn = 90
    fields = frozenset({"simulations", "info"})

    def claims(self, source: Source) -> bool:
        """An object with `simulations`, or one that begins with tau2's `info` and `tasks`."""
        start = mapping(source.start)
        info = mapping(start.get("info"))
        return isinstance(start.get("simulations"), list) or ("agent_info" in info and "environment_info" in info)

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a simulation."""
        info = mapping(mapping(source.start).get("info"))
        gold = _criteria(source, notes)
        model = label(mapping(info.get("agent_info")).get("llm"))
        for place, run in enumerate(source.items("simulations.item"), start=1):
            if not isinstance(run, dict) or not isinstance(run.get("messages"), list):
                notes.problem(source, 0, f"simulation {place} has no messages")
                continue
            yield self._simulation(source, notes, place, run, model, gold)

    def _simulation(
        self,
        source: Source,
        notes: Notes,
        place: int,
        run: dict[str, Any],
        model: str,
        gold: dict[str, list[object]],
    ) -> Trajectory:
        task, trial = label(run.get("task_id")) or str(place), number(run.get("trial"))
        key = label(run.get("id")) or f"{source.name}:{task}:{trial}"
        session = Session(self.name, key, name=key, agent="tau2-bench", model=model)
        for index, message in enumerate(run["messages"], start=1):
            if not is_message(message):
                notes.problem(source, 0, f"simulation {place}, message {index} is no message")
            elif message["role"] == "tool" and objects(message.get("tool_messages")):
                for part in objects(message["tool_messages"]):
                    _answer(session, part)
            elif message["role"] == "tool":
                _answer(session, message)
            elif message["role"] == "user" and message.get("tool_calls"):
                calls = tuple(tool_calls(session, message))
                when = moment(message.get("timestamp"))
                session.say("user", content(message.get("content")), calls=calls, timestamp=when)
            else:
                say(session, message)
        session.extra = rest(run, USED | GOLD)
        notes.hide(session.id, _judged_by(run.get("reward_info")), *gold.get(task, ()))
        reward = mapping(run.get("reward_info")).get("reward", run.get("reward"))
        outcome = from_score(reward, "log")
        if reward is None and run.get("termination_reason"):
            outcome = Outcome(kind="unknown", reason=f"ended: {label(run['termination_reason'])}", source="none")
        session.extra["agent_cost"] = money(run.get("agent_cost"))
        return session.finish(task_id=f"{source.stem}:{task}", seed=trial, outcome=outcome)


def _hide_gold(session: Session, info: dict[str, Any], notes: Notes) -> None:
    """The expected actions' arguments and outputs, and the instruction of the simulated user."""
    task = mapping(info.get("task"))
    actions = [action.get("kwargs", action.get("arguments")) for action in objects(task.get("actions"))]
    told = mapping(mapping(info.get("reward_info")).get("info"))
    notes.hide(session.id, actions, task.get("outputs"), task.get("instruction"), told.get("gt_data_hash"))


def _criteria(source: Source, notes: Notes) -> dict[str, list[object]]:
    """What tau2 holds every task against, by task."""
    found: dict[str, list[object]] = {}
    try:
        for task in source.items("tasks.item"):
            given = mapping(mapping(task).get("evaluation_criteria"))
            actions = [action.get("arguments") for action in objects(given.get("actions"))]
            told = [given.get("communicate_info"), given.get("nl_assertions")]
            found[label(mapping(task).get("id"))] = [actions, *told]
    except ValueError as error:
        notes.problem(source, 0, f"its tasks cannot be read: {error}")
    return found


def _judged_by(reward: Any) -> list[object]:
    """The rubric that a reward lists with it."""
    given = mapping(reward)
    return [check.get("nl_assertion") for check in objects(given.get("nl_assertions"))] + [
        check.get("info") for check in objects(given.get("communicate_checks"))
    ]


def _answer(session: Session, message: dict[str, Any]) -> None:
    session.answer(message.get("id"), message.get("content"), error=message.get("error") is True)
