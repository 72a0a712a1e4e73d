"""The finished book as edit groups: what routing, size limits, screening and the ledger work on."""

from collections.abc import Iterable, Sequence

from trace2skill.consolidate.contradiction import OpenConflict
from trace2skill.consolidate.cut import Place, Rule
from trace2skill.consolidate.groups import Dropped, EditGroup, Saying, Support
from trace2skill.consolidate.node import Groups
from trace2skill.consolidate.reading import Runner, WriteJob
from trace2skill.consolidate.settle import BookRule, RuleBook, Statement
from trace2skill.consolidate.write import USUAL, Limit, own_words, place_of, sheets
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit

OPPOSED = "they say the opposite of each other"
DOMINANT = 4
"""A rule with so many times the support of its opposite is written all the same; the other is dropped with a record."""


def worded(
    base: Skill, book: RuleBook, whole: Iterable[EditGroup], enough: float, runner: Runner, limit: Limit = USUAL
) -> Groups:
    """The groups of a finished book, ready to be routed.

    Args:
        base: S0.
        book: the finished book.
        whole: groups that stand as they are, such as files that go.
        enough: support from which a rule is worth a writer's call; what has less keeps its own words.
        runner: answers the writer's jobs.
        limit: how long a rule may be.
    """
    wanted = [rule for rule in book.rules if rule.support.weight >= enough]
    made = sheets(base, book, wanted)
    words = runner.write([WriteJob(name=sheet.place.words, sheet=sheet) for sheet, _ in made])
    lines: dict[str, str] = {}
    homes: dict[str, Place] = {}
    between: dict[frozenset[str], tuple[Place, str]] = {}
    for (sheet, rules), wording in zip(made, words, strict=True):
        for rule, says in zip(rules, wording.lines, strict=True):
            lines[rule.id], homes[rule.id] = says, sheet.place
        for (a, b), says in zip(sheet.pairs, wording.conditional, strict=False):
            if says:
                between[frozenset((rules[a].id, rules[b].id))] = (sheet.place, says)
    groups = {
        rule.id: _group(
            base, [rule], homes.get(rule.id) or place_of(base, rule), lines.get(rule.id) or own_words(rule, limit)
        )
        for rule in book.rules
    }
    united, conflicts, outvoted, gone = _pairs(base, book, groups, between)
    left = [Dropped(group=_left(base, item.rule, limit), reason=item.reason) for item in book.left_out] + outvoted
    plain = [group for id, group in groups.items() if id not in gone]
    rare = f"asked for by fewer than {enough:g} tasks"
    left += [Dropped(group=group, reason=rare) for group in plain if group.support.weight < enough]
    return Groups.of([*(g for g in plain if g.support.weight >= enough), *united, *whole], left, conflicts)


def _pairs(
    base: Skill, book: RuleBook, groups: dict[str, EditGroup], between: dict[frozenset[str], tuple[Place, str]]
) -> tuple[list[EditGroup], list[OpenConflict], list[Dropped], set[str]]:
    """Opposed rules: one conditional rule where the writer found when each holds; else the one that has far more
    support, with its opposition on record; else an open conflict.
    """
    rules = {rule.id: rule for rule in book.rules}
    united: list[EditGroup] = []
    conflicts: list[OpenConflict] = []
    outvoted: list[Dropped] = []
    gone: set[str] = set()
    for item in sorted(book.opposed, key=lambda item: (-len(item.tasks), item.first, item.second)):
        pair = frozenset((item.first, item.second))
        if pair in between and not pair & gone:
            place, says = between[pair]
            united.append(_group(base, [rules[item.first], rules[item.second]], place, says))
            gone |= pair
        elif not pair & gone and (weaker := _outvoted(rules[item.first], rules[item.second])):
            tasks = max(len(rules[id].support.tasks) for id in pair)
            outvoted.append(Dropped(group=groups[weaker], reason=f"{tasks} tasks say the opposite"))
            gone.add(weaker)
        elif not pair <= gone:
            sides = (groups[item.first], groups[item.second])
            conflicts.append(OpenConflict(sides=sides, reason=OPPOSED))
            gone |= pair
    return united, conflicts, outvoted, gone


def _outvoted(first: BookRule, second: BookRule) -> str | None:
    """The id of the rule whose opposite has `DOMINANT` times its support, None where neither has."""
    weaker, stronger = sorted((first, second), key=lambda rule: rule.support.weight)
    return weaker.id if stronger.support.weight >= DOMINANT * weaker.support.weight else None


def _group(base: Skill, rules: Sequence[BookRule], place: Place, says: str) -> EditGroup:
    lessons = sorted({id for rule in rules for said in rule.said for id in said.rule.lessons})
    edits = _edits(base, place, says, lessons)
    sayings: dict[str, Saying] = {}
    for rule in rules:
        for said in rule.said:
            author = {"trajectory_id": said.rule.trajectory_id, "task_id": said.rule.task_id}
            sayings[said.rule.id] = Saying(**author, text=said.rule.text, how=said.how, lessons=said.rule.lessons)
    return EditGroup(
        edits=edits,
        support=Support.union(rule.support for rule in rules),
        stands_for=tuple(sorted(sayings)) if len(sayings) > 1 else (),
        path=tuple(dict.fromkeys(step for rule in rules for step in rule.path)),
        said=tuple(sayings[id] for id in sorted(sayings)),
        against=tuple(sorted({other.trajectory_id for rule in rules for other in rule.against})),
    )


def _edits(base: Skill, place: Place, says: str, lessons: Sequence[str]) -> tuple[Edit, ...]:
    """The edits that write one line at a place. A file that is not there yet is routed as a section of that name."""
    content = "- " + "\n".join(line if n == 0 or not line else f"  {line}" for n, line in enumerate(says.split("\n")))
    kept = tuple(lessons)
    if base.text(place.file) is None:
        name = place.file.rpartition("/")[2].removesuffix(".md").replace("-", " ").capitalize()
        return (Edit(op="add_section", title=name, content=content, lessons=kept),)
    if place.title:
        return (
            Edit(
                op="add_section",
                file=place.file,
                section=place.section,
                title=place.title,
                content=content,
                lessons=kept,
            ),
        )
    return (Edit(op="append_to_section", file=place.file, section=place.section, content=content, lessons=kept),)


def _left(base: Skill, rule: Rule, limit: Limit) -> EditGroup:
    alone = BookRule(says=rule.text, said=(Statement(rule=rule),))
    return _group(base, [alone], rule.place, own_words(alone, limit))
