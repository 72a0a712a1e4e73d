"""The pages of the docs, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from conftest import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HERE = re.compile(r"<<'(\w+)'\n.*?^\1$", re.MULTILINE | re.DOTALL)
"""What a command is given to read stands between two words."""
COMMENT = re.compile(r"(?:^|\s)#\s.*")
OURS = ("trace2skill", ".venv/bin/trace2skill")


class Typed(NamedTuple):
    """A command of ours as a page has it: the page, and the words after the program's name."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: trace2skill {shlex.join(self.words)}"


def typed() -> Iterator[Typed]:
    """Every command of ours in a block for a shell."""
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            for line in HERE.sub("", block).replace("\\\n", " ").splitlines():
                words = tuple(shlex.split(COMMENT.sub("", line)))
                if words and words[0] in OURS:
                    yield Typed(page.name, words[1:])
