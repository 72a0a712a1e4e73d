"""What a segment asked, and its files at the start as far as its log shows: by these, work done twice is known."""

from collections.abc import Mapping
from typing import NamedTuple

from trace2skill.core.digest import digest_of, digest_of_bytes
from trace2skill.mined.requests import SHORTEST, alike


class Beginning(NamedTuple):
    """The request as a digest, '' where it is none, and a digest of each file that the log shows, by path."""

    asked: str = ""
    files: Mapping[str, str] = {}
    changed: str = ""
    """Names the files that it changed, as they were, '' where there are none."""
    in_tree: bool = False
    """Did it begin in a repository? Many begin with its tree, and differ by what they change."""

    @property
    def shown(self) -> str:
        """Names the files, '' where there are none."""
        return digest_of(self.files) if self.files else ""

    @property
    def start(self) -> str:
        """Names what it began with, '' where nothing is known of it: equal beginnings are one input."""
        return (self.in_tree and self.changed) or self.shown

    def may_be(self, other: "Beginning") -> bool:
        """Is it asked the same, and is no file another that both logs show? What a log does not show may be equal."""
        fewer, more = sorted((self.files, other.files), key=len)
        return (
            bool(self.asked)
            and self.asked == other.asked
            and all(more.get(at, is_) == is_ for at, is_ in fewer.items())
        )


def beginning(
    request: str, files: Mapping[str, bytes], changed: Mapping[str, bytes] | None = None, *, in_tree: bool = False
) -> Beginning:
    """Of a segment that asked this and began with these files.

    Args:
        request: what was asked.
        files: as far as its log, or its work done again, shows them.
        changed: those that it changed, as they were before.
        in_tree: did it begin in a repository?
    """
    asked = digest_of(alike(request)) if len(request) >= SHORTEST else ""
    digests, own = (
        {path: digest_of_bytes(raw)[:16] for path, raw in sorted(some.items())} for some in (files, changed or {})
    )
    return Beginning(asked, digests, digest_of("changed", own) if own else "", in_tree)
