"""Here-documents of a shell command (`cat > x.py <<'EOF'`), in time that grows with its length alone."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

OPENS = re.compile(r"<<(?P<dash>-?)[ \t]*(?P<quote>['\"]?)(?P<mark>\w+)(?P=quote)")


class HereDocument(NamedTuple):
    """The line that opens it, where that and its body begin, its body, and where the line that closes it ends."""

    line: str
    opens: int
    body: str
    end: int


def here_documents(command: str) -> Iterator[HereDocument]:
    """Each here-document of a command; one that is not closed is none."""
    if "<<" not in command:
        return
    lines = command.split("\n")
    starts, alike = [0], defaultdict[str, list[int]](list)
    for number, line in enumerate(lines):
        starts.append(starts[-1] + len(line) + 1)
        alike[line.strip()].append(number)
    at = 0
    while at < len(lines):
        opened = OPENS.search(lines[at])
        at += 1
        ends = alike.get(opened["mark"], []) if opened else []
        place = bisect_left(ends, at)
        if opened and place < len(ends):
            end = ends[place]
            body = "\n".join(lines[at:end]) + "\n"
            yield HereDocument(lines[at - 1], starts[at - 1] + opened.start(), body, starts[end] + len(lines[end]))
            at = end + 1


def without_here_documents(command: str) -> str:
    """The command without them, from the mark that opens each to the line that closes it."""
    kept, place = [], 0
    for found in here_documents(command):
        kept.append(command[place : found.opens])
        place = found.end
    return "".join([*kept, command[place:]])
