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
from trace2skill.mined.base import Base


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
        ({"a": ["100644", name_of(b"x")], "a/b": ["100644", name_of(b"x")]}, {name_of(b"x"): b"x"}),
        ({"a": ["120000", name_of(b"b\0")]}, {name_of(b"b\0"): b"b\0"}),
    ],
)
def test_a_pack_that_holds_something_else_is_refused(
    entries: dict[str, list[str]], blobs: dict[str, bytes], tmp_path: Path
) -> None:
    id = packed(tmp_path / "p.zip", entries, blobs)
    with pytest.raises(BadInput, match=r"p\.zip"):
        tree_in(tmp_path / "p.zip", id)


def test_a_pack_that_is_broken_or_too_large_is_refused(tmp_path: Path) -> None:
    one = tree(a=b"1" * 1000)
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_LZMA) as file:
        file.writestr(f"trees/{one.id}", one.as_json() * 50)
    raw = bytearray((tmp_path / "p.zip").read_bytes())
    raw[105:120] = b"\xff" * 15
    (tmp_path / "p.zip").write_bytes(raw)
    with pytest.raises(BadInput, match="mine the tasks again"):
        tree_in(tmp_path / "p.zip", one.id)
    many = packed(tmp_path / "q.zip", {str(number): ["100644", "0" * 40] for number in range(40_000)}, {})
    with pytest.raises(BadInput, match="too many files"):
        tree_in(tmp_path / "q.zip", many)


def test_links_stay_inside() -> None:
    assert not leads_out("a/b/link", "../c")
    assert leads_out("a/link", "../../c")
    assert leads_out("link", "/etc")
    assert leads_out("a/link", "b/../c"), "where b leads nobody knows"


def test_files_of_a_tree_beyond_those_that_are_looked_at_are_seen(tmp_path: Path) -> None:
    blob = name_of(b"1")
    began = RepositoryTree({f"p{n:05}/q/a.py": TreeEntry("100644", blob) for n in range(7000)}, {blob: b"1"})
    began.lay_out(tmp_path)
    for number in (1, 6999):
        (tmp_path / f"p{number:05}" / "q" / "a.py").write_text("2")
    (tmp_path / "p03500" / "q" / "a.py").unlink()
    changed, gone = Base(began).changed(tmp_path, frozenset())
    assert (sorted(changed), gone) == (["p00001/q/a.py", "p06999/q/a.py"], {"p03500/q/a.py"})


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
