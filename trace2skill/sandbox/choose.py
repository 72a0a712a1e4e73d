"""Which sandbox runs a model's commands here."""

import logging
from typing import Literal

from trace2skill.core.errors import SandboxMissing
from trace2skill.sandbox import bubblewrap, docker
from trace2skill.sandbox.bubblewrap import Bubblewrap
from trace2skill.sandbox.docker import Docker
from trace2skill.sandbox.limits import Sandbox
from trace2skill.sandbox.process import PlainProcess

log = logging.getLogger(__name__)
HINT = "make bubblewrap work (apt install bubblewrap), use --sandbox docker, or accept the risk with --sandbox process"


def choose_sandbox(kind: Literal["auto", "bwrap", "docker", "process"], *, simulated_model: bool) -> Sandbox:
    """The sandbox of that kind. 'auto' takes bwrap; without it a real model is refused.

    Args:
        kind: as asked for.
        simulated_model: every command comes from the bundled simulated model, whose commands are known.

    Raises:
        SandboxMissing: what was asked for is not to be had here, with the remedy.
    """
    if kind == "process":
        return PlainProcess()
    if kind == "docker":
        if why := docker.works():
            raise SandboxMissing(f"no sandbox: {why}; {HINT}")
        return Docker()
    why = bubblewrap.works()
    if not why:
        return Bubblewrap()
    if kind == "auto" and simulated_model:
        log.warning("%s: the simulated model's commands run in a plain limited process", why)
        return PlainProcess()
    raise SandboxMissing(f"no sandbox: {why}; {HINT}")
