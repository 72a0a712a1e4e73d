"""The plug-in for coding agents says what the product has, in the forms that such agents read."""

import json
import re
from pathlib import Path

from conftest import ROOT

from trace2skill import __version__
from trace2skill.cli.agent_tools import AgentTools
from trace2skill.skills.skill import problems, read_skill

PLUGIN = ROOT / "plugins" / "trace2skill"
MANIFEST = {"$schema", "name", "version", "description", "author", "homepage", "repository", "license", "keywords"}
"""Fields of a manifest of Agent Plugins 1.0.0 (agent-plugins.org) that we may use; unknown ones are refused."""


def read(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((PLUGIN / name).read_text())
    return found


def test_the_manifests_have_their_form_and_say_the_same() -> None:
    portable, own = read("plugin.json"), read(".claude-plugin/plugin.json")
    assert portable.keys() <= MANIFEST
    assert portable["$schema"] == "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"
    assert re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", str(portable["name"]))
    assert portable["version"] == __version__
    assert {name: own[name] for name in portable.keys() - {"$schema"}} == {
        name: value for name, value in portable.items() if name != "$schema"
    }
    servers = read("mcp.json")
    assert servers["$schema"] == "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json"
    server = {"command": "trace2skill", "args": ["mcp"]}
    assert servers["mcpServers"] == {"trace2skill": {"type": "stdio", **server}}
    assert own["mcpServers"] == {"trace2skill": server}


def test_the_skill_is_valid_and_names_tools_that_there_are() -> None:
    (folder,) = (PLUGIN / "skills").iterdir()
    skill = read_skill(folder)
    assert not problems(skill)
    tools = {name for name in vars(AgentTools) if not name.startswith("_") and name != "close"}
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)?)`", skill.body)) & (tools | {"next", "answer", "show"})
    assert {
        "learn",
        "next_request",
        "show_request",
        "why",
        "book",
        "runs",
        "versions",
        "quarantine",
        "propose",
    } <= named
    assert Path(folder).name == skill.name
