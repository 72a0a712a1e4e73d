"""Lines in the words of a reviewer: the rule and its supporters stay, and what it says is what a person wrote.

The words go through every screen that a writer's do, and into no prompt of a writer.
"""

from collections.abc import Mapping, Sequence

from trace2skill.consolidate import EditGroup, Groups
from trace2skill.consolidate.cut import MARK, as_item, plain_words
from trace2skill.consolidate.settle import BookRule
from trace2skill.consolidate.standing import Standing, lines_of
from trace2skill.runs.past import Past
from trace2skill.runs.rule_trials import RulesByWords
from trace2skill.runs.skill_reviews import Vote
from trace2skill.skills.skill import Skill

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


def in_words_of_reviewers(root: Groups, rules: Sequence[BookRule], words: Mapping[str, Vote]) -> Groups:
    """The groups of a book, with the lines of these rules in the words of their reviewers."""
    if not words:
        return root
    known = RulesByWords(rules)

    def changed(group: EditGroup) -> EditGroup:
        of = known.of(group)
        vote = words.get(next(iter(of))) if len(of) == 1 else None
        if vote is None or len(group.edits) != 1 or group.edits[0].op not in WRITES:
            return group
        edit = group.edits[0].model_copy(update={"content": as_item(MARK.sub("", vote.wording).strip())})
        note = "; ".join(part for part in (group.note, f"in the words of {vote.person}, a reviewer") if part)
        return group.model_copy(update={"edits": (edit,), "note": note})

    return Groups.of(map(changed, root.groups), root.dropped, root.open)
