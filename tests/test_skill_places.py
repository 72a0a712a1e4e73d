"""Every command takes a skill by its directory and by its address in a repository, or says what to do instead."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nights_world
import pytest
import typer
from forms_of_tests import WORLD
from nightly import Nightly
from remotes import Remote

from trace2skill.cli.app import app

SETTINGS = ("shrink", "demo", "run", "rollout", "distill", "drift", "estimate", "evaluate", "ingest")
"""The skill of these is that of the settings, `--skill`: all read it at one place. Some of them stand below."""
OF_RUNS = (
    "show",
    "report",
    "lessons",
    "patch",
    "power",
    "ablate",
    "usage",
    "status",
    "watch",
    "failures",
    "retry",
    "approve",
    "propose-pr",
)
NO_SKILL = ("deploy", "mcp", "mine", "quarantine", "reveal", "doctor", "domains", "new-domain", "transfer")
NEITHER = "no run '.*' in .*: `trace2skill show` lists them, and `trace2skill nights` those of a skill$"

COMMANDS: dict[str, tuple[str, ...]] = {
    # The command, with the skill's place for {}; then what it says of a directory, and of an address where that differs.
    "validate {}": ("forms: valid, 1 files",),
    "why {}": (r"SKILL.md:13 - Give the field `amount`(.|\n)* asked by 4 tasks",),
    "why {}:13": (r"SKILL.md:13 - Give the field `amount`(.|\n)* asked by 4 tasks",),
    "why {}/SKILL.md:13": (r"SKILL.md:13 - Give the field `amount`(.|\n)* asked by 4 tasks",),
    "why {}:99": ("error: SKILL.md of forms has no line 99: it ends at 13",),
    "book {}": ("1 rules of forms, as run-",),
    "nights {}": ("nights of forms",),
    "versions {}": ("promote [0-9a-f]{12} from [0-9a-f]{12}: the candidate is better",),
    "diff v1 {}": (r"\+- Give the field `amount`",),
    "export {} --to out": ("wrote out/forms",),
    "export {} --zip forms.skill": ("wrote forms.skill",),
    "export {} --git exported": ("wrote 2 commits to branch skills of exported",),
    "export forms --git {}": (
        "error: --git: there is no Git repository at ",
        "error: --git takes a repository on this machine: clone it",
    ),
    "usage --logs logs --skills {}": ("never used: forms",),
    "triggers {} --queries queries.json --model sim/office": ("asked over these skills so far",),
    "audit {} logs --model sim/office --dry-run": (r"are of\s+sessions from which forms has learned",),
    "library {}": ("error: .* holds one skill: name a directory of several",),
    "estimate --settings nightly.yaml --skill {}": ("rollout",),
    "evaluate {} --settings nightly.yaml": ("no skill(.|\n)*forms(.|\n)*100.0%",),
    "ingest logs --skill {}": ("deepening: forms",),
    "canary start {} v1 --to out": ("out: 20% of the sessions get [0-9a-f]{12}, the others the champion",),
    "provenance {}": ('"author": "sim/scripted"',),
    "verify {}": ("error: .*forms.provenance.json cannot be read", "error: .*provenance.json cannot be read"),
    "show {}": (f"error: {NEITHER}",),
    "power {}": (f"error: {NEITHER}",),
    "usage {}": (f"error: {NEITHER}",),
    "experiment grid.yaml --dry-run": ("human", "error: .*an experiment compares what stands still: name a directory"),
    "rollback {} --why no": ("holds forms [0-9a-f]{12} again",),
    "promote v2 {} --why yes": ("holds forms 2 ",),
}


def test_the_table_has_every_command() -> None:
    names = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    stated = {command.split()[0] for command in COMMANDS} | {*SETTINGS, *OF_RUNS, *NO_SKILL, "store", "handoff"}
    assert stated == names


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path) -> Iterator[tuple[Nightly, dict[str, str]]]:
    """A skill that a night has promoted, in a directory and on a branch, and the digests of its versions."""
    folder = tmp_path_factory.mktemp("project")
    nightly = Nightly(folder, prefect_home)
    (folder / "forms").mkdir()
    (folder / "forms" / "SKILL.md").write_text(nights_world.SKILL)
    nightly.add_forms("invoice", "amount")
    nightly.add_logs()
    (folder / "queries.json").write_text(json.dumps([{"query": "Fill in a form of the office.", "skill": "forms"}]))
    subprocess.run(["git", "init", "--quiet", str(folder / "exported")], check=True)
    with nightly.at_work():
        nightly.refresh()
        remote = Remote(folder, {"team/forms/SKILL.md": (folder / "forms" / "SKILL.md").read_bytes()})
        known = json.loads(nightly("versions", "--json").stdout)["versions"]
        places = {"directory": "forms", "address": remote.address(path="team/forms")}
        yield nightly, {**places, **{f"v{version['number']}": version["skill"] for version in known}}


@pytest.mark.parametrize("kind", ["directory", "address"])
@pytest.mark.parametrize("command", COMMANDS)
def test_command(project: tuple[Nightly, dict[str, str]], command: str, kind: str) -> None:
    nightly, places = project
    expected = COMMANDS[command][-1 if kind == "address" else 0]
    words = [places.get(word, word.replace("{}", places[kind])) for word in command.split()]
    (nightly.folder / "grid.yaml").write_text(GRID.replace("{}", places[kind]).replace("WORLD", WORLD))
    shutil.rmtree(nightly.folder / "out", ignore_errors=True)
    said = nightly(*words, code=2 if expected.startswith("error") else 0)
    assert re.search(expected, said.stdout + said.complaint)


GRID = """\
name: grid
models: {office: sim/scripted}
learn: {data: data, domain: "WORLD", skill: "{}"}
sets: [{name: validation}]
conditions: [no_skill, human]
"""
