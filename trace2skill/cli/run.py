"""Commands that run flows: demo, run, rollout, distill, evaluate."""

from pathlib import Path
from typing import Annotated

import typer

from trace2skill.cli import options as o
from trace2skill.cli.flows import run_flow
from trace2skill.cli.print import print_evaluations, print_rollouts, print_summary
from trace2skill.core.errors import BadInput
from trace2skill.runs.settings import RunSettings

CHECKOUT = Path(__file__).resolve().parents[2]
DEMO_DATA = CHECKOUT / "examples" / "office"
DEMO_SKILL = CHECKOUT / "examples" / "skills" / "office-workbooks"


def demo(
    model: o.Model = "sim/office",
    create: Annotated[
        bool, typer.Option("--create", help="Draft the skill from nothing instead of deepening one.")
    ] = False,
    sandbox: o.SandboxKind = "auto",
    workers: o.Workers = 8,
    store: o.StorePath = None,
    output: o.Output = Path(".trace2skill/runs"),
    json: o.AsJson = False,
) -> None:
    """The whole pipeline on bundled office workbooks, with a simulated model.

    An agent works on real .xlsx files in a sandbox, every run is analysed, patches are merged, and the new skill is
    scored on held-out tasks. The simulated model shows the machinery and proves nothing about skill quality. Run it
    again: nothing is computed twice.
    """
    if not DEMO_DATA.is_dir():
        raise BadInput(f"the demo's workbooks are not at {DEMO_DATA}: they live in a checkout of the repository")
    settings = o.run_settings(
        data=DEMO_DATA,
        skill=None if create else DEMO_SKILL,
        roles=o.roles(model, None, None, None, temperature=None, effort=None, api_base=None, price=None),
        sandbox=sandbox,
        workers=workers,
        store=o.store_path(store),
        output=output,
        recalculate="never",  # so that the demo is the same with and without LibreOffice
    )
    _refresh(settings, json)


def run(
    data: o.Data,
    model: o.Model,
    domain: o.Domain = "spreadsheet",
    domain_option: o.DomainOptions = None,
    skill: o.SkillDir = None,
    tasks: o.Tasks = None,
    split: o.Split = "stratified",
    seed: o.Seed = 41,
    seeds: o.Seeds = 1,
    held_out_seeds: o.Seeds = 1,
    analysts: o.Analysts = "+combined",
    error_analyst: o.ErrorAnalyst = "agentic",
    fan_in: o.FanIn = 2,
    merge_ask: o.MergeAsk = "touching",
    polish: o.Polish = False,
    forget_after: o.ForgetAfter = None,
    allow_scripts: o.AllowScripts = False,
    allow_description: o.AllowDescription = False,
    agent_model: o.AgentModel = None,
    analyst_model: o.AnalystModel = None,
    merger_model: o.MergerModel = None,
    temperature: o.Temperature = None,
    reasoning_effort: o.Effort = None,
    api_base: o.ApiBase = None,
    price: o.Price = None,
    harness: o.Harness = "react",
    agent_command: o.AgentCommand = None,
    agent_set: o.AgentSet = None,
    max_turns: o.MaxTurns = None,
    max_tokens: o.MaxTokens = o.MOST_TOKENS,
    context: o.Context = None,
    tools: o.Tools = "auto",
    answers: o.Answers = "auto",
    sources: o.SourcePaths = None,
    labels: o.Labels = None,
    source_analyst: o.SourceAnalyst = "model",
    judge: o.Judge = False,
    vision: o.Vision = "auto",
    recalculate: o.Recalculate = "auto",
    sandbox: o.SandboxKind = "auto",
    candidates: Annotated[
        int, typer.Option(help="Evolve so many candidates with seeds of their own; the best competes.", min=1, max=16)
    ] = 1,
    select: Annotated[
        str, typer.Option(help="Choose the best by its score on the evolve tasks ('train'), or by 'validation'.")
    ] = "train",
    no_skill: Annotated[bool, typer.Option("--no-skill", help="Score the agent without any skill, too.")] = False,
    repeat_champion: Annotated[
        bool, typer.Option("--repeat-champion", help="A/A arm: score S0 again with fresh seeds.")
    ] = False,
    level: Annotated[float, typer.Option(help="Chance that a champion is ever replaced wrongly.", min=0.0001)] = 0.05,
    margin: Annotated[float, typer.Option(help="Smallest lift worth a promotion.", min=0, max=0.99)] = 0.0,
    coverage: Annotated[float, typer.Option(help="Share of the runs that need a score.", min=0, max=1)] = 0.9,
    no_regression: Annotated[
        list[str] | None, typer.Option(help="A task that must not turn from pass to fail; may be given again.")
    ] = None,
    most_tokens_ratio: Annotated[
        float, typer.Option(help="The candidate may use so many times the champion's tokens.", min=0.1)
    ] = 2.0,
    promote: Annotated[
        str,
        typer.Option(help="'stage' writes the candidate beside; 'auto' replaces the skill if it won."),
    ] = "stage",
    max_cost: o.MaxCost = 10.0,
    max_cost_per_month: Annotated[
        float | None, typer.Option(help="Cap of all runs of the store in a calendar month.", min=0)
    ] = None,
    max_failed_share: o.MaxFailed = 0.1,
    workers: o.Workers = 8,
    store: o.StorePath = None,
    output: o.Output = Path(".trace2skill/runs"),
    json: o.AsJson = False,
) -> None:
    """Refresh a skill: rollout, distill, evaluate, decide.

    Everything paid for is kept in the store: after a failure, a Ctrl-C or a crash, run the same command again and it
    goes on from there.
    """
    settings = o.run_settings(
        data=data,
        domain=domain,
        domain_options=o.pairs(domain_option),
        skill=skill,
        roles=o.roles(
            model,
            agent_model,
            analyst_model,
            merger_model,
            temperature=temperature,
            effort=reasoning_effort,
            api_base=api_base,
            price=price,
            max_tokens=max_tokens,
            context=context,
            tools=tools,
            answers=answers,
            vision=vision,
        ),
        **o.loops(harness, agent_command, agent_set, max_turns),
        tasks=tasks,
        splits=split,
        seeds=tuple(range(seed, seed + seeds)),
        held_out_seeds=tuple(range(seed, seed + held_out_seeds)),
        analysts=analysts,
        error_analyst=error_analyst,
        merge={"fan_in": fan_in, "ask": merge_ask},
        edits={"allow_scripts": allow_scripts, "allow_description": allow_description},
        sources=o.sources(sources, labels=labels, analyst=source_analyst, judge=judge),
        polish=polish,
        forget_after=forget_after,
        recalculate=recalculate,
        sandbox=sandbox,
        candidates=candidates,
        select=select,
        no_skill=no_skill,
        repeat_champion=repeat_champion,
        gate={
            "level": level,
            "margin": margin,
            "coverage": coverage,
            "no_regression": tuple(no_regression or ()),
            "most_tokens_ratio": most_tokens_ratio,
        },
        promote=promote,
        max_cost=max_cost,
        max_cost_per_month=max_cost_per_month,
        max_failed_share=max_failed_share,
        workers=workers,
        store=o.store_path(store),
        output=output,
    )
    _refresh(settings, json)


def rollout(
    data: o.Data,
    model: o.Model,
    domain: o.Domain = "spreadsheet",
    domain_option: o.DomainOptions = None,
    skill: o.SkillDir = None,
    tasks: o.Tasks = None,
    seed: o.Seed = 41,
    seeds: o.Seeds = 1,
    api_base: o.ApiBase = None,
    price: o.Price = None,
    harness: o.Harness = "react",
    agent_command: o.AgentCommand = None,
    agent_set: o.AgentSet = None,
    max_turns: o.MaxTurns = None,
    max_tokens: o.MaxTokens = o.MOST_TOKENS,
    context: o.Context = None,
    tools: o.Tools = "auto",
    answers: o.Answers = "auto",
    vision: o.Vision = "auto",
    recalculate: o.Recalculate = "auto",
    sandbox: o.SandboxKind = "auto",
    max_cost: o.MaxCost = 10.0,
    max_failed_share: o.MaxFailed = 0.1,
    workers: o.Workers = 8,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Let the agent work on every task and score what it leaves. No lesson is drawn, no skill is changed."""
    settings = o.settings_of(locals())
    gathered = run_flow("rollout:rollout_all", settings, quiet=json)
    print_rollouts(gathered, as_json=json)


def distill(
    data: o.Data,
    model: o.Model,
    skill: Annotated[Path, typer.Option(help="Skill directory to deepen.")],
    domain: o.Domain = "spreadsheet",
    domain_option: o.DomainOptions = None,
    tasks: o.Tasks = None,
    seed: o.Seed = 41,
    seeds: o.Seeds = 1,
    analysts: o.Analysts = "+combined",
    api_base: o.ApiBase = None,
    price: o.Price = None,
    harness: o.Harness = "react",
    agent_command: o.AgentCommand = None,
    agent_set: o.AgentSet = None,
    max_turns: o.MaxTurns = None,
    max_tokens: o.MaxTokens = o.MOST_TOKENS,
    context: o.Context = None,
    tools: o.Tools = "auto",
    answers: o.Answers = "auto",
    vision: o.Vision = "auto",
    recalculate: o.Recalculate = "auto",
    sandbox: o.SandboxKind = "auto",
    max_cost: o.MaxCost = 10.0,
    max_failed_share: o.MaxFailed = 0.1,
    workers: o.Workers = 8,
    store: o.StorePath = None,
    output: o.Output = Path(".trace2skill/runs"),
    json: o.AsJson = False,
) -> None:
    """Rollout on the evolve tasks and write a candidate skill, without evaluating it."""
    settings = o.settings_of({**locals(), "evaluate": False})
    _refresh(settings, json)


def evaluate(
    data: o.Data,
    model: o.Model,
    skills: Annotated[
        list[Path] | None, typer.Argument(help="Skill directories to score; none scores without a skill.")
    ] = None,
    domain: o.Domain = "spreadsheet",
    domain_option: o.DomainOptions = None,
    tasks: o.Tasks = None,
    split: Annotated[
        str, typer.Option(help="Which tasks: validation or evolve; test is sealed and needs --why.")
    ] = "validation",
    why: Annotated[str, typer.Option(help="Why the test split is opened. It is counted and recorded.")] = "",
    seed: o.Seed = 41,
    seeds: o.Seeds = 1,
    api_base: o.ApiBase = None,
    price: o.Price = None,
    harness: o.Harness = "react",
    agent_command: o.AgentCommand = None,
    agent_set: o.AgentSet = None,
    max_turns: o.MaxTurns = None,
    max_tokens: o.MaxTokens = o.MOST_TOKENS,
    context: o.Context = None,
    tools: o.Tools = "auto",
    answers: o.Answers = "auto",
    vision: o.Vision = "auto",
    recalculate: o.Recalculate = "auto",
    sandbox: o.SandboxKind = "auto",
    max_cost: o.MaxCost = 10.0,
    workers: o.Workers = 8,
    store: o.StorePath = None,
    json: o.AsJson = False,
) -> None:
    """Score skills on held-out tasks, each task at each seed, beside the same agent without a skill."""
    chosen, which = skills or [], split
    values = {key: value for key, value in locals().items() if key not in ("skills", "split", "why", "chosen", "which")}
    settings = o.settings_of(values)
    evaluations = run_flow("evaluate:evaluate_skills", settings, chosen, which, why, quiet=json)
    print_evaluations(evaluations, as_json=json)


def _refresh(settings: RunSettings, as_json: bool) -> None:
    summary = run_flow("refresh:refresh", settings, quiet=as_json)
    print_summary(summary, as_json=as_json)
