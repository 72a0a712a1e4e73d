"""The simulated drafter: a plausible skill with no guidance against any planted mistake."""

import re

from trace2skill.sim.conversation import Heard, Spoken, answer_json

BODY = """\
# Working on workbooks

## Before you start

- Read the whole task before you touch a file.

## Writing values

- Keep the layout of the workbook as it is.

## Rows and ranges

- Work on the range that the task names.

## Before you finish

- Save the workbook and say what you did.
"""


QUESTIONS = """\
# Answering questions

## Before you start

- Read the whole question before you begin.

## Working it out

- Go step by step.

## Giving the answer

- Say what you found.
"""


SHELL = """\
# Working in a shell

## Before you start

- Read the whole request before you begin.

## Reading files

- Look into the files you need.

## Writing results

- Write what the request wants.

## Loops and commands

- Keep commands short.
"""


def speak(heard: Heard) -> Spoken:
    """A first skill for the domain described."""
    if "workbook" not in heard.opening and re.search(r"\b(shell|command-line|scripts?|files)\b", heard.opening):
        return answer_json(
            {
                "name": "shell-tasks",
                "description": "Works on files with a shell from written requests. Use for tasks that leave files.",
                "body": SHELL,
            }
        )
    if "workbook" not in heard.opening:
        return answer_json(
            {
                "name": "answering-questions",
                "description": "Answers questions from what is given with them. Use for tasks that end in an answer.",
                "body": QUESTIONS,
            }
        )
    return answer_json(
        {
            "name": "workbook-tasks",
            "description": "Works on .xlsx workbooks from written instructions. Use for tasks that change a workbook.",
            "body": BODY,
        }
    )
