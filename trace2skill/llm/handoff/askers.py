"""What a run tells its readers besides its requests: who waits for an answer, and that nothing goes on from one.

Equal requests are one request. Who asks it second waits for the first one's answer before a model is called at all, so
that it is the client that says so, not the provider.
"""

import contextlib
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.llm.handoff.folder import Folder
from trace2skill.llm.handoff.page import Sharing
from trace2skill.llm.handoff.records import ID_DIGITS, AskedBy, Head, RequestRef


def id_of(key: str) -> str:
    """The id of the request with that key."""
    return key.rpartition("/")[2][:ID_DIGITS]


def note(path: Path, key: str, who: str, *names: str) -> None:
    """Say that `who` waits for the answer to a request. `names` tell askers apart that go by the same words.

    A folder that cannot be used is no error here: the request itself says so.
    """
    with contextlib.suppress(BadInput):
        folder, name = Folder(path, make=True), id_of(key)
        if not folder.has("answers", f"{name}.json"):
            folder.put(
                "askers", f"{name}{digest_of('handoff asker 1', who, *names)[:ID_DIGITS]}.json", AskedBy(step=who)
            )


def end(path: Path, key: str) -> None:
    """Say that whoever was given the answer with that key asks nothing further in the conversation."""
    with contextlib.suppress(BadInput):
        folder, name = Folder(path), id_of(key)
        folder.put("ended", f"{name}.json", RequestRef(id=name))


def sharing(folder: Folder, head: Head) -> Sharing:
    """Who asked alike for the answer to a request, and for the one that it goes on from."""
    return Sharing(_askers(folder, head.id), _askers(folder, head.parent) if head.parent else ())


def _askers(folder: Folder, request: str) -> tuple[str, ...]:
    names = sorted(name for name in folder.names("askers") if name.startswith(request))
    found = (folder.get("askers", f"{name}.json", AskedBy) for name in names)
    return tuple(sorted(item.step for item in found if item))
