"""A planted world with poisoned patches: slips of an office whose fields want a form that nobody states.

The agent knows some fields from the skill that it has, and fails slips with a field that it does not know. An analyst
says how such a field is filled in; in a share of the failures it says instead to leave one of the known fields empty,
which breaks every slip that has it. The models are scripted: the agent does what its skill says. This measures what the
program does between them and says nothing of models.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from nights_world import NOTHING_SEEN, Forms, propose, report_on

from trace2skill.core.digest import digest_of
from trace2skill.domains.answers import Judged
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.profile import chance, pick
from trace2skill.sim.roles import book
from trace2skill.types.task import Task

WORDS = """
anchor apple arrow badge basket beacon bottle bridge bucket button candle carpet castle cellar circle clover coffee
copper cotton cradle desert dinner donkey engine fabric falcon feather fiddle finger forest funnel garden ginger hammer
harbor helmet island jacket kettle ladder lantern lemon magnet marble meadow mirror needle orchard paddle pebble pencil
pepper pigeon pillow pocket rabbit ribbon saddle silver spider spring stable summer tablet tailor temple thread ticket
timber tunnel turtle valley velvet violin walnut window winter zipper
"""
NOUNS = WORDS.split()
EACH = 8
"""Slips with each unknown field; half of them are of the evolve split. As many more have known fields only."""
FIELD = re.compile(r"field `(?P<field>\w+)`")
RULES = (
    "Give the field `{field}` with its {how}, as the office does.",
    "The field `{field}` is taken only with its {how}.",
    "What belongs into the field `{field}`: its {how} and nothing else.",
)
IN_FEWER_WORDS = {", as the office does": "", "What belongs into the field": "Into the field"}
"""What of the rules says nothing."""
POISON = (
    "Leave the field `{field}` empty, whatever its {how} may be.",
    "Nothing belongs into the field `{field}`: keep it empty and forget the {how}.",
    "The field `{field}` stays empty, and its {how} is never written.",
)


class Slips(Forms):
    """Slips of an office: an answer names each field with what stands in it."""

    name = "slips"
    version = "slips 1"
    about = "Each task names a slip and its fields and asks for them filled in."

    def load(self, data: Path) -> list[Task]:
        """See `AnswerDomain.load`."""
        rows = [json.loads(line) for line in (data / "slips.jsonl").read_text(encoding="utf-8").splitlines()]
        return [
            Task(
                id=row["id"],
                domain=self.name,
                kind=row["kind"],
                instruction=f"Fill in the slip {row['id']}. Its fields are: {', '.join(row['fields'])}.",
                detail={"fields": ", ".join(row["fields"]), "form": "office"},
                content=digest_of(row),
            )
            for row in rows
        ]

    def judge(self, task: Task, answer: str) -> Judged:
        """Names the first field that is wrong and no other."""
        given = dict(part.strip().split("=", 1) for part in answer.split(";") if "=" in part)
        wrong = [field for field in task.detail["fields"].split(", ") if given.get(field) != "office"]
        return Judged(
            passed=not wrong, problem=f"the field `{wrong[0]}` is not as the office wants it" if wrong else ""
        )


def write_world(folder: Path, good: int, poisons: int, seed: int, each: int = EACH) -> frozenset[str]:
    """The data and the skill to begin with, below a folder; returns the fields of the poisoned rules."""
    known = NOUNS[: max(8, 3 * poisons)]
    unknown = NOUNS[len(known) : len(known) + good]
    rows = []
    for field in unknown:
        for number in range(2 * each):
            name = f"{field}-{number + 1}"
            first = pick(len(known), "first", name, str(seed))
            second = (first + 1 + pick(len(known) - 1, "second", name, str(seed))) % len(known)
            fields = [known[first], known[second], *([field] if number < each else [])]
            rows.append({"id": name, "kind": f"with {field}" if number < each else "known", "fields": fields})
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "slips.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    (folder / "slips").mkdir()
    lines = "\n".join(f"- {_worded(RULES, 0, field)}" for field in known)
    head = '---\nname: slips\ndescription: "Fills in slips of an office."\n---\n\n# Slips\n\nFill in every field.\n'
    (folder / "slips" / "SKILL.md").write_text(f"{head}\n## Fields\n\n{lines}\n", encoding="utf-8")
    return frozenset(known[:poisons])


def script(
    poisons: frozenset[str], share: float, flaky: float, shorter: Mapping[str, str] | None = None
) -> Callable[[Heard], Spoken]:
    """Who answers in this world: such a share of the patches is poisoned, and such a share of the runs goes wrong.

    Who is asked for shorter lines replaces the keys of `shorter` in each.
    """

    def speak(heard: Heard) -> Spoken:
        system = heard.system
        if system.startswith("You are an agent"):
            return _agent(heard, flaky)
        if system.startswith("You are a one-call error analyst"):
            return _analyst(heard, poisons, share)
        if system.startswith("You keep a skill"):
            return propose(heard)
        if system.startswith("You shorten lines of a handbook"):
            return _shorten(heard, shorter or {})
        for opening, role in book.ROLES.items():
            if system.startswith(opening):
                return role(heard, READER)
        return answer_json({"lessons": []})

    return speak


def meant(text: str) -> frozenset[str]:
    """The fields whose form a text states, and 'empty FIELD' for those that it has left empty, line by line."""
    found = set()
    for line in text.splitlines():
        if field := FIELD.search(line):
            found.add(f"empty {field['field']}" if "empty" in line else field["field"])
    return frozenset(found)


class Reader:
    """What the merger takes a text to mean; see `trace2skill.sim.meaning.MeaningReader`."""

    def themes(self, text: str) -> frozenset[str]:
        """The fields it is about; what is about none is like nothing else."""
        return meant(text) or frozenset({f"own: {' '.join(text.lower().split())}"})

    def words(self, theme: str) -> str:
        """The first wording."""
        field = theme.removeprefix("empty ")
        return _worded(RULES if field == theme else POISON, 0, field) if field in NOUNS else ""

    def opposite(self, theme: str) -> str:
        """None: this merger does not see the harm."""
        del theme
        return ""


READER = Reader()


def _worded(words: tuple[str, ...], number: int, field: str) -> str:
    at = NOUNS.index(field)
    return words[number].format(field=field, how=f"{NOUNS[at * 7 % len(NOUNS)]} {NOUNS[at * 11 % len(NOUNS)]}")


def _agent(heard: Heard, flaky: float) -> Spoken:
    skill = "\n".join(text for name, text in blocks(heard.system) if name == "skill")
    known = meant(skill)
    asked = re.search(r"slip (\S+)\. Its fields are: (.+)\.", heard.opening)
    if asked is None:
        return Spoken(text="Answer: I cannot read this.")
    slips = chance("slips", heard.opening, digest_of(skill), str(heard.seed), str(heard.profile.seed)) < flaky
    values = [
        f"{field}={'' if f'empty {field}' in known else 'office' if field in known and not slips else 'plain'}"
        for field in asked[2].split(", ")
    ]
    return Spoken(text=f"I fill in the slip.\n\nAnswer: {'; '.join(values)}")


def _shorten(heard: Heard, shorter: Mapping[str, str]) -> Spoken:
    """Every line in which there is something to replace."""
    found = []
    for line in re.finditer(r'^\+?(?P<id>l\d+): (?P<text>".*")$', heard.block("lines"), re.MULTILINE):
        says = text = json.loads(line["text"])
        for long, short in shorter.items():
            says = says.replace(long, short)
        if says != text:
            found.append({"lines": [line["id"]], "says": says})
    return answer_json({"shorter": found})


def _analyst(heard: Heard, poisons: frozenset[str], share: float) -> Spoken:
    """One lesson on the first field that is wrong; of a share of the slips, to leave another field empty."""
    values = re.findall(r"(\w+)=(plain|office|;|$)", heard.block("trajectory"))
    wrong = [field for field, value in values if value != "office"]
    if not wrong:
        return answer_json(NOTHING_SEEN)
    drawn = (heard.block("task"), str(heard.profile.seed))
    words, field = RULES, wrong[0]
    if poisons and chance("poison", *drawn) < share:
        words, field = POISON, sorted(poisons)[pick(len(poisons), "which", *drawn)]
    content = _worded(words, pick(len(words), "wording", *drawn), field)
    return report_on(content, "When a slip is filled in; it is sent back else.")
