"""Takes the pictures of the docs that need no server: parts of reports, and what commands print.

    python bench/page_pictures.py                   # writes docs/images; some five minutes of CPU
    python bench/page_pictures.py --only triggers   # scripts, library, shrinking, triggers, batch

The runs are those of the benchmarks, with simulated models. Wanted besides: Debian's chromium.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

TRACE2SKILL = str(Path(sys.executable).parent / "trace2skill")
COLUMNS = 100
WIDTH = {"width": 1000, "height": 900}
HIGHEST = 1000
Seen = tuple[Path, str]
"""A page, and a selector of the part to be seen."""

QUERIES = """\
- {query: "Remove the rows without an amount from orders.xlsx and save it.", skill: office-workbooks}
- {query: "In budget.xlsx fill column D with the sum of B and C.", skill: office-workbooks}
- {query: "Which sheet of report.xlsx has the highest total?", skill: office-workbooks}
- {query: "List the folders below data/ by size.", skill: shell-files}
- {query: "Rename every *.txt file below notes/ to *.md.", skill: shell-files}
- {query: "Translate this letter into French.", skill: null}
- {query: "What is the capital of Norway?", skill: null}
- {query: "Write a poem about spreadsheets.", skill: null}
"""


def scripts(folder: Path) -> Seen:
    """The scripts of a run of bench/scripts.py, to review."""
    import scripts as bench
    from scripts_world import speaker, write_world

    data = write_world(folder, 24, 5)
    with bench.scripted(speaker(data)):
        bench.refreshed(folder, data, 2, make=True)
    (report,) = folder.glob("runs/*/report.html")
    return report, "#scripts"


def library(folder: Path) -> Seen:
    """A library's run: a row a skill."""
    import library as bench

    bench.whole_run(folder / "run")
    reports = folder.glob("run/runs/*/report.html")
    return next(path for path in reports if "<title>library" in path.read_text()), "body"


def shrinking(folder: Path) -> Seen:
    """What a night of bench/shrink_nights.py took out, and why the rest stayed."""
    import shrink_nights as bench

    nights = argparse.Namespace(good=6, idle=12, harmful=1, each=90, nights=3, poisoned=0.7, flaky=0.0, rounds=1)
    nights.tasks, nights.workers, nights.seed = 300, 2, 1
    rules = {"harmful": bench.NOUNS[: nights.harmful], "idle": bench.NOUNS[-nights.idle :]}
    planted = bench.script(frozenset({*rules["harmful"], *rules["idle"]}), nights.poisoned, nights.flaky)
    with bench.scripted(planted, "shrink") as model:
        print(*bench.life(folder, nights, model, "learned", rules), sep="\n")
    reports = [path for path in folder.glob("runs/*/report.html") if "<li>taken out: " in path.read_text()]
    return reports[0], "#out"


def triggers(folder: Path) -> Seen:
    """Precision and recall of two descriptions."""
    (folder / "queries.yaml").write_text(QUERIES)
    words = ["triggers", str(ROOT / "examples" / "skills"), "--queries", "queries.yaml", "--model", "sim/office"]
    return printed(words, folder), "pre"


def batch(folder: Path) -> Seen:
    """Both prices of a night."""
    given = ["--data", str(ROOT / "examples" / "office"), "--skill", str(ROOT / "examples/skills/office-workbooks")]
    return printed(["estimate", *given, "--model", "openai/gpt-4.1", "--batch"], folder), "pre"


SCENES = {scene.__name__: scene for scene in (scripts, library, shrinking, triggers, batch)}


def printed(words: list[str], folder: Path) -> Path:
    """What a command prints, as a page."""
    env = {
        **os.environ,
        "FORCE_COLOR": "1",
        "COLUMNS": str(COLUMNS),
        "TERM": "xterm-256color",
        "OPENAI_API_KEY": "none",
    }
    ran = subprocess.run([TRACE2SKILL, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 1), ran.stderr
    shown = Console(record=True, width=COLUMNS, file=io.StringIO())
    typed = " ".join(Path(word).name if word.startswith(str(ROOT)) else word for word in words)
    shown.print(Text(f"$ trace2skill {typed}\n", style="bold"))
    shown.print(Text.from_ansi(ran.stdout.replace(str(ROOT) + "/", "")))
    page = folder / "printed.html"
    page.write_text(shown.export_html(theme=MONOKAI).replace('<pre style="', '<pre style="padding: 1em; '))
    return page


def main() -> None:
    """See the module."""
    from pictures import fewer_colours

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--only", choices=[*SCENES], action="append")
    given = parser.parse_args()
    for name in given.only or SCENES:  # each in a process of its own: benchmarks set up Prefect as they are imported
        if len(given.only or SCENES) > 1:
            subprocess.run([sys.executable, __file__, "--to", str(given.to), "--only", name], check=True)
            continue
        with tempfile.TemporaryDirectory(prefix="t2s-pictures-") as folder:
            page, part = SCENES[name](Path(folder))
            with sync_playwright() as playwright:  # after the run: Prefect does other things where an event loop is
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
                )
                opened = browser.new_page(viewport=WIDTH, color_scheme="light")
                opened.goto(page.as_uri())
                opened.add_style_tag(content="section { content-visibility: visible !important }")
                opened.wait_for_timeout(500)
                box = opened.locator(part).first.bounding_box()
                assert box
                clip = {**box, "height": min(box["height"], HIGHEST)}
                opened.screenshot(path=given.to / f"{name}.png", clip=clip, full_page=True)
                fewer_colours(given.to / f"{name}.png")
                browser.close()


if __name__ == "__main__":
    main()
