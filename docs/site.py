"""Makes pages of what stands beside docs/: README.md is the first page, with its links as they are from here."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
BESIDE = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""A file in the checkout, and its page."""
LINK = re.compile(r"""(\]\(|src(?:set)?=["'])(docs/|(?:README|CHANGELOG|CONTRIBUTING)\.md)""")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds a page for each of these files."""
    for name, page in BESIDE.items():
        text = LINK.sub(lambda found: found[1] + BESIDE.get(found[2], ""), (ROOT / name).read_text("utf-8"))
        files.append(File.generated(config, page, content=text))
    return files
