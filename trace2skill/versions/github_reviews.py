"""What people have said of a pull request at GitHub.

https://docs.github.com/rest/pulls/comments, /rest/pulls/reviews, /rest/issues/comments, /rest/reactions,
/rest/collaborators/collaborators.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from trace2skill.core.errors import BadInput
from trace2skill.versions.forge_api import ForgeApi, ForgeRefusal, line_number, mapping, text, web
from trace2skill.versions.review_words import meaning_of
from trace2skill.versions.reviews import NOBODY, By, Comment, People, Reviewed, State

AGAINST = ("-1", "confused")
NO_END = "\n\\ No newline at end of file"
MAY_WRITE = ("admin", "write")
"""Base roles; `maintain` is told as write, `triage` as read."""


class GitHubReviews:
    """Reads one repository's pull requests."""

    def __init__(self, rest: ForgeApi, may_write: Mapping[str, bool] = NOBODY) -> None:
        self._rest = rest
        self._people = People(self._may_write, may_write)

    def read(self, number: int) -> Reviewed:
        """All that was said of the request of that number.

        Raises:
            BadInput: see `ForgeApi.ask`; or what it answers is no such request.
        """
        at = self._rest.at
        pull = mapping(self._rest.ask("GET", f"{at}/pulls/{number}"))
        ours, state = text(mapping(pull.get("user")).get("login")), _state(pull)
        if pull.get("number") != number or not ours or state is None:
            raise BadInput(f"{self._rest.base}: what it says of pull request {number} lacks number, state or user")
        issue = self._issue(number)
        comments = [
            *(self._at_line(row, ours) for row in self._rest.rows(f"{at}/pulls/{number}/comments")),
            *self._reviews(number, ours),
            *(self._comment("talk", row, ours) for row in self._rest.rows(f"{at}/issues/{number}/comments")),
        ]
        by = mapping(issue.get("closed_by"))
        closed = text(by.get("login")) if state == "closed" and self._by(by, ours) == "person" else ""
        unread = "" if issue else "who closed it, and reactions to all of it: the token may not read issues there"
        return Reviewed(
            id=self._rest.request_id(number),
            address=web(pull.get("html_url")),
            state=state,
            closed_by=closed if self._people.may_write(closed) else "",
            comments=tuple(comments),
            against=self._against(f"{at}/issues/{number}/reactions", issue, ours),
            body=text(pull.get("body")),
            unread=unread,
        )

    def _issue(self, number: int) -> dict[str, Any]:
        """What the request is as an issue; empty where the token may not read that."""
        try:
            return mapping(self._rest.ask("GET", f"{self._rest.at}/issues/{number}"))
        except ForgeRefusal as refusal:
            if refusal.status not in (403, 404) or refusal.limited:
                raise
            return {}

    def _reviews(self, number: int, ours: str) -> Iterator[Comment]:
        for row in self._rest.rows(f"{self._rest.at}/pulls/{number}/reviews"):
            asks = row.get("state") == "CHANGES_REQUESTED"
            if asks or (text(row.get("body")) and row.get("state") in ("APPROVED", "COMMENTED")):
                yield self._comment("review", row, ours).model_copy(update={"asks_changes": asks})

    def _at_line(self, row: dict[str, Any], ours: str) -> Comment:
        said = self._comment("line", row, ours)
        line = line_number(row.get("line")) or line_number(row.get("original_line"))
        first = line_number(row.get("start_line")) or line_number(row.get("original_start_line")) or line
        if row.get("subject_type") == "file" or not line:
            return said.model_copy(update={"file": text(row.get("path")), "means": "note", "wording": ""})
        hunk = text(row.get("diff_hunk")).removesuffix(NO_END).splitlines()  # it ends at the line
        place = {
            "file": text(row.get("path")),
            "line": line,
            "side": "old" if row.get("side") == "LEFT" else "new",
            "text": hunk[-1][1:] if hunk else "",
        }
        if first != line:
            place |= {"means": "note", "wording": "", "unfit": "it is about several lines"}
        elif said.by == "us":
            reactions = f"{self._rest.at}/pulls/comments/{row.get('id')}/reactions"
            place["against"] = self._against(reactions, row, ours)
        return said.model_copy(update=place)

    def _comment(self, kind: str, row: dict[str, Any], ours: str) -> Comment:
        author = mapping(row.get("user"))
        person, said = text(author.get("login")), text(row.get("body"))
        by = self._by(author, ours)
        meaning = meaning_of(said, answers=row.get("in_reply_to_id") is not None)
        return Comment(
            id=f"{kind}-{row.get('id')}",
            person=person,
            by=by,
            may_write=self._people.may_write(person) if by == "person" else None,
            says=said,
            means=meaning.means if kind == "line" else "note",
            wording=meaning.wording if kind == "line" else "",
            unfit=meaning.unfit if kind == "line" else "",
            where=web(row.get("html_url")),
            changed=text(row.get("updated_at") or row.get("submitted_at")),
        )

    def _against(self, path: str, counted: dict[str, Any], ours: str) -> tuple[str, ...]:
        """Who may write and has reacted against something; nobody is asked for where the counts say that nobody has."""
        counts = mapping(counted.get("reactions"))
        if not any(counts.get(name) for name in AGAINST):
            return ()
        found = set()
        for row in self._rest.rows(path):
            user = mapping(row.get("user"))
            person = text(user.get("login"))
            against = row.get("content") in AGAINST and self._by(user, ours) == "person"
            if against and self._people.may_write(person):
                found.add(person)
        return tuple(sorted(found))

    def _by(self, user: dict[str, Any], ours: str) -> By:
        login = text(user.get("login"))
        if not login or login == ours:
            return "us" if login else "bot"  # an account that is no more decides nothing
        return "bot" if user.get("type") == "Bot" or login.endswith("[bot]") else "person"

    def _may_write(self, person: str) -> bool | None:
        found = self._rest.right_of(f"{self._rest.at}/collaborators/{quote(person, safe='')}/permission")
        return None if found is None else found.get("permission") in MAY_WRITE


def _state(pull: dict[str, Any]) -> State | None:
    """What became of it, None where that is not said. Who merged it has closed it, too, as the forge tells it."""
    if pull.get("merged_at") or pull.get("merged") is True:
        return "merged"
    told = pull.get("state")
    return told if told in ("open", "closed") else None
