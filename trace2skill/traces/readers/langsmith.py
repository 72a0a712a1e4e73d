"""LangSmith run exports: a run a line, a list of runs, or `{"runs": [...]}`; nested `child_runs` are taken along.

A trajectory is a trace: its model and tool runs in their order. https://docs.langchain.com/langsmith/run-data-format
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import is_message
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.session import UNLABELLED, Session
from trace2skill.traces.spans import Call, SpanConversation, SpanTool
from trace2skill.traces.values import (
    arguments,
    content,
    instant,
    label,
    mapping,
    moment,
    money,
    number,
    objects,
    rest,
    text,
)
from trace2skill.types.trajectory import Outcome, Trajectory, Usage

Run = dict[str, Any]
ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "function": "tool", "chat": "user"}
CLASSES = {
    "HumanMessage": "user", "AIMessage": "assistant", "AIMessageChunk": "assistant", "SystemMessage": "system",
    "ToolMessage": "tool", "FunctionMessage": "tool",
}  # fmt: skip
USED = {"id", "name", "inputs", "outputs", "run_type", "child_runs", "trace_id", "dotted_order", "start_time",
        "end_time", "error", "events", "serialized", "feedback_stats"}  # fmt: skip

GOLD = {"reference_outputs", "reference_example"}


class LangSmith:
    """Reader of LangSmith exports."""

    name = "langsmith"
    turn = 40

    def claims(self, source: Source) -> bool:
        """Runs: objects with `run_type` and `inputs`."""
        lists_ = [value for value in source.first_values[:1] or [source.start] if isinstance(value, list)]
        firsts: list[Any] = [*source.first_objects, *lists_]
        runs = [
            run for first in firsts for run in objects(mapping(first).get("runs")) or objects(first) or [mapping(first)]
        ]
        return any("run_type" in run and ("inputs" in run or "trace_id" in run) for run in runs[:50])

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a trace that has a model or a tool run."""
        traces: dict[str, list[Run]] = defaultdict(list)
        for line, run in _runs(source, notes):
            if isinstance(run, dict) and "run_type" in run:
                for nested in _unfold(run, 0):
                    traces[label(run.get("trace_id")) or label(run.get("id")) or str(line)].append(nested)
            else:
                notes.unknown(source, line, ", ".join(sorted(run)[:6]) if isinstance(run, dict) else run)
        for trace, runs in sorted(traces.items()):
            _sort(runs)
            session = Session(self.name, trace, name=trace, agent=label(runs[0].get("name")) or self.name)
            conversation = SpanConversation(session)
            calls = _calls(runs, notes)
            for run in runs:
                if run.get("run_type") == "llm":
                    if call := calls.get(id(run)):
                        conversation.call(call)
                elif run.get("run_type") in ("tool", "retriever"):
                    conversation.tool(_tool(run))
                else:
                    notes.counts["run"] += 1
            session.extra = rest(runs[0], USED | GOLD)
            notes.hide(session.id, *(runs[0].get(name) for name in sorted(GOLD)))
            if len(session):
                yield session.finish(outcome=_outcome(runs[0]))


def _sort(runs: list[Run]) -> None:
    """By the order that the runs name themselves where all do, else by the time they began, whatever its offset."""
    if all(run.get("dotted_order") for run in runs):
        runs.sort(key=lambda run: label(run["dotted_order"], 5000))
    else:
        runs.sort(key=lambda run: (instant(run.get("start_time")), label(run.get("dotted_order"), 5000)))


def _calls(runs: list[Run], notes: Notes) -> dict[int, Call]:
    """The calls of the model by run. A run around another for the same call is one call with it."""
    named = {label(run.get("id")): run for run in runs}
    calls = {id(run): _call(run) for run in runs if run.get("run_type") == "llm"}
    inner: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        above = _around(run, named)
        if run.get("run_type") == "llm" and above is not None and above.get("run_type") == "llm":
            inner[id(above)].append(run)
    for run in reversed(runs):  # from within outwards
        within = [item for item in inner.get(id(run), ()) if id(item) in calls]
        if len(within) == 1 and id(run) in calls:
            one, other = calls[id(run)], calls.pop(id(within[0]))
            calls[id(run)] = one.with_what_is_missing(other) if one.outputs else other.with_what_is_missing(one)
            notes.counts["nested model span"] += 1
        elif within and id(run) in calls:  # a wrapper around several calls
            calls.pop(id(run))
            notes.counts["nested model span"] += 1
    return calls


def _around(run: Run, named: dict[str, Run]) -> Run | None:
    """The nearest run of a model or tool around a run, None where there is none."""
    seen = {label(run.get("id"))}
    at = label(run.get("parent_run_id"))
    while at and at in named and at not in seen:
        seen.add(at)
        if named[at].get("run_type") in ("llm", "tool"):
            return named[at]
        at = label(named[at].get("parent_run_id"))
    return None


def _runs(source: Source, notes: Notes) -> Iterable[tuple[int, Any]]:
    if source.first_values and not isinstance(source.first_values[0], list):
        for line, record in source.records(notes):
            for run in objects(record.get("runs")) or [record]:
                yield line, run
    elif isinstance(source.start, list):
        yield from enumerate(source.items("item"), start=1)
    elif "runs" in mapping(source.start):
        yield from enumerate(source.items("runs.item"), start=1)
    else:
        yield 1, source.document()


def _unfold(run: Run, depth: int) -> Iterator[Run]:
    yield run
    if depth < 100:
        for child in objects(run.get("child_runs")):
            yield from _unfold({"parent_run_id": run.get("id"), **child}, depth + 1)


def _call(run: Run) -> Call:
    inputs, outputs = mapping(run.get("inputs")), mapping(run.get("outputs"))
    given = inputs.get("messages", inputs.get("input"))
    if isinstance(given, list) and given and isinstance(given[0], list):
        given = given[0]
    if given is None and "prompts" in inputs:
        given = [{"role": "user", "content": prompt} for prompt in inputs["prompts"] or ()]
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    spent = mapping(outputs.get("usage_metadata")) or mapping(mapping(outputs.get("llm_output")).get("token_usage"))
    said = _outputs(outputs)
    spent = spent or next((mapping(item.get("usage_metadata")) for item in said if item.get("usage_metadata")), {})
    meta = mapping(mapping(run.get("extra")).get("metadata"))
    return Call(
        inputs=[made for item in objects(given) if (made := _message(item))],
        outputs=[{key: value for key, value in item.items() if key != "usage_metadata"} for item in said],
        timestamp=moment(run.get("start_time")),
        model=label(meta.get("ls_model_name")) or label(mapping(outputs.get("llm_output")).get("model_name")),
        usage=Usage(
            prompt=number(run.get("prompt_tokens")) or number(spent.get("input_tokens", spent.get("prompt_tokens"))),
            completion=number(run.get("completion_tokens"))
            or number(spent.get("output_tokens", spent.get("completion_tokens"))),
            cost=money(run.get("total_cost")),
        ),
        error=text(run.get("error"))[:2000],
    )


def _outputs(outputs: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages a model run gave: LangChain's generations, OpenAI's choices, or messages."""
    generations = outputs.get("generations")
    if isinstance(generations, list):
        flat = [item for group in generations for item in (group if isinstance(group, list) else [group])]
        found = [_message(mapping(item.get("message"))) or _spoken(item.get("text")) for item in objects(flat)]
    elif isinstance(outputs.get("choices"), list):
        found = [_message(mapping(item.get("message"))) for item in objects(outputs["choices"])]
    elif isinstance(outputs.get("messages"), list):
        found = [_message(item) for item in objects(outputs["messages"])]
    elif "role" in outputs:
        found = [_message(outputs)]
    else:
        said = outputs.get("message", outputs.get("output", outputs.get("content")))
        found = [_message(said) if isinstance(said, dict) else _spoken(said)]
    return [item for item in found if item]


def _spoken(said: Any) -> dict[str, Any] | None:
    return None if said is None else {"role": "assistant", "content": text(said)}


def _message(item: dict[str, Any]) -> dict[str, Any] | None:
    """A message in chat form: OpenAI's, LangChain's, or LangChain's written out (`lc`, `id`, `kwargs`)."""
    names = item.get("id")
    if isinstance(names, list) and isinstance(item.get("kwargs"), dict):
        return _message(
            {
                "type": CLASSES.get(label(names[-1]), "") if names else "",
                **item["kwargs"],
                "role": CLASSES.get(label(names[-1]) if names else ""),
            }
        )
    role = label(item.get("role")) or ROLES.get(label(item.get("type")), label(item.get("type")))
    role = ROLES.get(role, role)
    more = mapping(item.get("additional_kwargs"))
    calls = objects(item.get("tool_calls")) or objects(more.get("tool_calls"))
    made = {
        "role": role,
        "content": item.get("content"),
        "tool_calls": calls,
        "tool_call_id": item.get("tool_call_id"),
        "usage_metadata": item.get("usage_metadata"),
        "error": item.get("status") == "error",
    }
    return {key: value for key, value in made.items() if value} | {"role": role} if is_message({"role": role}) else None


def _tool(run: Run) -> SpanTool:
    outputs = run.get("outputs")
    found = mapping(outputs)
    result = found.get("output", found.get("documents", outputs))
    id = label(mapping(result).get("tool_call_id")) or label(mapping(mapping(result).get("kwargs")).get("tool_call_id"))
    shown = mapping(result).get("kwargs", result)
    inputs = mapping(run.get("inputs"))
    given = inputs["input"] if set(inputs) == {"input"} else inputs
    return SpanTool(
        id=id,
        name=label(run.get("name")),
        arguments=arguments(given),
        result=content(shown) if isinstance(shown, (str, list)) else text(mapping(shown).get("content", shown)),
        error=text(run.get("error")),
    )


def _outcome(root: Run) -> Outcome:
    """Feedback on the trace, where there is one with a score between 0 and 1; the first by name."""
    for key, stats in sorted(mapping(root.get("feedback_stats")).items()):
        score = mapping(stats).get("avg")
        if score is not None and (made := from_score(score, "log", f"feedback '{key}'")).kind != "unknown":
            return made
    return UNLABELLED
