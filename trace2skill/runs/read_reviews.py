"""Reading what reviewers have said of a run's pull request: each comment to the line of the skill that it is about.

What they wrote is anybody's text: it is cut, freed of secrets and of signs that hide, and goes into no prompt.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.core.errors import BadInput
from trace2skill.runs.past import ended
from trace2skill.runs.skill_reviews import ProposedRun, ReadRequest, ReviewedLine, reviews_of
from trace2skill.runs.summary import RunSummary
from trace2skill.safety.own_secrets import without_own
from trace2skill.safety.redaction import Redactor
from trace2skill.safety.shown import hides, shown
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.decision import Decision
from trace2skill.versions.pull_request import Forge, PullRequest
from trace2skill.versions.registry import Registry, Version
from trace2skill.versions.reviews import LONGEST_WORDS, Comment, Reviewed

LONGEST_TEXT = 500
"""Characters of a line of a skill that a comment is about, as it is kept."""
PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\[\]-]{0,79}")
CLOSED = "closed without merging"


class ReviewsRead(NamedTuple):
    """A request as it was read, and what of it is new, or is no more, since it was read before."""

    request: ReadRequest
    new: tuple[ReviewedLine, ...]
    changed: tuple[ReviewedLine, ...]
    gone: tuple[ReviewedLine, ...]


def keep_proposed(store: Store, summary: RunSummary, address: GitAddress, forge: Forge) -> None:
    """Write down where a run's version was proposed, so that nights read what is said there."""
    run_id, skill = summary.run_id, summary.skill_name
    where = {"address": str(address), "forge": forge.kind, "api": forge.api}
    now = ProposedRun.model_validate({"run_id": run_id, "base": summary.candidate.base, **where})
    with store.alone(f"review/{skill}"):
        known = reviews_of(store, skill)
        if now not in known.proposed:
            kept = tuple(item for item in known.proposed if item.run_id != run_id)
            store.put("review", skill, known.model_copy(update={"proposed": (*kept, now)}))


def read_reviews(store: Store, summary: RunSummary, address: GitAddress, forge: Forge) -> ReviewsRead:
    """Read what was said of a run's request, and keep it in the place of what was read of it before. Twice is once.

    Raises:
        BadInput: the run has learned nothing, there is no request, or the forge cannot be read: nothing is changed.
    """
    if not summary.learned:
        raise BadInput(f"run '{summary.run_id}' has learned nothing, so that nothing was proposed")
    skill = Registry(store).skill(summary.candidate.skill)
    told = forge.reviewed(PullRequest.branches(skill, summary.candidate.base), skill.digest)
    with store.alone(f"review/{skill.name}"):
        known = reviews_of(store, skill.name)
        before = next((item for item in known.requests if item.id == told.id), None)
        last = next(reversed(ended(store.run_heads())), summary.run_id)
        lines = [_located(store, summary, skill, address, comment) for comment in told.comments]
        lines += _closing(told, summary, lines)
        now = ReadRequest(
            id=told.id,
            address=told.address,
            state=told.state,
            run_id=summary.run_id,
            night=summary.night,
            version=skill.digest,
            against=tuple(map(_person, told.against)),
            lines=tuple(_first_read(line, before, last) for line in lines),
            unread=told.unread,
        )
        others = tuple(item for item in known.requests if item.id != now.id)
        store.put("review", skill.name, known.model_copy(update={"requests": (*others, now)}))
    if told.closed_by:
        _judge(store, summary, skill, _person(told.closed_by), now)
    return _compared(before, now)


def _compared(before: ReadRequest | None, now: ReadRequest) -> ReviewsRead:
    was = {line.comment.id: line for line in (before.lines if before else ())}
    there = {line.comment.id for line in now.lines}
    return ReviewsRead(
        now,
        tuple(line for line in now.lines if line.comment.id not in was),
        tuple(line for line in now.lines if line.comment.id in was and line != was[line.comment.id]),
        tuple(line for id, line in was.items() if id not in there),
    )


def _first_read(line: ReviewedLine, before: ReadRequest | None, last: str) -> ReviewedLine:
    """With the run after which it was first read: a comment that decides otherwise by now is a new one."""
    was = next((item for item in (before.lines if before else ()) if item.comment.id == line.comment.id), None)
    after = was.after if was is not None and was.effect == line.effect else last
    return line.model_copy(update={"after": after})


def _located(store: Store, summary: RunSummary, skill: Skill, address: GitAddress, comment: Comment) -> ReviewedLine:
    """The line of the skill that a comment is about, by its number and its words: the branch may have moved since."""
    inside = f"{address.path}/" if address.path else ""
    if not comment.line or not comment.file.startswith(inside):
        return ReviewedLine(comment=_clean(comment))
    file, kept = comment.file.removeprefix(inside), _clean(comment)
    alone = ReviewedLine(comment=kept, file=kept.file.removeprefix(inside), line=comment.line, text=kept.text)
    if not comment.text.strip():
        return alone
    if comment.side == "old":
        group = next((one for one in _groups(summary) if _takes_out(one, file, comment.text)), None)
        return alone.model_copy(update={"said": group.said, "of_rule": True}) if group else alone
    for one in _versions(store, skill):
        if found := _row_at(store, one, file, comment):
            line, row = found
            return alone.model_copy(update={"line": line, "said": row.said, "of_rule": bool(row.group or row.said)})
    return alone


def _versions(store: Store, skill: Skill) -> Iterator[Skill]:
    """The version that was proposed, and then the other ones of its name that a run has written, the newest first."""
    yield skill
    for item in reversed(Registry(store).versions(skill.name)):
        other = store.get("skill", item.skill, Skill) if item.run_id and item.skill != skill.digest else None
        if other is not None:
            yield other


def _row_at(store: Store, skill: Skill, file: str, comment: Comment) -> tuple[int, SupportRow] | None:
    """The line of a version that has the words of the commented one, the nearest to its number, and its row."""
    ledger = store.get("support", skill.digest, SupportLedger)
    wanted, lines = comment.text.rstrip(), split_lines(skill.text(file) or "")
    same = [n for n, text in enumerate(lines, 1) if text.rstrip() == wanted]
    for line in sorted(same, key=lambda n: (abs(n - comment.line), n)):
        for row in ledger.rows if ledger else ():
            if row.file == file and row.first <= line <= row.last:
                return line, row
    return None


def _groups(summary: RunSummary) -> Iterator[EditGroup]:
    for group in summary.candidate.applied:
        yield from group.inner or (group,)


def _takes_out(group: EditGroup, file: str, text: str) -> bool:
    wanted = text.strip()
    return any(
        edit.file == file and wanted in map(str.strip, edit.anchor.splitlines()) and edit.op == "replace_in_section"
        for edit in group.edits
    )


def _closing(told: Reviewed, summary: RunSummary, lines: Sequence[ReviewedLine]) -> Iterable[ReviewedLine]:
    """That somebody closed it without merging: a verdict against its rule, where it has one, and else against none.

    Of several, one may be right: who closes says of no line that it is wrong.
    """
    groups = [*_groups(summary)]
    if not told.closed_by or len(groups) != 1:
        return ()
    (group,) = groups
    comment = Comment(
        id="closed",
        person=_person(told.closed_by),
        may_write=True,
        says=f"{CLOSED}{_last_words(lines)}",
        means="reject",
        where=told.address,
    )
    edit = group.edits[0]
    text = edit.content[:LONGEST_TEXT]
    return (ReviewedLine(comment=comment, file=edit.file, text=text, said=group.said, of_rule=True),)


def _last_words(lines: Sequence[ReviewedLine]) -> str:
    """What a person who may write said last, as the reason; '' where nobody said anything."""
    said = [line.comment for line in lines if line.comment.may_vote and line.comment.says]
    last = max(said, key=lambda comment: comment.changed, default=None)
    return f": {' '.join(last.says.split())[:200]}" if last else ""


def _judge(store: Store, summary: RunSummary, skill: Skill, person: str, request: ReadRequest) -> None:
    """A judgement of the version by people, beside the gate's: it wins no more over the skill that it would replace."""
    registry = Registry(store)
    version = next((item for item in registry.versions(skill.name) if item.skill == skill.digest), None)
    judged = registry.judgements(version) if version else []
    if version is None or registry.champion(skill.name) == skill.digest:
        return
    if any(item.decision and CLOSED in item.decision.reason for item in judged):
        return
    over = judged[-1].champion if judged else version.parent
    reason = f"{person} has {CLOSED} {request.address}{_last_words(request.lines)}"
    said = Decision(verdict="reject", reason=reason)
    made = {"state": "rejected", "decision": said, "run_id": summary.run_id}
    registry.record(skill, Version.model_validate({**version.model_dump(), **made}), over)


def _clean(comment: Comment) -> Comment:
    """A comment as it may be kept. A wording in which something had to be changed is none."""
    says, wording, text = (_text(words) for words in (comment.says, comment.wording, comment.text))
    odd = wording != comment.wording or any(map(hides, wording))
    return comment.model_copy(
        update={
            "says": says[:LONGEST_WORDS],
            "wording": "" if odd else wording,
            "means": "note" if odd and comment.means == "wording" else comment.means,
            "text": text[:LONGEST_TEXT],
            "file": shown(comment.file)[:LONGEST_TEXT],
            "person": _person(comment.person),
            "against": tuple(map(_person, comment.against)),
            "changed": shown(comment.changed)[:40],
            "id": shown(comment.id)[:80],
        }
    )


def _text(words: str) -> str:
    return shown(Redactor().text(without_own(words[: 4 * LONGEST_WORDS])))


def _person(name: str) -> str:
    return name if PERSON.fullmatch(name) else "somebody"
