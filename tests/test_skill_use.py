"""Which skills sessions used, out of what their agents recorded: activations, opened files, scripts that ran."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import shared
from red_team import chat
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.traces.skill_use import skill_uses
from trace2skill.types.trajectory import Observation, Outcome, Step, ToolCall, Trajectory


def session(*calls: tuple[str, dict[str, Any]], error: bool = False) -> Trajectory:
    made = tuple(ToolCall(id=f"c{n}", name=name, arguments=given) for n, (name, given) in enumerate(calls))
    seen = tuple(Observation(call_id=call.id, content="x", error=error) for call in made)
    step = Step(number=1, source="agent", tool_calls=made, observations=seen)
    return Trajectory(id="t", task_id="k", seed=0, model="m", steps=(step,), outcome=Outcome(kind="unknown"))


def used(*calls: tuple[str, dict[str, Any]], known: tuple[str, ...] = ()) -> list[str]:
    return [f"{use.skill} {use.how} {use.file}" for use in skill_uses(session(*calls), known)]


@pytest.mark.parametrize(
    ("name", "arguments", "found"),
    [
        ("Skill", {"skill": "charts"}, ["charts activated SKILL.md"]),
        ("Skill", {"command": "/plug:charts"}, ["charts activated SKILL.md"]),
        ("activate_skill", {"name": "pdf-forms"}, ["pdf-forms activated SKILL.md"]),
        ("skill", {"name": "a b"}, []),
        ("Read", {"file_path": "/home/u/.claude/skills/pdf/SKILL.md"}, ["pdf opened SKILL.md"]),
        ("Read", {"file_path": "/r/.claude/skills/team/pdf/references/a.md"}, ["pdf opened references/a.md"]),
        ("Read", {"file_path": "/r/skills/pdf/scripts/fill.py"}, ["pdf opened scripts/fill.py"]),
        ("Read", {"file_path": "/r/my-skills/pdf/SKILL.md"}, []),
        ("Write", {"file_path": "/r/skills/pdf/SKILL.md", "content": "x"}, []),
        ("bash", {"command": "cat ~/.codex/skills/pdf/SKILL.md"}, ["pdf opened SKILL.md"]),
        ("bash", {"command": "cat a > skills/pdf/SKILL.md"}, []),
        ("bash", {"command": "rm -r skills/pdf/references/a.md"}, []),
        ("bash", {"command": "sed -i s/a/b/ skills/pdf/SKILL.md"}, []),
        ("bash", {"command": "sed -n 1,20p skills/pdf/SKILL.md"}, ["pdf opened SKILL.md"]),
        (
            "bash",
            {"command": "cd x && A=1 python3 .claude/skills/pdf/scripts/fill.py a.pdf"},
            ["pdf ran scripts/fill.py"],
        ),
        ("bash", {"command": "./skills/pdf/scripts/fill.sh a"}, ["pdf ran scripts/fill.sh"]),
        ("bash", {"command": "grep -n def skills/pdf/scripts/fill.py"}, ["pdf opened scripts/fill.py"]),
        ("bash", {"command": "cd /r/skills/pdf && python scripts/fill.py"}, ["pdf ran scripts/fill.py"]),
        ("shell", {"command": ["bash", "-lc", "cat skills/pdf/SKILL.md"]}, ["pdf opened SKILL.md"]),
        ("bash", {"command": "echo we have skills and a SKILL.md"}, []),
        ("bash", {"command": "cp skills/pdf/assets/t.xlsx out/"}, ["pdf opened assets/t.xlsx"]),
        ("bash", {"command": "cp t.xlsx skills/pdf/assets/t.xlsx; ls"}, []),
        (
            "bash",
            {"command": "cd skills/pdf && ./scripts/run.sh; python ./scripts/fill.py"},
            ["pdf ran scripts/run.sh", "pdf ran scripts/fill.py"],
        ),
        ("bash", {"command": "cd skills/a && cat SKILL.md; cd /w && python scripts/own.py"}, ["a opened SKILL.md"]),
        (
            "bash",
            {"command": "cd skills/a && cat SKILL.md; cd skills/b; cat SKILL.md"},
            ["a opened SKILL.md", "b opened SKILL.md"],
        ),
        ("bash", {"command": "git commit -m 'see skills/pdf/SKILL.md'"}, []),
        ("bash", {"command": "curl https://x.example/skills/pdf/SKILL.md"}, []),
        ("python", {"code": "text = open('skills/pdf/references/a.md').read()"}, ["pdf opened references/a.md"]),
        ("python", {"code": "print('skills/pdf/references/a.md')"}, []),
        ("Task", {"prompt": "Read .claude/skills/pdf/SKILL.md first."}, []),
        ("WebFetch", {"url": "https://x.example/skills/pdf/SKILL.md"}, []),
        ("read_many", {"paths": ["a.md", "skills/pdf/SKILL.md"]}, ["pdf opened SKILL.md"]),
    ],
)
def test_a_use_is_what_the_agent_has_on_record(name: str, arguments: dict[str, Any], found: list[str]) -> None:
    assert used((name, arguments)) == found


def test_a_skill_that_lies_elsewhere_is_known_by_its_name() -> None:
    call = ("Read", {"file_path": "/opt/agents/pdf/references/a.md"})
    assert used(call) == []
    assert used(call, known=("pdf",)) == ["pdf opened references/a.md"]


def test_a_call_without_an_answer_used_nothing_unless_the_log_has_none_at_all() -> None:
    made = session(("bash", {"command": "ls"}), ("Skill", {"skill": "charts"}))
    (step,) = made.steps
    cut = made.model_copy(update={"steps": (step.model_copy(update={"observations": step.observations[:1]}),)})
    bare = made.model_copy(update={"steps": (step.model_copy(update={"observations": ()}),)})
    assert (len(skill_uses(cut)), len(skill_uses(bare))) == (0, 1)


def test_a_call_that_failed_used_nothing() -> None:
    assert not skill_uses(session(("Skill", {"skill": "charts"}), error=True))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Four sessions: two take `pdf` up, one of which runs its script; one reads another skill; one uses none."""
    calls: dict[str, list[tuple[str, dict[str, Any], str]]] = {
        "one": [("Skill", {"skill": "pdf"}, "ok"), ("bash", {"command": "python skills/pdf/scripts/fill.py"}, "ok")],
        "two": [("Read", {"file_path": "/r/skills/pdf/SKILL.md"}, "# PDF")],
        "three": [("Read", {"file_path": "/r/skills/other/SKILL.md"}, "# Other")],
        "four": [("bash", {"command": "ls"}, "a")],
    }
    folder = tmp_path / "logs"
    folder.mkdir()
    for name, made in calls.items():
        (folder / f"{name}.json").write_text(json.dumps(chat(name, made)))
    (folder / "five.json").write_text(json.dumps(chat("five", [])))
    (tmp_path / "labels.json").write_text(json.dumps({"one": 1, "two": 0, "three": 1, "nobody": 1}))
    for skill, files in {"pdf": ["scripts/fill.py", "references/forms.md"], "idle": []}.items():
        home = tmp_path / "skills" / skill
        for file in files:
            (home / file).parent.mkdir(parents=True, exist_ok=True)
            (home / file).write_text("x\n")
        home.mkdir(parents=True, exist_ok=True)
        linked = "".join(f"- [{file}]({file})\n" for file in files)
        (home / "SKILL.md").write_text(f"---\nname: {skill}\ndescription: Does it.\n---\n\n# It\n\n- Do it.\n{linked}")
    return folder


def usage(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["usage", *map(str, arguments)])


def test_usage_counts_sessions_and_says_what_nobody_used(logs: Path) -> None:
    how = ("--logs", logs, "--skills", logs.parent / "skills", "--labels", logs.parent / "labels.json")
    found = json.loads(usage(*how, "--json").stdout)
    assert (found["sessions"], found["with_calls"]) == (5, 4)
    pdf, other = found["skills"]
    assert (pdf["name"], pdf["sessions"], pdf["activated"]) == ("pdf", 2, 1)
    assert pdf["ended"] == {"failed": 1, "passed": 1}
    assert [(file["path"], file["sessions"]) for file in pdf["files"]] == [("SKILL.md", 1), ("scripts/fill.py", 1)]
    assert pdf["unused"] == ["references/forms.md"]
    assert (other["name"], other["ended"]) == ("other", {"passed": 1})
    assert found["unused"] == ["idle"]
    assert found["unmatched"] == ["nobody"]
    said = " ".join(usage(*how).output.split())
    for part in ("pdf: never used: references/forms.md", "never used: idle", "labels that name no session: 1: nobody"):
        assert part in said


def test_usage_says_what_it_cannot_do(logs: Path) -> None:
    assert "not both" in str(usage().exception)
    assert "not both" in str(usage("run", "--logs", logs).exception)
    assert "--skills" in str(usage("run", "--skills", logs).exception)
    assert "holds no skill" in str(usage("--logs", logs, "--skills", logs).exception)
    assert "no session was found" in str(usage("--logs", logs.parent / "skills").exception)


def test_a_real_session_of_claude_code() -> None:
    path = shared("cases", "logs", "07-ismeta-skill-body")
    found = json.loads(usage("--logs", path, "--json").stdout)
    assert [(item["name"], item["activated"]) for item in found["skills"]] == [("charts", 1)]


def test_a_session_with_its_sub_agents_is_one() -> None:
    for case in ("09-subagent-file", "10-stream-json-subagent"):
        assert json.loads(usage("--logs", shared("cases", "logs", case), "--json").stdout)["sessions"] == 1


def claude(number: int, role: str, content: Any, session: str) -> dict[str, Any]:
    """A record of Claude Code's, after the one before it."""
    said = {"role": role, "content": content, "id": f"m{number}", "model": "m"}
    parent = f"u{number - 1}" if number > 1 else None
    at = {"timestamp": f"2026-01-01T00:00:0{number}Z", "cwd": "/x", "version": "2.0"}
    return {"type": role, "uuid": f"u{number}", "parentUuid": parent, "sessionId": session, **at, "message": said}


def test_a_session_that_was_resumed_under_another_id_is_one_of_its_own(tmp_path: Path) -> None:
    def talk(session: str, first: int, skill: str) -> list[dict[str, Any]]:
        call = {"type": "tool_use", "id": f"t{first}", "name": "Skill", "input": {"skill": skill}}
        answer = {"type": "tool_result", "tool_use_id": f"t{first}", "content": "ok"}
        turns = [
            ("user", "do it"),
            ("assistant", [call]),
            ("user", [answer]),
            ("assistant", [{"type": "text", "text": "done"}]),
        ]
        return [claude(first + n, role, content, session) for n, (role, content) in enumerate(turns)]

    logs = tmp_path / "logs"
    logs.mkdir()
    for name, records in {"A": talk("A", 1, "pdf"), "B": [*talk("B", 1, "pdf"), *talk("B", 5, "charts")]}.items():
        (logs / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (tmp_path / "labels.json").write_text(json.dumps({"A": 1, "B": 0}))
    found = json.loads(usage("--logs", logs, "--labels", tmp_path / "labels.json", "--json").stdout)
    assert (found["sessions"], found["ended"], found["unmatched"]) == (2, {"failed": 1, "passed": 1}, [])
    by_name = {item["name"]: item["ended"] for item in found["skills"]}
    assert by_name == {"charts": {"failed": 1}, "pdf": {"passed": 1}}, "what was copied is of the first"
