"""How a run ended: an answer that is none is no wrong answer, is counted, and decides nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from product import run
from pydantic import BaseModel
from questions_of_tests import write_math, write_skill_for_sums
from strange_server import StrangeServer, said

from trace2skill.agents.loop import LoopLimits, Said, Tool, converse
from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadAnswer
from trace2skill.core.step_label import StepLabel
from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.evaluation.decision import decide, is_covered
from trace2skill.evaluation.ends import without_undecided
from trace2skill.llm import Client, ModelSettings, Request, ToolSpec, ask
from trace2skill.runs.distill import Distilled, cut_off
from trace2skill.store import Store
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.types.lesson import Extraction
from trace2skill.types.references import Extracted
from trace2skill.types.trajectory import StopReason

Reply = tuple[dict[str, Any], str | None]
ENDS: dict[str, tuple[Reply, StopReason, str]] = {
    "cut off": (({"content": "The ans"}, "length"), "output_limit", "The ans"),
    "cut off in its reasoning": (({"content": "", "reasoning_content": "So"}, "length"), "output_limit", ""),
    "cut off, in Ollama's words": (({"content": None}, "max_tokens"), "output_limit", ""),
    "reasoning alone": (({"content": "", "reasoning_content": "So"}, "stop"), "reasoning_only", ""),
    "reasoning alone, in vLLM's field": (({"content": None, "reasoning": "So"}, "stop"), "reasoning_only", ""),
    "a thought that was not closed": (({"content": "<think>So it"}, "stop"), "reasoning_only", "<think>So it"),
    "empty": (({"content": None}, "stop"), "empty", ""),
    "blank": (({"content": " \n"}, None), "empty", " \n"),
    "a refusal": (({"content": None, "refusal": "I cannot."}, "stop"), "refused", "I cannot."),
    "filtered": (({"content": "The"}, "content_filter"), "refused", "The"),
    "an answer": (({"content": "<think>So</think>4"}, "stop"), "answered", "4"),
}


def reply(message: dict[str, Any], finish: str | None) -> tuple[int, Any, dict[str, str]]:
    body = said(**{"text": message.get("content"), **{k: v for k, v in message.items() if k != "content"}})
    body["choices"][0]["finish_reason"] = finish
    return 200, body, {}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def request(server: StrangeServer, tools: str = "native") -> Request:
    name: dict[str, Any] = {"name": "openai/mine", "api_base": server.url, "price": (0, 0), "max_tokens": 50}
    settings = ModelSettings(**name, tools=tools, answers="text")
    return Request(role="agent", settings=settings, messages=({"role": "user", "content": server.url},))


TOOL = Tool(ToolSpec(name="look", description="", parameters={"type": "object"}), lambda _: Said("seen"))


@pytest.mark.parametrize(("given", "stop", "words"), ENDS.values(), ids=ENDS)
def test_each_end_is_one_of_its_own_and_its_words_are_kept(
    store: Store, given: Reply, stop: StopReason, words: str
) -> None:
    with StrangeServer(reply(*given)) as server:
        client = Client(store, Budget(None), "run")
        done = converse(client, store, request(server), (TOOL,), LoopLimits(), step=StepLabel("s"), scope="s")
    assert (done.stop, done.steps[-1].message) == (stop, words)
    assert done.last_words == (words if stop == "answered" else "")


def test_a_call_that_is_cut_off_runs_nothing_and_says_why(store: Store) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"at": "x'}}
    with StrangeServer(
        reply({"content": None, "tool_calls": [call]}, "length"), reply({"content": "4"}, "stop")
    ) as server:
        client = Client(store, Budget(None), "run")
        done = converse(client, store, request(server), (TOOL,), LoopLimits(), step=StepLabel("s"), scope="s")
    assert done.stop == "answered"
    assert done.steps[-2].observations[0].content == (
        "The call of look is cut off: your answer was too long. Nothing was run."
    )


class Number(BaseModel):
    value: int


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ("cut off", "cut off at 50 tokens, the most of one answer: raise --max-tokens"),
        ("reasoning alone", "reasoning and no answer"),
        ("empty", "it is empty"),
        ("a refusal", "it is a refusal"),
    ],
)
def test_a_role_of_one_answer_is_told_what_its_answer_is_and_the_failure_names_it(
    store: Store, case: str, problem: str
) -> None:
    with StrangeServer(reply(*ENDS[case][0])) as server:
        client = Client(store, Budget(None), "run")
        with pytest.raises(BadAnswer, match=problem):
            ask(client, request(server), Number, step=StepLabel("s"))
    assert "Your answer is not a valid Number: it" in server.requests[1]["messages"][-1]["content"]


def test_analyses_that_are_lost_to_the_limit_are_counted(store: Store) -> None:
    found = []
    for number, case in enumerate(("cut off", "a refusal")):
        with StrangeServer(reply(*ENDS[case][0])) as server, pytest.raises(BadAnswer) as lost:
            ask(Client(store, Budget(None), "run"), request(server), Number, step=StepLabel("s"))
        told = {"trajectory_id": f"T{number}", "task_id": "t", "kind": "error", "verdict": "bad_answer"}
        extraction = Extraction.model_validate({**told, "reason": str(lost.value)})
        store.put("extraction", extraction.digest, extraction)
        found.append(Extracted.model_validate({**told, "content": extraction.digest, "seed": 1, "lessons": 0}))
    lines = cut_off(store, Distilled(base="b", analysed=tuple(found), proposed=()))
    assert lines == ["1 of 2 analyses were cut off at the most of one answer: raise --max-tokens"]


def test_evaluate_counts_what_was_cut_off_and_names_the_limit(tmp_path: Path, prefect_home: Path) -> None:
    write_math(tmp_path / "math", 12)
    with StrangeServer(reply(*ENDS["cut off in its reasoning"][0])) as server:
        asked = ["--model", "openai/mine", "--api-base", server.url, "--price", "0,0", "--tools", "text"]
        command = ["evaluate", "--domain", "math", "--data", "math", "--split", "evolve", "--max-tokens", "8192"]
        told = run(tmp_path, prefect_home, *command, *asked).stdout
        write_skill_for_sums(tmp_path / "sums")
        scored = json.loads(run(tmp_path, prefect_home, *command, "--skill", "sums", *asked, "--json").stdout)
    assert [item["condition"] for item in scored] == ["no skill", "sums"], "--skill is scored where none is named"
    cells = scored[0]["cells"]
    assert {cell["stop"] for cell in cells} == {"output_limit"}
    assert f"{len(cells)} of {len(cells)} runs were cut off at 8,192 tokens: raise --max-tokens" in " ".join(
        told.split()
    )
    assert "otherwise" in told


# The gate


def matrix(name: str, passed: Callable[[int], bool], stops: dict[int, StopReason], tasks: int = 40) -> Evaluation:
    cells = [
        Cell(
            task_id=f"t{n:02}", seed=1, outcome="passed" if passed(n) else "failed", hard=float(passed(n)), tokens=9,
            stop=stops.get(n, ""),
        )
        for n in range(tasks)
    ]  # fmt: skip
    return Evaluation.of(name, name, cells, most_tokens=8192)


def from_to(first: int, last: int, stop: StopReason) -> dict[int, StopReason]:
    return dict.fromkeys(range(first, last), stop)


@pytest.mark.parametrize("stop", ["output_limit", "reasoning_only", "empty", "refused", "time_limit"])
def test_above_a_share_there_is_no_verdict_and_no_look(stop: StopReason) -> None:
    old, new = matrix("S0", lambda n: n >= 30, from_to(0, 5, stop)), matrix("candidate", lambda _: True, {})
    found = decide(old, new)
    assert (found.verdict, found.look) == ("unfinished", None)
    assert "S0: 5 of 40 runs" in found.reason
    assert not is_covered(old, new, GateSettings())
    assert decide(old, new, GateSettings(coverage=0.8)).verdict == "promote", "25 others say enough"


def test_a_limit_that_would_decide_does_not() -> None:
    cut = from_to(0, 4, "output_limit")
    old, new = matrix("S0", lambda n: n >= 6, cut), matrix("candidate", lambda n: True, {})
    found = decide(old, new)
    assert found.verdict == "unfinished"
    assert "with them promote, without them not enough evidence" in found.reason
    assert "S0: 4 of 40 runs were cut off at 8,192 tokens: raise --max-tokens" in found.reason


def test_a_limit_that_would_hold_back_does_not() -> None:
    old = matrix("S0", lambda n: not 10 <= n < 16, {})
    new = matrix("candidate", lambda n: n >= 4, from_to(0, 4, "output_limit"))
    assert decide(old, new).verdict == "unfinished"
    assert decide(old, matrix("candidate", lambda n: n >= 4, {})).verdict == "not_enough_evidence"


def test_without_a_run_that_says_nothing_its_pair_is_left_out_too() -> None:
    cut = from_to(0, 4, "output_limit")
    old, new = without_undecided(matrix("S0", lambda n: n >= 6, cut), matrix("candidate", lambda _: True, {}))
    assert [len(old.cells), len(new.cells)] == [36, 36]


def test_what_the_skill_answers_for_decides_as_before() -> None:
    turns = from_to(0, 20, "turn_limit")
    old, new = matrix("S0", lambda n: n >= 20, turns), matrix("candidate", lambda n: True, from_to(0, 3, "empty"))
    found = decide(old, new)
    assert found.verdict == "promote", "an empty last message after work that passes is no loss"
    assert "empty" not in found.reason
