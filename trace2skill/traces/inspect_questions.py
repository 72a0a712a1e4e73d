"""The question of a sample of inspect_ai, its target, and the scorer that gave it the verdict."""

from collections.abc import Mapping
from typing import Any

from trace2skill.traces.answered import Answered, accepted_in, said_in, text_of
from trace2skill.traces.attachments import Attachments
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.values import label, mapping, objects
from trace2skill.types.trajectory import Outcome

NAMESPACE = "inspect_ai/"
PARTS = ("input", "messages", "output", "choices", "target")
WORKED = "it had tools or a sandbox: the question is not all that it was given"
SAID = frozenset({"text", "reasoning", "thinking", "redacted_thinking", "image", "audio", "video", "document", "data"})
"""Parts of a message that somebody said; any other is of a tool, which a provider's own server has run perhaps."""


def verdict_in(sample: Mapping[str, Any]) -> tuple[str, Any, Outcome] | None:
    """The first score of a sample that says how it ended: its name, its value, and what that means."""
    scores = mapping(sample.get("scores")) or ({"score": sample["score"]} if mapping(sample.get("score")) else {})
    for name, score in scores.items():
        value = mapping(score).get("value")
        if (made := from_score(value, "log")).kind != "unknown":
            return name, value, made
    return None


def gold_in(sample: Mapping[str, Any]) -> list[Any]:
    """The targets of a sample, of options their texts too."""
    target = sample.get("target")
    gold = list(target) if isinstance(target, list) else [target]
    choices = sample.get("choices")
    for place, choice in enumerate(choices if isinstance(choices, list) else ()):
        if chr(ord("A") + place) in gold:
            gold.append(choice)
    return gold


def question_in(sample: Mapping[str, Any], head: Mapping[str, Any], attachments: Attachments) -> Answered:
    """What a sample says of its question.

    Args:
        sample: as the log has it.
        head: of the log: `eval`, and `results` where it has them.
        attachments: of the sample. They are put back only where the question may stand by itself.
    """
    verdict = verdict_in(sample)
    name, arguments = _scorer(verdict[0] if verdict else "", head)
    found = Answered(scorer=name, arguments=arguments or {})
    if arguments is None:
        return found.model_copy(update={"why": "the log does not say with which arguments it was scored"})
    if _worked(sample, head, objects(sample.get("messages"))):
        return found.model_copy(update={"why": WORKED})
    if sample.get("invalidation"):
        return found.model_copy(update={"why": "the log says that it does not count (`invalidation`)"})
    sample = {name: attachments.whole(sample.get(name)) for name in PARTS}
    if attachments.left_out:
        return found.model_copy(update={"why": "its request is too long"})
    accepted = accepted_in(sample["target"])
    if isinstance(accepted, str):
        return found.model_copy(update={"why": accepted})
    given = sample["input"]
    put = objects(given) if isinstance(given, list) else [{"role": "user", "content": given}]
    told: dict[str, Any] = {**said_in(put, objects(sample["messages"])), "accepted": accepted}
    told["output"] = _output(sample)
    choices = sample.get("choices") or []
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        told["why"] = told.get("why") or "its choices are no texts"
    else:
        told["choices"] = tuple(choices)
    return found.model_copy(update=told)


def _scorer(name: str, head: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """The scorer that gave the score of that name, and its arguments; None where the log does not say them.

    Without a score, the only scorer that the log names. Newer logs name scorers in `eval`, all finished ones in
    `results`, under the name of the score and the scorer's own.
    """
    results = objects(mapping(head.get("results")).get("scores"))
    mine = [item for item in results if label(item.get("name")) == name]
    planned = objects(mapping(head.get("eval")).get("scorers"))
    if not name:
        mine, planned = (results if len(results) == 1 else []), (planned if len(planned) == 1 else [])
    own = label(mine[0].get("scorer")) if mine else name or (label(planned[0].get("name")) if planned else "")
    bare = own.removeprefix(NAMESPACE)
    of_score = [mapping(item.get("params", item.get("options"))) for item in mine[:1]]
    named = [item for item in planned if label(item.get("name")).removeprefix(NAMESPACE) == bare]
    of_plan = [mapping(item.get("options")) for item in named]
    if (not of_score or not of_score[0]) and len(of_plan) == 1:
        return bare, of_plan[0]
    told = of_score or of_plan
    alike = bool(bare and told) and all(given == told[0] for given in told)  # two scorers may have one name
    return bare, told[0] if alike else None


def _worked(sample: Mapping[str, Any], head: Mapping[str, Any], messages: list[dict[str, Any]]) -> bool:
    """Was there more than a question: a sandbox, files, or a call of a tool?"""
    given = any(sample.get(name) for name in ("sandbox", "files", "setup")) or mapping(head.get("eval")).get("sandbox")
    return bool(given) or any(
        item.get("role") == "tool"
        or item.get("tool_calls")
        or any((label(part.get("type")) or "text") not in SAID for part in objects(item.get("content")))
        for item in messages
    )


def _output(sample: Mapping[str, Any]) -> str:
    """What the scorers judge: the text of the first choice, without what the model thought."""
    output = mapping(sample.get("output"))
    first = next(iter(objects(output.get("choices"))), {})
    content = mapping(first.get("message")).get("content", "")
    if isinstance(content, list):
        content = [part for part in objects(content) if part.get("type") == "text"]
    found = text_of(content) if content else ""
    told = output.get("completion")
    return found or (told if isinstance(told, str) else "")
