"""A planted mistake of an answer."""

from collections.abc import Callable
from dataclasses import dataclass

from trace2skill.sim.cause import Cause
from trace2skill.sim.lessons import Wording


@dataclass(frozen=True)
class Mistake:
    """A cause, and what it makes of a right answer; the same text where it cannot be made."""

    cause: Cause
    spoil: Callable[[str], str]


def planted(
    name: str,
    spoil: Callable[[str], str],
    *,
    prevalence: float,
    section: str,
    guidance: tuple[str, ...],
    title: str,
    when: str,
    contents: tuple[str, ...],
) -> Mistake:
    """A mistake with its lesson in several wordings; each of them must match all of `guidance` in one line."""
    wordings = tuple(Wording(title=title, description=when, content=content) for content in contents)
    cause = Cause(name=name, prevalence=prevalence, kinds=(), section=section, guidance=guidance, wordings=wordings)
    return Mistake(cause, spoil)
