"""Routines: programs that do the same job, found by how they are built and not by what they are called.

Which rule a fix speaks for does not count: it says what went wrong, and one job can go wrong in many ways. What counts
is the program: its statements and the methods that it calls, without names of variables and without constants, which
are what differs between the tasks of a routine. The order of programs does not matter.
"""

import ast
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Literal

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.program import parse_program
from trace2skill.core.record import Record

log = logging.getLogger(__name__)
ALIKE = 0.7
"""Share of their pieces that two programs of a routine have in common (Jaccard)."""
PIECE = 4
MOST_SHAPES = 1_000
"""Distinct programs that are compared with each other, those of most tasks first."""
LONGEST = 60_000
WORD = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"?|'[^'\n]*'?|\$?\w+|[^\s\w]")
"""Of a line that is no Python. A quote that nobody closes takes the rest of it, or each further one would be tried."""
Shape = frozenset[str]


class WorkedProgram(Record):
    """A program that has done a task: a fix that was run and passed, or an agent's own of a run that passed."""

    trajectory_id: str
    task_id: str
    by: Literal["fix", "agent"]
    source: str
    lessons: tuple[str, ...] = Field(default=(), description="Ids of the lessons that were drawn with it.")

    @property
    def order(self) -> tuple[str, bool, str, str]:
        """Of two programs of a task the fix comes first: it was run on changed inputs, too."""
        return self.task_id, self.by == "agent", self.trajectory_id, digest_of(self.source)


class Routine(Record, form="Routine", version=1):
    """Programs of one job, one a task, in the order of their tasks."""

    programs: tuple[WorkedProgram, ...]

    @cached_property
    def id(self) -> str:
        """Short content id."""
        return "P" + digest_of(self.programs)[:12]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Ids of its tasks."""
        return tuple(program.task_id for program in self.programs)


def routines_of(programs: Iterable[WorkedProgram], least: int) -> list[Routine]:
    """The routines that at least so many tasks share, those of most tasks first. Each program is in one at most."""
    by_task: dict[str, WorkedProgram] = {}
    for program in sorted(programs, key=lambda program: program.order):
        if len(program.source) <= LONGEST:
            by_task.setdefault(program.task_id, program)
    by_shape: dict[Shape, list[WorkedProgram]] = defaultdict(list)
    for program in by_task.values():
        by_shape[shape_of(program.source)].append(program)
    by_shape.pop(frozenset(), None)  # nothing is built of nothing
    shapes = sorted(by_shape, key=lambda shape: (-len(by_shape[shape]), digest_of(sorted(shape))))
    if len(shapes) > MOST_SHAPES:
        log.warning("%d distinct programs, of which those of the most tasks are compared: %d", len(shapes), MOST_SHAPES)
    found = [
        Routine(programs=tuple(sorted((p for shape in some for p in by_shape[shape]), key=lambda p: p.order)))
        for some in _clusters(shapes[:MOST_SHAPES])
    ]
    return sorted((item for item in found if len(item.programs) >= least), key=lambda item: (-len(item.tasks), item.id))


@lru_cache(maxsize=4_096)
def shape_of(source: str) -> Shape:
    """The pieces that a program is built of: runs of four of its nodes, or of its words where it is no Python."""
    try:
        built = list(_nodes(parse_program(source)))
    except SyntaxError:
        built = [_kind(word) for line in source.splitlines() for word in WORD.findall(line.partition("# ")[0])]
    return frozenset(" ".join(built[at : at + PIECE]) for at in range(max(0, len(built) - PIECE + 1)))


def alike(one: Shape, other: Shape) -> float:
    """Share of the pieces of two programs that both have, from 0 to 1."""
    return len(one & other) / (len(one | other) or 1)


def _clusters(shapes: Sequence[Shape]) -> list[list[Shape]]:
    """What is alike, directly or by others between: the parts of a graph do not depend on the order of its nodes."""
    parent = list(range(len(shapes)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for a, one in enumerate(shapes):
        for b in range(a):
            small, large = sorted((len(one), len(shapes[b])))
            if small >= ALIKE * large and root(a) != root(b) and alike(one, shapes[b]) >= ALIKE:
                parent[root(a)] = root(b)
    found: dict[int, list[Shape]] = defaultdict(list)
    for at, shape in enumerate(shapes):
        found[root(at)].append(shape)
    return list(found.values())


def _nodes(tree: ast.AST) -> Iterator[str]:
    """The nodes of a tree from the root down, with the names of what is called and imported: variables have none."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.expr_context, ast.alias)):
            continue
        yield _label(node)
        waiting += reversed(list(ast.iter_child_nodes(node)))


def _label(node: ast.AST) -> str:
    kind = type(node).__name__
    if isinstance(node, ast.Attribute):
        return f"{kind}:{node.attr}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return f"{kind}:{node.func.id}"
    return kind


def _kind(word: str) -> str:
    """A word of a shell script: texts and numbers are constants."""
    return "text" if word[0] in "\"'" else "number" if word.isdigit() else word
