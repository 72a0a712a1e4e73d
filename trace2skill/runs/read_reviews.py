"""Reading what reviewers have said of a run's pull request, and keeping it: in doubt a comment is a note.

What was read once is taken back by what the forge says for certain alone: a comment that says something else, or that a
whole list does not have any more.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trace2skill.core.errors import BadInput
from trace2skill.core.forms import from_text_or_none
from trace2skill.runs.commented_lines import LONGEST_TEXT, CommentedLines, groups_of, own_out, person
from trace2skill.runs.past import ended
from trace2skill.runs.skill_reviews import ProposedRun, ReadRequest, ReviewedLine, SkillReviews, reviews_of
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.decision import Decision
from trace2skill.versions.pull_request import Forge, PullRequest
from trace2skill.versions.registry import Registry, Version
from trace2skill.versions.reviews import Comment, Reviewed

CLOSED = "closed without merging"
UNNAMED = "which version was closed: the request's text does not name it any more"


class ReviewsRead(NamedTuple):
    """A request as it was read, and what of it is new, or is no more, since it was read before."""

    request: ReadRequest
    new: tuple[ReviewedLine, ...]
    changed: tuple[ReviewedLine, ...]
    gone: tuple[ReviewedLine, ...]


def keep_proposed(store: Store, summary: RunSummary, address: GitAddress, forge: Forge, request: str = "") -> None:
    """Write down where a run's version was proposed, so that nights read what is said there.

    `request` is its `ForgeRequest.id`. Of the runs that share one, the last that proposed is the one it speaks of.
    """
    skill = summary.skill_name
    with store.alone(f"review/{skill}"):
        known = reviews_of(store, skill)
        before = next((item.request for item in known.proposed if item.run_id == summary.run_id), "")
        now = _proposed(summary, address, forge, request or before)
        kept = tuple(item for item in known.proposed if item.run_id != summary.run_id)
        if known.proposed != (*kept, now):
            store.put("review", skill, known.model_copy(update={"proposed": (*kept, now)}))


def _proposed(summary: RunSummary, address: GitAddress, forge: Forge, request: str) -> ProposedRun:
    where = {"address": str(address), "forge": forge.kind, "api": forge.api, "request": request}
    return ProposedRun.model_validate({"run_id": summary.run_id, "base": summary.candidate.base, **where})


def summary_again(store: Store, run_id: str) -> RunSummary | None:
    """What a run came to, None where the store cannot say."""
    row = store.run(run_id)
    return from_text_or_none(row.summary, RunSummary) if row and row.summary else None


def read_reviews(store: Store, summary: RunSummary, address: GitAddress, forge: Forge) -> ReviewsRead:
    """Read what was said of a run's request, and keep it in the place of what was read of it before. Twice is once.

    Where a later run has proposed in the same request, it is read for that run: it is what people see.

    Raises:
        BadInput: the run has learned nothing, there is no request, or the forge cannot be read: nothing is changed.
    """
    if not summary.learned:
        raise BadInput(f"run '{summary.run_id}' has learned nothing, so that nothing was proposed")
    known = reviews_of(store, summary.skill_name)
    request = next((item.request for item in known.proposed if item.run_id == summary.run_id), "")
    summary = _that_speaks(store, known, request) or summary
    skill = Registry(store).skill(summary.candidate.skill)
    branches = PullRequest.branches(skill, summary.candidate.base)
    told = forge.reviewed(branches, skill.digest, request, _may_write(known, request))
    found = CommentedLines(store, summary, skill, address)
    located = [found.of(comment) for comment in told.comments]
    with store.alone(f"review/{skill.name}"):
        known = reviews_of(store, skill.name)
        before = next((item for item in known.requests if item.id == told.id), None)
        now = _as_read(store, told, summary, skill, located, before)
        others = tuple(item for item in known.requests if item.id != now.id)
        proposed = tuple(
            item.model_copy(update={"request": now.id}) if item.run_id == summary.run_id else item
            for item in known.proposed
        )
        if all(item.run_id != summary.run_id for item in proposed):
            proposed = (*proposed, _proposed(summary, address, forge, now.id))
        if now.state == "closed":  # before it counts as read: a night asks for no request that was read as closed
            _judge(store, summary, skill, told, now)
        store.put("review", skill.name, known.model_copy(update={"requests": (*others, now), "proposed": proposed}))
    return _compared(before, now)


def _that_speaks(store: Store, known: SkillReviews, request: str) -> RunSummary | None:
    """The last run that has proposed in a request; None where that is not known."""
    ids = [item.run_id for item in known.proposed if request and item.request == request]
    return summary_again(store, ids[-1]) if ids else None


def _may_write(known: SkillReviews, request: str) -> dict[str, bool]:
    """Who may write, as it was read last: a forge that does not say so now takes nothing back."""
    found: dict[str, bool] = {}
    for line in (line for item in known.requests if request and item.id == request for line in item.lines):
        if line.comment.by == "person" and line.comment.may_write is not None:
            found[line.comment.person] = line.comment.may_write
        found |= dict.fromkeys(line.comment.against, True)
    return found


def _as_read(
    store: Store,
    told: Reviewed,
    summary: RunSummary,
    skill: Skill,
    located: Sequence[ReviewedLine],
    before: ReadRequest | None,
) -> ReadRequest:
    """A request as it is kept. What was read of it before stays where the forge does not say otherwise."""
    last = next(reversed(ended(store.run_heads())), summary.run_id)
    was = {line.comment.id: line for line in (before.lines if before else ())}
    lines = [_still(line, was.get(line.comment.id)) for line in located]
    ours = told.state == "closed" and not _landed(Registry(store), skill)
    unnamed = ours and told.closed_by and skill.digest not in told.body
    unread = "; ".join(part for part in (told.unread, UNNAMED if unnamed else "") if part)
    closing = [*_closing(told, summary, lines)] if ours and not unnamed else []
    if ours and told.unread and "closed" in was:
        closing = [was["closed"]]
    lines += closing
    against = before.against if before and told.unread else told.against
    return ReadRequest(
        id=own_out(told.id),
        address=own_out(told.address),
        state=told.state,
        run_id=summary.run_id,
        night=summary.night,
        version=skill.digest,
        against=tuple(map(person, against)),
        lines=tuple(_first_read(line, was.get(line.comment.id), last) for line in lines),
        unread=unread,
    )


def _landed(registry: Registry, skill: Skill) -> bool:
    """Has it ever been the champion? People may have put it there by hand, and then closed what asked for it."""
    return any(change.skill == skill.digest for change in registry.history(skill.name))


def _still(line: ReviewedLine, was: ReviewedLine | None) -> ReviewedLine:
    """A comment that says what it said: its author still decides, and its line is still where it was found."""
    same = ("person", "says", "means", "wording")
    if was is None or any(getattr(was.comment, name) != getattr(line.comment, name) for name in same):
        return line
    if was.comment.may_vote and line.comment.by == "person":
        line = line.model_copy(update={"comment": line.comment.model_copy(update={"may_write": True})})
    if was.of_rule and not line.text:
        where = {name: getattr(was, name) for name in ("file", "line", "text", "said", "of_rule", "unfit")}
        line = line.model_copy(update=where)
    return line


def _compared(before: ReadRequest | None, now: ReadRequest) -> ReviewsRead:
    was = {line.comment.id: line for line in (before.lines if before else ())}
    there = {line.comment.id for line in now.lines}
    return ReviewsRead(
        now,
        tuple(line for line in now.lines if line.comment.id not in was),
        tuple(line for line in now.lines if line.comment.id in was and line != was[line.comment.id]),
        tuple(line for id, line in was.items() if id not in there),
    )


def _first_read(line: ReviewedLine, was: ReviewedLine | None, last: str) -> ReviewedLine:
    """With the run after which it was first read: a comment that decides otherwise by now is a new one."""
    after = was.after if was is not None and was.effect == line.effect else last
    return line.model_copy(update={"after": after})


def _closing(told: Reviewed, summary: RunSummary, lines: Sequence[ReviewedLine]) -> Iterable[ReviewedLine]:
    """That somebody closed it without merging: a verdict against its rule, where it has one, and else against none.

    Of several, one may be right: who closes says of no line that it is wrong.
    """
    groups = [*groups_of(summary)]
    if not told.closed_by or len(groups) != 1:
        return ()
    (group,) = groups
    comment = Comment(
        id="closed",
        person=person(told.closed_by),
        may_write=True,
        says=f"{CLOSED}{_last_words(lines)}",
        means="reject",
        where=own_out(told.address),
    )
    edit = group.edits[0]
    text = edit.content[:LONGEST_TEXT]
    return (ReviewedLine(comment=comment, file=edit.file, text=text, said=group.said, of_rule=True),)


def _last_words(lines: Sequence[ReviewedLine]) -> str:
    """What a person who may write said last, as the reason; '' where nobody said anything."""
    said = [line.comment for line in lines if line.comment.may_vote and line.comment.says]
    last = max(said, key=lambda comment: comment.changed, default=None)
    return f": {' '.join(last.says.split())[:200]}" if last else ""


def _judge(store: Store, summary: RunSummary, skill: Skill, told: Reviewed, request: ReadRequest) -> None:
    """A judgement of the version by people, beside the gate's: it wins no more over the skill that it would replace."""
    if not told.closed_by or skill.digest not in told.body:
        return
    registry = Registry(store)
    version = next((item for item in registry.versions(skill.name) if item.skill == skill.digest), None)
    judged = registry.judgements(version) if version else []
    if version is None or _landed(registry, skill):
        return
    if any(item.decision and CLOSED in item.decision.reason for item in judged):
        return
    over = judged[-1].champion if judged else version.parent
    reason = f"{person(told.closed_by)} has {CLOSED} {request.address}{_last_words(request.lines)}"
    said = Decision(verdict="reject", reason=reason)
    made = {"state": "rejected", "decision": said, "run_id": summary.run_id}
    registry.record(skill, Version.model_validate({**version.model_dump(), **made}), over)
