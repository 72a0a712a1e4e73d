"""Questions of evaluation logs as tasks: where our own grader says of the recorded answer what the log says.

Whether it does is found out before the log's verdict is looked at. The accepted answers stand in the task's row and in
nothing that is said of it.
"""

import json
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.domains.answers import LARGEST_ANSWER, number_or_text
from trace2skill.domains.base import ANSWER
from trace2skill.domains.questions.dataset import QUESTIONS, shows, task_of
from trace2skill.domains.questions.domain import Questions
from trace2skill.domains.questions.rules import ARGUMENTS, AnswerRule, letter, letters_of
from trace2skill.mined.requests import LONGEST
from trace2skill.mined.task import MinedSegment
from trace2skill.safety.leaks import canonical
from trace2skill.safety.redaction import MADE, SHORTEST_REST, Redactor
from trace2skill.safety.shown import hides
from trace2skill.traces.answered import Answered

log = logging.getLogger(__name__)
SHORTEST, MOST_TEXTS = 3, 300
"""Characters of a question, and its options and accepted answers together."""
AGREES = {True: "passed", False: "failed"}


class MinedQuestion(NamedTuple):
    """What a question became: what is said of its segment, and the row of the task, if it became one.

    `known_by` names the question wherever it is asked, and `wanted` what is accepted; '' where nothing is known.
    `line` names its longest line, and `shown` the lines beside it that were told with it: an example's question, say.
    `asked` are its words, of which `known_by` is a name, and `options` what was to choose from.
    """

    segment: MinedSegment
    row: dict[str, Any] | None = None
    known_by: str = ""
    wanted: str = ""
    line: str = ""
    shown: frozenset[str] = frozenset()
    asked: str = ""
    options: tuple[str, ...] = ()
    scored_by: str = ""
    """Names scorer and arguments, where they are of a rule that is known."""


class QuestionMiner:
    """Mines questions, one after the other."""

    def __init__(self) -> None:
        self._domain = Questions()

    def mine(self, about: MinedSegment, asks: Callable[[], Answered], redactor: Redactor) -> MinedQuestion:
        """What a question became.

        Args:
            about: of the segment that answered it, with the verdict of its log.
            asks: gives what its log says.
            redactor: takes secrets out.

        Whatever else a log makes go wrong costs its own task, and stands in the reason.
        """
        try:
            return self._mined(about, asks(), redactor)
        except Exception as error:  # a log is anybody's: the other sessions are mined
            log.warning("the question of %s cannot be mined", about.id, exc_info=error)
            return _none(about, f"its question cannot be mined ({type(error).__name__})")

    def _mined(self, about: MinedSegment, answered: Answered, redactor: Redactor) -> MinedQuestion:
        if _too_long(answered):  # nothing of it is looked through
            return _none(about, "its request is too long")._replace(**_words_of(answered))
        clean, rule = _clean(answered, redactor), _rule(answered)
        own = _lines(clean.asked)
        of_set = own | _lines(clean.given)
        told: dict[str, Any] = {
            **_words_of(clean),
            "wanted": wanted_by(clean) if clean.accepted and isinstance(rule, AnswerRule) else "",
            "line": _named(max(own, key=len, default="")),
            "shown": frozenset(map(_named, _lines(f"{clean.context}\n{clean.question}") - of_set)),
            "scored_by": digest_of("rule", rule.model_dump(mode="json")) if isinstance(rule, AnswerRule) else "",
        }
        why = clean.why or (rule if isinstance(rule, str) else "") or _odd(answered, clean, redactor)
        if why or isinstance(rule, str):
            return _none(about, why)._replace(**told)
        row = _row(id_of(told["known_by"]), clean, rule)
        tried = self._tried(_with_verdict(about, clean.right), row, clean.output)
        return tried._replace(**told)

    def _tried(self, about: MinedSegment, row: dict[str, Any], output: str) -> MinedQuestion:
        """Judge the recorded answer by the domain's grader, and then look at what the log says of it."""
        try:
            task = task_of(Path(QUESTIONS), "its target", json.dumps(row), self._domain.name)
        except BadInput:  # what is wrong with gold is said to nobody
            return _none(about, "by its rule its target decides nothing")
        audit = self._domain.audit(task)
        if audit.verdict != "usable":
            return _none(about, audit.reason)
        if self._domain.judge(task, task.instruction).passed:
            return _none(about, "who repeats the question passes: its rule decides nothing")
        passes = self._domain.grade(task, {ANSWER: output.encode("utf-8", "replace")}).hard >= 1.0
        about = about.model_copy(update={"check": "answer", "check_passes": passes})
        if about.outcome not in AGREES.values():
            return _none(about, "no verdict says whether it was answered right")
        if AGREES[passes] != about.outcome:
            name = row["rule"]["name"]
            return _none(about, f"by our `{name}` its answer {AGREES[passes]}, and it {about.outcome} ({about.source})")
        made = about.model_copy(update={"replayable": "self-contained", "task": row["id"], "why": ""})
        return MinedQuestion(made, row)


def _words_of(answered: Answered) -> dict[str, Any]:
    if not answered.asked:
        return {}
    asked = f"{answered.given}\n{answered.asked}"
    return {"known_by": known_as(answered), "asked": asked, "options": answered.choices}


def known_as(answered: Answered) -> str:
    """The name of a question, however a solver put it: its words, and its options in any order.

    Blanks alone may differ. Who asks it in other words is found by `asked_texts`.
    """
    return digest_of("question", *map(_flat, (answered.given, answered.asked)), sorted(map(_flat, answered.choices)))


def id_of(known_by: str) -> str:
    """The id of the task of a question, which is the same whatever log asks it."""
    return f"Q{known_by[:12]}"


def wanted_by(answered: Answered) -> str:
    """The name of what is accepted: of options their texts, so that another order of them changes nothing."""
    texts = list(answered.accepted)
    if answered.scorer == "choice":
        by_letter = {letter(place): _flat(choice) for place, choice in enumerate(answered.choices)}
        texts = [by_letter.get(one, one) for one in letters_of(texts)]
    return digest_of("accepted", sorted({_by_value(_flat(text).casefold()) for text in texts}))[:16]


def _by_value(text: str) -> str:
    """A number by its value, so that `1,200` is `1200.0`; any other text as it is."""
    return canonical(told) if isinstance(told := number_or_text(text), float) and math.isfinite(told) else text


def _flat(text: str) -> str:
    """A text with single blanks. Signs and case count: `1/2` is not `3/2`, and the unit m is not M."""
    return " ".join(text.split())


def _lines(text: str) -> set[str]:
    return {line for line in (_flat(line).casefold() for line in text.split("\n")) if line}


def _named(line: str) -> str:
    return digest_of("line", line)[:16] if line else ""


def _with_verdict(about: MinedSegment, right: bool | None) -> MinedSegment:
    """With the scorer's own verdict, where no other score says how it ended, or a model's opinion does."""
    if right is None or about.source not in ("none", "judge"):
        return about
    return about.model_copy(update={"outcome": AGREES[right], "source": "log"})


def _none(about: MinedSegment, why: str) -> MinedQuestion:
    return MinedQuestion(about.model_copy(update={"replayable": "not-replayable", "task": "", "why": why}))


WORDS = ("asked", "given", "question", "context")


def _clean(answered: Answered, redactor: Redactor) -> Answered:
    """Without secrets, and without signs that nobody sees."""

    def clean(text: str) -> str:
        return "".join(sign for sign in redactor.text(text) if not hides(sign))

    told: dict[str, Any] = {name: clean(getattr(answered, name)).strip() for name in WORDS}
    told |= {"choices": tuple(map(clean, answered.choices)), "accepted": tuple(map(clean, answered.accepted))}
    return answered.model_copy(update={**told, "output": redactor.text(answered.output[-LARGEST_ANSWER:])})


def _too_long(answered: Answered) -> bool:
    texts = (answered.asked, answered.given, *answered.choices, *answered.accepted)
    longest = max(map(len, texts), default=0)
    return max(longest, len(answered.question) + len(answered.context)) > LONGEST or len(texts) > MOST_TEXTS


def _rule(answered: Answered) -> AnswerRule | str:
    """The rule of a log's scorer, or why there is none."""
    if answered.scorer not in ARGUMENTS:
        return f"its scorer is none of {', '.join(ARGUMENTS)}" if answered.scorer else "no scorer is named"
    try:
        return AnswerRule.model_validate({**answered.arguments, "name": answered.scorer})
    except ValidationError:
        return f"its scorer `{answered.scorer}` has arguments that are not known here"


def _odd(answered: Answered, clean: Answered, redactor: Redactor) -> str:
    """Why a question is no task, as far as its words tell; '' where it may be one."""
    if not clean.asked or len(clean.question) < SHORTEST:
        return "it has no request that could be a task"
    if clean.accepted != answered.accepted or _holds_secret(answered.accepted, redactor):
        return "its target holds a secret, or signs that nobody sees"
    if any(MADE in text and MADE not in told for text, told in _asked_before_and_after(answered, clean)):
        return "its question holds a secret, and is not the same without it"
    if clean.scorer == "choice" and not shows(clean.question, clean.choices):
        return "its options were not shown with their letters and in their order"
    return ""


def _asked_before_and_after(answered: Answered, clean: Answered) -> Iterator[tuple[str, str]]:
    yield clean.question, answered.question
    yield from zip(clean.choices, answered.choices, strict=True)


def _holds_secret(accepted: Sequence[str], redactor: Redactor) -> bool:
    """Is one what was taken out elsewhere in the session, or a part of that, or is that a part of it?"""
    secrets = {_flat(value).casefold() for value in redactor.replaced.values()} - {""}
    told = {_flat(one).casefold() for one in accepted}
    return any(
        secret in one or (one in secret and len(one) >= SHORTEST_REST) for secret in secrets for one in told
    ) or bool(secrets & told)


def _row(id: str, clean: Answered, rule: AnswerRule) -> dict[str, Any]:
    accepted = clean.accepted[0] if len(clean.accepted) == 1 else list(clean.accepted)
    row: dict[str, Any] = {"id": id, "question": clean.question, "answer": accepted}
    row |= {"rule": {"name": rule.name, **rule.model_dump(mode="json", exclude_defaults=True)}, "kind": rule.name}
    row |= {"choices": list(clean.choices)} if rule.name == "choice" else {}
    return row | ({"context": clean.context} if clean.context else {})
