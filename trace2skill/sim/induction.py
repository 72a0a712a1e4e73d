"""What the simulated model makes of programs that are alike: one whose differences are options (anti-unification).

The programs are laid over each other as trees. A constant that differs is an option, if its value stands in every
request; its pattern is the words around it. Nothing is known of what the programs do.
"""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trace2skill.core.program import parse_program
from trace2skill.core.record import Record

WIDEST, NARROWEST = 9, 4
"""Words before a value by which it is known in a request."""
BEGINNING = 8
"""Words at the beginning of a request by which its wording is known."""
PREAMBLE = """\
import argparse
parser = argparse.ArgumentParser(description={about!r})
parser.add_argument('input', help='the workbook to read')
parser.add_argument('output', help='where to save the result')
{options}
args = parser.parse_args()
"""
OPTION = "parser.add_argument('--{name}', required=True, type={type}, help={help!r})"
ARGUMENT = {1: "input", 2: "output"}


class Hole(NamedTuple):
    """Where programs differ: the constants' places in each tree, and each program's value there."""

    places: tuple[int, ...]
    values: tuple[object, ...]


class Option(Record):
    """An option by its name, with the patterns that read it."""

    name: str
    patterns: tuple[str, ...]


class AlignedProgram(Record):
    """What came of it; `refused` says why nothing did."""

    script: str = ""
    options: tuple[Option, ...] = ()
    when: tuple[str, ...] = ()
    refused: str = ""


def induce(
    requests: Sequence[str], programs: Sequence[str], about: str, names: Mapping[str, Sequence[str]]
) -> AlignedProgram:
    """One program for all.

    Args:
        requests: what was asked for, one for each program.
        programs: Python programs, called with INPUT and OUTPUT.
        about: what the script is for, in a line.
        names: names that values of requests have, each with its value in every request.
    """
    trees = [_tree(program) for program in programs]
    texts = [" ".join(request.split()) for request in requests]
    built = Counter(_form(tree) for tree in trees if tree)
    if not built:
        return AlignedProgram(refused="these are no Python programs")
    form = max(built, key=lambda form: (built[form], form))
    same = [n for n, tree in enumerate(trees) if tree and _form(tree) == form]
    if len(same) < 2 or 2 * len(same) < len(programs):
        return AlignedProgram(refused="the programs are built too differently for one")
    constants = [[*_constants(tree)] for n in same if (tree := trees[n])]
    texts = [texts[n] for n in same]
    holes = _holes(constants, [tuple(told[n] for n in same) for told in names.values()])
    named = [[told[n] for told in names.values() if told[n]] for n in same]
    every = [[*map(str, (hole.values[n] for hole in holes)), *named[n]] for n in range(len(same))]
    options, names_of = [], dict[int, tuple[str, str]]()
    read = list[list[str]]([] for _ in same)
    for number, hole in enumerate(holes, 1):
        found = [_pattern(texts, n, [*map(str, hole.values)], every[n]) for n in range(len(same))]
        if not all(found):
            missing = next(str(value) for value, one in zip(hole.values, found, strict=True) if not one)
            return AlignedProgram(refused=f"nothing in a request says that {missing[:40]!r} is meant")
        name = next((name for name, told in names.items() if [told[n] for n in same] == [*map(str, hole.values)]), "")
        name = name or f"value{number}"
        options.append(Option(name=name, patterns=tuple(dict.fromkeys(filter(None, found)))))
        kind = "int" if all(isinstance(value, int) for value in hole.values) else "str"
        names_of |= dict.fromkeys(hole.places, (name, kind))
        for patterns, one in zip(read, found, strict=True):
            patterns.append(str(one))
    starts = [_open(" ".join(text.split(" ")[:BEGINNING]), every[n]) for n, text in enumerate(texts)]
    when = ["".join(f"(?=.*{one.replace('(.+?)', '.+?')})" for one in patterns) for patterns in read]
    when = [f"{one}{start}" for one, start in zip(when, starts, strict=True)]
    return AlignedProgram(
        script=_script(constants[0], trees[same[0]], names_of, about),
        options=tuple(options),
        when=tuple(dict.fromkeys(f"^{one}" for one in when)),
    )


def _tree(program: str) -> ast.Module | None:
    """The program without what nobody reads: an argument of a function that does not use it says nothing."""
    try:
        tree = parse_program(program)
    except SyntaxError:
        return None
    unused: dict[str, list[int]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            unused[node.name] = [n for n, one in enumerate(node.args.args) if one.arg not in used]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for at in unused.get(node.func.id, []):
                if at < len(node.args):
                    node.args[at] = ast.Constant(None)
    return tree


def _constants(tree: ast.AST) -> Iterator[ast.Constant]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Constant))


def _form(tree: ast.AST) -> str:
    """How a program is built, whatever its constants are."""
    return re.sub(r"Constant\(value=(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^)]*)\)", "Constant()", ast.dump(tree))


def _holes(constants: Sequence[Sequence[ast.Constant]], named: Sequence[tuple[str, ...]]) -> list[Hole]:
    """The constants that differ, or that every request names; those that differ alike are one."""
    places: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for at, values in enumerate(zip(*([one.value for one in some] for some in constants), strict=True)):
        is_told = tuple(map(str, values)) in named and str(values[0]) not in ("", "1", "2")
        if is_told or len({repr(value) for value in values}) > 1:
            places[values].append(at)
    return [Hole(tuple(found), values) for values, found in places.items()]


def _pattern(texts: Sequence[str], at: int, values: Sequence[str], others: Sequence[str]) -> str | None:
    """The words around a value by which it is read right in every request that has them; None where none are.

    `others` are all values of that request: among these words, any word may stand in their place.
    """
    text, value = texts[at], values[at]
    for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text):
        before, behind = text[: found.start()], text[found.end() : found.end() + 2]
        words = [match.start() for match in re.finditer(r"\S+", before)][-WIDEST:]
        for start in reversed(words[: len(words) - NARROWEST + 1] or words[:1]):
            pattern = f"{_open(before[start:], others)}(.+?){re.escape(behind)}"
            read = [re.search(pattern, other) for other in texts]
            if all(match is None or match[1] == told for match, told in zip(read, values, strict=True)):
                return pattern
    return None


def _open(text: str, values: Sequence[str]) -> str:
    """A text as a pattern, in which these values are any words."""
    known = "|".join(map(re.escape, sorted(values, key=len, reverse=True)))
    parts = re.split(rf"(?<!\w)(?:{known})(?!\w)", text)
    return r"\S.*?".join(map(re.escape, parts))


def _script(
    constants: Sequence[ast.Constant], tree: ast.Module | None, names: dict[int, tuple[str, str]], about: str
) -> str:
    """The first program, with options in the place of what differs and named arguments in that of `sys.argv`."""
    assert tree is not None
    given = {id(constants[at]): name for at, (name, _) in names.items()}
    body = ast.unparse(ast.fix_missing_locations(_Filled(given).visit(tree)))
    options = dict.fromkeys(names.values())
    lines = [OPTION.format(name=name, type=kind, help=f"the {name} that the request names") for name, kind in options]
    return PREAMBLE.format(about=about, options="\n".join(lines)) + body + "\n"


class _Filled(ast.NodeTransformer):
    def __init__(self, given: dict[int, str]) -> None:
        self._given = given

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        name = self._given.get(id(node))
        return _argument(name) if name else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        filled: Any = self.generic_visit(node)
        filled.values = [
            ast.FormattedValue(part, -1) if isinstance(part, ast.Attribute) else part for part in filled.values
        ]
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if ast.unparse(node.value) == "sys.argv" and isinstance(node.slice, ast.Constant):
            return _argument(ARGUMENT.get(node.slice.value, "input"))  # type: ignore[arg-type]
        return self.generic_visit(node)


def _argument(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("args", ast.Load()), name, ast.Load())
