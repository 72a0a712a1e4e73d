"""Who plays the house's roles: an agent that follows what its prompt states, an analyst that reads what a check says.

Neither knows a convention of its own accord. The agent writes a program for the request and turns to a convention only
where a sentence of its skill states it; the analyst names one only where the check's words, as the product hands them
on, state it. Which words it finds for it, which of them it puts together and where the proposer wants them is drawn by
a hash of the request it answers, so that no two tasks say the same thing in the same way.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from house_words import CONVENTIONS, UNTRUE, HouseReader, stated, worded

from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks, call
from trace2skill.sim.profile import chance, pick
from trace2skill.sim.roles import book, play
from trace2skill.skills.markdown import sections

MOST_LESSONS = 5
ACTED = 3
"""The step of the agent's only command: the prompt and the task are the first two."""
FIX = "trace/fix.sh"
REFUSED = "Your fix does not give the expected result yet."
REQUESTS = {
    "list": r"the orders with status (?P<status>\w) as the report `(?P<report>\w+)`",
    "sum": r"the report `(?P<report>\w+)` into `out/`: for each name",
    "days": r"the report `(?P<report>\w+)` into `out/`: how many orders",
    "big": r"the report `(?P<report>\w+)` into `out/`: the orders of `orders.csv` above (?P<limit>\d+) dollars",
    "json": r"JSON object with the number of orders in `orders.csv` by status to `out/(?P<report>\w+)\.json`",
}
HEAD = """\
import csv, datetime, json, os
rows = list(csv.DictReader(open("orders.csv")))
"""
LINES = {
    "list": """\
head = ["id", "name", "amount"]
lines = [[r["id"], person(r["name"]), money(float(r["amount"]))] for r in rows if r["status"] == "{status}"]
""",
    "sum": """\
head, sums = ["name", "amount"], {{}}
for r in rows:
    sums[r["name"]] = sums.get(r["name"], 0) + float(r["amount"])
lines = [[person(name), money(total)] for name, total in sums.items()]
""",
    "days": """\
head, count = ["day", "orders"], {{}}
for r in rows:
    count[r["day"]] = count.get(r["day"], 0) + 1
lines = [[day(when), str(orders)] for when, orders in count.items()]
""",
    "big": """\
head = ["day", "id", "amount"]
lines = [[day(r["day"]), r["id"], money(float(r["amount"]))] for r in rows if float(r["amount"]) > {limit}]
""",
}


@dataclass(frozen=True)
class Play:
    """How the analyst and the proposer are to be: shares of analyses, from 0 to 1."""

    misread: float = 0.15
    """Of so many failures the first report blames what nobody asked for."""
    besides: float = 0.0
    """Of so many failures the report that proves its fix says one thing more, which nobody asked for."""
    most: int = MOST_LESSONS
    """Lessons of one failure, at most."""
    joined: float = 0.2
    """Of so many pairs of rules of one lesson the proposer makes one line."""


def speaker(how: Play) -> "House":
    """The script for `sim/scripted`."""
    return House(how)


class House:
    """Answers every request of a run."""

    def __init__(self, how: Play) -> None:
        self._how, self._reader = how, HouseReader()

    def __call__(self, heard: Heard) -> Spoken:
        """One answer, in the role that the system prompt gives."""
        system = heard.system
        if system.startswith("You are an agent"):
            return agent(heard)
        if system.startswith("You are an error analyst"):
            return analyst(heard, self._how)
        if system.startswith("You keep a skill"):
            return proposer(heard, self._how)
        if system.startswith(("You are a success analyst", "You are a contrast analyst")):
            return answer_json({"lessons": []})
        for opening, role in book.ROLES.items():
            if system.startswith(opening):
                said = json.loads(role(heard, self._reader).text)
                said.pop("conditional", None)  # nobody says when the one would hold and when the other
                return answer_json(said)
        return play(heard)


def agent(heard: Heard) -> Spoken:
    """Write the program that the request and the skill ask for, and run it."""
    if heard.turns:
        return Spoken(text="It is written.")
    known = stated("\n".join(text for name, text in blocks(heard.system) if name == "skill"))
    return call(heard, "I write a program and run it.", "bash", command=script(heard.opening, known))


def analyst(heard: Heard, how: Play) -> Spoken:
    """Look, compare, then mend what was said until the fix is taken, and hand in what was said in words."""
    if heard.turns == 0:
        look = "head -n 4 given/orders.csv; cut -d, -f3 given/orders.csv | tail -n +2 | sort -u"
        return call(heard, "I look at the data.", "bash", command=look)
    if heard.turns == 1:
        return call(heard, "I compare what was left with what was expected.", "evaluate")
    turn, seen = heard.turns - 2, heard.observations
    task, before = heard.block("task"), stated(heard.block("skill"))
    salt = f"{heard.profile.seed}/{task}/{seen[0]}"  # several tasks are asked for in the same words
    told = stated("\n".join(complaints(seen[1:])))
    blamed = chance("misread", salt) < how.misread
    if turn in (0, 1) and blamed:
        return _proved(heard, turn, script(task, before), [_untrue(salt, "misread")])
    known, tried = {**before, **told}, _unsaid(seen, told, before)
    if tried is None:
        return Spoken(text="I could not find the cause.")
    fix = script(task, {**known, **({"test_lines": tried} if tried else {})})
    more = [_untrue(salt, "besides")] if chance("besides", salt) < how.besides else []
    drawn = lessons(salt, told, how.most - len(more))
    return _proved(heard, turn % 2, fix, [*drawn, *more])


def complaints(said: Collection[str]) -> list[str]:
    """The lines of what a check printed, among what the tools said."""
    return [line.strip() for text in said for line in text.splitlines() if line.strip().startswith("- ")]


def _unsaid(seen: tuple[str, ...], told: Mapping[str, str], before: Mapping[str, str]) -> str | None:
    """What to try where nothing is left that a check said in words: to leave out the lines of one status after another.

    '' where the last words said something new; None where all was tried. It makes no lesson: nobody said it.
    """
    fixes = [index for index, text in enumerate(seen) if text.startswith(REFUSED)]
    empty = [index for index in fixes if not set(stated("\n".join(complaints(seen[index : index + 1])))) - set(before)]
    if not empty or "test_lines" in told:
        return "" if len(empty) < 2 else None
    letters = [line.strip() for line in seen[0].splitlines() if re.fullmatch(r"[A-Z]", line.strip())]
    return letters[len(empty) - 1] if len(empty) <= len(letters) else None


def lessons(salt: str, told: Mapping[str, str], most: int = MOST_LESSONS) -> list[dict[str, object]]:
    """What the check said, in words of one's own; several rules a lesson where there are more rules than lessons."""
    names = sorted(told, key=lambda name: chance("order", salt, name))
    parts = [names[start::most] for start in range(min(most, len(names)))]
    made = []
    for part in parts:
        title = " and ".join(CONVENTIONS[name].title for name in part)
        made.append(_lesson(title, [worded(name, told[name], salt) for name in part]))
    return made


def _untrue(salt: str, why: str) -> dict[str, object]:
    return _lesson("What went wrong", [UNTRUE[pick(len(UNTRUE), why, salt)]])


def _lesson(title: str, sentences: list[str]) -> dict[str, object]:
    return {
        "title": title,
        "description": "When a file is written for this house and the request says nothing else; it is sent back else.",
        "content": "\n".join(sentences),
        "steps": [ACTED],
        "proved_by": "the line of the fix that does so",
        "certainty": "shown",
        "stands": "new",
    }


def _proved(heard: Heard, turn: int, fix: str, drawn: list[dict[str, object]]) -> Spoken:
    if turn == 0:
        return call(heard, "I write the fix.", "bash", command=f"cat > {FIX} <<'FIX'\n{fix}\nFIX")
    report = {
        "surface": "What was left is not as the house has it.",
        "cause": "The agent did as the request says and knew nothing of the conventions that the check names.",
        "cause_steps": [ACTED],
        "kind": "form",
        "fix_file": FIX,
        "lessons": drawn,
    }
    return call(heard, "I hand it in.", "submit", **report)


def proposer(heard: Heard, how: Play) -> Spoken:
    """A line for each sentence of each lesson, under a heading that differs from patch to patch."""
    skill = heard.block("skill")
    paths = {section.path[-1].lower(): list(section.path) for section in sections(skill)}
    edits: list[dict[str, object]] = []
    for name, text in blocks(heard.opening):
        if not name.startswith("lesson "):
            continue
        sentences = text.split("\n\n")[-1].splitlines()
        joined = len(sentences) > 1 and chance("joined", heard.opening, name) < how.joined
        for line in [" ".join(sentences)] if joined else sentences:
            edits.append({**_place(heard.opening, line, paths), "content": f"- {line}", "lessons": [name[7:]]})
    return answer_json(
        {"reasoning": "A line for each rule.", "edits": edits, "changelog": ["Add what the house wants."]}
    )


def _place(opening: str, line: str, paths: Mapping[str, list[str]]) -> dict[str, object]:
    draw, written = chance("place", opening), paths.get("writing results")
    if written and (draw < 0.5 or "JSON" in line):
        return {"op": "append_to_section", "section": written}
    return {"op": "add_section", "section": [], "title": "Reports of this house" if draw < 0.85 else "House reports"}


def script(request: str, known: Mapping[str, str]) -> str:
    """A script for a request that follows the conventions in `known` and no others; '' for another kind of request."""
    for kind, asked in REQUESTS.items():
        if found := re.search(asked, request):
            values = found.groupdict()
            body = _json(values, known) if kind == "json" else _report(LINES[kind].format(**values), values, known)
            letter = known.get("test_lines", "")
            dropped = f'rows = [r for r in rows if r["status"] != "{letter}"]\n' if letter else ""
            return f"mkdir -p out\npython3 - <<'PY'\n{HEAD}{dropped}{body}PY"
    return ""


def _report(lines: str, values: Mapping[str, str], known: Collection[str]) -> str:
    file = f"out/{values['report']}.{'rpt' if 'ending' in known else 'csv'}"
    separator = ";" if "separator" in known else ","
    money = "str(round(value * 100))" if "cents" in known else 'f"{value:.2f}"'
    day = 'datetime.date.fromisoformat(when).strftime("%Y%j")' if "days" in known else "when"
    person = '"{1}, {0}".format(*name.split(" ")).replace(name.split(" ")[1], name.split(" ")[1].upper())'
    parts = [
        f"def money(value): return {money}",
        f"def day(when): return {day}",
        f"def person(name): return {person if 'people' in known else 'name'}",
        lines.rstrip("\n"),
    ]
    if "order" in known:
        parts.append("lines.sort(key=lambda line: (line[0].isdigit(), int(line[0]) if line[0].isdigit() else line[0]))")
        parts.append("lines.reverse()")
    if "capitals" in known:
        parts.append("head = [title.upper() for title in head]")
    parts.append(f"text = [{separator!r}.join(line) for line in [head, *lines]]")
    if "closing" in known:
        parts.append('text.append(f"#END {len(lines)}")')
    parts.append(f'open("{file}", "w").write("\\n".join(text) + "\\n")')
    return "\n".join(parts) + "\n"


def _json(values: Mapping[str, str], known: Collection[str]) -> str:
    parts = ["found = {}", 'for r in rows: found[r["status"]] = found.get(r["status"], 0) + 1']
    if "json_text" in known:
        parts.append("found = {status: str(count) for status, count in found.items()}")
    if "origin" in known:
        parts.append('found["_house"] = "orders.csv"')
    parts.append(f'json.dump(found, open("out/{values["report"]}.json", "w"))')
    return "\n".join(parts) + "\n"
