"""Sections, links and protected blocks of a Markdown file, from a real parser's tokens, by line.

Lines are counted as CommonMark does: they end with \\n, \\r\\n or a lone \\r, and with nothing else
(https://spec.commonmark.org/0.31.2/#line-ending). Line numbers start at 0; ranges exclude their end.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from trace2skill.core.record import Record

BlockToken = Token
"""A block of Markdown as the parser gives it."""

LEAST_QUOTED = 5
PROBE = "\n\n# probe\n"
"""Words from which a sentence of a line, or what goes over several, is taken for a quotation."""
BREAK = "\n"
LINE_END = re.compile(r"\r\n|\n|\r")
PROTECTED = {"fence", "code_block", "html_block", "front_matter", "table_open"}

# The parser's URL library makes its tables of characters on first use, and shows them to other threads half made. The
# import of a module happens once, so that they are made here, before a second thread can parse.
MarkdownIt().normalizeLink("made")
MarkdownIt().normalizeLinkText("made")

_WHOLE = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
_BLOCKS = MarkdownIt("commonmark").enable("table").use(front_matter_plugin).disable("inline")
"""Reads blocks alone. What stands inside them is most of the work, and asked for by links alone."""
_PLAIN_BLOCKS = MarkdownIt("commonmark").disable("inline")
"""The same of a text without front matter, such as a model's answer: its JSON is one paragraph."""
for parser in (_WHOLE, _BLOCKS, _PLAIN_BLOCKS):
    parser.parse("its rules are put in order on first use")


class Section(Record):
    """A heading with what stands under it.

    `path` names it from the outermost heading in; a second section of the same path is called 'Title [2]'. The
    section's own text is content_start..end; `tree_end` includes its subsections.
    """

    path: tuple[str, ...]
    level: int
    heading_start: int
    content_start: int
    end: int
    tree_end: int


class Link(Record):
    """A relative link: where it points, and the first line of the block it stands in."""

    target: str
    line: int


class Block(Record):
    """A top-level block that no edit may land inside, by its kind and lines."""

    kind: str
    start: int
    end: int


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends; joined again they are the text, byte for byte."""
    if "\r" not in text:
        lines = [f"{line}\n" for line in text.split("\n")]
        lines[-1] = lines[-1][:-1]
        return lines if lines[-1] else lines[:-1]
    lines, start = [], 0
    for found in LINE_END.finditer(text):
        lines.append(text[start : found.end()])
        start = found.end()
    return [*lines, text[start:]] if start < len(text) else lines


@lru_cache(maxsize=256)
def sections(text: str) -> tuple[Section, ...]:
    """Every section whose heading stands at the top level of the document (not in a quote, list, fence or HTML)."""
    total = len(split_lines(text))
    heads = _headings(text)
    found: list[Section] = []
    seen: Counter[tuple[str, ...]] = Counter()
    above: list[tuple[int, str]] = []
    for number, (level, title, start, content) in enumerate(heads):
        while above and above[-1][0] >= level:
            above.pop()
        parents = tuple(name for _, name in above)
        seen[(*parents, title)] += 1
        times = seen[(*parents, title)]
        name = title if times == 1 else f"{title} [{times}]"
        above.append((level, name))
        later = heads[number + 1 :]
        found.append(
            Section(
                path=(*parents, name),
                level=level,
                heading_start=start,
                content_start=content,
                end=later[0][2] if later else total,
                tree_end=next((head[2] for head in later if head[0] <= level), total),
            )
        )
    return tuple(found)


def section_at(text: str, line: int) -> tuple[str, ...]:
    """The path of the innermost section that a line, counted from 1, stands in; () before the first heading."""
    found = [item for item in sections(text) if item.heading_start < line <= item.tree_end]
    return found[-1].path if found else ()


def find_section(text: str, path: tuple[str, ...]) -> Section | None:
    """The section at a path. A path that leaves out outer headings finds the one section it ends, if only one does."""
    wanted = tuple(_plain(part) for part in path)
    every = sections(text)
    exact = [item for item in every if tuple(map(_plain, item.path)) == wanted]
    if exact or not wanted:
        return exact[0] if exact else None
    ending = [item for item in every if tuple(map(_plain, item.path[-len(wanted) :])) == wanted]
    return ending[0] if len(ending) == 1 else None


def section_text(text: str, path: tuple[str, ...]) -> str:
    """Heading and own text of a section; for () what stands before the first heading; '' where there is none."""
    lines = split_lines(text)
    if not path:
        return "".join(lines[front_matter_end(text) : _first_heading(text)])
    found = find_section(text, path)
    return "".join(lines[found.heading_start : found.end]) if found else ""


def line_of(text: str, wanted: str) -> int | None:
    """The number, from 1, of the first line that reads `wanted`, white space and list marks aside; None without one.

    A quotation of a wrapped paragraph or item, or of whole sentences of it, is found at the line where it begins. Part
    of a sentence is none: what was left out may have been its 'never'.
    """
    plain = " ".join(filter(None, map(_as_read, split_lines(wanted))))
    raw = [line.strip() for line in split_lines(text)]
    lines = [_as_read(line) for line in raw]
    opens = [not before or before.startswith("#") or _opens(now) for before, now in pairwise(["", *raw])]
    if not plain:
        return None
    alone = (n for n, (line, new) in enumerate(zip(lines, opens, strict=True), 1) if new and line == plain)
    return next(alone, None) or _within(lines, opens, plain)


def _within(lines: Sequence[str], opens: Sequence[bool], quoted: str) -> int | None:
    """The number of the line where the only run of whole sentences begins that reads `quoted`; None where two do."""
    if len(quoted.split()) < LEAST_QUOTED:
        return None
    # What lies between two paragraphs or items is no white space: nothing that is quoted goes over it.
    whole = "".join(f"{BREAK if new else ' '}{line}" for new, line in zip(opens, lines, strict=True)) + BREAK
    starts = list(accumulate((len(line) + 1 for line in lines), initial=1))
    begins, ends = rf"(?:(?<={BREAK})|(?<=[.!?:;] ))", rf"(?:(?<=[.!?:;])|(?=[.!?:;{BREAK}]))"
    found = [match.start() for match in re.finditer(f"{begins}{re.escape(quoted)}{ends}", whole)]
    return bisect_right(starts, found[0]) if len(found) == 1 else None


def _opens(line: str) -> bool:
    """Does a line begin a block: an item, a heading, or nothing?"""
    return not line or line.startswith(("- ", "* ", "+ ", "#", "|", "```")) or bool(re.match(r"\d+[.)] ", line))


def outline(text: str) -> str:
    """The headings, a line each, indented by level, with the number of lines of their own text."""
    lines = []
    for section in sections(text):
        indent = "  " * (len(section.path) - 1)
        lines.append(f"{indent}- {section.path[-1]} ({section.end - section.content_start} lines)")
    return "\n".join(lines) or "(no headings)"


def protected_blocks(text: str) -> tuple[Block, ...]:
    """Fences, indented code, HTML blocks, tables and front matter, wherever they stand, in order."""
    blocks = [
        Block(kind=token.type, start=token.map[0], end=_trimmed(token, text))
        for token in _tokens(text)
        if token.type in PROTECTED and token.map
    ]
    return tuple(sorted(blocks, key=lambda block: block.start))


def links(text: str) -> tuple[Link, ...]:
    """Relative links and images, in order. Anchors in the same file and anything with a scheme do not count."""
    found = []
    for token in _whole(text) if "[" in text else ():
        for child in token.children or ():
            target = child.attrGet("href") if child.type == "link_open" else None
            target = child.attrGet("src") if child.type == "image" else target
            if isinstance(target, str) and target and not re.match(r"[a-z][a-z0-9+.-]*:|//|#", target, re.IGNORECASE):
                found.append(Link(target=unquote(target), line=token.map[0] if token.map else 0))
    return tuple(found)


def fenced(text: str) -> list[str]:
    """What stands in the fences of a text, in order; of one without front matter, such as a model's answer."""
    return [token.content for token in _PLAIN_BLOCKS.parse(text) if token.type == "fence"]


def block_tokens(text: str, level: int = 0) -> tuple[Token, ...]:
    """The parser's tokens that open a block at one depth, in order."""
    return tuple(token for token in _tokens(text) if token.level == level and token.nesting >= 0 and token.map)


def front_matter_end(text: str) -> int:
    """The first line after the front matter, 0 without one."""
    return next((token.map[1] for token in _tokens(text) if token.type == "front_matter" and token.map), 0)


def value_lines(text: str, key: str) -> tuple[int, int]:
    """The lines of one key of the front matter, with its value; (1, 1) where the key is missing.

    Raises:
        ValueError: the front matter is not written with one key a line.
    """
    from ruamel.yaml import YAML

    end = front_matter_end(text)
    inside = "".join(split_lines(text)[1 : max(end - 1, 1)])
    keys: Any = YAML().load(inside)
    if not keys:
        return 1, 1
    starts = sorted(keys.lc.key(name)[0] for name in keys)
    if key not in keys:
        return 1, 1
    start = keys.lc.key(key)[0]
    if not split_lines(inside)[start].startswith(key):
        raise ValueError(f"the front matter does not start a line with {key}")
    after = next((other for other in starts if other > start), end - 2)
    return start + 1, after + 1


def closes_its_fences(text: str) -> bool:
    """Does every fence in the text end within it? An open one would swallow what follows."""
    if "```" not in text and "~~~" not in text:
        return True
    lines = split_lines(text)
    for token in _tokens(text):
        if token.type == "fence" and token.map:
            last = lines[min(token.map[1], len(lines)) - 1].strip().lstrip("> ")
            mark = token.markup
            if token.map[1] - token.map[0] < 2 or not re.fullmatch(re.escape(mark[0]) + f"{{{len(mark)},}}", last):
                return False
    return True


def moves_headings(text: str, start: int, end: int, new: str) -> bool:
    """Would `new`, in place of the lines start..end of a text, take headings around it away, or make one of its own?

    `<pre>`, `<!--`, `<?` and `<![CDATA[` go on over blank lines to their own ends, if there are any. `===` makes a
    heading of the paragraph that it comes to stand under.
    """
    if "<" not in new and not any(line.strip() and not line.strip().strip("=-") for line in split_lines(new)):
        return False
    lines = split_lines(text)
    found = [(first, title) for _, title, first, _ in _headings(text + PROBE)]
    around = [title for first, title in found if first < start], [title for first, title in found if first >= end]
    own = [title for _, title, _, _ in _headings(new)]
    made = [title for _, title, _, _ in _headings("".join([*lines[:start], new, "\n", *lines[end:], PROBE]))]
    return bool(around[1]) and made != [*around[0], *own, *around[1]]


def _first_heading(text: str) -> int:
    heads = _headings(text)
    return heads[0][2] if heads else len(split_lines(text))


def _headings(text: str) -> list[tuple[int, str, int, int]]:
    """(level, title, first line, first line after it) of the document's headings."""
    tokens = _tokens(text)
    return [
        (int(token.tag[1:]), _plain(tokens[index + 1].content), token.map[0], token.map[1])
        for index, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def _as_read(line: str) -> str:
    return " ".join(line.strip().lstrip("-*+ ").split())


def _plain(title: str) -> str:
    return " ".join(title.strip().lstrip("#").split())


def _trimmed(token: Token, text: str) -> int:
    """A block's end without the empty lines that the parser counts to an indented code block."""
    if not token.map:
        return 0
    lines, end = split_lines(text), token.map[1]
    if token.type == "code_block":
        while end > token.map[0] + 1 and not lines[end - 1].strip():
            end -= 1
    return end


@lru_cache(maxsize=256)
def _tokens(text: str) -> tuple[Token, ...]:
    return tuple(_BLOCKS.parse(text))


@lru_cache(maxsize=256)
def _whole(text: str) -> tuple[Token, ...]:
    return tuple(_WHOLE.parse(text))
