"""Packs of trees are anybody's: what they hold must be what its name says, and stay inside."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from trace2skill.core.errors import BadInput
from trace2skill.domains.shell.trees import RepositoryTree, TreeEntry, add_to_pack, leads_out, name_of, tree_in


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
