"""`Skill`: a directory as an immutable snapshot, in the layout of https://agentskills.io/specification.

Read, checked and written here. A skill on disk is always a valid skill: what is written is written beside, checked,
and swapped in.
"""

import os
import posixpath
import re
import shutil
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from pydantic import Field, model_validator

from trace2skill.core.digest import digest_of, digest_of_bytes
from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.core.record import Record
from trace2skill.core.swap import recover, swap_in, trial
from trace2skill.skills.directory import found_in
from trace2skill.skills.file_names import path_clashes, wrong_name
from trace2skill.skills.front_matter import parts
from trace2skill.skills.markdown import links, split_lines

LONGEST_BODY = 500
LONGEST_TEXT = 2**20
"""Characters of a document that is read for its links and sections: a second of the processor or two."""
HISTORY = ".git"
ALLOWED = re.compile(r"SKILL\.md|LICENSE[^/]*|(scripts|references|assets)/.+")


class SkillFile(Record):
    """One file, by its path inside the skill."""

    path: str
    content: bytes
    executable: bool = False

    @model_validator(mode="after")
    def _inside(self) -> "SkillFile":
        parts = self.path.split("/")
        if self.path.startswith("/") or "\\" in self.path or any(part in ("", ".", "..") for part in parts):
            raise ValueError(f"'{self.path}' is not a path inside a skill")
        return self


class Skill(Record, form="Skill", version=1):
    """A skill: its files, sorted by path."""

    files: tuple[SkillFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> "Skill":
        paths = [file.path for file in self.files]
        if paths != sorted(set(paths)):
            raise ValueError("the files of a skill are sorted by path, each once")
        return self

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 over path, executable bit and content of every file."""
        return digest_of("skill", [(file.path, file.executable, digest_of_bytes(file.content)) for file in self.files])

    @property
    def name(self) -> str:
        """`name` of the front matter."""
        return str(self._front_matter.get("name", "")).strip()

    @property
    def description(self) -> str:
        """`description` of the front matter."""
        return str(self._front_matter.get("description", "")).strip()

    @property
    def license(self) -> str:
        """`license` of the front matter; '' where it names none."""
        told = self._front_matter.get("license", "")
        return told.strip() if isinstance(told, str) else ""

    @property
    def body(self) -> str:
        """SKILL.md without its front matter."""
        return self._parts[1]

    def text(self, path: str) -> str | None:
        """A file as text, None where there is none or it is not UTF-8."""
        return self._texts.get(path)

    def with_files(self, changes: Mapping[str, bytes | None]) -> "Skill":
        """A copy with files replaced, added (bytes) or removed (None)."""
        kept = {file.path: file for file in self.files}
        for path, content in changes.items():
            if content is None:
                kept.pop(path, None)
            else:
                executable = kept[path].executable if path in kept else False
                kept[path] = SkillFile(path=path, content=content, executable=executable)
        return Skill(files=tuple(kept[path] for path in sorted(kept)))

    @property
    def _front_matter(self) -> dict[str, object]:
        return self._parts[0]

    @cached_property
    def _texts(self) -> dict[str, str]:
        """Read once: thousands of rules ask for the same few files."""
        found = {}
        for file in self.files:
            with suppress(UnicodeDecodeError):
                found[file.path] = file.content.decode("utf-8")
        return found

    @cached_property
    def _parts(self) -> tuple[dict[str, object], str]:
        return parts(self.text("SKILL.md") or "")


def read_skill(directory: Path) -> Skill:
    """Read a skill directory.

    Raises:
        BadInput: no such directory, no SKILL.md, front matter that cannot be read, or something that cannot be a file
            of a skill, such as a link that leads out; names it.
    """
    recover(directory)
    if not directory.is_dir():
        raise BadInput(f"{directory} is not a directory: name one that holds a SKILL.md")
    if not (directory / "SKILL.md").is_file():
        raise BadInput(f"{directory} has no SKILL.md: see https://agentskills.io/specification")
    files = tuple(
        SkillFile(path=file.path, content=file.content, executable=file.executable) for file in found_in(directory)
    )
    skill = Skill(files=files)
    try:
        _ = skill.name
    except ValueError as error:
        raise BadInput(f"{directory / 'SKILL.md'}:1: {error}") from error
    return skill


def faults(skill: Skill) -> list[str]:
    """What no skill may have: a breach of the specification, by `skills-ref`, and files that no disk can hold together.

    Empty for whatever a person may bring: what is stricter holds for what patches add, see `problems`.
    """
    from skills_ref.validator import validate_metadata

    text = skill.text("SKILL.md")
    if text is None:
        return ["SKILL.md is missing or is not UTF-8 text"]
    if len(text) > LONGEST_TEXT:
        return [f"SKILL.md has {len(text):,} characters, more than {LONGEST_TEXT:,}"]
    try:
        found = list(validate_metadata(dict(skill._front_matter)))
    except ValueError as error:
        return [f"SKILL.md:1: {error}"]
    return found + path_clashes([file.path for file in skill.files])


def problems(skill: Skill, base: Skill | None = None) -> list[str]:
    """What keeps a skill from being good: the rules of `skills-ref`, then stricter ones of ours. Empty if it is.

    Args:
        skill: the skill.
        base: the skill it was made of. What that one has already is what a person brought, and stays as it is.
    """
    found = faults(skill)
    if found and found[0].startswith("SKILL.md"):
        return found
    before = {_without_line(problem) for problem in problems(base)} if base is not None else set()
    brought = {file.path for file in base.files} if base is not None else {file.path for file in skill.files}
    added = [file.path for file in skill.files if file.path not in brought]
    found += [f"{path} is not a place for a file of a skill" for path in added if not ALLOWED.fullmatch(path)]
    every = [file.path for file in skill.files]
    found += [f"{path}: {problem}" for path in added if (problem := wrong_name(path, every))]
    documents = [file.path for file in skill.files if file.path.endswith(".md")]
    found += [f"{path} is not UTF-8 text" for path in documents if skill.text(path) is None]
    length = len(split_lines(skill.body))
    allowed = max(LONGEST_BODY, len(split_lines(base.body)) if base is not None else 0)
    if length > allowed:
        found.append(f"the body of SKILL.md has {length} lines, more than {allowed}")
    return [problem for problem in found + _link_problems(skill) if _without_line(problem) not in before]


def _without_line(problem: str) -> str:
    """A problem as it is known again when the lines above it have changed."""
    return re.sub(r":\d+:", ":", problem, count=1)


def is_named(directory: Path, name: str) -> bool:
    """Does a directory bear a skill's name? Names are compared as `skills-ref` does, in NFKC: macOS writes NFD."""
    return any(
        unicodedata.normalize("NFKC", place.name) == unicodedata.normalize("NFKC", name)
        for place in (directory, directory.absolute(), directory.resolve())
    )


def write_skill(skill: Skill, directory: Path) -> None:
    """Write a skill to a directory: beside it, checked, then swapped in. On failure nothing changes.

    A directory that is a link stays one: what it leads to is replaced. The history (`.git`) of one that is a repository
    of its own stays.

    Raises:
        SkillInvalid: the skill has faults, or the directory's name is not the skill's.
        BadInput: the place cannot be written to.
    """
    found = faults(skill)
    if not found and not is_named(directory, skill.name):
        found.append(f"the directory is called '{directory.name}' and the skill '{skill.name}'")
    if found:
        raise SkillInvalid(str(directory), found)
    _check_no_file(directory)
    try:
        swap_in(directory.resolve(), lambda beside: _carry_over(directory, write_files(skill, beside)))
    except OSError as error:
        raise BadInput(f"{directory} cannot be written: {error.strerror or error}; nothing was changed") from error


def _carry_over(old: Path, new: Path) -> None:
    """Keep the history of a directory that is a Git repository of its own: it is no part of the skill, and not ours."""
    history = old / HISTORY
    if history.is_dir() and not history.is_symlink():
        shutil.copytree(history, new / HISTORY, symlinks=True)
    elif history.is_symlink() or history.is_file():
        shutil.copy2(history, new / HISTORY, follow_symlinks=False)


def check_writable(directory: Path) -> None:
    """See at once whether a skill directory could be replaced, which a run does with its last step.

    Raises:
        BadInput: it could not; says why and what to do.
    """
    place = directory.resolve()
    _check_no_file(directory)
    if os.path.ismount(place):
        raise BadInput(f"{directory} is a mount point, and cannot be replaced as a whole: mount the directory above it")
    try:
        trial(place)
    except OSError as error:
        raise BadInput(
            f"{directory} could not be replaced: {place.parent} cannot be written to ({error.strerror or error}). Use "
            "a directory that can, or leave the candidate beside it (--promote stage)"
        ) from error


def _check_no_file(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise BadInput(
            f"{directory} is a file and no directory, and would be lost: name another place, or move it away"
        )


def write_files(skill: Skill, directory: Path) -> Path:
    """Lay the files out in a new directory, flushed to disk; returns the directory."""
    for file in skill.files:
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            out.write(file.content)
            out.flush()
            os.fsync(out.fileno())
        path.chmod(0o755 if file.executable else 0o644)
    return directory


def _link_problems(skill: Skill) -> list[str]:
    """Links that lead nowhere, and references that no chain of links reaches from SKILL.md."""
    paths = {file.path for file in skill.files}
    found, reached, waiting = [], {"SKILL.md"}, ["SKILL.md"]
    while waiting:
        path = waiting.pop()
        text = skill.text(path) or ""
        if len(text) > LONGEST_TEXT:
            found.append(f"{path} has {len(text):,} characters, more than {LONGEST_TEXT:,}: its links are not read")
            continue
        for link in links(text):
            target = posixpath.normpath(
                posixpath.join(posixpath.dirname(path), link.target.split("#")[0].split("?")[0])
            )
            if target not in paths and not any(other.startswith(target + "/") for other in paths):
                found.append(f"{path}:{link.line + 1}: the link to {link.target} leads nowhere")
            elif target not in reached:
                reached.add(target)
                if target.endswith(".md"):
                    waiting.append(target)
    lonely = sorted(path for path in paths if path.startswith("references/") and path not in reached)
    return found + [f"{path} cannot be reached by links from SKILL.md" for path in lonely]
