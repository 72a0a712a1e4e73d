"""Size limits, held by program: what does not fit goes where there is room, the least supported first.

The figures are those of the agentskills.io guidance for SKILL.md (500 lines, 5,000 tokens) and ours for references.
"""

from collections.abc import Callable

from pydantic import Field

from trace2skill.consolidate.groups import Dropped
from trace2skill.consolidate.route import Routed
from trace2skill.core.record import Record
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill

CHARS_PER_TOKEN = 4


class SizeLimits(Record):
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


def squeezed(routed: Routed, moved: int, dropped: int) -> Routed:
    """So many groups fewer in SKILL.md, which go to a reference, and then so many fewer in references, which drop out.

    The least supported go first. With no reference left, what is dropped comes from SKILL.md.
    """
    stay = len(routed.main) - moved
    main, reference = routed.main[:stay], (*routed.main[stay:], *routed.reference)
    kept = max(0, len(reference) - dropped)
    out = [*reference[kept:], *main[len(main) - max(0, dropped - len(reference)) :]] if dropped else []
    records = tuple(Dropped(group=group, reason="there is no room left for it") for group in reversed(out))
    gone = {group.id for group in out}
    return routed.model_copy(
        update={
            "main": tuple(group for group in main if group.id not in gone),
            "reference": reference[:kept],
            "dropped": (*routed.dropped, *records),
        }
    )


def fewest(most: int, fits: Callable[[int], bool]) -> int:
    """The smallest number from 0 to `most` that fits, by halving; `most` where none does."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return low
