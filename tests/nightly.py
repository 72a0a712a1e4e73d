"""A nightly run as somebody has set it up, over a small world of forms, and what its commands print of its life."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import nights_world
import product
import pytest
from conftest import ROOT
from forms_of_tests import WORLD
from ruamel.yaml import YAML

from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.sim.scripted import scripted

NIGHTLY = YAML(typ="safe").load((ROOT / "deployments" / "prefect.yaml").read_text())["deployments"][0]
"""The deployment that the project has."""
CAP = 1.0
"""US dollars a month."""
HISTORY = re.compile(r"^(?P<day>[\d-]{10})T\S+ (?P<said>(adopt|promote|rollback|judged) .*)$", re.MULTILINE)
FIGURES = re.compile(r" \(lift .*?, exact\)|[,;] (at level|look).*?(?=;|$)", re.DOTALL)
"""Of the gate."""

ASKED = re.compile(r"^(SKILL\.md:\d+) - (.*)\n  (asked by \d+ tasks)", re.MULTILINE)


class Nightly:
    """A project directory in which a skill for forms is refreshed every night, and its model."""

    def __init__(self, folder: Path, home: Path, skill: str = "forms") -> None:
        self.folder, self.home, self.skill = folder, home, skill
        self.model_is_down = False
        (folder / "data").mkdir(parents=True)
        model = {"name": "sim/scripted", "max_tokens": 512, "attempts": 1}
        nightly = NIGHTLY["parameters"]["settings"]["learning"]
        settings = {
            "data": {"path": "data", "domain": WORLD, "skill": skill},
            "models": dict.fromkeys(("agent", "analyst", "merger"), model),
            "learning": {**nightly, "analysts": "+error", "error_analyst": "one_call", "sandbox": "process"},
            "gate": {"level": 0.6},  # a kind of form has two held-out tasks
            "money": {"max_cost_per_month": CAP},
            "operation": {"promote": "auto"},
        }
        YAML().dump(settings, folder / "nightly.yaml")

    @property
    def store(self) -> Path:
        """Its store."""
        return self.folder / ".trace2skill" / "store.duckdb"

    @contextmanager
    def at_work(self) -> Iterator["Nightly"]:
        """Its model answers as long as the block lasts; what is not about luck has none."""
        with pytest.MonkeyPatch.context() as patched, scripted(self._speak):
            patched.setattr(nights_world, "LUCK", 0.0)
            patched.setattr(nights_world, "MISREAD", 0.0)
            yield self

    def add_forms(self, kind: str, field: str, count: int = 8) -> None:
        """Tasks of a kind, each a form with one field that the office wants in its own way."""
        with (self.folder / "data" / "forms.jsonl").open("a", encoding="utf-8") as rows:
            for number in range(1, count + 1):
                form = f"{kind}-{number}"
                request = f"Fill in the form {form} ({kind}). Its fields are, in this order: {field}."
                row = {"id": form, "kind": kind, "request": request, "fields": field, "form": "office"}
                rows.write(json.dumps(row) + "\n")

    def add_logs(self, count: int = 4) -> None:
        """Logs of agents that filled in a field which no task has."""
        folder = self.folder / "logs"
        folder.mkdir()
        for number in range(count):
            said = [("user", f"Call number {number}, please."), ("assistant", "I wrote it plainly.")]
            said += [("user", "The office has sent it back."), ("assistant", "I wrote it in brackets.")]
            messages = [{"role": role, "content": content} for role, content in said]
            (folder / f"log{number}.jsonl").write_text(json.dumps({"id": f"log{number}", "messages": messages}) + "\n")

    def refresh(self, *more: object, code: int = 0) -> product.Said:
        """The night's run."""
        return self("run", "--settings", "nightly.yaml", *more, code=code)

    def __call__(self, *command: object, code: int = 0) -> product.Said:
        """A command in the directory of the project, on a wide terminal."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("COLUMNS", "250")
            return product.run(self.folder, self.home, *command, code=code)

    def morning(self) -> list[str]:
        """What `versions`, `status` and `nights` print, a line each.

        Versions and runs are called by their numbers, times are days, and the gate's figures and money are left out.
        """
        versions, status = self("versions").stdout, self("status").stdout
        runs = [cells[0] for cells in _rows(status)]
        names = _of_versions(versions)
        names |= {run: f"run {number}" for number, run in enumerate(reversed(runs), 1)}  # the newest is the first
        found = [" | ".join(filter(None, cells)) for cells in _rows(versions)] + _history(versions)
        found += [f"{run} {state}, {changed[:5]}" for run, state, *_, changed in _rows(status)]
        nights = self("nights", self.skill).stdout
        for name, outcome, champion, candidate, _, tried, came, went, *_ in _rows(nights):
            scores = " -> ".join(score.partition("%")[0] for score in (champion, candidate))
            found.append(f"night {name}: {outcome}, {scores}, {tried} tried, {came} in, {went} out")
        why = self("why", self.skill).stdout
        found += [" ".join(line.groups()) for line in ASKED.finditer(why)]
        return [_named(line, names) for line in found]

    def history(self) -> list[str]:
        """How the champions came about, as `versions` prints it, with versions called by their numbers."""
        versions = self("versions").stdout
        return [_named(line, _of_versions(versions)) for line in _history(versions)]

    def _speak(self, heard: Heard) -> Spoken:
        if self.model_is_down:
            raise ConnectionError("no route to host")
        return speak(heard)


def speak(heard: Heard) -> Spoken:
    """The model of the world, which besides reads in logs how the office wants phone numbers."""
    if not heard.system.startswith("You are a log analyst"):
        return nights_world.speak(heard)
    lesson = {
        "title": "Phone numbers",
        "description": "When a form asks for a phone number; the office sends it back else.",
        "content": nights_world.WORDINGS[0].format(field="phone", how=nights_world.HOW["phone"]),
        "steps": [2, 3],
        "proved_by": "step 3: the office sends it back",
        "certainty": "shown",
        "stands": "new",
    }
    told = {"surface": "It came back.", "cause": "The number.", "cause_steps": [2], "consequence_steps": [3]}
    return answer_json({**told, "lessons": [lesson]})


def _rows(printed: str) -> list[list[str]]:
    """The cells of the tables in what a command has printed."""
    lines = [line for line in printed.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def _of_versions(printed: str) -> dict[str, str]:
    return {digest[:12]: f"v{number}" for _, number, digest, *_ in _rows(printed)}


def _history(printed: str) -> list[str]:
    return [f"{line['day']} {FIGURES.sub('', line['said'])}" for line in HISTORY.finditer(printed)]


def _named(line: str, names: Mapping[str, str]) -> str:
    for found, name in names.items():
        line = line.replace(found, name)
    return line
