"""The folder that a canary's sessions are served from: both versions, which session gets which, and who was served."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.core.swap import swap_in
from trace2skill.evaluation.canary import has_candidate
from trace2skill.skills.skill import Skill, write_skill
from trace2skill.traces.values import instant

ABOUT, SERVED = "canary.json", "served.jsonl"
LONGEST_NAME = 200
"""Of a session: readers of logs keep so many characters of a name."""


class Serving(Record):
    """What the folder says."""

    id: str
    share: float
    champion: str
    """The directory of the champion, in the folder."""
    candidate: str
    serves: Literal["both", "champion", "candidate"] = "both"


class Served(NamedTuple):
    """A session that was served: when, in seconds since 1970."""

    at: float


class Picked(NamedTuple):
    """What a session gets."""

    directory: Path
    noted: bool
    """Was it written down? Where the folder cannot be written, a look goes by the times of the sessions."""


def write_folder(folder: Path, id: str, share: float, champion: Skill, candidate: Skill) -> None:
    """Write the folder, over one whose canary has ended.

    Raises:
        BadInput: the folder is there and no canary's, or one goes on in it; or it cannot be written.
    """
    if folder.exists():
        before = _serving(folder)
        if before is None and (not folder.is_dir() or any(folder.iterdir())):
            raise BadInput(f"{folder} is there and no canary's, and would be lost: name another folder")
        if before is not None and before.serves == "both":
            raise BadInput(f"a canary goes on in {folder}: end it first with `trace2skill canary stop {folder}`")
    places = {side: f"{side}/{champion.name}" for side in ("champion", "candidate")}
    serving = Serving(id=id, share=share, **places)

    def write(beside: Path) -> None:
        write_skill(champion, beside / serving.champion)
        write_skill(candidate, beside / serving.candidate)
        (beside / ABOUT).write_text(serving.model_dump_json(indent=2) + "\n")

    try:
        swap_in(folder, write)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}") from error


def serve(folder: Path, session: str) -> Picked:
    """The directory of the version that a session gets, and note that it did.

    Raises:
        BadInput: the folder is no canary's, or the session has no name, or one that no log would keep.
    """
    serving = serving_in(folder)
    if not session.strip() or len(session) > LONGEST_NAME:
        raise BadInput(
            f"which version a session gets is drawn by its name, as its log has it: 1 to {LONGEST_NAME} characters, "
            f"and not {len(session.strip()) and len(session)}"
        )
    if serving.serves != "both":
        return Picked(folder / getattr(serving, serving.serves), noted=True)
    candidate = has_candidate(serving.id, session, serving.share)
    line = json.dumps({"session": session, "candidate": candidate, "time": clock.now().isoformat()})
    noted = False
    with suppress(OSError), open(folder / SERVED, "a", encoding="utf-8") as file:
        file.write(f"{line}\n")
        noted = True
    return Picked(folder / (serving.candidate if candidate else serving.champion), noted)


def serve_one(folder: Path, side: Literal["champion", "candidate"], instead: Skill | None = None) -> None:
    """From now on every session gets that one; done again it changes nothing.

    Args:
        folder: the canary's.
        side: which.
        instead: put in the place of what stands there: the champion has become another one meanwhile.

    Raises:
        BadInput: the folder is no canary's, or cannot be written.
    """
    serving = serving_in(folder).model_copy(update={"serves": side})
    beside = folder / f".{ABOUT}.new"
    try:
        if instead is not None:
            write_skill(instead, folder / getattr(serving, side))
        beside.write_text(serving.model_dump_json(indent=2) + "\n")
        os.replace(beside, folder / ABOUT)
    except OSError as error:
        raise BadInput(f"{folder} cannot be written ({error.strerror}): it goes on serving as before") from error


def serving_in(folder: Path) -> Serving:
    """What a canary's folder says.

    Raises:
        BadInput: it is none.
    """
    found = _serving(folder)
    if found is None:
        raise BadInput(f"{folder} is no canary's folder: `trace2skill canary start` makes one")
    return found


def noted_in(folder: Path) -> Mapping[str, Served]:
    """The sessions that were served, in their order, each by its first time. A line that a crash cut off names none."""
    found: dict[str, Served] = {}
    with suppress(FileNotFoundError), open(folder / SERVED, encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError):
                told: Any = json.loads(line)
                if isinstance(told, dict) and isinstance(told.get("session"), str):
                    at = instant(told.get("time"))
                    found.setdefault(told["session"], Served(at if at < float("inf") else 0.0))
    return found


def _serving(folder: Path) -> Serving | None:
    try:
        return Serving.model_validate_json((folder / ABOUT).read_bytes())
    except (OSError, ValidationError):
        return None
