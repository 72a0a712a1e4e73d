"""Taking an answer: what does not fit what was asked goes back to whoever gave it, before the run sees it."""

import json
import time
from collections.abc import Sequence
from typing import Any

import jsonschema

from trace2skill.core.errors import BadInput
from trace2skill.llm.handoff.claims import claimant
from trace2skill.llm.handoff.folder import Folder
from trace2skill.llm.handoff.records import Body, Claim, GivenAnswer, GivenCall, Handed, Head
from trace2skill.safety.shown import shown
from trace2skill.skills.markdown import fenced

MOST_PROBLEMS, LONGEST = 5, 300


def give(
    folder: Folder,
    head: Head,
    body: Body,
    by: str,
    *,
    text: str = "",
    calls: Sequence[GivenCall] = (),
    cut_off: bool = False,
    force: bool = False,
) -> GivenAnswer:
    """Write down the answer to a request.

    Raises:
        BadInput: it is answered, somebody else answers its conversation, or the answer does not fit what was asked
            and is not forced.
    """
    name = f"{head.id}.json"
    if folder.has("answers", name):
        raise BadInput(f"request {head.id} is answered already; an answer is not taken back")
    other = claimant(folder, head)
    if other is not None and other.by != by:
        raise BadInput(
            f"request {head.id} is {other.by}'s to answer: answer as that one with --as {other.by}, or free it with "
            f"`trace2skill handoff release {folder.path} {head.id}`"
        )
    wrong = [] if cut_off else problems(body, text, calls)
    if wrong and not force:
        raise BadInput(
            f"the answer to {head.id} was not taken: {'; '.join(wrong)}. Mend it and answer again, or give it as it is "
            "with --force"
        )
    now = time.time()
    given = GivenAnswer(
        id=head.id, key=head.key, by=by, at=now, text=text, calls=tuple(calls), cut_off=cut_off, forced=bool(wrong)
    )
    if not folder.put("answers", name, given):
        raise BadInput(f"request {head.id} has just been answered by somebody else")
    folder.put("claims", f"{head.conversation}.json", Claim(by=by, since=now))
    folder.put("handed", name, Handed(by=by, since=now))
    folder.remove("waiting", f"{head.id}.md")
    return given


def problems(body: Body, text: str, calls: Sequence[GivenCall]) -> list[str]:
    """What of an answer does not fit what was asked; at most a few words on each."""
    known = {str(tool["name"]): dict(tool.get("parameters") or {}) for tool in body.tools}
    found: list[str] = []
    for call in calls:
        if call.name not in known:
            found.append(f"there is no tool '{call.name}': {_offered(known)}")
            continue
        try:
            arguments = json.loads(call.arguments)
        except (ValueError, RecursionError) as error:
            found.append(f"the arguments of {call.name} are no JSON: {error}")
            continue
        found += [f"{call.name}: {problem}" for problem in _against(known[call.name], arguments)]
    if not calls and not text.strip():
        found.append("it is empty")
    elif not calls and body.answer_schema is not None:
        found += _structured(body.answer_schema, text)
    return [shown(problem)[:LONGEST] for problem in found[:MOST_PROBLEMS]]


def _structured(schema: dict[str, Any], text: str) -> list[str]:
    """What is wrong with the best JSON object in a text; nothing, where any object in it matches."""
    worst = [f"there is no JSON object in it; a {schema.get('title', 'JSON object')} was asked for"]
    for candidate in (*reversed(fenced(text)), text):
        try:
            value = json.JSONDecoder().raw_decode(candidate, candidate.index("{"))[0]
        except ValueError as error:
            if "{" in candidate:
                worst = [f"it is no JSON: {error}"]
            continue
        except RecursionError:
            return ["its JSON is nested too deeply"]
        wrong = _against(schema, value)
        if not wrong:
            return []
        worst = wrong
    return worst


def _against(schema: dict[str, Any], value: object) -> list[str]:
    errors = jsonschema.Draft202012Validator(schema).iter_errors(value)
    if not isinstance(value, dict):
        return ["it is no JSON object"]
    return [f"{error.json_path.removeprefix('$.')}: {error.message[:LONGEST]}" for error in errors]


def _offered(known: dict[str, dict[str, Any]]) -> str:
    return f"there are {', '.join(known)}" if known else "none is offered, so answer with text"
