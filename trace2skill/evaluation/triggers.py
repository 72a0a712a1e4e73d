"""Does the description bring the agent to the skill when it should, and not when it should not? Precision and recall.

Before anything is believed, each skill is asked for by its name: a model that does not take up even that says nothing
of descriptions. Intervals are Wilson's (1927, https://doi.org/10.1080/01621459.1927.10502953), of 95%.
"""

from collections.abc import Collection, Mapping, Sequence
from math import sqrt

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.evaluation.trigger_queries import TriggerQuery
from trace2skill.types.comparison import Interval

Z95 = 1.959963984540054


class Misjudged(Record):
    """A query for which another skill was taken up than should be; '' is none."""

    query: str
    wanted: str
    taken: str


class SkillTriggers(Record):
    """How the description of one skill does. None where no query, or no choice, says anything."""

    name: str
    asked: int = Field(description="Queries that should call for it.")
    taken: int = Field(description="Queries for which it was taken up.")
    right: int = Field(description="Of both at once.")
    precision: Interval | None
    recall: Interval | None


class TriggerReport(Record):
    """The skills of a library, judged by the choices of a model."""

    model: str
    queries: int
    unreadable: int = Field(description="Queries without a usable answer; they count for nothing.")
    skills: tuple[SkillTriggers, ...]
    misjudged: tuple[Misjudged, ...]


def control_query(name: str) -> str:
    """A request that asks for a skill by its name."""
    return f"Use the skill {name} for this: do what it is for."


def report_on(
    model: str, names: Sequence[str], queries: Sequence[TriggerQuery], taken: Mapping[str, str | None]
) -> TriggerReport:
    """Count the choices.

    Args:
        model: who chose.
        names: of the skills.
        queries: what was asked.
        taken: by query, what was taken up; None where nobody knows.
    """
    told = [(item, said) for item in queries if (said := taken.get(item.query)) is not None]
    return TriggerReport(
        model=model,
        queries=len(queries),
        unreadable=len(queries) - len(told),
        skills=of_skills(names, [(item, {said} - {""}) for item, said in told]),
        misjudged=tuple(
            Misjudged(query=item.query, wanted=item.skill, taken=said) for item, said in told if item.skill != said
        ),
    )


def of_skills(names: Sequence[str], told: Sequence[tuple[TriggerQuery, Collection[str]]]) -> tuple[SkillTriggers, ...]:
    """Count for each skill; `told` holds queries, each with the skills that were taken up for it."""
    found = []
    for name in names:
        asked = sum(item.skill == name for item, _ in told)
        took = sum(name in used for _, used in told)
        right = sum(item.skill == name and name in used for item, used in told)
        shares = {"precision": wilson(right, took), "recall": wilson(right, asked)}
        found.append(SkillTriggers(name=name, asked=asked, taken=took, right=right, **shares))
    return tuple(found)


def wilson(right: int, of: int) -> Interval | None:
    """A share with its interval; None of nothing."""
    if not of:
        return None
    share, z = right / of, Z95
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    off = z / (1 + z * z / of) * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return Interval(mean=share, low=max(0.0, middle - off), high=min(1.0, middle + off))
