"""Putting a trajectory together: messages become steps, and results find the calls they answer."""

from collections.abc import Sequence
from typing import Any, Literal

from trace2skill.digest import digest_of
from trace2skill.traces.values import content, label
from trace2skill.trajectory import Outcome, ToolCall, Trajectory, Usage

UNLABELLED = Outcome(kind="unknown", reason="the log has no verdict", source="none")
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
        last = self._steps[-1] if self._steps else {"tool_calls": (), "observations": []}
        return len(last["tool_calls"]) > len(last["observations"])

    @property
    def usages(self) -> list[Usage]:
        """What the steps used, where the log says so."""
        return [step["usage"] for step in self._steps if step["usage"]]

    def say(
        self,
        source: Speaker,
        message: str = "",
        *,
        reasoning: str = "",
        calls: Sequence[ToolCall] = (),
        timestamp: str = "",
        model: str = "",
        usage: Usage | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Add one step."""
        self.length += 1
        self._steps.append(
            {
                "number": self.length,
                "source": source,
                "message": message,
                "reasoning": reasoning,
                "tool_calls": tuple(calls),
                "observations": [],
                "timestamp": timestamp,
                "model": model,
                "usage": usage,
                "extra": extra or {},
            }
        )
        for call in calls:
            self._asked[call.id] = len(self._steps) - 1

    def call(self, id: Any, name: Any, arguments: dict[str, Any], extra: dict[str, Any] | None = None) -> ToolCall:
        """A call of a tool. One without an id is named by its place."""
        return ToolCall(
            id=label(id) or f"call-{self.length + 1}", name=label(name), arguments=arguments, extra=extra or {}
        )

    def add_calls(self, calls: Sequence[ToolCall], reasoning: str = "") -> None:
        """Add calls to the last step, where it is the agent's; else they are a step of their own."""
        if not self._steps or self._steps[-1]["source"] != "agent":
            self.say("agent", reasoning=reasoning, calls=calls)
            return
        self._steps[-1]["tool_calls"] += tuple(calls)
        for call in calls:
            self._asked[call.id] = len(self._steps) - 1

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
        at = self._asked.get(given, len(self._steps) - 1)
        step = self._steps[at]
        if not given:
            answered = {item["call_id"] for item in step["observations"]}
            given = next((call.id for call in step["tool_calls"] if call.id not in answered), "")
        step["observations"].append(
            {"call_id": given, "content": content(result), "exit_code": exit_code, "error": error, "extra": extra or {}}
        )

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
        steps: Any = self._steps  # made into steps by one validation: one by one takes twice as long
        return Trajectory(
            id=self.id,
            task_id=task_id or self.name or self.id,
            seed=seed,
            model=self.model or next((step["model"] for step in steps if step["model"]), "unknown"),
            steps=steps,
            outcome=outcome,
            usage=usage or sum(self.usages, Usage()),
            session=self.name,
            agent=self.agent,
            agent_version=self.agent_version,
            parent=parent,
            extra=self.extra,
        )


def trajectory_id(*key: object) -> str:
    """The id of an imported trajectory, from what names it in its log."""
    return "T" + digest_of("imported", *key)[:12]
