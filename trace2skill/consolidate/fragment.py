"""What stands in a patch as if it were a rule and tells nobody what to do: a scope that has lost its instruction.

'Where the request asks for a report by its name.' says when something holds, and what holds then stood elsewhere. Only
English is read, and only what is plain: in doubt a text is a rule, since readers can still say that it is none.
"""

import re

OPENS = re.compile(
    r"(?:only |except |but )?(?:where|when|whenever|if|unless|in case|as long as|provided that|while)\b", re.IGNORECASE
)
GOES_ON = re.compile(r"[,;:!?()`\n\u2013\u2014]|\s-\s|[.]\s|[\u2192=>]")
"""Behind such a sign the instruction may stand."""
WORD = re.compile(r"[\w'-]+")
BEFORE_NOUNS = frozenset(
    WORD.findall(
        "a an the this that these those its their his her your our my each every any all some no one two more other "
        "such both of in on at by for with from to into as per and or than like about under over between within"
    )
)
STATES = frozenset(WORD.findall("is are was were be been has have had"))
VERBS = STATES | frozenset(
    WORD.findall(
        "does do did will would must should shall can cannot may might need needs never always not don't avoid then "
        "please instead"
    )
)


def only_a_scope(text: str) -> bool:
    """Is a text one clause that says when or where something holds, and no more?

    Its one verb is that of the condition. Any second word that may be a verb makes it a rule: one of a list, or one
    that follows a noun and could be an order or a statement.
    """
    bare = text.strip().strip("*_").rstrip(".").strip()
    opened = OPENS.match(bare)
    if not opened or GOES_ON.search(bare):
        return False
    words = WORD.findall(bare[opened.end() :].lower())
    subject = next((n for n, word in enumerate(words) if word in VERBS or _third_person(words, n)), None)
    if subject is None:
        return False
    return all(_is_no_verb(words, n) for n in range(subject + 1, len(words)))


def _third_person(words: list[str], n: int) -> bool:
    """May the word be the verb of what stands before it, as in 'the request asks'?"""
    return n > 0 and words[n].endswith("s") and not words[n].endswith("ss") and words[n - 1] not in BEFORE_NOUNS


def _is_no_verb(words: list[str], n: int) -> bool:
    """Is a word behind the verb plainly part of what the verb is about, as in 'is empty' or 'asks for a report'?"""
    return words[n] in BEFORE_NOUNS or (words[n] not in VERBS and words[n - 1] in BEFORE_NOUNS | STATES)
