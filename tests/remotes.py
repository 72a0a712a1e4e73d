"""A repository with skills, as a server has it, and a person's checkout of it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from trace2skill.skills.git_address import GitAddress, parse
from trace2skill.skills.skill import Skill, SkillFile
from trace2skill.store import Store
from trace2skill.versions.places import Branch

SUMS = b"---\nname: sums\ndescription: How to add up.\n---\n\n# Sums\n\n## Steps\n\n- Read the question.\n"
SKILL = Skill(files=(SkillFile(path="SKILL.md", content=SUMS),))


class Remote:
    """A bare repository, and a person's checkout of it."""

    def __init__(self, folder: Path, files: Mapping[str, bytes] = {"skills/sums/SKILL.md": SUMS}) -> None:
        self.bare, self.work = folder / "remote.git", folder / "work"
        self._run(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self._run(folder, "clone", "--quiet", str(self.bare), str(self.work))
        self.write("README.md", b"Skills of the team.\n")
        self.commit(files)

    def address(self, ref: str = "main", path: str = "skills/sums") -> str:
        return f"git+file://{self.bare}{f'@{ref}' if ref else ''}#{path}"

    def place(self, store: Store, ref: str = "main", path: str = "skills/sums") -> Branch:
        return self.place_of(self.address(ref, path), store.beside)

    def place_of(self, address: str, below: Path) -> Branch:
        parsed = parse(address)
        assert isinstance(parsed, GitAddress)
        return Branch(parsed, below)

    def write(self, path: str, content: bytes) -> None:
        (self.work / path).parent.mkdir(parents=True, exist_ok=True)
        (self.work / path).write_bytes(content)

    def commit(self, files: Mapping[str, bytes], message: str = "by a person") -> str:
        for path, content in files.items():
            self.write(path, content)
        return self.commit_all(message)

    def commit_all(self, message: str = "by a person") -> str:
        self._run(self.work, "pull", "--quiet", "--rebase", "--autostash", "origin", "main", check=False)
        self._run(self.work, "add", "--all")
        self._run(self.work, "commit", "--quiet", "--message", message)
        self._run(self.work, "push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "main")

    @property
    def head(self) -> str:
        """What the branch is at, as commands name it."""
        return self.git("rev-parse", "main")[:12]

    def revert(self) -> str:
        """Take the newest commit back, as a person does it; returns what the branch is at then."""
        self._run(self.work, "pull", "--quiet", "--rebase", "origin", "main")
        self._run(self.work, "revert", "--no-edit", "HEAD")
        self._run(self.work, "push", "--quiet", "origin", "HEAD:main")
        return self.head

    def git(self, *words: str) -> str:
        return self._run(self.bare, *words)

    def _run(self, at: Path, *words: str, check: bool = True, given: str | None = None) -> str:
        who = ["-c", "user.name=A Person", "-c", "user.email=person@example.com"]
        done = subprocess.run(["git", *who, "-C", str(at), *words], capture_output=True, text=True, input=given)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()
