"""The tree that a session's work is done again in, and what of it the work changed.

A tree has thousands of files. Told apart are those that matter: what was changed in any segment, what the log shows,
and programs by whose name something was checked. All others are as the tree has them, before and after.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from trace2skill.domains.files import read_files, tree_under
from trace2skill.domains.shell.trees import RepositoryTree
from trace2skill.mined.work import Operation

PROJECT = ("pyproject.toml", "setup.py", "setup.cfg")
INSTALLS = re.compile(
    r"(?:cd [^\s&]{1,300} ?&& ?)?(?:sudo )?(?:"
    r"(?:(?:python[\d.]{0,4} -m |uv )?pip[\d.]{0,4}|npm|pnpm|yarn|apt|apt-get|conda|mamba|pipenv|poetry|uv) "
    r"(?:install|sync|ci|add)"
    r"|python[\d.]{0,4} setup\.py (?:develop|install))\b[^\n;&|]{0,500}(?:2>&1 ?)?(?:\| ?(?:tail|head)[^\n;&|]{0,40})?"
)
"""Commands that install something: there is no network, and what they brought is to be in the environment."""
USES_GIT = re.compile(r"\bgit\b")
FIRST = (
    "git init -q . && git add -A -f && git -c user.name=log -c user.email=log@localhost -c commit.gpgSign=false "
    "-c core.hooksPath=/dev/null commit -q -m start"
)


class Base(NamedTuple):
    """A tree, and where in it the session began."""

    tree: RepositoryTree
    inside: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """As whoever works in a Python project has it: what stands in the tree is what is imported."""
        paths = import_paths(self.tree)
        return {"PYTHONPATH": ":".join(f"/workspace/{path}".rstrip("/") for path in paths)} if paths else {}

    def first(self, segments: Iterable[Sequence[Operation]]) -> str:
        """What is done before all else: a repository is made of the tree where a command of the log asks one."""
        asked = any(USES_GIT.search(item.command) for work in segments for item in work if item.kind == "run")
        return FIRST if asked else ""

    def changed(self, workspace: Path, apart: frozenset[str]) -> tuple[dict[str, bytes], frozenset[str]]:
        """Files of a workspace that are new or other than the tree's, and those of the tree that are gone.

        Args:
            workspace: the files as they are now.
            apart: names of folders that are not looked at.
        """
        found, still = tree_under(workspace), self.tree.there(workspace)
        unseen = still - {*found.files, *found.links, *found.folders, *found.others}  # of many, not all are looked at
        at = [
            path
            for path in sorted({*found.files, *unseen} - self.tree.links.keys())
            if apart.isdisjoint(PurePosixPath(path).parts)
        ]
        other = [path for path in at if path not in self.tree or not self.tree.is_as_it_was(workspace, path)]
        read, _ = read_files(workspace, found.__class__(files=tuple(other)))
        there = {*found.files, *found.links, *unseen}
        gone = (path for path in self.tree.entries if path not in there and apart.isdisjoint(PurePosixPath(path).parts))
        return read, frozenset(gone)

    def whole(self, changed: Mapping[str, bytes], gone: frozenset[str], paths: Iterable[str]) -> dict[str, bytes]:
        """The files of those paths, as they were when `changed` and `gone` was what differed."""
        found = dict(changed)
        for path in paths:
            content = self.tree.read(path)
            if path not in changed and path not in gone and content is not None:
                found[path] = content
        return dict(sorted(found.items()))


def import_paths(tree: RepositoryTree) -> list[str]:
    """Directories from which a Python project imports its own packages; none where it is no such project."""
    if not any(name in tree for name in PROJECT):
        return []
    return [*(["src"] if any(path.startswith("src/") for path in tree.entries) else []), ""]
