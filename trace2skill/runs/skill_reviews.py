"""What reviewers have said of the versions of a skill, as a store keeps it, and what of it decides.

A rejection is a verdict against a rule, of the same kind and with the same effect as those of the gate
(`trace2skill.runs.refutation`): the rule stays out until enough tasks ask for it anew. A wording takes the place of the
rule's own. Everything else is a note, which is shown and decides nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from operator import not_
from typing import Literal, NamedTuple

from pydantic import Field

from trace2skill.consolidate.groups import EditGroup, Saying, Support
from trace2skill.core.record import Record
from trace2skill.store import Store
from trace2skill.types.patch import Edit
from trace2skill.versions.reviews import Comment

Effect = Literal["rejects", "words", "note"]


class ReviewedLine(Record):
    """A comment, and the line of the skill that it is about."""

    comment: Comment
    file: str = Field(default="", exclude_if=not_, description="Inside the skill; '' where it is about no line of it.")
    line: int = Field(default=0, exclude_if=not_, description="In the version in which it was found.")
    text: str = Field(default="", exclude_if=not_)
    said: tuple[Saying, ...] = Field(default=(), exclude_if=not_, description="The words of those who asked for it.")
    of_rule: bool = Field(default=False, exclude_if=not_, description="Did a run write the line, for a rule?")
    unfit: str = Field(default="", exclude_if=not_, description="Why it decides nothing, although its form would.")
    after: str = Field(default="", exclude_if=not_, description="The last run that had ended when this was first read.")

    @property
    def effect(self) -> Effect:
        """What it does."""
        if not self.of_rule or self.unfit:
            return "note"
        if self.comment.against:
            return "rejects"
        if not self.comment.may_vote:
            return "note"
        return {"reject": "rejects", "wording": "words", "note": "note"}[self.comment.means]  # type: ignore[return-value]

    @property
    def why_not(self) -> str:
        """Why a comment that would decide is a note, '' where nothing is to be said."""
        wants, said = self.comment, self.effect
        if said != "note":
            return ""
        if wants.means == "note":
            return self.unfit if wants.against and self.of_rule else wants.unfit
        if wants.by != "person":
            return "by a bot" if wants.by == "bot" else "by the account that proposed it"
        if wants.may_write is None:
            return "the forge does not say whether its author may write there"
        return "its author may not write there" if not wants.may_write else self.unfit or "no run has written that line"

    @property
    def in_words(self) -> str:
        """Who said what, for a reader; what somebody wrote is kept as it was cleaned."""
        does = {"rejects": "rejects it", "words": "words it", "note": "notes"}[self.effect]
        marks = ["asks for changes as a whole" if self.comment.asks_changes else "", self.why_not]
        who = ", ".join(self.comment.against) or self.comment.person
        told = "; ".join(mark for mark in marks if mark)
        return f"{who} {does}{f' ({told})' if told else ''}: {self.comment.wording or self.comment.says}".rstrip(": ")


class ReadRequest(Record):
    """A pull request as it was last read."""

    id: str
    address: str
    state: Literal["open", "merged", "closed"]
    run_id: str = Field(description="The run whose version it was read for.")
    night: int | None = Field(default=None, exclude_if=not_)
    version: str = Field(description="Digest of that version.")
    against: tuple[str, ...] = Field(default=(), exclude_if=not_, description="Who is against all of it; a note.")
    lines: tuple[ReviewedLine, ...] = ()
    unread: str = Field(default="", exclude_if=not_, description="What the forge did not tell.")


class ProposedRun(Record):
    """A run whose version was proposed, and where. `base` is the digest of what it was made from."""

    run_id: str
    base: str
    address: str
    forge: Literal["github", "gitlab"]
    api: str
    request: str = Field(default="", exclude_if=not_, description="`ReadRequest.id` of its request; '' unknown.")


class SkillReviews(Record, form="SkillReviews", version=1):
    """All that is known of the pull requests of a skill."""

    skill: str
    proposed: tuple[ProposedRun, ...] = ()
    requests: tuple[ReadRequest, ...] = ()


class Vote(NamedTuple):
    """What a reviewer has decided on a line: against it, or on its words. `at` is the place of a run, as in `Past`."""

    at: int
    request: ReadRequest
    person: str
    where: str
    group: EditGroup
    """The line as a run would write it, by which its rules are found."""
    wording: str = ""
    changed: str = ""


def reviews_of(store: Store, skill: str) -> SkillReviews:
    """What the store has of a skill of that name."""
    return store.get("review", skill, SkillReviews) or SkillReviews(skill=skill)


def votes_in(reviews: SkillReviews, places: Mapping[str, int]) -> tuple[Vote, ...]:
    """What decides, oldest first. `places` are those of runs by id."""
    found = [vote for request in reviews.requests for vote in _votes(request, places)]
    return tuple(sorted(found, key=lambda vote: (vote.at, vote.changed, vote.where)))


def _votes(request: ReadRequest, places: Mapping[str, int]) -> Iterator[Vote]:
    for line in request.lines:
        if line.effect == "note":
            continue
        edit = Edit(op="append_to_section", file=line.file, content=line.text)
        yield Vote(
            at=places.get(line.after, places.get(request.run_id, -1)),
            request=request,
            person=", ".join(line.comment.against) or line.comment.person,
            where=line.comment.where or request.address,
            group=EditGroup(edits=(edit,), support=Support(trajectories=(), tasks=()), said=line.said),
            wording=line.comment.wording if line.effect == "words" else "",
            changed=line.comment.changed,
        )


def lines_said(reviews: SkillReviews, said: Sequence[Saying], text: str) -> tuple[ReviewedLine, ...]:
    """What reviewers have said of a line: one of those words, or of most of whose supporters it has."""
    own = {(one.trajectory_id, one.text) for one in said}
    found = []
    for request in reviews.requests:
        for line in request.lines:
            same = sum((one.trajectory_id, one.text) in own for one in line.said)
            if line.text and (line.text.strip() == text.strip() or same * 2 > len(line.said) > 0):
                found.append(line)
    return tuple(found)
