"""A text of a model or a log as a span of code in Markdown: no part of it is read as anything else.

Forges read more than Markdown: GitLab looks for "closes #12" in the raw text, also within code. References are broken
by a blank, which a reader does not mind.
"""

import re

from trace2skill.safety.shown import shown

_REFERENCE = re.compile(
    r"([#!])(?=\d)|\b(GH-)(?=\d)|(https?:/)(?=/\S{1,200}/(?:issues|pull|merge_requests|work_items)/)"
)


def code_span(text: str, longest: int = 300) -> str:
    """A span of code with a text in it, whatever it holds: longer fences than its own, and no end of a table's cell."""
    line = shown(" ".join(text[: 4 * longest].split())).replace("|", "\\|")
    line = _REFERENCE.sub(lambda found: f"{found[0]} ", line)
    line = line if len(line) <= longest else line[: longest - 1].rstrip("\\") + "…"
    if not line.strip():
        return ""
    most = max((len(run) for run in re.findall("`+", line)), default=0)
    fence, blank = "`" * (most + 1), " " if most else ""
    return f"{fence}{blank}{line}{blank}{fence}"
