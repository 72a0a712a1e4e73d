"""Takes the pictures of the docs: a night of the demo in Prefect's UI, and the report of a run.

    python bench/pictures.py                  # writes docs/images; some two minutes of CPU
    python bench/pictures.py --to DIR

A server, a worker and the deployments as docs/deploy.md has them, in a home of their own, with `promote: approve`.
Wanted besides the development environment: Debian's chromium.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
NIGHTLY = "refresh/nightly-refresh"
SIZE = {"width": 1400, "height": 900}
TALL = {"width": 900, "height": 1750}
COLOURS = 96
"""Of a picture, in a palette: text of a UI needs no more, and a picture has 150 kB at most."""
SETTLED = 8_000
"""Milliseconds in which the UI draws what it has asked for."""


@contextmanager
def running(words: list[str], env: dict[str, str], log: Path) -> Iterator[None]:
    """A program that ends with the block."""
    with log.open("ab") as said:
        process = subprocess.Popen([str(BIN / words[0]), *words[1:]], cwd=ROOT, env=env, stdout=said, stderr=said)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


class Server:
    """The API of the server whose UI is looked at."""

    def __init__(self, port: int) -> None:
        self.ui = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=f"{self.ui}/api", timeout=60)

    def ask(self, path: str, body: Any = None, method: str = "") -> Any:
        """Ask for JSON; a body is sent. Again where the server is busy."""
        for _ in range(30):
            answer = self.client.request(method or ("GET" if body is None else "POST"), path, json=body)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def wait(self, run: str, *names: str) -> None:
        """Wait until a run is in one of these states."""
        deadline = time.monotonic() + 600
        while (state := self.ask(f"/flow_runs/{run}")["state"])["name"] not in names:
            if state["type"] in ("FAILED", "CRASHED") or time.monotonic() > deadline:
                sys.exit(f"{state['name']}: {state['message']}")
            time.sleep(1)


def night(server: Server, folder: Path) -> str:
    """A refresh of the demo's tasks that waits for its approval; returns the flow run."""
    deployment = server.ask(f"/deployments/name/{NIGHTLY}")
    settings = {
        **deployment["parameters"]["settings"],
        "operation": {
            "promote": "approve",
            "store": str(folder / "store.duckdb"),
            "output": str(folder / "runs"),
            "reports_at": "https://reports.example.com",
        },
    }
    settings["data"] = {**settings["data"], "skill": str(folder / "office-workbooks")}
    server.ask(f"/deployments/{deployment['id']}", {"parameters": {"settings": settings}}, "PATCH")
    run = str(server.ask(f"/deployments/{deployment['id']}/create_flow_run", {})["id"])
    server.wait(run, "Suspended")
    return run


def take(page: Page, address: str, to: Path, name: str) -> None:
    """Open a page of the UI, let it settle, and keep what is seen."""
    page.goto(address)
    page.wait_for_timeout(SETTLED)
    keep(page, to / f"{name}.png")


def keep(page: Page, file: Path) -> None:
    """Write what is seen, with few colours."""
    page.screenshot(path=file)
    fewer_colours(file)


def fewer_colours(file: Path) -> None:
    """Make a picture small."""
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file} {file.stat().st_size / 1000:.0f} kB", flush=True)


def pictures(server: Server, run: str, page: Page, to: Path) -> None:
    """Every picture of a night in the UI."""
    runs, found = f"{server.ui}/runs/flow-run", server.ask("/flow_runs/filter", {"sort": "START_TIME_DESC"})
    distill = next(one["id"] for one in found if one["name"].startswith("distill"))  # the last round's: the smallest
    take(page, f"{runs}/{distill}", to, "graph")
    page.goto(f"{runs}/{run}")
    page.wait_for_timeout(SETTLED)
    page.get_by_role("button", name=re.compile("Resume")).first.click()
    page.wait_for_timeout(SETTLED)
    keep(page, to / "approval-form.png")
    answer = {"run_input": {"promote": True, "reason": "read and agreed"}}
    server.ask(f"/flow_runs/{run}/resume", answer)
    server.wait(run, "Completed")
    take(page, f"{runs}/{run}", to, "prefect-run")
    asked = {"flow_runs": {"id": {"any_": [run]}}, "artifacts": {"key": {"like_": "refresh-summary"}}}
    summary = server.ask("/artifacts/filter", {**asked, "sort": "CREATED_DESC"})[0]["id"]
    take(page, f"{server.ui}/artifacts/artifact/{summary}", to, "artifact")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    to: Path = parser.parse_args().to
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(port)
    with tempfile.TemporaryDirectory(prefix="t2s-pictures-") as name, ExitStack() as stack:
        folder = Path(name)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "TRACE2SKILL_"))}
        env = {**kept, "PREFECT_HOME": str(folder / "prefect"), "PREFECT_API_URL": f"{server.ui}/api"}
        env |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_UI_STATIC_DIRECTORY": str(folder / "ui")}
        env |= {"PREFECT_UI_API_URL": f"{server.ui}/api"}
        subprocess.run(["cp", "-r", str(ROOT / "examples/skills/office-workbooks"), str(folder)], check=True)
        stack.enter_context(running(["prefect", "server", "start", "--port", str(port)], env, folder / "log"))
        subprocess.run([str(BIN / "trace2skill"), "deploy", "--wait", "180"], cwd=ROOT, env=env, check=True)
        stack.enter_context(running(["prefect", "worker", "start", "--pool", "trace2skill"], env, folder / "log"))
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport=SIZE, color_scheme="dark")
        deployment = server.ask(f"/deployments/name/{NIGHTLY}")["id"]
        take(page, f"{server.ui}/deployments/deployment/{deployment}/run", to, "form")
        pictures(server, night(server, folder), page, to)
        (report,) = folder.glob("runs/*/report.html")
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=TALL, color_scheme=scheme)
            take(page, report.as_uri(), to, f"report-{scheme}")
        browser.close()


if __name__ == "__main__":
    main()
