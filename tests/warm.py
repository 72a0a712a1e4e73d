"""Processes forked from one that has imported everything: an interpreter of its own takes 4 to 9 s of CPU for that.

A process that is forked is as much of its own as any other, for signals, kills, locks and exit codes; only its start is
not that of an interpreter. Tests of the start itself, and one of each kind besides, use `subprocess`.

    python warm.py SOCKET                 serves forks
    python -IS warm.py SOCKET engine      is a flow run's process to a worker: it lives and dies with the fork
    python -IS warm.py SOCKET prefect ... is that program to a shell, and so is `command ...`, which is ours
"""

import array
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PRELOADED = (
    "litellm", "openpyxl", "duckdb", "prefect.main", "prefect.engine", "prefect.cli", "prefect.cli.worker", "prefect.workers.process",
    "flows.refresh", "flows.shard", "flows.approval", "trace2skill.cli.app", "trace2skill.cli.flows",
    "litellm.proxy.openai_files_endpoints.common_utils", "matplotlib.figure", "matplotlib.backends.backend_svg",
    "trace2skill.sim.provider", "trace2skill.domains.math.domain",
)  # fmt: skip
"""What the processes of a user import sooner or later, some of it with the first call of a model or at the end."""
HERE = Path(__file__)


# --- what asks for a process: nothing but the standard library, for it starts in 30 ms --------------------------------


class Forked:
    """A process forked from the warm one, in a session of its own; the part of `subprocess.Popen` that tests use."""

    def __init__(
        self, place: Path, do: str, arguments: list[str], cwd: Path | str, env: dict[str, str], files: list[int]
    ) -> None:
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._line.connect(str(place))
        asked = json.dumps({"do": do, "arguments": arguments, "cwd": str(cwd), "env": env}).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
        self._line.sendmsg([len(asked).to_bytes(8, "big")], rights)
        self._line.sendall(asked)
        self._said = self._line.makefile("r")
        self.pid = int(self._said.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises `subprocess.TimeoutExpired` as `Popen` does."""
        if self.returncode is None:
            self._line.settimeout(None)
            import select

            if not select.select([self._line], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("fork", timeout or 0.0)
            self.returncode = int(self._said.readline() or -signal.SIGKILL)
            self._line.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def as_program(place: Path, do: str, arguments: list[str]) -> None:
    """Be the process for whoever has started it, a worker or a shell: what it is sent goes to the fork."""
    fork = Forked(place, do, arguments, os.getcwd(), dict(os.environ), [0, 1, 2])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: fork.send_signal(number))
    code = fork.wait()
    os._exit(code if code >= 0 else 128 - code)


# --- the process that forks ------------------------------------------------------------------------------------------


def start(place: Path, env: dict[str, str], cwd: Path) -> "subprocess.Popen[bytes]":
    """Start the process that forks; it can be asked at once and answers when it has imported everything."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    alone = {**env, "OPENBLAS_NUM_THREADS": "1"}  # NumPy's own threads would not be there after a fork
    warm = subprocess.Popen([sys.executable, str(HERE), str(place)], env=alone, cwd=cwd, **quiet)  # type: ignore[call-overload]
    while not place.exists():
        assert warm.poll() is None, "the process that forks did not start"
        time.sleep(0.02)
    return warm


def serve(place: Path) -> None:
    """Fork a process for each that asks, and tell it how that ended; where it goes away, so does its process."""
    import gc
    import importlib
    import select
    import threading

    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    near = place.with_suffix(".new")
    listening.bind(str(near))
    listening.listen(16)
    near.rename(place)
    sys.path[:0] = [os.getcwd(), str(HERE.parent / "operations")]  # the checkout that it was started in
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    gc.disable()
    for name in PRELOADED:
        importlib.import_module(name)
    _ = sys.modules["litellm"].main.encoding  # read with the first call otherwise
    gc.freeze()
    gc.enable()
    assert threading.active_count() == 1, "a process with threads cannot be forked"
    heard, told = os.pipe()
    for end in (heard, told):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    running: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([listening, heard, *running.values()], [], [])
        if listening in ready:
            line, _ = listening.accept()
            pid = _fork(line, [listening, *running.values()], (heard, told))
            if pid:
                running[pid] = line
        if heard in ready:
            os.read(heard, 4096)
        for pid, line in [*running.items()]:
            if line in ready:  # nobody says anything after the beginning: it has gone
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                running.pop(pid).close()
                continue
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                with contextlib.suppress(OSError):
                    line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                running.pop(pid).close()


def _fork(line: socket.socket, others: list[socket.socket], pipe: tuple[int, int]) -> int:
    try:
        size, rights, _, _ = line.recvmsg(8, socket.CMSG_SPACE(12))
        asked = json.loads(line.makefile("rb").read(int.from_bytes(size, "big")))
    except (OSError, ValueError):
        line.close()
        return 0
    files = array.array("i")
    files.frombytes(rights[0][2])
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for end in pipe:
            os.close(end)
        for other in (*others, line):
            other.close()
        _be(asked, [*files])
    for file in files:
        os.close(file)
    line.sendall(f"{pid}\n".encode())
    return pid


def _be(asked: dict[str, object], files: list[int]) -> None:
    """What the fork does, with the end of an interpreter; it does not return."""
    os.setsid()
    _die_with_parent()
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    code = 1
    try:
        code = _done(
            str(asked["do"]), [str(word) for word in asked["arguments"]], str(asked["cwd"]), dict(asked["env"])
        )  # type: ignore[call-overload]
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        import atexit
        import threading

        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]
            atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def _die_with_parent() -> None:
    """A fork does not outlive the process that it was forked from."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _done(do: str, arguments: list[str], cwd: str, env: dict[str, str]) -> int:
    from prefect.context import refresh_global_settings_context
    from prefect.logging.configuration import setup_logging

    from trace2skill.cli.prefect_settings import lean, quiet

    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    if do not in ("engine", "prefect"):
        lean()
        quiet()
    refresh_global_settings_context()
    setup_logging(incremental=False)
    if do == "prefect":
        from prefect.cli import app

        sys.argv = ["prefect", *arguments]
        app()
        return 0
    if do == "code":
        code, *arguments = arguments
        sys.argv = ["-c", *arguments]
        exec(compile(code, "-c", "exec"), {"__name__": "__main__"})
        return 0
    if do == "file":
        import runpy

        sys.executable = str(Path(cwd) / ".venv" / "bin" / "python")  # what it starts is forked from here, too
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
        return 0
    if do == "engine":
        import runpy

        sys.argv = ["prefect.engine"]
        sys.modules.pop("prefect.engine", None)
        runpy.run_module("prefect.engine", run_name="__main__")
        return 0
    from trace2skill.cli.app import main

    if do == "held":
        from held import hold

        module, function, mark, *arguments = arguments
        hold(module, function, Path(mark))
    sys.argv = ["trace2skill", *arguments]
    main()
    return 0


if __name__ == "__main__":
    if len(sys.argv) > 2:
        as_program(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
    else:
        serve(Path(sys.argv[1]))
