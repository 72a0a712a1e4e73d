"""What a command may use, what comes back of it, and what a sandbox is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import psutil
from pydantic import Field

from trace2skill.core.record import Record

NO_MOUNTS: Mapping[str, Path] = {}
FILES_PER_MB = 400


class Limits(Record):
    """What one command may use."""

    wall_seconds: float = Field(default=60, gt=0, description="From its start to its end.")
    cpu_seconds: int = Field(default=60, ge=1, description="Of each process.")
    memory_mb: int = Field(default=2048, ge=64, description="Address space of each process.")
    processes: int = Field(default=128, ge=8, description="Processes and threads at once.")
    file_mb: int = Field(default=256, ge=1, description="Size of each file written.")
    workspace_mb: int = Field(default=512, ge=1, description="Size of the workspace as a whole.")
    output_bytes: int = Field(default=8 * 2**20, ge=1024, description="What it may print.")

    @property
    def files(self) -> int:
        """Files and folders in the workspace: 400 for each of its megabytes."""
        return FILES_PER_MB * self.workspace_mb

    @property
    def memory_of_all(self) -> int:
        """Bytes that all processes may hold together: what two may, and half of the machine's memory at most."""
        return min(2 * self.memory_mb * 2**20, psutil.virtual_memory().total // 2)


@dataclass(frozen=True)
class Access:
    """What a command may reach besides its workspace: nothing, unless somebody says so. Never stored."""

    network: bool = False
    """The host's network, its loopback included."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables besides the fixed ones. They never stand in an argument list."""
    home: Path | None = None
    """Host directory that becomes the command's home and can be read afterwards; else it has a private one."""
    visible: tuple[Path, ...] = ()
    """Files and directories of the host that can be read at the same path."""


NO_ACCESS = Access()


class CommandResult(Record):
    """What came of a command. Its output keeps head and tail; `omitted_bytes` counts what was left out between."""

    exit_code: int | None = Field(description="None when a limit stopped it.")
    output: str
    omitted_bytes: int = 0
    stopped: Literal["", "time", "output", "disk", "files", "memory"] = ""


class Sandbox(Protocol):
    """Runs commands over a workspace, which they see as `/workspace` or as their working directory."""

    name: str

    def run(
        self,
        command: str,
        workspace: Path,
        *,
        read_only: Mapping[str, Path] = NO_MOUNTS,
        limits: Limits = Limits(),
        access: Access = NO_ACCESS,
    ) -> CommandResult:
        """Run `bash -c command` in the workspace.

        Args:
            command: a shell command; each has a fresh shell, files stay.
            workspace: host directory; the only place the command may write to.
            read_only: paths relative to the workspace, and the host directories mounted there read-only.
            limits: what it may use; the whole process tree is killed at a limit and when the command returns.
            access: what it may reach besides.

        Raises:
            InfrastructureFault: the sandbox itself could not start; never a failed command.
        """
