"""The question of a row of a Braintrust experiment, what it expected, and the verdict of autoevals' `ExactMatch`."""

from collections.abc import Mapping, Sequence
from typing import Any

from trace2skill.traces.answered import Answered, accepted_in, said_in
from trace2skill.traces.model_io import messages_given, messages_said
from trace2skill.traces.values import mapping, text

SCORER, RULE = "ExactMatch", "exact_match"
"""The one scorer of autoevals that the name of a score tells, and that asks no model, and our rule for it."""


def question_in(root: Mapping[str, Any], calls: Sequence[Mapping[str, Any]], *, worked: bool) -> Answered | None:
    """What the row of a trace says of its question; None of a trace that no `ExactMatch` has scored.

    Args:
        root: the first span, with `expected` and `scores`.
        calls: those of models below it, in their order.
        worked: were there spans of other kinds, which may have given more than the question?
    """
    score = mapping(root.get("scores")).get(SCORER)
    if root.get("expected") is None or score not in (0, 1):
        return None
    found = Answered(scorer=RULE, right=bool(score))
    accepted = accepted_in(root["expected"])
    why = accepted if isinstance(accepted, str) else ""
    why = why or ("its target is a list, which is compared as one" if len(accepted) > 1 else "")
    why = why or ("it had tools, or several calls" if worked or len(calls) > 1 else "")
    if why or isinstance(accepted, str):
        return found.model_copy(update={"why": why})
    put, output = messages_given(root.get("input")), root.get("output")
    given = messages_given(calls[0].get("input")) if calls else put
    said = messages_said(output if isinstance(output, (dict, list)) else text(output))
    told: dict[str, Any] = {**said_in(put, [*given, *said]), "accepted": accepted}
    told["output"] = said[-1].get("content") if said else ""
    if not isinstance(told["output"], str):
        told |= {"why": told.get("why") or "its answer is no text alone", "output": ""}
    return found.model_copy(update=told)
