"""The front matter of SKILL.md: YAML between two lines `---`, read with limits.

A few hundred bytes of YAML can stand for gigabytes (an alias to a list of aliases) or a thousand levels. Both are
counted before anything is made of them.
"""

import re
from typing import Any

MOST_CHARACTERS, MOST_VALUES, MOST_LEVELS = 64 * 1024, 10_000, 20
UNTYPED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What the parser raises where a value is not of the type that its tag names (`!!bool maybe`, `!!int ''`)."""
FENCED = re.compile(r"\ufeff?---[ \t]*(?:\r\n|\n|\r)(?P<yaml>.*?)(?:\r\n|\n|\r)---[ \t]*(?:\r\n|\n|\r|\Z)", re.DOTALL)


def parts(text: str) -> tuple[dict[str, Any], str]:
    """Front matter and body. The fences are whole lines `---`, so that a `---` inside a value cuts nothing.

    Raises:
        ValueError: there is no front matter, it is not a YAML mapping, or it stands for more than a front matter holds.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    found = FENCED.match(text)
    if found is None:
        raise ValueError("SKILL.md must start with front matter between two lines '---'")
    yaml = found["yaml"]
    try:
        _check_size(yaml)
        values = YAML(typ="safe").load(yaml)
    except (YAMLError, RecursionError, *UNTYPED) as error:
        raise ValueError(f"the front matter is not YAML: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ValueError("the front matter is not a YAML mapping of words")
    return values, text[found.end() :]


def _check_size(yaml: str) -> None:
    """Count the values of a YAML text with every alias as what it stands for.

    Raises:
        ValueError: too many, or too deep.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

    if len(yaml) > MOST_CHARACTERS:
        raise ValueError(f"the front matter has more than {MOST_CHARACTERS} characters")
    brackets = sum(map(yaml.count, "[{"))
    if brackets > MOST_VALUES // 10:
        raise ValueError(f"the front matter opens {brackets} brackets")
    sizes: dict[str, int] = {}
    open_: list[tuple[str | None, int]] = []
    total = 0
    for event in YAML(typ="safe", pure=True).parse(yaml):
        if isinstance(event, CollectionStartEvent):
            open_.append((event.anchor, total))
        if isinstance(event, CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor:
                sizes[anchor] = total - before
        if isinstance(event, AliasEvent):
            total += sizes.get(event.anchor, 1)
        elif isinstance(event, (CollectionStartEvent, ScalarEvent)):
            total += 1
            if isinstance(event, ScalarEvent) and event.anchor:
                sizes[event.anchor] = 1 + len(event.value) // 100
        if total > MOST_VALUES or len(open_) > MOST_LEVELS:
            raise ValueError(f"the front matter holds more than {MOST_VALUES} values, or {MOST_LEVELS} levels of them")
