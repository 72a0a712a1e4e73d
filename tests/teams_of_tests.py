"""A team with a repository of skills at a forge, and somebody who proposes to it what logs have taught."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ingesting
import pytest
from fake_forge import TOKEN, FakeForge
from product import Said, run
from remotes import Remote
from sessions_of_tests import sessions

from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.summary import RunSummary
from trace2skill.store.database import close_all

NAME = "learned-from-traces"
RULE = "The environment lacks `asgiref`"
FILE = f"skills/{NAME}/SKILL.md"
SUGGESTION = "```suggestion\n{}\n```"


class Team:
    """A repository of skills, and the store of somebody who learns from logs."""

    def __init__(self, folder: Path, home: Path, forge: FakeForge) -> None:
        (folder / "remote").mkdir()
        self.folder, self.home, self.forge = folder, home, forge
        self.remote = Remote(folder / "remote")
        self.address = self.remote.address(path=f"skills/{NAME}")

    def learn(self, package: str) -> RunSummary:
        done = ingesting.ingest(ingesting.settings(self.folder, sessions(self.folder / package, package)))
        forget_runtimes()
        close_all()
        return done

    def propose(self, learned: RunSummary, *more: object, code: int = 0) -> Said:
        forge = ("--forge", self.forge.kind, "--api", self.forge.api)
        given = ("--to", self.address, "--store", self.folder / "s.duckdb", *(more or forge))
        return run(self.folder, self.home, "propose-pr", learned.run_id, *given, code=code)

    def proposed(self, learned: RunSummary) -> dict[str, Any]:
        forge = ("--forge", self.forge.kind, "--api", self.forge.api)
        done: dict[str, Any] = json.loads(self.propose(learned, *forge, "--json").stdout)
        return done

    def branches(self) -> list[str]:
        return self.remote.git("branch", "--format=%(refname:short)").split()

    def there(self, branch: str) -> str:
        return self.remote.git("show", f"{branch}:skills/{NAME}/SKILL.md")


class Reviewed(Team):
    """A team to which one version was proposed, with one rule."""

    def begin(self) -> RunSummary:
        self.first = self.learn("asgiref")
        self.branch = self.proposed(self.first)["branch"]
        lines = self.there(self.branch).splitlines()
        self.number = next(n for n, line in enumerate(lines, 1) if RULE in line)
        self.line = lines[self.number - 1]
        return self.first

    def at_line(self, person: str, text: str, **more: Any) -> int:
        return self.forge.say(person, text, FILE, more.pop("line", self.number), more.pop("shown", self.line), **more)

    def read(self, *more: object, code: int = 0) -> Said:
        given = ("--api", self.forge.api, "--store", self.folder / "s.duckdb", *more)
        return run(self.folder, self.home, "read-pr", self.first.run_id, *given, code=code)

    def found(self) -> dict[str, Any]:
        done: dict[str, Any] = json.loads(self.read("--json").stdout)
        return done

    def effects(self) -> list[tuple[str, str]]:
        return [(line["effect"], line["why_not"]) for line in self.found()["lines"]]

    def again(self, package: str, start: int = 0, count: int = 6, **more: Any) -> RunSummary:
        """A later night over other sessions, which asks the forge first."""
        paths = sessions(self.folder / f"{package}{start}", package, count, start)
        given = ingesting.settings(self.folder, paths, **more)
        settings = given.as_run().changed(forge=self.forge.kind, forge_api=self.forge.api)
        done = ingesting.ingest(SimpleNamespace(as_run=lambda: settings))  # type: ignore[arg-type]
        forget_runtimes()
        close_all()
        return done

    def told(self, *command: object) -> Any:
        return json.loads(run(self.folder, self.home, *command, "--store", self.folder / "s.duckdb", "--json").stdout)

    def skill_of(self, learned: RunSummary) -> Path:
        return self.folder / "runs" / learned.run_id / "skill" / NAME


@contextmanager
def reviewed_team(folder: Path, home: Path, kind: str, patch: pytest.MonkeyPatch) -> Iterator[Reviewed]:
    """A team at such a forge, with its token."""
    patch.setattr("product.environment", with_token(kind, TOKEN))
    patch.setenv(f"{kind.upper()}_TOKEN", TOKEN)
    with FakeForge(kind) as forge:
        team = Reviewed(folder, home, forge)
        team.begin()
        yield team


def rules(learned: RunSummary) -> str:
    return "\n".join(group.text for group in learned.candidate.applied)


def with_token(kind: str, token: str) -> Any:
    """What `product.environment` is, with a token for a forge of that kind."""
    from conftest import environment

    return lambda *given: environment(*given) | {f"{kind.upper()}_TOKEN": token}
