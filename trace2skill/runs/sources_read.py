"""`SourcesRead`: what was read of the logs that a run learned from, in numbers and in words."""

from operator import not_

from pydantic import Field

from trace2skill.core.record import Record

SHOWN_OTHERS = 3


class SourcesRead(Record):
    """What was read of the logs that a run learned from."""

    files: int
    unchanged: int = Field(description="Files as they were when a run last succeeded: not read again.")
    formats: dict[str, int] = Field(default_factory=dict, description="Files read, by format.")
    trajectories: int = Field(description="Segments that are analysed, read now or before.")
    fresh: int = Field(description="Segments read now.")
    held_out: int = Field(default=0, description="Left out, since they are of held-out tasks.")
    kept_back: int = Field(
        default=0, exclude_if=not_, description="Left out, since they are held out for an audit (`--hold-out`)."
    )
    unsampled: int = Field(
        default=0, exclude_if=not_, description="Traces of trace stores that are in no sample (`passed=50`)."
    )
    given_up: int = Field(
        default=0, exclude_if=not_, description="Traces of trace stores that are left out until they change."
    )
    outcomes: dict[str, int] = Field(description="Segments by how they ended.")
    labels: dict[str, int] = Field(description="Segments by who said how they ended.")
    redacted: dict[str, int] = Field(description="What was redacted in this reading, by kind.")
    problems: int = Field(description="Lines and files that could not be read.")
    problems_before: int = Field(
        default=0, exclude_if=not_, description="Of these, known from earlier readings of files that did not change."
    )
    first_problems: tuple[str, ...] = ()
    duplicates: int = 0
    unmatched: int = Field(default=0, exclude_if=not_, description="Labels that no session bears.")
    first_unmatched: tuple[str, ...] = Field(default=(), exclude_if=not_)
    tested_on: str = Field(default="", exclude_if=not_, description="What the held-out tasks are, in words.")
    mined: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="What the miner looked at and what came of it, in words."
    )
    others: tuple[str, ...] = Field(
        default=(),
        exclude_if=not_,
        description="Logs of earlier runs whose rules are in the skill, by its name alone: no path is in common.",
    )
    others_of: str = Field(default="", exclude_if=not_, description="That name.")

    def as_lines(self) -> list[str]:
        """In words."""

        def counted(found: dict[str, int]) -> str:
            return ", ".join(f"{count} {key}" for key, count in found.items()) or "none"

        left_out = f"; {self.held_out} left out, since they are of held-out tasks" if self.held_out else ""
        left_out += f"; {self.kept_back} held out for an audit (`--hold-out`)" if self.kept_back else ""
        left_out += f"; {self.unsampled} traces are in no sample" if self.unsampled else ""
        given_up = (
            f"{self.given_up} traces are given up until they change: too large, gone, or unreadable on three days"
        )
        before = f", {self.problems_before} of them known of files that did not change" if self.problems_before else ""
        return [
            f"files {self.files}, of them unchanged {self.unchanged}; read now: {counted(self.formats)}",
            f"segments {self.trajectories}, new or changed {self.fresh}, copies {self.duplicates}{left_out}",
            *(["ask what it does for the sessions held out: `trace2skill audit SKILL LOGS`"] * bool(self.kept_back)),
            *([f"tested on {self.tested_on}; nothing was learned from their sessions"] * bool(self.tested_on)),
            f"outcomes: {counted(self.outcomes)}; said by: {counted(self.labels)}",
            f"redacted in this reading: {counted(self.redacted)}",
            *(
                [f"labels that name no session: {self.unmatched} ({', '.join(self.first_unmatched)})"]
                * bool(self.unmatched)
            ),
            *([given_up] * bool(self.given_up)),
            f"lines and files that could not be read: {self.problems}{before}",
            *(f"  {problem}" for problem in self.first_problems[:10]),
            *(f"rules: {line}" for line in self.mined),
            *([self._others_in_words()] * bool(self.others)),
        ]

    def _others_in_words(self) -> str:
        named = ", ".join(self.others[:SHOWN_OTHERS])
        more = f" and {len(self.others) - SHOWN_OTHERS} more" if len(self.others) > SHOWN_OTHERS else ""
        return (
            f"WARNING: the skill '{self.others_of}' has rules of other logs too, which earlier runs learned under the "
            f"same name: {named}{more}; where these are of another project, give each a name of its own (--name)"
        )
