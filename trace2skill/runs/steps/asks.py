"""What steps ask of models, and how often they are expected to."""

from dataclasses import dataclass
from typing import Literal

Player = Literal["agent", "analyst", "merger", "embedding"]
"""Whose model is asked; 'embedding' is that of a bank."""


@dataclass(frozen=True)
class Asks:
    """What a step asks of a model, under a stage of the ledger."""

    stage: str
    player: Player
    tokens: tuple[int, int]
    """Of one step, in and out, where the ledger knows none."""
    part: str = ""
    """What of the stage, where its steps differ in what they take: an analyst, say."""


@dataclass(frozen=True)
class Expected:
    """Steps of one kind: so many to pay for, so many in the store. An expectation need not be whole."""

    asks: Asks
    to_pay: float
    in_store: int = 0
