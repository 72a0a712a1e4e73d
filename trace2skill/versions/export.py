"""Taking versions out: a plain directory, a `.skill` zip, or a Git branch with one commit per version."""

import zipfile
from pathlib import Path

from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.skills import fast_import
from trace2skill.skills.fast_import import AUTHOR
from trace2skill.skills.git_process import Git
from trace2skill.skills.skill import Skill, faults, read_skill, write_skill
from trace2skill.versions.records import Version, message
from trace2skill.versions.registry import Registry

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the same skill gives the same bytes
OTHER = "name a branch of its own (--branch skills)"


def to_directory(skill: Skill, directory: Path) -> Path:
    """Write the skill below a directory, under its own name; returns where.

    Raises:
        SkillInvalid: the skill has faults, such as a name that leads out of the directory.
        BadInput: the place cannot be written to, or holds something else than a skill of that name: it would be lost.
    """
    target = directory / skill.name
    if not faults(skill):
        check_place(target, skill.name)
    write_skill(skill, target)
    return target


def to_zip(skill: Skill, path: Path) -> Path:
    """Write the skill as a zip with its directory inside; returns where.

    Raises:
        SkillInvalid: the skill has faults, such as a name that leads out of the zip.
        BadInput: the place cannot be written to, or holds something else than a zip.
    """
    _check(skill)
    beside = path.with_name(f".{path.name}.new")
    try:
        if path.exists() and not (path.is_file() and zipfile.is_zipfile(path)):
            raise BadInput(f"{path} is there and no zip, and would be lost: name another file")
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        with beside.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in skill.files:
                entry = zipfile.ZipInfo(f"{skill.name}/{part.path}", EPOCH)
                entry.external_attr = (0o100755 if part.executable else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, part.content)
        beside.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    return path


def to_git(registry: Registry, name: str, repository: Path, branch: str) -> int:
    """Write every version of a skill to a branch, one commit each with the evidence in its message.

    Order and dates are those of the registry, so that writing again gives the same commits. Returns how many there are.

    Raises:
        SkillInvalid: a version has faults, such as a name that leads out of the repository.
        BadInput: no version, no Git, no repository there, or a branch that holds anything else: it would be lost.
    """
    versions = registry.versions(name)
    if not versions:
        raise BadInput(f"no version of '{name}' is known: `trace2skill versions` lists them")
    git = Git(None, repository)
    _check_branch(git, branch)
    stream = b"".join(_commit(registry.skill(item.skill), item, branch, n) for n, item in enumerate(versions, 1))
    git.answer("fast-import", "--quiet", "--force", given=stream)
    return len(versions)


def check_place(target: Path, name: str) -> None:
    """A skill replaces a skill of its name, an empty directory, or nothing."""
    if target.is_symlink():
        raise BadInput(f"{target} is a link, and what it leads to would be replaced: name the directory itself")
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        same = read_skill(target).name == name
    except BadInput:
        same = False
    if not same:
        raise BadInput(f"{target} is there and no skill '{name}', and would be lost: name another directory")


def _check(skill: Skill) -> None:
    """A name that the specification does not allow may lead anywhere: nothing is written under it."""
    if found := faults(skill):
        raise SkillInvalid(f"the skill '{skill.name[:80]}'", found)


def _check_branch(git: Git, branch: str) -> None:
    """The branch is new, or holds nothing but what was exported before; nobody has it checked out."""
    repository = git.folder

    def ask(*arguments: str) -> tuple[int, str]:
        done = git.run(*arguments)
        return done.returncode, (done.stdout or done.stderr).decode(errors="replace").strip()

    if branch.startswith("-") or ask("check-ref-format", f"refs/heads/{branch}")[0]:
        raise BadInput(f"--branch {branch}: git does not take that as the name of a branch")
    git.answer("rev-parse", "--git-dir")
    if branch in {
        line.removeprefix("branch refs/heads/") for line in ask("worktree", "list", "--porcelain")[1].splitlines()
    }:
        raise BadInput(f"branch '{branch}' of {repository} is checked out, and its history would be replaced: {OTHER}")
    if not ask("symbolic-ref", "--quiet", f"refs/heads/{branch}")[0]:
        raise BadInput(f"branch '{branch}' of {repository} only stands for another, which would be replaced: {OTHER}")
    if ask("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}")[0]:
        return
    code, authors = ask("log", "--format=%cn <%ce>", f"refs/heads/{branch}", "--")
    strangers = sorted({line for line in authors.splitlines() if line != AUTHOR})
    if code or strangers:
        raise BadInput(
            f"branch '{branch}' of {repository} has commits that no export wrote ({', '.join(strangers[:3])[:200]}), "
            f"and they would be lost: {OTHER}"
        )


def _commit(skill: Skill, version: Version, branch: str, number: int) -> bytes:
    _check(skill)
    head = fast_import.head(f"refs/heads/{branch}", message(version), version.written, number)
    if number > 1:
        head += f"from :{number - 1}\n".encode()
    files = b"".join(fast_import.written(file, f"{skill.name}/") for file in skill.files)
    return head + b"deleteall\n" + files + b"\n"
