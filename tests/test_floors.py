"""Imports go down only: flows -> tasks -> trace2skill, and the library knows nothing of Prefect."""

import ast
from pathlib import Path

import pytest
from conftest import ROOT

FORBIDDEN = {
    "trace2skill": {"flows", "tasks", "prefect", "deployments"},
    "tasks": {"flows", "deployments"},
    "flows": {"deployments"},
}
MAY_IMPORT = {  # where a package may be imported at all
    "litellm": {"trace2skill/llm/transport.py"},
    "duckdb": {"trace2skill/store/"},
    "json_repair": {"trace2skill/llm/structured.py"},
    "markdown_it": {"trace2skill/skills/markdown.py"},
}
# The command line names the flows as text and loads them late; it imports none.


def modules() -> list[Path]:
    return [path for floor in FORBIDDEN for path in sorted((ROOT / floor).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    floor = path.relative_to(ROOT).parts[0]
    assert not imported(path) & FORBIDDEN[floor]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_door_is_the_only_one(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    for package, places in MAY_IMPORT.items():
        if package in imported(path):
            assert any(place.startswith(allowed) for allowed in places), f"{place} imports {package}"


def test_rooms_are_small() -> None:
    long = {
        f"{path.relative_to(ROOT)}: {count}"
        for path in modules()
        if (count := len(path.read_text().splitlines())) > 350
    }
    assert not long
