"""A domain to begin with: a module, a small data set, a test and a README, written into a new directory."""

import keyword
import re
import sys
from importlib.resources import files
from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.domains.find import BUILT_IN

FILES = {
    "{name}.py": "domain.txt",
    "test_{name}.py": "test.txt",
    "README.md": "README.txt",
    "data/tasks.jsonl": "tasks.jsonl",
}


def write_skeleton(name: str, into: Path) -> Path:
    """Write the skeleton of a domain into the directory `into`/`name`, which must not be there; returns it.

    Raises:
        BadInput: the name is no Python name or that of a domain of ours, or the directory is there.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise BadInput(f"'{name}' cannot be a domain's name: use lower-case letters, digits and underscores")
    if name in BUILT_IN:
        raise BadInput(f"'{name}' is a domain already: choose another name")
    if name in sys.stdlib_module_names:
        raise BadInput(f"'{name}' is a module of Python's own, which yours would hide: choose another name")
    folder = into / name
    if folder.exists():
        raise BadInput(f"{folder} is there already and is left as it is: choose another name or --into")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    for path, template in FILES.items():
        text = (files(__package__) / template).read_text(encoding="utf-8")
        target = folder / path.format(name=name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("@name@", name).replace("@class@", class_name), encoding="utf-8")
    return folder
