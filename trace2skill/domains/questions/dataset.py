"""Loading questions: a JSONL file with a question a line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from trace2skill.core.digest import digest_of, digest_of_files
from trace2skill.core.errors import BadInput
from trace2skill.domains.answers import LONGEST_JUDGED
from trace2skill.domains.questions.rules import AnswerRule, letter, letters_of
from trace2skill.domains.rows import beside, is_text, only_jsonl, rows_as, validated
from trace2skill.types.task import Task, TestCase

QUESTIONS = "questions.jsonl"
MOST_ACCEPTED, MOST_CHOICES = 1000, 200
Answer = StrictStr | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)]
NamedRule = Annotated[
    AnswerRule | None,
    BeforeValidator(lambda given: {"name": given} if isinstance(given, str) and given else given or None),
]


class QuestionRow(BaseModel):
    """A line of a JSONL file."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1)
    question: str = Field(min_length=1)
    answer: Answer | list[Answer] = Field(description="The right answer, or a list of those that are accepted; gold.")
    rule: NamedRule = Field(
        default=None,
        description="A rule's name, or an object with `name` and its arguments; `choice` with options, else `match`.",
    )
    choices: list[str] = Field(default_factory=list, max_length=MOST_CHOICES, description="Options, from A on.")
    context: str = Field(default="", description="What is told before the question: an eval's system message, say.")
    files: list[str] = Field(default_factory=list, description="Files beside the JSONL file that the agent gets.")
    kind: str = ""
    skills: list[str] = Field(default_factory=list, description="Names of the skills it exercises; any, unless given.")
    group: str = Field(default="", description="Questions of one group are never in two splits.")
    sessions: tuple[str, ...] = Field(default=(), description="Ids of the logs that the question was made of.")


def load_questions(data: Path, file: str, domain: str) -> list[Task]:
    """Every question of a file, in its order.

    Args:
        data: the file, or a directory with `questions.jsonl` or one other JSONL file.
        file: the one of a directory's files that is read; '' takes these.
        domain: its name, for the tasks.

    Raises:
        BadInput: a row or file is missing or malformed; names file and line.
    """
    path = data / file if file else data if data.is_file() else only_jsonl(data, QUESTIONS)
    if path is None or not path.is_file():
        named = file or QUESTIONS
        raise BadInput(f"{data} has no {named}: name a JSONL file with a question a line; see docs/questions.md")
    return rows_as(path, lambda where, line: task_of(path, where, line, domain))


def task_of(path: Path, where: str, line: str, domain: str) -> Task:
    """The task of one line.

    Args:
        path: the file, beside which the row's files lie.
        where: file and line, for what is said of it.
        line: JSON.
        domain: the name of the domain.

    Raises:
        BadInput: it is no question; says why.
    """
    row = validated(where, line, QuestionRow)
    given = row.answer if isinstance(row.answer, list) else [row.answer]
    try:
        accepted = [str(one) for one in given]
    except ValueError as error:  # Python writes no number of more than 4,300 digits
        raise BadInput(f"{where}: answer: it has too many digits: write it as a text") from error
    rule = row.rule or _rule_of(row, given)
    if why := why_no_gold(rule, accepted, row.choices):
        raise BadInput(f"{where}: {why}")
    paths = [beside(path, name, where).resolve() for name in row.files]
    if len({item.name for item in paths}) < len(paths):
        raise BadInput(f"{where}: two of its files have one name: rename one")
    detail = {"rule": rule.model_dump_json(exclude_defaults=True), "accepted": json.dumps(accepted)}
    detail |= {"choices": json.dumps(row.choices)} if row.choices else {}
    detail |= {"context": row.context} if row.context else {}
    return Task(
        id=row.id,
        domain=domain,
        kind=row.kind,
        instruction=row.question,
        cases=tuple(TestCase(name=item.name, input=item) for item in paths),
        detail=detail,
        skills=tuple(row.skills),
        group=row.group,
        sessions=row.sessions,
        content=digest_of("question", row.question, row.kind, detail, [digest_of_files([item]) for item in paths]),
    )


def _rule_of(row: QuestionRow, given: Sequence[Answer]) -> AnswerRule:
    """The rule of a question that names none: a number is compared as one, and not by the digits that it ends with."""
    if row.choices:
        return AnswerRule(name="choice")
    return AnswerRule(name="match", numeric=True) if any(not isinstance(one, str) for one in given) else AnswerRule()


def why_no_gold(rule: AnswerRule, accepted: Sequence[str], choices: Sequence[str]) -> str:
    """Why answers cannot be what a rule judges by, with what mends it; '' where they can."""
    if not accepted:
        return "answer: no answer is accepted: name one"
    if len(accepted) > MOST_ACCEPTED or any(len(one) > LONGEST_JUDGED for one in accepted):
        return f"answer: more than {MOST_ACCEPTED} are accepted, or one is longer than {LONGEST_JUDGED} characters"
    if not all(map(is_text, accepted)):
        return "answer: it holds half of a sign (a lone surrogate), which no file can hold: mend it"
    if any(map(rule.decides_nothing, accepted)):
        return (
            f"answer: nothing is left of one by the rule '{rule.name}', so that it decides nothing: name another rule"
        )
    if rule.name != "choice":
        return ""
    if not choices:
        return "choices: the rule 'choice' needs the options: list them"
    flat = [" ".join(choice.split()) for choice in choices]
    if len(flat) < 2 or "" in flat or len(set(flat)) < len(flat):
        return "choices: there must be two and more, none of them empty, and no two the same: mend them"
    by_text = {choice.casefold(): letter(place) for place, choice in enumerate(flat)}
    for one in accepted:
        if by_text.get(one.strip().casefold(), one.strip().upper()) != one.strip().upper():
            return f"answer: it is the text of option {by_text[one.strip().casefold()]}: give that letter"
    there = [letter(place) for place in range(len(flat))]
    odd = [one for one in letters_of(accepted) if one not in there]
    return f"answer: {odd[0]} is none of the options {there[0]} to {there[-1]}: give letters" if odd else ""


def shows(question: str, choices: Sequence[str]) -> bool:
    """Does a question list the options itself, each behind its letter and in their order?"""
    at = 0
    for place, choice in enumerate(choices):
        found = question.find(f"{letter(place)}) {choice}", at)
        if found < 0:
            return False
        at = found + 1
    return bool(choices)
