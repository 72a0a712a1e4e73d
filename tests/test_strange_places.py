"""What a run writes with its last steps is tried before its first; what is printed and exported stays where it belongs."""

import base64
import io
import os
import subprocess
import sys
import threading
import unicodedata
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE, OFFICE_SKILL
from product import run

from trace2skill.cli import store as cli_store
from trace2skill.cli.app import main
from trace2skill.cli.console import Console, code, plain
from trace2skill.consolidate.quarantine import Quarantined
from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.runs import preflight
from trace2skill.runs.held_back import united
from trace2skill.runs.run_progress import ProgressFile, RunProgress
from trace2skill.runs.settings import RunSettings
from trace2skill.safety.screening import screened
from trace2skill.skills.skill import Skill, SkillFile, read_skill, write_skill
from trace2skill.store import open_store
from trace2skill.versions.export import to_directory, to_git, to_zip
from trace2skill.versions.registry import Registry, Version

SKILL = read_skill(OFFICE_SKILL)


def named(name: str) -> Skill:
    text = f"---\nname: {name}\ndescription: d\n---\n\n# S\n".encode()
    return Skill(files=(SkillFile(path="SKILL.md", content=text),))


def settings(tmp_path: Path, skill: Path | None, promote: str = "auto", **operation: Any) -> RunSettings:
    model = {"name": "sim/office"}
    return RunSettings.model_validate(
        {
            "data": {"path": tmp_path, "skill": skill},
            "models": dict.fromkeys(("agent", "analyst", "merger"), model),
            "operation": {"promote": promote, "store": tmp_path / "s.duckdb", "output": tmp_path / "runs", **operation},
        }
    )


def lay(tmp_path: Path, directory: str, skill: Skill) -> Path:
    write_skill(skill, tmp_path / "made" / skill.name)
    target = tmp_path / directory
    target.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "made" / skill.name).rename(target)
    return target


def test_a_directory_of_another_name_is_refused_where_the_run_would_replace_it(tmp_path: Path) -> None:
    other = lay(tmp_path, "a-copy", named("rows"))
    with pytest.raises(BadInput, match="the directory is called 'a-copy' and the skill 'rows'"):
        preflight.check_places(settings(tmp_path, other), named("rows"), "run-1")
    preflight.check_places(settings(tmp_path, other, "stage"), named("rows"), "run-1")


def test_a_name_of_macos_is_the_same_name(tmp_path: Path) -> None:
    skill = named(unicodedata.normalize("NFC", "pr\u00fcfung"))
    directory = lay(tmp_path, unicodedata.normalize("NFD", "pr\u00fcfung"), skill)
    preflight.check_places(settings(tmp_path, directory), skill, "run-1")
    write_skill(skill.with_files({"LICENSE": b"x"}), directory)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("pr")] == [directory.name]


def test_a_linked_directory_stays_a_link(tmp_path: Path) -> None:
    real = lay(tmp_path, "checkout/rows", named("rows"))
    link = tmp_path / "rows"
    link.symlink_to(real)
    preflight.check_places(settings(tmp_path, link), named("rows"), "run-1")
    write_skill(named("rows").with_files({"LICENSE": b"x"}), link)
    assert link.is_symlink()
    assert (real / "LICENSE").read_bytes() == b"x"


@pytest.mark.parametrize("what", ["output is a file", "run is a file", "skill's place", "a fault"])
def test_what_cannot_be_written_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    directory, skill = lay(tmp_path, "skills/rows", named("rows")), named("rows")
    if what == "output is a file":
        (tmp_path / "runs").write_text("x")
    if what == "run is a file":
        (tmp_path / "runs").mkdir()
        (tmp_path / "runs" / "run-1").write_text("x")
    if what == "skill's place":  # as on a read-only file system

        def refused(*_: object) -> None:
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr("trace2skill.skills.skill.trial", refused)
    if what == "a fault":
        skill = named("Not A Name")
    with pytest.raises(BadInput, match="cannot be written|nothing can be written|not a valid skill"):
        preflight.check_places(settings(tmp_path, directory), skill, "run-1")
    assert sorted(path.name for path in directory.parent.iterdir()) == ["rows"], "a trial leaves nothing behind"


def test_two_stores_do_not_share_a_run_directory(tmp_path: Path) -> None:
    first = settings(tmp_path, None)
    open_store(tmp_path / "s.duckdb").close()
    owner = RunProgress(run_id="run-1", kind="run", store=preflight.store_from(first, "run-1"))
    ProgressFile(tmp_path / "runs" / "run-1", owner, lambda: 0.0)
    preflight.check_places(first, None, "run-1")
    with pytest.raises(BadInput, match="--output"):
        preflight.check_places(settings(tmp_path, None, store=tmp_path / "t.duckdb"), None, "run-1")
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    preflight.check_places(settings(moved, None), None, "run-1")


def test_a_task_that_must_not_regress_is_a_held_out_task(tmp_path: Path) -> None:
    given = settings(tmp_path, None)
    gate = given.gate.model_copy(update={"no_regression": ("task-12",)})
    with pytest.raises(BadInput, match="did you mean 'task-1'"):
        preflight.check_named_tasks(given.model_copy(update={"gate": gate}), ["task-1", "other"])
    preflight.check_named_tasks(given.model_copy(update={"gate": gate}), ["task-12"])


@pytest.mark.parametrize(
    "text", ["[/b] rule", "[red]x[/blue]", "a\x1b[2J\x1b]0;title\x07b", "tab\there", "\u202eevil", "[link=x]y"]
)
def test_nothing_that_is_printed_moves_the_cursor_or_raises(text: str) -> None:
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=False)
    console.print(text, highlight=False)
    console.print(f"[bold]{plain(text)}[/bold]", highlight=False)
    console.print(code(text, "diff"))
    console.rule(text)
    said = out.getvalue()
    assert "\x1b" not in said
    assert "\x07" not in said
    assert "\u202e" not in said


def test_a_text_that_many_ask_for_is_reviewed_once() -> None:
    findings = screened("Use `sudo rm -rf /x`.")
    items = [
        Quarantined(text=f"Use `sudo rm -rf /x`.{' ' * (n % 2)}", findings=findings, trajectories=(f"T{n}",))
        for n in range(50)
    ]
    (one,) = united(items)
    assert len(one.trajectories) == 50


def test_a_name_that_leads_out_is_exported_nowhere(tmp_path: Path) -> None:
    evil = named("../../evil")
    with pytest.raises(SkillInvalid):
        to_zip(evil, tmp_path / "x.skill")
    assert not (tmp_path / "x.skill").exists()
    to_zip(SKILL, tmp_path / "y.skill")
    assert all(name.startswith(f"{SKILL.name}/") for name in zipfile.ZipFile(tmp_path / "y.skill").namelist())


def test_a_link_is_not_exported_to_though_it_leads_to_a_skill_of_that_name(tmp_path: Path) -> None:
    write_skill(named("rows"), tmp_path / "checkout" / "rows")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "rows").symlink_to(tmp_path / "checkout" / "rows")
    with pytest.raises(BadInput, match="is a link"):
        to_directory(named("rows").with_files({"LICENSE": b"x"}), tmp_path / "out")
    assert read_skill(tmp_path / "checkout" / "rows") == named("rows")


def test_a_branch_with_commits_of_others_is_not_replaced(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.duckdb")
    registry = Registry(store)
    odd = SKILL.with_files({'assets/qu"ote.txt': b"x"})
    registry.record(odd, Version(name=odd.name, skill=odd.digest, state="by_hand"))
    repository = tmp_path / "repository"

    def git(*arguments: str) -> str:
        told = {
            **os.environ,
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        return subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True, env=told
        ).stdout

    repository.mkdir()
    git("init", "-q", "-b", "main")
    (repository / "a").write_text("1")
    git("add", "a")
    git("commit", "-q", "-m", "mine")
    git("branch", "work")
    for branch, said in (
        ("main", "checked out"),
        ("work", "no export wrote"),
        ("bad name", "does not take"),
        ("-x", "does not take"),
    ):
        with pytest.raises(BadInput, match=said):
            to_git(registry, SKILL.name, repository, branch)
    assert to_git(registry, SKILL.name, repository, "skills") == 1
    assert to_git(registry, SKILL.name, repository, "skills") == 1, "what an export wrote, an export writes again"
    assert 'qu\\"ote.txt' in git("ls-tree", "-r", "--name-only", "skills")
    assert git("log", "--format=%s", "main").strip() == "mine"
    store.close()


def test_a_prefect_server_that_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from tasks import server

    monkeypatch.setattr(server, "LOOK_FOR_SECONDS", 0.0)
    with (
        temporary_settings({PREFECT_API_URL: "http://me:hunter2hunter2@127.0.0.1:9/api"}),
        pytest.raises(BadInput) as refused,
    ):
        server.check_server()
    assert "no Prefect server answers at" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
    (tmp_path / "api").write_text("http://127.0.0.1:9/api")
    lay(tmp_path, "rows", named("rows"))
    said = run(tmp_path, tmp_path, "run", "--data", OFFICE, "--skill", "rows", "--model", "sim/office", code=2)
    assert "no Prefect server answers at" in said.complaint
    assert len(said.stderr.splitlines()) < 5, said.stderr


def test_a_prefect_server_that_lets_nobody_in_is_one_line() -> None:
    """Everybody may ask it for its health; a run would fail with a traceback at its first block."""
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    from tasks import server

    right = f"Basic {base64.b64encode(b'me:hunter2hunter2').decode()}"

    class Guarded(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            let_in = self.path == "/api/health" or self.headers.get("authorization") == right
            self.send_response(200 if let_in else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Guarded) as guarded:
        threading.Thread(target=guarded.serve_forever, daemon=True).start()
        url = {PREFECT_API_URL: f"http://127.0.0.1:{guarded.server_port}/api"}
        for sent in ({}, {PREFECT_API_AUTH_STRING: "me:wrong"}):
            with (
                temporary_settings({**url, **sent}),
                pytest.raises(BadInput, match="PREFECT_API_AUTH_STRING") as refused,
            ):
                server.check_server()
            assert "\n" not in str(refused.value)
        with temporary_settings({**url, PREFECT_API_AUTH_STRING: "me:hunter2hunter2"}):
            server.check_server()
        guarded.shutdown()


def test_a_skill_with_folders_of_its_own_is_valid(tmp_path: Path, prefect_home: Path) -> None:
    write_skill(
        named("rows").with_files({"forms.md": b"f", "reference/api.md": b"a", "templates/a.html": b"h"}),
        tmp_path / "rows",
    )
    assert "valid, 4 files" in run(tmp_path, prefect_home, "validate", "rows").stdout
    os.mkfifo(tmp_path / "rows" / "pipe")
    assert "pipe" in run(tmp_path, prefect_home, "validate", "rows", code=2).complaint


def test_a_full_disk_is_one_line_wherever_it_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report is written last, after all was paid for; any other file may be the one."""
    open_store(tmp_path / "s.duckdb").close()

    def filled(*_: object) -> None:
        with Path("/dev/full").open("w") as full:
            full.write("x")

    monkeypatch.setattr(cli_store, "export_store", filled)
    monkeypatch.setattr(sys, "argv", ["trace2skill", "store", "export", "out", "--store", str(tmp_path / "s.duckdb")])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "No space left on device" in said
    assert "free some space, then run the same command again" in said
    assert "Traceback" not in said
