"""Writing requests that should call for a skill, and near misses: one call, and what of its answer can be used."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from rapidfuzz import fuzz

from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.prompts import render
from trace2skill.safety.redaction import Redactor
from trace2skill.safety.screening import screened
from trace2skill.safety.shown import hides
from trace2skill.skills.skill import Skill

SHOWN_BODY, SHOWN_OTHER, SHOWN_REQUEST = 8000, 600, 800
"""Characters that the writer sees of the skill, of each other one, and of a request."""
SHORTEST, LONGEST = 8, 1200
"""Characters of a request that is taken."""
ALIKE = 86.0
"""Of 100: two requests whose sorted words are so much alike say the same (`fuzz.token_sort_ratio`)."""
PART, SAME_PART = 30, 90.0
"""Characters from which a part of a request is somebody's own words, and how much alike, of 100 (`partial_ratio`)."""
STYLES = ("short", "plain", "long", "typos")
Unfit = Literal[
    "too short or too long",
    "for no skill that there is",
    "names a skill",
    "said before",
    "a user's own words",
    "suspicious",
]


class KnownRequest(NamedTuple):
    """What a user asked for, the skill that it was for ('' where nobody knows), and where that is on record."""

    text: str
    skill: str
    source: str


class WrittenQuery(BaseModel):
    """One request of an answer."""

    model_config = ConfigDict(extra="ignore")
    query: str
    skill: str = ""
    style: str = ""
    like: str = ""


class WrittenQueries(BaseModel):
    """What the writer answers."""

    model_config = ConfigDict(extra="ignore")
    queries: list[WrittenQuery] = Field(default_factory=list)


def ask_for_queries(
    client: Client,
    model: ModelSettings,
    skill: Skill,
    others: Sequence[Skill],
    known: Sequence[KnownRequest],
    written: Sequence[str],
    wanted: tuple[int, int],
    *,
    seed: int,
    step: StepLabel,
) -> list[WrittenQuery]:
    """What the writer gives, as it is; `like` is made the source of the request that it names, '' for none.

    The description of the skill is not shown, so that no request repeats its words; but where the skill has no body.

    Args:
        others: the rest of the library.
        known: requests of users.
        written: requests that are there already.
        wanted: so many that should call for the skill, and so many near misses.

    Raises:
        BadAnswer: no answer could be used.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    ids = {f"r{number}": item for number, item in enumerate(known, start=1)}
    rows = [{"id": id, "request": item.text[:SHOWN_REQUEST], "for": item.skill} for id, item in ids.items()]
    beside = [
        {"name": one.name, "description": one.description, "begins": one.body.strip()[:SHOWN_OTHER]} for one in others
    ]
    should, should_not = wanted
    messages = (
        {"role": "system", "content": render("query_writer")},
        {
            "role": "user",
            "content": render(
                "query_writer_task",
                name=skill.name,
                about=skill.body.strip()[:SHOWN_BODY] or skill.description,
                others=_lines(beside) or "none",
                requests=_lines(rows) or "none",
                written=_lines(written),
                should=should,
                should_not=should_not,
            ),
        },
    )
    request = Request(role="merger", settings=model, messages=messages, seed=seed)
    said = ask(client, request, WrittenQueries, step=step).queries
    return [item.model_copy(update={"like": ids[item.like].source if item.like in ids else ""}) for item in said]


def cleaned(text: str) -> str:
    """A request as it is kept: in one line, without secrets and personal data, and without signs that nobody sees."""
    return Redactor().text("".join(sign for sign in " ".join(text.split()) if not hides(sign)))


def why_unfit(
    query: str, skill: str, names: Sequence[str], there: Iterable[str], of_users: Iterable[str] = ()
) -> Unfit | None:
    """Why a request cannot be used, None where it can.

    Args:
        query: cleaned.
        skill: the name of the skill that it is said to be for, '' for none.
        names: of all skills.
        there: the requests that there are.
        of_users: requests that the writer was shown, which are not to be copied.
    """
    if not SHORTEST <= len(query) <= LONGEST:
        return "too short or too long"
    if skill and skill not in names:
        return "for no skill that there is"
    if any(_names(query, name) for name in names):
        return "names a skill"
    if screened(query):
        return "suspicious"
    shown = [text[:SHOWN_REQUEST] for text in of_users]
    return "said before" if _is_like(query, there) else "a user's own words" if _is_of(query, shown) else None


def _is_like(query: str, others: Iterable[str]) -> bool:
    plain = query.casefold()
    return any(fuzz.token_sort_ratio(plain, other.casefold(), score_cutoff=ALIKE) for other in others)


def _is_of(query: str, shown: Sequence[str]) -> bool:
    """Does it say what one of these says, or a part of it, or one of them with more around it?"""
    plain = query.casefold()
    return _is_like(query, shown) or any(
        min(len(plain), len(other)) >= PART and fuzz.partial_ratio(plain, other.casefold(), score_cutoff=SAME_PART)
        for other in shown
    )


def _names(query: str, name: str) -> bool:
    """Does it name the skill? A name of one word that anybody would use is one only beside the word 'skill'."""
    spoken = r"[\s_-]+".join(map(re.escape, name.split("-")))
    if "-" in name and re.search(rf"(?i)(?<![\w-]){re.escape(name)}(?![\w-])", query):
        return True
    return bool(re.search(rf"(?i)(?:\bskill\W{{1,4}}|[/$@]){spoken}\b|\b{spoken}\W{{1,4}}skill\b", query))


def _lines(rows: Iterable[object]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
