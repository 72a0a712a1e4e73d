"""What people have said of a merge request at GitLab.

https://docs.gitlab.com/api/discussions, /api/emoji_reactions, /api/members, /api/merge_requests (reviewers),
/api/repository_files.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from trace2skill.core.errors import BadInput
from trace2skill.versions.forge_api import ForgeApi, ForgeRefusal, line_number, mapping, text, web
from trace2skill.versions.review_words import meaning_of
from trace2skill.versions.reviews import NOBODY, By, Comment, People, Reviewed, State

AGAINST = ("thumbsdown", "confused")
DEVELOPER = 30
"""The least access level that may push."""
STATES: Mapping[str, State] = {"opened": "open", "locked": "open", "closed": "closed", "merged": "merged"}
BOT = re.compile(r"(?:project|group)_\d{1,12}_bot\w{0,80}|service_account_\w{1,80}|ghost|.{0,80}\[bot\]")


class GitLabReviews:
    """Reads one project's merge requests."""

    def __init__(self, rest: ForgeApi, may_write: Mapping[str, bool] = NOBODY) -> None:
        self._rest = rest
        self._people = People(self._may_write, may_write)
        self._ids: dict[str, int] = {}
        self._files: dict[tuple[str, str], list[str]] = {}

    def read(self, number: int) -> Reviewed:
        """All that was said of the request of that number.

        Raises:
            BadInput: see `ForgeApi.ask`; or what it answers is no such request.
        """
        at = f"{self._rest.at}/merge_requests/{number}"
        asked = mapping(self._rest.ask("GET", at))
        ours, state = text(mapping(asked.get("author")).get("username")), STATES.get(text(asked.get("state")))
        if asked.get("iid") != number or not ours or state is None:
            raise BadInput(f"{self._rest.base}: what it says of merge request {number} lacks iid, state or author")
        web_at = web(asked.get("web_url"))
        comments = [
            self._comment(at, note, ours, web_at, answers=place > 0)
            for discussion in self._rest.rows(f"{at}/discussions")
            for place, note in enumerate(self._rest.listed(discussion.get("notes"), f"{at}/discussions"))
            if not note.get("system")
        ]
        closed, by = self._person(asked.get("closed_by"), ours)
        counts = state == "closed" and by == "person" and self._people.may_write(closed)
        return Reviewed(
            id=self._rest.request_id(number),
            address=web_at,
            state=state,
            closed_by=closed if counts else "",
            comments=(*comments, *self._reviews(at, ours, web_at)),
            against=self._against(f"{at}/award_emoji", ours),
            body=text(asked.get("description")),
        )

    def _reviews(self, at: str, ours: str, where: str) -> Iterator[Comment]:
        try:
            found = [*self._rest.rows(f"{at}/reviewers")]
        except ForgeRefusal as refused:
            if refused.status != 404:  # older ones do not tell
                raise
            found = []
        for row in found:
            person, by = self._person(row.get("user"), ours)
            if row.get("state") == "requested_changes":
                yield Comment(
                    id=f"review-{self._ids.get(person, 0)}",
                    person=person,
                    by=by,
                    may_write=self._people.may_write(person) if by == "person" else None,
                    where=where,
                    changed=text(row.get("created_at")),
                    asks_changes=True,
                )

    def _comment(self, at: str, note: dict[str, Any], ours: str, where: str, *, answers: bool) -> Comment:
        person, by = self._person(note.get("author"), ours)
        said, place = text(note.get("body")), mapping(note.get("position"))
        new, old = line_number(place.get("new_line")), line_number(place.get("old_line"))
        line = new or old
        meaning = meaning_of(said, answers=answers)
        votes = line > 0 and not _several(place)
        side: Literal["new", "old"] = "new" if new else "old"
        file = text(place.get(f"{side}_path"))
        return Comment(
            id=f"{'line' if line else 'talk'}-{note.get('id')}",
            person=person,
            by=by,
            may_write=self._people.may_write(person) if by == "person" else None,
            says=said,
            means=meaning.means if votes else "note",
            wording=meaning.wording if votes else "",
            unfit=meaning.unfit if votes else "it is about several lines" if line else "",
            where=f"{where}#note_{note.get('id')}" if where else "",
            changed=text(note.get("updated_at")),
            file=file,
            line=line,
            side=side,
            text=self._line(file, text(place.get("head_sha" if side == "new" else "base_sha")), line) if line else "",
            against=self._against(f"{at}/notes/{note.get('id')}/award_emoji", ours) if votes and by == "us" else (),
        )

    def _line(self, file: str, commit: str, line: int) -> str:
        """The line of a file at a commit: a note says its number alone."""
        key = (file, commit)
        if key not in self._files:
            found: dict[str, Any] = {}
            path = f"{self._rest.at}/repository/files/{quote(file, safe='', errors='replace')}"
            if file and re.fullmatch(r"[0-9a-f]{7,64}", commit):
                try:
                    found = mapping(self._rest.ask("GET", path, params={"ref": commit}))
                except ForgeRefusal as refused:
                    if refused.status != 404:
                        raise
            try:
                content = base64.b64decode(text(found.get("content"))).decode(errors="replace")
            except ValueError:
                content = ""
            self._files[key] = content.split("\n")
        lines = self._files[key]
        return lines[line - 1].rstrip("\r") if line <= len(lines) else ""

    def _against(self, path: str, ours: str) -> tuple[str, ...]:
        """Who may write and has reacted against something."""
        found = set()
        for row in self._rest.rows(path):
            person, by = self._person(row.get("user"), ours)
            if row.get("name") in AGAINST and by == "person" and self._people.may_write(person):
                found.add(person)
        return tuple(sorted(found))

    def _person(self, user: Any, ours: str) -> tuple[str, By]:
        name, id = text(mapping(user).get("username")), mapping(user).get("id")
        if type(id) is int:
            self._ids[name] = id
        if name and name == ours:
            return name, "us"
        return name, "bot" if not name or BOT.fullmatch(name) else "person"

    def _may_write(self, person: str) -> bool | None:
        if person not in self._ids:
            return None
        found = self._rest.right_of(f"{self._rest.at}/members/all/{self._ids[person]}")
        if found is None:
            return None
        level = found.get("access_level")
        return type(level) is int and level >= DEVELOPER


def _several(place: dict[str, Any]) -> bool:
    """Is a note at several lines?"""
    ends = [mapping(mapping(place.get("line_range")).get(end)) for end in ("start", "end")]
    return any(ends) and ends[0].get("line_code") != ends[1].get("line_code")
