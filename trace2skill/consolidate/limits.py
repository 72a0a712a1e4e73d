"""Size limits, held by program: what does not fit goes where there is room, the least supported first.

The figures are those of the agentskills.io guidance for SKILL.md (500 lines, 5,000 tokens) and ours for references.
"""

from collections.abc import Sequence

from pydantic import Field

from trace2skill.consolidate.groups import Dropped
from trace2skill.consolidate.route import Routed
from trace2skill.markdown import split_lines
from trace2skill.noun import Noun
from trace2skill.skill import Skill

CHARS_PER_TOKEN = 4


class SizeLimits(Noun):
    """How large the files of a skill may become. A file that is larger already may not grow."""

    lines: int = Field(default=500, ge=10, description="Most lines of the body of SKILL.md.")
    tokens: int = Field(default=5_000, ge=100, description="Most tokens of the body of SKILL.md, four characters each.")
    reference_lines: int = Field(default=300, ge=10, description="Most lines of a reference file.")


def over_limits(base: Skill, skill: Skill, limits: SizeLimits) -> tuple[str, ...]:
    """The files that are too large, SKILL.md first."""
    found = []
    lines, tokens = len(split_lines(skill.body)), len(skill.body) // CHARS_PER_TOKEN
    base_lines, base_tokens = len(split_lines(base.body)), len(base.body) // CHARS_PER_TOKEN
    if lines > max(limits.lines, base_lines) or tokens > max(limits.tokens, base_tokens):
        found.append("SKILL.md")
    for file in skill.files:
        if file.path.startswith("references/") and file.path.endswith(".md"):
            size = len(split_lines(skill.text(file.path) or ""))
            if size > max(limits.reference_lines, len(split_lines(base.text(file.path) or ""))):
                found.append(file.path)
    return tuple(found)


def least_supported(routed: Routed, too_large: Sequence[str]) -> Routed | None:
    """One group fewer where it is too large: from SKILL.md to a reference, from a reference to the dropped.

    None when there is nothing left to move: then what is too large was so before.
    """
    if "SKILL.md" in too_large and routed.main:
        *kept, last = routed.main
        return routed.model_copy(update={"main": tuple(kept), "reference": (last, *routed.reference)})
    place = "reference" if routed.reference else "main"
    groups = getattr(routed, place)
    if not groups:
        return None
    record = Dropped(group=groups[-1], reason=f"there is no room left: {', '.join(too_large)} would be too large")
    return routed.model_copy(update={place: groups[:-1], "dropped": (*routed.dropped, record)})
