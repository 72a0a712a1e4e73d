"""The simulated writer of scripts: lays the programs over each other and says what differs, whatever they do."""

import re

from trace2skill.core.digest import digest_of
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.induction import induce
from trace2skill.sim.office import Job, parse

EXAMPLE = 8
"""Words of a request by which its wording is known."""
MOST_EXAMPLES = 2


def speak(heard: Heard) -> Spoken:
    """One script for the routine, or why there is none."""
    given = blocks(heard.opening)
    requests = [text for name, text in given if re.fullmatch(r"r\d+", name)]
    programs = [text for name, text in given if re.fullmatch(r"p\d+", name)]
    jobs = [parse(request) for request in requests]
    kinds = sorted({job.kind for job in jobs if job})
    made = induce(
        requests, programs, f"Does what is asked for by {' and '.join(kinds) or 'such requests'}.", _names(jobs)
    )
    if made.refused:
        return answer_json({"refused": made.refused})
    return answer_json(
        {
            "name": f"do_{kinds[0]}" if len(kinds) == 1 else f"routine_{digest_of(made.when)[:6]}",
            "line": f"For requests like {' or '.join(_examples(requests, jobs))} run this script",
            "script": made.script,
            "when": made.when,
            "options": [{"name": f"--{item.name}", "patterns": item.patterns} for item in made.options],
        }
    )


def _names(jobs: list[Job | None]) -> dict[str, list[str]]:
    """What a reader who understands the requests calls the values in them."""
    told = [job.model_dump() for job in jobs if job]
    if len(told) < len(jobs):
        return {}
    return {name: [one[name] for one in told] for name in Job.model_fields if name != "kind"}


def _examples(requests: list[str], jobs: list[Job | None]) -> list[str]:
    """The beginnings of requests of different wordings, their values left out."""
    found: dict[str, None] = {}
    for request, job in zip(requests, jobs, strict=True):
        text = " ".join(request.split())
        for value in sorted(
            filter(None, job.model_dump(exclude={"kind"}).values()) if job else (), key=len, reverse=True
        ):
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "X", text)
        found.setdefault(f'"{" ".join(text.split()[:EXAMPLE])}"')
    return [*found][:MOST_EXAMPLES]
