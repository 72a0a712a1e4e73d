"""The prompts: one Jinja Markdown file each. Their digests are part of every key that depends on them.

Text from traces, tasks and models goes in through the `data` filter, which sets it in a marked block that it cannot
close by itself: such text is material, never an instruction.
"""

import functools
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from trace2skill.core.digest import digest_of_bytes


def render(name: str, /, **values: object) -> str:
    """The prompt `name` filled in. A value that the prompt uses and nobody gave is an error (StrictUndefined)."""
    return _environment().get_template(name).render(**values).strip() + "\n"


def prompt_digest(*names: str) -> str:
    """Hex SHA-256 over the source of the prompts named."""
    return digest_of_bytes("\0".join(_source(name) for name in names).encode())


def in_block(text: str, label: str) -> str:
    """`text` between two marks that carry a digest of it, so that the text itself cannot contain the closing mark."""
    mark = digest_of_bytes(text.encode("utf-8", "surrogatepass"))[:12]
    return f'<data name="{label}" mark="{mark}">\n{text.rstrip()}\n</data mark="{mark}">'


@functools.cache
def _source(name: str) -> str:
    return (files(__package__) / f"{name}.md").read_text(encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    # Markdown for a model, not HTML for a browser: escaping would garble it; hostile text goes through `data`.
    environment = Environment(
        loader=FunctionLoader(_source), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["data"] = in_block
    return environment
