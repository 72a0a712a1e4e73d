"""Options that several commands share, and how they become `RunSettings`."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from pydantic import ValidationError

from trace2skill.agents.recipes import harness_settings
from trace2skill.core.errors import BadInput
from trace2skill.core.noun import Noun
from trace2skill.llm.settings import ModelSettings, Roles
from trace2skill.runs.flat_settings import nested
from trace2skill.runs.settings import PLACES, RunSettings
from trace2skill.store import Store, open_store
from trace2skill.store.address import default_address, parse

N = TypeVar("N", bound=Noun)
MOST_TOKENS: int = ModelSettings.model_fields["max_tokens"].default

Domain = Annotated[
    str,
    typer.Option(help="Kind of task: a name (see `trace2skill domains`), or path/to/module.py:Class for your own."),
]
DomainOptions = Annotated[
    list[str] | None,
    typer.Option("--domain-option", help="KEY=VALUE for the kind of task; may be given again.", show_default=False),
]
Data = Annotated[Path, typer.Option(help="Directory of the data set.", show_default=False)]
SkillDir = Annotated[
    Path | None, typer.Option("--skill", help="Skill directory to deepen. Without it, S0 is drafted by the model.")
]
Model = Annotated[str, typer.Option(help="LiteLLM name of the model, e.g. anthropic/claude-sonnet-4-5 or sim/office.")]
AgentModel = Annotated[str | None, typer.Option(help="Another model for the agent.")]
AnalystModel = Annotated[str | None, typer.Option(help="Another model for the analysts and the proposer.")]
MergerModel = Annotated[str | None, typer.Option(help="Another model for the merger.")]
Temperature = Annotated[float | None, typer.Option(help="Sampling temperature; not sent unless given.")]
Effort = Annotated[str | None, typer.Option("--reasoning-effort", help="none, minimal, low, medium or high.")]
ApiBase = Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible or Ollama server.")]
Price = Annotated[str | None, typer.Option(help="IN,OUT: US dollars per million tokens, where LiteLLM knows none.")]
Vision = Annotated[
    Literal["auto", "yes", "no"],
    typer.Option(help="Does the model see pictures? auto asks LiteLLM; say yes for a server of your own that does."),
]
Tasks = Annotated[int | None, typer.Option(help="Use a stratified sample of so many tasks.", min=3)]
Split = Annotated[Literal["stratified", "paper"], typer.Option("--split", help="How tasks are divided.")]
Seed = Annotated[int, typer.Option(help="Seed of the division, the sample and the first rollout.")]
Seeds = Annotated[int, typer.Option(help="Rollouts per task, each with a seed of its own.", min=1, max=16)]
Analysts = Annotated[
    str,
    typer.Option(
        help="Which analysts run: +error (failures), +success, +combined (both), +contrast (a pass against a failure "
        "of the same task, with --seeds 2 or more), or several: +combined+contrast."
    ),
]
FanIn = Annotated[int, typer.Option(help="How many sides one merge unites: the paper's B.", min=2, max=64)]
MergeAsk = Annotated[
    Literal["touching", "always"],
    typer.Option(help="Ask the merger only where sides touch, or for every node, as the paper does."),
]
ErrorAnalyst = Annotated[
    Literal["agentic", "one_call"],
    typer.Option(help="agentic proves each cause by a fix that is run; one_call is the paper's ablation, unproven."),
]
Polish = Annotated[
    bool, typer.Option("--polish", help="One call per changed section for its wording; support and places stay.")
]
ForgetAfter = Annotated[
    int | None, typer.Option(help="Votes for a line count for so many versions of the skill; all, unless given.", min=1)
]
SourcePaths = Annotated[
    list[Path] | None,
    typer.Option("--sources", help="A file or folder of agents' logs to learn from besides; may be given again."),
]
Labels = Annotated[
    Path | None, typer.Option(help="JSON or CSV of scores from 0 to 1 by id of trajectory, session or task of a log.")
]
SourceAnalyst = Annotated[
    Literal["rules", "model"], typer.Option(help="Who examines logs: the model, by evidence, or rules without a model.")
]
Judge = Annotated[
    bool, typer.Option("--judge", help="Ask the model how a log ended where nothing else says so: a weak label.")
]
AllowScripts = Annotated[
    bool, typer.Option("--allow-scripts", help="Patches may create scripts; they are listed for review.")
]
AllowDescription = Annotated[
    bool, typer.Option("--allow-description", help="Patches may change the description in the front matter.")
]
Recalculate = Annotated[
    Literal["auto", "always", "never"], typer.Option(help="Recalculate formulas with LibreOffice before grading.")
]
SandboxKind = Annotated[
    Literal["auto", "bwrap", "docker", "process"],
    typer.Option("--sandbox", help="Where a model's commands run. 'process' is no security boundary."),
]
Harness = Annotated[
    str,
    typer.Option(
        help="Who plays the agent: react (built in), command, claude, codex, gemini, opencode, a YAML file, or a "
        "function as module:function or file.py:function. See docs/harnesses.md."
    ),
]
AgentCommand = Annotated[str | None, typer.Option(help="Shell command of the agent, e.g. with --harness command.")]
AgentSet = Annotated[
    list[str] | None, typer.Option(help="SETTING=VALUE of the harness, e.g. network=true; may be given again.")
]
MaxTurns = Annotated[
    int | None,
    typer.Option(help="Most answers in one loop; else 30 of the agent and 20 of the error analyst.", min=1, max=100),
]
MaxTokens = Annotated[int, typer.Option(help="Most tokens of one answer.", min=16)]
Tools = Annotated[
    Literal["auto", "native", "text"],
    typer.Option(
        help="How the model calls tools: natively, or in fenced blocks; auto asks LiteLLM, which knows no "
        "model of your own server."
    ),
]
Answers = Annotated[
    Literal["auto", "schema", "text"],
    typer.Option(
        help="Structured answers under a JSON schema that the server enforces, or as text; auto asks LiteLLM."
    ),
]
Context = Annotated[
    int | None, typer.Option(help="Tokens that prompt and answer may have, where LiteLLM does not know.", min=512)
]
MaxCost = Annotated[float, typer.Option(help="Cap of the run in US dollars.", min=0)]
MaxFailed = Annotated[float, typer.Option("--max-failed-share", help="Share of a stage that may fail.", min=0, max=1)]
Workers = Annotated[int, typer.Option(help="Steps under way at once.", min=1, max=256)]
StorePath = Annotated[
    str | None,
    typer.Option("--store", help="Where what was paid for is kept: a DuckDB file, or postgresql://user@host/database."),
]
Output = Annotated[Path, typer.Option(help="Where run directories are written.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else, on stdout.")]


def store_path(given: str | None) -> Path | str:
    """The store in use: the option, else $TRACE2SKILL_STORE, else .trace2skill/store.duckdb.

    Raises:
        BadInput: an address that cannot be, such as one with a password in it.
    """
    try:
        return parse(given) if given else default_address()
    except ValueError as error:
        raise BadInput(f"--store: {error}") from error


def existing_store(given: str | None) -> Store:
    """The store in use, opened.

    Raises:
        BadInput: there is none yet.
    """
    path = store_path(given)
    if isinstance(path, Path) and not path.is_file():
        raise BadInput(f"there is no store at {path}: run `trace2skill demo` first, or name one with --store")
    return open_store(path)


def roles(
    model: str,
    agent: str | None,
    analyst: str | None,
    merger: str | None,
    *,
    temperature: float | None,
    effort: str | None,
    api_base: str | None,
    price: str | None,
    max_tokens: int = MOST_TOKENS,
    context: int | None = None,
    tools: str = "auto",
    answers: str = "auto",
    vision: str = "auto",
) -> Roles:
    """The model of each role.

    Raises:
        BadInput: a value that cannot be.
    """

    def one(name: str) -> ModelSettings:
        return checked(
            ModelSettings,
            name=name,
            temperature=temperature,
            reasoning_effort=effort,
            api_base=api_base,
            price=_price(price),
            max_tokens=max_tokens,
            context=context,
            tools=tools,
            answers=answers,
            vision=vision,
        )

    return Roles(agent=one(agent or model), analyst=one(analyst or model), merger=one(merger or model))


def sources(paths: list[Path] | None, **how: object) -> dict[str, object] | None:
    """The logs to learn from, None for none."""
    return {"paths": tuple(paths), **how} if paths else None


def run_settings(**values: object) -> RunSettings:
    """Settings from options, each by the name of its field.

    Raises:
        BadInput: a value that cannot be; names the setting.
    """
    return checked(RunSettings, **nested(values, PLACES, quiet=True))


def loops(
    harness: str, agent_command: str | None, agent_set: list[str] | None, max_turns: int | None
) -> dict[str, dict[str, object]]:
    """The settings `agent` and `analyst`: who the agent is, and when loops end.

    Raises:
        BadInput: there is no such harness, or it cannot be so.
    """
    turns: dict[str, object] = {} if max_turns is None else {"turns": max_turns}
    outside = harness_settings(harness, agent_command, agent_set or ())
    return {"agent": {"loop": turns, "harness": outside}, "analyst": {"turns": 20, **turns}}


def settings_of(values: dict[str, object]) -> RunSettings:
    """Settings from a command's options, by name."""
    given = dict(values)
    given.pop("json", None)
    given["domain_options"] = pairs(given.pop("domain_option", None))  # type: ignore[arg-type]
    who: list[Any] = [given.pop(name) for name in ("harness", "agent_command", "agent_set", "max_turns")]
    given |= loops(*who)
    model, api_base, price = (given.pop(name) for name in ("model", "api_base", "price"))
    vision = given.pop("vision", "auto")
    seed, seeds = given.pop("seed"), given.pop("seeds")
    numbers = tuple(int(str(seed)) + number for number in range(int(str(seeds))))
    shared: dict[str, Any] = {name: given.pop(name) for name in ("max_tokens", "context", "tools", "answers")}
    shared |= {"api_base": api_base, "price": price, "vision": vision}
    played = roles(str(model), None, None, None, temperature=None, effort=None, **shared)
    store = store_path(given.pop("store"))  # type: ignore[arg-type]
    return run_settings(**given, roles=played, seeds=numbers, held_out_seeds=numbers, store=store)


def checked(cls: type[N], **values: Any) -> N:
    """Build a noun from options; what pydantic finds wrong becomes one message."""
    try:
        return cls(**values)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise BadInput(f"these settings cannot be: {said}") from error


def pairs(given: list[str] | None) -> dict[str, str]:
    """KEY=VALUE options as a mapping.

    Raises:
        BadInput: one without '='.
    """
    wrong = [item for item in given or () if "=" not in item]
    if wrong:
        raise BadInput(f"--domain-option {wrong[0]}: write it as KEY=VALUE")
    return {key.strip(): value.strip() for key, _, value in (item.partition("=") for item in given or ())}


def _price(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        price_in, price_out = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"--price {text}: give two numbers, IN,OUT, in US dollars per million tokens") from None
    if min(price_in, price_out) < 0:
        raise BadInput(f"--price {text}: a price is not negative")
    return price_in, price_out
