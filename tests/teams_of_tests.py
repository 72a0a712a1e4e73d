"""A team with a repository of skills at a forge, and somebody who proposes to it what logs have taught."""

import json
from pathlib import Path
from typing import Any

import ingesting
from fake_forge import FakeForge
from product import Said, run
from remotes import Remote
from sessions_of_tests import sessions

from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.summary import RunSummary
from trace2skill.store.database import close_all

NAME = "learned-from-traces"


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


def with_token(kind: str, token: str) -> Any:
    """What `product.environment` is, with a token for a forge of that kind."""
    from conftest import environment

    return lambda *given: environment(*given) | {f"{kind.upper()}_TOKEN": token}
