"""Running git on anybody's repository: one transport, no hooks, no questions, and a limit to all that it writes."""

import base64
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from trace2skill.core import stopping
from trace2skill.core.errors import BadInput
from trace2skill.core.stopping import LOOK_SECONDS
from trace2skill.sandbox.running import ended_with_run
from trace2skill.skills.git_address import GitAddress

MOST_FETCHED = 2**30
"""Bytes of a file that git may write: what is fetched is one pack."""
MOST_LISTED, MOST_SAID = 8 * 2**20, 2**16
"""Bytes of a list of files or branches, and of what else git says."""
TOO_MUCH = f"died of signal {int(signal.SIGXFSZ)}".encode()
"""What git says where one of its children met that bound."""
MOST_QUOTED = 300
"""Characters of what it says that are repeated."""
PATIENCE_SECONDS = 600.0
ALONE = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.alternateRefsCommand": "",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "1",
    "fetch.fsckObjects": "true",
    "fetch.writeCommitGraph": "false",
    "push.recurseSubmodules": "no",
    "push.followTags": "false",
    "log.showSignature": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
"""Settings of git that win over those of whoever runs it."""
REMEDIES = (
    (
        r"host key verification failed",
        "make the server's key known here, once it is compared: ssh-keyscan HOST >> ~/.ssh/known_hosts",
    ),
    (
        r"certificate (problem|verif)|ssl certificate",
        "name the authority of its certificate here: git config --global http.sslCAInfo FILE",
    ),
    (
        r"authentication failed|could not read (username|password)|(permission|access) denied|\b40[13]\b",
        "give git a key here: a credential helper, ~/.netrc or an ssh key",
    ),
    (
        r"unable to access|rpc failed|hung up|early eof|disconnect|reset by peer|timed out|connection refused",
        "run the same command again once the server answers",
    ),
)
"""What a person does about what git says, by the first of these that is in it."""


@dataclass(frozen=True)
class Git:
    """Git in the bare copy, in a folder, of an address's repository.

    Without an address it is in a repository on this machine, bare or not, and speaks with no other.
    """

    address: GitAddress | None
    folder: Path

    def answer(self, *words: str, given: bytes = b"", at: Path | None = None, most: int = MOST_FETCHED) -> bytes:
        """What git prints; arguments are those of `run`.

        Raises:
            BadInput: it fails; says what it said.
        """
        done = self.run(*words, given=given, at=at, most=most)
        if done.returncode:
            raise self.wrong("", done.stderr.decode(errors="replace"))
        return done.stdout

    def run(
        self, *words: str, given: bytes = b"", at: Path | None = None, most: int = MOST_FETCHED
    ) -> "subprocess.CompletedProcess[bytes]":
        """Git to its end, whatever that is.

        Args:
            words: the command and its arguments.
            given: on its stdin.
            at: where it runs; in the copy, unless given.
            most: bytes of any file that it writes, and of what it prints.

        Raises:
            BadInput: there is no git, it took too long, or it wrote too much.
            Interrupted: the run was stopped meanwhile.
        """
        program = shutil.which("git")
        if program is None:
            raise self.wrong("git is not installed here")
        settings = [word for name, value in ALONE.items() for word in ("-c", f"{name}={value}")]
        command = [program, "--no-pager", "--no-replace-objects", *settings, "-C", str(at or self.folder), *words]
        beside = self.folder.parent if self.address else None
        with ExitStack() as stack:  # to files, which have a limit: a small repository may have a list without end
            out, err, source = (stack.enter_context(tempfile.TemporaryFile(dir=beside)) for _ in range(3))
            source.write(given)
            source.seek(0)
            process = stack.enter_context(
                subprocess.Popen(
                    command,
                    env=self._environment(),
                    stdin=source,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,  # git has children, which end with it
                )
            )
            with ended_with_run(process):
                with suppress(ProcessLookupError):
                    most = _limit_files(process.pid, most)
                if not _to_the_end(process):
                    raise self.wrong(f"git was not done with it after {PATIENCE_SECONDS:g} s")
            said = [_beginning(file, size) for file, size in ((out, most), (err, MOST_SAID))]
        if process.returncode == -signal.SIGXFSZ or (process.returncode and TOO_MUCH in said[1]):
            raise self.wrong(f"it is larger than a skill's repository may be ({most // 2**20} MB of one file or list)")
        return subprocess.CompletedProcess(command, process.returncode, *said)

    def _environment(self) -> dict[str, str]:
        """Of this process, without what would send git elsewhere. Credentials go by it: others see command lines."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
        kept.pop("SSH_ASKPASS", None)
        kept |= {"GIT_TERMINAL_PROMPT": "0", "SSH_ASKPASS_REQUIRE": "never", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
        if self.address is None:
            return {**kept, "GIT_ALLOW_PROTOCOL": "none", "GIT_GRAFT_FILE": os.devnull}
        if credentials := self.address.credentials:
            header = base64.b64encode(credentials.encode()).decode()
            kept |= {
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_0": f"http.{self.address.url}.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {header}",
                "GIT_CONFIG_KEY_1": "http.followRedirects",  # to another host, with what is for this one
                "GIT_CONFIG_VALUE_1": "false",
            }
        elif user := self.address.user:  # whose password a credential helper knows
            kept |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"credential.{self.address.url}.username",
                "GIT_CONFIG_VALUE_0": user,
            }
        return {
            **kept,
            "GIT_ALLOW_PROTOCOL": self.address.scheme,
            "GIT_DIR": str(self.folder),
        }

    def wrong(self, what: str, said: str = "") -> BadInput:
        """The one error there is: what is wrong with the repository, and what git said of it."""
        line = " ".join(said.split())
        words = [str(self.address or self.folder), what, f"git says: {line[:MOST_QUOTED]}" if line else ""]
        words.append(next((remedy for sign, remedy in REMEDIES if re.search(sign, line.lower())), ""))
        return BadInput(": ".join(filter(None, words)))


def _limit_files(process: int, most: int) -> int:
    """Bound the files of a process; returns the bound, which may be a lower one that whoever runs this has."""
    if hasattr(resource, "prlimit"):  # Linux; elsewhere the time alone is bounded
        _, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (most, most))
    return most


def _to_the_end(process: "subprocess.Popen[bytes]") -> bool:
    """Wait for a process, and look meanwhile whether the run is to stop. False where it takes too long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            process.wait(timeout=max(0.0, min(LOOK_SECONDS, until - time.monotonic())))
        except subprocess.TimeoutExpired:
            stopping.check()
            if time.monotonic() >= until:
                return False
        else:
            stopping.check()  # it may have been killed
            return True


def _beginning(file: IO[bytes], size: int) -> bytes:
    file.seek(0)
    return file.read(size)


_KEPT = {"GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"}
"""Variables of git's by which whoever runs this says how a server is reached."""
