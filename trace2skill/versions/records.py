"""What the registry keeps: versions of a skill, and changes of its champion; and either in the words of a commit."""

from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.types.decision import Decision

State = Literal["candidate", "promoted", "rejected", "by_hand"]
Kind = Literal["adopt", "promote", "rollback"]


class Version(Record):
    """One version of a skill. `number` counts the versions of a name from 1, in the order they were first seen."""

    name: str
    skill: str = Field(description="Digest of its files.")
    parent: str = ""
    run_id: str = ""
    state: State
    decision: Decision | None = None
    author: str = Field(default="", description="The model that wrote it, '' for people.")
    number: int = 0
    written: str = ""


class Change(Record):
    """One line of a champion's history. `done` once the directory was swapped."""

    name: str
    number: int
    kind: Kind
    skill: str = Field(description="Digest of the champion from here on.")
    previous: str = ""
    run_id: str = ""
    reason: str = ""
    done: bool = False
    written: str = ""


def message(version: Version) -> str:
    """The evidence for a version, as a commit message."""
    decision = version.decision
    parts = [f"{version.name} {version.number}: {version.state.replace('_', ' ')}"]
    if decision is not None:
        parts.append(f"{decision.verdict.replace('_', ' ')}: {decision.reason}.")
        if decision.comparison is not None:
            gained, lost = decision.comparison.better, decision.comparison.worse
            parts.append(f"Better on: {', '.join(gained) or 'nothing'}\nWorse on: {', '.join(lost) or 'nothing'}")
    trailers = [f"Skill-Digest: {version.skill}"]
    trailers += [f"Skill-Parent: {version.parent}"] if version.parent else []
    trailers += [f"Trace2skill-Run: {version.run_id}"] if version.run_id else []
    return "\n\n".join([*parts, "\n".join(trailers)]) + "\n"


def message_of(change: Change, version: Version | None) -> str:
    """A change of the champion as a commit message, with the evidence for the version where it is known."""
    if change.kind == "promote" and version is not None:
        return message(version.model_copy(update={"state": "promoted"}))
    number = f" {version.number}" if version else ""
    back = {"rollback": "back in use"}.get(change.kind, "in use")
    return f"{change.name}{number}: {back}\n\n{change.reason}\n\nSkill-Digest: {change.skill}\n"
