"""A skill directory as a snapshot: read, checked, written whole or not at all."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import OFFICE_SKILL, ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from trace2skill.core import swap
from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.skills import directory
from trace2skill.skills.markdown import line_of
from trace2skill.skills.place import place
from trace2skill.skills.skill import Skill, SkillFile, check_writable, problems, read_skill, write_skill
from trace2skill.types.patch import Edit, Unplaced

HEAD = "---\nname: small\ndescription: A small skill.\n---\n"


def skill_of(body: str = "\n# Small\n\n- one rule\n", **files: bytes) -> Skill:
    every = {
        "SKILL.md": (HEAD + body).encode(),
        **{path.replace("__", "/"): content for path, content in files.items()},
    }
    return Skill(files=tuple(SkillFile(path=path, content=every[path]) for path in sorted(every)))


def test_read_and_write_keep_every_byte_and_mode(tmp_path: Path) -> None:
    source = tmp_path / "in" / "small"
    (source / "scripts").mkdir(parents=True)
    (source / "SKILL.md").write_bytes(HEAD.encode() + b"\r\n# Gr\xc3\xbc\xc3\x9fe\r\n\r\nrun [it](scripts/a.sh)")
    (source / "scripts" / "a.sh").write_bytes(b"#!/bin/sh\n\x00\xff")
    (source / "scripts" / "a.sh").chmod(0o755)
    skill = read_skill(source)
    write_skill(skill, tmp_path / "out" / "small")
    again = read_skill(tmp_path / "out" / "small")
    assert again == skill
    assert again.digest == skill.digest
    assert os.access(tmp_path / "out" / "small" / "scripts" / "a.sh", os.X_OK)
    assert Skill.model_validate_json(skill.model_dump_json()) == skill


def test_the_digest_names_content_path_and_mode_and_nothing_else(tmp_path: Path) -> None:
    skill = skill_of()
    write_skill(skill, tmp_path / "small")
    os.utime(tmp_path / "small" / "SKILL.md", (1, 1))
    assert read_skill(tmp_path / "small").digest == skill.digest
    changed = skill.with_files({"SKILL.md": skill.files[0].content + b" "})
    executable = Skill(files=(skill.files[0].model_copy(update={"executable": True}),))
    assert len({skill.digest, changed.digest, executable.digest}) == 3


def test_the_demo_skill_is_valid() -> None:
    assert problems(read_skill(OFFICE_SKILL)) == []


@pytest.mark.parametrize(
    ("skill", "said"),
    [
        (skill_of("\n[x](references/no.md)\n"), "leads nowhere"),
        (skill_of(references__lonely=b"x"), "cannot be reached"),
        (skill_of("\nline" * 501), "more than 500"),
        (skill_of().with_files({"SKILL.md": b"# no front matter"}), "front matter"),
        (skill_of().with_files({"SKILL.md": b"---\nname: Big\ndescription: d\n---\n"}), "lowercase"),
        (skill_of().with_files({"SKILL.md": b"---\nname: [\n---\n"}), "not YAML"),
        (skill_of().with_files({"SKILL.md": b"---\nname: a\n---\n\xff"}), "UTF-8"),
    ],
)
def test_what_is_wrong_with_a_skill_is_said(skill: Skill, said: str) -> None:
    assert any(said in problem for problem in problems(skill)), problems(skill)


def test_references_may_be_reached_through_references() -> None:
    files = {"references__a.md": b"[b](b.md)", "references__b.md": b"deep"}
    assert problems(skill_of("\n[a](references/a.md)\n", **files)) == []


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a/./b", "", "a\\b"])
def test_a_path_that_leads_out_is_no_file_of_a_skill(path: str) -> None:
    with pytest.raises(ValueError, match="not a path inside"):
        SkillFile(path=path, content=b"")


def test_bad_directories_are_refused_with_their_place(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a directory"):
        read_skill(tmp_path / "missing")
    with pytest.raises(BadInput, match=r"no SKILL\.md"):
        read_skill(tmp_path)
    (tmp_path / "SKILL.md").write_text("---\nname: [\n---\n")
    with pytest.raises(BadInput, match=r"SKILL\.md:1: the front matter is not YAML"):
        read_skill(tmp_path)
    (tmp_path / "SKILL.md").write_text(HEAD)
    (tmp_path / "out").symlink_to("/etc/hostname")
    with pytest.raises(BadInput, match="leads out"):
        read_skill(tmp_path)


def test_an_invalid_skill_changes_nothing_on_disk(tmp_path: Path) -> None:
    target = tmp_path / "small"
    write_skill(skill_of(), target)
    before = read_skill(target)
    with pytest.raises(SkillInvalid, match="front matter"):
        write_skill(skill_of().with_files({"SKILL.md": b"# no front matter"}), target)
    with pytest.raises(SkillInvalid, match="is called"):
        write_skill(skill_of(), tmp_path / "another")
    assert read_skill(target) == before
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


KILLED = """
import os, signal, sys
from pathlib import Path
from trace2skill.core import swap
from trace2skill.skills.skill import read_skill, write_skill
new, target, portable = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "True"
if portable:
    swap._exchange = lambda one, other: False
def dies_at(stop_at):
    seen = 0
    def tracer(name):
        real = getattr(os, name)
        def step(*args, **kwargs):
            nonlocal seen
            seen += 1
            if seen == stop_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)
        setattr(os, name, step)
    for name in ("mkdir", "rename", "fsync", "open", "chmod", "rmdir", "unlink"):
        tracer(name)
for line in sys.stdin:
    child = os.fork()
    if not child:
        dies_at(int(line))
        write_skill(read_skill(new), target)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Writes a skill in a process of its own for each number that it is given, which dies at that step; tells how each ended."""


def test_a_file_in_the_place_of_the_directory_is_not_written_over(tmp_path: Path) -> None:
    skill = skill_of()
    (tmp_path / skill.name).write_text("a letter")
    for write in (lambda place: write_skill(skill, place), check_writable):
        with pytest.raises(BadInput, match="is a file and no directory"):
            write(tmp_path / skill.name)
    assert (tmp_path / skill.name).read_text() == "a letter"


@pytest.mark.parametrize("portable", [False, True], ids=["exchange", "two renames"])
def test_killed_at_any_step_the_directory_is_the_old_or_the_new_skill(tmp_path: Path, portable: bool) -> None:
    old, new = skill_of("\nold\n"), skill_of("\nnew\n[r](references/r.md)\n", **{"references__r.md": b"r"})
    write_skill(new, tmp_path / "new" / "small")
    target = tmp_path / "live" / "small"
    seen = set()
    command = [sys.executable, "-c", KILLED, str(tmp_path / "new/small"), str(target), str(portable)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        assert writers.stdin
        assert writers.stdout
        for stop_at in range(1, 60):
            write_skill(old, target)
            print(stop_at, file=writers.stdin, flush=True)
            ended = int(writers.stdout.readline())
            found = read_skill(target)
            assert found in (old, new), f"killed at step {stop_at}"
            assert [path.name for path in target.parent.iterdir()] == ["small"]
            seen.add(found == new)
            if ended == 0:
                break
            assert ended == -signal.SIGKILL
        else:
            pytest.fail("the write never finished")
        writers.stdin.close()
    assert seen == {True, False}


def test_many_may_write_and_read_a_skill_at_the_same_time(tmp_path: Path) -> None:
    one = skill_of()
    directory = tmp_path / "new" / one.name
    other = Skill(files=(*one.files, SkillFile(path="scripts/more.py", content=b"print()\n", executable=False)))
    whole = {one.digest, other.digest}
    write_skill(one, directory)

    def work(number: int) -> None:
        for turn in range(15):
            write_skill((one, other)[(number + turn) % 2], directory)
            swap.recover(directory)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert read_skill(directory).digest in whole
    assert [path.name for path in directory.parent.iterdir()] == [one.name]


def test_without_an_exchange_call_the_swap_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "_exchange", lambda one, other: False)
    write_skill(skill_of("\nold\n"), tmp_path / "small")
    write_skill(skill_of("\nnew\n"), tmp_path / "small")
    assert "new" in read_skill(tmp_path / "small").body
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


@given(
    st.dictionaries(
        st.from_regex(r"(references|scripts|assets)/[a-z]{1,8}(\.md)?", fullmatch=True),
        st.binary(max_size=50),
        max_size=5,
    )
)
@settings(max_examples=30, deadline=None)
def test_json_round_trip(files: dict[str, bytes]) -> None:
    skill = skill_of().with_files(dict(files))
    assert Skill.model_validate_json(skill.model_dump_json()) == skill


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("notes.md", "not a place"),
        ("references/con.md", "device"),
        ("references/a.md ", "blank"),
        ("references/A.md", "for the same"),
        ("references/u\u0308.md", "for the same"),
        ("references/a.md/b.md", "needs a directory"),
        (f"references/{'n' * 300}.md", "longer than"),
        ("references/a\u202eb.md", "no name should have"),
    ],
)
def test_the_strict_list_holds_for_what_a_patch_adds(path: str, said: str) -> None:
    base = skill_of(
        "\n[a](references/a.md) [u](references/\u00fc.md)\n",
        **{"references__a.md": b"x", "references__\u00fc.md": b"y"},
    )
    assert problems(base) == []
    added = base.with_files({path: b"x"})
    assert any(said in problem for problem in problems(added, base)), problems(added, base)
    if path.startswith("references/"):
        found = place(base, Edit(op="create", file=path, content="text", lessons=("L",)))
        assert isinstance(found, Unplaced)


def test_what_a_person_brought_stays_as_it_is(tmp_path: Path) -> None:
    """Folders and root files that the specification allows, a dead link and a long body are no reason to refuse."""
    brought = skill_of(
        "\n[x](gone.md)\n" + "line\n" * 600,
        **{
            "forms.md": b"f",
            "recalc.py": b"1",
            "reference__api.md": b"a",
            "templates__a.html": b"h",
            "references__lone.md": b"l",
        },
    )
    write_skill(brought, tmp_path / "small")
    assert read_skill(tmp_path / "small") == brought
    changed = brought.with_files({"SKILL.md": (brought.text("SKILL.md") or "").replace("line", "word", 3).encode()})
    assert problems(changed, brought) == []
    broken = brought.with_files({"SKILL.md": (brought.text("SKILL.md") or "").encode() + b"[y](also-gone.md)\n"})
    assert [problem for problem in problems(broken, brought) if "also-gone" in problem]


def _loop(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "b").symlink_to(folder)


def _bomb(folder: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)
    ]
    (folder / "SKILL.md").write_text("---\n" + "\n".join(lines) + "\nname: *a11\n---\n")


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda f: os.mkfifo(f / "assets"), "pipe"),
        (lambda f: (f / "in").symlink_to(f / "in"), "link"),
        (_loop, "leads back into itself"),
        (lambda f: (f / "out").symlink_to("/usr"), "leads out"),
        (lambda f: (f / "out").symlink_to("/dev/zero"), "leads out"),
        (_bomb, "more than 10000 values"),
        (lambda f: (f / "SKILL.md").write_text(f"---\nname: {'[' * 5000}{']' * 5000}\n---\n"), "brackets"),
        (lambda f: (f / "SKILL.md").write_text(f"---\nname: {'[' * 400}{']' * 400}\n---\n"), "levels"),
        (lambda f: ((f / "big").touch(), os.truncate(f / "big", 20 * 2**30)), "20480 MB"),
        (lambda f: (f / "back\\slash").write_text("x"), "backslash"),
        (lambda f: open(os.fsencode(f) + b"/\xff.txt", "w").close(), "not UTF-8"),
        (lambda f: (f / "es\x1b[2Jc").write_text("x"), "control character"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_and_at_once(
    tmp_path: Path, prepare: Callable[[Path], object], said: str
) -> None:
    (tmp_path / "SKILL.md").write_text(HEAD)
    prepare(tmp_path)
    started = time.monotonic()
    with pytest.raises(BadInput, match=said) as refused:
        _ = read_skill(tmp_path).name
    assert str(refused.value).isprintable()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: (file.unlink(), file.symlink_to("/etc/hostname")), "was replaced while it was read"),
        (lambda file: (os.mkfifo(f"{file}.new"), os.replace(f"{file}.new", file)), "was replaced while it was read"),
        (lambda file: file.write_bytes(b"x" * 1000), "grows while it is read"),
    ],
    ids=["a link out", "a pipe", "more"],
)
def test_what_is_read_is_what_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], said: str
) -> None:
    (tmp_path / "SKILL.md").write_text(HEAD)
    opened = os.open

    def late(path: Path, flags: int) -> int:
        change(path)
        return opened(path, flags)

    monkeypatch.setattr(directory.os, "open", late)
    with pytest.raises(BadInput, match=said):
        read_skill(tmp_path)


def test_a_skill_of_too_many_files_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_skill(skill_of(references__a=b"a", references__b=b"b"), tmp_path / "small")
    monkeypatch.setattr(directory, "MOST_FILES", 3)
    assert len(read_skill(tmp_path / "small").files) == 3
    monkeypatch.setattr(directory, "MOST_FILES", 2)
    with pytest.raises(BadInput, match="more than 2 files"):
        read_skill(tmp_path / "small")


def test_a_link_to_a_folder_that_stays_inside_is_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_text(HEAD)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "check.py").write_text("1")
    (tmp_path / "scripts").symlink_to("shared")
    assert [file.path for file in read_skill(tmp_path).files] == ["SKILL.md", "scripts/check.py", "shared/check.py"]


@pytest.mark.parametrize(
    ("quoted", "line"),
    [
        ("Use the types that the neighbouring cells have, and no others.", 3),
        ("- Use the types that the\n  neighbouring cells have,   and no others.", 3),
        ("the types that the neighbouring cells have", None),
        ("Two of them are enough here.", 16),
        ("use the saved values of the cells.", None),
        ("Or three.", None),
        ("Say it once, in plain words.", None),
        ("Two of them are enough here. Or three.", 16),
        ("Stop.", 6),
        ("* Stop.", 6),
        ("and no others.", None),
        ("have, and no others. Read the whole of it", None),
        ("Read the whole of it", 8),
        ("read the whole of it first.", None),
        ("", None),
    ],
    ids=[
        "whole",
        "with its breaks",
        "a part",
        "a sentence",
        "without its never",
        "a short sentence",
        "a sentence that is there twice",
        "two sentences over a break of the line",
        "a line",
        "another mark",
        "too short",
        "over a gap",
        "a line that is there twice",
        "case",
        "nothing",
    ],
)
def test_a_line_is_found_as_it_is_quoted(quoted: str, line: int | None) -> None:
    wrapped = "# A\n\n- Use the types that the\n  neighbouring cells have, and no others.\n\n- Stop.\n\n"
    again = "Read the whole of it\nfirst.\n\nRead the whole of it\nlast.\n\n"
    several = (
        "- Never\n  use the saved values of the cells.\n- First of all. Two of them are enough here.\n  Or three.\n"
    )
    several += "- Be short. Say it once, in plain words.\n- Be plain. Say it once, in plain words.\n"
    text = f"{wrapped}{again}{several}"
    assert line_of(text, quoted) == line
