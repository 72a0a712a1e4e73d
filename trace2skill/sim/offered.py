"""A script that the skill offers, as the simulated agent takes it up: by what its line says that it is for."""

import re
import shlex

from trace2skill.core.record import Record
from trace2skill.sim.office import Job

LINE = re.compile(
    r"^- (?P<says>.*?): \[`python (?P<path>scripts/\w+\.py) INPUT OUTPUT(?P<options>[^`]*)`\]\(", re.MULTILINE
)
EXAMPLE = re.compile(r'"([^"]+)"')
LIKE = 0.75


class OfferedScript(Record):
    """A script that fits what is asked: the command that runs it on every workbook."""

    path: str
    command: str


def offered(skill: str, description: str, job: Job | None) -> OfferedScript | None:
    """The script of a skill that fits a request best, with the options that the request names; None where none fits."""
    if job is None:
        return None
    given, best = job.model_dump(), (LIKE, None)
    for found in LINE.finditer(skill):
        like = max((_like(example, description) for example in EXAMPLE.findall(found["says"])), default=0.0)
        options = re.findall(r"--([\w-]+)", found["options"])
        if like > best[0] and all(given.get(name) for name in options):
            words = " ".join(f"--{name}={shlex.quote(given[name])}" for name in options)
            run = f'python skill/{found["path"]} "$f" "output/$(basename "$f")" {words}'
            command = f"for f in input/*.xlsx; do {run}; done"
            best = (like, OfferedScript(path=found["path"], command=command))  # type: ignore[assignment]
    return best[1]


def _like(example: str, description: str) -> float:
    """Share of the words of an example that the request has, in order of nothing."""
    wanted = set(re.findall(r"[a-z]{2,}", example.lower()))
    said = set(re.findall(r"[a-z]{2,}", " ".join(description.split())[: 2 * len(example)].lower()))
    return len(wanted & said) / (len(wanted) or 1)
