"""The tools of a coding agent, asked by the protocol's own client over stdin and stdout of a server process."""

import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
from conftest import environment
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from remotes import Remote
from sessions_of_tests import sessions

Asked = Callable[..., Awaitable[Any]]


pytestmark = pytest.mark.slow


@pytest.fixture
def asked(tmp_path: Path, prefect_home: Path) -> Callable[[Callable[[Asked], Awaitable[None]]], None]:
    """Runs a conversation with a server that lives in the test's directory."""

    def run(talk: Callable[[Asked], Awaitable[None]]) -> None:
        async def conversation() -> None:
            command = str(Path(sys.executable).parent / "trace2skill")
            server = StdioServerParameters(command=command, args=["mcp"], env=environment(prefect_home), cwd=tmp_path)
            async with Client(server) as client:

                async def call(tool: str, refused: bool = False, **given: Any) -> Any:
                    said = await client.call_tool(tool, given)
                    assert bool(said.is_error) == refused, said
                    text = said.content[0].text
                    try:
                        return json.loads(text)
                    except ValueError:
                        return text

                call.client = client  # type: ignore[attr-defined]
                await talk(call)

        anyio.run(conversation)

    return run


def test_no_program_that_lies_where_the_agent_works_is_run(asked: Any, tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("open('ran', 'w')\nraise SystemExit(3)\n")

    async def talk(call: Asked) -> None:
        assert "name one with --store" in await call("versions", refused=True)

    asked(talk)
    assert not (tmp_path / "ran").exists()


def test_an_agent_learns_from_sessions_looks_and_proposes(asked: Any, tmp_path: Path) -> None:
    remote = Remote(tmp_path)
    sessions(tmp_path / "logs")

    async def talk(call: Asked) -> None:
        listed = await call.client.list_tools()  # type: ignore[attr-defined]
        assert {tool.name for tool in listed.tools} == {
            *(
                "learn",
                "next_request",
                "show_request",
                "answer_request",
                "stop",
                "why",
                "book",
                "runs",
                "versions",
                "quarantine",
                "propose",
            )
        }
        assert all(tool.description for tool in listed.tools)
        learned = await call("learn", paths=["logs"])
        assert learned["rules"] == [
            {"text": "- The environment lacks `asgiref`: install it first (`pip install asgiref`).", "tasks": 6}
        ]
        assert "asked by 6 tasks" in await call("why", skill=learned["skill"])
        assert "asked by 6 tasks" in await call("why", skill=learned["skill"], line=10)
        assert "asgiref" in await call("book", skill=learned["skill"])
        assert learned["run"] in await call("runs")
        assert "learned-from-traces" in await call("versions")
        assert "nothing is in quarantine" in await call("quarantine")
        where = remote.address(path="skills/learned-from-traces")
        plan = await call("propose", run=learned["run"], to=where)
        assert plan["into"] == "main"
        assert remote.git("branch", "--format=%(refname:short)") == "main", "a trial, unless it is told otherwise"
        assert "has no line 99" in await call("why", skill=learned["skill"], line=99, refused=True)
        for tool, given in (
            ("why", {"skill": "--help"}),
            ("book", {"skill": "--store=x"}),
            ("versions", {"name": "--json"}),
        ):
            said = str(await call(tool, **given, refused=tool != "versions"))
            assert "Usage" not in said, "no argument of a model is an option"

    asked(talk)


def test_the_session_itself_answers_what_a_model_would_be_asked(asked: Any, tmp_path: Path) -> None:
    sessions(tmp_path / "logs", count=2)

    async def talk(call: Asked) -> None:
        begun = await call("learn", paths=["logs"], by="you")
        answered, state = 0, {}
        while state.get("state") != "ended":
            state = await call("next_request", folder=begun["folder"])
            if state["state"] == "asked":
                id = state["id"]
                again = await call("next_request", folder=begun["folder"])
                assert (again["state"], again["id"]) == ("asked", id), "it may have lost what it was asked"
                refused = await call("answer_request", folder=begun["folder"], id=id, answer="no JSON at all")
                assert "JSON" in refused["said"]
                said = await call("answer_request", folder=begun["folder"], id=id, answer='{"lessons": []}')
                answered += 1
                assert answered < 20, said
        assert answered >= 1
        assert state["rules"] == []
        assert "no run of this session" in await call("next_request", folder="../else", refused=True)

    asked(talk)


def test_a_run_that_waits_for_the_session_ends_with_it(asked: Any, tmp_path: Path) -> None:
    sessions(tmp_path / "logs", count=2)
    running: list[psutil.Process] = []

    async def talk(call: Asked) -> None:
        begun = await call("learn", paths=["logs"], by="you")
        state = {"state": "wait"}
        while state["state"] == "wait":
            state = await call("next_request", folder=begun["folder"])
        every = psutil.process_iter(["cmdline"])
        running.extend(one for one in every if begun["folder"] in " ".join(one.info["cmdline"] or ()))
        assert running
        stopped = await call("learn", paths=["logs"], by="you")
        assert await call("stop", folder=stopped["folder"]) == {"state": "ended"}

    asked(talk)
    _, alive = psutil.wait_procs(running, timeout=10)
    assert not alive
