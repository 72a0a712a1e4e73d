"""Which harness plays the agent of a run."""

from trace2skill.agents.command import Command
from trace2skill.agents.harness import CommandSettings, Harness
from trace2skill.agents.python import PythonFunction
from trace2skill.agents.react import AgentSettings, React
from trace2skill.llm import ModelSettings
from trace2skill.sandbox import Sandbox
from trace2skill.store import Store


def choose_harness(
    settings: AgentSettings, model: ModelSettings, store: Store, sandbox: Sandbox, bare: Sandbox
) -> Harness:
    """The harness that the settings name, checked.

    Args:
        settings: of the agent.
        model: the model of the agent's role.
        store: keeps what the built-in agent's tools answered.
        sandbox: where the built-in agent's commands take turns.
        bare: the same without turns.

    Raises:
        BadInput: it cannot work here; says why.
    """
    outside = settings.harness
    if outside is None:
        return React(store, sandbox, model, settings)
    if isinstance(outside, CommandSettings):
        found: Command | PythonFunction = Command(bare, model, settings.loop, outside)
    else:
        found = PythonFunction(model, settings.loop, outside)
    found.check()
    return found
