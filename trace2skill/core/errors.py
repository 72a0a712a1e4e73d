"""The errors of the product: few, named, and each says the thing, the place and the remedy.

A command ends with exit code 2 on any of them. They split by what a caller may do next: nothing without a person
(`BadInput` and its kin), try again later (`InfrastructureFault`), or pay more (`BudgetReached`).
"""


class Trace2SkillError(Exception):
    """Base of every error this product raises on purpose."""


class BadInput(Trace2SkillError):
    """Something a person gave is wrong: a path, a data set row, a setting. Refused at the client, nothing was spent."""


class SkillInvalid(BadInput):
    """A skill directory breaks the agentskills.io layout or a stricter rule of ours."""

    def __init__(self, where: str, problems: list[str]) -> None:
        self.where = where
        self.problems = problems
        super().__init__(f"{where} is not a valid skill: " + "; ".join(problems))

    def __reduce__(self) -> tuple[type["SkillInvalid"], tuple[str, list[str]]]:
        return (SkillInvalid, (self.where, self.problems))


class StoreUnavailable(Trace2SkillError):
    """The store is held by another process, cannot be opened, or its disk is full."""


class StoreFromTheFuture(StoreUnavailable):
    """The store was written by a newer version of this product."""


class FormUnreadable(Trace2SkillError):
    """Something stored cannot be read by this version. Mostly it is taken for not there, with a warning."""

    def __init__(self, form: str, reason: str, detail: str) -> None:
        self.form = form
        self.reason = reason
        self.detail = detail
        super().__init__(
            f"a stored '{form}' cannot be read: {reason} ({detail}). Use the version of trace2skill that wrote it, "
            "or run the command again, which makes it anew"
        )

    def __reduce__(self) -> tuple[type["FormUnreadable"], tuple[str, str, str]]:
        return (FormUnreadable, (self.form, self.reason, self.detail))


class InfrastructureFault(Trace2SkillError):
    """Something outside the experiment broke (a provider, the sandbox). Never a score or lesson; worth a retry."""


class Unanswered(InfrastructureFault):
    """Nobody answered a request by hand in the time it was given. Its answer may come later: then run again."""


class Interrupted(Trace2SkillError):
    """The run was stopped while this was under way. It has no result; the same command begins it anew."""


class ModelUnusable(Trace2SkillError):
    """A call to the model cannot succeed until a person changes something (key, name, context length)."""


class ContextFull(ModelUnusable):
    """A prompt has more tokens than the model takes. A shorter one may do."""


class BadAnswer(Trace2SkillError):
    """A model's structured answer stayed invalid after every re-ask. Carries the raw answer."""

    def __init__(self, wanted: str, problem: str, raw: str) -> None:
        self.wanted = wanted
        self.problem = problem
        self.raw = raw
        super().__init__(f"the model gave no valid {wanted}: {problem}")

    def __reduce__(self) -> tuple[type["BadAnswer"], tuple[str, str, str]]:
        return (BadAnswer, (self.wanted, self.problem, self.raw))


class BudgetReached(Trace2SkillError):
    """The next model call could pass the cap. What was paid for is kept; a higher cap goes on from there."""


class ChampionChanged(Trace2SkillError):
    """Another run promoted first. Whoever comes second compares its candidate with the new champion."""

    def __init__(self, name: str, expected: str, champion: str) -> None:
        self.name = name
        self.expected = expected
        self.champion = champion
        super().__init__(
            f"the champion of '{name}' is {champion[:12]} now, not {expected[:12]}: evaluate against that one"
        )

    def __reduce__(self) -> tuple[type["ChampionChanged"], tuple[str, str, str]]:
        return (ChampionChanged, (self.name, self.expected, self.champion))


class SandboxMissing(BadInput):
    """No sandbox that may run a real model's commands is installed."""


class StageFailed(Trace2SkillError):
    """More items of a mapped stage failed than the run tolerates. Names the items; a rerun runs only those."""
