"""What an analyst reads of a trajectory that does not fit: what decides is whole, the rest says what was left out."""

import re
from pathlib import Path

import pytest

from trace2skill.agents.loop import cut
from trace2skill.analysts.reading import index, room_for_trajectory, whole, write_trace
from trace2skill.llm import ModelSettings
from trace2skill.types.trajectory import Observation, Outcome, Step, ToolCall, Trajectory

TASK = "TASK " + "Please mend the report. " * 60
LISTING = "\n".join(f"file_{number}.txt" for number in range(400))
INSTALL = (
    "\n".join(f"Collecting package-{number}\n  Downloading it" for number in range(200)) + "\nSuccessfully installed"
)
WARNINGS = "\n".join(f"WARNING: number {number} is old" for number in range(60))
EDIT = "cat > report.py <<'END'\n" + "total += row  # EDIT\n" * 60 + "END"
CALLS: list[tuple[str, str, int]] = [
    ("ls -R", LISTING, 0),
    ("pip install pandas", INSTALL, 0),
    ("cat data.csv", "1;2;3\n" * 900, 0),
    (EDIT, "written " * 40, 0),
    ("python report.py", f"{WARNINGS}\nTraceback (most recent call last):\nKeyError: 'total'\n" + "frame\n" * 120, 1),
    ("cat data.csv", "1;2;3\n" * 900, 0),
    *[("head -50 other.csv", f"{number};" + "4;5;6\n" * 300, 0) for number in range(12)],
    ("python -m pytest", "verified\n" * 90 + "=== 3 passed in 0.1s ===", 0),
    ("git diff", "+ the last state\n" * 60, 0),
]


def trajectory() -> Trajectory:
    steps = [Step(number=1, source="user", message=TASK)]
    for number, (command, said, code) in enumerate(CALLS, start=2):
        call = ToolCall(id="c", name="bash", arguments={"command": command})
        answer = Observation(call_id="c", content=said, exit_code=code)
        said_by = f"Thinking about step {number}. " * 12
        steps.append(Step(number=number, source="agent", message=said_by, tool_calls=(call,), observations=(answer,)))
    steps.append(Step(number=len(steps) + 1, source="agent", message="CLAIM " + "all is well. " * 60))
    return Trajectory(
        id="T", task_id="t", seed=1, model="m", skill=None, steps=tuple(steps), outcome=Outcome(kind="failed")
    )


@pytest.mark.parametrize("room", [16_000, 24_000])
def test_what_decides_is_whole_and_the_rest_says_what_was_left_out(room: int) -> None:
    item = trajectory()
    text = whole(item, room, everyone=True)
    assert room - 2_000 < len(text) <= room, "the room is used"
    assert TASK in text
    assert EDIT in text
    assert "written " * 40 in text
    assert "KeyError: 'total'\n" + "frame\n" * 120 in text
    assert CALLS[-2][1] in text, "the last verification"
    assert CALLS[-1][1] in text, "the last state"
    assert item.steps[-1].message in text
    assert "[listing: 380 lines, " in text
    assert "[installation: " in text
    assert "Successfully installed" in text
    assert "[warnings and progress: 60 lines, " in text
    assert "[the same as in step 4: 5400 characters]" in text
    assert all(int(gone) > 30 for gone in re.findall(r"\[\.\.\. (\d+) characters cut", text))


@pytest.mark.parametrize("room", [1_500, 4_000, 9_000, 100_000])
def test_every_step_keeps_its_header_in_any_room(room: int) -> None:
    item = trajectory()
    text = whole(item, room, everyone=True)
    assert len(text) <= room
    assert [int(number) for number in re.findall(r"^## Step (\d+) ", text, re.M)] == [s.number for s in item.steps]
    if room == 100_000:
        assert "left out]" not in text
        assert "characters cut" not in text
        assert LISTING in text


@pytest.mark.parametrize("room", [4_000, 6_000, 9_000])
def test_what_is_kept_stands_there_though_an_earlier_step_said_the_same(room: int) -> None:
    verified = "row is right\n" * 60 + "=== 3 passed in 0.1s ==="
    calls = [("python check.py", verified), *[(f"head -50 {n}.csv", f"{n};" + "4;5;6\n" * 300) for n in range(12)]]
    item = of_calls([*calls, ("python check.py", verified), ("echo done", "ok")])
    text = whole(item, room)
    assert verified in text
    assert f"[the same as in step 14: {len(verified)} characters]" in text


@pytest.mark.parametrize(
    ("name", "command", "said", "code"),
    [
        ("bash", "git diff", "+ the state\n" * 60, 0),
        ("bash", "python check.py", "one is wrong\n" * 60 + "=== 1 failed in 0.1s ===", 1),
        ("str_replace_editor", "str_replace", "the file was edited\n" * 40, 0),
    ],
    ids=["the last state", "tests that fail", "an edit by a tool"],
)
def test_what_decides_is_kept_wherever_it_stands(name: str, command: str, said: str, code: int) -> None:
    others = [(f"head -50 {n}.csv", f"{n};" + "4;5;6\n" * 300) for n in range(12)]
    item = of_calls([others[0], (command, ""), *others[1:], ("python check.py", "=== 3 passed ==="), ("echo done", "")])
    step = item.steps[1]
    changed = {
        "tool_calls": (step.tool_calls[0].model_copy(update={"name": name}),),
        "observations": (step.observations[0].model_copy(update={"content": said, "exit_code": code}),),
    }
    steps = (item.steps[0], step.model_copy(update=changed), *item.steps[2:])
    assert said in whole(item.model_copy(update={"steps": steps}), 5_000)


def test_what_answers_no_call_is_shown(tmp_path: Path) -> None:
    """Some logs do not say which call a result belongs to, and some have two for one."""
    item = of_calls([("make", "")])
    seen = [Observation(call_id=name, content=said) for name, said in (("c", "one"), ("c", "two"), ("", "of none"))]
    item = item.model_copy(update={"steps": (item.steps[0].model_copy(update={"observations": tuple(seen)}),)})
    write_trace(item, tmp_path)
    for text in (whole(item, 9_000), (tmp_path / "steps/001.md").read_text()):
        assert all(f"Observation (exit code None):\n{answer.content}" in text for answer in seen)


def of_calls(calls: list[tuple[str, str]]) -> Trajectory:
    steps = []
    for number, (command, said) in enumerate(calls, start=1):
        call = ToolCall(id="c", name="bash", arguments={"command": command})
        answer = Observation(call_id="c", content=said, exit_code=0)
        steps.append(Step(number=number, source="agent", message="m " * 99, tool_calls=(call,), observations=(answer,)))
    return trajectory().model_copy(update={"steps": tuple(steps)})


def test_a_cut_that_saves_nothing_is_none() -> None:
    for more in (1, 30, 64):
        assert cut("x" * (200 + more), 200) == "x" * (200 + more)
    assert len(cut("x" * 300, 200)) < 300


def test_in_a_workspace_nothing_is_cut(tmp_path: Path) -> None:
    item = trajectory()
    huge = item.steps[3].model_copy(update={"message": "y" * 300_000})
    item = item.model_copy(update={"steps": (*item.steps[:3], huge, *item.steps[4:])})
    write_trace(item, tmp_path / "trace")
    assert "y" * 300_000 in (tmp_path / "trace/steps/004.md").read_text()
    assert len((tmp_path / "trace/index.md").read_text().splitlines()) == item.turns


def test_an_index_that_is_too_long_says_fewer_words_and_keeps_every_number() -> None:
    item = trajectory()
    short = index(item, 1_500)
    assert len(short) < len(index(item)) / 2
    assert [int(line.split(" ")[0]) for line in short.splitlines()] == list(range(2, item.turns + 2))


def test_the_room_is_the_context_that_was_given() -> None:
    def room(context: int) -> int:
        return room_for_trajectory(ModelSettings(name="openai/mine", api_base="http://localhost:1", context=context))

    assert room(1_000_000) > 2_000_000
    assert room(200_000) > room(32_000) > room(16_000)


def test_an_analyst_is_told_what_ended_the_work_where_the_agent_did_not() -> None:
    item = trajectory()
    assert "did not end with an answer" not in whole(item, 9_000) + index(item)
    cut_off = item.model_copy(update={"stop": "output_limit"})
    assert whole(cut_off, 9_000).endswith("(The work did not end with an answer of the agent: output limit.)")
    assert len(whole(cut_off, 9_000)) <= 9_000
    assert "output limit" in index(cut_off)
