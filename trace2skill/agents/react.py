"""The built-in agent: reason, act, observe (ReAct, https://arxiv.org/abs/2210.03629), with one `bash` tool."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from trace2skill.agents.loop import Conversation, LoopLimits, Said, Tool, converse
from trace2skill.agents.sandbox import CommandResult, Limits, Sandbox
from trace2skill.llm import Door, ModelSettings, Request, ToolSpec
from trace2skill.llm.transport import has_native_tools
from trace2skill.noun import Noun
from trace2skill.prompts import prompt_digest, render
from trace2skill.skill import Skill, write_files
from trace2skill.store import Store

PROMPTS = ("agent_system", "agent_task")
BASH = ToolSpec(
    name="bash",
    description="Run a shell command in /workspace and read what it prints.",
    parameters={
        "type": "object",
        "properties": {"command": {"type": "string", "description": "The command, as for bash -c."}},
        "required": ["command"],
    },
)


class AgentSettings(Noun):
    """The agent's limits. All of them can change a trajectory, so all of them are in its key."""

    loop: LoopLimits = LoopLimits()
    command: Limits = Field(default=Limits(), description="Limits of each command.")

    @property
    def identity(self) -> dict[str, object]:
        """What a trajectory's key holds of the agent."""
        return {"agent": "react 1", "settings": self.model_dump(mode="json"), "prompts": prompt_digest(*PROMPTS)}


def bash_tool(sandbox: Sandbox, workspace: Path, read_only: Mapping[str, Path], limits: Limits) -> Tool:
    """The `bash` tool over one workspace."""

    def call(arguments: Mapping[str, object]) -> Said:
        result = sandbox.run(str(arguments["command"]), workspace, read_only=read_only, limits=limits)
        return Said(in_words(result, limits), result.exit_code)

    return Tool(BASH, call, bare="command")


def in_words(result: CommandResult, limits: Limits) -> str:
    """What the model reads of a command's result."""
    notes = {
        "time": f"[stopped: it ran longer than {limits.wall_seconds:g} s]",
        "output": f"[stopped: it printed more than {limits.output_bytes} bytes]",
        "disk": f"[stopped: it filled more than {limits.workspace_mb} MB of the workspace]",
    }
    parts = [result.output.rstrip("\n")]
    if result.omitted_bytes:
        parts.append(f"[{result.omitted_bytes} bytes of output were left out]")
    if result.stopped:
        parts.append(notes[result.stopped])
    return "\n".join(part for part in parts if part) or "(no output)"


def work(
    door: Door,
    store: Store,
    sandbox: Sandbox,
    model: ModelSettings,
    settings: AgentSettings,
    *,
    description: str,
    workspace: Path,
    skill: Skill | None,
    memory: str = "",
    seed: int,
    step: str,
    scope: str,
) -> Conversation:
    """Let the agent work on one task in a laid-out workspace. See `converse` for what it raises.

    The body of SKILL.md stands in the system prompt (method.md section 2); the other files are mounted read-only at
    `skill/` and count only if they are opened. `memory`, lessons recalled for the task, stands behind them.
    """
    system = render(
        "agent_system",
        native_tools=has_native_tools(model),
        skill=skill,
        skill_files=[file.path for file in skill.files if file.path != "SKILL.md"] if skill else [],
    )
    opening = Request(
        role="agent",
        settings=model,
        messages=(
            {"role": "system", "content": f"{system}\n{memory}" if memory else system},
            {"role": "user", "content": render("agent_task", description=description)},
        ),
        seed=seed,
    )
    with tempfile.TemporaryDirectory(prefix="t2s-skill-") as directory:
        mounts = {"skill": write_files(skill, Path(directory) / "skill")} if skill else {}
        tool = bash_tool(sandbox, workspace, mounts, settings.command)
        return converse(door, store, opening, (tool,), settings.loop, step=step, scope=scope)


def skill_use(conversation: Conversation, skill: Skill | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which files of the skill the commands opened and which of its scripts they ran, by name in the command.

    A path counts when the command holds it behind `skill/`; a script counts as run when an interpreter or a shell is
    called on it, else as opened.
    """
    opened: set[str] = set()
    run: set[str] = set()
    commands = [
        str(call.arguments.get("command", ""))
        for step in conversation.steps
        for call in step.tool_calls
        if call.name == "bash"
    ]
    for file in skill.files if skill else ():
        path = re.escape(file.path)
        for command in commands:
            if not re.search(rf"skill/{path}(?![\w./-])", command):
                continue
            launched = rf"(?:python3?|bash|sh)\s+(?:\S*/)?skill/{path}|(?:^|[;&|]\s*)(?:\./)?skill/{path}"
            is_script = file.path.startswith("scripts/")
            (run if is_script and re.search(launched, command) else opened).add(file.path)
    return tuple(sorted(opened)), tuple(sorted(run))
