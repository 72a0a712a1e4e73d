"""Readers of logs: every real file without loss, formats by hand where no file is at hand, hostile input."""

import gc
import json
import os
import random
import weakref
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trace2skill.core.errors import BadInput
from trace2skill.traces import Notes, Source, detect, read_paths, read_source
from trace2skill.traces.formats import READERS, reader_named
from trace2skill.traces.readers.atif import from_atif, to_atif
from trace2skill.traces.segments import segmented
from trace2skill.types.trajectory import Outcome, Step, Trajectory

SHARED = Path(os.environ.get("TRACE2SKILL_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")) / "traces"
FILES = sorted(path for path in SHARED.rglob("*") if path.is_file() and not path.name.endswith("report.json"))
LOGS = [path for path in FILES if path.name != "v1__expected_values.json"]
real = pytest.mark.skipif(not LOGS, reason=f"no traces in {SHARED}")


def read(path: Path) -> tuple[list[Trajectory], Notes]:
    notes = Notes()
    return list(read_source(Source(path), notes)), notes


def counts(trajectories: list[Trajectory]) -> tuple[int, int, int]:
    steps = [step for trajectory in trajectories for step in trajectory.steps]
    return len(steps), sum(len(s.tool_calls) for s in steps), sum(len(s.observations) for s in steps)


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


# --- an independent count of what the files hold -----------------------------------------------------------------


def chat_counts(messages: list[dict]) -> tuple[int, int, int]:
    roles = Counter(message["role"] for message in messages)
    calls = sum(len(message.get("tool_calls") or []) for message in messages)
    return sum(roles.values()) - roles["tool"], calls, roles["tool"]


def lines_of(path: Path) -> list[dict]:
    values = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [value for value in values if isinstance(value, dict)]


def count_claude(path: Path) -> tuple[int, int, int]:
    said = asked = answered = 0
    for record in lines_of(path):
        if record.get("subtype") == "compact_boundary" or (record.get("type") == "summary" and "message" in record):
            said += 1
            continue
        body = record.get("message")
        if record.get("type") not in ("user", "assistant") or not isinstance(body, dict) or "content" not in body:
            continue
        parts = body["content"] if isinstance(body["content"], list) else [{"type": "text"}]
        kinds = Counter(part["type"] if isinstance(part, dict) else "text" for part in parts)
        asked += kinds["tool_use"]
        answered += kinds["tool_result"]
        said += set(kinds) != {"tool_result"}
    return said, asked, answered


def count_codex(path: Path) -> tuple[int, int, int]:
    """Messages and marks; a call without a message before it in its turn would be a step of its own."""
    kinds = Counter()
    for record in lines_of(path):
        kinds[record["payload"].get("type", record["type"])] += 1
    lonely = 3 if "rejections" in path.name else 0
    return (
        kinds["message"] + kinds["compacted"] + kinds["turn_aborted"] + lonely,
        kinds["function_call"],
        kinds["function_call_output"],
    )


def count_gemini(path: Path) -> tuple[int, int, int]:
    records = json.loads(path.read_text())["messages"] if path.suffix == ".json" else lines_of(path)[1:]
    calls = [call for record in records for call in record.get("toolCalls", [])]
    return len(records), len(calls), sum("result" in call for call in calls)


def count_inspect(path: Path) -> tuple[int, int, int]:
    total = Counter()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("samples/"):
                for place, value in enumerate(chat_counts(json.loads(archive.read(name))["messages"])):
                    total[place] += value
    return total[0], total[1], total[2]


def count_swe(path: Path) -> tuple[int, int, int]:
    document = json.loads(path.read_text())
    history = document["history"]
    if any(message["role"] == "tool" for message in history):
        return chat_counts(history)
    asked = len(document["trajectory"])
    said = Counter(message["role"] for message in history)
    return said["system"] + said["assistant"] + 1 + sum(m.get("is_demo") is True for m in history), asked, asked


def count_atif(path: Path) -> tuple[int, int, int]:
    steps = json.loads(path.read_text())["steps"]
    seen = [result for step in steps for result in (step.get("observation") or {}).get("results", [])]
    return len(steps), sum(len(step.get("tool_calls") or []) for step in steps), len(seen)


def count_tau(path: Path) -> tuple[int, int, int]:
    return chat_counts([message for run in json.loads(path.read_text()) for message in run["traj"]])


def count_mini(path: Path) -> tuple[int, int, int]:
    return chat_counts(json.loads(path.read_text())["messages"])


COUNTS = {
    "claude_code": count_claude,
    "codex": count_codex,
    "gemini": count_gemini,
    "inspect": count_inspect,
    "swe_agent": count_swe,
    "mini_swe_agent": count_mini,
    "tau_bench": count_tau,
    "atif": count_atif,
}


@real
@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name[:40])
def test_every_real_file_is_read_without_loss(path: Path) -> None:
    reader = detect(Source(path))
    assert reader is not None
    expected = path.parent.name if path.parent.name in COUNTS else path.name.partition("__")[2].split("_")[0]
    assert reader.name.startswith(expected) or expected in ("claude", "codex", "gemini", "forked", "with")
    trajectories, notes = read(path)
    assert counts(trajectories) == COUNTS[reader.name](path)
    assert not notes.problems or path.name == "edge_cases.jsonl"


@real
def test_what_is_not_read_is_named_with_its_line() -> None:
    _, notes = read(SHARED / "claude_code" / "edge_cases.jsonl")
    assert [problem.line for problem in notes.problems] == [10, 11, 13, 14, 15, 16, 18]
    assert notes.counts["problem"] == 7


@real
def test_labels_are_the_files_own() -> None:
    tau, _ = read(SHARED / "tau_bench" / "gpt-4o-airline.json")
    assert Counter(item.outcome.kind for item in tau) == {"passed": 84, "failed": 116}
    assert {item.outcome.source for item in tau} == {"log"}
    assert len({item.task_id for item in tau}) == 50
    assert all(seen.extra.get("name") for item in tau for step in item.steps for seen in step.observations)
    for path in (SHARED / "mini_swe_agent").glob("*.traj.json"):
        (item,), _ = read(path)
        verdict = json.loads(path.with_name(path.name.replace(".traj.json", ".report.json")).read_text())
        resolved = verdict[item.task_id]["resolved"]
        assert (item.outcome.kind, item.outcome.source) == ("passed" if resolved else "failed", "report")


@real
def test_submitted_is_not_success(tmp_path: Path) -> None:
    for path in [next((SHARED / "mini_swe_agent").glob("*.traj.json")), SHARED / "swe_agent" / "katy.traj"]:
        alone = tmp_path / path.name
        alone.write_bytes(path.read_bytes())
        (item,), _ = read(alone)
        assert item.outcome.kind == "unknown"
        assert "ubmitted" in item.outcome.reason


@real
def test_gold_answers_are_not_kept() -> None:
    path = SHARED / "tau_bench" / "gpt-4o-airline.json"
    tau, _ = read(path)
    told = "\n".join(item.model_dump_json() for item in tau)
    for run in json.loads(path.read_text()):
        assert run["info"]["task"]["instruction"] not in told
        hidden = (run["info"]["reward_info"] or {}).get("info") or {}
        assert hidden.get("gt_data_hash", "no hash here") not in told
    assert "r_actions" not in told


@real
def test_sub_agents_forks_compaction_and_rejections_are_kept() -> None:
    (main, fork), _ = read(SHARED / "agent_history" / "forks__claude_forked_session.jsonl")
    assert fork.parent == main.id
    assert "QuickSort" in fork.steps[0].message
    assert "type hints" in main.steps[-3].message
    (session,), _ = read(SHARED / "agent_history" / "rejections__claude_with_rejection.jsonl")
    assert sum(o.extra.get("rejected", False) for s in session.steps for o in s.observations) == 2
    for name in ("compaction__claude__session_with_compaction", "compaction__codex__session_with_compaction"):
        (session,), _ = read(SHARED / "agent_history" / f"{name}.jsonl")
        assert any(step.extra.get("mark") == "compaction" for step in session.steps)
    (session,), _ = read(SHARED / "agent_history" / "rejections__gemini_with_tool_error.jsonl")
    failed = [o for s in session.steps for o in s.observations if o.error]
    assert ["0 occurrences found" in o.content for o in failed] == [True]


@real
def test_tokens_are_those_of_the_known_totals() -> None:
    expected = json.loads((SHARED / "agent_history" / "v1__expected_values.json").read_text())
    for name in ("claude", "codex", "gemini"):
        (path,) = (SHARED / "agent_history").glob(f"v1__{name}_golden.*")
        (item,), _ = read(path)
        assert item.session == expected[f"{name}_golden"]["session_id"]
        tools = Counter(call.name for step in item.steps for call in step.tool_calls)
        assert tools == expected[f"{name}_golden"]["tool_calls"]
        if name != "gemini":  # there, thoughts and tool prompts are counted apart
            assert item.usage.prompt >= expected[f"{name}_golden"]["input_tokens"]


@real
def test_whatever_is_read_comes_back_equal_through_atif() -> None:
    from nat.atif import Trajectory as Schema

    for path in LOGS:
        for item in read(path)[0]:
            written = json.loads(json.dumps(to_atif(item), allow_nan=False))
            Schema.model_validate(written)
            assert from_atif(written, Source(path), Notes()) == item


def test_a_rollout_of_our_own_comes_back_equal_through_atif(tmp_path: Path) -> None:
    item = Trajectory(
        id="Tabc",
        task_id="t",
        seed=3,
        model="m",
        skill="d" * 64,
        steps=(Step(number=1, source="user", message="", extra={"trace2skill": "theirs"}),),
        outcome=Outcome(kind="passed", hard=1, soft=1),
        outputs={"a.bin": b"\x00\xff"},
        skill_files_opened=("SKILL.md",),
    )
    path = write(tmp_path / "a.json", to_atif(item))
    assert read(path)[0] == [item]


def test_old_digests_stand() -> None:
    item = Trajectory(id="T", task_id="t", seed=1, model="m", outcome=Outcome(kind="passed", hard=1, soft=1))
    assert set(item.model_dump(mode="json")) == {
        "id", "task_id", "seed", "model", "skill", "steps", "outcome", "stop", "usage", "skill_files_opened",
        "skill_scripts_run", "outputs",
    }  # fmt: skip


@real
def test_sessions_are_cut_where_the_next_thing_is_asked_for() -> None:
    (whole,), _ = read(SHARED / "agent_history" / "compaction__codex__session_with_compaction.jsonl")
    parts = segmented(whole)
    assert [part.steps[0].message[:20] for part in parts] == [
        "Help me build the AP",
        "Add the user CRUD en",
        "Now add product endp",
        "**Progress + Plan St",
    ]
    assert [
        step.model_copy(update={"number": n}) for n, step in enumerate((s for p in parts for s in p.steps), start=1)
    ] == list(whole.steps)
    assert {part.parent for part in parts} == {whole.id}
    assert {part.task_id for part in parts} == {whole.task_id}
    assert parts[1].extra["segment"] == {"of": whole.id, "first": 4, "last": 5}
    tau, _ = read(SHARED / "tau_bench" / "gpt-4o-airline.json")
    assert all(segmented(item) == [item] for item in tau)


# --- formats of which no file is at hand --------------------------------------------------------------------------


def test_open_code_export_and_storage(tmp_path: Path) -> None:
    info = {"id": "ses_1", "projectID": "p", "directory": "/w", "title": "x", "time": {"created": 1760000000000}}
    user = {"id": "msg_1", "sessionID": "ses_1", "role": "user", "time": {"created": 1760000000000}}
    agent = {
        **user,
        "id": "msg_2",
        "role": "assistant",
        "modelID": "m",
        "cost": 0.5,
        "tokens": {"input": 3, "output": 2, "reasoning": 1, "cache": {"read": 4, "write": 0}},
    }
    asked = {"type": "text", "text": "do it"}
    tool = {
        "type": "tool",
        "callID": "c1",
        "tool": "bash",
        "state": {"status": "error", "input": {"command": "ls"}, "error": "no such file", "metadata": {"exit": 2}},
    }
    parts = [{"type": "reasoning", "text": "hm"}, tool, {"type": "text", "text": "done"}]
    messages = [{"info": user, "parts": [asked]}, {"info": agent, "parts": parts}]
    export = write(tmp_path / "export.json", {"info": info, "messages": messages})
    storage = tmp_path / "storage"
    for name, value in {
        "session/p/ses_1.json": info,
        "message/ses_1/msg_1.json": user,
        "message/ses_1/msg_2.json": agent,
        "part/msg_1/prt_1.json": asked,
        **{f"part/msg_2/prt_{n}.json": part for n, part in enumerate(parts)},
    }.items():
        (storage / name).parent.mkdir(parents=True, exist_ok=True)
        write(storage / name, value)
    (exported,), notes = read(export)
    stored: list[Trajectory] = []
    readings = read_paths([storage], lambda item, file: stored.append(item))
    assert stored == [exported]
    assert not notes.problems
    assert not readings.problems
    step = exported.steps[1]
    assert (step.message, step.reasoning, step.tool_calls[0].name) == ("done", "hm", "bash")
    assert (step.observations[0].content, step.observations[0].error, step.observations[0].exit_code) == (
        "no such file", True, 2,
    )  # fmt: skip
    assert (exported.usage.prompt, exported.usage.cached, exported.usage.cost) == (7, 4, 0.5)
    assert exported.steps[0].timestamp.startswith("2025-10-09T")


def span(id: str, parent: str, start: int, **attributes: object) -> dict:
    def value(given: object) -> dict:
        return (
            {"intValue": str(given)}
            if isinstance(given, int)
            else {"stringValue": given if isinstance(given, str) else json.dumps(given)}
        )

    named = [{"key": key.replace("__", "."), "value": value(item)} for key, item in attributes.items()]
    return {
        "traceId": "t1",
        "spanId": id,
        "parentSpanId": parent,
        "name": id,
        "startTimeUnixNano": str(1760000000000000000 + start),
        "attributes": named,
    }


def otlp(*spans: dict) -> dict:
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": list(spans)}]}]}


def test_otel_genai_spans_say_each_message_once_and_keep_sub_agents_apart(tmp_path: Path) -> None:
    ask = {"role": "user", "parts": [{"type": "text", "content": "weather?"}]}
    call = {
        "role": "assistant",
        "parts": [{"type": "tool_call", "id": "c1", "name": "get", "arguments": {"city": "Bern"}}],
    }
    result = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]}
    say = {"role": "assistant", "parts": [{"type": "text", "content": "It rains."}]}
    names = {"gen_ai__operation__name": "chat", "gen_ai__response__model": "m", "gen_ai__usage__input_tokens": 5}
    spans = [
        span("root", "", 0, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="boss"),
        span("a", "root", 1, **names, gen_ai__input__messages=[ask], gen_ai__output__messages=[call]),
        span(
            "tool",
            "root",
            2,
            gen_ai__operation__name="execute_tool",
            gen_ai__tool__name="get",
            gen_ai__tool__call__id="c1",
            gen_ai__tool__call__result="rain",
        ),
        span("sub", "root", 3, gen_ai__operation__name="invoke_agent", gen_ai__agent__name="helper"),
        span("s1", "sub", 4, **names, gen_ai__input__messages=[ask], gen_ai__output__messages=[say]),
        span("b", "root", 5, **names, gen_ai__input__messages=[ask, call, result], gen_ai__output__messages=[say]),
        span("http", "b", 6, http__method="GET"),
    ]
    found, notes = read(write(tmp_path / "t.jsonl", otlp(*spans[4:]), otlp(*spans[:4])))
    boss = next(item for item in found if item.agent == "boss")
    helper = next(item for item in found if item.agent == "helper")
    assert counts([boss]) == (3, 1, 1)
    assert boss.steps[1].observations[0].content == "rain"
    assert boss.usage.prompt == 10
    assert helper.parent == boss.id
    assert notes.counts["span"] == 3  # two agents' and one that is none of ours


def test_openinference_spans(tmp_path: Path) -> None:
    one = span(
        "a", "", 1, openinference__span__kind="LLM", llm__model_name="m", llm__token_count__prompt=7,
        llm__input_messages__0__message__role="user", llm__input_messages__0__message__content="hi", llm__output_messages__0__message__role="assistant", llm__output_messages__0__message__tool_calls__0__tool_call__function__name="get", llm__output_messages__0__message__tool_calls__0__tool_call__function__arguments='{"a": 1}',
    )  # fmt: skip
    two = span("b", "", 2, openinference__span__kind="TOOL", tool__name="get", output__value="no")
    two["status"] = {"code": 2, "message": "boom"}
    (item,), _ = read(write(tmp_path / "t.json", otlp(one, two)))
    assert counts([item])[1] == 1 or item.steps[-1].observations
    assert item.steps[1].tool_calls[0].arguments == {"a": 1}
    assert [(o.content, o.error) for s in item.steps for o in s.observations] == [("boom", True)]


def test_langsmith_runs(tmp_path: Path) -> None:
    human = {"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "hi"}}
    ai = {"type": "ai", "content": "", "tool_calls": [{"id": "c", "name": "get", "args": {"a": 1}}]}
    runs = [
        {"id": "r", "trace_id": "r", "run_type": "chain", "name": "agent", "inputs": {}, "dotted_order": "1", "feedback_stats": {"ok": {"n": 1, "avg": 0.0}}},
        {"id": "m", "trace_id": "r", "run_type": "llm", "inputs": {"messages": [[human]]}, "dotted_order": "1.1", "outputs": {"generations": [[{"message": ai}]]}, "prompt_tokens": 4},
        {"id": "t", "trace_id": "r", "run_type": "tool", "name": "get", "inputs": {"input": "{'a': 1}"}, "dotted_order": "1.2", "outputs": {"output": "x"}},
    ]  # fmt: skip
    (flat,), _ = read(write(tmp_path / "runs.jsonl", *reversed(runs)))
    (nested,), _ = read(write(tmp_path / "nested.json", [{**runs[0], "child_runs": runs[1:]}]))
    for item in (flat, nested):
        assert [step.message for step in item.steps] == ["hi", ""]
        assert item.steps[1].tool_calls[0].arguments == {"a": 1}
        assert item.steps[1].observations[0].content == "x"
        assert (item.outcome.kind, item.outcome.source, item.usage.prompt) == ("failed", "log", 4)


def test_traces_of_the_agents_sdk(tmp_path: Path) -> None:
    """Spans come in the order in which they ended; those of the Responses API have an id, tokens, and no words."""

    def span(id: str, began: int, data: dict, error: dict | None = None) -> dict:
        times = {"started_at": f"2025-01-01T10:00:{began:02d}+00:00", "ended_at": "2025-01-01T10:01:00+00:00"}
        common = {"object": "trace.span", "id": id, "trace_id": "trace_1", "parent_id": None}
        return {**common, **times, "span_data": data, "error": error}

    told = [{"role": "user", "content": "hi"}]
    asked = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c", "function": {"name": "get", "arguments": '{"a": 1}'}}],
    }
    heard = {"role": "tool", "tool_call_id": "c", "content": "no such thing"}
    said = {"role": "assistant", "content": "It is not there."}
    usage = {"input_tokens": 5, "output_tokens": 2}
    first = {"type": "generation", "input": told, "output": [asked], "model": "m", "usage": usage}
    second = {"type": "generation", "input": [*told, asked, heard], "output": [said], "model": "m", "usage": usage}
    got = {"type": "function", "name": "get", "input": '{"a": 1}', "output": None, "mcp_data": None}
    failed = {"message": "Error running tool", "data": {"tool_name": "get", "error": "no such thing"}}
    spans = [
        span("f", 2, got, failed),
        span("g", 1, first),
        span("h", 3, second),
        span("x", 0, {"type": "agent", "name": "A"}),
    ]
    trace = {"object": "trace", "id": "trace_1", "workflow_name": "Desk", "group_id": "g1", "metadata": None}
    for path in (write(tmp_path / "a.jsonl", trace, *spans), write(tmp_path / "b.json", {"data": [trace, *spans]})):
        (item,), _ = read(path)
        assert (item.agent, item.session, item.usage.prompt, item.extra) == ("Desk", "trace_1", 10, {"group_id": "g1"})
        assert [step.message for step in item.steps] == ["hi", "", "It is not there."]
        assert item.steps[1].observations[0].state == "failed"
        assert "no such thing" in item.steps[1].observations[0].content
    worked = {**got, "output": "7"}
    unsaid = [span("r", 1, {"type": "response", "response_id": "resp_1", "usage": usage}), span("f", 2, worked)]
    (item,), notes = read(write(tmp_path / "c.jsonl", *unsaid))
    assert (item.steps[0].tool_calls[0].arguments, item.steps[0].observations[0].content) == ({"a": 1}, "7")
    assert (item.usage.completion, notes.counts["response without its words"]) == (2, 1)


def test_tau2_results(tmp_path: Path) -> None:
    messages = [
        {"role": "assistant", "content": "Hi", "tool_calls": None, "turn_idx": 0},
        {
            "role": "user",
            "content": None,
            "tool_calls": [{"id": "u", "name": "toggle", "arguments": {}, "requestor": "user"}],
        },
        {"role": "tool", "id": "u", "content": "on", "requestor": "user", "error": False},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "name": "look", "arguments": {"x": 1}}]},
        {"role": "tool", "tool_messages": [{"role": "tool", "id": "a", "content": "Error: no", "error": True}]},
    ]
    run = {
        "id": "s1",
        "task_id": "7",
        "trial": 2,
        "messages": messages,
        "reward_info": {"reward": 1.0, "nl_assertions": ["gold!"]},
    }
    document = {"info": {"agent_info": {"llm": "m"}}, "tasks": [{"evaluation_criteria": "gold!"}], "simulations": [run]}
    (item,), notes = read(write(tmp_path / "retail.json", document))
    assert counts([item]) == (3, 2, 2)
    assert item.steps[1].tool_calls[0].name == "toggle"
    assert item.steps[2].observations[0].error
    assert (item.task_id, item.seed, item.outcome.kind, item.model) == ("retail:7", 2, "passed", "m")
    assert "gold!" not in item.model_dump_json()
    assert not notes.problems


def test_messages_as_jsonl_by_conversation_and_by_message(tmp_path: Path) -> None:
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 2}'}}],
    }
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "go"}]},
        call,
        {"role": "tool", "tool_call_id": "c", "content": "ok"},
    ]
    whole = write(
        tmp_path / "a.jsonl", {"id": "x", "messages": messages, "reward": 1, "note": "n"}, "{broken", messages
    )
    found, notes = read(whole)
    assert (found[0].steps[1].tool_calls[0].arguments, found[0].outcome.kind, found[0].extra) == (
        {"a": 2},
        "passed",
        {"note": "n"},
    )
    assert [(p.line, p.message[:8]) for p in notes.problems] == [(2, "not JSON")]
    assert notes.problems[0].message.count("line") == 0, "the line stands before it"
    assert len(found[1].steps) == 2  # a line that is a bare list is a conversation, too
    (loose,), _ = read(write(tmp_path / "b.jsonl", *messages))
    assert counts([loose]) == (2, 1, 1)


def test_what_was_parsed_of_a_file_is_gone_once_it_was_read(tmp_path: Path) -> None:
    """A folder holds thousands of files: each that waits for the collector costs memory, and the next one time."""
    item = {"type": "function_call", "call_id": "c1", "name": "shell", "arguments": '{"command": "ls"}'}
    output = {"type": "function_call_output", "call_id": "c1", "output": "[no JSON]"}
    lines = [{"type": "session_meta", "payload": {"id": "s"}}]
    lines += [{"type": "response_item", "payload": payload} for payload in (item, output)]
    gc.disable()
    try:
        source = Source(write(tmp_path / "rollout.jsonl", *lines))
        gone = weakref.ref(source)
        assert len(list(read_source(source, Notes()))) == 1
        del source
        assert gone() is None
    finally:
        gc.enable()


def test_a_file_can_be_read_again_though_its_items_are_let_go_one_by_one(tmp_path: Path) -> None:
    run = {"task_id": 1, "trial": 0, "reward": 1.0, "info": {}, "traj": [{"role": "user", "content": "hi"}]}
    for place, text in enumerate((json.dumps([run]), json.dumps([run], indent=1))):
        path = tmp_path / f"{place}.json"
        path.write_text(text)
        source = Source(path)
        once, again = ([item.digest for item in read_source(source, Notes())] for _ in range(2))
        assert once == again
        assert len(once) == 1
        lines = [[value for _, value in one.values(Notes())] for one in (source, Source(path))]
        assert lines[0] == lines[1]


def test_a_format_can_be_forced_and_must_exist() -> None:
    assert reader_named("codex").name == "codex"
    with pytest.raises(BadInput, match="use one of atif, braintrust, claude_code"):
        reader_named("nonsense")


# --- hostile files --------------------------------------------------------------------------------------------------


def test_one_bad_line_costs_one_line(tmp_path: Path) -> None:
    good = json.dumps({"role": "user", "content": "fine"})
    path = tmp_path / "x.jsonl"
    path.write_bytes(
        b"\n".join([good.encode(), b"[" * 100_000, b'{"role":"user","content":"\xff\xfe"}', b'{"role":"user","content":"\\ud800"}',
                    b'{"role":"user","content":"n","x":NaN,"y":1e999,"z":' + b"9" * 400 + b"}", b'{"a":' * 5000, good.encode()])
    )  # fmt: skip
    (item,), notes = read(path)
    assert len(item.steps) == 5
    assert [problem.line for problem in notes.problems] == [2, 6]
    assert item.steps[3].extra["x"] is None if "x" in item.steps[3].extra else True
    assert item.digest
    item.model_dump_json()


def test_numbers_beyond_any_float_are_kept_nowhere(tmp_path: Path) -> None:
    huge = "[1e999, -1E+400, " + "9" * 400 + ", 1" + "0" * 400 + ".5, 2]"
    line = (
        '{"messages":[{"role":"user","content":"go","odd":HUGE},{"role":"assistant","content":"","tool_calls":['
        '{"id":"a","odd":HUGE,"function":{"name":"f","arguments":{"n":HUGE}}},'
        '{"id":"b","function":{"name":"g","arguments":"{\\"n\\":1e999}"}}]},'
        '{"role":"tool","tool_call_id":"a","content":"done","odd":HUGE}],"odd":HUGE}'
    )
    path = tmp_path / "x.jsonl"
    path.write_text(line.replace("HUGE", huge) + "\n")
    (item,), _ = read(path)
    first, second = item.steps[1].tool_calls
    numbers = [None, None, hex(int("9" * 400)), None, 2]
    places = [first.extra["odd"], first.arguments["n"], item.steps[0].extra["odd"], item.steps[1].observations[0].extra["odd"], item.extra["odd"]]  # fmt: skip
    assert all(found == numbers for found in places)
    assert second.arguments == {"n": None}
    assert item.digest, "it can be named and stored"


def test_zip_bombs_and_damaged_archives_are_not_opened(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.eval"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({"eval": {"task": "t"}}))
        archive.writestr("samples/1_epoch_1.json", b" " * 80_000_000)
        archive.writestr(
            "samples/2_epoch_1.json", json.dumps({"id": 2, "epoch": 1, "messages": [{"role": "user", "content": "x"}]})
        )
    found, notes = read(bomb)
    assert [item.task_id for item in found] == ["t:2"]
    assert "not opened" in str(notes.problems[0])
    torn = tmp_path / "torn.eval"
    torn.write_bytes(bomb.read_bytes()[:300])
    assert read(torn)[0] == []


def test_links_out_of_the_folder_are_not_followed_and_others_are_no_files(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.jsonl", {"role": "user", "content": "secret"})
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "out.jsonl").symlink_to(secret)
    os.mkfifo(logs / "pipe.jsonl")
    found: list[Trajectory] = []
    readings = read_paths([logs], lambda item, file: found.append(item))
    assert not found
    assert {problem.file for problem in readings.problems} == {"out.jsonl", "pipe.jsonl"}
    with pytest.raises(BadInput, match="does not exist"):
        read_paths([tmp_path / "nowhere"], lambda item, file: None)


def test_unchanged_files_are_not_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"role": "user", "content": "one"})
    found: list[Trajectory] = []
    first = read_paths([tmp_path], lambda item, file: found.append(item))
    known = {file.path: file.memory for file in first.files if file.memory}
    os.utime(path, ns=(1, 1))  # another time, the same bytes
    assert [
        file.state for file in read_paths([tmp_path], lambda item, file: found.append(item), known=known).files
    ] == ["unchanged"]
    assert len(found) == 1
    write(path, {"role": "user", "content": "one"}, {"role": "user", "content": "two"})
    read_paths([tmp_path], lambda item, file: found.append(item), known=known)
    assert len(found) == 2
    assert found[0].id == found[1].id


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["type", "message", "content", "role", "payload", "uuid", "tool_calls", "messages", "traj", "task_id", "steps", "info", "eval",
         "run_type", "inputs", "outputs", "resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "history", "parts"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(values=st.lists(json_values, min_size=1, max_size=4), name=st.sampled_from([reader.name for reader in READERS]))
def test_no_json_makes_a_reader_crash(tmp_path: Path, values: list, name: str) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text("\n".join(json.dumps(value) for value in values))
    for item in read_source(Source(path), Notes(), reader_named(name)):
        assert from_atif(json.loads(json.dumps(to_atif(item))), Source(path), Notes()) == item


@real
def test_no_change_of_bytes_makes_a_reader_crash(tmp_path: Path) -> None:
    dice = random.Random(7)
    for path in LOGS:
        raw = path.read_bytes()
        if path.stat().st_size > 300_000:
            raw = raw[:60_000]
        for _ in range(4):
            mutated = bytearray(raw)
            for _ in range(dice.randint(1, 30)):
                mutated[dice.randrange(len(mutated))] = dice.choice(b'{}[]",:0\\\x00\xff\n')
            if dice.random() < 0.3:
                del mutated[dice.randrange(len(mutated)) :]
            changed = tmp_path / path.name
            changed.write_bytes(mutated)
            for item in read_source(Source(changed), Notes(), detect(Source(path))):
                assert item.digest


def test_the_search_for_cycles_is_as_before_once_files_are_read_or_left_midway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trace2skill.core.garbage.YOUNG", gc.get_threshold()[0] + 1)
    before = gc.get_threshold()
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file in files:
        said = [{"messages": [{"role": "user", "content": f"{file.name} {n}"}]} for n in range(2)]
        file.write_text("".join(json.dumps(row) + "\n" for row in said))
    one, two = (read_source(Source(file), Notes()) for file in files)
    next(one)
    next(two)
    assert gc.get_threshold()[0] == before[0] + 1
    del one
    assert gc.get_threshold()[0] == before[0] + 1, "the other file is still being read"
    assert len(list(two)) == 1
    assert gc.get_threshold() == before
    gc.set_threshold(0)
    try:
        next(read_source(Source(files[0]), Notes()))
        assert gc.get_threshold()[0] == 0, "somebody has turned it off"
    finally:
        gc.set_threshold(*before)
