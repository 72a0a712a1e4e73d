"""Who tries tasks of `worked_sessions`: an agent that knows how to get over a tool's failure where its skill says it.

It does what the request asks in the first way that comes to mind. Where that fails it gives up, unless the skill has
what helped in the logs.
"""

import re

from trace2skill.sim.conversation import Heard, Spoken, blocks, call

WAYS = {
    "totals": (
        r"--sep\b",
        "python tools/totals.py --sep ';' orders.csv totals.json",
        "python tools/totals.py orders.csv totals.json",
    ),
    "index": (r"unlock\.py", "python tools/unlock.py && python tools/index.py", "python tools/index.py"),
    "stamp": (r"STAMP_ZONE", "STAMP_ZONE=utc python tools/stamp.py {name}", "python tools/stamp.py {name}"),
}
"""By tool: what a skill says of it that knows, the command of who knows, and that of who does not."""


def agent(heard: Heard) -> Spoken:
    """One command, and the end."""
    if heard.turns:
        return Spoken(text="It is done.")
    skill = "\n".join(text for name, text in blocks(heard.system) if name == "skill")
    tool = next(name for name in WAYS if f"tools/{name}.py" in heard.opening)
    named = re.search(r"release (\w+) with", heard.opening)
    says, known, unknown = WAYS[tool]
    command = (known if re.search(says, skill) else unknown).format(name=named[1] if named else "")
    return call(heard, "I run the tool.", "bash", command=command)
