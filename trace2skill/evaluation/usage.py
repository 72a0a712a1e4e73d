"""Which parts of a skill an agent uses, read off its trajectories.

Opened references and run scripts are facts. That a section's guidance shows up in what an agent writes and runs is an
estimate: the share of the section's telling words found there, beside the same share in runs without those lines.
"""

from collections.abc import Sequence

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.core.similarity import words
from trace2skill.skills.markdown import section_text, sections
from trace2skill.skills.skill import Skill
from trace2skill.types.trajectory import Trajectory

SHOWS_FROM = 0.4
SHORTEST = 4


class FileUse(Record):
    """A reference or script: how many of the runs opened or ran it."""

    path: str
    runs: int
    of: int


class SectionUse(Record):
    """A section: an estimate of how often its guidance shows in what agents do."""

    file: str
    section: tuple[str, ...]
    shows: float = Field(description="Share of the runs with the skill in which at least 40% of its words turn up.")
    elsewhere: float = Field(description="The same in the runs it is compared with.")
    score_where: float | None = Field(default=None, description="Mean hard score of the runs in which it shows.")
    score_else: float | None = Field(default=None, description="Mean hard score of the others.")

    @property
    def unused(self) -> bool:
        """Does it show in no run at all?"""
        return self.shows == 0

    @property
    def told_apart(self) -> bool:
        """Does it show more often than in the runs without this version?"""
        return self.shows > self.elsewhere

    @property
    def never_helpful(self) -> bool:
        """Do runs in which it shows score no higher than the others?"""
        return None not in (self.score_where, self.score_else) and (self.score_where or 0) <= (self.score_else or 0)


class SkillUsage(Record):
    """Use of one version of a skill."""

    skill: str
    files: tuple[FileUse, ...]
    sections: tuple[SectionUse, ...]


def usage_of(skill: Skill, runs: Sequence[Trajectory], others: Sequence[Trajectory]) -> SkillUsage:
    """Estimate the use of a skill.

    Args:
        skill: the version.
        runs: trajectories with it.
        others: trajectories of the same agent without it, or with the version before.
    """
    files = [
        FileUse(
            path=file.path,
            runs=sum(file.path in (*run.skill_files_opened, *run.skill_scripts_run) for run in runs),
            of=len(runs),
        )
        for file in skill.files
        if file.path != "SKILL.md"
    ]
    said, said_elsewhere = [_said(run) for run in runs], [_said(run) for run in others]
    found = []
    for file in skill.files:
        text = skill.text(file.path) or ""
        for section in sections(text) if file.path.endswith(".md") else ():
            telling = _telling(section_text(text, section.path))
            if telling:
                found.append(_section_use(file.path, section.path, telling, runs, said, said_elsewhere))
    return SkillUsage(skill=skill.digest, files=tuple(files), sections=tuple(found))


def _section_use(
    file: str,
    path: tuple[str, ...],
    telling: frozenset[str],
    runs: Sequence[Trajectory],
    said: Sequence[frozenset[str]],
    elsewhere: Sequence[frozenset[str]],
) -> SectionUse:
    shows = [len(telling & words) / len(telling) >= SHOWS_FROM for words in said]
    there = [len(telling & words) / len(telling) >= SHOWS_FROM for words in elsewhere]
    scores = {
        which: [run.outcome.hard for run, shown in zip(runs, shows, strict=True) if shown is which]
        for which in (True, False)
    }
    return SectionUse(
        file=file,
        section=path,
        shows=_share(shows),
        elsewhere=_share(there),
        score_where=_mean(scores[True]),
        score_else=_mean(scores[False]),
    )


def _telling(text: str) -> frozenset[str]:
    return frozenset(word for word in words(text) if len(word) >= SHORTEST and word not in COMMON)


def _said(run: Trajectory) -> frozenset[str]:
    """The words of what the agent wrote, thought and ran; not of what it was told or what tools answered."""
    parts = []
    for step in run.steps:
        if step.source == "agent":
            parts += [step.message, step.reasoning]
            parts += [str(value) for call in step.tool_calls for value in call.arguments.values()]
    return frozenset(words("\n".join(parts)))


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


COMMON = frozenset(
    words(
        """that this with from what when then than them they their there where which while will your have does into only
        each every before after over under must should could would about other same such very more most some also been
        were"""
    )
)
