"""The house: floors, sizes and names. The floors themselves stand in pyproject.toml, for import-linter."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

from conftest import ROOT

FOLDERS = ("trace2skill", "tasks", "flows", "deployments")
LONGEST = 350
SQL = ("SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "CREATE TABLE")


def modules() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def test_imports_go_down_only_and_no_package_is_in_a_cycle() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "pyproject.toml", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_library_has_no_module_at_its_root() -> None:
    assert {path.name for path in (ROOT / "trace2skill").glob("*.py")} <= {"__init__.py", "__main__.py"}


def test_modules_are_small() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules()}
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


def test_no_two_classes_have_one_name() -> None:
    names: Counter[str] = Counter()
    for path in modules():
        tree = ast.parse(path.read_text())
        names.update(node.name for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")
    assert not {name: count for name, count in names.items() if count > 1}


def test_sql_is_written_in_the_store_alone() -> None:
    elsewhere = [path for path in modules() if ROOT / "trace2skill" / "store" not in path.parents]
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in elsewhere
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lstrip().startswith(SQL)
    ]
    assert not found
