"""The report of a run over a library: one page, a row for each skill, without network or script."""

from collections.abc import Iterable
from html import escape

from trace2skill.runs.library_summary import LibrarySummary, SkillRow
from trace2skill.runs.summary import SIMULATED_NOTE
from trace2skill.safety.shown import shown

HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --page:#fbfbf9; --ink:#1c1d1f; --muted:#6a6f76; --line:#dcdfe3; }}
@media (prefers-color-scheme: dark) {{ :root {{ --page:#131417; --ink:#e7e8ea; --muted:#9aa0a8; --line:#33373d; }} }}
body {{ margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1rem; }} a {{ color: inherit; }}
h1 {{ font-size: 1.4rem; }} h2 {{ font-size: 1.15rem; margin-top: 2rem; }} .muted {{ color: var(--muted); }}
.wide {{ overflow-x: auto; }} table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }}
</style>
</head>
<body><main>
"""
COLUMNS = ("skill", "lessons", "known by", "used in", "held-out tasks", "lift", "outcome", "reason")


def page_of(summary: LibrarySummary) -> str:
    """The page, whole. Everything that came from a trace, a task or a model is escaped."""
    title = f"library {summary.library} ({summary.run_id})"
    parts = [HEAD.format(title=_text(title)), f"<h1>{_text(title)}</h1>", f"<p>{_text(summary.headline)}</p>"]
    parts.append(_table(COLUMNS, [_row(row, summary) for row in summary.skills]))
    if summary.proposed:
        new_rows = [
            (_text(new.name), _text(new.description), str(len(new.tasks)), str(new.needed),
             _text(str(new.directory or new.why_not)))
            for new in summary.proposed
        ]  # fmt: skip
        parts += [
            "<h2>New skills</h2>",
            _table(("name", "description", "tasks", "needed", "where, or why not"), new_rows),
        ]
    if summary.waiting:
        lessons = [(_text(item.title), _text(item.extracted.name), _text(item.why)) for item in summary.waiting]
        parts += ["<h2>Lessons that wait for a skill</h2>", _table(("lesson", "of", "why"), lessons)]
    if summary.failures:
        failed = [(item.stage, _text(item.name), item.kind, _text(item.message)) for item in summary.failures]
        parts += ["<h2>What failed</h2>", _table(("stage", "item", "kind", "message"), failed)]
    note = f"<p class=muted>{_text(SIMULATED_NOTE)}</p>" if summary.simulated else ""
    return "\n".join([*parts, f"<p>{_text(summary.cost_in_words())}</p>", note, "</main></body></html>\n"])


def _row(row: SkillRow, summary: LibrarySummary) -> tuple[str, ...]:
    name = _text(row.name)
    if row.run_id:  # its own report lies beside this one
        name = f'<a href="../{_text(row.run_id)}/report.html">{name}</a>'
    return (
        name,
        str(row.lessons),
        _text(", ".join(f"{count} {by}" for by, count in row.by.items())),
        f"{row.used} of {summary.use.sessions}",
        str(row.held_out),
        "" if row.lift is None else f"{row.lift:+.1%}",
        row.outcome,
        _text(row.reason),
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of cells that are HTML already."""
    heads = "".join(f"<th>{name}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<div class=wide><table><tr>{heads}</tr>\n{body}</table></div>"


def _text(text: str) -> str:
    return escape(shown(" ".join(text.split())))
