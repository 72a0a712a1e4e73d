"""The report of a run over a library: one page, a row for each skill, without network or script."""

import functools
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from trace2skill.runs.library_summary import LibrarySummary
from trace2skill.runs.summary import SIMULATED_NOTE
from trace2skill.safety.shown import shown


def page_of(summary: LibrarySummary) -> str:
    """The page, whole. Everything that came from a trace, a task or a model is escaped."""
    return _template().render(summary=summary, note=SIMULATED_NOTE) + "\n"


@functools.cache
def _template() -> Template:
    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["line"] = lambda text: shown(" ".join(text.split()))
    environment.filters["signed"] = lambda value: f"{value:+.1%}"
    return environment.from_string((files(__package__) / "library_page.html").read_text(encoding="utf-8"))
