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
        r"\w+",
        """
        breakpoint compile delattr eval exec getattr globals help locals setattr vars
        Formatter ForwardRef attrgetter get_type_hints methodcaller
        """,
    )
)
"""Names by which a program gets at what its text does not say, as variables and as attributes. The last ones look up
names that stand in a text (https://docs.python.org/3/library/string.html#string.Formatter.get_field).
"""
ATTRIBUTES = frozenset(
    re.findall(
        r"\w+",
        "chmod cwd expanduser hardlink_to home lchmod link_to modules rename rmdir rmtree symlink_to touch unlink",
    )
)
"""Of a path, mostly: what changes other files than a result, or leads out of the workspace."""
OF_SYS = frozenset({"argv", "exit", "maxsize", "stderr", "stdin", "stdout", "version_info"})
HONEST = frozenset({"__name__", "__init__", "__doc__", "__file__", "__annotations__"})
"""Special names that honest programs ask for."""
BEHIND = frozenset(
    re.findall(
        r"\w+",
        """
        asyncio builtins code codecs ctypes fcntl ftplib gc glob http importlib inspect io linecache marshal mmap
        multiprocessing nt ntpath os pickle platform popen posix posixpath pty requests runpy shutil signal site
        smtplib socket ssl subprocess sys system tempfile threading types urllib webbrowser
        """,
    )
)
"""Modules that other modules have as attributes, whatever the variable is called (`pathlib.os`)."""
PLACE = re.compile(
    r"^\s*(?:~(?:/|$)|/(?:[\w.+-]+/|(?:bin|dev|etc|home|mnt|opt|proc|root|run|sys|tmp|usr|var|workspace)\b)|\.\.(?:/|$))"
    r"|/\.\./|://"
)
"""A text that names a place outside of what a script is given: an absolute path, a step upwards, an address."""
DEEP = re.compile(r"^__\w+__$")
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
        for name in node.names:
            if (
                name.name == "*"
                or name.name in NAMES
                or name.name.startswith("_")
                or _leads_out(name.name, node.module or "")
            ):
                yield at, f"imports {name.name} from {node.module}"
    elif isinstance(node, ast.Name) and (node.id in NAMES or _is_deep(node.id)):
        yield at, f"uses {node.id}"
    elif isinstance(node, ast.Attribute):
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        if node.attr in ATTRIBUTES or node.attr in NAMES or _is_deep(node.attr) or _leads_out(node.attr, owner):
            yield at, f"uses .{node.attr}"
    elif isinstance(node, ast.MatchClass):
        yield from ((at, f"uses .{name}") for name in node.kwd_attrs if _is_deep(name) or name in BEHIND)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        text = node.value if isinstance(node.value, str) else node.value.decode("utf-8", "replace")
        if PLACE.search(text):
            yield at, f"names the place {text[:120]}"


def _outside(module: str) -> bool:
    return module.partition(".")[0] not in MODULES


def _leads_out(name: str, owner: str) -> bool:
    """Does an attribute lead to another module, or to what a module keeps for itself?"""
    if owner == "sys" and name not in OF_SYS:
        return True
    return name in BEHIND or (owner in MODULES and name.startswith("_"))


def _is_deep(name: str) -> bool:
    return DEEP.match(name) is not None and name not in HONEST
