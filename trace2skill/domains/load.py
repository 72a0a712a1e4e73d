"""Loading a data set: what a domain cannot read does not exist, or is perhaps another domain's."""

from collections.abc import Sequence
from pathlib import Path

from trace2skill.core.errors import BadInput
from trace2skill.domains.base import Domain
from trace2skill.domains.find import BUILT_IN, load_domain
from trace2skill.types.task import Task


def load_tasks(domain: Domain, data: Path) -> Sequence[Task]:
    """The tasks of a data set.

    Raises:
        BadInput: the domain cannot read it; says whether it is there, and which other of our domains can.
    """
    try:
        return domain.load(data)
    except BadInput as error:
        if not data.exists():
            raise BadInput(f"--data {data} does not exist") from error
        others = [name for name in BUILT_IN if name not in ("logs", domain.name) and _reads(name, data)]
        if not others:
            raise
        raise BadInput(f"{error}; or give --domain {' or '.join(others)}, which can read it") from error


def _reads(name: str, data: Path) -> bool:
    try:
        return bool(load_domain(name).load(data))
    except (BadInput, OSError, ValueError):
        return False
