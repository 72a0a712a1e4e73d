"""Mutated answers, skills, logs, workbooks and server replies: nothing raises that is not ours, and nothing takes long.

    python bench/fuzz.py --cases 200000   # of all kinds together
    python bench/fuzz.py --kind logs --cases 2000 --seed 7

A case is drawn from its kind, its number and the seed: the one that raised is done again by `--only NUMBER`.
"""

import argparse
import contextlib
import io
import json
import logging
import os
import random
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

from fuzz_seeds import BOOK, LOGS, PAGE, PATCH, REPLY, SKILL, TABLE
from strange_server import StrangeServer

from trace2skill.core.budget import Budget
from trace2skill.core.errors import Trace2SkillError
from trace2skill.core.step_label import StepLabel
from trace2skill.domains.base import ANSWER, graded
from trace2skill.domains.document_qa.domain import DocumentQA
from trace2skill.domains.math.forms import answer_in
from trace2skill.domains.spreadsheet.grade import grade_case
from trace2skill.domains.table_qa.domain import TableQuestions
from trace2skill.llm import Client, ModelSettings, Request
from trace2skill.llm.request import readable
from trace2skill.llm.structured import read
from trace2skill.safety.redaction import Redactor, redacted
from trace2skill.safety.screening import screened
from trace2skill.skills.apply import apply_edits
from trace2skill.skills.markdown import sections
from trace2skill.skills.skill import Skill, problems, read_skill
from trace2skill.store import open_store
from trace2skill.traces import Notes, Source, read_source
from trace2skill.traces.outcomes import labelled
from trace2skill.traces.segments import segmented
from trace2skill.traces.verdicts import Verdicts
from trace2skill.types.patch import Edit, Patch

MOST_SECONDS = 20.0
ODD = [
    "\0", "\x1b[31m", "\ufeff", "\u202e", "\u200b", "\ud800", "\U0001f469\u200d\U0001f4bb", "\u0130", "é", "e\u0301", "\r", "\r\n", "\u2028",
    "```", "~~~", "===", "---", "<!--", "<?", "<![CDATA[", "<pre>", "</", "[[", "](", "{{", "}}", "${", "%s", "\\", "\"", "'", "&#0;", "[/b]", "[red]",
    "null", "NaN", "Infinity", "-0", "1e999", "9" * 400, "1" * 30, "[1]" * 50, "\\boxed{" * 40, "- " * 60, "> " * 90, "* " * 70, "| a " * 50,
    "&a [*a,*a]", "!!python/object:os.system", "!!binary x", "<<: *a", "? ", ": ", "- - - -", "\t", " " * 300, "\n" * 200, "A" * 3000,
    "../../x", "con.md", "sk-proj-aaaaaaaaaaaaaaaaaaaaaaaaaaa1", "password=hunter22222", "-" * 300, "(" * 300, "{" * 300, "[" * 300, '{"a":' * 200,
]  # fmt: skip


def mutated(dice: random.Random, text: str) -> str:
    """A text in which pieces are gone, doubled, moved, exchanged or new."""
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        one, other = sorted(dice.randint(0, len(text)) for _ in range(2))
        how = dice.randrange(6)
        if how == 0:
            text = text[:one] + text[other:]
        elif how == 1:
            text = text[:other] + text[one:other] * dice.choice((1, 2, 30)) + text[other:]
        elif how == 2:
            text = text[:one] + dice.choice(ODD) * dice.choice((1, 1, 3, 60)) + text[one:]
        elif how == 3:
            text = text[other:] + text[one:other] + text[:one]
        elif how == 4:
            text = text[:one] + "".join(dice.choice(ODD) for _ in range(dice.randint(1, 9))) + text[other:]
        else:
            text = text[:one]
        text = text[:200_000]
    return text


def mutated_value(dice: random.Random, value: Any, depth: int = 0) -> Any:
    """A JSON value in which some things are others."""
    if dice.random() < (0.02 if depth else 0.0):
        odd = (
            None,
            True,
            -1,
            0,
            1.5,
            1e300,
            10**30,
            "",
            [],
            {},
            [None],
            {"a": [value]},
            dice.choice(ODD),
            float("nan"),
        )
        return dice.choice(odd)
    if isinstance(value, dict):
        kept = {key: mutated_value(dice, item, depth + 1) for key, item in value.items() if dice.random() > 0.02}
        return {**kept, dice.choice(ODD): dice.choice(ODD)} if dice.random() < 0.02 else kept
    if isinstance(value, list):
        made = [mutated_value(dice, item, depth + 1) for item in value]
        return made * 2 if dice.random() < 0.02 else made
    return mutated(dice, value) if isinstance(value, str) and dice.random() < 0.1 else value


def an_answer(dice: random.Random, folder: Path) -> None:
    """What a model said: graded, read as a structured answer, redacted, screened."""
    del folder
    said = mutated(
        dice, dice.choice(("Answer: 12", "So it is\n\\boxed{12}.", "#### 12", PATCH, f"```json\n{PATCH}\n```", SKILL))
    )
    for domain, task in ((TableQuestions(), TABLE), (DocumentQA(), PAGE)):
        graded(domain, task, {ANSWER: said.encode("utf-8", "replace")})
    for form in ("gsm8k", "boxed", "dapo"):
        answer_in(said, form)  # type: ignore[arg-type]
    read(said, Patch)
    Redactor().text(said)
    screened(said)


def a_skill(dice: random.Random, folder: Path) -> None:
    """A directory that somebody brought: read, and edited by a patch that is odd as well."""
    place = folder / "sums"
    place.mkdir(exist_ok=True)
    (place / "SKILL.md").write_bytes(
        mutated(dice, SKILL).encode("utf-8", "surrogatepass" if dice.random() < 0.1 else "replace")
    )
    found = read_skill(place)
    problems(found)
    for heading in sections(found.body):
        str(heading)
    operations = ("append_to_section", "add_section", "replace_lines", "create", "set_description")
    edits = [
        {"op": dice.choice(operations), "file": dice.choice(("SKILL.md", mutated(dice, "references/a.md")[:300])),
         "section": ["Sums", dice.choice(("Rules", "Ends", mutated(dice, "Rules")[:200]))], "title": mutated(dice, "More")[:200],
         "content": mutated(dice, "- Look twice.\n"), "anchor": dice.choice(("", "- Add every number once.", mutated(dice, "1. Check it.")[:300]))}
        for _ in range(dice.randint(1, 3))
    ]  # fmt: skip
    made = []
    for edit in edits:
        try:
            made.append(Edit.model_validate(readable(edit)))
        except ValueError:
            continue
    good = Skill.model_validate(found.model_dump())
    apply_edits(good, made)


def a_log(dice: random.Random, folder: Path) -> None:
    """A session in one of the formats: read, cut, labelled, redacted."""
    name, seed = dice.choice([*LOGS.items()])
    if isinstance(seed, list):
        lines = [json.dumps(mutated_value(dice, line)) for line in seed]
        dice.shuffle(lines) if dice.random() < 0.1 else None
        text = "\n".join(lines)
    else:
        text = json.dumps(mutated_value(dice, seed))
    text = mutated(dice, text) if dice.random() < 0.3 else text
    path = folder / name
    path.write_bytes(text.encode("utf-8", "surrogatepass" if dice.random() < 0.1 else "replace"))
    notes = Notes()
    for trajectory in read_source(Source(path), notes):
        for segment in segmented(trajectory):
            redacted(labelled(segment, Verdicts(), str(path)))


def a_workbook(dice: random.Random, folder: Path) -> None:
    """What an agent left as its workbook: parts that are others, bytes that are gone."""
    del folder
    raw = bytearray(BOOK)
    if dice.random() < 0.7:
        with zipfile.ZipFile(io.BytesIO(BOOK)) as whole:
            parts = {name: whole.read(name) for name in whole.namelist()}
        target = dice.choice([*parts])
        parts[target] = mutated(dice, parts[target].decode()).encode("utf-8", "replace")
        if dice.random() < 0.1:
            del parts[dice.choice([*parts])]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            for name, content in parts.items():
                made.writestr(name, content)
        raw = bytearray(out.getvalue())
    else:
        for _ in range(dice.randint(1, 30)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        raw = raw[: dice.randint(0, len(raw))] if dice.random() < 0.3 else raw
    grade_case("1", BOOK, bytes(raw), "Data!A1:C4")


def a_reply(dice: random.Random, folder: Path) -> None:
    """What a server answers, over the whole path of a call."""
    server = _server()
    body: Any = json.dumps(mutated_value(dice, REPLY))
    server.replies[:] = [
        (dice.choice((200, 200, 200, 400, 413)), mutated(dice, body) if dice.random() < 0.3 else body, {})
    ]
    os.environ.setdefault("OPENAI_API_KEY", "sk-test")
    store = open_store(folder / "s.duckdb")
    settings = ModelSettings(name="openai/mine", api_base=server.url, price=(1.0, 1.0), timeout_seconds=10)
    messages = ({"role": "user", "content": f"{dice.random()}"},)
    client = Client(store, Budget(None), "fuzz")
    client.complete(Request(role="agent", settings=settings, messages=messages), step=StepLabel("fuzz"))


@cache
def _server() -> StrangeServer:
    return StrangeServer((200, REPLY, {}))


KINDS: dict[str, tuple[Callable[[random.Random, Path], None], int]] = {
    "answers": (an_answer, 40), "skills": (a_skill, 25), "logs": (a_log, 25), "workbooks": (a_workbook, 8), "replies": (a_reply, 2),
}  # fmt: skip
"""Each kind, and how many of a hundred cases are of it: by what a case costs."""


def fuzz(kind: str, cases: int, seed: int, first: int = 0) -> tuple[list[str], float]:
    """What went wrong in so many cases of a kind, and the longest time of the CPU that one took, in seconds."""
    one, _ = KINDS[kind]
    wrong, longest = [], 0.0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with contextlib.suppress(Exception):  # what is imported when it is first needed
            one(random.Random("first"), folder)
        for number in range(first, first + cases):
            began = time.process_time()
            try:
                one(random.Random(f"{kind} {seed} {number}"), folder)
            except Trace2SkillError:
                pass
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                where = traceback.extract_tb(error.__traceback__)[-1]
                wrong.append(
                    f"{kind} {number}: {type(error).__name__}: {str(error)[:120]} ({where.filename.rpartition('/')[2]}:{where.lineno})"
                )
            took = time.process_time() - began
            longest = max(longest, took)
            if took > MOST_SECONDS:
                wrong.append(f"{kind} {number}: {took:.0f} s of CPU")
    return wrong, longest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--kind", choices=[*KINDS])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    for kind in [given.kind] if given.kind else KINDS:
        count = 1 if given.only is not None else given.cases if given.kind else given.cases * KINDS[kind][1] // 100
        began = time.monotonic()
        wrong, longest = fuzz(kind, count, given.seed, given.only or 0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{kind}: {count} cases, {len(wrong)} wrong, longest {longest:.2f} s of CPU, {time.monotonic() - began:.0f} s in all, {peak} MiB at most"
        )
        seen = Counter(item.partition(": ")[2] for item in wrong)
        for words, times in seen.most_common(20):
            first = next(item for item in wrong if item.endswith(words))
            print(f"  {times} x {first}")


if __name__ == "__main__":
    main()
