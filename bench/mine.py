"""Tasks out of logs: how many sessions become one, is what decides right, and two commands from logs to a pull request.

    python bench/mine.py [--sessions 60] [--data ../shared/data]

The first part generates sessions that really worked (`worked_sessions.py`: real commands, three formats), with a tenth
that fail and a tenth of whose files nobody read, and an empty repository of skills. Two commands lead to a pull
request: the rules learn, a scripted agent tries what is held out (`worked_agent.py`), a forge of the tests answers. So
it says nothing of models. The second part holds what a mined check says against how the sessions really ended, which
the miner is not told. The third does the same with sessions that began in a repository (`worked_repositories.py`):
commands that really ran at some commit of it, of which the logs show a few files. The fourth is on questions of
evaluations (`mine_questions.py`), the fifth mines the logs at hand.
Exits 1 where a promise is not kept.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="t2s-prefect-"))

from fake_forge import TOKEN, FakeForge
from house_model import script
from house_words import CONVENTIONS
from mine_leaks import held_out_sessions
from mine_leaks import leaks as find_leaks
from mine_questions import questions
from rich.console import Console
from rich.table import Table
from worked_agent import agent
from worked_logs import write_logs
from worked_repositories import repository, worked_in
from worked_sessions import At, Worked, worked

from trace2skill.domains import load_domain
from trace2skill.mined.repository import RepositoryAddress
from trace2skill.runs.mined_tasks import MinedTasks, mine
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.sources import Sources
from trace2skill.sandbox import choose_sandbox
from trace2skill.sim.scripted import scripted
from trace2skill.store.database import close_all

LEAST_AGREEMENT = 0.9


def main() -> None:
    """Run the benchmark and print its tables."""
    arguments = argparse.ArgumentParser(description="Tasks out of logs, and a skill that is tried on them.")
    arguments.add_argument("--sessions", type=int, default=60)
    arguments.add_argument("--in-repository", type=int, default=54, help="sessions that begin in a repository")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    arguments.add_argument("--evaluations", type=Path, help="logs that bench/inspect_logs.py has written")
    given = arguments.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        folder = Path(directory)
        sessions = worked(folder / "projects", given.sessions, given.seed)
        logs = write_logs(sessions, folder / "logs")
        done, asked = two_commands(folder, logs)
        pull_request(console, done, asked)
        right = agreement(console, folder, logs, sessions, given.data)
        leaks = held_out_leaks(folder, logs, done)
        console.print(f"held-out leaks: {leaks}")
        right &= in_repository(console, folder, given.in_repository, given.seed)
        right &= questions(console, folder, given.data, given.evaluations, given.seed)
        at_hand(console, given.data)
    sys.exit(0 if right and not leaks and done["decision"]["verdict"] == "promote" and asked else 1)


def two_commands(folder: Path, logs: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """From logs and an empty repository to a pull request. Returns the summary, and what the forge was asked for."""
    bare = folder / "skills.git"
    work = folder / "work"
    who = ["-c", "user.name=A Person", "-c", "user.email=person@example.com"]
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    subprocess.run(["git", "clone", "--quiet", str(bare), str(work)], check=True, stderr=subprocess.DEVNULL)
    (work / "README.md").write_text("Skills of the team.\n")
    subprocess.run(["git", "-C", str(work), "add", "--all"], check=True)
    subprocess.run(["git", *who, "-C", str(work), "commit", "--quiet", "-m", "begun"], check=True)
    subprocess.run(["git", "-C", str(work), "push", "--quiet", "origin", "HEAD:main"], check=True)
    store = ("--store", folder / "s.duckdb")
    with scripted(agent) as model, FakeForge("github") as forge:
        given = ("--gate-on", "mined", "--analyst", "rules", "--agent-model", model, "--output", folder / "runs")
        done = json.loads(command("ingest", logs, *given, *store, "--json"))
        to = ("--to", f"git+file://{bare}@main#learned-from-traces", "--forge", "github", "--api", forge.api)
        with patch.dict(os.environ, {"GITHUB_TOKEN": TOKEN}):
            command("propose-pr", done["run_id"], *to, *store)
        return done, forge.requests


def command(*words: object) -> str:
    """One command of the product, in this process; what it printed."""
    import contextlib
    import io

    from trace2skill.cli.app import main as product

    out = io.StringIO()
    with patch.object(sys, "argv", ["trace2skill", *map(str, words)]), contextlib.redirect_stdout(out):
        try:
            product()
        except SystemExit as end:
            if end.code:
                raise RuntimeError(out.getvalue()) from end
        finally:
            forget_runtimes()
            close_all()
    return out.getvalue()


def pull_request(console: Console, done: dict[str, Any], asked: list[dict[str, Any]]) -> None:
    """What the two commands came to."""
    read, decision = done["sources"], done["decision"]
    console.print(f"learned from {read['trajectories']} segments; {read['held_out']} are of held-out sessions")
    console.print(f"tested on {read['tested_on']}")
    console.print(f"verdict: {decision['verdict']}: {decision['reason']}")
    told = f"; it says: {asked[0]['title']}" if asked and "title" in asked[0] else ""
    console.print(f"pull requests: {len(asked)}{told}", highlight=False)


def agreement(console: Console, folder: Path, logs: Path, sessions: list[Worked], data: Path) -> bool:
    """What mined checks say against how sessions ended. Returns whether they agree often enough."""
    sandbox = choose_sandbox("auto", simulated_model=False)
    found = mine(Sources(paths=(logs,)), sandbox, folder / "again")
    ended = {str(session.number): not session.failed for session in sessions}
    table = Table("sessions", "with a check that was tried", "agree", "tasks", "of these, sessions that failed")
    kept = [_row(table, f"{len(sessions)} generated, three formats", found, ended)]
    if (data / "house_rules").is_dir():
        made, verdicts = house_sessions(folder, data / "house_rules")
        write_logs(made, folder / "house")
        found = mine(Sources(paths=(folder / "house",)), sandbox, folder / "house-tasks")
        kept.append(_row(table, f"{len(made)} on house_rules, half of them right", found, verdicts))
    console.print(table)
    return all(kept)


def _row(table: Table, name: str, found: MinedTasks, ended: dict[str, bool]) -> bool:
    tried = [(item, ended[_number_of(item.file)]) for item in found.segments if item.check_passes is not None]
    agree = sum(item.check_passes == passed for item, passed in tried)
    wrong = sum(not passed for item, passed in tried if item.task)
    table.add_row(name, str(len(tried)), f"{agree} of {len(tried)}", str(len(found.tasks)), str(wrong))
    return bool(tried) and agree >= LEAST_AGREEMENT * len(tried)


def _number_of(file: str) -> str:
    stem = Path(file).stem
    told = stem.split("-")[0] if file.startswith("claude") else stem.split("-")[-1]
    return str(int(told))


def house_sessions(folder: Path, data: Path) -> tuple[list[Worked], dict[str, bool]]:
    """Sessions on the tasks of house_rules, with the check in the project; every other agent knows the conventions.

    How each ended the grader of the domain says, over the files that were left.
    """
    domain: Any = load_domain("shell")
    sandbox = choose_sandbox("auto", simulated_model=False)
    domain.use_sandbox(lambda: sandbox)
    found, verdicts = list[Worked](), dict[str, bool]()
    rows = [json.loads(line) for line in (data / "tasks.jsonl").read_text().splitlines()]
    for number, (row, task) in enumerate(zip(rows, domain.load(data / "tasks.jsonl"), strict=True)):
        at = At(folder / "house-projects" / str(number))
        for path, text in row["files"].items():
            at.write_there(path, text if isinstance(text, str) else (data / text["path"]).read_text())
        at.write_there("check.py", (data / row["check"]).read_text())
        at.read(*row["files"], "check.py")
        at.run(script(row["prompt"], dict.fromkeys(CONVENTIONS, "") | {"test_lines": "T"} if number % 2 else {}))
        at.run("python check.py")
        left = {p.relative_to(at.folder).as_posix(): p.read_bytes() for p in at.folder.rglob("*") if p.is_file()}
        left = {path: raw for path, raw in left.items() if path != "check.py" and path not in row["files"]}
        verdicts[str(number)] = domain.grade(task, left).hard == 1.0
        found.append(Worked(number, row["kind"], f"{row['prompt']} `check.py` says whether it is right.", at.calls))
    return found, verdicts


def held_out_leaks(folder: Path, logs: Path, done: dict[str, Any]) -> int:
    """Sessions of held-out tasks from which anything was learned, in that run and with other divisions."""
    learned = {id for item in done["analyses"] for id in (item["task_id"], item["trajectory_id"])}
    return len(learned & held_out_sessions(folder / "again", 42)) + find_leaks(folder / "again", logs, folder / "leaks")


def in_repository(console: Console, folder: Path, count: int, seed: int) -> bool:
    """Sessions that began in a repository: what becomes a task, and what its check says. Returns whether it is kept."""
    shop, copies = folder / "shop", folder / "copies"
    copies.mkdir()
    sessions = worked_in(copies, shop, repository(shop), count, seed)
    logs = write_logs(sessions, folder / "in-repository")
    there = [RepositoryAddress(name="shop", folder=shop)]
    found = mine(
        Sources(paths=(logs,)), choose_sandbox("auto", simulated_model=False), folder / "in-repository-tasks", there
    )
    began = {str(session.number): session for session in sessions}
    met = [(item, began[_number_of(item.file)]) for item in found.segments]
    there_still = [(item, session) for item, session in met if not session.lost]
    replayed = sum(bool(item.commit) for item, _ in there_still)
    right = sum(item.commit == session.commit for item, session in there_still if item.commit)
    lost = sum(bool(item.task) for item, session in met if session.lost)
    console.print(f"began at a commit that is there: {len(there_still)} sessions of {len(met)}", highlight=False)
    console.print(f"  done again in its tree: {replayed}, at the right commit {right}", highlight=False)
    console.print(f"  said by {dict(sorted(Counter(item.commit_by for item, _ in there_still).items()))}")
    console.print(f"tasks of the {len(met) - len(there_still)} whose commit nobody has: {lost}", highlight=False)
    table = Table("sessions", "with a check that was tried", "agree", "tasks", "of these, sessions that failed")
    kept = _row(table, f"{count} that began in a repository", found, {n: not one.failed for n, one in began.items()})
    console.print(table)
    leaks = find_leaks(folder / "in-repository-tasks", logs, folder / "leaks-in-repository")
    console.print(f"held-out leaks: {leaks}; groups {found.groups} of {len(found.tasks)} tasks", highlight=False)
    size = sum(pack.stat().st_size for pack in (folder / "in-repository-tasks").glob("trees-*.zip"))
    console.print(f"trees: {size} bytes, tasks.jsonl: {_size(folder)} bytes", highlight=False)
    return kept and not leaks and not lost and right == replayed


def _size(folder: Path) -> int:
    return (folder / "in-repository-tasks" / "tasks.jsonl").stat().st_size


def at_hand(console: Console, data: Path) -> None:
    """What becomes of the logs at hand."""
    paths = [path for path in (data / "traces", data / "cases" / "logs") if path.is_dir()]
    if not paths:
        console.print(f"no logs in {data}: the last part is left out")
        return
    found = mine(Sources(paths=tuple(paths)), choose_sandbox("auto", simulated_model=False), None)
    kinds = Counter((item.format, item.replayable) for item in found.segments)
    worked_on = Counter(item.format for item in found.segments if "nothing was changed or run" not in item.why)
    table = Table("format", "segments", "with work", "self-contained", "needs-repository", "not-replayable")
    for name in sorted({format for format, _ in kinds}):
        counts = [kinds[name, kind] for kind in ("self-contained", "needs-repository", "not-replayable")]
        table.add_row(name, str(sum(counts)), str(worked_on[name]), *map(str, counts))
    console.print(table)
    agreed, both = found.agreement
    console.print(f"checks that could be tried agree with the log's own verdict in {agreed} of {both}", highlight=False)


if __name__ == "__main__":
    main()
