"""Who draws lessons from trajectories: one file an analyst, and here the tuple of all of them."""

from collections.abc import Iterable

from trace2skill.analysts.contrast import ContrastAnalyst
from trace2skill.analysts.error import ErrorAnalyst
from trace2skill.analysts.observed import LogAnalyst
from trace2skill.analysts.one_call import OneCallErrorAnalyst
from trace2skill.analysts.rules import RulesMiner
from trace2skill.analysts.strategy import Analyst, Stage
from trace2skill.analysts.success import SuccessAnalyst

ANALYSTS: tuple[type[Analyst], ...] = (
    ErrorAnalyst,
    OneCallErrorAnalyst,
    SuccessAnalyst,
    ContrastAnalyst,
    LogAnalyst,
    RulesMiner,
)
UNITED = {"combined": ("error", "success")}
"""Signals that stand for several."""


def signal_names() -> tuple[str, ...]:
    """What may follow a '+' in the settings."""
    return tuple(dict.fromkeys([*(item.signal for item in ANALYSTS if item.signal), *UNITED]))


def signals_of(analysts: str) -> set[str]:
    """The signals in a text such as '+combined+contrast'."""
    return {single for name in analysts.split("+")[1:] for single in UNITED.get(name, (name,))}


def chosen(analysts: str, ways: Iterable[str], stage: Stage) -> list[type[Analyst]]:
    """The analysts of a stage.

    Args:
        analysts: the signals asked for, e.g. '+combined'; imported trajectories need none.
        ways: which one is meant where several take the same trajectories.
        stage: where they work.
    """
    signals, named = signals_of(analysts), {"", *ways}
    return [
        item
        for item in ANALYSTS
        if item.stage == stage and item.way in named and (not item.signal or item.signal in signals)
    ]


def comparing(analysts: str, ways: Iterable[str] = ()) -> list[type[Analyst]]:
    """Those who compare a pass with a failure of one task: all who can, where somebody leaves such pairs to them."""
    asked = chosen(analysts, ways, "contrast")
    left = any(item.leaves_pairs for item in chosen(analysts, ways, "extract"))
    return asked or [item for item in ANALYSTS if left and item.stage == "contrast"]


def analyst_named(name: str) -> type[Analyst]:
    """The analyst of that name.

    Raises:
        KeyError: there is none.
    """
    return {item.name: item for item in ANALYSTS}[name]
