"""What a stage of a run is: one object with its name, its key, what it does, what it gives, and what it asks of models.

A step takes ids, loads what they name, does one thing, keeps the result, and returns its id. It is a pure function of
its key, which covers all that can change the result: version, prompts, model, parameters, seed, and the digests of its
inputs. Prefect's tasks are made of these objects by one function (`tasks/steps.py`); the estimate, the failures that
are tolerated and the stages of the ledger come from the list of them (`trace2skill.runs.steps.STEPS`).
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from trace2skill.core.digest import digest_of
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight

R = TypeVar("R")


def always(_: object) -> bool:
    """Every item asks once."""
    return True


@dataclass(frozen=True)
class RunStep(Generic[R]):
    """One stage of a run."""

    name: str
    """The stage, in the ledger, in failures, in the estimate."""
    version: int | None
    """Part of the key: a step that does something else has a new one. None for a key that never had one."""
    parts: Callable[..., tuple[object, ...]]
    """All that can change the result, of the runtime and of those inputs of `do` that it names."""
    do: Callable[..., R]
    """Does it, with the runtime and the inputs."""
    gives: type[R]
    shown: str
    """How an item reads in the UI, with its inputs in braces."""
    asks: tuple[Asks, ...] = ()
    again: bool = True
    """Is it tried again after what can pass?"""
    one_call: Callable[..., bool] | None = None
    """Of an item: does it ask its model once, mostly, and for what is known before the stage begins? Such calls can go
    in a batch. None where no item does."""
    mapped: bool = False
    """Has it many items, of which a share may fail?"""
    expects: Callable[[Foresight], list[Expected]] | None = None
    """How often a refresh will ask a model for it; none for what only other runs do."""
    folder: str = field(default="")
    """What its keys begin with; its name unless given."""

    def asked(self, part: str) -> Asks:
        """What it asks for that part of its work."""
        return next(item for item in self.asks if item.part == part)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what it takes besides the runtime."""
        return tuple(inspect.signature(self.do).parameters)[1:]

    def __call__(self, rt: Runtime, *given: object, **named: object) -> R:
        """Do it, whatever the store has."""
        return self.do(rt, *given, **named)

    def key(self, rt: Runtime, *given: object, **named: object) -> str:
        """The key of its result, of the same inputs: the folder, a slash, 64 hex digits."""
        inputs: dict[str, Any] = inspect.signature(self.do).bind_partial(rt, *given, **named).arguments
        wanted = tuple(inspect.signature(self.parts).parameters)[1:]
        folder = self.folder or self.name
        head = () if self.version is None else (f"{folder} {self.version}",)
        return f"{folder}/{digest_of(*head, *self.parts(rt, **{name: inputs[name] for name in wanted}))}"
