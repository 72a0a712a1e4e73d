"""What a coding agent can ask of this product: each tool is a command of ours in a process of its own.

So a tool does what the command does, with its checks, its store and its exit codes, and nothing that a flow prints can
get between the messages of the protocol. Arguments come from a model: none is ever read as an option.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread
from mcp.server.mcpserver.exceptions import ToolError

SECONDS = 1800.0
"""Of one command: rules read thousands of sessions in it."""
WAIT_SECONDS = 20
"""How long a request is waited for, so that no call of a tool seems to hang."""
PART = 40_000
"""Characters of a request that are shown at once."""
LONGEST = 60_000
"""Characters of an answer: an agent's window is not for lists without end."""
STOP_SECONDS = 5.0
WHO = "coding-agent"
PRINTED, STANDS = 0, (0, 3, 4, 5)
"""Exit codes of `handoff next --stay`: a request was printed; all by which it says how it stands."""


class AgentTools:
    """The tools, for one working directory and store.

    Args:
        store: as `--store` takes it; '' for the usual one.
        folder: where runs that the agent answers keep their requests.
    """

    def __init__(self, store: str = "", folder: Path = Path(".trace2skill/handoff")) -> None:
        self._store = [f"--store={store}"] if store else []
        self._folder = folder
        self._learning: dict[str, subprocess.Popen[str]] = {}
        self._running: set[subprocess.Popen[str]] = set()

    async def learn(self, paths: list[str], skill: str = "", by: Literal["rules", "you"] = "rules") -> dict[str, Any]:
        """Learn from logs of agent sessions (files or folders) and write a candidate skill. Nothing is put in use.

        `skill` is the skill to deepen: a directory or git+https://host/repository@branch#path; without one a new skill
        is begun. By 'rules' no model is asked. By 'you' this session answers what a model would be asked: call
        `next_request` and `answer_request` with the folder that is returned until the run has ended.
        """
        given = [*self._store, *([f"--skill={skill}"] if skill else [])]
        if by == "rules":
            return _learned(await self._json("ingest", *given, "--analyst=rules", "--json", "--", *paths))
        folder = self._folder / uuid.uuid4().hex[:12]
        folder.mkdir(parents=True)
        command = _command("ingest", *given, f"--model=handoff/{folder.resolve()}/requests", "--json", "--", *paths)
        self._learning[folder.name] = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=(folder / "result.json").open("w"),
            stderr=(folder / "said.txt").open("w"),
            text=True,
            start_new_session=True,
        )
        return {"folder": folder.name, "next": "call next_request with this folder"}

    async def next_request(self, folder: str) -> dict[str, Any]:
        """The next request of a run that learns by this session, or what came of the run when it has ended.

        Answer each request from what stands in it alone. `state` is 'asked', 'wait' (call again) or 'ended'.
        """
        at = str(self._at(folder) / "requests")
        how = (f"--as={WHO}", "--stay", f"--wait={WAIT_SECONDS}", f"--size={PART}")
        done = await self._run("handoff", "next", *how, "--", at)
        if done.returncode not in STANDS:
            raise ToolError(_said(done))
        asked = await self._json("handoff", "status", "--json", "--", at)
        mine = [item["id"] for item in asked["open"] if item["by"] == WHO and item["state"] == "claimed"]
        if done.returncode == PRINTED and mine:
            return {"state": "asked", "id": mine[-1], "request": done.stdout}
        if mine:  # it was shown before, and has no answer: the agent may have lost it
            return {"state": "asked", "id": mine[-1], "request": await self.show_request(folder, mine[-1])}
        if self._learning[folder].poll() is None:  # it may not have asked yet, or be at its end
            return {"state": "wait"}
        return {"state": "ended", **self._result(folder)}

    async def show_request(self, folder: str, id: str, part: int = 1) -> str:
        """A request again, or a later part of a long one."""
        at = str(self._at(folder) / "requests")
        return await self._text("handoff", "show", f"--as={WHO}", f"--size={PART}", f"--part={part}", "--", at, id)

    async def answer_request(self, folder: str, id: str, answer: str) -> dict[str, Any]:
        """Answer a request by its id: text, or the JSON that it asks for. What does not fit is refused, with why."""
        at = self._at(folder)
        done = await self._run("handoff", "answer", f"--as={WHO}", "--", str(at / "requests"), id, given=answer)
        return {"said": _said(done)}

    async def why(self, skill: str, line: int = 0) -> str:
        """Who asked for a line of a skill, or for all of them, and which steps of their sessions show it."""
        return await self._text("why", *self._store, "--", f"{skill}:{line}" if line else skill)

    async def book(self, skill: str) -> str:
        """The rule book of a skill: each rule, how many tasks ask for it, and where the skill says it."""
        return await self._text("book", *self._store, "--", skill)

    async def runs(self) -> str:
        """The runs there were."""
        return await self._text("show", *self._store)

    async def versions(self, name: str = "") -> str:
        """The versions of a skill, or of all: who wrote them, what was decided, which is in use."""
        return await self._text("versions", *self._store, *(["--", name] if name else []))

    async def quarantine(self) -> str:
        """What the screening kept out of skills, for a person to look at."""
        return await self._text("quarantine", *self._store)

    async def propose(self, run: str, to: str = "", dry_run: bool = True) -> dict[str, Any]:
        """Propose a run's skill to people: a branch and a pull request. As a trial unless `dry_run` is false.

        Ask the user before you call it with `dry_run` false. `to` is git+https://host/repository@branch#path.
        """
        where = [f"--to={to}"] if to else []
        trial = ["--dry-run"] if dry_run else []
        found: dict[str, Any] = await self._json("propose-pr", *self._store, *where, *trial, "--json", "--", run)
        return found

    async def stop(self, folder: str) -> dict[str, Any]:
        """End a run that learns by this session. What was answered is kept: learn from the same logs again."""
        self._at(folder)
        await anyio.to_thread.run_sync(_end, [self._learning[folder]])
        return {"state": "ended"}

    def close(self) -> None:
        """End all that was begun, in the session or for it; the same command goes on with a run."""
        _end([*self._learning.values(), *self._running])

    def _at(self, folder: str) -> Path:
        if folder not in self._learning:
            raise ToolError(f"no run of this session answers in '{folder}': `learn` by 'you' begins one")
        return self._folder.resolve() / folder

    def _result(self, folder: str) -> dict[str, Any]:
        at = self._at(folder)
        if self._learning[folder].returncode:
            return {"failed": (at / "said.txt").read_text(errors="replace")[-2000:]}
        return _learned(json.loads((at / "result.json").read_text()))

    async def _json(self, *words: str) -> Any:
        done = await self._run(*words)
        if done.returncode:
            raise ToolError(_said(done))
        return json.loads(done.stdout)

    async def _text(self, *words: str) -> str:
        done = await self._run(*words)
        if done.returncode:
            raise ToolError(_said(done))
        if len(done.stdout) <= LONGEST:
            return done.stdout
        shown = done.stdout[:LONGEST].rpartition("\n")[0]
        command = " ".join(["trace2skill", *(word for word in words if word != "--")])
        return f"{shown}\n[{len(done.stdout) - len(shown)} characters more: `{command}` prints all]"

    async def _run(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        process = subprocess.Popen(
            _command(*words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
            start_new_session=True,  # it ends when it is told to, and not by a signal to the agent's own group
        )
        self._running.add(process)
        try:
            talk = partial(process.communicate, given, timeout=SECONDS)
            said, complained = await anyio.to_thread.run_sync(talk, abandon_on_cancel=True)
        except subprocess.TimeoutExpired as error:
            raise ToolError(f"{words[0]} was not done after {SECONDS:g} s; what it had finished is kept") from error
        finally:
            if process.poll() is None:
                process.terminate()
            self._running.discard(process)
        return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


def _end(processes: Sequence["subprocess.Popen[str]"]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(*words: str) -> list[str]:
    start = "import sys; sys.argv[0] = 'trace2skill'; from trace2skill.cli import main; main()"
    return [sys.executable, "-P", "-c", start, *words]  # -P: no module of the directory it is called in is ours


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    return " ".join((done.stderr or done.stdout).split())[:2000]


def _learned(summary: Any) -> dict[str, Any]:
    """What an agent needs of a summary: what was learned, where it is, what waits for a person."""
    groups: Sequence[Any] = summary["candidate"]["applied"]
    return {
        "run": summary["run_id"],
        "skill": summary.get("candidate_directory"),
        "rules": [
            {"text": "\n".join(edit["content"] for edit in group["edits"]), "tasks": len(group["support"]["tasks"])}
            for group in groups
        ],
        "in_quarantine": len(summary.get("quarantined", ())),
        "decision": summary["decision"]["reason"],
    }
