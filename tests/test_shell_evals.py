"""`evals/evals.json` of a skill: read as tasks where a shell can decide, and written beside mined tasks."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from worked_logs import claude_code
from worked_sessions import Call, Worked

from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.runs.mined_tasks import mine
from trace2skill.runs.sources import Sources
from trace2skill.sandbox import choose_sandbox
from trace2skill.sandbox.bubblewrap import works

needs_bwrap = pytest.mark.skipif(bool(works()), reason=f"commands run in bubblewrap alone: {works()}")
ITEMS = [
    {
        "id": 1,
        "prompt": "Count names.txt into count.txt.",
        "expected_output": "A file with the number.",
        "files": ["evals/files/names.txt"],
        "assertions": [
            "`count.txt` exists",
            "`count.txt` is as `evals/wanted.txt`",
            "`test -s count.txt` exits with code 0",
        ],
    },
    {"id": "tone", "prompt": "Greet.", "expected_output": "A greeting.", "assertions": ["The greeting is warm"]},
    {"id": 3, "prompt": "Say it.", "expected_output": "It is said.", "files": []},
    {"id": 4, "prompt": "Read it.", "files": ["../../etc/passwd"], "expectations": ["`a` exists"]},
    {"id": 5, "prompt": "Write ok into b.txt.", "expectations": ['`b.txt` contains "ok"']},
]


def skill_with(folder: Path, items: Any) -> Path:
    (folder / "evals" / "files").mkdir(parents=True)
    (folder / "evals" / "files" / "names.txt").write_text("ada\nbo\n")
    (folder / "evals" / "wanted.txt").write_text("2\n")
    (folder / "evals" / "evals.json").write_text(json.dumps({"skill_name": "counting", "evals": items}))
    return folder


def test_items_that_a_shell_can_decide_are_tasks_and_of_the_others_it_is_said_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        tasks = load_domain("shell").load(skill_with(tmp_path / "counting", ITEMS))
    assert [task.id for task in tasks] == ["1", "5"]
    assert "item 2: no command decides over 'The greeting is warm': it needs somebody who judges" in caplog.text
    assert "item 3: it has no assertions" in caplog.text
    assert "item 4: there is no file ../../etc/passwd in the skill" in caplog.text
    assert load_domain("shell").load(tmp_path / "counting" / "evals" / "evals.json") == tasks


@needs_bwrap
def test_each_assertion_decides(tmp_path: Path) -> None:
    domain: Any = load_domain("shell")
    domain.use_sandbox(lambda: choose_sandbox("bwrap", simulated_model=False))
    counted, written = domain.load(skill_with(tmp_path / "counting", ITEMS))
    assert domain.grade(counted, {"count.txt": b"2\n"}).hard == 1.0
    wrong = domain.grade(counted, {"count.txt": b"3\n"})
    assert wrong.hard == 0.0
    assert "is as `evals/wanted.txt`" in wrong.reason
    assert domain.grade(written, {"b.txt": b"all ok\n"}).hard == 1.0
    assert domain.grade(written, {}).hard == 0.0


def test_what_is_no_such_file_or_has_nothing_to_grade_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing in it can be graded by a shell: item 1: no command decides"):
        load_domain("shell").load(skill_with(tmp_path / "a", ITEMS[1:2]))
    with pytest.raises(BadInput, match='it is not {"skill_name"'):
        load_domain("shell").load(skill_with(tmp_path / "b", 3))


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"id": 1}, "an item before it has the id '1', too"),
        ({"files": ["a/names.txt", "b/names.txt"]}, "has the place of another of its files"),
        ({"files": ["a" * 300]}, "item 2"),
        ({"files": ["evals/files/trace/app.log"]}, "has a name of our own"),
        ({"id": ""}, "its id is empty"),
    ],
)
def test_one_bad_item_costs_itself_alone_and_is_named(
    odd: dict[str, Any], why: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    skill = skill_with(tmp_path / "counting", [ITEMS[0], {**ITEMS[4], **odd}])
    for folder in ("a", "b"):
        (skill / folder).mkdir()
        (skill / folder / "names.txt").write_text(folder)
    assert [task.id for task in load_domain("shell").load(skill)] == ["1"]
    assert why in caplog.text


@needs_bwrap
def test_mined_tasks_are_written_in_the_same_layout_and_read_back(tmp_path: Path) -> None:
    calls = [
        Call("read", {"path": "conf/a.json"}, '{"port": 80}\n'),
        Call("edit", {"path": "conf/a.json", "old": "80", "new": "9000"}),
    ]
    claude_code(Worked(0, "own", "Set the port of conf/a.json to 9000.", calls, "Perfect, thanks!"), tmp_path / "logs")
    sandbox = choose_sandbox("bwrap", simulated_model=False)
    mine(Sources(paths=(tmp_path / "logs",), name="ports"), sandbox, tmp_path / "tasks")
    told = json.loads((tmp_path / "tasks" / "evals" / "evals.json").read_text())
    assert told["skill_name"] == "ports"
    (item,) = told["evals"]
    assert item["files"] == ["evals/files/1/conf/a.json"]
    assert item["assertions"] == ["`conf/a.json` is as `evals/expected/1/conf/a.json`"]
    domain: Any = load_domain("shell")
    domain.use_sandbox(lambda: sandbox)
    (task,) = domain.load(tmp_path / "tasks" / "evals" / "evals.json")
    assert domain.grade(task, {}).hard == 0.0
    assert domain.grade(task, {"conf/a.json": b'{"port": 9000}\n'}).hard == 1.0
