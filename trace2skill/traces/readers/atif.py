"""The Agent Trajectory Interchange Format 1.x (https://harborframework.com/docs/agents/trajectory-format), read and
written.

What the format has no field for (outcome, seed, task, the digest of the skill, exit codes) is written under
`extra.trace2skill`, so that a trajectory that was written is read back equal.
"""

import base64
import datetime
import itertools
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from trace2skill.core.foreign_json import storable
from trace2skill.core.record import Record
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.calls import command_of, harmless, opened, stopped_by
from trace2skill.traces.machine import is_machine
from trace2skill.traces.session import UNLABELLED, Session, trajectory_id
from trace2skill.traces.values import (
    arguments,
    content,
    identity,
    kept,
    label,
    lean,
    mapping,
    moment,
    money,
    number,
    objects,
    rest,
    text,
)
from trace2skill.types.trajectory import Observation, Step, ToolCall, Trajectory, Usage

VERSION = "ATIF-v1.7"
OURS = "trace2skill"
AGENT_ONLY = ("tool_calls", "reasoning", "model", "usage")
STEP_FIELDS = {
    "step_id", "timestamp", "source", "model_name", "message", "reasoning_content", "tool_calls", "observation",
    "metrics", "extra",
}  # fmt: skip
ROOT_FIELDS = {"schema_version", "session_id", "trajectory_id", "agent", "steps", "extra", "subagent_trajectories"}


class Atif:
    """Reader of ATIF documents, with embedded sub-agents."""

    name = "atif"
    turn = 10
    fields = frozenset({"schema_version"})

    def claims(self, source: Source) -> bool:
        """It says so itself."""
        return text(mapping(_first(source)).get("schema_version")).startswith("ATIF-v1.")

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The trajectory of the document, then its sub-agents'; one document a line is read, too."""
        if source.is_jsonl:
            for _, record in source.records(notes):
                yield from _documents(storable(record), source, notes, "", 0)
        else:
            yield from _documents(storable(mapping(source.document())), source, notes, "", 0)


def to_atif(trajectory: Trajectory) -> dict[str, Any]:
    """A trajectory as an ATIF 1.7 document, ready for JSON."""
    own = trajectory.model_dump(
        mode="json",
        exclude={"id", "steps", "usage", "session", "agent", "agent_version", "model", "outputs", "extra"},
        exclude_defaults=True,
    )
    if trajectory.outputs:
        own["outputs"] = {path: base64.b64encode(raw).decode() for path, raw in sorted(trajectory.outputs.items())}
    usage, extra = trajectory.usage, dict(trajectory.extra)
    own["foreign"] = {key: extra.pop(key) for key in ("trace2skill",) if key in extra}
    own = {key: value for key, value in own.items() if value != {} or key == "outcome"}
    return {
        "schema_version": VERSION,
        "session_id": trajectory.session or trajectory.id,
        "trajectory_id": trajectory.id,
        "agent": {
            "name": trajectory.agent or OURS,
            "version": trajectory.agent_version or "unknown",
            "model_name": trajectory.model,
        },
        "steps": [_step(step) for step in trajectory.steps],
        "final_metrics": {
            "total_prompt_tokens": usage.prompt,
            "total_completion_tokens": usage.completion,
            "total_cached_tokens": usage.cached,
            "total_cost_usd": usage.cost,
            "total_steps": len(trajectory.steps),
        },
        "extra": {**extra, OURS: {**own, "named": _named(trajectory)}},
    }


def from_atif(document: dict[str, Any], source: Source, notes: Notes, parent: str = "") -> Trajectory:
    """The trajectory of one ATIF document, without its sub-agents.

    Raises:
        ValueError: it has no list of steps, or `extra.trace2skill` is not what we wrote.
    """
    extra = dict(mapping(document.get("extra")))
    own = extra.pop(OURS, None) if isinstance(extra.get(OURS), dict) and "named" in extra[OURS] else None
    agent = mapping(document.get("agent"))
    if own is not None:
        return _ours(document, own, extra, agent)
    name = label(document.get("session_id")) or source.stem
    session = Session("atif", name, label(document.get("trajectory_id")), name=name, agent=label(agent.get("name")))
    if not label(document.get("session_id")) and not label(document.get("trajectory_id")):
        session.id = trajectory_id("atif", source.name)
    session.agent_version = label(agent.get("version"))
    session.model = label(agent.get("model_name"))
    steps: list[Step] = []
    given, copied = document.get("steps"), 0
    if not isinstance(given, list):
        raise ValueError("it has no list of steps: no ATIF document")  # noqa: TRY004 - as readers raise it
    for place, step in enumerate(given, start=1):
        if isinstance(step, dict) and step.get("is_copied_context") is True:
            copied += 1  # by the format's own word, a copy from the trajectory that this one continues
        elif isinstance(step, dict) and step.get("source") in ("system", "user", "agent"):
            steps.append(_foreign_step(step, len(steps) + 1, name))
        else:
            notes.problem(source, 0, f"step {place} has no source that is known")
    session.extra = {**extra, **rest(document, {*ROOT_FIELDS, "final_metrics"})}
    session.extra |= {"copied": {"of": "", "steps": copied}} if copied else {}
    session.extra |= {"agent": left} if (left := rest(agent, ("name", "version", "model_name"))) else {}
    total = None if copied else _total(document)
    made = session.finish(parent=parent, usage=total)
    usage = total or sum((step.usage for step in steps if step.usage), Usage())
    model = made.model if made.model != "unknown" else next((step.model for step in steps if step.model), "unknown")
    return made.model_copy(update={"steps": tuple(steps), "usage": usage, "model": model})


def _first(source: Source) -> Any:
    return source.first_values[0] if source.first_values else source.start


def _documents(document: dict[str, Any], source: Source, notes: Notes, parent: str, depth: int) -> Iterator[Trajectory]:
    try:
        made = from_atif(document, source, notes, parent)
    except (ValidationError, ValueError) as error:
        notes.problem(source, 0, f"it cannot be read: {' '.join(str(error).split())}")
        return
    yield made
    if depth < 20:
        for sub in objects(document.get("subagent_trajectories")):
            yield from _documents(sub, source, notes, made.id, depth + 1)


def _named(trajectory: Trajectory) -> list[str]:
    """Which of the names the document had to fill are the trajectory's own."""
    return [name for name in ("session", "agent", "agent_version") if getattr(trajectory, name)]


def _step(step: Step) -> dict[str, Any]:
    own: dict[str, Any] = {"identity": step.identity} if step.identity else {}
    made: dict[str, Any] = {"step_id": step.number, "source": step.source, "message": step.message}
    if step.timestamp:
        (made if _is_iso(step.timestamp) else own)["timestamp"] = step.timestamp
    if step.source == "agent":
        made |= {"model_name": step.model} if step.model else {}
        made |= {"reasoning_content": step.reasoning} if step.reasoning else {}
        made |= {"tool_calls": [_call(call) for call in step.tool_calls]} if step.tool_calls else {}
        made |= {"metrics": _metrics(step.usage)} if step.usage else {}
    else:
        own |= step.model_dump(mode="json", include=set(AGENT_ONLY), exclude_defaults=True)
    if step.observations:
        asked = {call.id for call in step.tool_calls} if step.source == "agent" else set()
        made["observation"] = {"results": [_result(item, asked) for item in step.observations]}
    if step.extra or own:
        made["extra"] = {**step.extra, **({OURS: own} if own else {})}
    return made


def _call(call: ToolCall) -> dict[str, Any]:
    made: dict[str, Any] = {"tool_call_id": call.id, "function_name": call.name, "arguments": call.arguments}
    return {**made, "extra": call.extra} if call.extra else made


def _result(item: Observation, asked: set[str]) -> dict[str, Any]:
    own = item.model_dump(mode="json", include={"exit_code", "error", "not_run", "harmless"}, exclude_defaults=True)
    if item.call_id not in asked:
        own["call_id"] = item.call_id
    extra = {**item.extra, **({OURS: own} if own else {})}
    made: dict[str, Any] = {"source_call_id": item.call_id if item.call_id in asked else None, "content": item.content}
    return {**made, "extra": extra} if extra else made


def _metrics(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "cached_tokens": usage.cached,
        "cost_usd": usage.cost,
    }


def _ours(document: dict[str, Any], own: dict[str, Any], extra: dict[str, Any], agent: dict[str, Any]) -> Trajectory:
    """What `to_atif` wrote.

    Raises:
        ValueError: a field has another type than we wrote.
    """
    fields = {key: value for key, value in own.items() if key not in ("named", "foreign", "outputs")}
    named = {text(name) for name in own["named"]} if isinstance(own.get("named"), list) else set()
    outputs = {path: base64.b64decode(text(raw)) for path, raw in mapping(own.get("outputs")).items()}
    names = {"session": document.get("session_id"), "agent": agent.get("name"), "agent_version": agent.get("version")}
    return Trajectory(
        **{"task_id": "", "seed": 0, "outcome": UNLABELLED, **fields},
        id=label(document.get("trajectory_id")),
        model=label(agent.get("model_name")),
        steps=tuple(map(Step.model_validate, map(_read_step, objects(document.get("steps")), itertools.count(1)))),
        usage=_total(document) or Usage(),
        outputs=outputs,
        **{key: text(value) for key, value in names.items() if key in named},
        extra={**extra, **mapping(own.get("foreign"))},
    )


def _read_step(step: dict[str, Any], place: int) -> dict[str, Any]:
    """The fields of a step; nothing of it is validated yet."""
    extra = dict(mapping(step.get("extra")))
    own = extra.pop(OURS, None) if isinstance(extra.get(OURS), dict) else {}
    seen = mapping(step.get("observation"))
    left = {**rest(step, STEP_FIELDS), **({"observation": more} if (more := rest(seen, ("results",))) else {})}
    calls = [
        {
            "id": text(call.get("tool_call_id")) or f"call-{place}-{number}",
            "name": text(call.get("function_name")),
            "arguments": arguments(call.get("arguments")),
            "extra": {**mapping(call.get("extra")), **rest(call, _CALL_FIELDS)},
        }
        for number, call in enumerate(objects(step.get("tool_calls")), start=1)
    ]
    metrics = mapping(step.get("metrics"))
    more_metrics = rest(metrics, ("prompt_tokens", "completion_tokens", "cached_tokens", "cost_usd"))
    return {
        "message": content(step.get("message")),
        "reasoning": content(step.get("reasoning_content")),
        "tool_calls": calls,
        "timestamp": moment(step.get("timestamp")),
        "model": text(step.get("model_name")),
        "usage": _usage(metrics),
        **(own or {}),
        "number": place,
        "source": step["source"],
        "observations": [_read_result(item) for item in objects(seen.get("results"))],
        "extra": {**extra, **left, **({"metrics": more_metrics} if more_metrics else {})},
    }


def _foreign_step(step: dict[str, Any], place: int, session: str) -> Step:
    """A step that another program wrote: what became of its calls stands in the words of their results, if anywhere."""
    read = _read_step(step, place)
    told = [step, *objects(mapping(step.get("observation")).get("results"))]
    if any(OURS in mapping(item["extra"]) for item in told if "extra" in item):  # in another's document: of any type
        read = _fields(Step.model_validate(read))
    calls, seen = read["tool_calls"], read["observations"]
    commands = {call["id"]: command_of(call["name"], call["arguments"]) for call in calls}
    for call in calls:
        call["arguments"] = kept(call["arguments"])
    for item in seen:
        inner = opened(item["content"])
        stopped = stopped_by(inner.content) if inner.exit_code is None else ""
        item |= {
            "content": lean(inner.content),
            "extra": kept(item["extra"]),
            "exit_code": inner.exit_code,
            "error": inner.error and not stopped,
            "not_run": stopped,
            "harmless": harmless(commands.get(item["call_id"], ""), inner.exit_code, inner.content),
        }
    message, agent = read["message"], read["source"] == "agent"
    machine = read["source"] == "user" and is_machine(message)
    read |= {
        "source": "system" if machine else read["source"],
        "message": lean(message),
        "extra": kept({**read["extra"], **({"mark": "notice"} if machine else {})}),
        "identity": identity("atif", session, read["timestamp"], message, *commands) if agent else "",
    }
    return Step.model_validate(read)


def _fields(record: Record) -> dict[str, Any]:
    """Every field of a record with its value, also those that a dump leaves out where they are empty."""
    found = {name: getattr(record, name) for name in type(record).model_fields}
    return {
        name: [_fields(item) for item in value] if isinstance(value, tuple) else value for name, value in found.items()
    }


_CALL_FIELDS = ("tool_call_id", "function_name", "arguments", "extra")


def _read_result(item: dict[str, Any]) -> dict[str, Any]:
    extra = {**mapping(item.get("extra")), **rest(item, ("source_call_id", "content", "extra"))}
    own = extra.pop(OURS, None) if isinstance(extra.get(OURS), dict) else {}
    fields = {"call_id": text(item.get("source_call_id")), "content": content(item.get("content")), **(own or {})}
    return {**fields, "extra": extra}


def _usage(metrics: dict[str, Any]) -> Usage | None:
    if not metrics:
        return None
    return Usage(
        prompt=number(metrics.get("prompt_tokens")),
        completion=number(metrics.get("completion_tokens")),
        cached=number(metrics.get("cached_tokens")),
        cost=money(metrics.get("cost_usd")),
    )


def _total(document: dict[str, Any]) -> Usage | None:
    found = mapping(document.get("final_metrics"))
    names = {"prompt_tokens": "total_prompt_tokens", "completion_tokens": "total_completion_tokens"}
    names |= {"cached_tokens": "total_cached_tokens", "cost_usd": "total_cost_usd"}
    return _usage({short: found[long] for short, long in names.items() if found.get(long) is not None})


def _is_iso(value: str) -> bool:
    try:
        datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True
