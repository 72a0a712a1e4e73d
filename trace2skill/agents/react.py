"""The built-in agent: reason, act, observe (ReAct, https://arxiv.org/abs/2210.03629), with one `bash` tool."""

import re
import tempfile
from collections.abc import Mapping
from operator import not_
from pathlib import Path

from pydantic import Field

from trace2skill.agents.harness import Assignment, OutsideSettings
from trace2skill.agents.loop import Conversation, LoopLimits, Said, Tool, converse
from trace2skill.core.record import Record
from trace2skill.llm import Client, ModelSettings, Request, ToolSpec
from trace2skill.llm.transport import has_native_tools
from trace2skill.prompts import prompt_digest, render
from trace2skill.sandbox import CommandResult, Limits, Sandbox
from trace2skill.skills.skill import Skill, write_files
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


class AgentSettings(Record):
    """The agent's limits. All of them can change a trajectory, so all of them are in its key."""

    loop: LoopLimits = LoopLimits()
    command: Limits = Field(default=Limits(), description="Limits of each command.")
    harness: OutsideSettings | None = Field(
        default=None, exclude_if=not_, description="Another agent: a command line tool or a function; none is ours."
    )

    @property
    def identity(self) -> dict[str, object]:
        """What a trajectory's key holds of the built-in agent."""
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
        "files": f"[stopped: it left more than {limits.files} files and folders in the workspace]",
        "memory": f"[stopped: its processes together took more than {limits.memory_of_all >> 20} MB of memory]",
    }
    parts = [result.output.rstrip("\n")]
    if result.omitted_bytes:
        parts.append(f"[{result.omitted_bytes} bytes of output were left out]")
    if result.stopped:
        parts.append(notes[result.stopped])
    return "\n".join(part for part in parts if part) or "(no output)"


class React:
    """The built-in agent as a harness."""

    agent = version = ""

    def __init__(self, store: Store, sandbox: Sandbox, model: ModelSettings, settings: AgentSettings) -> None:
        self._store = store
        self._sandbox = sandbox
        self._model = model
        self._settings = settings

    @property
    def identity(self) -> dict[str, object]:
        """See `Harness.identity`."""
        return self._settings.identity

    def work(self, client: Client, assignment: Assignment) -> Conversation:
        """See `Harness.work`, and `converse` for what it raises.

        The body of SKILL.md stands in the system prompt (arXiv 2603.25158, section 2); the other files are mounted
        read-only at `skill/` and count only if they are opened.
        """
        skill, settings = assignment.skill, self._settings
        with tempfile.TemporaryDirectory(prefix="t2s-skill-") as directory:
            mounts = {"skill": write_files(skill, Path(directory) / "skill")} if skill else {}
            tool = bash_tool(self._sandbox, assignment.workspace, mounts, settings.command)
            opening = self._opening(assignment)
            step, scope = assignment.step, assignment.scope
            return converse(client, self._store, opening, (tool,), settings.loop, step=step, scope=scope)

    def _opening(self, assignment: Assignment) -> Request:
        skill = assignment.skill
        system = render(
            "agent_system",
            native_tools=has_native_tools(self._model),
            shown=self._settings.loop.observation_chars,
            skill=skill,
            skill_files=[file.path for file in skill.files if file.path != "SKILL.md"] if skill else [],
        )
        memory = assignment.memory
        messages = (
            {"role": "system", "content": f"{system}\n{memory}" if memory else system},
            {"role": "user", "content": render("agent_task", description=assignment.description)},
        )
        return Request(
            role="agent", settings=self._model, messages=messages, pictures=assignment.pictures, seed=assignment.seed
        )


def skill_use(conversation: Conversation, skill: Skill | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which files of the skill the agent opened and which of its scripts it ran, by name in what it asked its tools.

    A path counts when a call holds it behind `skill/`, or behind the skill's own name; a script counts as run when an
    interpreter or a shell is called on it, else as opened. A tool that is itself called 'skill' opens SKILL.md.
    """
    opened: set[str] = set()
    run: set[str] = set()
    calls = [call for step in conversation.steps for call in step.tool_calls]
    asked = [text for call in calls for text in _texts(call.arguments)]
    for file in skill.files if skill else ():
        place = rf"(?:skill|{re.escape(skill.name if skill else '')})/{re.escape(file.path)}"
        for text in asked:
            if not re.search(rf"{place}(?![\w./-])", text):
                continue
            launched = rf"(?:python3?|bash|sh)\s+(?:\S*/)?{place}|(?:^|[;&|]\s*)(?:\./)?{place}"
            is_script = file.path.startswith("scripts/")
            (run if is_script and re.search(launched, text) else opened).add(file.path)
    if skill and any(call.name.lower() == "skill" and skill.name in _texts(call.arguments) for call in calls):
        opened.add("SKILL.md")
    return tuple(sorted(opened)), tuple(sorted(run))


def _texts(value: object) -> list[str]:
    """Every text in the arguments of a call."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return [text for item in items for text in _texts(item)]
