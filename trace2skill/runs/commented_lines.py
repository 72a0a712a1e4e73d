"""The line of a skill that a comment is about, by its number and its words, and what of the comment may be kept.

What people wrote is anybody's text: it is cut, freed of secrets and of signs that hide, and goes into no prompt.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.runs.skill_reviews import ReviewedLine
from trace2skill.runs.summary import RunSummary
from trace2skill.safety.own_secrets import without_own
from trace2skill.safety.redaction import Redactor
from trace2skill.safety.shown import hides, shown
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.versions.registry import Registry
from trace2skill.versions.reviews import LONGEST_WORDS, Comment

LONGEST_TEXT = 500
"""Characters of a line of a skill that a comment is about, as it is kept."""
PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\[\]-]{0,79}")
STANDS = "the line stands on the branch already: nothing changes there"
SEVERAL_LINES = "its rule has several lines, and keeps its words"


class _Found(NamedTuple):
    """Where a version has the words of a line, and the row of its ledger; no row where people wrote it."""

    line: int
    row: SupportRow | None
    lines: int = 1
    """How many the row has that are not empty."""


class _Version:
    """The lines of one version, by their words, read once."""

    def __init__(self, store: Store, skill: Skill) -> None:
        self.skill, self._store = skill, store
        self._files: dict[str, dict[str, list[int]]] = {}

    @cached_property
    def _rows(self) -> tuple[SupportRow, ...]:
        ledger = self._store.get("support", self.skill.digest, SupportLedger)
        return ledger.rows if ledger else ()

    def numbers(self, file: str, text: str) -> list[int]:
        """Those of the lines with these words, counted from 1."""
        if file not in self._files:
            known = self._files[file] = {}
            for number, line in enumerate(split_lines(self.skill.text(file) or ""), 1):
                known.setdefault(line.rstrip(), []).append(number)
        return self._files[file].get(text.rstrip(), [])

    def at(self, file: str, comment: Comment) -> _Found | None:
        """The commented line: the one of its number, or the nearest, unless those of its words are several rules'."""
        same = self.numbers(file, comment.text)
        if not same:
            return None
        line = min(same, key=lambda n: (abs(n - comment.line), n))
        found = [self._row(file, n) for n in ([line] if line == comment.line else same)]
        row = found[0] if all(one == found[0] for one in found) else None
        if row is None:
            return _Found(line, None)
        own = split_lines(self.skill.text(file) or "")[row.first - 1 : row.last]
        return _Found(line, row, sum(bool(one.strip()) for one in own))

    def _row(self, file: str, line: int) -> SupportRow | None:
        return next((row for row in self._rows if row.file == file and row.first <= line <= row.last), None)


class CommentedLines:
    """Finds the lines of a run's version, and of the other ones of its name that runs have written.

    Args:
        store: has them.
        summary: of the run whose version was proposed.
        skill: that version.
        address: where it stands for people.
    """

    def __init__(self, store: Store, summary: RunSummary, skill: Skill, address: GitAddress) -> None:
        self._store, self._summary, self._inside = store, summary, f"{address.path}/" if address.path else ""
        self._proposed = _Version(store, skill)
        base = store.get("skill", summary.candidate.base, Skill)
        self._base = _Version(store, base) if base else None

    def of(self, comment: Comment) -> ReviewedLine:
        """A comment as it is kept, with its line: the branch may have moved since."""
        if not comment.line or not comment.file.startswith(self._inside):
            return ReviewedLine(comment=clean(comment))
        file, kept = comment.file.removeprefix(self._inside), clean(comment)
        alone = ReviewedLine(comment=kept, file=kept.file.removeprefix(self._inside), line=comment.line, text=kept.text)
        if not comment.text.strip():
            return alone
        if comment.side == "old":
            group = next((one for one in groups_of(self._summary) if _takes_out(one, file, comment.text)), None)
            return alone.model_copy(update={"said": group.said, "of_rule": True}) if group else alone
        found = self._at(file, comment)
        if found is None:
            return alone
        line, row, lines = found
        unfit = ""
        if row is not None and self._stands(file, comment.text):
            unfit = STANDS
        elif comment.means == "wording" and lines > 1:
            unfit = SEVERAL_LINES
        told = {"said": row.said, "of_rule": bool(row.group or row.said)} if row else {}
        return alone.model_copy(update={"line": line, "unfit": unfit, **told})

    def _at(self, file: str, comment: Comment) -> _Found | None:
        """Older versions are looked through for those alone who may decide: everybody may comment."""
        decides = comment.may_vote or comment.against
        versions = (self._proposed, *(self._others if decides else ()))
        return next((found for one in versions if (found := one.at(file, comment))), None)

    @cached_property
    def _others(self) -> tuple[_Version, ...]:
        return tuple(self._read_others())

    def _read_others(self) -> Iterator[_Version]:
        """The newest first."""
        proposed = self._proposed.skill
        for item in reversed(Registry(self._store).versions(proposed.name)):
            known = item.run_id and item.skill != proposed.digest
            other = self._store.get("skill", item.skill, Skill) if known else None
            if other is not None:
                yield _Version(self._store, other)

    def _stands(self, file: str, text: str) -> bool:
        """Did the line stand on the branch before the run? A second one of its words is the run's."""
        before = self._base.numbers(file, text) if self._base else []
        return len(before) >= max(1, len(self._proposed.numbers(file, text)))


def groups_of(summary: RunSummary) -> Iterator[EditGroup]:
    """The groups of rules of a run's candidate, those inside of others by themselves."""
    for group in summary.candidate.applied:
        yield from group.inner or (group,)


def _takes_out(group: EditGroup, file: str, text: str) -> bool:
    wanted = text.strip()
    return any(
        edit.file == file and wanted in map(str.strip, edit.anchor.splitlines()) and edit.op == "replace_in_section"
        for edit in group.edits
    )


def clean(comment: Comment) -> Comment:
    """A comment as it may be kept. A wording in which something had to be changed is none."""
    says, wording, text = (_text(words) for words in (comment.says, comment.wording, comment.text))
    odd = wording != comment.wording or any(map(hides, wording))
    return comment.model_copy(
        update={
            "says": says[:LONGEST_WORDS],
            "wording": "" if odd else wording,
            "means": "note" if odd and comment.means == "wording" else comment.means,
            "unfit": "something in its words had to be taken out" if odd else comment.unfit,
            "text": text[:LONGEST_TEXT],
            "file": own_out(comment.file)[:LONGEST_TEXT],
            "person": person(comment.person),
            "against": tuple(map(person, comment.against)),
            "where": own_out(comment.where),
            "changed": own_out(comment.changed)[:40],
            "id": own_out(comment.id)[:80],
        }
    )


def _text(words: str) -> str:
    return shown(Redactor().text(without_own(words[: 4 * LONGEST_WORDS])))


def own_out(text: str) -> str:
    """What a forge gives back, without the token that it was asked with: it may say that anywhere."""
    return shown(without_own(text))


def person(name: str) -> str:
    """An account's name; 'somebody' where it is none that an account can have, or one of our secrets."""
    return name if PERSON.fullmatch(name) and without_own(name) == name else "somebody"
