"""`Edit` and `Patch`: what one analyst wants to change in a skill, in terms of its sections."""

from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record

EditOp = Literal[
    "insert_after",
    "insert_before",
    "append_to_section",
    "replace_in_section",
    "add_section",
    "delete_section",
    "create",
    "delete_file",
    "set_description",
]


class Edit(Record):
    """One change of one file.

    `section` is the path of headings from the outermost in, as plain text; empty means the part before the first
    heading. What the other fields mean depends on `op`:

    - `append_to_section`: `content` goes to the end of the section's own text, before its subsections
    - `insert_after`, `insert_before`: `content` goes next to `anchor`, lines of the section given word for word
    - `replace_in_section`: `content` takes the place of `anchor`; without an anchor, of the section's own text
    - `add_section`: a subsection of `section` called `title`, holding `content`; where it exists, `content` is appended
    - `delete_section`: the section goes, with its subsections
    - `create`: a new file `file` holding `content`
    - `delete_file`: the file goes
    - `set_description`: `content` becomes the `description` of SKILL.md's front matter
    """

    op: EditOp
    file: str = "SKILL.md"
    section: tuple[str, ...] = ()
    anchor: str = ""
    title: str = Field(default="", description="Heading text of a new section (`add_section`).")
    content: str = ""
    lessons: tuple[str, ...] = Field(default=(), description="Ids of the lessons this edit writes down.")

    @property
    def id(self) -> str:
        """Short content id. Lessons do not count: the same change is the same edit whoever asks for it."""
        return "E" + digest_of(self.op, self.file, self.section, self.anchor, self.title, self.content)[:12]


class Unplaced(Record):
    """An edit that cannot land, and why."""

    edit: Edit
    reason: str


class Confirmation(Record):
    """A lesson that the skill states already, and the line that states it: one more vote for that line."""

    lesson: str
    file: str
    text: str


class Patch(Record, form="Patch", version=1):
    """What one trajectory asks of one skill. Every edit of `edits` has its place there."""

    trajectory_id: str
    task_id: str
    base: str = Field(description="Digest of the skill the patch was written against (S0, frozen).")
    reasoning: str = ""
    verdict: Literal["patch", "nothing_to_add", "bad_answer"] = "patch"
    edits: tuple[Edit, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    confirms: tuple[Confirmation, ...] = Field(default=(), description="Lessons that the skill states already.")
    changelog: tuple[str, ...] = ()
    read_as: tuple[str, ...] = Field(
        default=(),
        exclude_if=not_,
        description="What was read into the form of its edits, such as a section nearly named.",
    )
    reason: str = Field(default="", description="Why there is no edit, in words.")
    raw: str = Field(default="", description="The raw answer, where it could not be used.")
