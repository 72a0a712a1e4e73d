"""A sandbox whose commands find the programs of an environment: a folder of the host with `bin/`, read-only.

It is how commands of a repository find what that needs, without a network to install it from.
"""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.sandbox.bubblewrap import INSTALLED
from trace2skill.sandbox.limits import NO_ACCESS, NO_MOUNTS, Access, CommandResult, Limits, Sandbox


class WithEnvironment:
    """Runs commands in another sandbox, with an environment first on their path.

    Its name is in the keys of what ran in it: where the environment is, and what is installed there.
    """

    def __init__(self, inner: Sandbox, folder: Path, visible: tuple[Path, ...]) -> None:
        self.name = f"{inner.name}, {folder} {digest_of(_installed(folder))[:16]}"
        self._inner, self._folder, self._visible = inner, folder, visible

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
        first = f'export PATH={shlex.quote(str(self._folder / "bin"))}:"$PATH"\n'
        seen = replace(access, visible=(*access.visible, *self._visible))
        return self._inner.run(first + command, workspace, read_only=read_only, limits=limits, access=seen)


def with_environment(sandbox: Sandbox, folder: Path | None) -> Sandbox:
    """The sandbox with an environment, if one is named.

    Args:
        sandbox: where commands run.
        folder: of a virtual environment, of conda, or any that has `bin/`; or the Python in it.

    Raises:
        BadInput: it has no `bin/`.
    """
    if folder is None:
        return sandbox
    given = folder.expanduser().absolute()
    root = given.parent.parent if given.parent.name == "bin" else given
    if not (root / "bin").is_dir():
        raise BadInput(f"{folder} is no environment, for it has no bin/: name its folder, or the Python in it")
    made_of = _made_of(root)
    visible = (place / name for place in (root, *([made_of] if made_of else [])) for name in INSTALLED)
    return WithEnvironment(sandbox, root, tuple(path for path in visible if path.exists()))


def _installed(root: Path) -> list[str]:
    """What tells of an environment what it can do: its Python, and the packages with their versions."""
    try:
        found = [(root / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")]
    except OSError:
        found = []
    kept = ("lib*/python*/site-packages/*.*-info", "lib*/python*/dist-packages/*.*-info", "conda-meta/*.json")
    return [*found, *sorted({path.relative_to(root).as_posix() for pattern in kept for path in root.glob(pattern)})]


def _made_of(root: Path) -> Path | None:
    """The installation that a virtual environment was made of, where it is none of the system's."""
    try:
        lines = (root / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    told = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    home = Path(told.get("home", "/usr/bin")).resolve()
    base = home.parent if home.name == "bin" else home
    return None if base in (Path("/"), Path("/usr")) or not base.is_dir() else base
