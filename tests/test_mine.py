"""Tasks mined from sessions: what becomes one, what does not and why, and that nothing held out is learned from."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_forge import TOKEN, FakeForge
from product import run
from remotes import Remote
from worked_agent import agent
from worked_logs import claude_code, write_logs
from worked_sessions import HOME, Call, Worked, worked

from flows import ingest as ingesting_flow
from tasks.runner import sized
from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.domains.splits import split_tasks
from trace2skill.mined.checks import checks_of
from trace2skill.mined.swe_agent_commands import of_swe_agent
from trace2skill.runs.ingest import of_logs
from trace2skill.runs.intake import take_in
from trace2skill.runs.mined_tasks import MinedTasks, mine
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.sources import Sources
from trace2skill.sandbox import Sandbox, choose_sandbox
from trace2skill.sandbox.bubblewrap import works
from trace2skill.store import open_store
from trace2skill.types.task import Task

pytestmark = pytest.mark.skipif(bool(works()), reason=f"commands of logs run in bubblewrap alone: {works()}")
CONTENT = "Perfect, thanks!"


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return choose_sandbox("bwrap", simulated_model=False)


@pytest.fixture
def mined(tmp_path: Path, sandbox: Sandbox) -> Callable[..., MinedTasks]:
    """Mines one session in the form of Claude Code: what was asked, what was done, what the person said."""

    def make(request: str, *calls: Call, said: str = CONTENT, **more: Any) -> MinedTasks:
        claude_code(Worked(0, "own", request, [*calls], said), tmp_path / "logs")
        return mine(Sources(paths=(tmp_path / "logs",), **more), sandbox, tmp_path / "tasks")

    return make


def read(path: str, text: str) -> Call:
    return Call("read", {"path": path}, text)


def write(path: str, text: str) -> Call:
    return Call("write", {"path": path, "text": text})


def edit(path: str, old: str, new: str) -> Call:
    return Call("edit", {"path": path, "old": old, "new": new})


def ran(command: str, said: str = "", code: int = 0) -> Call:
    return Call("run", {"command": command}, said, code)


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "tasks.jsonl").read_text().splitlines()]


def why(found: MinedTasks) -> str:
    (segment,) = found.segments
    assert not segment.task
    return segment.why


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs of nine sessions: each kind of work in each format."""
    folder = tmp_path_factory.mktemp("worked")
    return write_logs(worked(folder / "projects", 9, failing=0, unread=0), folder / "logs")


def test_sessions_of_three_formats_become_tasks_whose_checks_fail_and_pass(
    many: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    found = mine(Sources(paths=(many,)), sandbox, tmp_path / "tasks")
    assert found.counts == {"self-contained": 9}
    assert found.checks == {"command": 3, "state": 3, "tests": 3}
    domain: Any = load_domain("shell")
    domain.use_sandbox(lambda: sandbox)
    tasks = domain.load(tmp_path / "tasks")
    assert len(tasks) == 9
    assert {domain.audit(task).verdict for task in tasks[:3]} == {"usable"}
    assert all(domain.solution(task) for task in tasks)
    first = (tmp_path / "tasks" / "tasks.jsonl").read_bytes()
    mine(Sources(paths=(many,)), sandbox, tmp_path / "tasks")
    assert (tmp_path / "tasks" / "tasks.jsonl").read_bytes() == first, "the same logs, the same bytes"


def test_what_was_edited_before_it_was_read_begins_as_it_was(mined: Any, tmp_path: Path) -> None:
    after = '{"port": 9000, "host": "here"}\n'
    found = mined(
        "Set the port of config.json to 9000.",
        edit("config.json", '"port": 80,', '"port": 9000,'),
        read("config.json", after),
    )
    assert found.checks == {"state": 1}
    (row,) = rows_in(tmp_path / "tasks")
    assert row["files"] == {"config.json": '{"port": 80, "host": "here"}\n'}


def test_what_a_log_holds_beside_what_the_agent_saw_is_where_it_began(mined: Any, tmp_path: Path) -> None:
    """Claude Code keeps what an edited file was, and of a reading how much of the file it is."""
    before = '{"port": 80, "host": "here"}'
    changed = edit("config.json", '"port": 80,', '"port": 9000,')
    changed.beside = {"filePath": f"{HOME}/config.json", "originalFile": before, "oldString": '"port": 80,'}
    assert mined("Set the port of config.json to 9000.", changed).checks == {"state": 1}
    (row,) = rows_in(tmp_path / "tasks")
    assert row["files"] == {"config.json": before}, "to the byte: without a newline at its end"
    over = write("config.json", '{"port": 9000}\n')
    over.beside = {"type": "update", "filePath": f"{HOME}/config.json"}
    assert "was written over" in why(mined("Set the port of config.json to 9000.", over))


def test_tests_are_brought_along_and_what_was_made_must_be_named(mined: Any, tmp_path: Path) -> None:
    tests = "import sums\nassert sums.add(1, 2) == 3\n"
    work = [
        write("sums.py", "def add(a, b):\n    return a + b\n"),
        write("test_sums.py", tests),
        ran("python test_sums.py"),
    ]
    found = mined("Write sums.py with a function add.", *work)
    assert found.checks == {"tests": 1}
    (row,) = rows_in(tmp_path / "tasks")
    assert "assert sums.add(1, 2) == 3" in row["check"]
    assert not row["files"], "tests that the agent wrote are no part of what the next one gets"
    assert "asks for sums.py, which the request does not name" in why(mined("Write a function that adds.", *work))


@pytest.mark.parametrize(
    ("request_", "calls", "said", "expected"),
    [
        ("Tell me about the weather.", [], "", "nothing was changed or run"),
        ("Count the names into count.txt.", [write("count.txt", "2\n")], "", "nobody says that what it ended with is right"),
        ("Count the names into count.txt.", [write("count.txt", "2\n")], "No, that is wrong.", "was not content"),
        ("Count the names.", [write("count.txt", "2\n")], CONTENT, "the request does not name count.txt"),
        ("Tidy up main.py.", [read("main.py", "a=1\n"), edit("main.py", "a=1", "a = 1")], CONTENT, "only code or prose"),
        ("Fix it in conf.ini.", [edit("conf.ini", "a", "b")], CONTENT, "conf.ini: it was changed, and never read whole"),
        ("Write x to /etc/x.conf.", [Call("write", {"path": "../../../etc/x.conf", "text": "x"})], CONTENT, "not in the directory"),
        ("Write x to .check/x.txt.", [write(".check/x.txt", "x\n")], CONTENT, "a name that is ours"),
        ("Write all of it to big.txt.", [write("big.txt", "x" * 1_000_001)], CONTENT, "too large"),
        ("Run build.py for out.txt.", [read("a.txt", "a\n"), ran("python build.py > out.txt")], CONTENT, "does not end here as in the log"),
    ],
)  # fmt: skip
def test_what_becomes_no_task_says_why(mined: Any, request_: str, calls: list[Call], said: str, expected: str) -> None:
    assert expected in why(mined(request_, *calls, said=said))


@pytest.fixture
def passes(tmp_path: Path, sandbox: Sandbox) -> Callable[[str], bool]:
    """Does the check of the one task that was mined pass what a script leaves, in place of its solution?"""

    def tried(solution: str) -> bool:
        (row,) = rows_in(tmp_path / "tasks")
        path = tmp_path / "tried.jsonl"
        path.write_text(json.dumps({**row, "solution": solution}) + "\n")
        domain: Any = load_domain("shell")
        domain.use_sandbox(lambda: sandbox)
        return bool(domain.audit(domain.load(path)[0]).verdict == "usable")

    return tried


CALC = "def add(a, b):\n    return a - b\n"
TEST_CALC = "import unittest, calc\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(calc.add(1, 2), 3)\n"
COUNT = "print(len(open('names.txt').readlines()), file=open('count.txt', 'w'))\n"
NAMES = read("names.txt", "ada\nbo\n")


def test_tests_that_the_request_names_are_brought_along(mined: Any, passes: Callable[[str], bool]) -> None:
    work = (read("calc.py", CALC), read("tests/test_calc.py", TEST_CALC), edit("calc.py", "a - b", "a + b"))
    ran_them = ran("python -m unittest tests/test_calc.py", "OK")
    request = "Mend add in calc.py so that tests/test_calc.py passes."
    assert mined(request, *work, ran_them).checks == {"tests": 1}
    assert passes("sed -i 's/a - b/a + b/' calc.py")
    assert not passes(": > tests/test_calc.py")
    assert not passes("echo 'import sys; sys.exit()' > unittest.py")
    changed = edit("tests/test_calc.py", "(1, 2)", "(2, 1)")
    assert "tests/test_calc.py decides over itself" in why(mined(request, *work, changed, ran_them))


@pytest.mark.parametrize(
    ("request_", "calls", "expected"),
    [
        ("Make count.txt with the number of lines of names.txt by count.py.", [NAMES, write("count.py", COUNT), ran("python count.py")], "state"),
        ("Make count.py, which counts names.txt.", [NAMES, write("count.py", COUNT), ran("python count.py")], "program of its own"),
        ("Make count.py, which is to be valid.", [write("count.py", COUNT), ran("python -m py_compile count.py")], "files that were changed are empty"),
        ("Make count.py, which counts 1.", [write("count.py", "print(1)\n"), ran("python count.py", "1\n")], "command"),
    ],
)  # fmt: skip
def test_a_command_that_passes_an_empty_program_decides_nothing(
    mined: Any, passes: Callable[[str], bool], request_: str, calls: list[Call], expected: str
) -> None:
    found = mined(request_, *calls)
    if not found.tasks:
        assert expected in why(found)
        return
    assert found.checks == {expected: 1}
    assert not passes(": > count.py")


def test_a_program_that_checks_is_brought_along(mined: Any, passes: Callable[[str], bool]) -> None:
    check = "import sys\nsys.exit(open('index.txt').read() != 'a\\n')\n"
    checked = (read("tools/check_index.py", check), write("index.txt", "a\n"), ran("python tools/check_index.py"))
    assert mined("Make the index.", *checked).checks == {"command": 1}
    assert passes("echo a > index.txt")
    assert not passes("echo b > index.txt; : > tools/check_index.py")


def test_what_compares_is_no_module_of_the_workspace(mined: Any, passes: Callable[[str], bool]) -> None:
    work = (read("in.txt", "1\n2\n"), write("total.json", '{"total": 3}\n'))
    assert mined("Write the total of in.txt into total.json as an object with the key total.", *work).checks == {
        "state": 1
    }
    assert passes("echo '{\"total\":  3}' > total.json")
    assert not passes("echo '{\"total\": 99}' > total.json; echo 'import sys; sys.exit(0)' > json.py")


def test_what_a_command_changed_in_any_of_its_lines_is_in_what_is_right(mined: Any, tmp_path: Path) -> None:
    work = [
        read("in.txt", "1\n3\n"),
        write("data.csv", "1\n3\n"),
        ran("cat data.csv\nsort -r -o data.csv data.csv", "1\n3\n"),
    ]
    assert mined("Write the numbers of in.txt to data.csv in descending order.", *work).checks == {"state": 1}
    (row,) = rows_in(tmp_path / "tasks")
    assert "\n3\n1\n" in row["solution"]


def test_what_failed_is_right_nowhere_and_what_needs_its_repository_says_so(mined: Any, tmp_path: Path) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text('{"00000000-0000-4000-8000-000000000000": 0}')
    work = (write("count.txt", "2\n"),)
    assert "it failed (labels)" in why(mined("Count the names into count.txt.", *work, labels=labels))
    found = mined("Fix the tests.", ran("git status"), edit("core.py", "a", "b"), ran("python -m unittest", "OK"))
    (segment,) = found.segments
    assert (segment.replayable, segment.task) == ("needs-repository", "")
    assert "the log does not hold core.py" in segment.why


def test_hostile_commands_stay_in_the_sandbox_and_secrets_out_of_tasks(mined: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    secret = "ghp_" + "a1B2c3D4e5" * 4
    calls = [
        write("count.txt", f"2\ntoken = {secret}\n"),
        ran(f"touch {outside}; ln -s /etc/passwd stolen.txt; cp {Path(__file__)} taken.txt; sleep 100 & true"),
        write("stolen.txt", "over\n"),
    ]
    found = mined("Count the names into count.txt and stolen.txt.", *calls)
    assert not outside.exists()
    told = (tmp_path / "tasks" / "tasks.jsonl").read_text() + (tmp_path / "tasks" / "mined.json").read_text()
    assert secret not in told
    assert "root:" not in told, "no link is followed out of the sandbox's own files"
    assert "test_hostile_commands" not in told
    assert len(found.segments) == 1


def test_odd_logs_cost_their_own_task_alone(mined: Any, tmp_path: Path) -> None:
    odd: list[Any] = ["\ud800.txt", "a\0b", "x" * 5000, "count.txt/x", ["count.txt"], 5, None, "*** Begin Patch", "~/x"]
    calls = [write(value, "x\n") for value in odd]
    calls += [edit("count.txt", value, "y") for value in odd] + [ran(value) for value in odd]
    for call in calls:
        call.beside = {"file": "x", "originalFile": 5, "type": ["update"]}
    found = mined("Count the names into count.txt.", write("count.txt", "2\n"), *calls)
    assert len(found.segments) == 1
    json.loads((tmp_path / "tasks" / "mined.json").read_text())


@pytest.mark.parametrize(
    "calls",
    [
        [write("count.txt", "2\n"), ran("pkill -f python; echo done", "done")],
        [write("count.txt", "2\n"), ran("kill -9 $PPID")],
        [read("a", "a\n"), read("a/b", "b\n"), write("count.txt", "2\n")],
    ],
)
def test_a_session_that_cannot_be_done_again_costs_no_other_its_task(
    mined: Any, tmp_path: Path, calls: list[Call]
) -> None:
    claude_code(
        Worked(1, "own", "Count the words into words.txt.", [write("words.txt", "5\n")], CONTENT), tmp_path / "logs"
    )
    found = mined("Count the names into count.txt.", *calls)
    assert [item.why for item in found.segments if not item.task] == ["its work does not run to its end in the sandbox"]
    assert len(found.tasks) == 1


def test_what_nobody_foresaw_in_a_log_costs_the_tasks_of_its_session(
    mined: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(request: str, *given: Any) -> Any:
        if "names" in request:
            raise ValueError("odd")
        return checks_of(request, *given)

    monkeypatch.setattr("trace2skill.mined.session.checks_of", odd)
    claude_code(
        Worked(1, "own", "Count the words into words.txt.", [write("words.txt", "5\n")], CONTENT), tmp_path / "logs"
    )
    found = mined("Count the names into count.txt.", write("count.txt", "2\n"))
    assert {item.why for item in found.segments} == {"", "it cannot be mined (ValueError)"}
    assert len(found.tasks) == 1


def test_a_folder_of_somebody_else_is_left_alone(mined: Any, tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something else than mined tasks"):
        mined("Count the names into count.txt.", write("count.txt", "2\n"))


def test_sessions_that_belong_together_are_in_one_split_and_learned_from_in_none(
    many: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    """A fork of a session, in a file of its own, goes with it: into its split, and out of what is learned from."""
    logs = tmp_path / "logs"
    write_logs(worked(tmp_path / "projects", 12, failing=0, unread=0), logs)
    (original,) = sorted((logs / "codex").glob("*000000000001.jsonl"))
    lines = [json.loads(line) for line in original.read_text().splitlines()]
    lines[0]["payload"] |= {"id": "019d0000-0000-7000-8000-0000000000ff", "forked_from_id": lines[0]["payload"]["id"]}
    for line in lines[1:]:
        line["timestamp"] = line["timestamp"].replace("T11", "T15")
    (logs / "codex" / "rollout-2026-06-01T11-00-00-fork.jsonl").write_text("\n".join(map(json.dumps, lines)))
    mine(Sources(paths=(logs,)), sandbox, tmp_path / "tasks")
    tasks: list[Task] = load_domain("shell").load(tmp_path / "tasks")
    for seed in range(6):
        splits = split_tasks(tasks, seed=seed)
        where = {id: name for name in ("evolve", "validation", "test") for id in getattr(splits, name)}
        for group in {task.group for task in tasks}:
            assert len({where[task.id] for task in tasks if task.group == group}) == 1
        held_out = [task for task in tasks if where[task.id] != "evolve"]
        store = open_store(tmp_path / f"store-{seed}.duckdb")
        named = [id for task in held_out for id in task.sessions]
        intake = take_in(store, Sources(paths=(logs,), analyst="rules"), named)
        learned = {id for item in intake.taken for id in (item.id, item.task_id)}
        assert learned
        assert not learned & {id for task in held_out for id in (task.id, *task.sessions)}
        forked = next(task for task in tasks if "019d0000-0000-7000-8000-000000000001" in task.sessions)
        fork_is_learned_from = "019d0000-0000-7000-8000-0000000000ff" in learned
        assert fork_is_learned_from == (where[forked.id] == "evolve")
        store.close()


def learned_from(tmp_path: Path, telling: tuple[str, ...] = (), *, hold_out: bool = True) -> set[str]:
    """The sessions that are left to learn from where all tasks that were mined are held out, by their numbers."""
    tasks = load_domain("shell").load(tmp_path / "tasks") if hold_out else []
    named = [id for task in tasks for id in (task.id, *task.sessions)] or ["none"]
    store = open_store(tmp_path / "twins.duckdb")
    try:
        taken = take_in(store, Sources(paths=(tmp_path / "logs",), analyst="rules"), named, telling).taken
    except BadInput:
        return set()
    finally:
        store.close()
    return {item.task_id.partition("-")[0][-1] for item in taken}


@pytest.mark.parametrize(
    "request_",
    [
        "Count the names into count.txt.",
        f"Count all the names of {HOME}/names.txt and write their number into {HOME}/count.txt please.",
    ],
)
def test_a_twin_of_a_held_out_task_is_not_learned_from(mined: Any, tmp_path: Path, request_: str) -> None:
    """Sessions that asked the same of the same files, whatever became of them: not of other files."""
    one = [read("names.txt", "ada\nbo\n"), write("count.txt", "2\n")]
    other = [read("names.txt", "ada\nbo\ncy\n"), write("count.txt", "4\n")]
    unread = [ran("wc -l names.txt > count.txt"), ran("cat count.txt", "2\n")]
    refused = "No, that is wrong."
    for number, calls, said in ((1, one, CONTENT), (2, one, refused), (3, unread, ""), (4, other, refused)):
        claude_code(Worked(number, "own", request_, calls, said), tmp_path / "logs")
    assert len(mined(request_, *one).tasks) == 1
    assert learned_from(tmp_path) == {"4"}
    (row,) = rows_in(tmp_path / "tasks")
    assert learned_from(tmp_path, (row["prompt"],), hold_out=False) == set(), "known by the words alone, in later logs"


def test_a_request_of_several_messages_is_compared_as_a_whole(mined: Any, tmp_path: Path) -> None:
    said = "Actually, count each name once."
    mined("Count the names into count.txt.", read("names.txt", "ada\nada\n"), write("count.txt", "1\n"), said=said)
    claude_code(Worked(1, "own", "Count the names into count.txt.", [write("count.txt", "1\n")], ""), tmp_path / "logs")
    assert learned_from(tmp_path, (f"Count the names into count.txt.\n\n{said}",), hold_out=False) == {"1"}


@pytest.fixture
def forge(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeForge]:
    from conftest import environment

    monkeypatch.setattr("product.environment", lambda *given: environment(*given) | {"GITHUB_TOKEN": TOKEN})
    with FakeForge("github") as forge:
        yield forge


@pytest.mark.slow
def test_from_logs_alone_to_a_pull_request_in_two_commands(
    tmp_path: Path, prefect_home: Path, forge: FakeForge, plays: Any
) -> None:
    plays(agent)
    logs = write_logs(worked(tmp_path / "projects", 24, failing=0, unread=0), tmp_path / "logs")
    remote = Remote(tmp_path)
    given = (
        "--gate-on",
        "mined",
        "--analyst",
        "rules",
        "--agent-model",
        "sim/scripted",
        "--store",
        tmp_path / "s.duckdb",
    )
    done = json.loads(run(tmp_path, prefect_home, "ingest", logs, *given, "--json").stdout)
    assert done["decision"]["verdict"] == "promote", done["decision"]
    assert done["sources"]["held_out"] + done["sources"]["trajectories"] == 24
    to = ("--to", remote.address(path="skills/learned-from-traces"), "--forge", "github", "--api", forge.api)
    run(tmp_path, prefect_home, "propose-pr", done["run_id"], *to, "--store", tmp_path / "s.duckdb")
    (asked,) = forge.requests
    assert "The gate says: promote" in asked["body"]
    assert "6 of them mined from sessions" in asked["body"]
    assert "STAMP_ZONE=utc" in remote.git("show", f"{asked['branch']}:skills/learned-from-traces/SKILL.md")


def test_held_out_tasks_that_prove_nothing_are_known_before_anything_is_learned(
    many: Path, tmp_path: Path, prefect_home: Path, plays: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one that is left, what was learned is staged, and the reason says which were left out."""
    plays(agent)
    order: list[str] = []
    planned, observed = ingesting_flow.plan_run, ingesting_flow.observe
    monkeypatch.setattr(ingesting_flow, "plan_run", lambda *given: (order.append("plan"), planned(*given))[1])
    monkeypatch.setattr(ingesting_flow, "sized", lambda flow, given: (order.append(flow.name), sized(flow, given))[1])
    monkeypatch.setattr("trace2skill.runs.refresh.seen_before", lambda rt, skill: set(rt.splits.validation))
    who = ("--analyst", "rules", "--agent-model", "sim/scripted", "--store", tmp_path / "s.duckdb")
    done = json.loads(run(tmp_path, prefect_home, "ingest", many, "--gate-on", "mined", *who, "--json").stdout)
    assert order[:2] == ["plan", observed.name]
    assert done["decision"]["verdict"] == "not_enough_evidence"
    assert "the skill has learned from it in an earlier run" in done["decision"]["reason"]
    assert not done["evaluations"]


def test_what_cannot_be_gated_is_staged_and_says_so(many: Path, tmp_path: Path, prefect_home: Path) -> None:
    given = ("--gate-on", "mined", "--store", tmp_path / "s.duckdb", "--json")
    done = json.loads(run(tmp_path, prefect_home, "ingest", many, *given).stdout)
    assert done["decision"]["verdict"] == "not_enough_evidence"
    assert "nobody is named who could try them" in done["decision"]["reason"]
    assert not done["evaluations"]


def test_a_run_that_is_repeated_by_its_settings_is_tried_on_the_same_tasks(tmp_path: Path) -> None:
    sources = {"paths": [str(tmp_path)], "analyst": "rules"}
    models = {"agent": {"name": "sim/office"}}
    first = of_logs({"data": {"sources": sources}, "models": models}, tmp_path / "tasks.jsonl")
    kept = RunSettings.model_validate(first).model_dump(mode="json")
    again = RunSettings.model_validate(of_logs(kept))
    assert (again.data.path, again.data.domain, again.gate.evaluate) == (tmp_path / "tasks.jsonl", "shell", True)
    assert again.roles_asked == {"agent"}
    untried = RunSettings.model_validate(of_logs(kept, None, "nobody could try them"))
    assert (untried.data.domain, untried.gate.evaluate, untried.roles_asked) == ("logs", False, frozenset())


@pytest.mark.slow
def test_a_skill_is_not_tried_on_what_it_has_learned_from(tmp_path: Path, prefect_home: Path, plays: Any) -> None:
    plays(agent)
    logs = write_logs(worked(tmp_path / "projects", 18, failing=0, unread=0), tmp_path / "logs")
    store = ("--store", tmp_path / "s.duckdb", "--json")
    done = json.loads(run(tmp_path, prefect_home, "ingest", logs, *store).stdout)
    seen = {item["task_id"] for item in done["analyses"]}
    given = ("--skill", done["candidate_directory"], "--analyst", "rules", "--agent-model", "sim/scripted")
    again = json.loads(run(tmp_path, prefect_home, "ingest", logs, "--gate-on", "mined", *given, *store).stdout)
    left_out = [item for item in again["left_out"] if item["verdict"] == "seen"]
    assert seen
    assert left_out or "the skill has learned from it in an earlier run" in again["decision"]["reason"]


def test_patches_and_tests_that_were_read_through_tail_decide_nothing(mined: Any) -> None:
    """A patch is right in many ways, and of what stands before a pipe nobody knows how it ended."""
    code = (read("calc.py", CALC), edit("calc.py", "a - b", "a + b"))
    diff = "diff --git a/calc.py b/calc.py\n--- a/calc.py\n+++ b/calc.py\n"
    found = mined("Mend add in calc.py, and leave the patch in change.txt.", *code, write("change.txt", diff))
    assert "only code or prose was changed" in why(found)
    looked = ran("grep -rn add ./tests; ls ./tests", "tests/a.py: add")
    assert "only code or prose was changed" in why(mined("Mend add in calc.py.", *code, looked))
    piped = ran("python -m unittest test_calc.py 2>&1 | tail -5", "ModuleNotFoundError: No module named 'x'")
    assert "only code or prose was changed" in why(mined("Mend add in calc.py.", *code, piped))


def test_commands_of_swe_agent_are_what_they_do_to_files() -> None:
    made = [of_swe_agent(*said) for said in (
        ("create a.py", "[File: /p/a.py (1 lines total)]\n1:"),
        ("edit 1:1\nprint(1)\nend_of_edit", "[File: /p/a.py (1 lines total)]\n1:print(1)"),
        ("edit 1:1\nprint(\nend_of_edit", "Your proposed edit has introduced new syntax error(s)."),
        ("find_file a.py", "Found 1 matches"),
        ("python a.py", "1"),
    )]  # fmt: skip
    assert [None if one is None else [item["kind"] for item in one] for one in made] == [
        ["write"],
        ["lines"],
        [],
        [],
        None,
    ]
