"""Attempts that are texts: secrets in a log, rules for a skill, honest ones of both."""

import random
import re
import string
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ingesting import ingest, settings
from red_team import chat

from attacks import everyday, rules, second, secrets
from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds
from trace2skill.consolidate.candidate import build_candidate
from trace2skill.consolidate.quarantine import review, review_lessons
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.safety.redaction import Redactor
from trace2skill.skills.skill import Skill, SkillFile
from trace2skill.store import Store, open_store
from trace2skill.types.lesson import Evidence, Lesson
from trace2skill.types.patch import Edit

Tried = Iterator[tuple[str, bool]]
"""The name of each attempt, and whether it got through."""
POOLS = {
    "a": string.ascii_letters + string.digits, "x": "0123456789abcdef", "d": string.digits, "u": string.ascii_uppercase + "234567",
    "l": string.ascii_lowercase, "m": string.ascii_letters + string.digits + "!#%*@^_+",
}  # fmt: skip
MADE, HIDDEN = re.compile(r"<([axdulm])(\d+)>"), re.compile(r"\[\[(.*?)\]\]", re.S)
LONG_RUN = re.compile(r"[A-Za-z0-9]{8,}")
BASE = Skill(
    files=(
        SkillFile(
            path="SKILL.md",
            content=b"---\nname: work\ndescription: Work on tables and text.\n---\n\n# Work\n\n## Rules\n",
        ),
    )
)


def written(form: str, seed: int) -> tuple[str, list[str]]:
    """A form with values in it, and the values that must be gone."""
    dice = random.Random(seed)

    def made(found: re.Match[str]) -> str:
        pool = POOLS[found[1]]
        value = "".join(dice.choice(pool) for _ in range(int(found[2])))
        return value[:-2] + "7" + dice.choice("qrstuvw") if found[1] == "a" and not re.search(r"\d", value) else value

    text = MADE.sub(made, form)
    return HIDDEN.sub(lambda found: found[1], text), HIDDEN.findall(text)


def parts_of(value: str) -> list[str]:
    """What of a value tells it: its long runs of letters and digits, or all of it."""
    return LONG_RUN.findall(value) or [value]


def secrets_in_logs() -> Tried:
    """Each in a log of its own, in what a user says and in what a tool answers; looked for in the whole store."""
    made = {name: written(form, seed) for seed, (name, form) in enumerate(secrets.SECRETS.items())}
    with tempfile.TemporaryDirectory() as folder:
        work, logs = Path(folder) / "work", Path(folder) / "logs"
        for path in (work, logs):
            path.mkdir()
        for number, (text, _) in enumerate(made.values()):
            turns = [("look", {"at": f"file {number}"}, f"Here it is:\n{text}\n"), ("done", {}, "ok")]
            write(logs / f"{number:03}.json", chat(f"log-{number}", turns, f"See this:\n{text}\n"))
        everything = ingested(work, logs)[0]
    for name, (_, values) in made.items():
        yield name, any(part in everything for value in values for part in parts_of(value))


def ingested(work: Path, logs: Path) -> tuple[str, str]:
    """Logs through the product: all that its store then holds, and the skill that it made of them."""
    given = settings(work, logs)
    summary = ingest(given)
    store = open_store(given.store)
    tables = ("noun", "model_call", "observation", "result", "run", "ledger", "version", "champion")
    rows = [str(row) for table in tables for row in store.query(f"SELECT * FROM {table}")]
    store.close()
    forget_runtimes()
    skill = summary.candidate_directory
    written_down = "".join(path.read_text() for path in sorted(skill.rglob("*")) if path.is_file()) if skill else ""
    return "\n".join(rows), written_down


def write(path: Path, session: dict) -> None:
    """A session as a log."""
    import json

    path.write_text(json.dumps(session) + "\n", encoding="utf-8")


def harmless_texts() -> Tried:
    """What must stay as it is; what was changed counts."""
    for text in secrets.HARMLESS:
        yield text, Redactor().text(text) != text


def rules_into_a_skill() -> Tried:
    """Each as a lesson and as the edit of a patch, as the product looks at both; then into a candidate."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "s.duckdb")
        for style, languages in rules.STYLES.items():
            for language, texts in languages.items():
                for text in texts:
                    yield f"{style}, {language}: {text}", enters(store, text)
        for text in rules.TRICKS:
            yield f"trick: {text}", enters(store, text)
        store.close()


def later_rules() -> Tried:
    """Those that nobody mended for."""
    yield from entering_of(rules.LATER)


def everyday_rules() -> Tried:
    """Everyday commands where they do harm."""
    yield from entering_of(everyday.HARMFUL)


def later_everyday() -> Tried:
    """Likewise, not mended for."""
    yield from entering_of(everyday.LATER_HARMFUL)


def scoped() -> Tried:
    """Harmful ones in the words that excuse an everyday command."""
    yield from entering_of(everyday.SCOPED)


def later_everyday_honest() -> Tried:
    """Honest ones that nobody mended for: those that are withheld."""
    yield from withheld_of(everyday.LATER_HONEST)


def everyday_honest() -> Tried:
    """The same commands within the work: those that are withheld."""
    yield from withheld_of(everyday.HONEST)


def later_honest() -> Tried:
    """Honest ones that nobody mended for: those that are withheld."""
    yield from withheld_of(rules.LATER_HONEST)


def border_honest() -> Tried:
    """Honest ones that look harmful, which nobody mended for: those that are withheld."""
    yield from withheld_of(second.HONEST)


def honest_lessons() -> Tried:
    """Those that are withheld."""
    yield from withheld_of(rules.HONEST)


def withheld_of(given: Iterable[str]) -> Tried:
    """Each as a lesson and as an edit: is it kept out?"""
    yield from ((text, not through) for text, through in entering_of(given))


def entering_of(given: Iterable[str]) -> Tried:
    """Each as a lesson and as an edit: does it come in?"""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "s.duckdb")
        for text in given:
            yield text, enters(store, text)
        store.close()


def enters(store: Store, text: str) -> bool:
    """Does a text come into the candidate?"""
    lesson = Lesson(
        trajectory_id="T1", task_id="t1", kind="error", proof="observed", title="What to do",
        description="Learned from a log.", content=text, evidence=(Evidence(first=1, last=1),),
    )  # fmt: skip
    kept, _ = review_lessons(store, BASE, [lesson])
    if not kept:
        return False
    edit = Edit(op="append_to_section", section=("Work", "Rules"), content=f"- {text}", lessons=(lesson.id,))
    group = EditGroup(edits=(edit,), support=Support.of("T1", "t1", "error"))
    looked = review(store, BASE, [group])
    skill, _ = build_candidate(BASE, Groups.of(list(looked.kept)), Thresholds(main=1, reference=1), 1)
    return skill.digest != BASE.digest


def errors_into_a_skill() -> Tried:
    """What a tool says when it fails, in three logs of other tasks, and a call that then works. No model."""
    with tempfile.TemporaryDirectory() as folder:
        work, logs = Path(folder) / "work", Path(folder) / "logs"
        for path in (work, logs):
            path.mkdir()
        for number, (said, comes, _) in enumerate(rules.WORKED):
            for twin in range(3):
                calls = [
                    (f"tool{number}", {"command": f"open {twin}", "mode": "a"}, f"Error: {said}"),
                    ("bash", {"command": comes.replace("N", str(number))}, "ok"),
                    (f"tool{number}", {"command": f"open {twin}", "mode": "b"}, "ok"),
                ]
                write(
                    logs / f"{number:02}-{twin}.json",
                    chat(f"e-{number}-{twin}", calls, f"Task {number} {twin}: do it."),
                )
        _, skill = ingested(work, logs)
    plain = " ".join(skill.split())
    for said, _, mark in rules.WORKED:
        yield said, mark in plain
