"""Charts as inline SVG, by matplotlib. They take their colours from the page, so that light and dark both read well."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from trace2skill.types.comparison import Interval

# Colours that stand for the page's own: matplotlib wants a colour, the page replaces it by a CSS variable.
INK, MUTED, GOOD, BAD = "#010101", "#020202", "#030303", "#040404"
VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", GOOD: "var(--good)", BAD: "var(--bad)"}
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "trace2skill",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "axes.labelcolor": INK,
}
LABEL = 60


def score_chart(names: Sequence[str], scores: Sequence[Interval]) -> str:
    """A point with its interval for each condition, on a scale from 0 to 100%."""
    with drawing(0.5 * len(names) + 0.9) as (axes, svg):
        for row, score in enumerate(scores):
            axes.plot([score.low * 100, score.high * 100], [row, row], color=MUTED, linewidth=3)
            axes.plot([score.mean * 100], [row], "o", color=GOOD, markersize=9)
            place = {"xytext": (0, 9), "textcoords": "offset points", "ha": "center"}
            axes.annotate(f"{score.mean:.1%}", (score.mean * 100, row), **place)
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.7)
        axes.set_xlim(0, 100)
        axes.set_xlabel("held-out tasks passed, %")
    return svg()


def support_chart(texts: Sequence[str], failures: Sequence[int], successes: Sequence[int]) -> str:
    """A bar for each rule: how many failed and how many passed trajectories ask for it."""
    with drawing(0.34 * len(texts) + 1.1) as (axes, svg):
        rows = range(len(texts))
        axes.barh(rows, failures, color=BAD, label="failures")
        axes.barh(rows, successes, left=failures, color=GOOD, label="successes")
        axes.set_yticks(rows, [_short(text) for text in texts])
        axes.invert_yaxis()
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_xlabel("trajectories that ask for it")
        axes.legend(frameon=False, loc="lower right")
    return svg()


def cost_chart(stages: Sequence[str], costs: Sequence[float]) -> str:
    """A bar for each stage: what its calls cost, in US dollars."""
    with drawing(0.34 * len(stages) + 0.9) as (axes, svg):
        axes.barh(range(len(stages)), costs, color=GOOD)
        axes.set_yticks(range(len(stages)), [_short(stage) for stage in stages])
        axes.invert_yaxis()
        axes.set_xlabel("US dollars")
    return svg()


@contextmanager
def drawing(height: float) -> Iterator[tuple[Any, Callable[[], str]]]:
    """Axes to draw on, so many inches high, and what gives the drawing as SVG when the block has ended."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    out = io.StringIO()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, height), layout="constrained", facecolor="none")
        yield figure.add_subplot(facecolor="none"), lambda: _inline(out.getvalue())
        # `savefig` draws twice: once for the layout, which the drawing itself sees to.
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(out, metadata={"Date": None, "Creator": None})


def _inline(svg: str) -> str:
    """The drawing alone, as wide as there is room, in the page's colours."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.replace("<svg ", '<svg role="img" ', 1)


def _short(text: str) -> str:
    line = " ".join(text.split()).removeprefix("- ")
    return line if len(line) <= LABEL else line[: LABEL - 1] + "…"
