"""A skill in a Git repository: read without being trusted, one lineage for all workers, and promoted by a commit."""

import base64
import fcntl
import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from product import run
from questions_of_tests import write_math
from remotes import SKILL, SUMS, Remote
from run_settings import run_settings

from trace2skill.cli.repeat import in_words
from trace2skill.core.errors import BadInput, ChampionChanged, Interrupted, SkillInvalid
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.night import lineage_of
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.sandbox.running import allow_running, end_running
from trace2skill.skills import git_process, repository
from trace2skill.skills.git_address import GitAddress, parse
from trace2skill.skills.git_process import Git
from trace2skill.skills.repository import Repository
from trace2skill.skills.skill import Skill, SkillFile
from trace2skill.store import Store, open_store
from trace2skill.versions.places import Branch
from trace2skill.versions.registry import Registry, Version


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path)


def better(text: str = "Say the sum alone.") -> Skill:
    return SKILL.with_files({"SKILL.md": SUMS + f"- {text}\n".encode(), "references/more.md": b"# More\n"})


def kept(registry: Registry, skill: Skill) -> None:
    version = Version(name="sums", skill=skill.digest, parent=SKILL.digest, run_id="run-1", state="candidate")
    registry.record(skill, version)


def promote(registry: Registry, place: Branch, skill: Skill) -> None:
    kept(registry, skill)
    registry.promote(skill, place, expected=SKILL.digest, run_id="run-1", reason="better on 7")


def test_a_promotion_is_one_commit_on_the_branch_and_touches_nothing_else(remote: Remote, store: Store) -> None:
    registry, place = Registry(store), remote.place(store)
    assert place.read() == SKILL
    assert place.commit == remote.git("rev-parse", "main")
    registry.adopt(SKILL, place)
    promote(registry, place, better())
    assert remote.git("show", "main:skills/sums/SKILL.md").endswith("- Say the sum alone.")
    assert remote.git("show", "main:README.md") == "Skills of the team."
    assert remote.git("diff", "--name-only", "main~1", "main").split() == [
        "skills/sums/SKILL.md", "skills/sums/references/more.md",
    ]  # fmt: skip
    message = remote.git("log", "-1", "--format=%B", "main")
    assert message.startswith("sums 2: promoted")
    assert f"Skill-Digest: {better().digest}" in message
    assert "Trace2skill-Run: run-1" in message
    assert place.read() == better()
    registry.rollback("sums", remote.place(store), reason="worse in practice")
    assert remote.place(store).read() == SKILL
    assert "worse in practice" in remote.git("log", "-1", "--format=%B", "main")
    with pytest.raises(SkillInvalid, match="the directory is called 'sums' and the skill 'totals'"):
        place.check(SKILL.with_files({"SKILL.md": SUMS.replace(b"name: sums", b"name: totals")}))


def test_a_program_of_a_skill_is_one_in_the_repository_and_stays_one(remote: Remote, store: Store) -> None:
    remote.write("skills/sums/scripts/add.sh", b"#!/bin/sh\n")
    (remote.work / "skills/sums/scripts/add.sh").chmod(0o755)
    remote.commit_all()
    place = remote.place(store)
    found = place.read()
    assert found is not None
    assert [file.path for file in found.files if file.executable] == ["scripts/add.sh"]
    Registry(store).adopt(found, place)
    new = Skill(files=(*found.files, SkillFile(path="scripts/check.sh", content=b"#!/bin/sh\n", executable=True)))
    kept(Registry(store), new)
    Registry(store).promote(new, place, expected=found.digest, run_id="run-1", reason="better on 7")
    assert remote.place(store).read() == new
    modes = remote.git("ls-tree", "--format=%(objectmode)", "main:skills/sums/scripts").split()
    assert modes == ["100755", "100755"]


def test_processes_that_share_a_copy_take_turns_and_it_does_not_grow_without_end(
    remote: Remote, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, run_git = [], Git.run

    def alone(self: Git, *words: str, **given: Any) -> "subprocess.CompletedProcess[bytes]":
        with self.folder.with_suffix(".turn").open("w") as turn, pytest.raises(BlockingIOError):
            fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ran.append(words[0])
        return run_git(self, *words, **given)

    monkeypatch.setattr(Git, "run", alone)
    monkeypatch.setattr(repository, "MOST_PACKS", 2)
    for number in range(5):
        remote.commit({"skills/sums/SKILL.md": SUMS + b"%d\n" % number})
        found = remote.place(store).read()
        assert found is not None
        assert found.text("SKILL.md").endswith(f"\n{number}\n")
        assert len([*(store.beside / "git").rglob("*.pack")]) <= 3
    assert ran.count("fetch") == 5, "each commit once"
    remote.commit({"skills/sums/SKILL.md": SUMS})
    place = remote.place(store)
    assert place.commit
    (cache,) = (store.beside / "git").glob("*.git")
    shutil.rmtree(cache)  # as another process does that fetches meanwhile
    assert place.read() == SKILL
    Registry(store).adopt(SKILL, place)
    promote(Registry(store), place, better())
    assert {"init", "ls-remote", "fetch", "ls-tree", "cat-file", "fast-import", "push"} <= {*ran}


def test_where_the_branch_moved_the_commit_goes_on_top_and_where_the_skill_changed_nothing_is_pushed(
    remote: Remote, store: Store
) -> None:
    registry, place = Registry(store), remote.place(store)
    registry.adopt(SKILL, place)
    assert place.read() == SKILL
    theirs = remote.commit({"skills/other/SKILL.md": b"theirs"})
    promote(registry, place, better())
    assert remote.git("rev-parse", "main~1") == theirs

    remote.commit({"skills/sums/SKILL.md": SUMS + b"- Ask a colleague.\n"})
    before = remote.git("rev-parse", "main")
    again = better("Check it twice.")
    kept(registry, again)
    with pytest.raises(BadInput, match=r"have changed on branch 'main'.*nothing was pushed.*`trace2skill promote"):
        registry.promote(again, place, expected=better().digest, run_id="run-2", reason="better on 3")
    assert remote.git("rev-parse", "main") == before
    assert registry.champion("sums") == better().digest, "nothing was written down either"
    # The way out: what people wrote is the champion from now on, though it may have been one before.
    remote.commit({"skills/sums/SKILL.md": SUMS, "skills/sums/references/more.md": b"# More\n"})
    live = remote.place(store)
    assert registry.take_over("sums", live) == registry.champion("sums")
    assert registry.skill(registry.champion("sums") or "").text("SKILL.md") == SUMS.decode()


def test_a_branch_that_moves_between_look_and_push_is_fetched_again(
    remote: Remote, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, place = Registry(store), remote.place(store)
    registry.adopt(SKILL, place)
    push, others = repository.Repository.push, iter([b"1", b"2"])

    def late(self: repository.Repository, commit: str, branch: str, *, dry_run: bool = False) -> bool:
        if not dry_run and (other := next(others, None)):
            remote.commit({"NEWS.md": other})
        return push(self, commit, branch, dry_run=dry_run)

    monkeypatch.setattr(repository.Repository, "push", late)
    promote(registry, place, better())
    assert remote.git("rev-list", "--count", "main") == "4"  # one by a person, two meanwhile, one of ours
    assert "promoted" in remote.git("log", "-1", "--format=%s", "main")
    assert remote.git("show", "main:NEWS.md") == "2"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_promotion_that_a_kill_cut_short_is_pushed_exactly_once(
    remote: Remote, store: Store, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    class Killed(BaseException):
        pass

    push = repository.Repository.push

    def dies(self: repository.Repository, commit: str, branch: str, *, dry_run: bool = False) -> bool:
        if dry_run:
            return True
        if when == "after":
            push(self, commit, branch)
        raise Killed

    registry = Registry(store)
    registry.adopt(SKILL, remote.place(store))
    with monkeypatch.context() as patched:
        patched.setattr(repository.Repository, "push", dies)
        with pytest.raises(Killed):
            promote(registry, remote.place(store), better())
    (cache,) = (store.beside / "git").glob("*.git")
    (cache / "shallow.lock").touch()  # as a killed git leaves it
    for _ in range(2):
        registry.recover("sums", remote.place(store))
    assert remote.git("rev-list", "--count", "main") == "2"
    assert remote.place(store).read() == better()
    assert registry.history("sums")[-1].done


def test_a_retry_reads_its_commit_though_it_finishes_a_promotion_first(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **given: bool) -> bool:
        if not given.get("dry_run"):
            raise KeyboardInterrupt
        return True

    store = open_store(tmp_path / "store.duckdb")
    registry, place = Registry(store), remote.place(store)
    registry.adopt(SKILL, place)
    with monkeypatch.context() as patched:
        patched.setattr(repository.Repository, "push", refused)
        with pytest.raises(KeyboardInterrupt):
            promote(registry, place, better())
    store.close()
    settings = run_settings(
        data=write_math(tmp_path / "data", 6), domain="math", skill=remote.address(), store=tmp_path / "store.duckdb",
        skill_commit=remote.git("rev-parse", "main"), roles=Roles.all_played_by(ModelSettings(name="sim/office")),
    )  # fmt: skip
    try:
        retried = runtime(settings)
        assert retried.given_skill == SKILL
        assert retried.as_read == settings
    finally:
        forget_runtimes()
    assert "promoted" in remote.git("log", "-1", "--format=%s", "main"), "and what was decided is done"


def test_two_workers_with_stores_of_their_own_follow_one_branch(remote: Remote, tmp_path: Path) -> None:
    one, two = (open_store(tmp_path / name / "store.duckdb") for name in ("one", "two"))
    first, second = Registry(one), Registry(two)
    for registry, store in ((first, one), (second, two)):
        registry.adopt(SKILL, remote.place(store))
    promote(first, remote.place(one), better())
    assert second.take_over("sums", remote.place(two)) == better().digest
    first.rollback("sums", remote.place(one))
    assert second.take_over("sums", remote.place(two)) == SKILL.digest, "what was in use before may be again"
    one.close()
    two.close()


def test_two_workers_with_one_store_promote_one_after_the_other(remote: Remote, store: Store) -> None:
    """The second is told of the first one's champion, which its candidate has to beat now: no trouble with the branch."""
    registry, first, second = Registry(store), remote.place(store), remote.place(store)
    registry.adopt(SKILL, first)
    assert second.read() == SKILL
    promote(registry, first, better())
    theirs = better("Check it twice.")
    kept(registry, theirs)
    with pytest.raises(ChampionChanged):
        registry.promote(theirs, second, expected=SKILL.digest, run_id="run-2", reason="better on 3")
    registry.promote(theirs, second, expected=better().digest, run_id="run-2", reason="better on 2")
    assert remote.place(store).read() == theirs


def test_a_copy_that_is_begun_anew_takes_no_commit_from_those_who_read_it(
    remote: Remote, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_PACKS", 0)
    first, second = remote.place(store), remote.place(store)
    read = first.commit
    assert first.read() == SKILL, "what was just fetched is there"
    remote.commit({"skills/sums/SKILL.md": SUMS + b"- Newer.\n"})
    assert second.commit != read
    assert first.read() == SKILL, "another process began the copy anew: it is fetched again"
    Registry(store).adopt(SKILL, first)
    with pytest.raises(BadInput, match="have changed on branch"):
        first.put(better(), SKILL.digest, "promoted", "2026-11-29T19:00:00Z")
    shutil.rmtree(next((store.beside / "git").glob("*.git")))
    shutil.rmtree(remote.bare)
    with pytest.raises(BadInput, match="git says"):
        first.read()


def until(true: Callable[[], bool]) -> bool:
    """Wait for something that another process or thread does."""
    return any(true() or time.sleep(0.02) for _ in range(1000))


def hostile(remote: Remote, what: str) -> None:
    inside = remote.work / "skills" / "sums"
    if what == "a link out":
        (inside / "references").symlink_to("../../..")
    elif what == "a link to a file elsewhere":
        (inside / "LICENSE").symlink_to("/etc/passwd")
    elif what == "a link to itself":
        (inside / "LICENSE").symlink_to("LICENSE")
    elif what == "a submodule":
        head = remote._run(remote.work, "rev-parse", "HEAD")
        remote._run(remote.work, "update-index", "--add", "--cacheinfo", f"160000,{head},skills/sums/sub")
        remote._run(remote.work, "commit", "--quiet", "--message", "a submodule")
        remote._run(remote.work, "push", "--quiet", "origin", "HEAD:main")
        return
    elif what == "a tree without end":  # sixteen names for one tree, and that twelve times over: 281 million million
        tree = remote._run(remote.work, "rev-parse", "HEAD:skills/sums")
        for _ in range(12):
            listed = "".join(f"040000 tree {tree}\t{name}\n" for name in "abcdefghijklmnop")
            tree = remote._run(remote.work, "mktree", given=listed)
        top = remote._run(remote.work, "mktree", given=f"040000 tree {tree}\tsums\n")
        top = remote._run(remote.work, "mktree", given=f"040000 tree {top}\tskills\n")
        commit = remote._run(remote.work, "commit-tree", top, "-m", "a tree without end")
        remote._run(remote.work, "push", "--quiet", "--force", "origin", f"{commit}:refs/heads/main")
        return
    elif what == "too much":
        remote.write("skills/sums/assets/zeros", bytes(3 * 2**20))
    elif what == "a name with a line break":
        remote.write("skills/sums/assets/a\nb", b"")
    remote.commit_all()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("a link out", "'references' is a link that leads out"),
        ("a link to a file elsewhere", "'LICENSE' is a link that leads out"),
        ("a link to itself", "'LICENSE' is a link that leads to itself"),
        ("a submodule", "'sub' is a submodule"),
        ("a tree without end", "larger than a skill's repository may be"),
        ("too much", "it holds 3 MB, and a skill 5000 files and 2 MB at most"),
        ("a name with a line break", "control character"),
    ],
)
def test_a_hostile_tree_is_refused_by_name_and_nothing_of_it_is_ever_on_the_disk(
    remote: Remote, store: Store, what: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_BYTES", 2 * 2**20)
    hostile(remote, what)
    with pytest.raises(BadInput, match=said):
        remote.place(store).read()
    assert not [
        path for path in (store.beside / "git").rglob("*") if path.is_symlink() or path.name in ("zeros", "SKILL.md")
    ]


def test_links_inside_the_skill_are_read_and_no_program_of_anybodys_is_run(
    remote: Remote, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks of a template, a filter of the user's that the repository asks for, and an editor: git may run them."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "pre-push", "post-index-change", "fsmonitor-watchman"):
        os.symlink(program, hooks / name)
    config = tmp_path / "gitconfig"
    config.write_text(
        f"[init]\n\ttemplateDir = {tmp_path / 'template'}\n[core]\n\thooksPath = {hooks}\n\tfsmonitor = {program}\n"
        f'[filter "run"]\n\tsmudge = {program}\n\tclean = {program}\n\tprocess = {program}\n'
    )
    remote.commit({".gitattributes": b"* filter=run\n", "skills/sums/LICENSE": b"Yours.\n"})
    os.symlink("LICENSE", remote.work / "skills" / "sums" / "LICENSE.txt")
    remote.commit_all()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "elsewhere"))
    place = remote.place(store)
    found = place.read()
    assert found is not None
    assert found.text("LICENSE.txt") == "Yours.\n"
    assert not (tmp_path / "ran").exists()
    (hooks / "reference-transaction").unlink()  # what is pushed to has that one, too, and its hooks are its own
    Registry(store).adopt(found, place)
    new = found.with_files({"SKILL.md": SUMS + b"- Be brief.\n"})
    kept(Registry(store), new)
    Registry(store).promote(new, place, expected=found.digest, run_id="run-1", reason="")
    assert place.read() == new
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_promoted_stands_on_the_branch_though_links_lead_to_what_changed(remote: Remote, store: Store) -> None:
    inside = remote.work / "skills" / "sums"
    remote.commit({"skills/sums/references/a.md": b"# A\n", "skills/sums/references/b.md": b"# B\n"})
    for link, to in (("a.md", "references/a.md"), ("again.md", "a.md"), ("b.md", "references/b.md")):
        os.symlink(to, inside / link)
    remote.commit_all()
    place = remote.place(store)
    found = place.read()
    assert found is not None
    assert found.text("again.md") == "# A\n"
    new = found.with_files({"references/a.md": b"# Newer\n"})
    place.put(new, found.digest, "promoted", "2026-11-29T19:00:00Z")
    assert remote.place(store).read() == new
    modes = {line.split("\t")[1]: line[:6] for line in remote.git("ls-tree", "main:skills/sums").splitlines()}
    assert (modes["again.md"], modes["b.md"]) == ("100644", "120000"), "what has not changed stays a link"


def test_a_skill_whose_links_lead_to_too_much_is_refused_before_it_is_read(
    remote: Remote, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "MOST_BYTES", 2 * 2**20)
    remote.write("skills/sums/assets/zeros", bytes(2**20))
    for number in range(8):
        os.symlink("zeros", remote.work / "skills" / "sums" / "assets" / f"link{number}")
    remote.commit_all()
    with pytest.raises(BadInput, match="it holds 9 MB, and a skill 5000 files and 2 MB at most"):
        remote.place(store).read()


def test_tags_and_commits_are_read_and_not_written(remote: Remote, store: Store) -> None:
    first = remote.git("rev-parse", "main")
    remote.git("tag", "v1", "main")
    remote.commit({"skills/sums/SKILL.md": SUMS + b"- Newer.\n"})
    for ref in ("v1", first):
        place = remote.place(store, ref)
        assert place.read() == SKILL
        with pytest.raises(BadInput, match="no branch but a tag or a commit"):
            place.check(better())
        assert not place.is_newest
    assert remote.place(store).is_newest
    remote.git("branch", "v1", "main")
    assert remote.place(store, "v1").commit == remote.git("rev-parse", "main"), "a branch comes before a tag"
    assert remote.place(store, "").commit == remote.git("rev-parse", "main"), "the default branch"
    with pytest.raises(BadInput, match="no branch, tag or whole commit 'v2'"):
        remote.place(store, "v2").read()
    assert remote.place(store, path="skills/none").read() is None
    with pytest.raises(BadInput, match="git says"):
        Branch(GitAddress(f"file://{remote.bare}x", "main"), store.beside).read()
    address = parse(remote.address())
    assert isinstance(address, GitAddress)
    remote.bare.rename(remote.bare.with_suffix(".gone"))
    assert Branch(address, store.beside, first).read() == SKILL, "a run that goes on has the commit that it began with"


@pytest.fixture
def stub_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Branch]:
    """A place whose git is a script."""

    def made(script: str) -> Branch:
        git = tmp_path / "bin" / "git"
        git.parent.mkdir()
        git.write_text(f"#!/bin/sh\n{script}\n")
        git.chmod(0o755)
        monkeypatch.setenv("PATH", str(git.parent), prepend=os.pathsep)
        return Branch(GitAddress("file:///srv/skills", "main"), tmp_path)

    return made


def has_ended(process: Path) -> bool:
    """Is the process gone whose number stands in a file? It is nobody's child by then, and may be a zombie for a while."""
    state = Path("/proc") / process.read_text().strip() / "stat"
    return not state.exists() or state.read_text().rpartition(") ")[2].startswith("Z")


@pytest.mark.parametrize("how", ["time", "stop"])
def test_what_git_has_started_ends_with_it(
    stub_git: Callable[[str], Branch], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    place = stub_git(f"sleep 100 & echo $! > {tmp_path}/made; mv {tmp_path}/made {tmp_path}/child; wait")
    if how == "time":
        monkeypatch.setattr(git_process, "PATIENCE_SECONDS", 0.5)
        with pytest.raises(BadInput, match="not done with it after 0.5 s"):
            place.read()
    else:
        stopping_soon = threading.Thread(target=lambda: (until((tmp_path / "child").exists), end_running()))
        stopping_soon.start()
        try:
            with pytest.raises(Interrupted):
                place.read()
        finally:
            stopping_soon.join()
            allow_running()
    assert until(lambda: has_ended(tmp_path / "child"))


def test_whoever_waits_for_another_process_says_so_and_stops_when_asked_to(
    remote: Remote, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(repository, "SILENT_SECONDS", 0.0)
    place = remote.place(store)
    (store.beside / "git").mkdir()
    turn = Repository.below(GitAddress(f"file://{remote.bare}", "main", "skills/sums"), store.beside).folder
    with turn.with_suffix(".turn").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        stopping_soon = threading.Thread(target=lambda: (until(lambda: bool(caplog.records)), end_running()))
        stopping_soon.start()
        try:
            with pytest.raises(Interrupted):
                place.read()
        finally:
            stopping_soon.join()
            allow_running()
    assert "waiting for another process" in caplog.text
    assert place.read() == SKILL


def test_a_repository_beyond_the_limit_is_named_so_though_a_child_of_git_met_it(
    stub_git: Callable[[str], Branch],
) -> None:
    place = stub_git("echo 'fatal: fetch-pack: index-pack died of signal 25' >&2; exit 128")
    with pytest.raises(BadInput, match=r"larger than a skill's repository may be \(1024 MB"):
        place.read()


def test_a_limit_of_the_machine_below_ours_is_kept(remote: Remote, store: Store) -> None:
    """In a process of its own: a hard limit stays."""
    program = (
        "import resource, sys; from pathlib import Path; from trace2skill.versions.places import Branch\n"
        "from trace2skill.skills.git_address import parse\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))\n"
        "print(Branch(parse(sys.argv[1]), Path(sys.argv[2])).read().name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, remote.address(), str(store.beside)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "sums\n", done.stderr


@pytest.mark.parametrize(
    "address",
    [
        "git+ext::sh -c touch% /tmp/x",
        "git+http://example.com/x",
        "git+https://example.com/x@--upload-pack=touch",
        "git+https://example.com/x@main..other",
        "git+https://example.com/x@a:b",
        "git+https://-oProxyCommand=touch/x",
        "git+ssh://-oProxyCommand=touch/x@main",
        "git+ssh://-oProxyCommand=touch@example.com/x@main",
        "git+ssh://a:b@example.com/x",
        "git+https://example.com/--upload-pack=touch@main",
        "git+https://example.com/a/../b@main",
        "git+https://example.com/x@main#../y",
        "git+https://example.com/x@main#.git/hooks",
        "git+https://example.com/x@main#-y",
        "git+https://example.com/x?token=1@main",
        "git+file://host/x@main",
        "git+https://example.com/x\n@main",
    ],
)
def test_an_address_that_git_could_take_for_more_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(address)


@pytest.mark.parametrize(
    "address",
    [
        "git+https://bot:1234/s3cret@example.com/r",
        "git+https://bot:1234/s3cret@gitlab/r@main",
        "git+https://bot:p/s3cret@example.com/r",
        "git+https://bot:p[a1s3cret]x@example.com/r",
        "git+https://bot:s3cret[@example.com/r",
        "git+https://bot:12#s3cret@example.com/r",
        "git+https://bot:12/x#s3cret@example.com/r",
        "git+https://bot:12?s3cret@example.com/r",
        "git+https://bot/x:s3cret@example.com/r",
        "git+https://bot:x@y/s3cret@example.com/r",
        "git+https://bot:x@s3cret/y@example.com/r@main",
    ],
)
def test_an_address_in_which_a_password_ends_too_soon_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be") as refused:
        parse(address)
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))


def test_what_an_address_may_not_hold_as_it_is_can_be_written_with_percent_signs() -> None:
    for text in (
        "git+https://gitlab:8443/team/skills@feature%2Fx#%40team/sums%20up",
        "git+https://example.com/skills@feature/x",
        "git+ssh://git@gitlab/skills@feature/x",
    ):
        given = parse(text)
        assert isinstance(given, GitAddress)
        assert given.ref == "feature/x"
        assert str(given) == text
        assert parse(str(given)) == given
    assert isinstance(given := parse("git+https://example.com/skills@main#%40team/sums%20up"), GitAddress)
    assert (given.path, given.name) == ("@team/sums up", "sums up")
    assert isinstance(given := parse("git+https://bot:p%2Fw%40@example.com/skills@main"), GitAddress)
    assert given.credentials == "bot:p/w@"
    for path in ("%2e%2e/x", "a%2Fb", "a%0Ab", "%2Egit", "%2Dx", "a%5Cb"):
        with pytest.raises(ValueError, match="behind|follows"):
            parse(f"git+https://example.com/skills@main#{path}")


def test_a_command_is_repeated_without_the_passwords_in_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "s3cret-of-mine")
    typed = [
        "run", "--skill", "git+https://bob:s3cret@example.com/r@main#sums", "--skill=git+https://bob:s3cret/x@host/r",
        "--api-base", "https://bob:s3cret@example.com/v1?token=s3cret", "--api-base=bob:s3cret@example.com",
        "--store", "postgresql://me:s3cret@db/x", "--store=host=db password=s3cret", "--why", "s3cret-of-mine",
    ]  # fmt: skip
    said = in_words(typed)
    assert "s3cret" not in said
    assert "--skill git+https://example.com/r@main#sums" in said.replace("'", "")
    harmless = [
        "run",
        "--skill",
        "git+https://example.com/r@main",
        "--store",
        "postgresql://me@db/x",
        "--data",
        "a@b/c",
    ]
    assert shlex.split(in_words(harmless)) == harmless


def test_a_user_without_a_password_leaves_the_password_to_gits_credential_helper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = tmp_path / "git"
    git.write_text(f"#!/bin/sh\nenv | grep GIT_CONFIG_ > {tmp_path}/env\nexit 1\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    address = parse("git+https://bot@example.com/team/others@main#sums")
    assert isinstance(address, GitAddress)
    with pytest.raises(BadInput):
        Branch(address, tmp_path / "below").read()
    sent = (tmp_path / "env").read_text()
    assert "Authorization" not in sent
    assert "credential.https://example.com/team/others.username\n" in sent
    assert "=bot\n" in sent


def test_credentials_stand_nowhere_and_one_lineage_has_many_addresses() -> None:
    given = parse("git+https://bot:s3cret-t0ken@example.com/team/skills.git@main#office/workbooks")
    assert str(given) == "git+https://example.com/team/skills.git@main#office/workbooks"
    assert isinstance(given, GitAddress)
    assert given.credentials == "bot:s3cret-t0ken"
    assert "s3cret" not in repr(given)
    roles = Roles.all_played_by(ModelSettings(name="sim/office"))
    one, other = (run_settings(data="d", skill=str(given), roles=roles), run_settings(
        data="d", skill="git+https://ann:other@example.com/team/skills.git@night#office/workbooks", roles=roles,
    ))  # fmt: skip
    assert "s3cret" not in one.model_dump_json() + str(one)
    assert one.identity == other.identity
    assert lineage_of(one) == lineage_of(other) == "git+https://example.com/team/skills.git#office/workbooks"
    assert one.label == "workbooks (spreadsheet)"
    # A command line's path has one slash where there were two.
    for text in (str(given), "git+file:///srv/skills@main#x"):
        assert str(parse(Path(text))) == text


def test_credentials_reach_git_by_its_environment_and_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = tmp_path / "git"
    git.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/words\nenv >> {tmp_path}/env\necho "fatal: 403" >&2\nexit 1\n')
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    address = parse("git+https://bot:s3cret-t0ken@example.com/team/skills@main#sums")
    assert isinstance(address, GitAddress)
    with pytest.raises(BadInput, match="give git a key here") as refused:
        Branch(address, tmp_path / "below").read()
    sent = base64.b64encode(b"bot:s3cret-t0ken").decode()
    told = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    settings = {
        told[f"GIT_CONFIG_KEY_{n}"]: told[f"GIT_CONFIG_VALUE_{n}"] for n in range(int(told["GIT_CONFIG_COUNT"]))
    }
    assert settings == {
        "http.https://example.com/team/skills.extraHeader": f"Authorization: Basic {sent}",
        "http.followRedirects": "false",  # to another host
    }
    assert told["GIT_ALLOW_PROTOCOL"] == "https"
    other = parse("git+https://example.com/team/other@main")
    assert isinstance(other, GitAddress)
    assert other.credentials == "", "they are for the one repository"
    for text in (str(refused.value), (tmp_path / "words").read_text()):
        assert "s3cret" not in text
        assert sent not in text


def test_a_run_learns_for_a_branch_and_says_which_commit_it_read(
    remote: Remote, tmp_path: Path, prefect_home: Path
) -> None:
    data = write_math(tmp_path / "data", 24)
    read = remote.git("rev-parse", "main")
    command = ["run", "--domain", "math", "--data", data, "--sandbox", "process", "--model", "sim/office"]
    done = run(
        tmp_path, prefect_home, *command, "--skill", remote.address(), "--promote", "auto", "--level", "0.6", "--json"
    )
    made = json.loads(done.stdout)
    assert made["promoted"], made["decision"]["reason"]
    assert remote.git("rev-parse", "main~1") == read
    assert made["run_id"] in remote.git("log", "-1", "--format=%B", "main")
    settings = (tmp_path / ".trace2skill" / "runs" / made["run_id"] / "settings.yaml").read_text()
    assert f"skill_commit: {read}" in settings
    back = run(tmp_path, prefect_home, "rollback", remote.address(), "--why", "not yet")
    assert "holds sums" in back.stdout
    assert remote.git("show", "main:skills/sums/SKILL.md") == SUMS.decode().strip()
