"""Sessions that began in a repository: at which commit, what becomes a task, and what of a repository is not trusted."""

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from product import run
from worked_logs import claude_code, codex, write_logs
from worked_repositories import MISTAKES, repository, worked_in
from worked_sessions import At, Worked

from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.domains.shell.workspace import changes, lay_out
from trace2skill.mined.base import Base
from trace2skill.mined.begin_tree import begin_tree
from trace2skill.mined.beginning import beginning
from trace2skill.mined.replay import replayed
from trace2skill.mined.repository import RepositoryAddress, SourceRepository, TreeRefused, opened
from trace2skill.mined.shown import Shown, shown
from trace2skill.mined.work import Operation
from trace2skill.runs.mined_tasks import MinedTasks, mine
from trace2skill.runs.mined_twins import Families, MetSegment, Twins
from trace2skill.runs.sources import Sources
from trace2skill.sandbox import Sandbox, choose_sandbox
from trace2skill.sandbox.bubblewrap import works
from trace2skill.sandbox.environment import with_environment
from trace2skill.sim.conversation import Heard, Spoken, call
from trace2skill.types.trajectory import Outcome, Trajectory

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(bool(works()), reason=f"commands of logs run in bubblewrap alone: {works()}")


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return choose_sandbox("bwrap", simulated_model=False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A repository with a history of ten days, and its commits."""
    folder = tmp_path_factory.mktemp("repository") / "shop"
    return folder, repository(folder, 10)


@pytest.fixture(scope="module")
def found(
    shop: tuple[Path, list[str]], tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox
) -> tuple[MinedTasks, Path]:
    """Ten sessions in it, of three formats and three kinds of work, mined."""
    folder = tmp_path_factory.mktemp("in-repository")
    (folder / "copies").mkdir()
    logs = write_logs(worked_in(folder / "copies", *shop, count=10, failing=0), folder / "logs")
    return mine(Sources(paths=(logs,)), sandbox, folder / "tasks", [named(shop[0])]), folder / "tasks"


def named(folder: Path, name: str = "shop") -> RepositoryAddress:
    return RepositoryAddress(name=name, folder=folder)


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "tasks.jsonl").read_text().splitlines()]


def git(at: Path, *words: str) -> str:
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.com")
    return subprocess.run(["git", "-C", str(at), *who, *words], check=True, capture_output=True, text=True).stdout


def test_sessions_begin_at_the_commit_of_their_log_their_branch_or_their_files(
    found: tuple[MinedTasks, Path], shop: tuple[Path, list[str]]
) -> None:
    told = {item.file: item for item in found[0].segments}
    in_it = [item for item in told.values() if item.replayable == "in-repository"]
    assert {item.commit_by for item in in_it} == {"log", "branch", "files"}
    assert {item.check for item in in_it} == {"tests", "command", "state"}
    assert len(in_it) == 8, [item.why for item in told.values()]
    commits = {item.commit for item in in_it}
    assert commits <= set(shop[1])
    assert len(commits) == 8
    (lost,) = (item for item in told.values() if "is not what the log shows" in item.why)
    assert lost.replayable == "needs-repository", "its commit was never pushed"
    (unread,) = (item for item in told.values() if "no whole file" in item.why)
    assert unread.replayable == "needs-repository"


def test_tasks_stand_by_themselves_and_keep_what_trees_share_once(
    found: tuple[MinedTasks, Path], sandbox: Sandbox
) -> None:
    domain: Any = load_domain("shell")
    domain.use_sandbox(lambda: sandbox)
    tasks = domain.load(found[1])
    assert len(tasks) == 8
    assert {domain.audit(task).verdict for task in tasks[:3]} == {"usable"}
    rows = rows_in(found[1])
    assert all(row["files"] == {} and row["tree"]["name"] == "shop" for row in rows)
    assert len({row["group"] for row in rows}) == 8, "many begin with one tree, and are not the same work"
    with zipfile.ZipFile(found[1] / next(iter(found[1].glob("trees-*.zip"))).name) as pack:
        names = pack.namelist()
    assert len(names) == len(set(names))
    assert "files of the repository shop" in domain.describe(tasks[0])
    assert "return amount * (100 + percent)" in domain.given(tasks[0]), (
        "what stands in the tree was not computed by anybody"
    )


def test_tests_of_the_repository_are_as_they_were_whatever_was_left(
    found: tuple[MinedTasks, Path], sandbox: Sandbox
) -> None:
    domain: Any = load_domain("shell")
    domain.use_sandbox(lambda: sandbox)
    task = next(task for task in domain.load(found[1]) if task.kind == "tests")
    part = json.loads(task.detail["tree"])
    assert part["restored"]
    test = next(word for word in task.instruction.split() if word.startswith("tests/")).rstrip(",.")
    assert domain.grade(task, {test: b""}).hard == 0.0
    for path in ("unittest.py", "unittest/__main__.py", "sitecustomize.py", "json/__init__.py", "tests/conftest.py"):
        left = {path: b"import os; os._exit(0)\n"} | ({"unittest/__init__.py": b""} if "__main__" in path else {})
        assert domain.grade(task, left).hard == 0.0, path


def test_what_an_agent_left_in_a_tree_is_what_it_changed(found: tuple[MinedTasks, Path], tmp_path: Path) -> None:
    task = load_domain("shell").load(found[1])[0]
    lay_out(task, tmp_path / "work")
    assert changes(task, tmp_path / "work") == {}
    (tmp_path / "work" / "shop" / "lists.py").write_text("")
    (tmp_path / "work" / "CHANGES.md").unlink()
    left = changes(task, tmp_path / "work")
    assert left["shop/lists.py"] == b""
    assert json.loads(left[".left.json"])["removed"] == ["CHANGES.md"]


def test_a_session_below_the_top_and_changes_that_were_not_committed(tmp_path: Path, sandbox: Sandbox) -> None:
    top = tmp_path / "mono"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    (top / "web").mkdir()
    (top / "web" / "a.json").write_text('{"port": 80}\n')
    (top / "web" / "notes.txt").write_text("one\n")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    commit = git(top, "rev-parse", "HEAD").strip()
    at = At(tmp_path / "web")
    at.give(**{"notes.txt": "one\ntwo\n"})
    at.write_there("a.json", '{"port": 80}\n')
    at.calls.clear()
    at.run("git status --short")
    at.calls[-1].said, at.calls[-1].code = " M notes.txt\n", 0
    at.read("a.json", "notes.txt")
    at.edit("a.json", "80", "9000")
    at.edit("notes.txt", "two", "two three")
    session = Worked(
        1, "own", "Set port in a.json to 9000, and add three to notes.txt.", at.calls, "Perfect, thanks!", commit=commit
    )
    session.branch = "main"
    codex(session, tmp_path / "logs")
    made = mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks", [named(top, "mono")])
    assert made.counts == {"self-contained": 1}, "what the log holds needs no repository"
    at.calls[:] = [call for call in at.calls if call.given.get("path") != "a.json" or call.kind == "edit"]
    codex(session, tmp_path / "logs")
    made = mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks", [named(top, "mono")])
    assert made.counts == {"in-repository": 1}, made.segments
    (row,) = rows_in(tmp_path / "tasks")
    assert row["files"] == {"web/notes.txt": "one\ntwo\n"}, "only what differs from the commit"
    assert "web/a.json" in row["solution"]


def test_what_looks_like_a_secret_stays_in_the_repository(tmp_path: Path) -> None:
    top = tmp_path / "own"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    token = "ghp_" + "a1B2" * 9
    (top / "deploy.sh").write_text(f"curl -H 'x: {token}' https://example.com\n")
    (top / ".env").write_text("DATABASE_PASSWORD=correct-horse-9\n")
    (top / "test_login.py").write_text('login("ada@example.com", password="hunter22")\n')
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    one = SourceRepository(named(top))
    tree, notes = one.tree(one.commits()[0])
    assert notes.redacted == (".env", "deploy.sh")
    held = b"".join(tree.blobs.values())
    assert token.encode() not in held
    assert b"correct-horse" not in held
    assert b"hunter22" in held, "a test whose password is taken out is another test"


def test_nothing_of_a_repository_is_run(tmp_path: Path) -> None:
    top, ran = tmp_path / "own", tmp_path / "ran"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    (top / "a.txt").write_text("a\n")
    (top / ".gitattributes").write_text("*.txt filter=own diff=own\n")
    (top / "out").symlink_to("/etc/passwd")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    own = f"touch {ran}"
    for name in (
        "core.fsmonitor",
        "filter.own.smudge",
        "filter.own.clean",
        "diff.own.textconv",
        "core.pager",
        "core.sshCommand",
        "gpg.program",
        "core.alternateRefsCommand",
    ):
        git(top, "config", name, own)
    git(top, "config", "log.showSignature", "true")
    hook = top / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\n{own}\n")
    hook.chmod(0o755)
    one = SourceRepository(named(top))
    commit = one.at("main", "2030-01-01") or one.commits("2030-01-01")[0]
    tree, notes = one.tree(one.commit(commit))
    assert tree.read("a.txt") == b"a\n"
    assert notes.left_out == ("out",), "a link that leads out is no part of it, and said"
    assert not ran.exists()


def test_what_is_no_repository_or_no_tree_of_ours_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no git repository"):
        mine(Sources(paths=(tmp_path,)), choose_sandbox("bwrap", simulated_model=False), None, [named(tmp_path)])
    with pytest.raises(BadInput, match="no bin/"):
        with_environment(choose_sandbox("bwrap", simulated_model=False), tmp_path)
    top = tmp_path / "own"
    (top / "trace").mkdir(parents=True)
    git(top, "init", "-q", "-b", "main")
    (top / "trace" / "a").write_text("")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    one = SourceRepository(named(top))
    with pytest.raises(TreeRefused, match="one of ours: trace"):
        one.tree(one.commits()[0])


def test_a_package_that_is_missing_is_the_environments(tmp_path: Path, sandbox: Sandbox) -> None:
    top = tmp_path / "own"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    (top / "calc.py").write_text("import no_such_package\n\n\ndef add(a, b):\n    return a - b\n")
    (top / "test_calc.py").write_text(
        "import unittest, calc\n\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(calc.add(1, 2), 3)\n"
    )
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    at = At(tmp_path / "copy")
    at.write_there("calc.py", (top / "calc.py").read_text())
    at.read("calc.py")
    at.edit("calc.py", "a - b", "a + b")
    at.run("true")
    at.calls[-1].given["command"], at.calls[-1].said = "python -m unittest test_calc.py", "OK"
    claude_code(Worked(0, "own", "Mend add in calc.py so that test_calc.py passes.", at.calls), tmp_path / "logs")
    made = mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks", [named(top, "own")])
    (segment,) = made.segments
    assert segment.replayable == "needs-environment"
    assert "No module named 'no_such_package'" in segment.why
    (tmp_path / "env" / "bin").mkdir(parents=True)
    packages = tmp_path / "env" / "lib"
    packages.mkdir()
    (packages / "no_such_package.py").write_text("")
    python = tmp_path / "env" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{packages}:$PYTHONPATH" exec /usr/bin/env -u OWN python3 "$@"\n')
    python.chmod(0o755)
    made = mine(
        Sources(paths=(tmp_path / "logs",)), with_environment(sandbox, python), tmp_path / "tasks", [named(top, "own")]
    )
    assert made.counts == {"in-repository": 1}, made.segments


def test_a_module_of_a_tree_that_is_no_python_project_says_why_it_is_not_found(tmp_path: Path) -> None:
    top, at = tmp_path / "own", At(tmp_path / "copy")
    files = {"calc.py": "def add(a, b):\n    return a - b\n", "lib/shop.py": "", "test_calc.py": "import calc, shop\n"}
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    git(top, "init", "-q", "-b", "main")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    at.write_there("calc.py", files["calc.py"])
    at.read("calc.py")
    at.edit("calc.py", "a - b", "a + b")
    at.run("true")
    at.calls[-1].given["command"], at.calls[-1].said = "python test_calc.py", ""
    claude_code(Worked(0, "own", "Mend add in calc.py so that test_calc.py passes.", at.calls), tmp_path / "logs")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "api").write_text("http://127.0.0.1:9/api")
    more = ("--dry-run", "--repository", f"own={top}")
    table = run(tmp_path, tmp_path / "home", "mine", "logs", *more)
    said = " ".join(re.sub(r"[│┃]", " ", table.stdout).split())
    assert "(No module named 'shop')" in said, "the reason stands in the table"
    assert "`why` in --json" in said
    (segment,) = json.loads(run(tmp_path, tmp_path / "home", "mine", "logs", *more, "--json").stdout)["segments"]
    assert segment["replayable"] == "not-replayable"
    assert "stands in the tree, which has none of pyproject.toml, setup.py" in segment["why"]


def committed(top: Path, **files: str) -> str:
    """A repository with one commit; returns its name."""
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    for name, text in files.items():
        (top / name).write_text(text)
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    return git(top, "rev-parse", "HEAD").strip()


def test_a_repository_with_which_nothing_agrees_is_not_the_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed(tmp_path / "app", **{"README.md": "app"})
    web = committed(tmp_path / "webapp", **{"server.py": "print(1)\n"})
    both = opened([named(tmp_path / "app", "app"), named(tmp_path / "webapp", "webapp")])
    of_web = Shown(branch="main", when="2090-01-01T00:00:00Z", files={"server.py": "print(1)\n"})
    found = begin_tree(both, of_web, "/home/me/webapp", "/home/me/webapp")
    assert not isinstance(found, str)
    assert (found.repository, found.commit) == ("webapp", web)
    other = of_web._replace(files={"calc.py": "1\n"})
    assert isinstance(begin_tree(both, other, "/home/me/app", "/home/me/app"), str)
    monkeypatch.chdir(tmp_path / "app")
    assert [RepositoryAddress.parsed(text).name for text in (".", "..")] == ["app", tmp_path.name]


@pytest.mark.parametrize(
    ("command", "is_head"),
    [
        ("git log --oneline -5", True),
        ("cd /work/shop && git rev-parse HEAD", True),
        ("git log --oneline --no-merges -1", False),
        ("git log --oneline --until=2020-01-01 -1", False),
        ("git log --oneline -Sname -1", False),
        ("cd /work/other && git log --oneline -1", False),
        ("git -C ../other log --oneline -1", False),
    ],
)
def test_a_commit_that_is_not_the_last_of_this_repository_is_not_believed(command: str, *, is_head: bool) -> None:
    item = Operation(kind="run", step=1, command=command, output="a" * 40)
    session = Trajectory(id="1", task_id="1", seed=0, model="m", outcome=Outcome(kind="unknown"))
    said = shown(session, [item], [item], "/work/shop").said
    assert said == (("a" * 40,) if is_head else ())


def test_one_work_in_other_words_is_one_group_whatever_became_of_it() -> None:
    files = {"a.py": b"1\n"}
    task = beginning("Please mend the thing in a.py.", {**files, "b.py": b"2\n"}, files, in_tree=True)
    refused = beginning("What a.py says is wrong: repair it.", files, files)
    twins = Twins(Families(), [MetSegment("S1", task, is_task=True), MetSegment("S2", refused, is_task=False)])
    assert twins.sessions()[twins.group_of("S1")] == {"S1", "S2"}


def test_what_an_earlier_segment_took_away_is_not_there_when_a_later_one_begins(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    committed(tmp_path / "own", **{"old.py": "1\n", "a.py": "1\n"})
    one = SourceRepository(named(tmp_path / "own"))
    tree, _ = one.tree(one.commits()[0])
    work = [[Operation(kind="remove", step=1, path="old.py")], [Operation(kind="write", step=2, path="a.py", text="2")]]
    assert [done.gone for done in replayed({}, work, "", sandbox, Base(tree))] == [frozenset(), {"old.py"}]


def test_tasks_of_an_earlier_mining_keep_their_trees(
    found: tuple[MinedTasks, Path], shop: tuple[Path, list[str]], tmp_path: Path, sandbox: Sandbox
) -> None:
    folder = shutil.copytree(found[1], tmp_path / "tasks")
    before = load_domain("shell").load(folder)
    mine(Sources(paths=(worked_once(tmp_path),)), sandbox, folder)
    for task in before[:2]:
        lay_out(task, tmp_path / task.id)
        assert (tmp_path / task.id / "pyproject.toml").is_file()


def worked_once(folder: Path) -> Path:
    """Logs of a session that is another than those of the shop."""
    at = At(folder / "copy")
    at.write_there("a.json", '{"port": 80}\n')
    at.read("a.json")
    at.edit("a.json", "80", "9000")
    claude_code(Worked(0, "own", "Set port in a.json to 9000.", at.calls), folder / "logs")
    return folder / "logs"


def test_an_environment_names_what_ran_in_it(tmp_path: Path, sandbox: Sandbox) -> None:
    (tmp_path / "bin").mkdir()
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    before = with_environment(sandbox, tmp_path).name
    assert before != sandbox.name
    assert with_environment(sandbox, tmp_path).name == before
    (packages / "more-1.0.dist-info").mkdir()
    assert with_environment(sandbox, tmp_path).name != before


def test_a_file_with_a_secret_is_told_whatever_number_its_log_gave_it(tmp_path: Path) -> None:
    committed(tmp_path / "own", **{"conf.py": 'mail = "bob@corp-mail.com"\n'})
    one = opened([named(tmp_path / "own")])
    for number, agrees in (("e-mail:7", True), ("secret:1", False)):
        said = Shown(files={"conf.py": f'mail = "[REDACTED:{number}]"\n'})
        assert isinstance(begin_tree(one, said, "/home/me/own", ""), str) is not agrees


def test_keys_that_are_no_text_stay_in_the_repository_and_an_empty_git_folder_is_none(tmp_path: Path) -> None:
    committed(tmp_path / "own", **{"prod.env": "API_PASSWORD=correct-horse-9\n"})
    (tmp_path / "own" / "own.p12").write_bytes(b"\0\1\2")
    (tmp_path / "own" / "key.txt").write_text("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n", encoding="utf-16")
    (tmp_path / "own" / "logo.png").write_bytes(b"\0\1\2")
    git(tmp_path / "own", "add", ".")
    git(tmp_path / "own", "commit", "-q", "-m", "second")
    one = SourceRepository(named(tmp_path / "own"))
    tree, notes = one.tree(one.commits()[0])
    assert notes.redacted == ("key.txt", "own.p12", "prod.env")
    assert (tree.read("own.p12"), tree.read("logo.png")) == (b"", b"\0\1\2")
    (tmp_path / "own" / "sub" / ".git").mkdir(parents=True)
    with pytest.raises(BadInput, match="not a git repository"):
        SourceRepository(named(tmp_path / "own" / "sub"))


def solves(heard: Heard) -> Spoken:
    """Does what each kind of work asks, in the tree that it was given."""
    if heard.turns:
        return Spoken(text="It is done.")
    asked = heard.opening
    if (listed := re.search(r"Write index/(\w+)\.txt", asked)) is not None:
        command = f"tr ' ' '\\n' < lists/{listed[1]}.txt | sort | awk 'NF {{ print ++n, $1 }}' > index/{listed[1]}.txt"
    elif (port := re.search(r"settings/\w+\.json", asked)) is not None:
        command = f"sed -i 's/80/9000/' {port[0]}"
    else:
        ways = "; ".join(f"s|{wrong.replace('*', '[*]')}$|{right}|" for wrong, right in MISTAKES.values())
        command = f"sed -i '{ways}' $(ls shop/part_*.py)"
    return call(heard, "I do it.", "bash", command=command)


@pytest.mark.slow
def test_an_agent_works_in_the_tree_and_is_judged_there(
    found: tuple[MinedTasks, Path], tmp_path: Path, prefect_home: Path, plays: Any
) -> None:
    plays(solves)
    given = ("--data", found[1], "--domain", "shell", "--model", "sim/scripted", "--store", "s.duckdb")
    skill = ROOT / "examples" / "skills" / "shell-files"
    done = json.loads(run(tmp_path, prefect_home, "evaluate", skill, *given, "--json").stdout)
    assert {cell["outcome"] for row in done for cell in row["cells"]} == {"passed"}, done


def test_ingestion_holds_out_tasks_in_the_repository(
    shop: tuple[Path, list[str]], tmp_path: Path, prefect_home: Path, plays: Any
) -> None:
    plays(solves)
    (tmp_path / "copies").mkdir()
    logs = write_logs(worked_in(tmp_path / "copies", *shop, count=9, failing=0), tmp_path / "logs")
    given = (
        "--repository",
        f"shop={shop[0]}",
        "--analyst",
        "rules",
        "--agent-model",
        "sim/scripted",
        "--store",
        "s.duckdb",
    )
    done = json.loads(run(tmp_path, prefect_home, "ingest", logs, "--gate-on", "mined", *given, "--json").stdout)
    assert "2 of them mined from sessions" in done["sources"]["tested_on"]
    assert done["sources"]["held_out"] == 4
    refused = run(tmp_path, prefect_home, "ingest", logs, *given, code=2)
    assert "give --gate-on mined with it" in refused.stderr
