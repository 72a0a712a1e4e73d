"""Which rules of a book stand in the skill already: they are not written again, and new votes go to their lines."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from trace2skill.consolidate.cut import MARK, plain_words
from trace2skill.consolidate.groups import Support
from trace2skill.consolidate.ledger import FindLesson, SupportLedger, SupportRow, found_lessons, united_ledgers
from trace2skill.consolidate.settle import BookRule, RuleBook, Statement, saying_of
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill


class Standing(NamedTuple):
    """A rule of the book and the lines that say it."""

    rule: BookRule
    file: str
    first: int
    last: int
    row: SupportRow | None

    @property
    def words(self) -> str:
        """The place, for a reader."""
        return f"{self.file}:{self.first}"


def standing_in(skill: Skill, ledger: SupportLedger | None, book: RuleBook) -> dict[str, Standing]:
    """The rules of a book that a skill states, by id.

    A line states a rule when most of what was said for the line was said for the rule, or when it has the rule's words.
    """
    by_rows, lines = stated_by_rows(ledger, book), lines_of(skill)
    found: dict[str, Standing] = {}
    for rule in book.rules:
        if rule.id in by_rows:
            row = by_rows[rule.id]
            found[rule.id] = Standing(rule, row.file, row.first, row.last, row)
            continue
        words = [plain_words(text) for text in (rule.says, *rule.texts)]
        file, line = next((lines[plain] for plain in words if plain in lines), ("", 0))
        if line:
            at = _row_at(ledger, file, line)
            first, last = (at.first, at.last) if at else (line, line)
            found[rule.id] = Standing(rule, file, first, last, at)
    return found


def stated_by_rows(ledger: SupportLedger | None, book: RuleBook) -> dict[str, SupportRow]:
    """The rules, by id, for which most of what was said for a row of the ledger was said."""
    rows = ledger.rows if ledger else ()
    by_saying: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(rows):
        for saying in row.said:
            by_saying.setdefault((saying.trajectory_id, saying.text), []).append(number)
    found: dict[str, SupportRow] = {}
    for rule in book.rules:
        said = {(one.rule.trajectory_id, one.rule.text) for one in rule.said}
        met = Counter(number for key in said for number in by_saying.get(key, ()))
        best = min(met, key=lambda number: (-met[number], number), default=None)
        if best is None:
            continue
        of_row = rows[best]  # a line that stands for several has sayings of all their rules
        if met[best] * 2 > (min(len(of_row.said), len(said)) if of_row.shortened_from else len(of_row.said)):
            found[rule.id] = of_row
    return found


def _row_at(ledger: SupportLedger | None, file: str, line: int) -> SupportRow | None:
    rows = ledger.rows if ledger else ()
    return next((row for row in rows if row.file == file and row.first <= line <= row.last), None)


def lines_of(skill: Skill) -> Mapping[str, tuple[str, int]]:
    """The plain words of each line of a skill's Markdown, with file and number; where two say the same, the first."""
    found: dict[str, tuple[str, int]] = {}
    for file in skill.files:
        if file.path.endswith(".md"):
            for number, line in enumerate(split_lines(skill.text(file.path) or ""), start=1):
                if plain := plain_words(MARK.sub("", line)):
                    found.setdefault(plain, (file.path, number))
    return found


def with_votes(
    ledger: SupportLedger | None,
    skill: Skill,
    book: RuleBook,
    now: Iterable[str],
    lesson: FindLesson,
    more: Mapping[str, Standing] | None = None,
) -> SupportLedger | None:
    """The ledger with the votes of the trajectories `now` for lines that say what they say. A vote counts once.

    None where there was no ledger and nobody votes for a line. `more` are rules that lines state in other words.
    """
    voting = frozenset(now)
    for standing in {**(more or {}), **standing_in(skill, ledger, book)}.values():
        said = [one for one in standing.rule.said if one.rule.trajectory_id in voting]
        if said:
            ledger = _voted(ledger or SupportLedger(skill=skill.digest, parent=""), standing, said, lesson)
    return ledger


def _voted(ledger: SupportLedger, standing: Standing, said: Sequence[Statement], lesson: FindLesson) -> SupportLedger:
    row = standing.row
    vote = SupportRow(
        file=standing.file,
        first=standing.first,
        last=standing.last,
        group=row.group if row else "",
        support=Support.union(one.rule.support for one in said),
        lessons=found_lessons((id for one in said for id in one.rule.lessons), lesson),
        seen=dict.fromkeys((one.rule.trajectory_id for one in said), ledger.generation),
        said=tuple(saying_of(one) for one in said),
    )
    return united_ledgers(ledger, ledger.model_copy(update={"rows": (vote,)}))
