"""A program as a model wrote it, parsed without a word on the terminal."""

import ast
import threading
import warnings

_guard = threading.Lock()  # filters of warnings belong to the whole process


def parse_program(source: str) -> ast.Module:
    """The tree of a Python program. Nothing of it is run.

    Python warns of odd escapes and the like while it parses. They are the model's: nobody who runs this can mend them.

    Raises:
        SyntaxError: it is none, or nested too deeply to be read as one.
    """
    try:
        with _guard, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error) or type(error).__name__) from error
