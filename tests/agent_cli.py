"""A small agent's command line tool, as far from ours as the tests need: no model, its own log, its own ways to fail.

It reads a prompt and the skills below `.claude/skills`, works on the workbooks with openpyxl, and writes a session log
as Claude Code does below its home. It makes the planted mistakes that the skill it read does not guard against.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trace2skill.sim.causes import committed
from trace2skill.sim.office import parse, program
from trace2skill.sim.roles.chooser import telling

RUN = 'for f in input/*.xlsx; do python solve.py "$f" "output/$(basename "$f")"; done'


class Log:
    """Claude Code's session JSONL."""

    def __init__(self) -> None:
        self.session = str(uuid.uuid4())
        folder = Path.home() / ".claude" / "projects" / "-workspace"
        folder.mkdir(parents=True)
        self._file = (folder / f"{self.session}.jsonl").open("w")
        self._parent: str | None = None

    def write(self, kind: str, content: object, **more: object) -> None:
        own = str(uuid.uuid4())
        common = {"sessionId": self.session, "version": "9.9.9", "cwd": os.getcwd(), "isSidechain": False}
        message = {"role": kind, "content": content, **more}
        line = {"type": kind, "uuid": own, "parentUuid": self._parent, "timestamp": _now(), **common}
        self._file.write(json.dumps({**line, "message": message}) + "\n")
        self._file.flush()
        self._parent = own

    def tool(self, said: str, name: str, arguments: dict[str, str], answer: str) -> None:
        id = f"toolu_{uuid.uuid4().hex}"
        parts = [{"type": "text", "text": said}, {"type": "tool_use", "id": id, "name": name, "input": arguments}]
        self.write("assistant", parts, model="toy-1", usage={"input_tokens": 1000, "output_tokens": 100})
        self.write("user", [{"type": "tool_result", "tool_use_id": id, "content": answer}])

    def shell(self, said: str, command: str) -> str:
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        self.tool(said, "Bash", {"command": command}, done.stdout + done.stderr)
        return done.stdout


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--prompt-file", type=Path, required=True)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--mode", default="")
    given = options.parse_args()
    prompt = given.prompt_file.read_text()
    log = Log()
    log.write("user", prompt)
    fail(given.mode, log)
    if given.mode.startswith("chooses"):
        choose(given.mode, prompt, log)
        return
    guidance = read_skill(log)
    log.shell("I look around.", "ls -R input")
    job = parse(prompt)
    assert job is not None, "this tool knows office tasks only"
    task = "0/" + prompt.split("# Task")[-1]
    mistakes = committed(task, job, guidance, given.seed, 0.0).mistakes
    source = program(job, mistakes)
    log.shell("I write a program and run it.", f"cat > solve.py <<'PROGRAM'\n{source}\nPROGRAM\n{RUN}")
    log.write("assistant", "Done.", model="toy-1", usage={"input_tokens": 1000, "output_tokens": 10})
    if given.mode == "late":
        time.sleep(600)
    Path(".toy-cache").write_text("what the tool leaves for itself")
    print(json.dumps({"type": "result", "result": "Done.", "total_cost_usd": 0.0125}))


def read_skill(log: Log) -> str:
    """SKILL.md by the tool's own 'Skill', then what it links to, from the shell."""
    texts = []
    for document in sorted(Path(".claude/skills").glob("*/SKILL.md")):
        name, text = document.parent.name, document.read_text()
        texts.append(text)
        log.tool("There is a skill.", "Skill", {"skill": name}, text)
        for path in sorted(set(re.findall(r"\]\((references/[\w./-]+\.md)\)", text))):
            texts.append(log.shell("I read on.", f"cat .claude/skills/{name}/{path}"))
    return "\n".join(texts)


def choose(mode: str, prompt: str, log: Log) -> None:
    """Takes up the skill whose description shares most words with the request, or that it names; else just answers."""
    found = {}
    for document in sorted(Path(".claude/skills").glob("*/SKILL.md")):
        text = document.read_text()
        found[document.parent.name] = len(telling(text.partition("description:")[2].splitlines()[0]) & telling(prompt))
    named = [name for name in found if name in prompt and mode != "chooses-deaf" and name != os.environ.get("DEAF_TO")]
    best = named[0] if named else max(found, key=lambda name: found[name])
    if "late" in prompt:
        time.sleep(600)
    if named or found[best] >= 2:
        log.tool("There is a skill.", "Skill", {"skill": best}, Path(f".claude/skills/{best}/SKILL.md").read_text())
    log.write(
        "assistant", "I would use every skill there is.", model="toy-1", usage={"input_tokens": 9, "output_tokens": 9}
    )
    if mode == "chooses-unseen":
        shutil.rmtree(Path.home() / ".claude")
    print(json.dumps({"type": "result", "result": "Done.", "total_cost_usd": 0.0125}))


def fail(mode: str, log: Log) -> None:
    """The ways to fail, by name."""
    key = os.environ.get("TOY_API_KEY", "no key")
    if mode == "crash":
        log.shell("I try.", "ls")
        sys.exit("Traceback: the provider closed the connection with " + key)
    if mode == "auth":
        print("Invalid API key. Please run /login", file=sys.stderr)
        sys.exit(1)
    if mode == "turns":
        log.shell("I go on and on.", "ls")
        sys.exit(53)
    if mode == "hang":
        log.shell("I wait.", "ls")
        subprocess.Popen(["sleep", "987.25"], start_new_session=True)
        time.sleep(600)
    if mode == "leak":
        log.shell("I print my environment.", "env")
    if mode == "garbage":
        for path in (Path.home() / ".claude").rglob("*.jsonl"):
            path.write_bytes(b"\x00\xff\xfe not a log {{{\n" * 50)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


if __name__ == "__main__":
    main()
