"""Lines in the words of a reviewer: the rule and its supporters stay, and what it says is what a person wrote.

The words go through every screen that a writer's do, and into no prompt of a writer.
"""

from collections.abc import Collection, Mapping, Sequence

from trace2skill.consolidate import EditGroup, Groups
from trace2skill.consolidate.cut import MARK, as_item, plain_words
from trace2skill.consolidate.quarantine import Quarantined, text_of
from trace2skill.consolidate.settle import BookRule
from trace2skill.consolidate.standing import Standing, lines_of
from trace2skill.runs.past import Past
from trace2skill.runs.rule_trials import RulesByWords
from trace2skill.runs.skill_reviews import ReviewedLine, Vote
from trace2skill.safety.screening import Finding, screened
from trace2skill.skills.markdown import links
from trace2skill.skills.skill import Skill
from trace2skill.versions.review_words import is_line_of_text

WRITES = ("append_to_section", "add_section", "replace_in_section")


def wordings(past: Past, rules: Sequence[BookRule]) -> dict[str, Vote]:
    """By the id of a rule: how a reviewer words it; of several the one that was changed last."""
    votes = [vote for vote in past.votes if vote.wording]
    known = RulesByWords(rules if votes else ())
    found: dict[str, Vote] = {}
    for vote in sorted(votes, key=lambda vote: (vote.changed, vote.where)):
        of = known.of(vote.group)
        if len(of) == 1:  # a line that unites several rules is reworded by nobody
            found |= dict.fromkeys(of, vote)
    return found


def standing_in_words(skill: Skill, rules: Sequence[BookRule], words: Mapping[str, Vote]) -> dict[str, Standing]:
    """The rules that a skill states in the words of a reviewer, by id: who applied a suggestion has written them."""
    lines = lines_of(skill) if words else {}
    found: dict[str, Standing] = {}
    for rule in rules:
        plain = plain_words(MARK.sub("", words[rule.id].wording)) if rule.id in words else ""
        if plain and plain in lines:
            file, line = lines[plain]
            found[rule.id] = Standing(rule, file, line, line, None)
    return found


def in_words_of_reviewers(
    root: Groups, rules: Sequence[BookRule], words: Mapping[str, Vote], base: Skill, allowed: Collection[str]
) -> tuple[Groups, tuple[Quarantined, ...]]:
    """The groups of a book, with the lines of these rules in the words of their reviewers, and what waits of those.

    Words that no skill may have take no rule's place: it keeps its own, and its note says why.

    Args:
        root: the groups.
        rules: of the book.
        words: by the id of a rule.
        base: the skill that is written to.
        allowed: ids of the findings that people have allowed.
    """
    if not words:
        return root, ()
    known, aside = RulesByWords(rules), list[Quarantined]()

    def changed(group: EditGroup) -> EditGroup:
        of = known.of(group)
        vote = words.get(next(iter(of))) if len(of) == 1 else None
        if vote is None or len(group.edits) != 1 or group.edits[0].op not in WRITES:
            return group
        edit = group.edits[0]
        said = group.model_copy(update={"edits": (edit.model_copy(update={"content": _item(vote.wording)}),)})
        why, findings = unfit(vote.wording, base, edit.file, allowed)
        if not why and len([line for line in edit.content.splitlines() if line.strip()]) > 1:
            why = "the rule has several lines"
        if findings:
            by = group.support.trajectories
            aside.append(Quarantined(text=said.text[:2000], findings=findings, trajectories=by))
        own = f"not in the words of {vote.person}, a reviewer: {why}"
        note = "; ".join(
            part for part in (group.note, own if why else f"in the words of {vote.person}, a reviewer") if part
        )
        if why:
            return group.model_copy(update={"note": note})
        return said.model_copy(update={"note": note, "instead": (group,)})  # a second look may yet find something

    return Groups.of(map(changed, root.groups), root.dropped, root.open), tuple(aside)


def unfit(wording: str, base: Skill, file: str, allowed: Collection[str]) -> tuple[str, tuple[Finding, ...]]:
    """Why a skill may not have these words in a file, '' where it may, and what the screening finds in them."""
    content = _item(wording)
    if not is_line_of_text(content):
        return "they are no line of text", ()
    if any(base.text(link.target.partition("#")[0].removeprefix("./")) is None for link in links(content)):
        return "they link a file that the skill does not have", ()
    findings = screened(f"{file}\n{content}", text_of(base), allowed)
    return "; ".join(dict.fromkeys(finding.in_words for finding in findings)), findings


def why_not_taken(line: ReviewedLine, base: Skill, allowed: Collection[str]) -> str:
    """Why the words that a reviewer gave a line are not written, '' where they are, or there are none."""
    if line.effect != "words":
        return ""
    why, findings = unfit(line.comment.wording, base, line.file, allowed)
    waits = "; they wait in quarantine from the next run on" if findings else ""
    return f"the rule keeps its own words, for of these: {why}{waits}" if why else ""


def _item(wording: str) -> str:
    return as_item(MARK.sub("", wording).strip())
