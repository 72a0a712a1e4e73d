"""What a script of a skill may do: work on the files that it is given, and nothing else.

Words are screened elsewhere (`screening`); here a program is read as one. What is listed is what is allowed, for a list
of what is forbidden has never been whole: a module that is not among these, what a module does not offer, a name that
reaches behind the language, a place of the machine's own. A person may allow a finding, as any other: of this one
program, for "imports os" says nothing of what another does with it.

This is a second line. Whatever a program does is done in the sandbox, and a place can be made up at run time.
"""

import ast
import re
import types
import unicodedata
from collections.abc import Iterator

from trace2skill.core.digest import digest_of
from trace2skill.core.program import parse_program
from trace2skill.safety.imported import Imported
from trace2skill.safety.screening import Finding, finding_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODULES = _words(
    """
    __future__ argparse bisect calendar collections copy csv dataclasses datetime decimal difflib enum fractions
    functools heapq html itertools json math openpyxl operator pathlib re statistics string sys textwrap typing
    unicodedata zoneinfo
    """
)
"""Modules that only work on what they are given; not `os`, `shutil`, `subprocess`, or what speaks to a network."""
NAMES = _words(
    """
    breakpoint compile delattr eval exec getattr globals help locals setattr vars
    EnumMeta EnumType Formatter ForwardRef attrgetter evaluate_forward_ref get_type_hints make_dataclass methodcaller
    singledispatch singledispatchmethod update_wrapper wraps _evaluate
    """
)
"""Names by which a program gets at what its text does not say, as variables and as attributes. The last ones look up
names or run annotations that stand in a text (https://docs.python.org/3/library/string.html#string.Formatter.get_field).
"""
ATTRIBUTES = _words(
    """
    absolute chmod cwd expanduser hardlink_to home lchmod link_to modules parents rename resolve rmdir rmtree samefile
    symlink_to touch unlink
    """
)
"""Of a path, mostly: what changes other files than a result, or leads out of the workspace."""
RUNNING = frozenset(
    name
    for kind in ("Frame", "Traceback", "Generator", "Coroutine", "AsyncGenerator", "Code")
    for name in dir(getattr(types, f"{kind}Type"))
    if re.match(r"[a-z]{1,2}_", name)
)
"""What leads from something that runs to its frame, and from there to everything: `gi_frame`, `f_builtins`."""
HONEST = _words("__name__ __main__ __init__ __doc__ __file__")
"""Special names that honest programs ask for."""
HONEST_PRIVATE = _words("_ _asdict _fields _make _replace _cells _charts _images _sheets _style")
"""Of named tuples, and of workbooks as everybody uses them."""
SETS_RULES = _words("__instancecheck__ __subclasscheck__ __prepare__ __class_getitem__")
"""Methods by which a class says what it is: a pattern would then read any attribute of anything."""
BEHIND = _words(
    """
    asyncio builtins code codecs ctypes fcntl ftplib gc glob http importlib inspect io linecache marshal mmap
    multiprocessing nt ntpath os pickle platform popen posix posixpath pty requests runpy shutil signal site smtplib
    socket ssl subprocess sys system tempfile threading types urllib webbrowser
    """
)
"""Modules that other modules have as attributes, whatever the variable is called (`pathlib.os`)."""
EVERYDAY = _words("code glob http platform requests signal site system types")
"""Of these, what options are called, too (`args.code`): of a variable that is no module they say nothing."""
PLACE = re.compile(
    r"^\s*(?:~(?:/|$)|/(?:[\w.+-]+/|(?:bin|dev|etc|home|mnt|opt|proc|root|run|sys|tmp|usr|var|workspace)\b)|\.\.(?:/|$))"
    r"|/\.\./|://"
)
"""A text that names a place outside of what a script is given: an absolute path, a step upwards, an address."""
OPENS = _words("open Path PurePath PosixPath PurePosixPath joinpath load_workbook")
"""What takes a path: a text that begins at the root is a place there."""
DEEP = re.compile(r"__\w+__")
COOKIE = re.compile(r"coding[:=][ \t]*([-\w.]+)")
"""In a comment, as Python looks for it, in the first two lines (https://peps.python.org/pep-0263/)."""
HEAD = 4
REASON = "a script that does more than work on what it is given"


def found_in_program(source: str) -> tuple[Finding, ...]:
    """What a Python program may do besides, in the order of its text; nothing for one that works on its files alone.

    A finding names the program, too: who allows it allows it there.

    Raises:
        SyntaxError: it is no Python program.
    """
    tree = parse_program(source)
    told = sorted((*_of_text(source), *_Reader(tree).told()))
    which = digest_of("program", source)[:12]
    return tuple(finding_of(REASON, f"{words} (in program {which})") for words in dict.fromkeys(w for _, w in told))


def _of_text(source: str) -> Iterator[tuple[int, str]]:
    """What makes the interpreter read another program than was parsed here."""
    for at, line in enumerate(source.splitlines()[:HEAD], 1):
        if (found := COOKIE.search(line.partition("#")[2])) and found[1].lower().replace("_", "-") not in {
            "utf-8",
            "utf8",
        }:
            yield at, f"is written in the encoding {found[1]}"
    odd = {c for c in source.replace("\r\n", "\n") if unicodedata.category(c) in {"Cc", "Cs"}} - {"\t", "\n"}
    if odd or source.startswith("\ufeff"):
        yield 1, "holds control characters"


class _Reader:
    """Reads one program."""

    def __init__(self, tree: ast.Module) -> None:
        self._nodes = list(ast.walk(tree))
        self._imported = Imported(tree, MODULES)
        self._owners = {id(node.value) for node in self._nodes if isinstance(node, ast.Attribute)}
        self._called = {id(node.func): node for node in self._nodes if isinstance(node, ast.Call)}
        classes = [node for node in self._nodes if isinstance(node, ast.ClassDef)]
        decorators = [found for node in classes for found in node.decorator_list]
        self._decorators = {id(getattr(node, "func", node)) for node in decorators}
        self._classes = {node.name for node in classes}

    def told(self) -> Iterator[tuple[int, str]]:
        """(line, what it does)."""
        for node in self._nodes:
            at = getattr(node, "lineno", 0)
            yield from ((at, words) for words in self._told(node))

    def _told(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Import():
                yield from (f"imports {name.name}" for name in node.names if _outside(name.name))
            case ast.ImportFrom():
                yield from self._from(node)
            case ast.Name():
                if node.id in NAMES or _is_deep(node.id):
                    yield f"uses {node.id}"
                yield from self._handed_on(node)
            case ast.Attribute():
                yield from self._attribute(node)
                yield from self._handed_on(node)
            case ast.MatchClass():
                yield from (f"uses .{name}" for name in node.kwd_attrs if _reaches(name) or name.startswith("_"))
            case ast.Call():
                yield from self._call(node)
            case ast.ClassDef():
                yield from (f"gives {word.arg or '**'} to a class" for word in node.keywords if word.arg != "total")
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name in SETS_RULES:
                yield f"defines {node.name}"
            case ast.BinOp(op=ast.Div()) if _at_root(node.right):
                yield "names the place /"
            case ast.Constant(value=str() | bytes() as value):
                yield from _of_constant(value if isinstance(value, str) else value.decode("utf-8", "replace"))

    def _from(self, node: ast.ImportFrom) -> Iterator[str]:
        module = node.module or "."
        if node.level or _outside(module):
            yield f"imports from {module}"
        for name in node.names:
            private = name.name == "*" or name.name in NAMES or name.name.startswith("_")
            if private or name.name in BEHIND or not self._imported.is_public(module, name.name):
                yield f"imports {name.name} from {module}"

    def _attribute(self, node: ast.Attribute) -> Iterator[str]:
        name, modules = node.attr, self._imported.modules(node.value)
        kept = name.startswith("_") and not DEEP.fullmatch(name) and not self._is_own(node)
        private = any(not self._imported.is_public(module, name) for module in modules)
        upwards = name == "parent" and isinstance(node.value, ast.Attribute) and node.value.attr == "parent"
        reaches = _reaches(name) and not (modules == {"re"} and name == "compile")
        if reaches and not modules and name in EVERYDAY:
            return
        if reaches or kept or private or upwards:
            yield f"uses .{name}"
        elif name == "replace" and self._moves(node):
            yield "uses .replace of a path"

    def _is_own(self, node: ast.Attribute) -> bool:
        """Is what begins with an underscore the program's own: of itself in a class, or of an instance of one?"""
        if node.attr in HONEST_PRIVATE and not self._imported.modules(node.value):
            return True
        owner = node.value.func if isinstance(node.value, ast.Call) else node.value
        names = self._classes if isinstance(node.value, ast.Call) else {*self._classes, "self", "cls"}
        return isinstance(owner, ast.Name) and owner.id in names and not self._imported.names(owner)

    def _moves(self, node: ast.Attribute) -> bool:
        """May it be a path that is moved over another? A text has two arguments there, a date has names for them."""
        taken = self._imported.names(node.value)
        if any(self._imported.modules(node.value)):
            return False  # of `dataclasses`, say
        if any(name.startswith("pathlib.") for name in taken):
            return True
        call = self._called.get(id(node))
        if call is None or any(isinstance(item, ast.Starred) for item in call.args):
            return True
        words = {word.arg for word in call.keywords}
        return len(call.args) == 1 or bool(words & {None, "target"})

    def _handed_on(self, node: ast.Name | ast.Attribute) -> Iterator[str]:
        """A module is there to take something out of: as a value it would have a name that nobody follows."""
        if id(node) in self._owners or id(node) in self._called:
            return
        for module in sorted(self._imported.modules(node)):
            yield f"uses the module {module}, or its name, as a value"

    def _call(self, node: ast.Call) -> Iterator[str]:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in OPENS and any(map(_at_root, [*node.args, *(word.value for word in node.keywords)])):
            yield "names the place /"
        if name == "type" and (len(node.args) != 1 or isinstance(node.args[0], ast.Starred) or node.keywords):
            yield "makes a class by type"
        if name == "dataclass" and id(node.func) not in self._decorators:
            yield "calls dataclass"
        fills = name.startswith("parse_") and name.endswith("args") and len(node.args) > 1
        if fills or any(word.arg == "namespace" for word in node.keywords):
            yield "fills attributes by a parser"


def _of_constant(text: str) -> Iterator[str]:
    if PLACE.search(text):
        yield f"names the place {text[:120]}"
    yield from (f"names {name} in a text" for name in DEEP.findall(text) if name not in HONEST)


def _at_root(node: ast.AST) -> bool:
    """Does a text begin with a slash, as far as its head can be read?"""
    match node:
        case ast.Constant(value=str() as text):
            return text.strip().startswith("/")
        case ast.JoinedStr(values=[first, *_]) | ast.BinOp(left=first):
            return _at_root(first)
        case ast.Call(func=ast.Attribute(value=first, attr="format" | "format_map" | "join")):
            return _at_root(first) and (node.func.attr != "join" or _joins_at_root(node))  # type: ignore[attr-defined]
    return False


def _joins_at_root(node: ast.Call) -> bool:
    """`'/'.join(['', ...])`: what is joined begins with nothing."""
    first = getattr(node.args[0], "elts", [None])[:1] if node.args else []
    return any(isinstance(item, ast.Constant) and item.value == "" for item in first)


def _outside(module: str) -> bool:
    head, *parts = module.split(".")
    return head not in MODULES or any(part.startswith("_") for part in parts)


def _reaches(name: str) -> bool:
    """Does an attribute lead behind the language, to another module, or out of the workspace, whosever it is?"""
    return name in ATTRIBUTES or name in NAMES or name in RUNNING or name in BEHIND or _is_deep(name)


def _is_deep(name: str) -> bool:
    return DEEP.fullmatch(name) is not None and name not in HONEST
