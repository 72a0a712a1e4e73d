"""A Python function as a harness. It runs in a process of its own, so that it can be timed and ended.

It is the user's program: it is not in the sandbox, and sees of the environment what it is given by name.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from trace2skill.agents.agent_log import cleaned, tail
from trace2skill.agents.billing import bound_of, charge
from trace2skill.agents.harness import Assignment, PythonSettings, identity_of
from trace2skill.agents.loop import Conversation, LoopLimits
from trace2skill.core.digest import digest_of_bytes
from trace2skill.core.errors import BadInput, InfrastructureFault
from trace2skill.core.record import Record
from trace2skill.llm import Client, ModelSettings
from trace2skill.sandbox.process import kill_tree
from trace2skill.sandbox.running import ENVIRONMENT, run_process
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.skills.skill import write_files
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import say_all
from trace2skill.traces.session import Session
from trace2skill.types.trajectory import Step, StopReason, Usage

LARGEST_RESULT = 64 * 2**20


class Returned(Record):
    """What a function may return. A text stands for one message of the agent, a list for messages."""

    model_config = ConfigDict(extra="forbid")
    messages: list[dict[str, Any]] = Field(default_factory=list, description="Chat messages as OpenAI has them.")
    stop: StopReason = "answered"
    usage: Usage = Usage()


class PythonFunction:
    """A function of the user's."""

    def __init__(self, model: ModelSettings, loop: LoopLimits, settings: PythonSettings) -> None:
        self._model = model
        self._loop = loop
        self._settings = settings
        self.agent = settings.label
        self.version = settings.version

    @cached_property
    def _file(self) -> Path:
        """The file that the function is in.

        Raises:
            BadInput: there is none.
        """
        place = self._settings.function.rpartition(":")[0]
        if place.endswith(".py"):
            path = Path(place).expanduser().resolve()
        else:
            try:
                spec = importlib.util.find_spec(place)
            except (ImportError, ValueError):
                spec = None
            path = Path(spec.origin) if spec and spec.origin else Path()
        if not path.is_file():
            raise BadInput(f"harness {self._settings.function}: there is no {place}: name a module or a file")
        return path

    @property
    def identity(self) -> dict[str, object]:
        """See `Harness.identity`. Holds the function's file; of what that imports, `version` has to speak."""
        turns = {"turns": self._loop.turns, "cost": self._loop.cost, "observation": self._loop.observation_chars}
        return dict(identity_of(self._settings, source=digest_of_bytes(self._file.read_bytes()), loop=turns))

    def check(self) -> None:
        """Refuse what cannot work before anything is spent.

        Raises:
            BadInput: a variable or the function's file is missing.
        """
        self._environment()
        _ = self._file

    def work(self, client: Client, assignment: Assignment) -> Conversation:
        """See `Harness.work`."""
        settings, model, environment = self._settings, self._model, self._environment()
        bound, params = bound_of(settings, self._loop), {"harness": self.agent, "version": self.version}
        secrets = {name: environment[name] for name in map(_bare, settings.env) if name in environment}
        with scratch_directory(prefix="t2s-agent-") as directory:
            here = Path(directory)
            skill = write_files(assignment.skill, here / assignment.skill.name) if assignment.skill else None
            given = self._given(assignment, skill)
            (here / "given.json").write_text(json.dumps(given), encoding="utf-8")
            arguments = [sys.executable, "-m", "trace2skill.agents.python_child", self._name()]
            arguments += [str(here / "given.json"), str(here / "result.json")]
            with client.elsewhere(
                bound, step=assignment.step, model=model.name, params=params, key=assignment.scope
            ) as bill:
                charge(bill, settings, model, None, None, bound, started=True)
                result, _ = run_process(
                    arguments,
                    assignment.workspace,
                    settings.limits,
                    environment=environment,
                    cwd=assignment.workspace,
                    kill=kill_tree,
                )
                returned = self._returned(here / "result.json", result.exit_code, result.output, secrets)
                charge(bill, settings, model, returned.usage, returned.usage.cost or None, bound, started=True)
                bill.outcome = "answered"
            names = {str(assignment.workspace): "/workspace", str(here): "/tmp/home"}
        steps = cleaned(_steps(given["prompt"], returned), secrets, names, self._loop.observation_chars)
        stop: StopReason = {"": returned.stop, "time": "time_limit"}.get(result.stopped, "space_limit")
        return Conversation(steps, stop, bill.usage, extra={"log": "returned", "cost_from": bill.cost_from})

    def _name(self) -> str:
        place, _, function = self._settings.function.rpartition(":")
        return f"{self._file}:{function}" if place.endswith(".py") else f"{place}:{function}"

    def _given(self, assignment: Assignment, skill: Path | None) -> dict[str, Any]:
        return {
            "prompt": assignment.prompt,
            "workspace": str(assignment.workspace),
            "skill": str(skill) if skill else None,
            "model": self._model.name,
            "seed": assignment.seed,
            "max_turns": self._loop.turns,
        }

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        for name in self._settings.env:
            if value := os.environ.get(_bare(name)):
                kept[_bare(name)] = value
            elif not name.endswith("?"):
                raise BadInput(f"harness {self.agent} needs {name} in the environment; it is not set")
        return {**ENVIRONMENT, **kept, "PYTHONPATH": os.pathsep.join([os.getcwd(), *filter(None, sys.path)])}

    def _returned(self, path: Path, code: int | None, output: str, secrets: Mapping[str, str]) -> Returned:
        if code is None:
            return Returned()
        if code != 0:
            raise InfrastructureFault(f"harness {self.agent} failed: {tail(output, secrets)}")
        try:
            value = json.loads(path.read_bytes())
            if isinstance(value, str):
                value = {"messages": [{"role": "assistant", "content": value}]} if value else {}
            elif isinstance(value, list) or value is None:
                value = {"messages": value or []}
            return Returned.model_validate(value)
        except (OSError, ValueError, ValidationError) as error:
            words = " ".join(str(error).split())[:200]
            raise BadInput(
                f"harness {self.agent}: what the function returned is no text, no list of messages and no object with "
                f"messages, stop and usage: {words}"
            ) from error


def _steps(prompt: str, returned: Returned) -> tuple[Step, ...]:
    session, notes = Session("python"), Notes()
    if not any(message.get("role") == "user" for message in returned.messages):
        session.say("user", prompt)
    say_all(session, returned.messages, Source(Path("returned")), notes)
    return session.finish().steps


def _bare(name: str) -> str:
    return name.rstrip("?")
