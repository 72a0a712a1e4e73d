"""A kind of task written as a user would write one."""

SUMS = '''
"""Adding up numbers."""

import json
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.domains.answers import AnswerDomain, Judged
from trace2skill.types.task import Task


class Sums(AnswerDomain):
    """Sums of a few numbers."""

    name = "sums"
    version = "sums 1"
    about = "Each task gives a few numbers in words and asks for their sum."

    def load(self, data: Path) -> list[Task]:
        rows = [json.loads(line) for line in (data / "sums.jsonl").read_text().splitlines()]
        return [
            Task(
                id=row["id"],
                domain=self.name,
                kind="sum",
                instruction=row["question"],
                detail={"gold": row["gold"]},
                content=digest_of(row),
            )
            for row in rows
        ]

    def judge(self, task: Task, answer: str) -> Judged:
        return Judged(passed=answer == task.detail["gold"])

    def gold_answer(self, task: Task) -> str:
        return task.detail["gold"]
'''


def sums_rows(count: int) -> list[dict[str, str]]:
    """Rows for `sums.jsonl`."""
    rows = []
    for number in range(count):
        parts = [(number * 37 + place * 101) % 900 + 117 for place in range(4)]
        question = (
            f"A shop took {', '.join(map(str, parts[:-1]))} and {parts[-1]} crowns on four days. How much in all?"
        )
        rows.append({"id": f"sum-{number:02}", "question": question, "gold": str(sum(parts))})
    return rows
