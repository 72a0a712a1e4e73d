"""Running one host process under limits: bounded output, a deadline, a watch on the workspace's size."""

import contextlib
import errno
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from trace2skill.core import stopping
from trace2skill.core.errors import InfrastructureFault
from trace2skill.sandbox.limits import CommandResult, Limits
from trace2skill.sandbox.looks import Stopped, look, too_much

_running: set["subprocess.Popen[bytes]"] = set()
KEPT = 64 * 1024
TICK_SECONDS = 0.25
MOST_OF_A_COMMAND = 128 * 1024 - 1
"""Bytes of one argument that Linux takes (MAX_ARG_STRLEN less its end)."""
OPEN_FILES = 4096
"""Of each process. Files that are deleted and kept open, or sent and not received, are no more than these."""
LOOKS = 4.0
"""So many times as long as a look at the workspace takes, none is taken."""

ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
"""All that a command's environment holds, beside PATH, HOME and TMPDIR."""


def search_path() -> str:
    """PATH inside: the interpreter of this process first, so that `python` has its packages."""
    return os.pathsep.join([str(Path(sys.prefix) / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])


def under_limits(command: str, limits: Limits, directory: str = ".") -> list[str]:
    """An argument list that sets the resource limits in a shell and then runs the command in bash, in `directory`."""
    memory, blocks = limits.memory_mb * 1024, limits.file_mb * 2048  # KiB and blocks of 512 bytes, as POSIX sh counts
    script = (
        f"cd {directory} || exit 126; ulimit -c 0; "
        f"ulimit -n {OPEN_FILES} 2>/dev/null; ulimit -t {limits.cpu_seconds}; ulimit -f {blocks}; ulimit -v {memory}; "
        f"ulimit -p {limits.processes} 2>/dev/null || ulimit -u {limits.processes} 2>/dev/null; "
        'if command -v bash >/dev/null; then exec bash -c "$1"; else exec sh -c "$1"; fi'
    )
    return ["sh", "-c", script, "sh", command]


def run_process(
    arguments: Sequence[str],
    workspace: Path,
    limits: Limits,
    *,
    environment: Mapping[str, str],
    cwd: Path,
    kill: Callable[["subprocess.Popen[bytes]"], None],
    descriptors: Sequence[int] = (),
    beside: Sequence[Path] = (),
    memory_places: Sequence[str] = (),
) -> tuple[CommandResult, bytes]:
    """Run a process, read what it prints, and have `kill` end its whole tree at a limit and at its end.

    `descriptors` are passed on to it. What it writes to the directories `beside` counts as the workspace does;
    `memory_places` are file systems in memory inside, whose files are counted.

    Returns the result and the raw head of the output.

    Raises:
        InfrastructureFault: the process cannot be started.
        Interrupted: the run was stopped meanwhile.
    """
    stopping.check()
    with contextlib.suppress(OSError):  # a command before may have locked itself out
        os.chmod(workspace, os.stat(workspace).st_mode | 0o700)
    try:
        process = subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(environment),
            start_new_session=True,
            pass_fds=descriptors,
        )
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno == errno.E2BIG:
            return _not_taken(arguments[-1]), b""
        raise InfrastructureFault(f"the sandbox could not start {arguments[0]}: {error}") from error
    collected = _Output()
    _running.add(process)
    try:
        stopped = _watch(process, collected, (workspace, *beside), memory_places, limits)
    finally:
        _running.discard(process)
        kill(process)
        process.wait()
        if process.stdout:
            process.stdout.close()
    stopping.check()  # it may have been killed: what it left is no result
    stopped = stopped or too_much((workspace, *beside), limits, force=True)
    exit_code = None if stopped else _shell_code(process.returncode)
    text = collected.text()
    return CommandResult(
        exit_code=exit_code, output=text, omitted_bytes=collected.omitted, stopped=stopped
    ), collected.head


def _not_taken(command: str) -> CommandResult:
    """What a shell says of a command that no program can be given: whoever wrote it can write another."""
    size = len(command.encode("utf-8", "surrogatepass"))
    why = "it holds a character that no command can hold, such as NUL"
    if size > MOST_OF_A_COMMAND:
        why = f"it has {size:,} bytes, more than {MOST_OF_A_COMMAND:,}: write long content to a file, in parts"
    return CommandResult(exit_code=126, output=f"bash: the command was not run: {why}\n")


def end_running() -> None:
    """Kill what runs, and start nothing more: the run is interrupted, and an agent may have half an hour to go."""
    stopping.ask_to_stop()
    for process in tuple(_running):
        kill_group(process)


@contextlib.contextmanager
def ended_with_run(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Kill a process's session where the block fails or the run is interrupted. It leads a session of its own.

    What it leaves behind at a good end goes on: it may be meant to, as a cache of credentials is.
    """
    _running.add(process)
    try:
        stopping.check()  # it may have been asked before it was known here
        yield
    except BaseException:
        kill_group(process)
        raise
    finally:
        _running.discard(process)


def interrupted() -> bool:
    """Is the run to end?"""
    return stopping.asked_to_stop()


def allow_running() -> None:
    """Commands may run (again)."""
    stopping.go_on()


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill the process's session, whatever is left of it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _watch(
    process: "subprocess.Popen[bytes]",
    collected: "_Output",
    places: Sequence[Path],
    memory_places: Sequence[str],
    limits: Limits,
) -> Stopped:
    """Read until the process and its output end or a limit is met; returns which limit, or ''."""
    deadline = time.monotonic() + limits.wall_seconds
    next_look = time.monotonic() + TICK_SECONDS
    stream = process.stdout
    if stream is None:
        raise InfrastructureFault("the sandbox has no output to read")
    os.set_blocking(stream.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if now >= deadline:
                return "time"
            if now >= next_look:
                if broken := look(process, places, memory_places, limits):
                    return broken
                after = time.monotonic()
                next_look = after + max(TICK_SECONDS, LOOKS * (after - now))
            ended = process.poll() is not None
            if not selector.get_map():  # it has closed its output, and may go on all the same
                if ended:
                    return ""
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(min(TICK_SECONDS, max(0.0, deadline - now)))
                continue
            if selector.select(0 if ended else min(TICK_SECONDS, deadline - now)):
                data = stream.read(1 << 16)
                if data == b"":
                    selector.unregister(stream)
                collected.add(data or b"")
                if collected.total > limits.output_bytes:
                    return "output"
            elif ended:  # the command is done; what still holds the pipe is a daemon it left behind
                return ""


def _shell_code(code: int) -> int:
    """The exit code as a shell reports it: 128 + signal for a killed process."""
    return code if code >= 0 else 128 - code


class _Output:
    """The head and the tail of what was printed, and how much there was."""

    def __init__(self) -> None:
        self.head = b""
        self._tail = b""
        self.total = 0

    def add(self, data: bytes) -> None:
        self.total += len(data)
        room = KEPT - len(self.head)
        if room > 0:
            self.head, data = self.head + data[:room], data[room:]
        self._tail = (self._tail + data)[-KEPT:]

    @property
    def omitted(self) -> int:
        return self.total - len(self.head) - len(self._tail)

    def text(self) -> str:
        gap = f"\n[... {self.omitted} bytes left out ...]\n".encode() if self.omitted else b""
        return (
            (self.head + gap + self._tail)
            .decode("utf-8", "replace")
            .replace("\r\n", "\n")
            .replace("\0", "\N{SYMBOL FOR NULL}")
        )
