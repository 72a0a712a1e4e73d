"""A planted world whose causes interact: forms with fields that an office wants in a form nobody states.

The analyst finds the first wrong field and stops there; so a second mistake shows only when the first is gone. One rule
helps forms for home and harms those for abroad until its exception is known, one cause is rare, and two rules pass a
form only together. The models are scripted: the agent follows a rule where its skill states it. This measures the loop
between them and says nothing of models.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.domains.answers import AnswerDomain, Judged
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.profile import chance, pick
from trace2skill.sim.roles import book
from trace2skill.skills.markdown import sections
from trace2skill.types.task import Task

SHARES: dict[str, tuple[tuple[str, ...], float]] = {
    "order of 1": (("amount",), 20),
    "order of 2": (("amount", "rate"), 20),
    "order of 3": (("amount", "rate", "date"), 16),
    "order of 4": (("amount", "rate", "date", "sum"), 16),
    "address of 1": (("name",), 12),
    "address of 2": (("name", "town"), 12),
    "address of 3": (("name", "town", "code"), 12),
    "call": (("phone",), 12),
    "old call": (("fax",), 5),
    "letter": (("title",), 12),
    "letter abroad": (("title",), 8),
    "licence": (("stamp", "stampday"), 15),
}
"""Fields of each kind of form, in the order in which they are checked, and how many of 160 tasks are of it."""
ABROAD = "title abroad"
CAUSES = (*dict.fromkeys(field for fields, _ in SHARES.values() for field in fields), ABROAD)
HOW = {
    "amount": "whole cents, without a point",
    "rate": "so many per thousand",
    "date": "year and number of the day",
    "sum": "words and figures both",
    "name": "capital letters, family first",
    "town": "its number on the map",
    "code": "three letters of the county",
    "phone": "the country before it in brackets",
    "fax": "a stroke behind every second figure",
    "title": "its long spelling",
    "stamp": "colour and motif",
    "stampday": "how long ago it was put there",
}
"""How the office wants a field. It only makes rules sound as different as rules do."""
WORDINGS = (
    "Give the field `{field}` as {how}.",
    "The field `{field}` is taken only as {how}.",
    "What belongs into the field `{field}`: {how}.",
)
EXCEPTION = (
    "Leave the field `{field}` plain in letters abroad.",
    "In letters abroad the field `{field}` stays plain.",
    "Letters abroad have the field `{field}` plain: leave it so.",
)
UNTRUE = ("Count the fields of {form} twice.", "Read {form} from its end.", "Sort the fields of {form} by length.")
FIELD = re.compile(r"field `(?P<field>\w+)`")
LUCK, MISREAD = 0.05, 0.1
"""Share of fields that come out right by chance, by seed; and of failures whose analyst blames something else."""

SKILL = """\
---
name: forms
description: "Fills in forms of an office."
---

# Forms

Fill in every field of the form, in the order given.

## Fields

- Write a field and its form with an equals sign between them.
"""


class Forms(AnswerDomain):
    """Forms of an office, one answer each."""

    name = "forms"
    version = "forms 2"
    about = "Each task names a form and its fields and asks for them filled in."

    def load(self, data: Path) -> list[Task]:
        """See `AnswerDomain.load`."""
        rows = [json.loads(line) for line in (data / "forms.jsonl").read_text(encoding="utf-8").splitlines()]
        return [
            Task(
                id=row["id"],
                domain=self.name,
                kind=row["kind"],
                instruction=row["request"],
                detail={"fields": row["fields"], "form": row["form"]},
                content=digest_of(row),
            )
            for row in rows
        ]

    def judge(self, task: Task, answer: str) -> Judged:
        """Names the first field that is wrong and no other."""
        given = dict(part.strip().split("=", 1) for part in answer.split(";") if "=" in part)
        for field in task.detail["fields"].split(", "):
            if given.get(field) != task.detail["form"]:
                abroad = task.detail["form"] == "plain"
                wanted = "be plain" if abroad else "have the form of the office"
                where = " of a letter abroad" if abroad else ""
                return Judged(passed=False, problem=f"the field `{field}`{where} must {wanted}")
        return Judged(passed=True)

    def gold_answer(self, task: Task) -> str:
        """See `AnswerDomain.gold_answer`."""
        return "; ".join(f"{field}={task.detail['form']}" for field in task.detail["fields"].split(", "))


def write_world(folder: Path, tasks: int = 160) -> tuple[Path, Path]:
    """The data and the skill to begin with, below a folder."""
    data, skill = folder / "data", folder / "forms"
    data.mkdir(parents=True)
    skill.mkdir()
    (skill / "SKILL.md").write_text(SKILL, encoding="utf-8")
    rows = []
    for kind, (fields, share) in SHARES.items():
        for number in range(max(2, round(share * tasks / 160))):
            form = f"{kind.replace(' ', '-')}-{number + 1}"
            right, named = "plain" if kind.endswith("abroad") else "office", ", ".join(fields)
            request = f"Fill in the form {form} ({kind}). Its fields are, in this order: {named}."
            rows.append({"id": form, "kind": kind, "request": request, "fields": named, "form": right})
    (data / "forms.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return data, skill


def _worded(words: Sequence[str], number: int, field: str) -> str:
    return words[number].format(field=field, how=HOW[field])


def stated(text: str) -> frozenset[str]:
    """The causes that a text has the rule for, line by line."""
    found = set()
    for line in text.splitlines():
        if field := FIELD.search(line):
            found.add(f"{field['field']} abroad" if "abroad" in line else field["field"])
    return frozenset(found & {*CAUSES})


class Reader:
    """What the merger takes a text to mean; see `trace2skill.sim.meaning.MeaningReader`."""

    def themes(self, text: str) -> frozenset[str]:
        """The causes a text states; what states none is like nothing else."""
        return stated(text) or frozenset({f"own: {' '.join(text.lower().split())}"})

    def words(self, theme: str) -> str:
        """The first wording."""
        field = theme.removesuffix(" abroad")
        return _worded(EXCEPTION if theme == ABROAD else WORDINGS, 0, field) if theme in CAUSES else ""

    def opposite(self, theme: str) -> str:
        """None: an exception opposes nothing."""
        return ""


READER = Reader()


def speak(heard: Heard) -> Spoken:
    """One answer, in the role that the system prompt gives."""
    system = heard.system
    if system.startswith("You are an agent"):
        return _agent(heard)
    if system.startswith("You are a one-call error analyst"):
        return _analyst(heard)
    if system.startswith("You keep a skill"):
        return propose(heard)
    for opening, role in book.ROLES.items():
        if system.startswith(opening):
            return role(heard, READER)
    return answer_json({"lessons": []})


def _world(heard: Heard) -> tuple[str, ...]:
    """What makes the luck of one world another's: nothing for the first."""
    return (f"world {heard.profile.seed}",) if heard.profile.seed > 1 else ()


def _agent(heard: Heard) -> Spoken:
    """Fills in a form: a field in the office's form where the skill states its rule, and now and then by luck."""
    known = stated("\n".join(text for name, text in blocks(heard.system) if name == "skill"))
    asked = re.search(r"form (\S+) \((.+)\)\. Its fields are, in this order: (.+)\.", heard.opening)
    if asked is None:
        return Spoken(text="Answer: I cannot read this.")
    form, kind, fields = asked.groups()
    values = [
        _value(field, kind, known, (form, field, str(heard.seed), *_world(heard))) for field in fields.split(", ")
    ]
    return Spoken(text=f"I fill in the form.\n\nAnswer: {'; '.join(values)}")


def _value(field: str, kind: str, known: Collection[str], drawn: tuple[str, ...]) -> str:
    if kind.endswith("abroad"):
        return f"{field}={'office' if field in known and f'{field} abroad' not in known else 'plain'}"
    return f"{field}={'office' if field in known or chance('luck', *drawn) < LUCK else 'plain'}"


def _analyst(heard: Heard) -> Spoken:
    """One lesson, on the first field that is wrong; or on something else that nobody asked for."""
    task = heard.block("task")
    form = next(iter(re.findall(r"form (\S+) \(", task)), "a form")
    wrong = "office" if "abroad" in task else "plain"
    first = re.search(rf"(\w+)={wrong}", heard.block("trajectory"))
    if first is None:
        return answer_json(NOTHING_SEEN)
    words = EXCEPTION if wrong == "office" else WORDINGS
    content = _worded(words, pick(len(words), "wording", heard.opening, *_world(heard)), first[1])
    if chance("misread", heard.opening, *_world(heard)) < MISREAD:
        content = UNTRUE[pick(len(UNTRUE), "untrue", heard.opening, *_world(heard))].format(form=form)
    return report_on(content, "When a form is filled in and the request says nothing else; it is sent back else.")


NOTHING_SEEN = {"surface": "?", "cause": "unknown", "cause_steps": [], "kind": "logic", "lessons": []}
"""The report of an analyst who finds no field that is wrong."""


def report_on(content: str, description: str) -> Spoken:
    """An analyst's report with this one lesson."""
    lesson = {
        "title": "What the office wants",
        "description": description,
        "content": content,
        "steps": [3],
        "proved_by": "the check of the office",
        "certainty": "shown",
        "stands": "new",
    }
    report = {"surface": "The form came back.", "cause": "A field.", "cause_steps": [3], "kind": "form"}
    return answer_json({**report, "lessons": [lesson]})


def propose(heard: Heard) -> Spoken:
    """A line for each lesson."""
    paths = {section.path[-1].lower(): list(section.path) for section in sections(heard.block("skill"))}
    edits: list[Mapping[str, object]] = [
        {
            "op": "append_to_section",
            "section": paths.get("fields", []),
            "content": f"- {text.split(chr(10) * 2)[-1].strip()}",
            "lessons": [name.removeprefix("lesson ")],
        }
        for name, text in blocks(heard.opening)
        if name.startswith("lesson ")
    ]
    return answer_json({"reasoning": "A line each.", "edits": edits, "changelog": ["Add what the office wants."]})
