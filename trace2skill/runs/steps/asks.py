"""What steps ask of models, and how often they are expected to."""

from dataclasses import dataclass
from typing import Literal

from trace2skill.analysts import ANALYSTS
from trace2skill.analysts.strategy import Stage

Player = Literal["agent", "analyst", "merger", "embedding"]
"""Whose model is asked; 'embedding' is that of a bank."""


@dataclass(frozen=True)
class Asks:
    """What a step asks of a model, under a stage of the ledger."""

    stage: str
    player: Player
    tokens: tuple[int, int]
    """Of one step, in and out, where the ledger knows none."""
    calls: int = 1
    """Of the model in one step, likewise."""
    part: str = ""
    """What of the stage, where its steps differ in what they take: an analyst, say."""


@dataclass(frozen=True)
class Expected:
    """Steps of one kind: so many to pay for, so many in the store. An expectation need not be whole."""

    asks: Asks
    to_pay: float
    in_store: int = 0


def asked_by(stage: Stage) -> tuple[Asks, ...]:
    """What the analysts of a stage ask, each under its own name."""
    return tuple(Asks(stage, "analyst", item.tokens, item.calls, item.name) for item in ANALYSTS if item.stage == stage)
