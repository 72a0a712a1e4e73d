"""Attempts on secrets of our own: in addresses, variables, proxies and what servers say back.

Each is a value that looks like nothing, so that only where it stands can tell. It must be refused with no word of it, or
stand nowhere: in no file of store, Prefect, logs and reports, and in nothing that is printed.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from strange_server import StrangeServer

from attacks.texts import Tried
from trace2skill.core.budget import Budget
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request
from trace2skill.llm.checks import check_model
from trace2skill.store import open_store
from trace2skill.store.address import parse

COMMAND = str(Path(sys.executable).parent / "trace2skill")
SECRET = "zebra-lamp"
ADDRESSES = [
    f"http://bob:{SECRET}@127.0.0.1/v1", f"http://{SECRET}@127.0.0.1/v1", f"http://:{SECRET}@127.0.0.1/v1", f"http://bob:{SECRET}%21@127.0.0.1/v1", f"http://bob:x{SECRET}${{HOME}}@127.0.0.1/v1", f"http://127.0.0.1/v1?key={SECRET}",
    f"http://127.0.0.1/v1?api-key={SECRET}", f"http://127.0.0.1/v1?sig={SECRET}", f"http://127.0.0.1/v1?code={SECRET}", f"http://127.0.0.1/v1?subscription-key={SECRET}", f"http://127.0.0.1/v1?a=1&k={SECRET}", f"http://127.0.0.1/v1?{SECRET}", f"http://127.0.0.1/v1#{SECRET}", f"127.0.0.1/v1?auth={SECRET}",
]  # fmt: skip
"""Of a model: none may be taken, since the address is written down."""
GOOD = ["http://localhost:8000/v1", "https://h.example/openai?api-version=2024-02-01", "http://bob:${PATH}@h/v1", "http://h/v1?key=${PATH}", "http://[::1]:8000/v1", "${HOME}"]  # fmt: skip
STORES = [
    f"postgresql://u:{SECRET}@h/db", f"postgresql://u:{SECRET}#x@h/db", f"postgresql://u:x?{SECRET}@h/db", f"postgresql://u:x[{SECRET}@h/db", f"postgres://h/db?password={SECRET}", f"postgres://h/db?p%61ssword={SECRET}", f"postgresql://h/db?sslpassword={SECRET}",
    f"postgresql:u:{SECRET}@h/db", f"postgresql:/u:{SECRET}@h/db", f"host=h user=u password={SECRET}", f"POSTGRESQL://u:{SECRET}@h/db", f"postgresql+psycopg://u:{SECRET}@h/db", f"postgresql://h/db?passfile=x&passwd={SECRET}", f"postgresql://u:{SECRET}@h1,h2/db", f"jdbc:postgresql://u:{SECRET}@h/db",
]  # fmt: skip
"""Of a store: none may be taken, as a database or as the name of a file."""
SAID: dict[str, tuple[Mapping[str, str], int, Any]] = {
    "a key that a server says back": ({"OPENAI_API_KEY": SECRET}, 401, {"error": {"message": f"Incorrect API key provided: {SECRET}", "type": "x", "code": None}}),
    "a header that a server says back": ({"OPENAI_API_KEY": SECRET}, 400, {"error": {"message": f"bad header authorization={SECRET}", "type": "x", "code": None}}),
    "a page of a proxy": ({"OPENAI_API_KEY": SECRET}, 502, f"<html>upstream refused Bearer {SECRET}</html>"),
    "a password of an address that a server says back": ({"OPENAI_API_KEY": "k-1", "LLM_PASSWORD": SECRET}, 404, {"error": {"message": f"no route for bob:{SECRET}", "type": "x", "code": None}}),
}  # fmt: skip


def _ask(store: Any, base: str) -> str:
    settings = ModelSettings(name="openai/mine", api_base=base, price=(0, 0), max_tokens=50, attempts=1)
    request = Request(role="agent", settings=settings, messages=({"role": "user", "content": "hello"},))
    try:
        Client(store, Budget(None), "run").complete(request, step=StepLabel("s"))
    except Exception as error:  # noqa: BLE001 - its words are what is asked about
        return str(error)
    return ""


def secrets_of_our_own() -> Tried:
    """What is taken, said or written down of a secret, by the product's functions and by its commands."""
    yield from in_words()
    yield from _commands()


def in_words() -> Tried:
    """What is taken of an address, and what is said and stored of what a server says."""
    with patch.dict(os.environ, {"OPENAI_API_KEY": "k-1"}):
        for address in ADDRESSES:
            yield (
                f"model: {address.replace(SECRET, '***')}",
                not _refused(
                    lambda address=address: check_model(ModelSettings(name="openai/m", api_base=address, price=(0, 0)))
                ),
            )
        for address in GOOD:
            yield (
                f"honest: {address}",
                _refused(
                    lambda address=address: check_model(ModelSettings(name="openai/m", api_base=address, price=(0, 0)))
                ),
            )
    for store in STORES:
        yield f"store: {store.replace(SECRET, '***')}", not _refused(lambda store=store: parse(store))
        if ":/" in store:
            yield (
                f"store as a path: {store.replace(SECRET, '***')}",
                not _refused(lambda store=store: parse(Path(store))),
            )
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, (variables, status, body)) in enumerate(SAID.items()):
            store_ = open_store(Path(folder) / f"{number}.duckdb")
            with StrangeServer((status, body, {})) as server, patch.dict(os.environ, variables):
                said = _ask(store_, server.url.replace("http://", "http://bob:${LLM_PASSWORD}@" if "LLM_PASSWORD" in variables else "http://"))  # fmt: skip
                said += str(store_.query("SELECT * FROM ledger"))
            store_.close()
            yield f"said: {name}", SECRET in said
        proxies = {f"{name}_proxy": f"http://u:{SECRET}@127.0.0.1:9" for name in ("http", "https", "all")}
        store_ = open_store(Path(folder) / "proxy.duckdb")
        with patch.dict(os.environ, {**proxies, "OPENAI_API_KEY": "k-1"}):
            yield "said: a proxy that is not there", SECRET in _ask(store_, "http://model.invalid/v1")
        store_.close()


def _refused(act: Any) -> bool:
    try:
        act()
    except Exception as error:  # noqa: BLE001 - whatever it says
        return SECRET not in str(error)
    return False


COMMANDS: dict[str, tuple[list[str], dict[str, str]]] = {
    "an address of a model": (["--api-base", f"http://bob:{SECRET}@127.0.0.1:9/v1", "--price", "0,0", "--model", "openai/m"], {}),
    "an address with a query": (["--api-base", f"http://127.0.0.1:9/v1?key={SECRET}", "--price", "0,0", "--model", "openai/m"], {}),
    "a store": (["--model", "sim/office", "--store", f"postgresql://u:{SECRET}@127.0.0.1:9/db"], {}),
    "a store of the environment": (["--model", "sim/office"], {"TRACE2SKILL_STORE": f"postgresql://u:{SECRET}#x@127.0.0.1:9/db"}),
    "a password of the database": (["--model", "sim/office", "--store", "postgresql://u@127.0.0.1:9/db"], {"PGPASSWORD": SECRET}),
    "a price that is a key": (["--price", SECRET, "--model", "openai/m"], {}),
    "a folder of questions": (["--model", "handoff/questions?wait=1", "--attempts", "1"], {"OPENAI_API_KEY": SECRET, "ANTHROPIC_API_KEY": SECRET}),
    "a server that is not there": (["--api-base", "http://127.0.0.1:9/v1", "--price", "0,0", "--model", "openai/m", "--attempts", "1"], {"OPENAI_API_KEY": SECRET, "HTTPS_PROXY": f"http://u:{SECRET}@127.0.0.1:9"}),
}  # fmt: skip
"""What a run is started with; `doctor` and `run` are asked, each with a home of its own."""


def _commands() -> Tried:
    for name, (options, variables) in COMMANDS.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "problems.jsonl").write_text("".join(f'{{"question": "1+{n}?", "answer": "#### {1 + n}"}}\n' for n in range(8)))  # fmt: skip
            (root / "home").mkdir()
            arguments = ["run", "--domain", "math", "--data", "problems.jsonl", "--rollouts", "1", *options]
            kept = {word: os.environ[word] for word in ("PATH", "LANG") if word in os.environ}
            home = {"HOME": str(root / "home"), "PREFECT_HOME": str(root / "home" / "prefect"), "PREFECT_LOGGING_LEVEL": "DEBUG"}  # fmt: skip
            said = subprocess.run([COMMAND, *arguments], cwd=root, env={**kept, **home, **variables}, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False)  # fmt: skip
            printed = said.stdout + said.stderr
            printed += "".join(path.read_bytes().decode("utf-8", "replace") for path in root.rglob("*") if path.is_file())  # fmt: skip
            yield f"command: {name}", SECRET in printed
