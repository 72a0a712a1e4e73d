"""How far judges may err before an audit refuses them, and what it says of a planted skill until then.

    python bench/audits.py            # a table for docs/audit.md; a minute

40 generated sessions of two kinds of work, a skill that holds both rules and one that says nothing; judges who say the
opposite of what they see at a given rate, three a run, with 10 seeds.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core.errors import ModelUnusable

RATES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5)
SEEDS = range(41, 51)
KINDS = {
    "table": ("Make the weekly table of harbour {}.", "tidy --weekly sums", "Then run `{}` over a weekly table."),
    "letter": ("Write a reminder letter to customer {}.", "stamp --letter bureau", "A reminder letter gets `{}`."),
}
SKILLS = {
    "office": "\n".join(f"- {rule.format(command)}" for _, command, rule in KINDS.values()),
    "careful": "- Be careful with a weekly table and a reminder letter.",
}


def session(name: str, request: str, command: str, **more: Any) -> dict[str, Any]:
    """A conversation in which the agent looks, runs the command and says that it is done."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": request}]
    for number, said in enumerate(("ls", command)):
        call = {"id": f"c{number}", "function": {"name": "bash", "arguments": json.dumps({"command": said})}}
        messages.append({"role": "assistant", "content": "", "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": "done"})
    return {"id": name, "messages": [*messages, {"role": "assistant", "content": "It is done."}], **more}


def lay_out_skills() -> None:
    """Both skills, in the current directory."""
    for name, body in SKILLS.items():
        Path(name).mkdir()
        Path(name, "SKILL.md").write_text(f"---\nname: {name}\ndescription: Office work.\n---\n\n# It\n\n{body}\n")


def lay_out() -> None:
    """The logs and both skills, in the current directory."""
    rows = [
        session(f"{kind}-{number}", request.format(number), command, reward=1)
        for kind, (request, command, _) in KINDS.items()
        for number in range(20)
    ]
    Path("logs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    lay_out_skills()


def audited(skill: str, *more: str) -> Any:
    """What the command says, None where it refuses the judges."""
    command = ["audit", skill, "logs.jsonl", "--model", "sim/office", "--store", "s.duckdb", "--json", *more]
    done = CliRunner().invoke(app, command)
    if isinstance(done.exception, ModelUnusable):
        return None
    if done.exit_code:
        sys.exit(f"{command}: {done.exception}")
    return json.loads(done.stdout)


def main() -> None:
    """Print a row a rate."""
    os.chdir(tempfile.mkdtemp(prefix="t2s-audit-"))
    lay_out()
    written = CliRunner().invoke(
        app,
        [
            "audit",
            "office",
            "logs.jsonl",
            "--model",
            "sim/office",
            "--store",
            "s.duckdb",
            "--write-assertions",
            "a.yaml",
        ],
    )
    assert written.exit_code == 0, written.exception
    print("| judges err on | refused | office: lift, p <= 0.05 | careful: lift, p <= 0.05 |\n|---|---|---|---|")
    for rate in RATES:
        refused, cells = 0, list[str]()
        for skill in SKILLS:
            judge = ("--judge-model", f"sim/office?misjudges={rate}")
            found = [audited(skill, "--from", "a.yaml", *judge, "--seed", str(seed)) for seed in SEEDS]
            told = [one["soft"] for one in found if one is not None]
            refused += len(found) - len(told)
            lift = sum(one["lift"]["mean"] for one in told) / len(told) if told else None
            shown = sum(one["p_value"] <= 0.05 for one in told)
            cells.append("-" if lift is None else f"{lift:+.0%}, {shown} of {len(told)}")
        print(f"| {rate:.0%} | {refused} of {len(SEEDS) * len(SKILLS)} | {cells[0]} | {cells[1]} |", flush=True)


if __name__ == "__main__":
    main()
