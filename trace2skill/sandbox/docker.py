"""Commands in a container of a Docker engine, for machines where bubblewrap is not to be had."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from trace2skill.core.errors import InfrastructureFault
from trace2skill.sandbox.limits import NO_ACCESS, NO_MOUNTS, Access, CommandResult, Limits
from trace2skill.sandbox.running import ENVIRONMENT, kill_group, run_process, under_limits

IMAGE_VARIABLE, DEFAULT_IMAGE = "TRACE2SKILL_SANDBOX_IMAGE", "python:3.12-slim"
HOME = "/tmp/home"
_containers = itertools.count()


class Docker:
    """Runs commands by `docker run`. The image is $TRACE2SKILL_SANDBOX_IMAGE; it must hold what tasks need."""

    name = "docker"

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
        container = f"trace2skill-{os.getpid()}-{next(_containers)}"
        user = f"{os.getuid()}:{os.getgid()}"
        network = "bridge" if access.network else "none"
        arguments = ["docker", "run", "--rm", "--name", container, "--network", network, "--read-only", "--user", user]
        arguments += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp:size=512m"]
        arguments += [
            "--pids-limit",
            str(limits.processes),
            "--memory",
            f"{limits.memory_mb}m",
            "--workdir",
            "/workspace",
        ]
        arguments += ["--volume", f"{workspace.resolve()}:/workspace"]
        for relative, source in sorted(read_only.items()):
            arguments += ["--volume", f"{source.resolve()}:/workspace/{relative}:ro"]
        for path in access.visible:
            arguments += ["--volume", f"{path}:{path}:ro"]
        arguments += ["--volume", f"{access.home.resolve()}:{HOME}"] if access.home else []
        for name, value in {**ENVIRONMENT, "HOME": HOME if access.home else "/tmp"}.items():
            arguments += ["--env", f"{name}={value}"]
        for name in access.environment:  # by name alone: docker takes the value from its own environment
            arguments += ["--env", name]
        arguments += [os.environ.get(IMAGE_VARIABLE, DEFAULT_IMAGE), *under_limits(command, limits)]

        def kill(process: "subprocess.Popen[bytes]") -> None:
            if process.poll() is None:
                subprocess.run(["docker", "kill", container], capture_output=True, check=False, timeout=30)
            kill_group(process)

        host = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}
        environment = {**access.environment, **host}
        beside = [access.home] if access.home else []
        result, head = run_process(
            arguments, workspace, limits, environment=environment, cwd=workspace, kill=kill, beside=beside
        )
        if result.exit_code == 125:  # docker's own failure, by its manual
            said = head.decode("utf-8", "replace").strip()[-300:]
            raise InfrastructureFault(f"docker could not run a container: {said}")
        return result


def works() -> str:
    """'' when there is a docker client, else why not."""
    return "" if shutil.which("docker") else "docker is not installed"
