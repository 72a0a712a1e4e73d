"""The terminal: what is printed may be a stranger's words, and none of them moves a cursor or ends a command.

Every command prints through this `Console`. Escape sequences and other control characters are shown as what they are,
and text that looks like markup and is none is printed as it is. `escape` still belongs around what is not ours: without
it `[red]` in a rule colours the rest of the line.
"""

import logging
from typing import Any

from rich.console import Console as RichConsole
from rich.errors import MarkupError
from rich.markup import escape
from rich.syntax import Syntax
from rich.text import Text

from trace2skill.safety.shown import shown

__all__ = ["Console", "PlainFormatter", "code", "flat", "plain"]


def plain(text: object) -> str:
    """Anything as a text that can stand in the markup of `Console.print`: the one escape of what is not ours."""
    return escape(shown(str(text)))


def flat(text: object) -> str:
    """`plain` for what is one line: a name, a title, a reason. No part of it can pass for a line of ours."""
    return escape(" ".join(shown(str(text)).split()))


def code(text: str, language: str) -> Syntax:
    """A program or a diff, coloured."""
    return Syntax(shown(text), language, background_color="default", word_wrap=True)


class Console(RichConsole):
    """Rich's console, safe for whatever it is given."""

    def render_str(self, text: str, **options: Any) -> Text:
        """See `rich.console.Console.render_str`."""
        clean = shown(text)
        try:
            return super().render_str(clean, **options)
        except MarkupError:
            return super().render_str(clean, **{**options, "markup": False})


class PlainFormatter(logging.Formatter):
    """Lines of the log, for the same terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        return shown(super().format(record))
