"""A plain subprocess under resource limits. NOT a security boundary: it can read the disk and use the network.

For the bundled simulated model, whose commands are known, and for whoever accepts the risk with `--sandbox process`.
"""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil

from trace2skill.sandbox.limits import NO_ACCESS, NO_MOUNTS, Access, CommandResult, Limits
from trace2skill.sandbox.running import ENVIRONMENT, kill_group, run_process, search_path, under_limits
from trace2skill.sandbox.tree import make_place, scratch_directory


class PlainProcess:
    """Runs commands as processes of this user, with a clean environment."""

    name = "process"

    def run(
        self,
        command: str,
        workspace: Path,
        *,
        read_only: Mapping[str, Path] = NO_MOUNTS,
        limits: Limits = Limits(),
        access: Access = NO_ACCESS,
    ) -> CommandResult:
        """See `Sandbox.run`. What is read-only is a copy, laid anew for each command."""
        with scratch_directory(prefix="t2s-home-") as private:
            home = str(access.home or private)
            for relative, source in read_only.items():
                target = workspace / relative
                make_place(workspace, relative)
                _remove(target)
                shutil.copytree(source, target)
            fixed = {**ENVIRONMENT, "PATH": search_path(), "HOME": home, "TMPDIR": private}
            environment = {**access.environment, **fixed}
            # /workspace in a command means the workspace here too, as far as a shell variable can do it.
            result, _ = run_process(
                under_limits(command, limits),
                workspace,
                limits,
                environment=environment,
                cwd=workspace,
                kill=lambda process: kill_tree(process),
                beside=[Path(private), *([access.home] if access.home else [])],
            )
        text = result.output.replace(str(workspace.resolve()), "/workspace").replace(str(workspace), "/workspace")
        return result.model_copy(update={"output": text.replace(home, "/tmp").replace(private, "/tmp")})


def kill_tree(process: "subprocess.Popen[bytes]") -> None:
    """Kill the session, and children that left it while they still had this process for an ancestor."""
    try:
        left = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        left = []
    kill_group(process)
    for child in left:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
