"""Putting a trajectory together: messages become steps, and results find the calls they answer."""

from collections.abc import Sequence
from typing import Any, Literal

from trace2skill.core.digest import digest_of
from trace2skill.core.foreign_json import storable
from trace2skill.traces.values import content, label
from trace2skill.types.trajectory import Outcome, Trajectory, Usage

Call = dict[str, Any]
"""A call while it is read: the fields of a `ToolCall`. Of what a log holds, nothing is validated twice."""
UNLABELLED = Outcome(kind="unknown", reason="the log has no verdict", source="none")
NOTHING_USED = Usage()
Speaker = Literal["system", "user", "agent"]


class Session:
    """A trajectory while it is read. `key` names it for good: the same log read again gives the same id."""

    def __init__(self, *key: object, name: str = "", agent: str = "", model: str = "") -> None:
        self.id = trajectory_id(*key)
        self.name, self.agent, self.model = name, agent, model
        self.agent_version = ""
        self.extra: dict[str, Any] = {}
        self.length = 0
        self._steps: list[dict[str, Any]] = []
        self._asked: dict[str, int] = {}

    def __len__(self) -> int:
        return self.length

    @property
    def waits(self) -> bool:
        """Has the last step calls that nothing answered yet?"""
        last = self._steps[-1] if self._steps else {}
        return len(last.get("tool_calls", ())) > len(last.get("observations", ()))

    def used(self) -> Usage:
        """The sum over the steps, where the log says what they used."""
        said = [step["usage"] for step in self._steps if "usage" in step]
        if not said:
            return NOTHING_USED
        return Usage(
            prompt=sum(usage.prompt for usage in said),
            completion=sum(usage.completion for usage in said),
            cached=sum(usage.cached for usage in said),
            cost=sum(usage.cost for usage in said),
        )

    def say(
        self,
        source: Speaker,
        message: str = "",
        *,
        reasoning: str = "",
        calls: Sequence[Call] = (),
        timestamp: str = "",
        model: str = "",
        usage: Usage | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Add one step."""
        self.length += 1
        step: dict[str, Any] = {"number": self.length, "source": source, "message": message}
        if reasoning:
            step["reasoning"] = reasoning
        if calls:
            step["tool_calls"] = list(calls)
            for call in calls:
                self._asked[call["id"]] = self.length - 1
        if timestamp:
            step["timestamp"] = timestamp
        if model:
            step["model"] = model
        if usage:
            step["usage"] = usage
        if extra:
            step["extra"] = storable(extra)
        self._steps.append(step)

    def call(self, id: Any, name: Any, arguments: dict[str, Any], extra: dict[str, Any] | None = None) -> Call:
        """A call of a tool. One without an id is named by its place."""
        call: Call = {"id": label(id) or f"call-{self.length + 1}", "name": label(name)}
        call["arguments"] = storable(arguments)
        if extra:
            call["extra"] = storable(extra)
        return call

    def add_calls(self, calls: Sequence[Call], reasoning: str = "") -> None:
        """Add calls to the last step, where it is the agent's; else they are a step of their own."""
        if not self._steps or self._steps[-1]["source"] != "agent":
            self.say("agent", reasoning=reasoning, calls=calls)
            return
        self._steps[-1].setdefault("tool_calls", []).extend(calls)
        for call in calls:
            self._asked[call["id"]] = self.length - 1

    def answer(
        self,
        call_id: Any,
        result: Any,
        *,
        error: bool = False,
        exit_code: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Add what a call answered, to the step that asked. One that nobody asked for stays with the last step."""
        given = label(call_id)
        if not self._steps:
            self.say("system", extra={"mark": "result without a step"})
        at = self._asked.get(given, self.length - 1)
        step = self._steps[at]
        observations = step.setdefault("observations", [])
        if not given:
            answered = {item["call_id"] for item in observations}
            given = next((call["id"] for call in step.get("tool_calls", ()) if call["id"] not in answered), "")
        observation: dict[str, Any] = {"call_id": given, "content": content(result)}
        if exit_code is not None:
            observation["exit_code"] = exit_code
        if error:
            observation["error"] = True
        if extra:
            observation["extra"] = storable(extra)
        observations.append(observation)

    def finish(
        self,
        *,
        task_id: str = "",
        seed: int = 0,
        outcome: Outcome = UNLABELLED,
        parent: str = "",
        usage: Usage | None = None,
    ) -> Trajectory:
        """The trajectory. Its usage is the sum over the steps, where the log gives no total."""
        steps: Any = self._steps  # made into steps by one validation: any other way takes longer
        return Trajectory(
            id=self.id,
            task_id=task_id or self.name or self.id,
            seed=seed,
            model=self.model or next((step["model"] for step in steps if "model" in step), "unknown"),
            steps=steps,
            outcome=outcome,
            usage=usage or self.used(),
            session=self.name,
            agent=self.agent,
            agent_version=self.agent_version,
            parent=parent,
            extra=storable(self.extra),
        )


def trajectory_id(*key: object) -> str:
    """The id of an imported trajectory, from what names it in its log."""
    return "T" + digest_of("imported", *key)[:12]
