"""An answer as the simulated agent writes it, and as an analyst reads it out of a log."""

import re
from itertools import combinations

from trace2skill.core.record import Record
from trace2skill.sim.mistakes.answers import mistakes_of, names_of
from trace2skill.sim.profile import chance

STEADINESS = 0.9
FORMS = {
    "begins with `Answer:`": "Answer: {}",
    "begins with `####`": "#### {}",
    r"inside `\boxed{}`": r"\boxed{{{}}}",
}
"""How an answer is asked for, and how it is given then."""

PLAIN = "Answer: {}"
SAID = re.compile(
    r"^This is work of the kind (?P<kind>[\w-]+)\.\n\nWorking: (?P<working>.*)\n\n"
    r"(?:Answer: (?P<plain>.*)|#### (?P<hashes>.*)|\\boxed\{(?P<boxed>.*)\}|I stop here\.)$",
    re.MULTILINE,
)


class Lapse(Record):
    """What goes wrong with one answer: planted mistakes, and perhaps that it is not given at all."""

    mistakes: frozenset[str] = frozenset()
    quirk: str | None = None


class Reading(Record):
    """What a log shows of an answer. `at` is where it stands in the log."""

    kind: str
    working: str
    answer: str
    mistakes: frozenset[str]
    at: int


def is_question(description: str) -> bool:
    """Does a task want an answer in words?"""
    return any(asked in description for asked in FORMS)


def form_of(description: str) -> str:
    """The form in which a task wants its answer, with a place for it."""
    return next((form for asked, form in FORMS.items() if asked in description), PLAIN)


def committed(kind: str, gold: str, task_key: str, skill_text: str, seed: int, noise: float) -> Lapse:
    """What goes wrong: planted mistakes that the skill does not guard against, and by `noise` a lapse of this run."""
    from trace2skill.sim.causes import guided

    known = guided(skill_text)
    mistakes = frozenset(
        mistake.cause.name
        for mistake in mistakes_of(kind)
        if mistake.cause.name not in known
        and mistake.spoil(gold) != gold
        and chance("planted", mistake.cause.name, task_key) < mistake.cause.prevalence
        and chance("steady", mistake.cause.name, task_key, seed) < STEADINESS
    )
    quirk = f"{task_key}/{seed}" if chance("quirk", task_key, seed) < noise / 2 else None
    return Lapse(mistakes=mistakes, quirk=quirk)


def said(kind: str, gold: str, mistakes: frozenset[str], form: str = PLAIN, *, broken: bool = False) -> str:
    """The agent's last message: what it worked out, and the answer as the mistakes leave it; none where `broken`."""
    end = "I stop here." if broken else form.format(_spoiled(kind, gold, mistakes))
    return f"This is work of the kind {kind}.\n\nWorking: {gold}\n\n{end}"


def read(log: str) -> Reading | None:
    """The last answer in a log, and the mistakes with which it reads so; None where there is none to be read."""
    found = list(SAID.finditer(log))
    if not found:
        return None
    last = found[-1]
    answer = last["plain"] or last["hashes"] or last["boxed"] or ""
    return Reading(
        kind=last["kind"],
        working=last["working"],
        answer=answer,
        mistakes=_mistakes(last["kind"], last["working"], answer),
        at=last.start(),
    )


def _spoiled(kind: str, gold: str, mistakes: frozenset[str]) -> str:
    answer = gold
    for mistake in mistakes_of(kind):
        if mistake.cause.name in mistakes:
            answer = mistake.spoil(answer)
    return answer


def _mistakes(kind: str, working: str, answer: str) -> frozenset[str]:
    names = names_of(kind)
    for size in range(len(names) + 1):
        for some in combinations(names, size):
            if answer and _spoiled(kind, working, frozenset(some)) == answer:
                return frozenset(some)
    return frozenset()
