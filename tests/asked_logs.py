"""Logs of evaluations in inspect_ai's layout: questions, targets, answers, and the verdicts of a scorer."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECRET_TARGET = "zirconium-quay"
"""A target that stands in no question."""


@dataclass
class Sample:
    """A question that was asked once. `right` is the scorer's verdict, None without one."""

    id: Any
    question: Any
    target: Any
    output: str
    right: bool | None = True
    choices: list[str] | None = None
    epoch: int = 1
    put: str = ""
    """The question as it was put to the model, where that is another text."""
    system: str = ""
    more: dict[str, Any] = field(default_factory=dict)
    """Fields of the sample that stand in place of those that are made here."""

    def as_json(self, scorer: str) -> dict[str, Any]:
        """As it stands in the archive."""
        options = [f"{chr(65 + place)}) {choice}" for place, choice in enumerate(self.choices or ())]
        put = self.put or "\n\n".join([str(self.question), *(["\n".join(options)] if options else [])])
        said = {"role": "assistant", "content": self.output, "source": "generate"}
        score = {scorer: {"value": "C" if self.right else "I", "answer": self.output[:40]}}
        made = {
            "id": self.id,
            "epoch": self.epoch,
            "input": self.question,
            **({"choices": self.choices} if self.choices else {}),
            "target": self.target,
            "messages": [
                *([{"role": "system", "content": self.system}] if self.system else []),
                {"role": "user", "content": put, "source": "input"},
                said,
            ],
            "output": {"model": "m", "choices": [{"message": said, "stop_reason": "stop"}]},
            "scores": score if self.right is not None else {},
            "metadata": {},
            "store": {},
            "events": [],
            "attachments": {},
        }
        return {**made, **self.more}


def write_eval(
    path: Path,
    samples: Sequence[Sample],
    scorer: str = "match",
    options: Mapping[str, Any] | None = None,
    task: str = "capitals",
) -> Path:
    """An `.eval` archive with these samples; a `.json` is one document, of the time before scorers stood at its head."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scorers = [{"name": scorer, "options": dict(options or {}), "metrics": [], "metadata": {}}]
    head = {
        "run_id": path.stem,
        "task": task,
        "model": "m/m",
        "packages": {"inspect_ai": "0.3.285"},
        "scorers": scorers,
    }
    scores = [{"name": scorer, "scorer": scorer, "params": dict(options or {}), "metrics": {}}]
    header = {"version": 2, "status": "success", "eval": head, "plan": {}, "results": {"scores": scores}}
    if path.suffix == ".json":
        del head["scorers"]
        path.write_text(json.dumps({**header, "samples": [sample.as_json(scorer) for sample in samples]}))
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": head, "plan": {}}))
        for number, sample in enumerate(samples):
            archive.writestr(f"samples/{number}_epoch_{sample.epoch}.json", json.dumps(sample.as_json(scorer)))
        archive.writestr("header.json", json.dumps(header))
    return path
