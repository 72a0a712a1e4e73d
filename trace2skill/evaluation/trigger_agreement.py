"""What an agent's own program takes up, beside what a model chose in one call: on a sample of the queries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.evaluation.trigger_queries import TriggerQuery
from trace2skill.evaluation.triggers import SkillTriggers, TriggerReport, of_skills, wilson
from trace2skill.types.comparison import Interval

How = Literal["right", "wrong", "unknown"]


class AskedProgram(NamedTuple):
    """One query as a program worked on it: the skills that it has on record, None where nobody can know, and why."""

    used: frozenset[str] | None
    why: str = ""


class AgreementRow(Record):
    """So many queries went so in one call and so in the program."""

    one_call: How
    program: How
    queries: int


class TakenOtherwise(Record):
    """A query for which the program took up something else; '' is none, `program` None where nobody knows."""

    query: str
    wanted: str
    one_call: str | None
    program: tuple[str, ...] | None


class ProgramTriggers(Record):
    """What a program took up for a sample of the queries. A query of which nothing is known counts for nothing."""

    program: str = Field(description="Name of the harness.")
    version: str = ""
    why_unknown: str = Field(
        default="", description="Why nothing can be known of any query; none was then given to it."
    )
    not_judged: dict[str, str] = Field(
        default_factory=dict,
        description="Skills that it did not take up by their name, and why: without their queries.",
    )
    queries: int = Field(default=0, description="In the sample.")
    should: int = Field(default=0, description="Of these, that should call for a skill.")
    unknown: dict[str, int] = Field(default_factory=dict, description="By reason, queries of which nothing is known.")
    skills: tuple[SkillTriggers, ...] = ()
    agreement: tuple[AgreementRow, ...] = ()
    same: Interval | None = Field(default=None, description="Share in which both took up the same, of those with both.")
    differences: tuple[TakenOtherwise, ...] = ()
    cost: float = Field(
        default=0.0, description="US dollars of all attempts, the control's and those that broke with them."
    )
    cost_from: dict[str, int] = Field(default_factory=dict, description="How that is known, by attempts.")


class ConfirmedTriggers(TriggerReport):
    """The choices in one call, and what a program did."""

    program: ProgramTriggers


def sample_of(queries: Sequence[TriggerQuery], most: int, seed: int) -> list[TriggerQuery]:
    """So many queries at most, half of which should call for a skill; where a half has too few the other has more.

    Drawn by seed and text: a query stays in or out while the file grows by little.
    """

    def drawn(*, should: bool) -> list[TriggerQuery]:
        mine = [item for item in queries if bool(item.skill) == should]
        return sorted(mine, key=lambda item: digest_of("trigger sample", seed, item.query))

    yes, no = drawn(should=True), drawn(should=False)
    of_yes = min(len(yes), max(most - most // 2, most - len(no)))
    return [*yes[:of_yes], *no[: most - of_yes]]


def agreement_on(
    program: ProgramTriggers,
    names: Sequence[str],
    sample: Sequence[TriggerQuery],
    chosen: Mapping[str, str | None],
    sessions: Mapping[str, AskedProgram],
) -> ProgramTriggers:
    """Count what both did.

    Args:
        program: its name and version, and what the control cost.
        names: of the skills.
        sample: what was asked.
        chosen: by query, what the model chose in one call; '' none, None unknown.
        sessions: by query, what the program did.
    """
    told = [(item, used) for item in sample if (used := sessions[item.query].used) is not None]
    rows = Counter((_by_choice(item, chosen[item.query]), _by_use(item, sessions[item.query].used)) for item in sample)
    both = [(item, used, said) for item, used in told if (said := chosen[item.query]) is not None]
    same = sum(used == frozenset({said} - {""}) for _, used, said in both)
    order: tuple[How, ...] = ("right", "wrong", "unknown")
    return program.model_copy(
        update={
            "unknown": dict(Counter(one.why for one in sessions.values() if one.used is None)),
            "skills": of_skills(names, told),
            "agreement": tuple(
                AgreementRow(one_call=one, program=other, queries=rows[one, other]) for one in order for other in order
            ),
            "same": wilson(same, len(both)),
            "differences": tuple(
                TakenOtherwise(query=item.query, wanted=item.skill, one_call=said, program=tuple(sorted(used)))
                for item, used, said in both
                if used != frozenset({said} - {""})
            ),
        }
    )


def _by_choice(item: TriggerQuery, said: str | None) -> How:
    return "unknown" if said is None else "right" if said == item.skill else "wrong"


def _by_use(item: TriggerQuery, used: frozenset[str] | None) -> How:
    """Right where it took up the skill, and no other of these."""
    return "unknown" if used is None else "right" if used == frozenset({item.skill} - {""}) else "wrong"
