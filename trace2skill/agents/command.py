"""Any agent with a command line tool as a harness: run in the sandbox, its log read back, its traces removed.

A rollout is one unit: it has a result, or it is run again from the start. An exit code that nobody called an end is a
fault, not a score of 0.
"""

import contextlib
import logging
import os
import re
import shlex
import shutil
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from trace2skill.agents.agent_log import AgentLog, cleaned, cost_in, matching_paths, read_log, tail
from trace2skill.agents.billing import bound_of, charge
from trace2skill.agents.harness import VARIABLE, Assignment, CommandSettings, identity_of
from trace2skill.agents.loop import Conversation, LoopLimits
from trace2skill.core.errors import BadInput, InfrastructureFault, ModelUnusable, Trace2SkillError
from trace2skill.llm import Client, ModelSettings
from trace2skill.prompts import prompt_digest, render
from trace2skill.sandbox import Access, CommandResult, Sandbox, safe_read
from trace2skill.sandbox.tree import remove_tree, scratch_directory
from trace2skill.skills.skill import Skill, write_files
from trace2skill.types.trajectory import StopReason

log = logging.getLogger(__name__)
PROMPT = "command_task"
OWN = ".trace2skill"
"""Directory of ours in the agent's home: its prompt, and what it prints."""
LARGEST_OUTPUT = 64 * 2**20
NOT_STARTED = (126, 127)
WORKSPACE, HOME = "/workspace", "/tmp/home"


class Command:
    """An agent's command line tool."""

    def __init__(self, sandbox: Sandbox, model: ModelSettings, loop: LoopLimits, settings: CommandSettings) -> None:
        self._sandbox = sandbox
        self._model = model
        self._loop = loop
        self._settings = settings
        self.agent = settings.label

    @cached_property
    def version(self) -> str:
        """What the version command prints, '' without one.

        Raises:
            BadInput: it fails; so would every rollout.
        """
        command = self._settings.version_command
        if not command:
            return ""
        with scratch_directory(prefix="t2s-version-") as directory:
            workspace, home = self._places(Path(directory))
            access = Access(home=home, visible=self._settings.visible)
            result = self._sandbox.run(command, workspace, limits=self._settings.limits, access=access)
        said = " ".join(result.output.split())[:200]
        if result.exit_code != 0:
            raise BadInput(
                f"harness {self.agent}: `{command}` ended with exit code {result.exit_code} in the sandbox: {said}; is "
                "it installed, and are its directories outside /usr named in `visible`? see docs/harnesses.md"
            )
        return said

    @property
    def identity(self) -> dict[str, object]:
        """See `Harness.identity`. The turns and money that the command may name are in it, where it names them."""
        given = set(VARIABLE.findall(self._settings.command))
        named = {name: value for name, value in self._limits.items() if name in given}
        more = {"version": self.version, "prompts": prompt_digest(PROMPT), "loop": named}
        return dict(identity_of(self._settings, **more, observation_chars=self._loop.observation_chars))

    def work(self, client: Client, assignment: Assignment) -> Conversation:
        """See `Harness.work`."""
        settings, model = self._settings, self._model
        secrets = self._secrets()
        with scratch_directory(prefix="t2s-agent-") as directory:
            home = self._places(Path(directory))[1]
            before = set(matching_paths(assignment.workspace, "*"))
            prompt = self._lay_out(assignment, home)
            bound, params = bound_of(settings, self._loop), {"harness": self.agent, "version": self.version}
            with client.elsewhere(
                bound, step=assignment.step, model=model.name, params=params, key=assignment.scope
            ) as bill:
                result = self._run(assignment, home, Path(directory), secrets)
                out, err = (safe_read(home, f"{OWN}/{name}", LARGEST_OUTPUT) or b"" for name in ("stdout", "stderr"))
                found = read_log(
                    settings.log, settings.format, {"home": home, "workspace": assignment.workspace}, out, prompt
                )
                said = (out + b"\n" + err).decode("utf-8", "replace")
                started = result.exit_code not in NOT_STARTED and (found.spoke or result.exit_code in (0, None))
                charge(bill, settings, model, found.usage, cost_in(said, settings.cost_at), bound, started=started)
                stop = self._stop(result, said, secrets)
                bill.outcome = "answered"
            self._clear(assignment, before)
            names = {str(assignment.workspace): WORKSPACE, str(home): HOME}
        steps = cleaned(found.steps, secrets, names, self._loop.observation_chars)
        return Conversation(steps, stop, bill.usage, extra=self._extra(found, bill.cost_from))

    def _places(self, directory: Path) -> tuple[Path, Path]:
        """An empty workspace, and a home with the files that are copied into it."""
        workspace, home = directory / "workspace", directory / "home"
        workspace.mkdir()
        (home / OWN).mkdir(parents=True)
        for name in self._settings.home_files:
            source, target = Path.home() / name, home / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            elif source.is_file():
                shutil.copyfile(source, target)
            else:
                raise BadInput(f"harness {self.agent}: home_files names {source}, which is not there")
        return workspace, home

    def _secrets(self) -> dict[str, str]:
        """The variables that are passed on.

        Raises:
            BadInput: one that is wanted is not set.
        """
        found = {}
        for name in self._settings.env:
            value = os.environ.get(name.rstrip("?"))
            if value:
                found[name.rstrip("?")] = value
            elif not name.endswith("?"):
                raise BadInput(f"harness {self.agent} needs {name} in the environment; it is not set")
        return found

    def check(self) -> None:
        """Refuse what cannot work before anything is spent.

        Raises:
            BadInput: a variable or a file is missing, or the tool itself is.
        """
        self._secrets()
        _ = self.version

    def _skill_at(self, skill: Skill | None) -> str:
        return self._settings.skill_at.replace("{skill_name}", skill.name) if skill else ""

    def _installed(self, assignment: Assignment) -> dict[str, Skill]:
        """The skills that are mounted, by their place."""
        every = (*((assignment.skill,) if assignment.skill else ()), *assignment.library)
        return {place: skill for skill in every if (place := self._skill_at(skill))}

    def _lay_out(self, assignment: Assignment, home: Path) -> str:
        """Write the prompt and the text of the skill where the agent looks; returns the prompt."""
        skill, settings = assignment.skill, self._settings
        prompt = assignment.prompt if assignment.library else self._told(assignment)
        (home / OWN / "prompt.md").write_text(prompt, encoding="utf-8", errors="replace")
        if settings.skill_text_at and skill:
            target = assignment.workspace / settings.skill_text_at
            if target.exists():
                raise BadInput(
                    f"harness {self.agent}: the task has a {settings.skill_text_at} of its own; use skill_in_prompt"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(skill.body, encoding="utf-8")
        return prompt

    def _told(self, assignment: Assignment) -> str:
        """The task, with the word that there is a skill for it."""
        skill, place = assignment.skill, self._skill_at(assignment.skill)
        return render(
            PROMPT,
            description=assignment.prompt,
            skill_name=skill.name if skill and place else "",
            skill_dir=place,
            skill_body=skill.body if skill and self._settings.skill_in_prompt else "",
        )

    def _run(self, assignment: Assignment, home: Path, directory: Path, secrets: Mapping[str, str]) -> CommandResult:
        settings = self._settings
        installed = enumerate(self._installed(assignment).items())
        mounts = {place: write_files(skill, directory / f"skill-{number}") for number, (place, skill) in installed}
        for mount in mounts:  # else bwrap makes the folders above it for root alone
            (assignment.workspace / mount).mkdir(parents=True, exist_ok=True)
        command = self._filled_in(assignment, (home / OWN / "prompt.md").read_text(encoding="utf-8"))
        script = f'{{\n{command}\n}} >"$HOME/{OWN}/stdout" 2>"$HOME/{OWN}/stderr"'
        access = Access(network=settings.network, environment=secrets, home=home, visible=settings.visible)
        return self._sandbox.run(script, assignment.workspace, read_only=mounts, limits=settings.limits, access=access)

    def _filled_in(self, assignment: Assignment, prompt: str) -> str:
        skill, model = assignment.skill, self._model.name
        quoted = {
            "prompt": prompt,
            "skill_dir": self._skill_at(skill),
            "skill_name": skill.name if skill else "",
            "model": model,
            "model_id": model.partition("/")[2] or model,
            "seed": str(assignment.seed),
            **self._limits,
        }
        values = {name: shlex.quote(value) for name, value in quoted.items()}
        values["prompt_file"] = f'"$HOME/{OWN}/prompt.md"'
        return VARIABLE.sub(lambda found: values[found[1]], self._settings.command)

    @property
    def _limits(self) -> dict[str, str]:
        return {"max_turns": str(self._loop.turns), "max_cost": f"{self._loop.cost:g}"}

    def _stop(self, result: CommandResult, said: str, secrets: Mapping[str, str]) -> StopReason:
        """How the agent ended.

        Raises:
            InfrastructureFault, BadInput, ModelUnusable: it did not end, it broke.
        """
        settings, code = self._settings, result.exit_code
        if result.stopped:
            return "time_limit" if result.stopped == "time" else "space_limit"
        for pattern, stop in settings.output_stops.items():
            if re.search(pattern, said):
                return stop
        broken = bool(settings.faults and re.search(settings.faults, said))
        if not broken and code == 0:
            return "answered"
        if not broken and code in settings.exit_stops:
            return settings.exit_stops[code]
        raise self._fault(code, said, secrets)

    def _fault(self, code: int | None, said: str, secrets: Mapping[str, str]) -> Trace2SkillError:
        words = tail(said, secrets) or "it printed nothing"
        if code in NOT_STARTED:
            return BadInput(f"harness {self.agent}: its command was not found or cannot be run in the sandbox: {words}")
        if re.search(self._settings.unusable, said[-20_000:]):
            return ModelUnusable(f"harness {self.agent} ended with exit code {code}: {words}; check its key or login")
        return InfrastructureFault(f"harness {self.agent} ended with exit code {code}: {words}")

    def _clear(self, assignment: Assignment, before: set[str]) -> None:
        """Take out of the workspace what is no work: the skill, the tool's own files, its logs."""
        workspace, settings = assignment.workspace, self._settings
        globs = [*settings.leftovers, *(place[10:] for place in settings.log if place.startswith("workspace:"))]
        doomed = [*self._installed(assignment), settings.skill_text_at if assignment.skill else ""]
        doomed += [path for glob in globs for path in matching_paths(workspace, glob) if path not in before]
        for path in filter(None, doomed):
            _remove(workspace, path)

    def _extra(self, found: AgentLog, cost_from: str) -> dict[str, object]:
        extra: dict[str, object] = {"log": found.format, "cost_from": cost_from}
        if found.problem:
            log.warning("harness %s: its log was not read: %s", self.agent, found.problem)
            extra["log_problem"] = found.problem
        return extra


def _remove(workspace: Path, relative: str) -> None:
    """Remove what lies there, and folders that are empty then; nothing that a link leads to."""
    path = workspace / relative
    with contextlib.suppress(OSError):  # a folder that holds more, a name too long, one that nobody may look into
        if not path.parent.resolve().is_relative_to(workspace.resolve()):
            return
        if path.is_symlink() or path.is_file():
            path.unlink(missing_ok=True)
        elif path.is_dir():
            remove_tree(path)
        for parent in path.relative_to(workspace).parents[:-1]:
            (workspace / parent).rmdir()
