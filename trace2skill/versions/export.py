"""Taking versions out: a plain directory, a `.skill` zip, or a Git branch with one commit per version."""

import shutil
import subprocess
import zipfile
from pathlib import Path

from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.skills import fast_import
from trace2skill.skills.fast_import import AUTHOR
from trace2skill.skills.skill import Skill, faults, write_skill
from trace2skill.versions.records import Version, message
from trace2skill.versions.registry import Registry

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold: the same skill gives the same bytes
OTHER = "name a branch of its own (--branch skills)"


def to_directory(skill: Skill, directory: Path) -> Path:
    """Write the skill below a directory, under its own name; returns where.

    Raises:
        BadInput: the place cannot be written to.
    """
    target = directory / skill.name
    write_skill(skill, target)
    return target


def to_zip(skill: Skill, path: Path) -> Path:
    """Write the skill as a zip with its directory inside; returns where.

    Raises:
        SkillInvalid: the skill has faults, such as a name that leads out of the zip.
        BadInput: the place cannot be written to.
    """
    _check(skill)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in skill.files:
                entry = zipfile.ZipInfo(f"{skill.name}/{file.path}", EPOCH)
                entry.external_attr = (0o100755 if file.executable else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.content)
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
    git = shutil.which("git")
    if git is None:
        raise BadInput("git is not installed")
    _check_branch(git, repository, branch)
    stream = b"".join(_commit(registry.skill(item.skill), item, branch, n) for n, item in enumerate(versions, 1))
    done = subprocess.run(
        [git, "-C", str(repository), "fast-import", "--quiet", "--force"],
        input=stream,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise BadInput(f"{repository}: git says: {done.stderr.decode(errors='replace').strip()[:300]}")
    return len(versions)


def _check(skill: Skill) -> None:
    """A name that the specification does not allow may lead anywhere: nothing is written under it."""
    if found := faults(skill):
        raise SkillInvalid(f"the skill '{skill.name[:80]}'", found)


def _check_branch(git: str, repository: Path, branch: str) -> None:
    """The branch is new, or holds nothing but what was exported before; nobody has it checked out."""

    def ask(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([git, "-C", str(repository), *arguments], capture_output=True, check=False)
        return done.returncode, (done.stdout or done.stderr).decode(errors="replace").strip()

    if branch.startswith("-") or ask("check-ref-format", f"refs/heads/{branch}")[0]:
        raise BadInput(f"--branch {branch}: git does not take that as the name of a branch")
    code, said = ask("rev-parse", "--git-dir")
    if code:
        raise BadInput(f"{repository}: git says: {said[:300]}")
    if branch in {
        line.removeprefix("branch refs/heads/") for line in ask("worktree", "list", "--porcelain")[1].splitlines()
    }:
        raise BadInput(f"branch '{branch}' of {repository} is checked out, and its history would be replaced: {OTHER}")
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
