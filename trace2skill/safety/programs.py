"""What a script of a skill may do: work on the files that it is given, and nothing else.

Words are screened elsewhere (`screening`); here a program is read as one. What is listed is what is allowed, for a list
of what is forbidden has never been whole: a module that is not among these, a name that reaches behind the language, a
place of the machine's own. A person may allow a finding, as any other.
"""

import ast
import re
from collections.abc import Iterator

from trace2skill.core.program import parse_program
from trace2skill.safety.screening import Finding, finding_of

MODULES = frozenset(
    re.findall(
        r"\w+",
        """
        __future__ argparse bisect calendar collections copy csv dataclasses datetime decimal difflib enum fractions
        functools heapq html itertools json math openpyxl operator pathlib re statistics string sys textwrap typing
        unicodedata zoneinfo
        """,
    )
)
"""Modules that only work on what they are given; not `os`, `shutil`, `subprocess`, or what speaks to a network."""
NAMES = frozenset(
    re.findall(
        r"\w+", "__builtins__ __import__ breakpoint compile delattr eval exec getattr globals locals setattr vars"
    )
)
"""Names by which a program gets at what its text does not say."""
BEHIND = frozenset(
    re.findall(
        r"\w+",
        """
        _getframe _os _sys asyncio attrgetter builtins codecs ctypes ftplib gc http importlib inspect io marshal
        methodcaller modules multiprocessing os pickle popen posix pty requests runpy shutil smtplib socket ssl
        subprocess sys system tempfile threading urllib webbrowser
        """,
    )
)
"""What modules hold of others, and what leads there: `pathlib.os` is `os`."""
OF_SYS = frozenset({"argv", "exit", "maxsize", "stderr", "stdin", "stdout", "version_info"})
ATTRIBUTES = BEHIND | frozenset(
    re.findall(
        r"\w+",
        "chmod cwd expanduser hardlink_to home lchmod link_to rename rmdir rmtree symlink_to touch unlink",
    )
)
"""Of a path, mostly: what changes other files than a result, or leads out of the workspace."""
PLACE = re.compile(
    r"^\s*(?:~(?:/|$)|/(?:[\w.+-]+/|(?:bin|dev|etc|home|mnt|opt|proc|root|run|sys|tmp|usr|var|workspace)\b)|\.\.(?:/|$))"
    r"|/\.\./|://"
)
"""A text that names a place outside of what a script is given: an absolute path, a step upwards, an address."""
DEEP = re.compile(r"__\w+__")
HONEST = frozenset({"__name__", "__main__", "__init__", "__doc__"})
"""Special names that a plain program has."""
REASON = "a script that does more than work on what it is given"


def found_in_program(source: str) -> tuple[Finding, ...]:
    """What a Python program may do besides, in the order of its text; nothing for one that works on its files alone.

    Raises:
        SyntaxError: it is no Python program.
    """
    tree = parse_program(source)
    told = sorted((at, words) for node in ast.walk(tree) for at, words in _told(node))
    return tuple(dict.fromkeys(finding_of(REASON, words) for _, words in told))


def _told(node: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what it does) of one node."""
    at = getattr(node, "lineno", 0)
    if isinstance(node, ast.Import):
        yield from ((at, f"imports {name.name}") for name in node.names if _outside(name.name))
    elif isinstance(node, ast.ImportFrom):
        if node.level or _outside(node.module or ""):
            yield at, f"imports from {node.module or '.'}"
        yield from ((at, f"imports {name.name}") for name in node.names if _leads_out(node.module or "", name.name))
    elif isinstance(node, ast.Name) and node.id in NAMES:
        yield at, f"uses {node.id}"
    elif isinstance(node, ast.Attribute) and _leads_out(ast.unparse(node.value), node.attr):
        yield at, f"uses .{node.attr}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        text = node.value if isinstance(node.value, str) else node.value.decode("utf-8", "replace")
        if PLACE.search(text):
            yield at, f"names the place {text[:120]}"
        yield from ((at, f"names {name}") for name in DEEP.findall(text) if name not in HONEST)


def _outside(module: str) -> bool:
    return module.partition(".")[0] not in MODULES


def _leads_out(of: str, name: str) -> bool:
    """Is it something of a module or an object by which more can be reached than its own work?"""
    if of == "sys":
        return name not in OF_SYS
    return name in ATTRIBUTES or (DEEP.fullmatch(name) is not None and name not in HONEST)
