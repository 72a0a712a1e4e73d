"""docs/deploy.md as what it is: blocks for a shell, run in a checkout in the order in which they stand."""

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from conftest import PATIENCE, ROOT

BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE | re.DOTALL)
BEGIN = BLOCKS[0]
"""A server in the background, the deployments, and a worker that stays."""
RUN_BY = ("prefect server start", "trace2skill status", "trace2skill estimate", "trace2skill approve")
"""A word of each block that is run, in their order; the first by `begun`."""
NOT_RUN = {"docker compose": "no container engine where tests run; bench/containers.py runs what it starts"}
"""A word of each block that is not run, and why."""
ADDRESS = "127.0.0.1:4200"


def with_programs(checkout: Path) -> str:
    """$PATH in a shell where the checkout's environment is activated, as the first block does."""
    return f"{checkout / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"


def typed(block: str, checkout: Path, env: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Run a block as one script; returns what it said. The words that readers replace, such as RUN, are replaced."""
    for word, meant in words.items():
        assert word in block
        block = re.sub(rf"\b{word}\b", meant, block)
    known = {**env, "PATH": with_programs(checkout)}
    done = subprocess.run(
        ["bash", "-ec", block], cwd=checkout, env=known, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def begun(checkout: Path, env: Mapping[str, str], said: Path) -> Iterator[str]:
    """Run the first block; yields the API's address when its worker has come, which is then lost with its machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mine = {**env, "PREFECT_SERVER_API_PORT": str(port)}
    block = BEGIN.replace(ADDRESS, f"127.0.0.1:{port}")
    block = block.replace("trace2skill deploy", f"trace2skill deploy --wait {PATIENCE:.0f}")  # a machine may be busy
    with said.open("wb") as log:
        shell = subprocess.Popen(
            ["bash", "-ec", block], cwd=checkout, env=mine, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    processes: dict[str, psutil.Process] = {}
    try:
        deadline = time.monotonic() + PATIENCE
        while "started!" not in said.read_text():
            assert shell.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            processes |= programs_of(shell)
            time.sleep(0.2)
        processes |= programs_of(shell)
        processes["worker"].kill()
        shell.wait()
        yield f"http://127.0.0.1:{port}/api"
    finally:
        shell.kill()
        if server := processes.get("server"):
            server.terminate()
            server.wait(60)


def programs_of(shell: "subprocess.Popen[bytes]") -> dict[str, psutil.Process]:
    """The server and the worker, as far as a shell has started them; it becomes the last program itself."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [itself := psutil.Process(shell.pid), *itself.children()]
        return {word: one for one in family for word in ("server", "worker") if word in one.cmdline()}
    return {}
