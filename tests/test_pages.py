"""The pages say what is there: each command in them is one that this command line takes."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from conftest import ROOT
from mkdocs.commands.build import build
from mkdocs.config import load_config
from pages import Typed, typed
from typer.main import get_command

from trace2skill.cli.app import app

COMMANDS = list(typed())


def taken(words: list[str]) -> Any:
    """Read the words as the command line does, and run nothing."""
    found: Any = get_command(app)
    context = None
    while hasattr(found, "resolve_command"):
        context = found.make_context(found.name, words, parent=context, resilient_parsing=True)
        named, found, words = found.resolve_command(context, words)
        if found is None:
            raise LookupError(named)
    return found.make_context(found.name, words, parent=context)  # an unknown option, a value that cannot be: it raises


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_of_a_page_is_one_that_the_command_line_takes(command: Typed) -> None:
    assert taken([*command.words]).command.callback is not None


UNUSABLE = typer.BadParameter.__bases__[0]


@pytest.mark.parametrize("words", ["run --data d --nonsense", "rn --data d", "canary strt", "run --promote never"])
def test_a_command_that_is_none_would_be_found(words: str) -> None:
    with pytest.raises((LookupError, UNUSABLE)):
        taken(words.split())


def test_the_commands_of_the_pages_are_found() -> None:
    assert len(COMMANDS) > 80
    assert {"README.md", "traces.md", "triggers.md", "handoff.md", "versions.md"} <= {item.page for item in COMMANDS}


def test_the_pages_are_a_site_without_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path), strict=True))  # it raises at a warning
    first = (tmp_path / "index.html").read_text()
    assert "Two commands" in first
    assert 'href="traces/"' in first
    assert 'src="images/report-light.png"' in first
    assert "Unreleased" in (tmp_path / "changelog" / "index.html").read_text()
    every = [page.read_text() for page in tmp_path.rglob("*.html")]
    assert len(every) > 40
    fetched = {
        found for page in every for found in re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(https?:[^"]*)', page)
    }
    assert not fetched  # the site needs no other


def test_every_page_is_in_the_sites_menu() -> None:
    menu = set(re.findall(r"^ +- ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} == menu - {
        "index.md",
        "changelog.md",
        "contributing.md",
    }
