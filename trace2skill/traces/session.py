"""Putting a trajectory together: messages become steps, and results find the calls they answer."""

from collections.abc import Sequence
from typing import Any, Literal

from trace2skill.core.digest import digest_of
from trace2skill.core.foreign_json import NUL
from trace2skill.traces.calls import MAY_END, MAY_STOP, MAY_WRAP, command_of, harmless, opened, stopped_by
from trace2skill.traces.machine import is_machine
from trace2skill.traces.values import SHORT, content, kept, label, lean, may_be_bytes
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
        self.copied_by_calls = False
        """Are copies of a conversation to be known by the ids of its calls?"""
        self._again: dict[str, list[int]] = {}
        self._responses: dict[str, int] = {}
        self._says_more = False  # does any step name its model or tokens? In most logs none does

    def __len__(self) -> int:
        return self.length

    @property
    def turn(self) -> int:
        """A number that stays the same while the agent speaks, until an answer or another's words."""
        last = self._steps[-1] if self._steps else {}
        speaks = last.get("source") == "agent" and "observations" not in last
        return self.length - 1 if speaks else self.length

    @property
    def waits(self) -> bool:
        """Has the last step calls that nothing answered yet?"""
        last = self._steps[-1] if self._steps else {}
        return len(last.get("tool_calls", ())) > len(last.get("observations", ()))

    def used(self) -> Usage:
        """The sum over the steps, where the log says what they used."""
        said = [step["usage"] for step in self._steps if "usage" in step] if self._says_more else ()
        if not said:
            return NOTHING_USED
        return Usage(
            prompt=sum(usage.prompt for usage in said),
            completion=sum(usage.completion for usage in said),
            cached=sum(usage.cached for usage in said),
            cost=sum(usage.cost for usage in said),
        )

    def speak(self, source: Speaker, message: str) -> None:
        """Add a step that is words alone."""
        if source == "user" and message[:1] == "<" and is_machine(message):
            self.say("system", message, extra={"mark": "notice"})
            return
        self.length += 1
        if NUL in message or (len(message) >= SHORT and may_be_bytes(message)):
            message = lean(message)
        self._steps.append({"number": self.length, "source": source, "message": message})

    def say(
        self,
        source: Speaker,
        message: str = "",
        reasoning: str = "",
        calls: Sequence[Call] = (),
        timestamp: str = "",
        model: str = "",
        usage: Usage | None = None,
        extra: dict[str, Any] | None = None,
        identity: str = "",
    ) -> None:
        """Add one step. `identity` names the response of the model behind it, where the log has an id for it."""
        length = self.length = self.length + 1
        if message and (NUL in message or (len(message) >= SHORT and may_be_bytes(message))):
            message = lean(message)
        step: dict[str, Any] = {"number": length, "source": source, "message": message}
        if reasoning:
            step["reasoning"] = lean(reasoning)
        if calls:
            step["tool_calls"] = list(calls)
            asked = self._asked
            for call in calls:
                if (id := call["id"]) in asked:
                    self._ask_again(id)
                asked[id] = length - 1
        if identity:
            step["identity"] = identity
        if timestamp:
            step["timestamp"] = timestamp
        if model:
            step["model"] = model
            self._says_more = True
        if usage:
            step["usage"] = usage
            self._says_more = True
        if extra:
            step["extra"] = kept(extra)
        self._steps.append(step)

    def respond(self, response: str, message: str = "", *, identity: str = "", **more: Any) -> None:
        """Add what belongs to one response of the model: to its step, where there is one, else as a step of its own.

        A response that a log writes in pieces is one step, and its tokens are those of its last piece: they count the
        whole. What was said before is not said again.
        """
        at = self._responses.get(response, -1) if response else -1
        if at < 0:
            self.say("agent", message, identity=identity, **more)
            if response:
                self._responses[response] = self.length - 1
            return
        step = self._steps[at]
        for name, said in (("message", lean(message)), ("reasoning", lean(more.get("reasoning", "")))):
            if said and said not in step.get(name, "").split("\n\n"):
                step[name] = f"{step[name]}\n\n{said}" if step.get(name) else said
        asked = {call["id"] for call in step.get("tool_calls", ())}
        if calls := [call for call in more.get("calls", ()) if call["id"] not in asked]:
            step.setdefault("tool_calls", []).extend(calls)
            self._ask(calls, at)
        usage, before = more.get("usage"), step.get("usage")
        if usage and (before is None or usage.completion >= before.completion):
            step["usage"] = usage
        for name in ("model", "timestamp"):
            if more.get(name) and not step.get(name):
                step[name] = more[name]
        self._says_more = self._says_more or bool(usage or more.get("model"))
        if extra := more.get("extra"):
            step["extra"] = {**kept(extra), **step.get("extra", {})}

    def call(self, id: Any, name: Any, arguments: dict[str, Any], extra: dict[str, Any] | None = None) -> Call:
        """A call of a tool. One without an id is named by its place."""
        call: Call = {"id": label(id) or f"call-{self.length + 1}", "name": label(name)}
        call["arguments"] = kept(arguments)
        if extra:
            call["extra"] = kept(extra)
        return call

    def add_calls(self, calls: Sequence[Call], reasoning: str = "") -> None:
        """Add calls to the last step, where it is the agent's; else they are a step of their own."""
        if not self._steps or self._steps[-1]["source"] != "agent":
            self.say("agent", reasoning=reasoning, calls=calls)
            return
        self._steps[-1].setdefault("tool_calls", []).extend(calls)
        self._ask(calls, self.length - 1)

    def spend(self, usage: Usage) -> None:
        """Add tokens to the agent's last step, where the log tells them after it."""
        step = next((step for step in reversed(self._steps) if step["source"] == "agent"), None)
        if step is not None:
            step["usage"] = step["usage"] + usage if "usage" in step else usage
            self._says_more = True

    def has_asked(self, call_id: str) -> bool:
        """Was there a call of that id?"""
        return call_id in self._asked

    def has_answer(self, call_id: str) -> bool:
        """Was the call answered, the last time it was asked?"""
        at = self._asked.get(call_id, -1)
        return at >= 0 and any(seen["call_id"] == call_id for seen in self._steps[at].get("observations", ()))

    def correct(self, call_id: str, *, error: bool | None = None, exit_code: int | None = None) -> None:
        """What a program says of a call's end after it gave its output. It wins over what the output's words say."""
        at = self._asked.get(call_id, -1)
        for seen in self._steps[at].get("observations", ()) if at >= 0 else ():
            if seen["call_id"] == call_id and not seen.get("not_run"):
                if error is not None:
                    seen.pop("error", None)
                    seen |= {"error": True} if error else {}
                if exit_code is not None and "exit_code" not in seen:
                    seen["exit_code"] = exit_code

    def answer(
        self,
        call_id: Any,
        result: Any,
        error: bool = False,
        exit_code: int | None = None,
        not_run: str = "",
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Add what a call answered, to the step that asked. One that nobody asked for stays with the last step.

        `not_run` says who stopped the call; where it is not given, the words of the answer are asked. What a program
        put around the output (a line or tag with the exit code) is taken off.
        """
        given = label(call_id)
        if not self._steps:
            self.say("system", extra={"mark": "result without a step"})
        at = self._place_of(given) if self._again else self._asked.get(given, self.length - 1)
        step = self._steps[at]
        observations: list[dict[str, Any]] = step.setdefault("observations", [])
        if not given:
            answered = {item["call_id"] for item in observations}
            given = next((call["id"] for call in step.get("tool_calls", ()) if call["id"] not in answered), "")
        shown = result if isinstance(result, str) else content(result)
        start = shown[:1]
        if start in MAY_WRAP or (shown[-1:] in MAY_END and _has_footer(shown)):
            inner = opened(shown)
            shown, error = inner.content, error or inner.error
            exit_code = inner.exit_code if exit_code is None else exit_code
        if NUL in shown or (len(shown) >= SHORT and may_be_bytes(shown)):
            shown = lean(shown)
        observation: dict[str, Any] = {"call_id": given, "content": shown}
        if exit_code is not None:
            observation["exit_code"] = exit_code
        if exit_code is None and not not_run and start in MAY_STOP:
            not_run = stopped_by(shown)
        if not_run:
            observation["not_run"] = not_run
        elif exit_code == 1 and (why := self._harmless(step, given, shown)):
            observation["harmless"] = why
        elif error:
            observation["error"] = True
        if extra:
            observation["extra"] = kept(extra)
        observations.append(observation)

    def _ask(self, calls: Sequence[Call], place: int) -> None:
        for call in calls:
            if call["id"] in self._asked:
                self._ask_again(call["id"], place)
            self._asked[call["id"]] = place

    def _ask_again(self, id: str, place: int = -1) -> None:
        """An id that is used again: the answers come in the order of the calls."""
        self._again.setdefault(id, [self._asked[id]]).append(place if place >= 0 else self.length - 1)

    def _place_of(self, id: str) -> int:
        """The step that waits for the answer to a call."""
        at = self._asked.get(id, self.length - 1)
        for place in self._again.get(id, ()):
            step = self._steps[place]
            asked = sum(call["id"] == id for call in step["tool_calls"])
            if asked > sum(item["call_id"] == id for item in step.get("observations", ())) and self._same_turn(place):
                return place
        return at

    def _same_turn(self, place: int) -> bool:
        return all(step["source"] == "agent" for step in self._steps[place:])

    def _harmless(self, step: dict[str, Any], id: str, output: str) -> str:
        call = next((call for call in step.get("tool_calls", ()) if call["id"] == id), None)
        return harmless(command_of(call["name"], call["arguments"]), 1, output) if call else ""

    def taken_back(self, turns: int, session: "Session") -> None:
        """Move what came since a person spoke so many times ago to another session: it was taken back."""
        asked = [place for place, step in enumerate(self._steps) if step["source"] == "user"]
        if turns <= 0 or not asked:
            return
        at = asked[-min(turns, len(asked))]
        moved, self._steps = self._steps[at:], self._steps[:at]
        self.length = len(self._steps)
        self._asked = {id: place for id, place in self._asked.items() if place < at}
        self._responses = {name: place for name, place in self._responses.items() if place < at}
        self._again.clear()
        for number, step in enumerate(moved, start=1):
            session._steps.append({**step, "number": number})
        session.length, session._says_more = len(moved), self._says_more

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
        steps = self._steps  # made into steps by one validation: any other way takes longer
        named = (step["model"] for step in steps if "model" in step) if self._says_more else ()
        fields = {
            "id": self.id,
            "task_id": task_id or self.name or self.id,
            "seed": seed,
            "model": self.model or next(iter(named), "unknown"),
            "steps": steps,
            "outcome": outcome,
            "usage": usage or self.used(),
            "session": self.name,
            "agent": self.agent,
            "agent_version": self.agent_version,
            "parent": parent,
            "extra": kept(self.extra),
        }
        return Trajectory.model_validate(fields, extra="ignore")  # the names of fields are ours: not looked up again


def _has_footer(shown: str) -> bool:
    """May there be a last line that a program put below the output?"""
    return shown.endswith(("]", "]\n")) and "exit code" in shown[-300:]


def trajectory_id(*key: object) -> str:
    """The id of an imported trajectory, from what names it in its log."""
    return "T" + digest_of("imported", *key)[:12]
