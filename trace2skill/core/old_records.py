"""Results as version 0.1.0 kept them: by Prefect's JSON serializer, under the import paths of their classes.

They are read for ever. The paths below are data: the modules have moved since, and no module is looked for.
"""

import json
from typing import Any

from trace2skill.core.errors import FormUnreadable

PATHS = {
    "trace2skill.domains.base.Audit": "Audit",
    "trace2skill.step_items.Rolled": "Rolled",
    "trace2skill.step_items.Extracted": "Extracted",
    "trace2skill.step_items.Observed": "Observed",
    "trace2skill.step_items.Proposed": "Proposed",
    "trace2skill.step_items.Merged": "Merged",
    "trace2skill.consolidate.candidate.Candidate": "Candidate",
    "trace2skill.baselines.steps.Embedded": "Embedded",
    "trace2skill.baselines.steps.Banked": "Banked",
    "trace2skill.baselines.rewrite.Rewritten": "Rewritten",
    "trace2skill.intake.Taken": "Taken",
}
"""What 0.1.0 wrote, and the form that each is a value of, in version 1."""


def translated(text: str) -> str:
    """A result as `forms.decode` reads it, from what Prefect's JSON serializer wrote of it.

    Raises:
        FormUnreadable: not such a text, or of a class that is not in the table.
    """
    try:
        return json.dumps(_tagged(json.loads(text)))
    except (ValueError, RecursionError) as error:
        raise FormUnreadable("result", "not JSON", str(error)[:200]) from error


def _tagged(old: Any) -> Any:
    if isinstance(old, list):
        return [_tagged(item) for item in old]
    if not isinstance(old, dict):
        return old
    if old.keys() == {"__class__", "data"}:
        path = str(old["__class__"])
        if path not in PATHS:
            raise FormUnreadable(path.rpartition(".")[2], "no such form", f"0.1.0 kept it as {path}")
        return {"form": PATHS[path], "version": 1, "value": _plain(old["data"])}
    return {"map": {key: _tagged(item) for key, item in old.items()}}


def _plain(old: Any) -> Any:
    """The parts of a model. Where JSON has no such value (a path, a set), Prefect wrote its class beside it."""
    if isinstance(old, list):
        return [_plain(item) for item in old]
    if isinstance(old, dict):
        if old.keys() == {"__class__", "data"}:
            return _plain(old["data"])
        return {key: _plain(item) for key, item in old.items()}
    return old
