"""What people have said of a pull request, as both kinds of forges tell it: comments, reactions, and how it ended."""

import re
from collections.abc import Callable, Mapping
from operator import not_
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.versions.review_words import Means

By = Literal["person", "us", "bot"]
State = Literal["open", "merged", "closed"]
LONGEST_WORDS = 1_000
"""Characters of a comment that are kept."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
"""Of an account, as both kinds of forges have them: others are asked for nowhere."""
MOST_PEOPLE = 100
"""Of so many people it is asked whether they may write; of further ones it is not known."""
NOBODY: Mapping[str, bool] = MappingProxyType({})


class Comment(Record):
    """What somebody wrote, or a review that asks for changes."""

    id: str = Field(description="As the forge numbers it, with its kind; it stays when the text is edited.")
    person: str
    by: By = "person"
    may_write: bool | None = Field(default=None, description="Into the repository; None where the forge does not say.")
    says: str = ""
    means: Means = Field(default="note", description="What it does where its author may vote and a line is a rule's.")
    wording: str = Field(default="", exclude_if=not_, description="The line as the author would have it.")
    unfit: str = Field(
        default="", exclude_if=not_, description="Why its suggestion is no wording; '' where it has none."
    )
    where: str = Field(default="", description="Its address.")
    changed: str = Field(default="", description="When it was last changed, as the forge says it.")
    file: str = Field(default="", exclude_if=not_, description="Seen from the root of the repository.")
    line: int = Field(default=0, exclude_if=not_, description="Counted from 1; 0 where it is at no line.")
    side: Literal["new", "old"] = "new"
    text: str = Field(default="", exclude_if=not_, description="The line itself, as it was when it was commented on.")
    against: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Who may write and has put a thumb down, or a confused face, to it."
    )
    asks_changes: bool = Field(default=False, exclude_if=not_)

    @property
    def may_vote(self) -> bool:
        """Does its author decide? A bot does not, nor the account that proposes, nor who may not write."""
        return self.by == "person" and self.may_write is True


class Reviewed(Record):
    """A pull request with all that was said of it."""

    id: str = Field(description="Names it among all forges.")
    address: str
    state: State
    closed_by: str = Field(default="", exclude_if=not_, description="Who may write and closed it without merging.")
    comments: tuple[Comment, ...] = ()
    against: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Who may write and has put a thumb down to all of it."
    )
    body: str = Field(
        default="", exclude_if=not_, description="Its text, in which the version that it proposes stands."
    )
    unread: str = Field(default="", exclude_if=not_, description="What the forge did not tell, and what would help.")


class People:
    """Who may write into a repository. Each is asked for once; of whom the forge does not tell is as was `before`."""

    def __init__(self, ask: Callable[[str], bool | None], before: Mapping[str, bool] = NOBODY) -> None:
        self._ask, self._before = ask, before
        self._known: dict[str, bool | None] = {}

    def may_write(self, person: str) -> bool | None:
        """May that person? None where nobody knows."""
        if NAME.fullmatch(person) and person not in self._known and len(self._known) < MOST_PEOPLE:
            self._known[person] = self._ask(person)
        found = self._known.get(person)
        return self._before.get(person) if found is None else found
