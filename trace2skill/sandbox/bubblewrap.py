"""The default sandbox: bubblewrap namespaces (https://github.com/containers/bubblewrap).

Inside there is no network, an own process tree, a private /tmp and home, an environment of a dozen names, the system
read-only, and `/workspace` as the only place that can be written to.

Run as root, the command gets a user id of its own without any capability, since the kernel does not hold root to a
limit on processes. Run as a user, it lives in a user namespace, in which that limit is counted apart.
"""

import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from trace2skill.core.errors import InfrastructureFault
from trace2skill.sandbox import host, syscalls
from trace2skill.sandbox.limits import NO_ACCESS, NO_MOUNTS, Access, CommandResult, Limits
from trace2skill.sandbox.running import ENVIRONMENT, kill_group, run_process, search_path, under_limits
from trace2skill.sandbox.tree import Walk, make_place, scratch_directory

FIRST_USER, USERS = 64_000, 1_000
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
CONFIGURATION = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/fonts",
    "/etc/libreoffice",  # without its registry LibreOffice ends at its start
)
NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/ca-certificates", "/etc/pki")
HOME = "/tmp/home"
INSTALLED = ("bin", "include", "lib", "lib64", "libexec", "pyvenv.cfg", "share", "ssl")
SHARED_MEMORY = 64 * 2**20
IN_MEMORY = ("/tmp", "/dev/shm")
LONGEST_END = 10.0
"""Seconds in which what was killed has to be gone."""
MOST_GIVEN = 2_000_000
PASSWD = "root:x:0:0:root:/:/bin/sh\nagent:x:{user}:{user}:agent:/tmp/home:/bin/sh\n"
GROUP = "root:x:0:\nagent:x:{user}:\n"
_users = itertools.count()


class Bubblewrap:
    """Runs commands under `bwrap`."""

    name = "bwrap"

    def run(
        self,
        command: str,
        workspace: Path,
        *,
        read_only: Mapping[str, Path] = NO_MOUNTS,
        limits: Limits = Limits(),
        access: Access = NO_ACCESS,
    ) -> CommandResult:
        """See `Sandbox.run`."""
        user = FIRST_USER + next(_users) % USERS if os.geteuid() == 0 else 1000
        with tempfile.TemporaryDirectory(prefix="t2s-etc-") as etc, _filter() as filters, _told() as (told, tells):
            arguments = self._arguments(user, workspace, read_only, Path(etc), limits, access)
            arguments += ["--info-fd", str(tells)]
            for relative in read_only:
                make_place(workspace, relative)
            arguments += [word for handle in filters for word in ("--seccomp", str(handle))]
            for written in [workspace, access.home] if os.geteuid() == 0 else []:
                if written is not None:
                    _give(written, user)
            result, head = run_process(
                [*arguments, "--", *_as_user(user), *under_limits(command, limits, "/workspace")],
                workspace,
                limits,
                environment={
                    **access.environment,
                    **ENVIRONMENT,
                    "PATH": search_path(),
                    "HOME": HOME,
                    "TMPDIR": "/tmp",
                },
                cwd=workspace,
                kill=lambda process: _end(process, told),
                descriptors=(*filters, tells),
                beside=[access.home] if access.home else [],
                memory_places=IN_MEMORY,
            )
        if result.exit_code not in (0, None) and head.startswith((b"bwrap: ", b"setpriv: ")):
            said = head.splitlines()[0].decode("utf-8", "replace")
            raise InfrastructureFault(f"the sandbox could not start: {said}{host.remedy(said)}")
        return result

    def _arguments(
        self,
        user: int,
        workspace: Path,
        read_only: Mapping[str, Path],
        etc: Path,
        limits: Limits,
        access: Access,
    ) -> list[str]:
        arguments = [_bwrap(), "--die-with-parent", "--new-session", "--hostname", "sandbox"]
        arguments += ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"]
        arguments += [] if access.network else ["--unshare-net"]
        if os.geteuid() == 0:
            arguments += [
                "--cap-drop",
                "ALL",
                "--cap-add",
                "CAP_SETUID",
                "--cap-add",
                "CAP_SETGID",
                "--cap-add",
                "CAP_SETPCAP",
            ]
        else:
            arguments += ["--unshare-user", "--uid", str(user), "--gid", str(user)]
        for path in map(Path, SYSTEM):
            if path.is_symlink():
                arguments += ["--symlink", os.readlink(path), str(path)]
            elif path.exists():
                arguments += ["--ro-bind", str(path), str(path)]
        arguments += ["--perms", "0755", "--dir", "/etc"]
        for name in (*CONFIGURATION, *(NETWORK if access.network else ())):
            arguments += ["--ro-bind-try", name, name]
        for name, text in (("passwd", PASSWD), ("group", GROUP)):
            (etc / name).write_text(text.format(user=user), encoding="ascii")
            (etc / name).chmod(0o644)
            arguments += ["--ro-bind", str(etc / name), f"/etc/{name}"]
        arguments += ["--proc", "/proc", "--dev", "/dev"]
        arguments += ["--perms", "1777", "--size", str(SHARED_MEMORY), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
        arguments += ["--perms", "1777", "--size", str(limits.workspace_mb * 2**20), "--tmpfs", "/tmp"]
        arguments += ["--bind", str(access.home), HOME] if access.home else ["--perms", "1777", "--dir", HOME]
        for path in sorted({*_interpreter(), *access.visible}):
            if not path.is_relative_to("/usr"):
                for parent in reversed(path.parents[:-1]):  # else bwrap makes them for root alone
                    arguments += ["--perms", "0755", "--dir", str(parent)]
                arguments += ["--ro-bind", str(path), str(path)]
        arguments += ["--bind", str(workspace), "/workspace"]
        for relative, source in sorted(read_only.items()):
            arguments += ["--ro-bind", str(source), f"/workspace/{relative}"]
        return [*arguments, "--remount-ro", "/"]


def _interpreter() -> set[Path]:
    """What the interpreter needs of the folders it is installed in, and no more of them.

    A virtual environment may have been made in the project itself, and an interpreter below a home: the store, the data
    and their solutions lie beside it.
    """
    folders = {Path(sys.base_prefix), Path(sys.prefix)}
    return {folder / name for folder in folders for name in INSTALLED if (folder / name).exists()}


@contextlib.contextmanager
def _filter() -> Iterator[tuple[int, ...]]:
    """The descriptor of the filter of system calls, where there is one for this machine."""
    handle = syscalls.opened()
    try:
        yield () if handle is None else (handle,)
    finally:
        if handle is not None:
            os.close(handle)


@contextlib.contextmanager
def _told() -> Iterator[tuple[int, int]]:
    """A pipe in which bwrap says which process is the first of its process namespace."""
    told, tells = os.pipe()
    os.set_blocking(told, False)
    try:
        yield told, tells
    finally:
        os.close(told)
        os.close(tells)


def _end(process: "subprocess.Popen[bytes]", told: int) -> None:
    """Kill bwrap and its process namespace, and wait until nothing is left in that: what is read next stays as it is.

    The kernel lets go of the first process of a namespace only when all others are gone.
    """
    kill_group(process)
    with contextlib.suppress(OSError, ValueError, KeyError):
        first = os.pidfd_open(json.loads(os.read(told, 4096))["child-pid"])
        try:
            waited = select.poll()
            waited.register(first, select.POLLIN)
            waited.poll(LONGEST_END * 1000)
        finally:
            os.close(first)


@cache
def works() -> str:
    """'' when bwrap can run a command here, else why not."""
    if shutil.which("bwrap") is None:
        return "bwrap is not installed (Debian package bubblewrap)"
    try:
        with scratch_directory("t2s-probe-") as directory:
            result = Bubblewrap().run("python -c 'print(6 * 7)'", Path(directory))
    except InfrastructureFault as fault:
        return str(fault)
    return "" if result.output.strip() == "42" else f"a probe in bwrap failed: {result.output.strip()[-200:]}"


def _bwrap() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise InfrastructureFault("bwrap is not installed any more: apt install bubblewrap")
    return found


def _as_user(user: int) -> list[str]:
    if os.geteuid() != 0:
        return []
    identity = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return ["setpriv", *identity, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]


def _give(workspace: Path, user: int) -> None:
    """Make the workspace's files the user's, following no link.

    Raises:
        InfrastructureFault: this root may not give files away, or not enter what it gave away.
    """
    try:
        os.chown(workspace, user, user)
    except PermissionError:
        raise InfrastructureFault(host.lacks("CAP_CHOWN", workspace)) from None
    if not os.access(workspace, os.R_OK | os.X_OK, effective_ids=True):
        raise InfrastructureFault(host.lacks("CAP_DAC_OVERRIDE", workspace))
    for _, folder, entries in Walk(workspace, MOST_GIVEN):
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                os.chown(entry.name, user, user, dir_fd=folder, follow_symlinks=False)
