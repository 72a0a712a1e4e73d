"""`sim/scripted`: a model that says what a function of yours says.

For tests and for trying out a prompt: the request goes the whole way through LiteLLM, the ledger, the cap and the
store; only the words come from the function.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trace2skill.core.errors import BadInput
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.profile import Profile

SCRIPTED = "scripted"
Script = Callable[[Heard], Spoken]
_scripts: dict[str, Script] = {}
_guard = threading.Lock()


@contextmanager
def scripted(speak: Script, name: str = "") -> Iterator[str]:
    """Let `speak` answer for a model of this process as long as the block lasts; yields the model's name.

    `speak` is called from many threads. What it raises fails the call. The name is part of every content key and the
    function is not: a store that has an answer to a request under this name is not asked again.

    Args:
        speak: takes the request as it was heard and returns what is said.
        name: tells several scripts of one process apart.

    Raises:
        BadInput: a script of that name is at work already.
    """
    with _guard:
        if name in _scripts:
            raise BadInput(f"the script '{name}' is at work already: give another name")
        _scripts[name] = speak
    try:
        yield f"sim/{SCRIPTED}?script={name}" if name else f"sim/{SCRIPTED}"
    finally:
        with _guard:
            del _scripts[name]


def unscripted(profile: Profile) -> str:
    """Why a model cannot say anything, or '': its script is not at work in this process."""
    with _guard:
        if profile.name != SCRIPTED or profile.script in _scripts:
            return ""
    return f"no script '{profile.script}' is at work in this process: see trace2skill.sim.scripted"


def speak(heard: Heard) -> Spoken:
    """What the script of the model says to this request."""
    with _guard:
        script = _scripts[heard.profile.script]
    return script(heard)
