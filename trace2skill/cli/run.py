"""Commands that run flows: demo, run, rollout, distill, evaluate."""

from typing import Annotated

import typer

from trace2skill.cli import options as o
from trace2skill.cli import settings_groups as group
from trace2skill.cli.flows import run_flow
from trace2skill.cli.print import print_evaluations, print_rollouts, print_summary
from trace2skill.cli.print_library import print_library
from trace2skill.cli.project import ROOT
from trace2skill.cli.settings_options import Given, with_settings
from trace2skill.cli.skill_given import address_given
from trace2skill.core.errors import BadInput
from trace2skill.runs.settings import RunSettings
from trace2skill.skills.library import is_library

DEMO_DATA = ROOT / "examples" / "office"
DEMO_SKILL = ROOT / "examples" / "skills" / "office-workbooks"
SIMULATED = {"name": "sim/office"}


@with_settings(*group.DEMO)
def demo(
    given: Given,
    create: Annotated[
        bool, typer.Option("--create", help="Draft the skill from nothing instead of deepening one.")
    ] = False,
    json: o.AsJson = False,
) -> None:
    """The whole pipeline on bundled office workbooks, with a simulated model.

    An agent works on real .xlsx files in a sandbox, every run is analysed, patches are merged, and the new skill is
    scored on held-out tasks. The simulated model shows the machinery and proves nothing about skill quality. Run it
    again: nothing is computed twice.
    """
    if not DEMO_DATA.is_dir():
        raise BadInput(f"the demo's workbooks are not at {DEMO_DATA}: install trace2skill again")
    data = {
        "path": DEMO_DATA,
        "skill": None if create else DEMO_SKILL,
        "recalculate": "never",  # so that the demo is the same with and without LibreOffice
    }
    models = dict.fromkeys(("agent", "analyst", "merger"), SIMULATED)
    _refresh(given.settings(base={"data": data, "models": models}), json)


@with_settings(*group.RUN)
def run(given: Given, json: o.AsJson = False) -> None:
    """Refresh a skill: rollout, distill, evaluate, decide.

    Everything paid for is kept in the store: after a failure, a Ctrl-C or a crash, run the same command again and it
    goes on from there. --data and --model are needed, here or in a file (--settings).
    """
    _refresh(given.settings(), json)


@with_settings(*group.ROLLOUT, counts=group.BOTH_SEEDS)
def rollout(given: Given, json: o.AsJson = False) -> None:
    """Let the agent work on every task and score what it leaves. No lesson is drawn, no skill is changed."""
    gathered = run_flow("rollout:rollout_all", given.settings(), quiet=json)
    print_rollouts(gathered, as_json=json)


@with_settings(*group.DISTILL, counts=group.BOTH_SEEDS)
def distill(given: Given, json: o.AsJson = False) -> None:
    """Rollout on the evolve tasks and write a candidate skill, without evaluating it."""
    settings = given.settings(fixed={"gate.evaluate": False})
    if settings.data.skill is None:
        raise BadInput("give --skill, the skill directory to deepen, or a file that says it (--settings)")
    _refresh(settings, json)


@with_settings(*group.EVALUATE, counts=group.BOTH_SEEDS)
def evaluate(
    given: Given,
    skills: Annotated[
        list[str] | None,
        typer.Argument(help="Skills to score, directories or git+...; unless given, that of --skill."),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Which tasks: validation or evolve; test is sealed and needs --why.")
    ] = "validation",
    why: Annotated[str, typer.Option(help="Why the test split is opened. It is counted and recorded.")] = "",
    json: o.AsJson = False,
) -> None:
    """Score skills on held-out tasks, each task at each seed, beside the same agent without a skill."""
    places = [address_given(skill) for skill in skills or ()]
    evaluations = run_flow("evaluate:evaluate_skills", given.settings(), places, split, why, quiet=json)
    print_evaluations(evaluations, as_json=json)


def _refresh(settings: RunSettings, as_json: bool) -> None:
    if is_library(settings.data.skill):
        print_library(run_flow("library:refresh_library", settings, quiet=as_json), as_json=as_json)
        return
    summary = run_flow("refresh:refresh", settings, quiet=as_json)
    print_summary(summary, as_json=as_json)
