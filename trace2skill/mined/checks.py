"""What decided in a session whether the work was right: tests that ran, a command, what the files held in the end.

Each becomes a script of the `shell` domain. Tests are brought along as they stood in the end, so that nobody passes by
changing them. A check must ask for nothing but what the request names or the files at the start have: what the agent of
the log called by a name of its own, another agent may call otherwise, and be right.
"""

import re
import shlex
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from trace2skill.core.digest import digest_of
from trace2skill.domains.shell.evals import MOST_ASSERTED
from trace2skill.domains.shell.trees import TEST_FILE, RepositoryTree
from trace2skill.mined.base import import_paths
from trace2skill.mined.replay import CHECKER, Became, moved
from trace2skill.mined.task import MinedCheck
from trace2skill.mined.work import CHANGES, Operation
from trace2skill.traces.runner_reports import reported

TESTS = re.compile(
    r"(?:\A|[\s;&|(/])(?:pytest|py\.test|unittest|nosetests|tox|nox|jest|vitest|mocha|rspec|phpunit|ctest|bats|"
    r"(?:go|cargo|npm|pnpm|yarn|mvn|gradle|gradlew|dotnet|swift|deno|bun|mix|rake|make) (?:run )?(?:test|check)"
    r"\S{0,300})(?![\w/])"
    r"|\b(?:ba)?sh\s{1,9}\S{0,300}?tests?\S{0,300}?\.sh\b|(?:\A|[;&|])\s{0,9}\./\S{0,300}?tests?"
    r"|\b(?:-m django|manage\.py|setup\.py)\s+test\b"
    r"|\bpython[\d.]{0,9}\s{1,9}(?:-\w\s{1,9}){0,9}\S{0,300}?(?:\btests?/|test_|_test\b|run_?tests?)"
)
DECIDES = re.compile(
    r"\A(?:cd\s+\S+\s*&&\s*)?(?:\w+=\S*\s+)*(?:(?:uv|poetry|pipenv) run\s+)?"
    r"(?:python[\d.]*|node|bash|sh|perl|ruby|php|java|make|go|cargo|npm|ruff|mypy|flake8|pyflakes|eslint|tsc|shellcheck|"
    r"diff|cmp|test|\[|jq|\./\S+)(?=\s|\Z)"
)
CODE = frozenset({
    ".py", ".js", ".ts", ".tsx", ".jsx", ".go", ".rs", ".java", ".c", ".h", ".cpp", ".rb", ".php", ".sh", ".pl", ".cs",
    ".swift", ".kt", ".scala", ".lua", ".r", ".vue", ".css", ".html", ".md", ".rst",
    ".patch", ".diff",
})  # fmt: skip
"""Endings of files that can be right in many ways: what they hold word for word decides nothing."""
PIPED = re.compile(r"(?<!\|)\|(?!\|)\s*(?:tail|head|grep|tee|cat|less|sed|awk)\b")
A_DIFF = re.compile(rb"\A\s*(?:diff --git |Index: |--- \S+[^\n]*\n\+\+\+ )")
"""How a patch begins: it is code, and right in many ways."""
WORD = re.compile(r"\w+(?:[.-]\w+)*")
MADE_OF = frozenset({*sys.stdlib_module_names, "pytest", "_pytest", "sitecustomize", "usercustomize"} - {"test"})
"""Modules that a check is made of, or that Python takes by itself; not Python's own tests, whose name many have."""
PYTHON = re.compile(r"\bpy")
STAND_INS = f"""\
import os, sys
made_of = set("{" ".join(sorted(MADE_OF))}".split())
cut = sys.argv.index("--")
given = {{*map(os.path.normpath, sys.argv[cut + 1 :])}}
def parts(folder):
    for name in sorted(os.listdir(folder)):
        path = os.path.normpath(os.path.join(folder, name))
        if name.split(".")[0] not in made_of:
            continue
        for part in os.listdir(path) if os.path.isdir(path) else ():
            if part.split(".")[0] in ("__init__", "__main__"):
                yield os.path.join(path, part)
        if not os.path.isdir(path):
            yield path
for folder in filter(os.path.isdir, sys.argv[1:cut]):
    for path in parts(folder):
        if path.endswith((".py", ".pyc", ".so")) and path not in given:
            sys.exit(path + " stands in for a module that the check is made of")
for folder, folders, names in os.walk("."):
    folders[:] = [name for name in folders if name not in (".git", ".venv", "node_modules")]
    path = os.path.normpath(os.path.join(folder, "conftest.py"))
    if "conftest.py" in names and path not in given:
        sys.exit(path + " changes how the check's tests run")
"""
MOST_BROUGHT, MOST_TEXT = 40, 200_000
LOOKED_AT = 20_000
"""Characters of a command in which tests are looked for: they stand at its beginning, or after a few others."""


def checks_of(
    request: str,
    work: Sequence[Operation],
    told: Sequence[Became],
    before: Mapping[str, bytes],
    after: Mapping[str, bytes],
    root: str,
    tree: RepositoryTree | None = None,
) -> Iterator[MinedCheck | str]:
    """The checks that a segment has, the strongest first; where one is not fair, why not, in words.

    In a repository's `tree`, tests of it that nobody changed need not be brought along: the domain has them restored.
    """
    runs = [(item, became) for item, became in zip(work, told, strict=True) if item.kind == "run"]
    made = {path for path in after if path not in before}
    met = {path for became in told for path in became.changed} | {item.path for item in work if item.kind in CHANGES}
    gone = {path for path in met if path not in before and path not in after and (tree is None or path not in tree)}
    for item, became in reversed(runs):
        if _tests(item.command) and _ran(item):
            if away := _speaks_of_one(item.command, gone):
                yield f"its check needs {away}, which was removed again"
                break
            yield _by_command("tests", item, became, request, before, after, made, root, tree)
            break
    for item, became in reversed(runs):
        if DECIDES.match(item.command.strip()) and not _tests(item.command):
            if PIPED.search(item.command) and not became.same:
                continue  # its exit code is that of another program
            if any(names(request, path, there=path in before) for path in became.changed):
                break  # it is the work itself: what it left decides
            if away := _speaks_of_one(item.command, gone):
                yield f"its check needs {away}, which was removed again"
                break
            yield _by_command("command", item, became, request, before, after, made, root, tree)
            break
    yield _by_state(request, before, after)


def _tests(command: str) -> bool:
    return TESTS.search(command, 0, LOOKED_AT) is not None


def _speaks_of_one(command: str, paths: Collection[str]) -> str:
    return next((path for path in sorted(paths) if path and _speaks_of(command, path)), "")


def _ran(item: Operation) -> bool:
    """Did tests run? Where another program read what they printed, the exit code is that one's and says nothing."""
    return (item.worked and not PIPED.search(item.command)) or reported(item.output) is not None


def names(request: str, path: str, *, there: bool = False) -> bool:
    """Does the request name the file: by its path or its name, or, if it is `there`, by its name without the ending?"""
    name, stem = PurePosixPath(path).name, PurePosixPath(path).stem
    words = {path, name} | ({stem} if there and len(stem) > 3 else set())
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", request) for word in words)


def written(path: str, content: bytes) -> str:
    """Shell lines that write a file, readable where it is text."""
    text = content.decode("utf-8", "replace")
    mark = f"END_{digest_of(text)[:8]}"
    where = shlex.quote(path)
    folder = shlex.quote(str(PurePosixPath(path).parent))
    lines = [f"mkdir -p {folder}"] if folder != "." else []
    if text.encode() == content and text.endswith("\n") and "\0" not in text and "\r" not in text:
        lines.append(f"cat > {where} <<'{mark}'\n{text}{mark}")
    else:
        lines.append(f"base64 -d > {where} <<'{mark}'\n{_base64(content)}{mark}")
    return "\n".join(lines)


def _by_command(
    kind: str,
    item: Operation,
    became: Became,
    request: str,
    before: Mapping[str, bytes],
    after: Mapping[str, bytes],
    made: set[str],
    root: str,
    tree: RepositoryTree | None,
) -> MinedCheck | str:
    tests = kind == "tests"
    brought = _brought(item.command, before, after, tests=tests)
    if tree is not None:
        brought = {path: raw for path, raw in brought.items() if not (tests and raw == tree.read(path))}
    asked = [path for path in brought if brought[path] != before.get(path) and names(request, path)]
    brought = {path: raw for path, raw in brought.items() if path not in asked}
    if asked and (not brought or any(_speaks_of(item.command, path) for path in asked)):
        return f"its tests are what was asked for: {asked[0]} decides over itself"
    if len(brought) > MOST_BROUGHT or sum(map(len, brought.values())) > MOST_TEXT:
        return "its tests are too many to be brought along"
    new = [raw.decode("utf-8", "replace") for path, raw in brought.items() if before.get(path) != raw]
    said = "\n".join([item.command, *new])  # what was there from the beginning may be read by anybody
    own = sorted(path for path in made - brought.keys() if _speaks_of(said, path) and not names(request, path))
    if own:
        return f"its check asks for {own[0]}, which the request does not name"
    if not tests and became.changed and any(_speaks_of(item.command, path) for path in made):
        return "its last command is a program of its own, which decides over itself"
    command = moved(item.command, root)
    lines = ["unset PYTHONSAFEPATH PYTHONPATH", "set -o pipefail", "export PYTHONDONTWRITEBYTECODE=1"]
    paths = import_paths(tree) if tree is not None else []
    lines += [f'export PYTHONPATH="{":".join(f"$PWD/{path}".rstrip("/") for path in paths)}"'] if paths else []
    lines += [written(path, raw) for path, raw in brought.items()]
    known = {*before, *after, *(_modules(tree) if tree is not None else ())}
    if paths or PYTHON.search(command) or any(path.endswith(".py") for path in brought):
        lines += ['export PYTHONPYCACHEPREFIX="$(mktemp -d)"']  # what was compiled beforehand may say anything
        lines += _no_stand_ins([became.folder, *paths, *_folders_of(brought)], known)
    lines += [f"cd {shlex.quote(became.folder)}"] if became.folder != "." else []
    shown = " ".join(item.command.split())
    quoted = f"`{shown}`" if len(shown) <= MOST_ASSERTED else f"`{shown[:200]}`, which goes on,"  # half is no assertion
    if tests or not item.worked or not became.same or not item.output.strip():
        return MinedCheck(
            kind="tests" if tests else "command", what=f"{quoted} ends well", script="\n".join([*lines, command, ""])
        )
    mark = f"END_{digest_of(item.output)[:8]}"
    lines += ["said=$(", command, ") || exit 1", f"wanted=$(cat <<'{mark}'\n{item.output.strip()}\n{mark}\n)"]
    lines += [
        "bare() { printf %s \"$1\" | sed -e 's/[[:space:]]*$//'; }",
        '[ "$(bare "$said")" = "$(bare "$wanted")" ] ||',
    ]
    lines += ['  { echo "it ends well and prints something else than what was accepted"; exit 1; }', ""]
    return MinedCheck(kind="command", what=f"{quoted} ends well and prints what it printed", script="\n".join(lines))


def _brought(command: str, before: Mapping[str, bytes], after: Mapping[str, bytes], *, tests: bool) -> dict[str, bytes]:
    """What a check brings along: tests, and a program by whose name it checks, where nobody had to change it."""
    return {
        path: raw
        for path, raw in sorted(after.items())
        if (tests and TEST_FILE.search(path))
        or (before.get(path) == raw and CHECKER.search(PurePosixPath(path).name) and _speaks_of(command, path))
    }


def _modules(tree: RepositoryTree) -> Iterator[str]:
    """Files of a tree that may have the place of a module: they were there."""
    return (path for path in tree.entries if path.endswith((".py", ".pyc", ".so")) and _may_stand_in(path))


def _may_stand_in(path: str) -> bool:
    parts = [part.partition(".")[0] for part in PurePosixPath(path).parts]
    package = parts[-2] if len(parts) > 1 and parts[-1] in ("__init__", "__main__") else parts[-1]
    return package in MADE_OF or package == "conftest"


def _folders_of(brought: Iterable[str]) -> set[str]:
    return {str(parent) for path in brought for parent in PurePosixPath(path).parents}


def _no_stand_ins(folders: Iterable[str], known: Iterable[str]) -> list[str]:
    """Lines that end a check where a file stands in for a module that its programs are made of."""
    looked = sorted({".", *(folder or "." for folder in folders)})
    given = map(shlex.quote, [*looked, "--", *sorted(filter(_may_stand_in, known))])
    return [f"python -I -c {shlex.quote(STAND_INS)} {' '.join(given)} || exit 1"]


def _by_state(request: str, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> MinedCheck | str:
    """What the files hold, of those that the request names, and that can be right in one way."""
    changed = sorted(path for path in after.keys() | before.keys() if after.get(path) != before.get(path))
    if not changed:
        return "nothing was changed, and nothing that ran decided over it"
    named = [path for path in changed if names(request, path, there=path in before)]
    exact = [path for path in named if PurePosixPath(path).suffix.lower() not in CODE]
    exact = [path for path in exact if not A_DIFF.match(after.get(path, b""))]
    if not exact:
        what = "only code or prose was changed" if named else f"the request does not name {changed[0]}"
        return f"{what}, and nothing that ran decided over it"
    for path in exact:
        if path in before and path in after and not _asked_for(request, before[path], after[path]):
            return f"the request says nothing of what came into {path}, and nothing that ran decided over it"
    lines = ["unset PYTHONSAFEPATH PYTHONPATH", 'kept="$(mktemp -d)"', 'here="$PWD"']
    for number, path in enumerate(exact):
        where, complaint = shlex.quote(path), f"{path} is not as it was accepted"
        if path not in after:
            lines += [f"[ ! -e {where} ] || {{ echo {shlex.quote(f'{path} is still there')}; exit 1; }}"]
            continue
        lines += [f'cd "$kept"\n{written(str(number), after[path])}\ncd "$here"']
        lines += [f"[ -f {where} ] || {{ echo {shlex.quote(f'there is no {path}')}; exit 1; }}"]
        lines += [f"{_same(path, number)} || {{ echo {shlex.quote(complaint)}; exit 1; }}"]
    what = f"{', '.join(exact)} as accepted"
    return MinedCheck(kind="state", what=what, script="\n".join([*lines, ""]), files=tuple(exact))


def _asked_for(request: str, before: bytes, after: bytes) -> bool:
    """Does the request say something of what came into a file that was there before?"""
    old, new = ({*WORD.findall(raw.decode("utf-8", "replace"))} for raw in (before, after))
    came = new - old
    return not came or bool(came & {*WORD.findall(request)})


def _same(path: str, number: int) -> str:
    """A command that compares a file with what was kept: JSON by its value, lines without blanks at their ends."""
    if path.endswith(".json"):
        compare = "import json,sys; sys.exit(json.load(open(sys.argv[1])) != json.load(open(sys.argv[2])))"
        return f'python -I -c {shlex.quote(compare)} {shlex.quote(path)} "$kept/{number}" 2> /dev/null'
    return f'diff -qZ --strip-trailing-cr {shlex.quote(path)} "$kept/{number}" > /dev/null 2>&1'


def _speaks_of(text: str, path: str) -> bool:
    """Does a text speak of a file, or of the module it is?"""
    pure = PurePosixPath(path)
    if re.search(rf"(?<![\w-]){re.escape(pure.name)}(?![\w-])", text):
        return True
    if pure.suffix not in CODE or pure.stem == "__init__":
        return False
    return bool(
        re.search(rf"(?:import|from|require\(|source)\b[^\n]{{0,200}}(?<![\w]){re.escape(pure.stem)}(?!\w)", text)
    )


def _base64(content: bytes) -> str:
    import base64

    encoded = base64.b64encode(content).decode()
    return "".join(f"{encoded[at : at + 76]}\n" for at in range(0, len(encoded), 76))
