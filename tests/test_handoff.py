"""A model that is answered by hand: the folder, who answers what, what is refused, and that a run gets the answers."""

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from ingesting import ingest, settings
from prefect.states import Failed
from pydantic import BaseModel
from test_sources import logs
from typer.testing import CliRunner

from tasks.runner import timed
from tasks.steps import task_of
from trace2skill.agents.loop import LoopLimits, Said, Tool, converse
from trace2skill.cli.app import app
from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadInput, InfrastructureFault, Interrupted, ModelUnusable, Unanswered
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Answer, Client, EmbeddingRequest, ModelSettings, Request, Roles, ToolSpec, ask
from trace2skill.llm.checks import check_model
from trace2skill.llm.handoff.claims import default_name, take
from trace2skill.llm.handoff.folder import Folder
from trace2skill.llm.handoff.page import part_of
from trace2skill.llm.handoff.presence import join, runs
from trace2skill.llm.transport import litellm
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.sandbox.running import allow_running, end_running
from trace2skill.sim.conversation import Heard
from trace2skill.sim.profile import profile_of
from trace2skill.sim.roles import play
from trace2skill.store import Store, open_store
from trace2skill.types.picture import Picture

BASH = ToolSpec(
    name="bash",
    description="Run it.",
    parameters={"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
PATIENCE = 60.0


@pytest.fixture(autouse=True, scope="module")
def _imported() -> None:
    """The import takes seconds, many on a busy machine: no test is to wait for it."""
    litellm()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads in which requests wait; whatever still waits at the end is told to stop."""
    threads = ThreadPoolExecutor(80)
    yield threads
    end_running()
    threads.shutdown()
    allow_running()
    forget_runtimes()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "questions"


def request(place: Path, text: str = "What is it?", *, wait: str = "", seed: int = 5, **more: Any) -> Request:
    messages = ({"role": "system", "content": "You are tested."}, {"role": "user", "content": text})
    model = ModelSettings(name=f"handoff/{place}{wait}")
    return Request(role="agent", settings=model, **{"messages": messages, "seed": seed, **more})


def asked(store: Store, pool: ThreadPoolExecutor, wanted: Request) -> Future[Any]:
    return pool.submit(Client(store, Budget(0.0), "run").complete, wanted, step=StepLabel("rollout", "t seed 5"))


def cli(*arguments: object, said: str | None = None) -> Result:
    return CliRunner().invoke(app, ["handoff", *map(str, arguments)], input=said)


def done(*arguments: object, said: str | None = None) -> str:
    result = cli(*arguments, said=said)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def nothing(*arguments: object) -> str:
    """`next` where nothing waits: its exit code says so, and whether a run could still ask."""
    result = cli(*arguments)
    assert result.exit_code == (5 if "no run uses the folder" in result.output else 4), result.output
    return result.output


def refused(*arguments: object, said: str | None = None) -> str:
    result = cli(*arguments, said=said)
    assert isinstance(result.exception, BadInput), result.output
    return str(result.exception)


def until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def waiting(place: Path) -> list[str]:
    return sorted(path.stem for path in (place / "waiting").glob("*.md"))


def id_in(printed: str) -> str:
    return printed.split("request ", 1)[1][:12]


def simulated(found: dict[str, Any]) -> list[str]:
    """What the simulated model answers, as options and stdin of `handoff answer`."""
    heard = Heard(
        profile=profile_of("sim/office"), messages=tuple(found["messages"]), native_tools=bool(found["tools"]), seed=0
    )
    spoken = play(heard)
    if not spoken.tool:
        return [spoken.text]
    return ["--tool", spoken.tool, "--say", spoken.text, json.dumps(spoken.arguments)]


def answer_all(place: Path, running: Future[Any], most: int = 10_000) -> int:
    """Read and answer requests by the commands until the run ends, or so many are answered."""
    count = 0
    deadline = time.monotonic() + 4 * PATIENCE
    while not running.done() and count < most:
        assert time.monotonic() < deadline
        if not place.exists():
            time.sleep(0.05)
            continue
        for found in json.loads(cli("next", place, "--as", "ann", "--most", 4, "--json").output)["requests"]:
            *options, said = simulated(found)
            done("answer", place, found["id"], "--as", "ann", *options, said=said)
            count += 1
        time.sleep(0.02)
    return count


def test_a_run_gets_what_was_answered_by_hand_also_after_a_restart(
    tmp_path: Path, pool: ThreadPoolExecutor, place: Path
) -> None:
    where = logs(tmp_path / "logs")
    by_hand = settings(tmp_path, where, model=f"handoff/{place}")
    running = pool.submit(ingest, by_hand)
    first = answer_all(place, running, most=2)
    until(lambda: len(waiting(place)) == 1)
    end_running()
    with pytest.raises(Interrupted):
        running.result(PATIENCE)
    forget_runtimes()
    allow_running()
    (left,) = waiting(place)
    assert "run that is not going on now" in nothing("next", place)
    running = pool.submit(ingest, by_hand)
    until(lambda: "yes" in done("status", place))
    assert waiting(place) == [left], "the request that waited is the one that waits again"
    second = answer_all(place, running)
    summary = running.result(PATIENCE)
    forget_runtimes()
    other = tmp_path / "other"
    other.mkdir()
    wanted = ingest(settings(other, where, model="sim/office"))
    assert summary.candidate.diff == wanted.candidate.diff != ""
    rows = [row for row in open_store(by_hand.store).ledger() if row.outcome == "answered"]
    assert len(rows) == first + second == len(list((place / "answers").iterdir()))
    assert all(row.cost == 0 and row.tokens_in > 0 and row.tokens_out > 0 for row in rows)
    assert not waiting(place)


def test_in_a_going_conversation_only_what_is_new_is_printed(
    store: Store, pool: ThreadPoolExecutor, place: Path
) -> None:
    first = request(place, tools=(BASH,))
    going = asked(store, pool, first)
    printed = done("next", place, "--as", "ann", "--wait", PATIENCE)
    assert "You are tested." in printed
    assert '"command": {"type": "string"}' in printed
    assert "--as ann" in printed
    name = id_in(printed)
    done("answer", place, name, "--as", "ann", "--tool", "bash", "--raw", "--say", "I look.", said="ls -la\n")
    answer = going.result(PATIENCE)
    assert (answer.text, answer.tool_calls[0].arguments, answer.finish) == (
        "I look.",
        {"command": "ls -la"},
        "tool_calls",
    )
    assert answer.key == first.key

    def after(output: str) -> Request:
        observed = {"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": output}
        return first.model_copy(update={"messages": (*first.messages, answer.message, observed)})

    going = asked(store, pool, after("one.txt"))
    printed = done("next", place, "--as", "ann", "--wait", PATIENCE)
    assert "one.txt" in printed
    assert f"goes on from your answer to {name}" in printed
    assert not [text for text in ("You are tested.", "What is it?", "I look.", '"type": "string"') if text in printed]
    whole = done("show", place, id_in(printed))
    assert all(text in whole for text in ("You are tested.", "What is it?", "ls -la", '"type": "string"', "one.txt"))
    # The same opening and the same answer, and other files: another conversation, of which all is shown.
    other = asked(store, pool, after("two.txt"))
    printed = done("next", place, "--as", "bob", "--wait", PATIENCE)
    assert all(text in printed for text in ("You are tested.", "What is it?", "ls -la", "two.txt"))
    done("answer", place, id_in(printed), "--as", "bob", said="the second")
    done("answer", place, id_in(whole), "--as", "ann", said="the first")
    assert (going.result(PATIENCE).text, other.result(PATIENCE).text) == ("the first", "the second")


def test_each_conversation_is_answered_by_one(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    first = request(place, tools=(BASH,))
    going = asked(store, pool, first)
    name = id_in(done("next", place, "--as", "ann", "--wait", PATIENCE))
    others = nothing("next", place, "--as", "bob")
    assert "1 are claimed by others (ann)" in others
    assert "release" in others
    assert f"you hold {name}" in nothing("next", place, "--as", "ann")
    assert "ann's to answer" in refused("answer", place, name, "--as", "bob", said="mine")
    calls = [{"tool": "bash", "arguments": {"command": text}} for text in ("ls", "pwd")]
    done("answer", place, name, "--as", "ann", "--calls", said=json.dumps(calls))
    answer = going.result(PATIENCE)
    assert [call.arguments["command"] for call in answer.tool_calls] == ["ls", "pwd"]
    assert "answered already" in refused("answer", place, name, "--as", "ann", said="again")
    said = [{"role": "tool", "tool_call_id": call.id, "content": call.name} for call in answer.tool_calls]
    going = asked(store, pool, first.model_copy(update={"messages": (*first.messages, answer.message, *said)}))
    until(lambda: len(waiting(place)) == 1)
    assert "nothing waits for bob" in nothing("next", place, "--as", "bob"), "what goes on is kept for ann"
    (row,) = json.loads(done("status", place, "--json"))["open"]
    assert (row["state"], row["by"], row["role"], row["step"]) == ("waiting", "ann", "agent", "rollout: t seed 5")
    assert "free again" in done("release", place, "--by", "ann")
    printed = done("next", place, "--as", "bob", "--wait", PATIENCE)
    assert "What is it?" in printed, "bob has seen nothing of it"
    done("answer", place, row["id"][:6], "--as", "bob", said="done")
    assert going.result(PATIENCE).text == "done"
    found = json.loads(done("status", place, "--json"))
    assert (found["open"], found["answered"], found["answered_by"]) == ([], {"agent": 2}, {"ann": 1, "bob": 1})


def after(first: Request, answer: Answer, output: str) -> Request:
    """What is asked when a tool has said `output`."""
    said = [{"role": "tool", "tool_call_id": call.id, "content": output} for call in answer.tool_calls]
    return first.model_copy(update={"messages": (*first.messages, answer.message, *said)})


def test_one_answer_that_serves_several_says_so(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    first, client = request(place, tools=(BASH,)), Client(store, Budget(0.0), "run")
    going = {task: pool.submit(client.complete, first, step=StepLabel("rollout", task)) for task in ("t1", "t2")}
    until(lambda: len(list((place / "askers").glob("*.json"))) == 2)
    printed = done("next", place, "--as", "ann", "--stay", "--wait", PATIENCE)
    assert "by 2: rollout: t1; rollout: t2. Your answer serves each of them" in printed
    name = id_in(printed)
    done("answer", place, name, "--as", "ann", "--tool", "bash", "--raw", said="ls")
    answers = {task: future.result(PATIENCE) for task, future in going.items()}
    pool.submit(client.complete, after(first, answers["t2"], "two.txt"), step=StepLabel("rollout", "t2"))
    printed = done("next", place, "--as", "ann", "--stay", "--wait", PATIENCE)
    assert "rollout: t2)" in printed.splitlines()[0]
    assert f"The answer to {name} served 2; this goes on for the one named above." in printed
    pool.submit(client.complete, after(first, answers["t1"], "one.txt"), step=StepLabel("rollout", "t1"))
    printed = done("next", place, "--as", "bob", "--stay", "--wait", PATIENCE)
    assert f"begins with the answer to {name}, which several asked for alike; another conversation" in printed
    alone = asked(store, pool, request(place, "Something else"))
    printed = done("next", place, "--as", "carl", "--wait", PATIENCE)
    assert "word for word, by" not in printed
    done("answer", place, id_in(printed), "--as", "carl", said="x")
    alone.result(PATIENCE)
    for state in ("awaits", "nothing"):
        assert json.loads(cli("next", place, "--as", "carl", "--stay", "--json").output)["state"] == state
        done("release", place, "--by", "carl")


def test_who_stays_is_given_one_conversation_at_a_time(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    def stays(by: str, *options: object) -> tuple[int, str]:
        result = cli("next", place, "--as", by, "--stay", *options)
        return result.exit_code, result.output

    tool = Tool(BASH, lambda _: Said("fine", 0), bare="command")
    client, limits = Client(store, Budget(0.0), "run"), LoopLimits(turns=5)

    def agent(text: str) -> Future[Any]:
        opening, step = request(place, text), StepLabel("rollout", text)
        return pool.submit(converse, client, store, opening, (tool,), limits, step=step, scope=text)

    agents = [agent("first"), agent("second")]
    until(lambda: len(waiting(place)) == 2)
    code, printed = stays("ann")
    assert code == 0
    name, other = id_in(printed), "second" if "\nfirst\n" in printed else "first"
    code, printed = stays("ann", "--wait", PATIENCE)
    assert (code, f"you were shown {name}" in printed) == (4, True), "nothing is waited for that only ann can bring on"
    done("answer", place, name, "--as", "ann", "--tool", "bash", "--raw", said="ls")
    code, printed = stays("ann", "--wait", PATIENCE)
    assert (code, f"goes on from your answer to {name}" in printed) == (0, True)
    last = id_in(printed)
    done("answer", place, last, "--as", "ann", said="Done.")
    code, printed = stays("ann", "--wait", PATIENCE)
    assert (code, f"your conversation has ended: the run asks nothing further after {last}" in printed) == (3, True)
    code, printed = stays("ann")
    assert (code, other in printed) == (0, True)
    done("answer", place, id_in(printed), "--as", "ann", said="Done, too.")
    assert [future.result(PATIENCE).stop for future in agents] == ["answered", "answered"]
    assert stays("ann")[0] == 3
    assert stays("ann")[0] == 4, "a run may still ask"
    wanted = pool.submit(ask, client, request(place, "Name it"), Wanted, step=StepLabel("propose", "t"))
    name = id_in(stays("ann", "--wait", PATIENCE)[1])
    done("answer", place, name, "--as", "ann", "--force", said='{"name": "x"}')
    code, printed = stays("ann", "--wait", PATIENCE)
    assert (code, "not a valid Wanted" in printed) == (0, True), "what is asked again is the same conversation"
    done("answer", place, id_in(printed), "--as", "ann", said='{"name": "x", "numbers": []}')
    assert wanted.result(PATIENCE).numbers == []
    assert json.loads(stays("ann", "--json")[1])["state"] == "ended"
    assert "--most" in refused("next", place, "--stay", "--most", 2)


def test_who_stays_is_told_that_no_run_is_left(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    asked(store, pool, request(place))
    name = id_in(done("next", place, "--as", "ann", "--stay", "--wait", PATIENCE))
    end_running()
    until(lambda: "not now" in done("status", place))
    for path in (place / "runs").iterdir():
        path.unlink()
    result = cli("next", place, "--as", "ann", "--stay")
    assert (result.exit_code, f"no run uses the folder now; its last request was {name}" in result.output) == (3, True)
    assert cli("next", place, "--as", "ann", "--stay").exit_code == 5
    allow_running()
    asked(store, pool, request(place))
    assert id_in(done("next", place, "--as", "bob", "--wait", PATIENCE)) == name, "what was left is anybody's"


@pytest.mark.parametrize("how", [["--stay"], []], ids=["stays", "any"])
def test_who_waits_goes_home_with_the_run(store: Store, pool: ThreadPoolExecutor, place: Path, how: list[str]) -> None:
    going = asked(store, pool, request(place))
    done("next", place, "--as", "ann", "--wait", PATIENCE)
    waiting = pool.submit(cli, "next", place, "--as", "bob", "--wait", 2 * PATIENCE, *how)
    time.sleep(1)  # bob has seen that a run is there
    end_running()
    until(going.done)
    for path in (place / "runs").iterdir():
        path.unlink()
    assert waiting.result(PATIENCE).exit_code == 5


def test_many_wait_at_once_and_each_is_claimed_once(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    going = [asked(store, pool, request(place, f"Question {number}")) for number in range(64)]
    until(lambda: len(list((place / "heads").glob("*.json"))) == 64)
    printed = done("next", place, "--as", "reader 0", "--most", 2)
    assert printed.count("You are tested.") == 1, "a repeated prompt is printed once"
    assert printed.count("##### end of ") == 4
    assert "free again" in done("release", place, "--by", "reader 0")
    folder = Folder(place)
    with ThreadPoolExecutor(8) as readers:
        taken = list(readers.map(lambda number: take(folder, f"reader {number}", most=12), range(8)))
    ids = [item.head.id for items in taken for item in items]
    assert len(ids) == len(set(ids)) == 64
    for number, items in enumerate(taken):
        for item in items:
            words = item.body.messages[1]["content"]
            done("answer", place, item.head.id, "--as", f"reader {number}", said=words.replace("Question", "Answer"))
    assert [future.result(PATIENCE).text for future in going] == [f"Answer {number}" for number in range(64)]


class Wanted(BaseModel):
    name: str
    numbers: list[int]


def test_an_answer_that_does_not_fit_goes_back(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    client = Client(store, Budget(0.0), "run")
    going = pool.submit(ask, client, request(place), Wanted, step=StepLabel("propose", "t"))
    printed = done("next", place, "--as", "ann", "--wait", PATIENCE)
    assert "JSON schema that the answer must match" in printed
    name = id_in(printed)
    for said, why in (
        ("I would rather not.", "no JSON object in it; a Wanted was asked for"),
        ('{"name": "x", "numbers": [1, "two"]}', "numbers[1]: 'two' is not of type 'integer'"),
        ('{"name": "x"', "it is no JSON"),
        ("", "it is empty"),
    ):
        assert why in refused("answer", place, name, "--as", "ann", said=said)
    assert "none is offered" in refused("answer", place, name, "--as", "ann", "--tool", "bash", said="{}")
    assert "does not fit" in done("answer", place, name, "--as", "ann", "--force", said='{"name": "x"}')
    again = done("next", place, "--as", "ann", "--wait", PATIENCE)
    assert "not a valid Wanted: numbers: Field required" in again, "the run asks again in its own way"
    assert "You are tested." not in again
    taken = done("answer", place, id_in(again), "--as", "ann", said='```json\n{"name": "x", "numbers": [1]}\n```')
    assert "is answered (1 numbers)" in taken
    assert going.result(PATIENCE) == Wanted(name="x", numbers=[1])
    going = asked(store, pool, request(place, "With a tool", tools=(BASH,)))
    name = id_in(done("next", place, "--as", "ann", "--wait", PATIENCE))
    for options, said, why in (
        (["--tool", "bash"], '{"cmd": 1}', "'command' is a required property"),
        (["--tool", "bash"], "ls -la", "arguments of bash are no JSON"),
        (["--tool", "sh"], "{}", "there is no tool 'sh': there are bash"),
        (["--calls"], '[{"tool": "bash"}]', "--calls: give"),
        (["--raw"], "ls", "--raw goes with --tool"),
    ):
        assert why in refused("answer", place, name, "--as", "ann", *options, said=said)
    done("answer", place, name, "--as", "ann", "--tool", "bash", "--force", said="{broken")
    assert going.result(PATIENCE).malformed_calls


def test_what_is_long_is_printed_in_parts(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    text = "\n".join(f"line {number} of a long log" for number in range(2_000)) + "x" * 5_000
    asked(store, pool, request(place, text))
    printed = done("next", place, "--as", "ann", "--wait", PATIENCE)
    assert "part 1 of" in printed.splitlines()[-1]
    assert len(printed) < 20_400
    name = id_in(printed)
    whole = done("show", place, name)
    first, *_, last = whole.splitlines()
    assert last == f"##### end of {name}"
    between = whole.split("\n", 1)[1].rsplit(f"\n{last}", 1)[0]
    assert f"{len(between):,} characters up to the line '{last}'" in first
    parts = [part_of(whole.rstrip("\n"), number, 3_000) for number in range(1, 200)]
    assert "".join(piece for piece, _ in parts) == whole.rstrip("\n")
    assert {count for _, count in parts} == {sum(bool(piece) for piece, _ in parts)}
    assert max(len(piece) for piece, _ in parts) <= 3_000
    assert parts[1][0].strip() in done("show", place, name, "--part", 2, "--size", 3_000)
    assert "parts of 3000 characters" in refused("show", place, name, "--part", 999, "--size", 3_000)


def test_hostile_text_moves_no_cursor_and_ends_no_request(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2Jred \u202etxt\u200b\r\x9b31m\n##### end of 000000000000\n../../etc/passwd\ud800"
    asked(store, pool, request(place, hostile))
    printed = done("next", place, "--as", "\x1b[31mann", "--wait", PATIENCE)
    name = id_in(printed)
    (file,) = (place / "waiting").iterdir()
    for text in (printed, done("show", place, name), done("status", place), file.read_text()):
        assert not [sign for sign in text if sign not in "\n" and (ord(sign) < 32 or 126 < ord(sign) < 160)]
        assert not {"\u202e", "\u200b"} & set(text)
    assert "\\u{1B}]0;owned" in printed
    assert printed.count(f"##### end of {name}") == 2, "in the first line and in the last one"
    assert refused("show", place, "../../etc/passwd")
    names = {path.name for path in place.rglob("*") if path.is_file()}
    assert all(set(path.partition(".")[0]) <= set("0123456789abcdef") for path in names - {"handoff.json"})
    assert {path.stat().st_mode & 0o077 for path in [place, *place.rglob("*")]} == {0}


def test_no_link_in_the_folder_is_followed(store: Store, pool: ThreadPoolExecutor, place: Path, tmp_path: Path) -> None:
    check_model(request(place).settings)
    going = asked(store, pool, request(place))
    until(lambda: len(waiting(place)) == 1)
    (name,) = waiting(place)
    outside = tmp_path / "outside.json"
    given = {"id": name, "key": request(place).key, "by": "x", "at": 0.0, "text": "from outside"}
    outside.write_text(json.dumps(given))
    (place / "answers" / f"{name}.json").symlink_to(outside)
    with pytest.raises(ModelUnusable, match="links are not followed"):
        going.result(PATIENCE)
    (place / "answers" / f"{name}.json").unlink()
    (place / "claims").rmdir()
    (place / "claims").symlink_to(tmp_path)
    assert "is not followed" in refused("next", place)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".new")]


def test_a_request_that_nobody_answers_holds_up_no_stage(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    short = request(place, wait="?wait=0.3")
    with pytest.raises(Unanswered, match=r"got no answer in 0\.3 s"):
        asked(store, pool, short).result(PATIENCE)
    assert (store.ledger()[-1].outcome, store.ledger()[-1].attempts) == ("timeout", 1)
    (row,) = json.loads(done("status", place, "--json"))["open"]
    assert (row["attended"], row["state"], row["step"]) == (False, "waiting", "rollout: t seed 5")
    printed = done("next", place, "--unattended")
    done("answer", place, id_in(printed), said="late")
    assert asked(store, pool, short).result(PATIENCE).text == "late"


def test_no_limit_of_time_but_its_own_ends_a_wait(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    opening, limits = request(place).model_copy(update={"role": "agent"}), LoopLimits(turns=5, seconds=0.5)
    tool = Tool(BASH, lambda _: Said("fine", 0), bare="command")
    going = pool.submit(
        converse,
        Client(store, Budget(0.0), "run"),
        store,
        opening,
        (tool,),
        limits,
        step=StepLabel("rollout", "t"),
        scope="s",
    )
    for said in ("ls", "pwd"):
        name = id_in(done("next", place, "--as", "ann", "--wait", PATIENCE))
        time.sleep(0.7)
        done("answer", place, name, "--as", "ann", "--tool", "bash", "--raw", said=said)
    done("answer", place, id_in(done("next", place, "--as", "ann", "--wait", PATIENCE)), "--as", "ann", said="There.")
    gone = going.result(PATIENCE)
    assert (gone.stop, gone.last_words) == ("answered", "There.")
    by_hand, other = (
        RunSettings(data=place, models=Roles.all_played_by(ModelSettings(name=name)))
        for name in (f"handoff/{place}", "sim/office")
    )
    rollout = task_of(ROLLOUT)
    assert timed(rollout, by_hand).timeout_seconds is None
    assert timed(rollout, other).timeout_seconds == other.operation.step_seconds
    again = rollout.retry_condition_fn
    assert again is not None
    assert [again(rollout, None, Failed(data=kind("x"))) for kind in (InfrastructureFault, Unanswered)] == [True, False]


def test_no_vector_is_given_by_hand(store: Store, place: Path) -> None:
    wanted = EmbeddingRequest(settings=request(place).settings, texts=("a",))
    with pytest.raises(ModelUnusable, match="name another model"):
        Client(store, Budget(0.0), "run").embed(wanted, step=StepLabel("embed", "t"))


def test_the_wait_is_no_part_of_what_is_asked() -> None:
    waits, stays = ModelSettings(name="handoff/q?wait=90"), ModelSettings(name="handoff/q")
    assert (waits.name, waits.handoff_seconds, waits.identity) == ("handoff/q", 90, stays.identity)
    assert "handoff_seconds" not in stays.model_dump()
    assert waits.handoff == Path("q")
    assert ModelSettings.model_validate_json(waits.model_dump_json()) == waits
    assert ModelSettings(name="sim/office").handoff is None
    for wrong in ("handoff/", "handoff/q?wait=soon", "handoff/q?wait=-1"):
        with pytest.raises(ValueError, match="handoff"):
            ModelSettings(name=wrong)


def test_two_runs_may_share_a_folder(store: Store, pool: ThreadPoolExecutor, place: Path, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other.duckdb")
    going = [asked(one, pool, request(place)) for one in (store, other)]
    until(lambda: len(waiting(place)) == 1)
    time.sleep(0.2)
    assert len(waiting(place)) == 1, "the same question is asked once"
    done("answer", place, id_in(done("next", place, "--wait", PATIENCE)), said="both")
    assert [future.result(PATIENCE).text for future in going] == ["both", "both"]
    other.close()


def test_a_folder_that_is_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not touch")
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="not empty and no handoff folder"):
        check_model(request(tmp_path / "mine").settings)
    with pytest.raises(BadInput, match="cannot be used"):
        check_model(request(tmp_path / "file").settings)
    check_model(request(tmp_path / "new").settings)
    mark = tmp_path / "new" / "handoff.json"
    mark.write_text(json.dumps({"format": "trace2skill handoff", "version": 2}))
    assert "newer version" in refused("status", tmp_path / "new")
    mark.write_text("{}[")
    assert "says something else" in refused("status", tmp_path / "new")
    assert "is no handoff folder" in refused("next", tmp_path / "nothing")
    assert os.listdir(tmp_path / "mine") == ["thesis.txt"]


def test_pictures_lie_beside_the_request(store: Store, pool: ThreadPoolExecutor, place: Path) -> None:
    shown = Picture(media_type="image/png", content=b"\x89PNG not really")
    going = asked(store, pool, request(place, pictures=(shown,)))
    printed = done("next", place, "--wait", PATIENCE)
    file = printed.split("[a picture: the file ", 1)[1].partition("]")[0]
    assert (place / file).read_bytes() == shown.content
    done("answer", place, id_in(printed), said="a page")
    assert going.result(PATIENCE).usage.prompt > 1_600


def test_who_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACE2SKILL_HANDOFF_AS", "carl")
    assert default_name() == "carl"
    monkeypatch.delenv("TRACE2SKILL_HANDOFF_AS")
    assert "@" in default_name()


def test_the_doctor_asks_nobody(place: Path) -> None:
    result = CliRunner().invoke(app, ["doctor", "--model", f"handoff/{place}", "--json"])
    (model,) = [item for item in json.loads(result.stdout) if item["what"] == "model"]
    assert model["state"] == "ok"
    assert "will be made" in model["detail"]
    assert not place.exists()
    assert threading.active_count() < 100


def test_a_run_that_begins_while_a_reader_looks_is_counted(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, locked = Folder(place, make=True), fcntl.flock

    def looked_at(handle: int, how: int) -> None:
        if how & fcntl.LOCK_EX:
            assert runs(folder) == 0  # at the worst moment: it removes what a process that is gone left behind
        locked(handle, how)

    monkeypatch.setattr(fcntl, "flock", looked_at)
    join(folder)
    assert runs(folder) == 1
