"""Logs read right: faults that users of log readers reported, as small cases, each with what is right.

The first table reads the shared cases; what follows says the same of formats and places in which a fault has siblings.
"""

import gzip
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from trace2skill.analysts.events import events_of, recoveries
from trace2skill.traces import Notes, Readings, Source, read_paths, read_source
from trace2skill.traces.calls import harmless, stopped_by
from trace2skill.traces.formats import READERS, reader_named
from trace2skill.traces.guesses import from_signs, from_words
from trace2skill.traces.outcomes import labelled
from trace2skill.traces.runner_reports import reported
from trace2skill.traces.segments import segmented
from trace2skill.types.trajectory import Step, Trajectory


def read(*paths: Path) -> tuple[list[Trajectory], Readings]:
    found: list[Trajectory] = []
    return found, read_paths(paths, lambda item, file: found.append(item))


def shape(item: Trajectory) -> tuple[str, str, tuple[int, int]]:
    """Who speaks in each step, what became of each call, and the tokens."""
    states = [seen.not_run or seen.state for step in item.steps for seen in step.observations]
    return "".join(step.source[0] for step in item.steps), " ".join(states), (item.usage.prompt, item.usage.completion)


def write(path: Path, *lines: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


REJECTED = ("uaau", "failed user", (2420, 100))
CANCELLED = ("uaa", "worked sibling sibling", (2420, 100))
GREEN = ("uaa", "worked", (2420, 100))
CASES = {
    "01-usage-per-block/11111111-0000-4000-8000-000000000001.jsonl": [("uaa", "worked worked", (2415, 57))],
    "01-usage-per-block/sibling-partial": [("uaa", "worked worked", (2415, 57))],
    "01-usage-per-block/sibling-same-line-twice": [("uaa", "worked worked", (2415, 57))],
    "02-resume-new-file": [  # and its siblings: every response once
        ("uaaa", "failed worked", (3630, 150)), ("uaa", "worked", (2420, 100)),
        ("ua", "", (100, 10)), ("a", "", (80, 5)), ("uaa", "failed", (2420, 100)), ("ua", "worked", (1210, 50)),
    ],
    "03-codex-fork-replay": [  # the sibling's parent is the same file once more
        ("uaaa", "failed worked", (900, 60)), ("ua", "", (200, 5)), ("ua", "", (200, 5)),
    ],
    "04-resume-same-file": [("uaauaa", "failed worked", (4840, 200))],
    "05-rewind-behind-attachment/55555555-0000-4000-8000-000000000001.jsonl": [
        ("uaauaa", "worked worked", (4840, 200)), ("ua", "failed", (1210, 50)),
    ],
    "05-rewind-behind-attachment/sibling-attachment-inside-branch": [
        ("uaua", "", (2420, 100)), ("ua", "failed", (1210, 50)),
    ],
    "05-rewind-behind-attachment/sibling-plain-rewind": [("uaua", "", (2420, 100)), ("ua", "failed", (1210, 50))],
    "06-queued-message": [("uauaa", "worked worked", (3630, 150))],
    "07-ismeta-skill-body/77777777-0000-4000-8000-000000000001.jsonl": [("uasaa", "worked worked", (3630, 150))],
    "07-ismeta-skill-body/sibling-timer-prompt": [("uasa", "", (2420, 100))],
    "08-cancelled-is-no-failure/88888888-0000-4000-8000-000000000001.jsonl": [CANCELLED],
    "08-cancelled-is-no-failure/88888888-0000-4000-8000-000000000002.jsonl": [CANCELLED],
    "08-cancelled-is-no-failure/sibling-codex-aborted": [("uaas", "failed user", (0, 0))] * 2,
    "08-cancelled-is-no-failure/sibling-codex-rejected": [("uaa", "failed user", (0, 0))],
    "08-cancelled-is-no-failure/sibling-gemini-cancelled": [("uaa", "failed user", (200, 20))] * 2,
    "08-cancelled-is-no-failure/sibling-other-refusal-words": [
        ("uaa", who, (2420, 100)) for who in ("rule", "user", "user", "hook", "program")
    ],
    "08-cancelled-is-no-failure/sibling-rejected-counts-as-fix": [REJECTED] * 2,
    "08-cancelled-is-no-failure/sibling-rejected-force-push": [REJECTED] * 2,
    "08-cancelled-is-no-failure/sibling-rejected-no-verify": [REJECTED] * 2,
    "09-subagent-file": [("uaa", "worked", (2420, 100))] * 2,
    "10-stream-json-subagent/ci-run.jsonl": [("aa", "worked", (2420, 100)), ("uaa", "failed", (2420, 100))],
    "10-stream-json-subagent/sibling-json-array": [("aa", "worked", (2420, 100)), ("uaa", "failed", (2420, 100))],
    "11-gemini-rewritten-lines/session-2026-03-02T10-00-bbbbbbbb.jsonl": [("uaa", "worked", (200, 30))],
    "11-gemini-rewritten-lines/sibling-rewind": [("ua", "", (100, 15)), ("ua", "failed", (100, 15))],
    "11-gemini-rewritten-lines/sibling-set-messages": [("usua", "", (100, 15))],
    "12-codex-failed-patch/rollout-2026-03-02T10-00-00-019c0000-0000-7000-8000-0000000000e1.jsonl": [
        ("uaaa", "failed worked", (0, 0)),
    ],
    "12-codex-failed-patch/sibling-long-command-header": [("uaa", "failed", (0, 0))],
    "12-codex-failed-patch/sibling-success-inside-output": [("uaaa", "failed worked", (0, 0))],
    "13-otel-message-events/trace.json": [("suaa", "worked", (80, 14))],
    "13-otel-message-events/sibling-event-content-json": [("ua", "", (30, 5))],
    "14-otel-llm-in-llm/trace.json": [("ua", "", (1000, 40))],
    "14-otel-llm-in-llm/sibling-genai-chat-in-chat": [("ua", "", (100, 4))],
    "14-otel-llm-in-llm/sibling-langsmith": [("ua", "", (100, 5))],
    "17-opencode-sqlite": [("u", "", (0, 0))],
    "18-inspect-zstd": [("ua", "", (0, 0))] * 2,
    "21-first-line/14141414-0000-4000-8000-000000000001.jsonl": [("ua", "", (1210, 50))],
    "21-first-line/sibling-codex-long-meta": [("ua", "", (0, 0))],
    "21-first-line/sibling-long-first-line": [("ua", "", (1210, 50))],
    "21-first-line/sibling-many-other-lines-first": [("ua", "", (1210, 50))],
    "21-first-line/sibling-nul-tail": [("ua", "", (1210, 50))],
    "21-first-line/sibling-utf16": [("ua", "", (1210, 50))],
    "22-opencode-revert": [("ua", "", (0, 0)), ("ua", "worked", (0, 0))],
    "23-api-error-as-words": [("usas", "worked", (1210, 50))],
    "24-codex-calls-in-one-step": [("uaaaaaua", "failed worked worked worked", (400, 40))],
    "25-mini-swe-responses-api": [("sua", "worked", (0, 0))],
    "26-exit-code-line-hides-error": [("uaa", "failed", (2420, 100))] * 2,
    "27-time-zones": [("uaa", "worked", (0, 0))],
    **{f"28-zero-failed-is-no-failure/sibling-{number}": [GREEN] for number in range(2, 10)},
    "29-nul-character": [("uaa", "worked", (2420, 100))],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_reported_fault_is_read_right(name: str) -> None:
    found, _ = read(shared("cases", "logs", *name.split("/")))
    assert [shape(item) for item in found] == CASES[name]
    ids = {item.id for item in found}
    assert all(item.parent in ids for item in found if item.parent), "a link leads to what was read"
    stored = json.dumps([item.model_dump(mode="json") for item in found])
    assert "\\u0000" not in stored


def case(*names: str) -> list[Trajectory]:
    return read(shared("cases", "logs", *names))[0]


def test_what_a_person_typed_meanwhile_stands_between_the_calls() -> None:
    (item,) = case("06-queued-message")
    assert item.steps[2].message == "That is wrong, it must read semicolons"
    assert labelled(item).outcome.kind == "unknown", "it was worked on after that"


def test_what_was_taken_back_is_apart_and_says_nothing_of_the_work_that_stands() -> None:
    for name in ("05-rewind-behind-attachment/sibling-plain-rewind", "22-opencode-revert"):
        standing, gone = case(*name.split("/"))
        assert gone.parent == standing.id
        assert labelled(gone).outcome.kind == "unknown"
        assert "took it back" in labelled(gone).outcome.reason


def test_a_call_that_did_not_run_puts_nothing_right_and_ends_nothing() -> None:
    for name in ("sibling-rejected-no-verify", "sibling-codex-aborted", "sibling-gemini-cancelled"):
        for item in case("08-cancelled-is-no-failure", name):
            assert recoveries(item) == []
            assert labelled(item).outcome.kind == "unknown"
    for item in case("08-cancelled-is-no-failure", "88888888-0000-4000-8000-000000000001.jsonl"):
        assert [event.failed for event in events_of(item)] == [False, False, False]
        assert labelled(item).outcome.kind == "unknown"


def test_how_a_run_ended_is_the_logs_own_word_and_a_limit_is_marked() -> None:
    main, _ = case("10-stream-json-subagent", "ci-run.jsonl")
    assert (main.outcome.kind, main.outcome.source, main.stop) == ("failed", "log", "turn_limit")
    assert (main.usage.cost, main.session) == (0.2, "aaaaaaaa-0000-4000-8000-000000000001")
    (item,) = case("23-api-error-as-words")
    assert [step.extra.get("mark") for step in item.steps] == [None, "error", None, "limit"]
    assert item.model == "claude-x"


def test_a_printed_run_that_is_forced_to_be_a_session_keeps_sub_agents_apart() -> None:
    path = shared("cases", "logs", "10-stream-json-subagent", "ci-run.jsonl")
    main, sub = read_source(Source(path), Notes(), reader_named("claude_code"))
    assert [shape(item)[0] for item in (main, sub)] == ["aa", "uaa"]
    assert (sub.parent, main.session) == (main.id, "aaaaaaaa-0000-4000-8000-000000000001")


def test_errors_lose_their_wrapper_and_green_reports_are_green() -> None:
    one, two = case("26-exit-code-line-hides-error")
    assert one.steps[1].observations[0].content == "3 snapshots are obsolete, remove them with -u"
    assert one.steps[1].observations[0].exit_code == two.steps[1].observations[0].exit_code == 1
    assert not {event.error for event in events_of(one)} & {event.error for event in events_of(two)} - {""}
    for item in case("28-zero-failed-is-no-failure"):
        found = from_signs(item.steps)
        assert found is not None
        assert (found.kind, found.source) == ("passed", "signs")


def test_bytes_of_pictures_are_kept_nowhere() -> None:
    found = case("16-base64-kept")
    assert len(found) == 6
    for item in found:
        stored = item.model_dump_json()
        assert len(stored) < 5000
        assert "image/png" in stored or "cat.png" in stored


def test_messages_on_events_and_times_with_offsets() -> None:
    (item,) = case("13-otel-message-events", "trace.json")
    assert [step.message for step in item.steps][::3] == ["You are the help desk.", "I found no account."]
    assert item.steps[2].observations[0].content == "error: no user with this phone"
    (item,) = case("27-time-zones")
    assert [step.message for step in item.steps] == ["Hi", "", "One."]


# --- siblings: the same kinds in other formats and places ---------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("The user denied this operation.", "user"),
        ("Tool call was rejected by the user", "user"),
        ("The user rejected permission to use this specific tool call.", "user"),
        ("Operation cancelled by user", "user"),
        ("Claude requested permissions to write to /x, but you haven't granted it yet.", "rule"),
        ("The user has specified a rule which prevents you from using this specific tool call.", "rule"),
        ("Tool execution aborted", "program"),
        ("it says: The user denied this operation.", ""),
        ("User denied: no such account", ""),
        ("ok", ""),
    ],
)  # fmt: skip
def test_who_stopped_a_call_is_told_by_its_first_words_alone(words: str, who: str) -> None:
    assert stopped_by(words) == who


@pytest.mark.parametrize(
    ("command", "output", "why"),
    [
        ("grep -rn zebra src", "", "grep: no match"),
        ("cd /srv && rg -l zebra", "", "rg: no match"),
        ("cat a | grep b", "", "grep: no match"),
        ("grep -c zebra a b", "a:0\nb:0\n", "grep: no match"),
        ("diff a b", "1c1\n< x\n> y", "diff: differs"),
        ("test -f a", "", "test: false"),
        ("grep zebra nowhere", "grep: nowhere: No such file or directory", ""),
        ("grep a b; make", "", ""),
        ("grep a b && make check", "", ""),
        ("python x.py", "", ""),
    ],
)
def test_a_search_that_finds_nothing_is_no_failure(command: str, output: str, why: str) -> None:
    assert harmless(command, 1, output) == why
    assert harmless(command, 2, output) == ""


@pytest.mark.parametrize(
    ("report", "passed"),
    [
        ("12 runs, 30 assertions, 0 failures, 0 errors, 0 skips", True),
        ("Tests run: 12, Failures: 0, Errors: 0, Skipped: 1", True),
        ("Executed 12 tests, with 0 failures (0 unexpected) in 0.1 seconds", True),
        ("# tests 12\n# pass 12\n# fail 0", True),
        ("100% tests passed, 0 tests failed out of 12", True),
        ("OK (12 tests, 30 assertions)", True),
        ("  12 passing (30ms)\n  1 failing", False),
        ("Tests:       1 failed, 11 passed, 12 total", False),
        ("Failed!  - Failed:     1, Passed:    11, Skipped:     0, Total:    12", False),
        ("test result: FAILED. 11 passed; 1 failed; 0 ignored", False),
        ("--- FAIL: TestX (0.00s)\nFAIL\texample.org/shop\t0.02s", False),
        ("FAILED (failures=1)", False),
        ("===== 1 failed in 0.12s =====", False),
        ("12 examples, 2 failures", False),
        ("3 failed login attempts for root", None),
        ("0 errors found while linting", None),
        ("nothing to see", None),
    ],
)  # fmt: skip
def test_a_runners_numbers_count_and_not_its_words(report: str, passed: bool | None) -> None:
    assert reported(report) is passed


def gemini(*calls: dict) -> dict:
    message = {
        "id": "m2",
        "timestamp": "2026-03-02T10:00:02Z",
        "type": "gemini",
        "content": "",
        "toolCalls": list(calls),
    }
    return {"sessionId": "s", "projectHash": "p", "messages": [{"id": "m1", "type": "user", "content": "go"}, message]}


def test_a_shells_parts_are_told_apart(tmp_path: Path) -> None:
    def call(id: str, command: str, output: str) -> dict:
        result = [{"functionResponse": {"id": id, "response": {"output": output}}}]
        return {
            "id": id,
            "name": "run_shell_command",
            "args": {"command": command},
            "status": "success",
            "result": result,
        }

    calls = [
        call("a", "make", "Output: boom\nExit Code: 2\nProcess Group PGID: 7"),
        call("b", "grep x y", "Command: grep x y\nDirectory: (root)\nOutput: (empty)\nError: (none)\nExit Code: 1"),
        call("c", "ls", "Output: a.txt"),
    ]
    (item,), _ = read(write(tmp_path / "s.json", gemini(*calls)))
    seen = item.steps[1].observations
    assert [(one.content, one.exit_code, one.state) for one in seen] == [
        ("boom", 2, "failed"), ("", 1, "worked"), ("a.txt", None, "worked"),
    ]  # fmt: skip


def chat(*pairs: tuple[str, str], asked: str = "go") -> list[dict]:
    messages: list[dict] = [{"role": "user", "content": asked}]
    for id, answer in pairs:
        call = {"id": id, "function": {"name": "bash", "arguments": json.dumps({"command": f"run {id}"})}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": id, "content": answer})
    return messages


DRAWN = ("call_9aB3dE5gH7jK9mN1pQ3sT5vW", "call_1zY8xW6vU4tS2rQ0pN8mL6kJ")


def test_a_conversation_that_is_written_again_as_it_grows_is_one(tmp_path: Path) -> None:
    grown = chat((DRAWN[0], "Error: no"), (DRAWN[1], "ok"))
    found, readings = read(write(tmp_path / "proxy.jsonl", {"messages": grown[:3]}, {"messages": grown}))
    assert [shape(item)[:2] for item in found] == [("ua", "worked"), ("a", "worked")]
    assert found[1].parent == found[0].id
    assert readings.counts["copied step"] == 2
    same = chat(("c1", "Error: no"), ("c2", "ok"))  # ids that are not drawn by chance tell nothing
    found, _ = read(write(tmp_path / "trials" / "runs.jsonl", {"messages": same}, {"messages": same}))
    assert [len(item.steps) for item in found] == [3, 3]


def test_copies_are_known_again_in_another_reading_and_own_steps_are_not_lost(tmp_path: Path) -> None:
    grown = chat((DRAWN[0], "Error: no"), (DRAWN[1], "ok"))
    write(tmp_path / "b.jsonl", {"messages": grown[:3]})
    first = read(tmp_path)[1]
    known = {file.path: file.memory for file in first.files if file.memory}
    write(tmp_path / "a.jsonl", {"messages": grown})  # comes first by its name, and later in time
    found: list[Trajectory] = []
    again = read_paths([tmp_path], lambda item, file: found.append(item), known=known)
    assert [file.state for file in again.files] == ["read", "unchanged"]
    assert [shape(item)[0] for item in found] == ["a"]
    write(tmp_path / "b.jsonl", {"messages": grown[:3]}, {"messages": chat(asked="and now?")})
    found.clear()
    read_paths(
        [tmp_path], lambda item, file: found.append(item), known={f.path: f.memory for f in again.files if f.memory}
    )
    assert [shape(item)[0] for item in found] == ["ua", "u"], "a file that grew keeps what was its own"


def test_a_file_that_was_saved_twice_is_read_once(tmp_path: Path) -> None:
    lines = {"messages": chat(("c", "ok"))}
    write(tmp_path / "a.jsonl", lines)
    write(tmp_path / "backup" / "a.jsonl", lines)
    found, readings = read(tmp_path)
    assert len(found) == 1
    assert readings.counts["duplicate"] == 1
    assert not readings.problems


def test_an_id_that_is_used_again_answers_the_call_that_waits(tmp_path: Path) -> None:
    messages = [*chat(("c", "one"), ("c", "two")), *chat(("c", "three"))]
    (item,), _ = read(write(tmp_path / "x.jsonl", {"messages": messages}))
    assert [seen.content for step in item.steps for seen in step.observations] == ["one", "two", "three"]
    twice = [messages[0], messages[1], messages[3], messages[2], messages[4]]
    (item,), _ = read(write(tmp_path / "y.jsonl", {"messages": twice}))
    assert [[seen.content for seen in step.observations] for step in item.steps] == [[], ["one"], ["two"]]


def test_copied_context_of_atif_is_no_step_and_any_json_is_no_atif(tmp_path: Path) -> None:
    def step(number: int, source: str, **more: object) -> dict:
        return {"step_id": number, "source": source, "message": f"m{number}", **more}

    steps = [step(1, "user", is_copied_context=True), step(2, "agent", is_copied_context=True), step(3, "agent")]
    document = {
        "schema_version": "ATIF-v1.7",
        "session_id": "s",
        "agent": {"name": "a", "version": "1"},
        "steps": steps,
    }
    (item,), _ = read(write(tmp_path / "a.json", document))
    assert [step.message for step in item.steps] == ["m3"]
    assert item.extra["copied"]["steps"] == 2
    ours = {"named": [], "task_id": "t", "seed": 0}
    forged = [{**steps[2], "extra": {"trace2skill": {"identity": "no number"}}}]
    found, readings = read(
        write(tmp_path / "forged" / "c.json", {**document, "steps": forged, "extra": {"trace2skill": ours}})
    )
    assert not found
    assert "identity" in str(readings.problems[0])
    other = write(tmp_path / "other" / "b.json", {"schema_version": "ATIF-v1.7", "title": "no trajectory"})
    found, readings = read(other)
    assert not found
    assert "no list of steps" in str(readings.problems[0])


def test_packed_logs_are_read_and_what_unfolds_into_too_much_is_not(tmp_path: Path) -> None:
    text = json.dumps({"messages": chat(("c", "ok"))}) + "\n"
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(gzip.compress(text.encode("utf-16")))
    (item,), _ = read(packed)
    assert shape(item)[0] == "ua"
    (tmp_path / "bomb.jsonl.gz").write_bytes(gzip.compress(b" " * 80_000_000))
    found, readings = read(tmp_path / "bomb.jsonl.gz")
    assert not found
    assert "unfolds to more than" in str(readings.problems[0])


def test_a_list_of_messages_in_one_document_is_a_conversation(tmp_path: Path) -> None:
    for name, indent in (("a.json", 1), ("b.json", None)):
        path = tmp_path / name
        path.write_text(json.dumps(chat(("c", "ok"), ("d", "ok")) if indent else [chat(("c", name))], indent=indent))
        (item,), readings = read(path)
        assert shape(item)[0] in ("uaa", "ua")
        assert not readings.problems


def test_items_of_the_responses_api_are_one_step_a_response(tmp_path: Path) -> None:
    lines = [
        {"role": "user", "content": "go"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "function_call", "call_id": "q", "name": "bash", "arguments": '{"command": "ls"}'},
        {"type": "function_call_output", "call_id": "q", "output": "a.py"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "done"}]},
    ]
    (item,), _ = read(write(tmp_path / "x.jsonl", *lines))
    assert shape(item)[:2] == ("uaa", "worked")
    assert (item.steps[1].reasoning, item.steps[2].message) == ("hm", "done")


def test_cline_writes_calls_and_results_as_text(tmp_path: Path) -> None:
    def said(role: str, *texts: str) -> dict:
        return {"role": role, "content": [{"type": "text", "text": text} for text in texts]}

    history = [
        said("user", "<task>\nFix it\n</task>", "<environment_details>\nopen tabs\n</environment_details>"),
        said("assistant", "I look.\n<execute_command>\n<command>ls</command>\n</execute_command>"),
        said("user", "[execute_command for 'ls'] Result:", "Command executed.\nOutput:\na.py", "<environment_details>x</environment_details>"),
        said("assistant", "<write_to_file>\n<path>a.py</path>\n<content>x</content>\n</write_to_file>"),
        said("user", "[write_to_file for 'a.py'] Result:", "The user denied this operation and provided the following feedback:\n<feedback>\nnot that file\n</feedback>"),
        said("assistant", "Sorry."),
        said("user", "[ERROR] You did not use a tool in your previous response! Please retry with a tool use."),
    ]  # fmt: skip
    path = tmp_path / "1700000000000" / "api_conversation_history.json"
    path.parent.mkdir()
    path.write_text(json.dumps(history))
    (path.parent / "ui_messages.json").write_text("[]")
    (item,), readings = read(tmp_path)
    assert shape(item)[:2] == ("uaauas", "worked user")
    assert [step.message for step in item.steps if step.source == "user"] == ["Fix it", "not that file"]
    assert item.steps[1].tool_calls[0].arguments == {"command": "ls"}
    assert item.steps[1].observations[0].content == "a.py"
    assert (readings.counts["companion"], readings.problems) == (1, ())


def test_cursor_and_qwen_code_are_read_and_not_taken_for_others(tmp_path: Path) -> None:
    query = {"type": "text", "text": "<user_info>os</user_info>\n<user_query>\nFix it\n</user_query>"}
    work = [{"type": "text", "text": "On it."}, {"type": "tool_use", "name": "Shell", "input": {"command": "ls"}}]
    lines = [{"role": role, "message": {"content": parts}} for role, parts in (("user", [query]), ("assistant", work))]
    (item,), readings = read(write(tmp_path / "c.jsonl", *lines))
    assert readings.files[0].format == "cursor"
    assert [step.message for step in item.steps] == ["Fix it", "On it."]
    assert item.steps[1].tool_calls[0].arguments == {"command": "ls"}

    def record(uuid: str, parent: str | None, kind: str, *parts: dict, **more: object) -> dict:
        named = {"uuid": uuid, "parentUuid": parent, "sessionId": "q", "timestamp": f"2026-03-02T10:00:0{uuid}Z"}
        return {**named, "type": kind, "message": {"role": "model", "parts": list(parts)}, **more}

    call = {"functionCall": {"id": "f", "name": "run_shell_command", "args": {"command": "make"}}}
    answer = {
        "functionResponse": {"id": "f", "name": "run_shell_command", "response": {"output": "Output: no\nExit Code: 2"}}
    }
    used = {"promptTokenCount": 9, "candidatesTokenCount": 2, "cachedContentTokenCount": 4}
    lines = [
        record("1", None, "user", {"text": "Build"}),
        record("2", "1", "assistant", {"text": "hm", "thought": True}, call, model="qwen-x", usageMetadata=used),
        record("3", "2", "tool_result", answer, toolCallResult={"callId": "f", "status": "success"}),
        record("4", "1", "user", {"text": "A task ended."}, subtype="notification"),
    ]
    found, readings = read(write(tmp_path / "q.jsonl", *lines))
    assert readings.files[0].format == "qwen"
    assert [shape(item) for item in found] == [("us", "", (0, 0)), ("a", "failed", (9, 2))]
    assert found[1].steps[0].reasoning == "hm"
    assert found[1].parent == found[0].id


def test_what_claims_a_file_and_finds_nothing_in_it_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", {"type": "user", "message": {"role": "user", "content": ""}, "uuid": "a"})
    found, readings = read(path)
    assert not found
    assert "no step" in str(readings.problems[0])


def test_a_database_of_opencode_with_a_revert(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    with sqlite3.connect(path) as made:
        made.execute("create table session(id text, project_id text, parent_id text, revert text, time_created int)")
        made.execute("create table message(id text, session_id text, time_created int, data text)")
        made.execute("create table part(id text, message_id text, data text)")
        made.execute("insert into session values('ses_1', 'p', null, '{\"messageID\": \"m3\"}', 1)")
        for number, (role, part) in enumerate(
            (("user", "go"), ("assistant", "done"), ("user", "more"), ("assistant", "done, too")), start=1
        ):
            made.execute(
                "insert into message values(?, 'ses_1', ?, ?)", (f"m{number}", number, json.dumps({"role": role}))
            )
            told = json.dumps({"type": "text", "text": part})
            made.execute("insert into part values(?, ?, ?)", (f"p{number}", f"m{number}", told))
    made.close()
    standing, gone = read(path)[0]
    assert [step.message for step in standing.steps] == ["go", "done"]
    assert [step.message for step in gone.steps] == ["more", "done, too"]
    assert gone.parent == standing.id
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("create table notes(id text)")
    other.close()
    assert "export its sessions" in str(read(tmp_path / "other.db")[1].problems[0])


def test_words_end_where_words_end() -> None:
    def session(*said: str) -> Trajectory:
        steps = [
            Step(number=number, source="user" if number % 2 else "agent", message=text)
            for number, text in enumerate((text for asked in said for text in (asked, "done")), start=1)
        ]
        return read_source_of(steps)

    assert (
        len(segmented(session("Start", "Notify the owner", "Now write the tests", "Good. Now print the version"))) == 4
    )
    assert len(segmented(session("Start", "no", "What now?", "Good", "still wrong, try again"))) == 1


def read_source_of(steps: list[Step]) -> Trajectory:
    from trace2skill.types.trajectory import Outcome

    unknown = Outcome(kind="unknown", source="none")
    return Trajectory(id="T", task_id="t", seed=0, model="m", agent="codex", steps=tuple(steps), outcome=unknown)


def test_praise_in_a_notice_is_nobodys(tmp_path: Path) -> None:
    lines = [
        {"type": "user", "uuid": "a", "parentUuid": None, "message": {"content": "go"}, "sessionId": "s"},
        {"type": "assistant", "uuid": "b", "parentUuid": "a", "message": {"id": "m", "content": "done"}, "sessionId": "s"},
        {"type": "user", "uuid": "c", "parentUuid": "b", "sessionId": "s",
         "message": {"content": "<task-notification>perfect, thanks</task-notification>"}},
    ]  # fmt: skip
    notes = Notes()
    (item,) = read_source(Source(write(tmp_path / "s.jsonl", *lines)), notes)
    assert [step.source for step in item.steps] == ["user", "agent", "system"]
    assert from_words(item.steps) is None


def test_codex_prints_a_thread_and_rolls_turns_back(tmp_path: Path) -> None:
    def item(kind: str, number: int, **more: object) -> dict:
        return {"type": "item.completed", "item": {"id": f"item_{number}", "type": kind, **more}}

    def command(number: int, code: int | None, status: str) -> dict:
        told = {"command": "bash -lc 'grep zebra src'", "aggregated_output": "", "exit_code": code, "status": status}
        return item("command_execution", number, **told)

    lines = [
        {"type": "thread.started", "thread_id": "th"},
        item("reasoning", 0, text="hm"),
        item("agent_message", 1, text="I look."),
        command(2, 1, "failed"),
        command(3, None, "declined"),
        item("agent_message", 4, text="Nothing."),
        {"type": "turn.completed", "usage": {"input_tokens": 20, "cached_input_tokens": 5, "output_tokens": 3}},
    ]
    (item_read,), readings = read(write(tmp_path / "exec.jsonl", *lines))
    assert readings.files[0].format == "codex_exec"
    assert shape(item_read) == ("aaa", "worked user", (20, 3))
    assert (item_read.steps[0].reasoning, item_read.steps[0].message, item_read.session) == ("hm", "I look.", "th")

    def line(kind: str, **payload: object) -> dict:
        return {"timestamp": "2026-03-02T10:00:00Z", "type": kind, "payload": payload}

    def said(role: str, text: str) -> dict:
        return line("response_item", type="message", role=role, content=[{"type": "input_text", "text": text}])

    rollout = [
        line("session_meta", id="s"), said("user", "<environment_context>here</environment_context>"), said("user", "one"),
        said("assistant", "done"), said("user", "two"), said("assistant", "wrong"),
        line("event_msg", type="thread_rolled_back", num_turns=1), said("user", "three"), said("assistant", "right"),
    ]  # fmt: skip
    standing, gone = read(write(tmp_path / "rolled" / "r.jsonl", *rollout))[0]
    assert [step.message for step in standing.steps][1:] == ["one", "done", "three", "right"]
    assert standing.steps[0].source == "system"
    assert [step.message for step in gone.steps] == ["two", "wrong"]
    assert (gone.parent, gone.extra["taken_back"]) == (standing.id, True)


def test_copilots_events_are_a_session_with_its_sub_agents(tmp_path: Path) -> None:
    def event(kind: str, **data: object) -> dict:
        return {"type": kind, "data": data, "id": kind, "timestamp": "2026-03-02T10:00:00Z", "parentId": None}

    def done(id: str, **more: object) -> dict:
        return event("tool.execution_complete", toolCallId=id, **more)

    asked = [{"toolCallId": "a", "name": "bash", "arguments": {"command": "make"}}, {"toolCallId": "b", "name": "task"}]
    lines = [
        event("session.start", sessionId="s", copilotVersion="1.0"),
        event("user.message", content="Build"),
        event("assistant.message", messageId="m", content="On it.", toolRequests=asked, outputTokens=7, model="x"),
        event("tool.execution_start", toolCallId="a", toolName="bash", arguments={"command": "make"}),
        event("assistant.message", messageId="n", content="sub", parentToolCallId="b", toolRequests=[]),
        done("a", success=False, error={"message": "The user rejected this call", "code": "rejected"}),
        done("b", success=True, result={"content": "ok"}),
    ]
    (main, sub), readings = read(write(tmp_path / "events.jsonl", *lines))
    assert readings.files[0].format == "copilot"
    assert shape(main) == ("ua", "user worked", (0, 7))
    assert (len(main.steps[1].tool_calls), sub.parent, sub.steps[0].message) == (2, main.id, "sub")


def open_hands_events() -> list[dict]:
    def told(id: str) -> dict:
        response = {"id": "r1", "model": "m", "usage": {"prompt_tokens": 9, "completion_tokens": 2}}
        return {"tool_call_id": id, "function_name": "execute_bash", "model_response": response}

    return [
        {"id": 0, "source": "user", "action": "message", "args": {"content": "Fix it"}},
        {"id": 1, "source": "agent", "action": "run", "args": {"command": "ls", "thought": "hm"}, "tool_call_metadata": told("a")},
        {"id": 2, "source": "agent", "action": "run", "args": {"command": "rm x"}, "tool_call_metadata": told("b")},
        {"id": 3, "source": "agent", "observation": "run", "content": "a.py", "cause": 1, "tool_call_metadata": told("a"), "extras": {"metadata": {"exit_code": 0}}},
        {"id": 4, "source": "user", "observation": "user_rejected", "content": "no", "cause": 2, "tool_call_metadata": told("b")},
        {"id": 5, "source": "environment", "observation": "agent_state_changed", "content": ""},
        {"id": 6, "source": "agent", "action": "finish", "args": {"final_thought": "Done."}},
    ]  # fmt: skip


def test_open_hands_events_answer_the_actions_they_name(tmp_path: Path) -> None:
    events = open_hands_events()
    path = tmp_path / "trajectory.json"
    path.write_text(json.dumps(events, indent=1))
    (item,), readings = read(path)
    assert readings.files[0].format == "openhands"
    assert shape(item) == ("uaa", "worked user", (9, 2))
    report = {"instance_id": "i", "history": events, "test_result": {"report": {"resolved": False}}}
    (item,), _ = read(write(tmp_path / "bench" / "output.jsonl", report))
    assert (item.outcome.kind, item.outcome.source, item.task_id) == ("failed", "log", "i")


def test_open_hands_events_in_files_of_their_own_are_one_session(tmp_path: Path) -> None:
    events, session = open_hands_events(), tmp_path / "sessions" / "s1"
    for place in ("events", "event_cache"):
        (session / place).mkdir(parents=True)
    for event in events[:5]:
        (session / "events" / f"{event['id']}.json").write_text(json.dumps(event))
    (session / "event_cache" / "0-3.json").write_text(json.dumps(events[:3]))
    (session / "metadata.json").write_text(json.dumps({"conversation_id": "s1", "title": "Fix it"}))
    (item,), readings = read(tmp_path)
    assert ([file.name for file in readings.files], readings.problems) == (["sessions/s1/events/4.json"], ())
    assert (readings.files[0].format, item.session, shape(item)) == ("openhands", "s1", ("ua", "worked user", (9, 2)))
    known = {file.path: file.memory for file in readings.files if file.memory}
    for event in events[5:]:  # the session goes on: it is read anew, as a whole
        (session / "events" / f"{event['id']}.json").write_text(json.dumps(event))
    again: list[Trajectory] = []
    read_paths([tmp_path], lambda found, file: again.append(found), known=known)
    assert [(one.id, shape(one)[0]) for one in again] == [(item.id, "uaa")]
    for left in ('{"id": 7, "timest', ""):  # a crash while the last was written
        (session / "events" / "7.json").write_text(left)
        (item,), readings = read(tmp_path)
        assert (shape(item)[0], bool(readings.problems)) == ("uaa", True)
    (session / "events" / "7.json").unlink()
    (session / "events" / "2.json").unlink()
    secret = tmp_path.parent / f"{tmp_path.name}-secret.json"
    secret.write_text(json.dumps(events[2]))
    (session / "events" / "2.json").symlink_to(secret)
    (item,), readings = read(tmp_path)
    assert (shape(item)[:2], ["leads out" in problem.message for problem in readings.problems]) == (
        ("uaa", "worked"),
        [True, True],  # it is no log of its own, and no event of this session
    )


def test_reminders_in_a_persons_place_are_the_programs_in_plain_messages_too(tmp_path: Path) -> None:
    reminder = {"role": "user", "content": "<system-reminder>perfect, thanks</system-reminder>"}
    (item,), _ = read(write(tmp_path / "x.jsonl", {"messages": [*chat(("c", "ok")), reminder]}))
    assert [step.source for step in item.steps] == ["user", "agent", "system"]


def test_a_line_with_a_type_that_is_none_costs_that_line(tmp_path: Path) -> None:
    call = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}
    lines = [
        {"timestamp": "2026-03-02T10:00:00Z", "type": kind, "payload": call} for kind in (["x"], "response_item", {})
    ]
    (item,), readings = read(write(tmp_path / "r.jsonl", *lines))
    assert (readings.files[0].format, shape(item)[0]) == ("codex", "a")
    assert [problem.line for problem in readings.problems] == [1, 3]


def test_no_reader_is_passed_over_that_knows_a_file() -> None:
    asked = 0
    for path in sorted(path for folder in ("traces", "cases/logs") for path in shared(folder).rglob("*")):
        if not path.is_file() or path.suffix in (".md", ".sh"):
            continue
        source = Source(path)
        for reader in READERS:
            try:
                knows = reader.claims(source)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError):
                continue
            needed = getattr(reader, "fields", None)
            asked += knows
            assert not knows or needed is None or needed & source.fields, (reader.name, path)
    assert asked > 100


@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_longer_than_its_head_is_read_whole_as_one_that_is_not(tmp_path: Path, indent: int | None) -> None:
    runs = [
        {
            "task_id": n,
            "trial": 0,
            "reward": 1.0,
            "info": {},
            "traj": [{"role": "user", "content": f"{n} " + "x y " * 60}],
        }
        for n in range(3000)
    ]
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(runs, indent=indent))
    assert path.stat().st_size > 2 * 256 * 1024
    found, readings = read(path)
    assert [item.task_id for item in found] == [f"runs:{n}" for n in range(3000)]
    assert not readings.problems
    path.write_text(path.read_text()[:-40])  # it breaks off: said, and known for what it is
    _, readings = read(path)
    assert "cannot be read" in readings.problems[0].message


@pytest.mark.parametrize("where", ["step", "result"])
@pytest.mark.parametrize("own", [{}, {"exit_code": 3}, 5])
def test_a_word_of_ours_in_anothers_atif_costs_nothing(tmp_path: Path, where: str, own: object) -> None:
    result = {"source_call_id": "c", "content": "done", "extra": {"kind": "x"}}
    step = {
        "step_id": 1,
        "source": "agent",
        "message": "ok",
        "tool_calls": [{"tool_call_id": "c", "function_name": "f", "arguments": {"a": 1}}],
        "observation": {"results": [result]},
        "extra": {"more": 1},
    }
    plain = {"schema_version": "ATIF-v1.4", "session_id": "s", "agent": {"name": "a", "version": "1"}, "steps": [step]}
    ((expected,), _) = read(write(tmp_path / "a.json", plain))
    (step if where == "step" else result)["extra"]["trace2skill"] = own  # type: ignore[index]
    found, readings = read(write(tmp_path / "b.json", plain))
    if own == {"exit_code": 3} and where == "step":
        assert "cannot be read" in readings.problems[0].message  # it is no field of a step
        return
    assert not readings.problems
    (one,) = found[0].steps
    assert one.tool_calls == expected.steps[0].tool_calls
    assert [item.content for item in one.observations] == ["done"]


@pytest.mark.parametrize("size", [10, 400_000])
def test_what_has_been_read_can_be_read_again(tmp_path: Path, size: int) -> None:
    runs = [{"task_id": 1, "traj": [{"role": "user", "content": "x " * (size // 2)}], "reward": 1.0}]
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(runs, indent=1))
    source = Source(path)
    assert [*source.items("item")] == [*source.items("item")] == runs


def test_a_folder_that_cannot_be_read_is_said_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"messages": [{"role": "user", "content": "Sort it."}, {"role": "assistant", "content": "Sorted."}]}
    for name in ("a/one.jsonl", "locked/two.jsonl"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(json.dumps({"id": name, **row}))
    scan = os.scandir

    def refuses(path: Any) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuses)
    found: list[Trajectory] = []
    readings = read_paths([tmp_path], lambda item, file: found.append(item))
    assert len(found) == 1
    (problem,) = readings.problems
    assert (problem.file, problem.message) == ("locked", "a folder that cannot be read: Permission denied")
