"""What a command may leave behind: nested without end, odd names, no files at all, too many. Nothing of it raises here."""

import errno
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
from attacks import machine

from trace2skill.agents.agent_log import matching_paths
from trace2skill.domains import load_domain
from trace2skill.domains.base import Grade, SaysLeftOut
from trace2skill.domains.files import FileDomain
from trace2skill.sandbox import Access, Limits, bubblewrap, syscalls, tables
from trace2skill.sandbox.bubblewrap import Bubblewrap
from trace2skill.sandbox.process import PlainProcess
from trace2skill.sandbox.tree import scratch_directory, size_of
from trace2skill.types.task import Task

needs_bwrap = pytest.mark.skipif(bool(bubblewrap.works()), reason=f"no working bwrap: {bubblewrap.works()}")


def nested(root: Path, name: str, levels: int, content: bytes = b"x") -> None:
    """So many folders in each other and a file in the last, however long the path becomes."""
    folder = os.open(root, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=folder)
        deeper = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = deeper
    handle = os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=folder)
    os.write(handle, content)
    os.close(handle)
    os.close(folder)


def no_files(root: Path) -> None:
    os.mkfifo(root / "pipe")
    socket.socket(socket.AF_UNIX).bind(str(root / "socket"))
    (root / "link").symlink_to("/etc/passwd")
    (root / "loop").symlink_to(".")


def sparse(root: Path) -> None:
    with (root / "sparse").open("wb") as file:
        file.truncate(2**33)


def locked(root: Path) -> None:
    (root / "inner").mkdir()
    (root / "inner" / "file").write_bytes(b"x")
    (root / "inner").chmod(0)
    root.chmod(0)


def crowd(root: Path) -> None:
    for number in range(1_500):
        (root / f"z{number}").touch()


def odd_names(root: Path) -> None:
    for name in (b"a\xffb", b"back\\slash", b"two\nlines", b"\xf0\x9f\x98\x80"):
        os.close(os.open(os.path.join(os.fsencode(root), name), os.O_WRONLY | os.O_CREAT))


class Files(FileDomain):
    """A kind of task as a user writes one."""

    name, version, about = "files", "1", ""

    def load(self, data: Path) -> list[Task]:
        return []

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        return Grade(cases=())


Made = Callable[[Path], None]
HOSTILE: dict[str, tuple[Made, str]] = {
    "18 names of 250 letters": (lambda root: nested(root, "n" * 250, 18), "paths longer than 1000 bytes"),
    "1,100 levels": (lambda root: nested(root, "d", 1_100), "nested deeper than 40 levels"),
    "locked": (locked, ""),
    "no files": (no_files, "pipe"),
    "sparse": (sparse, "sparse"),
    "crowd": (crowd, "z3"),
    "odd names": (odd_names, "names that are no UTF-8"),
}


@pytest.mark.parametrize(("make", "said"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["shell", "files"])
def test_what_is_left_is_collected_within_bounds_and_what_is_not_is_named(name: str, make: Made, said: str) -> None:
    domain = load_domain("shell") if name == "shell" else Files()
    task = Task(id="t", domain="shell", instruction="Do it.", content="t", detail={"inline": "{}"})
    with scratch_directory("t2s-test-") as directory:
        workspace = Path(directory)
        (workspace / "output").mkdir()
        (workspace / "output" / "right.txt").write_bytes(b"right")
        make(workspace / "output")
        outputs = domain.collect(task, workspace)
        assert isinstance(domain, SaysLeftOut)
        left_out = domain.left_out(task, workspace)
        assert outputs.get("output/right.txt") == b"right", "beside the rest"
        assert sum(map(len, outputs.values())) < 2**20
        assert not said or any(said in line for line in left_out), left_out
        assert isinstance(matching_paths(workspace, "*"), list)
        for content in outputs:
            content.encode()
    assert not workspace.exists(), "it is really gone"


def test_names_hide_no_bytes(tmp_path: Path) -> None:
    nested(tmp_path, "n" * 250, 18, b"x" * 2**22)
    size, more = size_of(tmp_path, 1_000)
    assert size >= 2**22
    assert not more
    assert size_of(tmp_path, 10)[1], "more than may be looked at is said"


SMALL = Limits(wall_seconds=20, workspace_mb=3, memory_mb=128)
HUNGRY = 'python3 -c "x = bytearray(90 * 2**20); import time; time.sleep(8)" & '
TOO_MUCH = {
    "nested": ("for i in $(seq 18); do n=$(printf 'n%.0s' $(seq 250)); mkdir $n; cd -P $n; done; head -c 5000000 /dev/zero > f; sleep 9", "disk"),
    "many": ("for i in $(seq 1300); do : > f$i; done", "files"),
    "hungry together": (f"{HUNGRY * 4} wait", "memory"),
}  # fmt: skip


@needs_bwrap
@pytest.mark.parametrize(("command", "stopped"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_takes_too_much_is_stopped(tmp_path: Path, command: str, stopped: str) -> None:
    assert Bubblewrap().run(command, tmp_path, limits=SMALL).stopped == stopped


@pytest.mark.parametrize("sandbox", [pytest.param(Bubblewrap(), marks=needs_bwrap, id="bwrap"), PlainProcess()])
def test_what_is_written_to_the_home_counts_as_well(tmp_path: Path, sandbox: Bubblewrap) -> None:
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    workspace.mkdir()
    home.mkdir()
    fills = "head -c 2500000 /dev/zero > $HOME/x; head -c 2500000 /dev/zero > y; sleep 9"
    assert sandbox.run(fills, workspace, limits=SMALL, access=Access(home=home)).stopped == "disk"


@needs_bwrap
def test_memory_outside_the_count_is_bounded(tmp_path: Path) -> None:
    def said(command: str) -> str:
        return Bubblewrap().run(command, tmp_path).output

    assert "not permitted" in said("unshare -Urm true")
    assert "refused" in said(f"python3 - <<'END'\n{CLONE}\nEND")
    assert "No space left" in said("head -c 100000000 /dev/zero > /dev/shm/x")
    assert "Read-only" in said("mkdir /dev/more")
    assert (
        said("echo x > /dev/null; python3 -c 'import multiprocessing as m; print(m.Pool(1).map(abs, [-1]))'") == "[1]\n"
    )


@needs_bwrap
@pytest.mark.parametrize(
    "name",
    [
        "memory in shared mappings",
        "memory in a shared mapping whose maker is gone",
        "memory in memfd, sent and closed",
        "System V memory",
        "System V semaphores",
        "pipes filled",
        "sockets filled",
        "files in /tmp",
        "deleted files",
        "deleted files that are mapped",
        "deleted files of a thread's own",
    ],
)
def test_what_is_held_where_nobody_looks_first_is_stopped(tmp_path: Path, name: str) -> None:
    Bubblewrap().run(machine.program(machine.HOLDS[name], tmp_path), tmp_path, limits=machine.SMALL)
    assert not (tmp_path / "held").exists()


@needs_bwrap
@pytest.mark.parametrize("name", ["the machine's vsock", "a keyring that outlives it", "the keyring of the session"])
def test_what_no_namespace_separates_is_refused(tmp_path: Path, name: str) -> None:
    Bubblewrap().run(machine.program(machine.REACHES[name], tmp_path), tmp_path, limits=machine.SMALL)
    assert not (tmp_path / "reached").exists()


@needs_bwrap
def test_what_programs_need_of_shared_memory_they_have(tmp_path: Path) -> None:
    """A fork of much memory is no more memory; a database wants a small segment and a set of semaphores."""
    shared = (
        "import multiprocessing, time; big = bytearray(60 * MB)\n"
        "with multiprocessing.get_context('fork').Pool(6) as pool: print(pool.map(abs, [-1])); time.sleep(1)\n"
        "call(194 if ARM else 29, 0, 56, 0o1600); call(190 if ARM else 64, 0, 17, 0o1600)\n"
        "mmap.mmap(-1, MB).write(BLOCK); socket.socketpair(); print('fine')"
    )
    done = Bubblewrap().run(machine.program(shared, tmp_path), tmp_path, limits=machine.SMALL)
    assert (done.output, done.stopped) == ("[1]\nfine\n", "")


@pytest.mark.parametrize("told", [True, False], ids=["the kernel says", "nobody says"])
def test_threads_with_many_open_files_are_one_process_with_them(
    tmp_path: Path, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not told:
        monkeypatch.setattr(tables, "KCMP", None)  # as in a container whose filter keeps the call from it
    threads = (
        "import os, threading, time\nkept = [open('/dev/null') for n in range(3000)]\n"
        "for n in range(50): threading.Thread(target=time.sleep, args=(2,), daemon=True).start()\n"
        "time.sleep(0.8); print('fine')"
    )
    done = PlainProcess().run(machine.program(threads, tmp_path), tmp_path)
    assert (done.output, done.stopped) == ("fine\n", "")


@pytest.mark.parametrize("gone", ["$TMPDIR", "$HOME", "$PWD"])
def test_who_removes_what_it_may_write_to_goes_on(tmp_path: Path, gone: str) -> None:
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    workspace.mkdir()
    home.mkdir()
    done = PlainProcess().run(f'rm -rf "{gone}"; sleep 0.5; echo on', workspace, access=Access(home=home))
    assert (done.exit_code, done.output) == (0, "on\n")


@needs_bwrap
def test_nothing_of_a_command_runs_on_when_it_has_returned(tmp_path: Path) -> None:
    name = "a hundred busy daemons"
    (tmp_path / "ticks").touch()
    Bubblewrap().run(machine.program(machine.LEAVES[name], tmp_path), tmp_path, limits=machine.SMALL)
    (tmp_path / "ticks").rename(tmp_path / "after")
    assert not (tmp_path / "ticks").exists()
    size = (tmp_path / "after").stat().st_size
    assert size, "they ran"
    os.sync()
    assert (tmp_path / "after").stat().st_size == size


@needs_bwrap
def test_a_command_that_is_stopped_has_not_returned_while_something_of_it_still_ends(tmp_path: Path) -> None:
    holds = (
        "import fcntl\nfor n in range(2):\n"
        " if os.fork() == 0:\n"
        "  os.setsid(); kept = b'x' * (80 * MB); lock = open(f'lock{n}', 'w'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "  open(f'up{n}', 'w').close(); time.sleep(60)\n"
        "while not (os.path.exists('up0') and os.path.exists('up1')): time.sleep(0.01)\n"
        "print('x' * 10_000, flush=True); time.sleep(60)"
    )
    limits = machine.SMALL.model_copy(update={"output_bytes": 1_000})
    assert Bubblewrap().run(machine.program(holds, tmp_path), tmp_path, limits=limits).stopped == "output"
    for number in range(2):
        with (tmp_path / f"lock{number}").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def verdict(name: str, number: int, *given: int, architecture: int = 0) -> int:
    """What the kernel makes of a system call by the filter for a machine: the error, 0 where it is allowed."""
    known = architecture or syscalls.AUDIT[name]
    data = struct.pack("<IIQ6Q", number, known, 0, *given, *[0] * (6 - len(given)))
    lines, at, value = list(struct.iter_unpack("HBBI", syscalls.program(name))), 0, 0
    while (line := lines[at])[0] != syscalls.RETURN:
        code, yes, no, operand = line
        if code == syscalls.LOAD:
            (value,) = struct.unpack_from("<I", data, operand)
            at += 1
            continue
        tests = {
            syscalls.EQUAL: value == operand,
            syscalls.AT_LEAST: value >= operand,
            syscalls.ANY_BIT: bool(value & operand),
        }
        at += 1 + (yes if tests[code] else no)
    return 0 if line[3] == syscalls.ALLOW else int(line[3] - syscalls.ERROR)


@pytest.mark.parametrize("name", syscalls.AUDIT)
def test_the_filter_says_the_same_on_every_machine(name: str) -> None:
    """Also what this kernel may not have at all: calls of x32, of another architecture, sizes of more than 32 bits."""
    called = syscalls.CALLED[name]
    for call, given, error in (
        ("unshare", (0x10000000,), errno.EPERM), ("unshare", (0x20000,), 0),
        ("clone", (0x10000011,), errno.EPERM), ("clone", (17,), 0),
        ("socket", (1, 1), 0), ("socket", (16, 3), 0), ("socket", (40, 1), errno.EAFNOSUPPORT), ("socket", (17, 3), errno.EAFNOSUPPORT),
        ("shmget", (0, 56), 0), ("shmget", (0, 2**16 + 1), errno.ENOSPC), ("shmget", (0, 2**33), errno.ENOSPC),
        ("semget", (0, 17), 0), ("semget", (0, 32_000), errno.ENOSPC),
    ):  # fmt: skip
        assert verdict(name, called[call], *given) == error, (call, given)
        assert verdict(name, called[call] | 0x40000000, *given) == errno.ENOSYS
        assert verdict(name, called[call], *given, architecture=0x40000003) == errno.ENOSYS
    assert {verdict(name, number) for number in syscalls.MISSING[name]} == {errno.ENOSYS}
    assert {verdict(name, number) for number in syscalls.REFUSED[name]} == {errno.EPERM}


@pytest.mark.parametrize("sandbox", [pytest.param(Bubblewrap(), marks=needs_bwrap, id="bwrap"), PlainProcess()])
def test_a_command_that_is_done_before_anybody_looks_is_looked_at_all_the_same(
    tmp_path: Path, sandbox: Bubblewrap
) -> None:
    limits = SMALL.model_copy(update={"file_mb": 9})
    assert sandbox.run("head -c 5000000 /dev/zero > f", tmp_path, limits=limits).stopped == "disk"


@needs_bwrap
def test_a_link_above_a_mount_makes_nothing_elsewhere(tmp_path: Path) -> None:
    workspace, skill, outside = (tmp_path / name for name in ("workspace", "skill", "outside"))
    for folder in (workspace, skill, outside):
        folder.mkdir()
    (skill / "SKILL.md").write_text("rules")
    mounts = {".claude/skills/work": skill}
    Bubblewrap().run(f"mv .claude away; ln -s /oldroot{outside} .claude", workspace, read_only=mounts)
    assert Bubblewrap().run("cat .claude/skills/work/SKILL.md", workspace, read_only=mounts).output == "rules"
    assert list(outside.iterdir()) == []


def test_a_file_with_two_names_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 2**20)
    for number in range(5):
        os.link(tmp_path / "a", tmp_path / f"b{number}")
    assert size_of(tmp_path, 100)[0] < 2 * 2**20


def test_who_closes_its_output_is_looked_at_all_the_same(tmp_path: Path) -> None:
    command = "exec >&- 2>&-; head -c 5000000 /dev/zero > f; sleep 20; touch late"
    assert PlainProcess().run(command, tmp_path, limits=SMALL.model_copy(update={"file_mb": 9})).stopped == "disk"
    assert not (tmp_path / "late").exists()


CLONE = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
found = [libc.syscall(435, None, 0), ctypes.get_errno(), libc.unshare(0x10000000), ctypes.get_errno()]
print("refused" if found == [-1, 38, -1, 1] else found)
"""


@pytest.mark.parametrize("sandbox", [pytest.param(Bubblewrap(), marks=needs_bwrap, id="bwrap"), PlainProcess()])
def test_who_locks_itself_out_is_let_in_again(tmp_path: Path, sandbox: Bubblewrap) -> None:
    assert sandbox.run("chmod 000 .", tmp_path).exit_code == 0
    assert sandbox.run("echo in", tmp_path).output == "in\n"


@needs_bwrap
def test_an_environment_made_in_the_project_shows_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, workspace = tmp_path / "project", tmp_path / "workspace"
    for path in (project / ".trace2skill", project / "bin", workspace):
        path.mkdir(parents=True)
    (project / ".trace2skill" / "gold").write_text("42")
    (project / "bin" / "tool").write_text("tool")
    (project / "pyvenv.cfg").write_text("home = /usr/bin")
    monkeypatch.setattr(sys, "prefix", str(project))
    said = Bubblewrap().run(f"ls -A {project} {project}/bin; cat {project}/.trace2skill/gold", workspace).output
    assert "pyvenv.cfg" in said
    assert "tool" in said
    assert ".trace2skill\n" not in said
    assert "42" not in said
