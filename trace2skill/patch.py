"""`Edit` and `Patch`: what one analyst wants to change in a skill, in terms of its sections."""

from typing import Literal

from pydantic import Field

from trace2skill.digest import digest_of
from trace2skill.noun import Noun

EditOp = Literal[
    "insert_after",
    "insert_before",
    "append_to_section",
    "replace_in_section",
    "add_section",
    "delete_section",
    "create",
    "delete_file",
]


class Edit(Noun):
    """One change of one file.

    `section` is the path of headings from the outermost in, as plain text; empty means the part before the first
    heading (for `add_section`: a new top section). `anchor` is the text an insert or replacement holds on to.
    `content` is Markdown: for `add_section` the heading's text is the first line's heading or `section`'s new last
    element is given in `title`; for `create` the whole file.
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


class Patch(Noun):
    """What one trajectory asks of one skill."""

    trajectory_id: str
    task_id: str
    base: str = Field(description="Digest of the skill the patch was written against (S0, frozen).")
    reasoning: str = ""
    edits: tuple[Edit, ...] = ()
    changelog: tuple[str, ...] = ()
