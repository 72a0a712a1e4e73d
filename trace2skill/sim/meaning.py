"""What a simulated reader takes a text to mean: by the planted causes, or by the labels of a corpus."""

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from trace2skill.core.errors import BadInput
from trace2skill.sim.causes import OPPOSED, cause_of, habit_of
from trace2skill.sim.lessons import CONDITIONAL

ONE_ONLY = "ONE"
SIDED = re.compile(r"(?P<pair>C\d+)(?P<side>[ab])")


class MeaningReader(Protocol):
    """Knows what texts mean."""

    def themes(self, text: str) -> frozenset[str]:
        """The themes a text states; what is like nothing else has one of its own; empty for a text without a rule."""

    def words(self, theme: str) -> str:
        """A theme in one sentence, '' where there is none."""

    def opposite(self, theme: str) -> str:
        """The theme that a theme is opposed to, '' for none."""


class PlantedReader:
    """Reads the lessons of the simulated office."""

    def themes(self, text: str) -> frozenset[str]:
        """See `MeaningReader`."""
        sides = frozenset(
            f"{number}{side}"
            for number, pair in enumerate(OPPOSED)
            for side, wording in zip("ab", pair, strict=True)
            if wording.content in text or CONDITIONAL in text
        )
        return sides or frozenset({cause_of(text) or habit_of(text) or f"own: {' '.join(text.lower().split())}"})

    def words(self, theme: str) -> str:
        """See `MeaningReader`. Both sides of the planted contradiction have one sentence: when each holds."""
        return CONDITIONAL if theme[:-1].isdigit() else ""

    def opposite(self, theme: str) -> str:
        """See `MeaningReader`."""
        return theme[:-1] + ("b" if theme[-1] == "a" else "a") if theme[:-1].isdigit() else ""


class LabelledReader:
    """Reads the texts of a corpus by its labels, exact substrings with their themes.

    A text that no label stands in, and that stands in none, holds no rule. `ONE` is true of one repository only.
    """

    def __init__(self, labels: Mapping[str, frozenset[str]], themes: Mapping[str, str]) -> None:
        self._labels = {_flat(text): found for text, found in labels.items()}
        self._words = dict(themes)
        self._stated = {_flat(words): name for name, words in themes.items()}
        self._known: dict[str, frozenset[str]] = {}

    def themes(self, text: str) -> frozenset[str]:
        """See `MeaningReader`."""
        flat = _flat(text)
        if flat not in self._known:
            self._known[flat] = self._looked_up(flat)
        return self._known[flat]

    def _looked_up(self, flat: str) -> frozenset[str]:
        if flat in self._stated:
            return frozenset({self._stated[flat]})
        found: set[str] = {name for words, name in self._stated.items() if words in flat}
        for label, themes in self._labels.items():
            if label in flat or (len(flat) > 20 and flat in label):
                found |= themes
        shared = found - {ONE_ONLY}
        if shared or not found:
            return frozenset(shared)
        return frozenset({f"own: {flat}"})

    def words(self, theme: str) -> str:
        """See `MeaningReader`."""
        return self._words.get(theme, "")

    def opposite(self, theme: str) -> str:
        """See `MeaningReader`."""
        found = SIDED.fullmatch(theme)
        other = f"{found['pair']}{'b' if found['side'] == 'a' else 'a'}" if found else ""
        return other if other in self._words else ""


def read_corpus(directory: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The patches and the themes of a labelled corpus.

    Raises:
        BadInput: no such corpus; a line that is no JSON; a label that is not in its edit or has no theme.
    """
    try:
        themes = json.loads((directory / "themes.json").read_text(encoding="utf-8"))
        raw = (directory / "patches.jsonl").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadInput(f"{directory} is no labelled corpus: {error}") from error
    patches = []
    for number, line in enumerate(raw.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{directory / 'patches.jsonl'}, line {number}"
        try:
            patch = json.loads(line)
            edits = [edit["content"] for edit in patch["patch"]["edits"]]
            labels = [(label["edit"], label["text"], label["themes"]) for label in patch["labels"]]
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{where}: it is no labelled patch: {error}") from error
        for edit, text, named in labels:
            if not 0 <= edit < len(edits) or text not in edits[edit]:
                raise BadInput(f"{where}: the label '{text[:60]}' is not in its edit")
            if unknown := [name for name in named if name not in themes and name != ONE_ONLY]:
                raise BadInput(f"{where}: themes.json does not know {', '.join(unknown)}")
        patches.append(patch)
    return patches, themes


@functools.cache
def labelled_reader(corpus: str) -> LabelledReader:
    """The reader of a corpus, by its directory. Raises BadInput as `read_corpus`."""
    patches, themes = read_corpus(Path(corpus))
    labels: dict[str, frozenset[str]] = {}
    for patch in patches:
        for label in patch["labels"]:
            labels[label["text"]] = labels.get(label["text"], frozenset()) | frozenset(label["themes"])
    return LabelledReader(labels, themes)


def _flat(text: str) -> str:
    return " ".join(text.split())
