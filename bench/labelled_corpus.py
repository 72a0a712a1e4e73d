"""A labelled corpus of patches, as bench/real_text.py and those beside it read it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from trace2skill.consolidate.cut import Rule, cut
from trace2skill.core.digest import digest_of_bytes
from trace2skill.core.errors import BadInput
from trace2skill.sim.meaning import LabelledReader, labelled_reader, read_corpus
from trace2skill.skills.skill import Skill, read_skill
from trace2skill.types.lesson import LessonKind
from trace2skill.types.patch import Edit, Patch


@dataclass
class Corpus:
    """A labelled corpus as the product sees it, and what its labels say."""

    directory: Path
    base: Skill
    patches: list[Patch]
    passed: dict[str, bool]
    stated: dict[str, set[str]]  # themes each trajectory states
    reader: LabelledReader
    themes: dict[str, str]
    labels: dict[str, list[tuple[int, str]]]
    digest: str
    cut: dict[str, tuple[Rule, ...]] = field(default_factory=dict)

    def truth(self, patches: Iterable[Patch]) -> dict[str, set[str]]:
        """Theme -> tasks that state it."""
        found: dict[str, set[str]] = defaultdict(set)
        for patch in patches:
            for theme in self.stated[patch.trajectory_id]:
                found[theme].add(patch.task_id)
        return found


def load(directory: Path) -> Corpus:
    """Read a corpus. Raises BadInput where it is none."""
    raw, themes = read_corpus(directory)
    folders = sorted(path for path in (directory / "skill").glob("*") if path.is_dir())
    if len(folders) != 1:
        raise BadInput(f"{directory / 'skill'} holds {len(folders)} skills, not one")
    base = read_skill(folders[0])
    patches, stated, passed, labels = [], {}, {}, {}
    for line in raw:
        id = line["trajectory"]
        edits = tuple(Edit(**edit, lessons=(f"L-{id}",)) for edit in line["patch"]["edits"])
        patches.append(Patch(trajectory_id=id, task_id=line["task"], base=base.digest, edits=edits))
        passed[id] = line["outcome"] == "passed"
        stated[id] = {theme for label in line["labels"] for theme in label["themes"] if theme != "ONE"}
        labels[id] = [(label["edit"], label["text"]) for label in line["labels"]]
    return Corpus(
        directory=directory,
        base=base,
        patches=patches,
        passed=passed,
        stated=stated,
        reader=labelled_reader(str(directory.resolve())),
        themes=themes,
        labels=labels,
        digest=digest_of_bytes((directory / "patches.jsonl").read_bytes()),
    )


def rules_of(corpus: Corpus, patches: Iterable[Patch]) -> list[Rule]:
    """The rules of some patches."""
    found = []
    for patch in patches:
        if patch.trajectory_id not in corpus.cut:
            kind: LessonKind = "success" if corpus.passed[patch.trajectory_id] else "error"
            corpus.cut[patch.trajectory_id] = cut(patch, kind, corpus.base).rules
        found += corpus.cut[patch.trajectory_id]
    return found


def multiplied(corpus: Corpus, size: int) -> Corpus:
    """So many patches out of the corpus, no two texts alike."""
    patches, stated, passed = [], {}, {}
    for number in range(size):
        patch = corpus.patches[number % len(corpus.patches)]
        id = f"{patch.trajectory_id}-{number}"
        edits = tuple(marked(edit, number) for edit in patch.edits)
        patches.append(
            patch.model_copy(update={"trajectory_id": id, "task_id": f"{patch.task_id}-{number}", "edits": edits})
        )
        stated[id], passed[id] = corpus.stated[patch.trajectory_id], corpus.passed[patch.trajectory_id]
    return Corpus(**{**vars(corpus), "patches": patches, "stated": stated, "passed": passed, "cut": {}})


def marked(edit: Edit, number: int) -> Edit:
    """An edit whose every line is told in another run."""
    lines = edit.content.split("\n")
    texts = [
        f"{line} (run {number})" if line.strip() and line[0] not in "#|`" and line[-1] not in "`|" else line
        for line in lines
    ]
    return edit.model_copy(update={"content": "\n".join(texts)})
