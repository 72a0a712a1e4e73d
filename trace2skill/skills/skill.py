"""`Skill`: a directory as an immutable snapshot, in the layout of https://agentskills.io/specification.

Read, checked and written here. A skill on disk is always a valid skill: what is written is written beside, checked,
and swapped in.
"""

import os
import posixpath
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pydantic import Field, model_validator

from trace2skill.core.digest import digest_of, digest_of_bytes
from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.core.record import Record
from trace2skill.core.swap import recover, swap_in
from trace2skill.skills.markdown import links, split_lines

LONGEST_BODY = 500
IGNORED = {".git", "__pycache__", ".DS_Store"}
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
    def body(self) -> str:
        """SKILL.md without its front matter."""
        return _parts(self.text("SKILL.md") or "")[1]

    def text(self, path: str) -> str | None:
        """A file as text, None where there is none or it is not UTF-8."""
        file = next((file for file in self.files if file.path == path), None)
        try:
            return None if file is None else file.content.decode("utf-8")
        except UnicodeDecodeError:
            return None

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

    @cached_property
    def _front_matter(self) -> dict[str, object]:
        return _parts(self.text("SKILL.md") or "")[0]


def read_skill(directory: Path) -> Skill:
    """Read a skill directory.

    Raises:
        BadInput: no such directory, no SKILL.md, front matter that cannot be read, a link that leads out.
    """
    recover(directory)
    if not directory.is_dir():
        raise BadInput(f"{directory} is not a directory: name one that holds a SKILL.md")
    if not (directory / "SKILL.md").is_file():
        raise BadInput(f"{directory} has no SKILL.md: see https://agentskills.io/specification")
    files = []
    for path in sorted(directory.rglob("*")):
        relative = path.relative_to(directory)
        if IGNORED & set(relative.parts) or path.is_dir():
            continue
        if not path.resolve().is_relative_to(directory.resolve()):
            raise BadInput(f"{path} is a link that leads out of the skill: put the file itself there")
        try:
            content, mode = path.read_bytes(), path.stat().st_mode
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}") from error
        files.append(SkillFile(path=relative.as_posix(), content=content, executable=bool(mode & 0o100)))
    skill = Skill(files=tuple(sorted(files, key=lambda file: file.path)))
    try:
        _ = skill.name
    except ValueError as error:
        raise BadInput(f"{directory / 'SKILL.md'}:1: {error}") from error
    return skill


def problems(skill: Skill) -> list[str]:
    """What keeps a skill from being valid: the rules of `skills-ref`, then stricter ones of ours. Empty if valid."""
    from skills_ref.validator import validate_metadata

    text = skill.text("SKILL.md")
    if text is None:
        return ["SKILL.md is missing or is not UTF-8 text"]
    try:
        found = list(validate_metadata(dict(skill._front_matter)))
    except ValueError as error:
        return [f"SKILL.md:1: {error}"]
    found += [
        f"{file.path} is not a place for a file of a skill" for file in skill.files if not ALLOWED.fullmatch(file.path)
    ]
    documents = [file.path for file in skill.files if file.path.endswith(".md")]
    found += [f"{path} is not UTF-8 text" for path in documents if skill.text(path) is None]
    length = len(split_lines(skill.body))
    if length > LONGEST_BODY:
        found.append(f"the body of SKILL.md has {length} lines, more than {LONGEST_BODY}")
    return found + _link_problems(skill)


def write_skill(skill: Skill, directory: Path) -> None:
    """Write a skill to a directory: beside it, checked, then swapped in. On failure nothing changes.

    Raises:
        SkillInvalid: the skill has problems, or the directory's name is not the skill's.
        BadInput: the place cannot be written to.
    """
    found = problems(skill)
    if directory.name != skill.name:
        found.append(f"the directory is called '{directory.name}' and the skill '{skill.name}'")
    if found:
        raise SkillInvalid(str(directory), found)
    try:
        swap_in(directory, lambda beside: write_files(skill, beside))
    except OSError as error:
        raise BadInput(f"{directory} cannot be written: {error.strerror or error}; nothing was changed") from error


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


def _parts(text: str) -> tuple[dict[str, object], str]:
    """Front matter and body. The fences are whole lines `---`, so that a `---` inside a value cuts nothing.

    Raises:
        ValueError: there is no front matter, or it is not a YAML mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    found = re.match(
        r"\ufeff?---[ \t]*(?:\r\n|\n|\r)(?P<yaml>.*?)(?:\r\n|\n|\r)---[ \t]*(?:\r\n|\n|\r|\Z)", text, re.DOTALL
    )
    if found is None:
        raise ValueError("SKILL.md must start with front matter between two lines '---'")
    try:
        values = YAML(typ="safe").load(found["yaml"])
    except YAMLError as error:
        raise ValueError(f"the front matter is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ValueError("the front matter is not a YAML mapping")  # noqa: TRY004 - bad text, not a bad call
    return values, text[found.end() :]


def _link_problems(skill: Skill) -> list[str]:
    """Links that lead nowhere, and references that no chain of links reaches from SKILL.md."""
    paths = {file.path for file in skill.files}
    found, reached, waiting = [], {"SKILL.md"}, ["SKILL.md"]
    while waiting:
        path = waiting.pop()
        for link in links(skill.text(path) or ""):
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
