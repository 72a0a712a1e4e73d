"""The finished book as edit groups: what routing, size limits, screening and the ledger work on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from trace2skill.consolidate.contradiction import OpenConflict
from trace2skill.consolidate.cut import Place, Rule, as_item
from trace2skill.consolidate.groups import Dropped, EditGroup, Saying, Support
from trace2skill.consolidate.node import Groups
from trace2skill.consolidate.places import place_of, places_of
from trace2skill.consolidate.reading import Runner, WriteJob
from trace2skill.consolidate.settle import BookRule, RuleBook, Statement, saying_of
from trace2skill.consolidate.write import USUAL, Limit, Sheet, own_words, sheets
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit

OPPOSED = "they say the opposite of each other"
DOMINANT = 4
"""A rule with so many times the support of its opposite is written all the same; the other is dropped with a record."""


def worded(
    base: Skill,
    book: RuleBook,
    whole: Iterable[EditGroup],
    enough: float,
    runner: Runner,
    limit: Limit = USUAL,
    standing: Mapping[str, str] | None = None,
    out: Mapping[str, str] | None = None,
    refuted: Collection[str] = (),
) -> Groups:
    """The groups of a finished book, ready to be routed.

    Args:
        base: S0.
        book: the finished book.
        whole: groups that stand as they are, such as files that go.
        enough: support from which a rule is worth a writer's call; what has less keeps its own words.
        runner: answers the writer's jobs.
        limit: how long a rule may be.
        standing: rules that S0 states already, by id, and where: they are not written again.
        out: rules that are not to be written, by id, and why.
        refuted: those of them whose words the writers are shown as refuted.
    """
    there, kept_out = standing or {}, out or {}
    fresh = [rule for rule in book.rules if rule.id not in there and rule.id not in kept_out]
    places = places_of(base, fresh)
    wanted = [rule for rule in fresh if rule.support.weight >= enough]
    words = _words(runner, sheets(base, book, wanted, places, _by_place(base, book, refuted)))
    groups: dict[str, EditGroup] = {}
    replaced: set[tuple[Place, str]] = set()
    for rule in fresh:  # the best supported first: only one rule can take the place of a line
        at, says = words.homes.get(rule.id, places[rule.id]), words.lines.get(rule.id) or own_words(rule, limit)
        old = _replaced(base, rule, at)
        old = "" if (at, old) in replaced else old
        replaced.add((at, old))
        groups[rule.id] = _group(base, [rule], at, says, old)
    pairs = _pairs(base, book, groups, words.between, there)
    left = [Dropped(group=_left(base, item.rule, limit), reason=item.reason) for item in book.left_out]
    left += [
        Dropped(group=_group(base, [rule], place_of(base, rule), own_words(rule, limit)), reason=kept_out[rule.id])
        for rule in book.rules
        if rule.id in kept_out
    ]
    plain = [group for id, group in groups.items() if id not in pairs.gone]
    rare = f"asked for by fewer than {enough:g} tasks"
    left += [*pairs.outvoted, *(Dropped(group=g, reason=rare) for g in plain if g.support.weight < enough)]
    often = [group for group in plain if group.support.weight >= enough]
    return Groups.of([*often, *pairs.united, *whole], left, pairs.conflicts)


class _Words(NamedTuple):
    """What writers said: lines and places by rule, and conditional rules by pair."""

    lines: dict[str, str]
    homes: dict[str, Place]
    between: dict[frozenset[str], tuple[Place, str]]


def _by_place(base: Skill, book: RuleBook, ids: Collection[str]) -> dict[Place, list[str]]:
    found: dict[Place, list[str]] = {}
    for rule in book.rules:
        if rule.id in ids:
            found.setdefault(place_of(base, rule), []).append(rule.says)
    return found


def _words(runner: Runner, made: Sequence[tuple[Sheet, tuple[BookRule, ...]]]) -> _Words:
    said = _Words({}, {}, {})
    answers = runner.write([WriteJob(name=sheet.place.words, sheet=sheet) for sheet, _ in made])
    for (sheet, rules), wording in zip(made, answers, strict=True):
        for rule, says in zip(rules, wording.lines, strict=True):
            said.lines[rule.id], said.homes[rule.id] = says, sheet.place
        for (a, b), says in zip(sheet.pairs, wording.conditional, strict=False):
            if says:
                said.between[frozenset((rules[a].id, rules[b].id))] = (sheet.place, says)
    return said


class _Pairs(NamedTuple):
    """What became of opposed rules; `gone` are the ids of rules that are not written as they are."""

    united: list[EditGroup]
    conflicts: list[OpenConflict]
    outvoted: list[Dropped]
    gone: set[str]


def _pairs(
    base: Skill,
    book: RuleBook,
    groups: dict[str, EditGroup],
    between: Mapping[frozenset[str], tuple[Place, str]],
    standing: Mapping[str, str],
) -> _Pairs:
    """Opposed rules: one conditional rule where the writer found when each holds; else the one that has far more
    support, with its opposition on record; else an open conflict. What S0 states is not rewritten for its opposite.
    """
    rules = {rule.id: rule for rule in book.rules}
    made = _Pairs([], [], [], set())
    for item in sorted(book.opposed, key=lambda item: (-len(item.tasks), item.first, item.second)):
        pair = frozenset((item.first, item.second))
        if not pair <= groups.keys() | standing.keys():
            continue  # one of them is not to be written, so that nothing stands against the other
        if pair & standing.keys():
            for id in sorted(pair - standing.keys() - made.gone):
                (other,) = pair - {id}
                made.conflicts.append(OpenConflict(sides=(groups[id],), reason=f"{standing[other]} says the opposite"))
                made.gone.add(id)
        elif pair in between and not pair & made.gone:
            place, says = between[pair]
            made.united.append(_group(base, [rules[item.first], rules[item.second]], place, says))
            made.gone.update(pair)
        elif not pair & made.gone and (weaker := _outvoted(rules[item.first], rules[item.second])):
            tasks = max(len(rules[id].support.tasks) for id in pair)
            made.outvoted.append(Dropped(group=groups[weaker], reason=f"{tasks} tasks say the opposite"))
            made.gone.add(weaker)
        elif not pair <= made.gone:
            sides = (groups[item.first], groups[item.second])
            made.conflicts.append(OpenConflict(sides=sides, reason=OPPOSED))
            made.gone.update(pair)
    return made


def _outvoted(first: BookRule, second: BookRule) -> str | None:
    """The id of the rule whose opposite has `DOMINANT` times its support, None where neither has."""
    weaker, stronger = sorted((first, second), key=lambda rule: rule.support.weight)
    return weaker.id if stronger.support.weight >= DOMINANT * weaker.support.weight else None


def _replaced(base: Skill, rule: BookRule, at: Place) -> str:
    """The lines of the section that most of a rule's supporters wanted it to take the place of, '' for none."""
    wanted: dict[str, set[str]] = {}
    for said in rule.said:
        wanted.setdefault(said.rule.replaces, set()).add(said.rule.task_id)
    anchor = min(wanted, key=lambda text: (-len(wanted[text]), text))
    if not anchor or len(wanted[anchor]) * 2 <= len(rule.support.tasks):
        return ""
    return anchor if not at.title and anchor.strip("\r\n") in (base.text(at.file) or "") else ""


def _group(base: Skill, rules: Sequence[BookRule], place: Place, says: str, replaces: str = "") -> EditGroup:
    lessons = sorted({id for rule in rules for said in rule.said for id in said.rule.lessons})
    edits = _edits(base, place, says, lessons)
    if replaces:
        edits = (edits[0].model_copy(update={"op": "replace_in_section", "anchor": replaces}),)
    sayings: dict[str, Saying] = {}
    against = {other.id: other for rule in rules for other in rule.against}
    for rule in rules:
        for said in rule.said:
            sayings[said.rule.id] = saying_of(said)
    return EditGroup(
        edits=edits,
        support=Support.union(rule.support for rule in rules),
        stands_for=tuple(sorted(sayings)) if len(sayings) > 1 else (),
        note=_moved(base, rules, place),
        path=tuple(dict.fromkeys(step for rule in rules for step in rule.path)),
        said=tuple(sayings[id] for id in sorted(sayings)),
        against=tuple(saying_of(Statement(rule=against[id])) for id in sorted(against)),
    )


def _moved(base: Skill, rules: Sequence[BookRule], place: Place) -> str:
    """What was read into the title that its supporters asked for, '' where the section has that title."""
    if not place.title:
        return ""
    asked = place_of(base, rules[0])
    if not asked.title or asked == place or asked.section != place.section:
        return ""
    return f"the new section '{asked.title}' was taken for '{place.title}'"


def _edits(base: Skill, place: Place, says: str, lessons: Sequence[str]) -> tuple[Edit, ...]:
    """The edits that write one line at a place. A file that is not there yet is routed as a section of that name."""
    content, kept = as_item(says), tuple(lessons)
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
