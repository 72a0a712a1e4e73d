"""Packs of trees are anybody's: what they hold must be what its name says, and stay inside."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.domains.shell.trees import RepositoryTree, TreeEntry, add_to_pack, leads_out, name_of, tree_in
from trace2skill.domains.shell.workspace import changes, lay_out, lay_out_left


def tree(**files: bytes) -> RepositoryTree:
    return RepositoryTree(
        {path: TreeEntry("100644", name_of(raw)) for path, raw in files.items()},
        {name_of(raw): raw for raw in files.values()},
    )


def packed(pack: Path, entries: dict[str, list[str]], blobs: dict[str, bytes]) -> str:
    text = json.dumps(dict(sorted(entries.items())))
    id = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    with zipfile.ZipFile(pack, "w") as file:
        file.writestr(f"trees/{id}", text)
        for name, raw in blobs.items():
            file.writestr(f"blobs/{name}", raw)
    return id


def test_what_two_trees_share_is_kept_once_and_the_same_trees_are_the_same_bytes(tmp_path: Path) -> None:
    one, other = tree(a=b"1\n", b=b"2\n"), tree(a=b"1\n", b=b"3\n")
    for name in ("x.zip", "y.zip"):
        for item in (one, other, one):
            add_to_pack(tmp_path / name, item)
    assert (tmp_path / "x.zip").read_bytes() == (tmp_path / "y.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "x.zip") as file:
        assert len(file.namelist()) == 5
    assert tree_in(tmp_path / "x.zip", other.id).read("b") == b"3\n"


@pytest.mark.parametrize(
    ("entries", "blobs"),
    [
        ({"../out": ["100644", name_of(b"x")]}, {name_of(b"x"): b"x"}),
        ({".git/config": ["100644", name_of(b"x")]}, {name_of(b"x"): b"x"}),
        ({"a": ["120000", name_of(b"/etc/passwd")]}, {name_of(b"/etc/passwd"): b"/etc/passwd"}),
        ({"a": ["100644", name_of(b"x")]}, {name_of(b"x"): b"another"}),
        ({"a": ["100644", name_of(b"x")]}, {}),
        ({"a": ["120000", name_of(b"b")], "a/c": ["100644", name_of(b"b")]}, {name_of(b"b"): b"b"}),
        ({"a": ["160000", name_of(b"x")]}, {name_of(b"x"): b"x"}),
    ],
)
def test_a_pack_that_holds_something_else_is_refused(
    entries: dict[str, list[str]], blobs: dict[str, bytes], tmp_path: Path
) -> None:
    id = packed(tmp_path / "p.zip", entries, blobs)
    with pytest.raises(BadInput, match=r"p\.zip"):
        tree_in(tmp_path / "p.zip", id)


def test_links_stay_inside() -> None:
    assert not leads_out("a/b/link", "../c")
    assert leads_out("a/link", "../../c")
    assert leads_out("link", "/etc")
    assert leads_out("a/link", "b/../c"), "where b leads nobody knows"


@pytest.mark.parametrize("change", ["link for a file", "another link", "folder for a file", "link for a folder"])
def test_whatever_came_in_the_place_of_a_file_is_laid_out_again(change: str, tmp_path: Path) -> None:
    files = {"a.py": b"1\n", "b.py": b"2\n", "pkg/x.py": b"x", "other/y.py": b"y"}
    blobs = {name_of(raw): raw for raw in (*files.values(), b"a.py")}
    entries = {path: TreeEntry("100644", name_of(raw)) for path, raw in files.items()}
    began = RepositoryTree({**entries, "link": TreeEntry("120000", name_of(b"a.py"))}, blobs)
    add_to_pack(tmp_path / "trees.zip", began)
    row = {"id": "1", "prompt": "Do it.", "check": "[ -e done ]", "tree": {"pack": "trees.zip", "tree": began.id}}
    (tmp_path / "tasks.jsonl").write_text(json.dumps(row) + "\n")
    (task,) = load_domain("shell").load(tmp_path / "tasks.jsonl")
    left, again = tmp_path / "left", tmp_path / "again"
    lay_out(task, left)
    if change == "link for a folder":
        (left / "pkg" / "x.py").unlink()
        (left / "pkg").rmdir()
        (left / "pkg").symlink_to("other")
    else:
        at = left / ("link" if change == "another link" else "a.py")
        at.unlink()
        at.mkdir() if change == "folder for a file" else at.symlink_to("b.py")
    again.mkdir()
    lay_out_left(task, again, changes(task, left))
    for path in sorted(left.rglob("*")):
        there = again / path.relative_to(left)
        assert (there.is_symlink(), there.is_dir()) == (path.is_symlink(), path.is_dir())
        assert not path.is_symlink() or os.readlink(there) == os.readlink(path)
