"""The shape of the merge tree: a binary trie over keys that depend on each group alone.

So the tree depends on the set of groups and not on their order, similar groups meet first, and one more group touches
only the nodes on its own path. The trie is compressed (Patricia, https://doi.org/10.1145/321479.321481): a node stands
where two keys first differ, so there are exactly len(groups) - 1 merges.
"""

import hashlib
import itertools
from collections.abc import Sequence

from trace2skill.consolidate.groups import EditGroup
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.core.similarity import words

HASH_BITS = 64
Node = int | tuple["Node", "Node"]
"""A node of the trie: a leaf's number, or two sides."""


class MergePlan(Record):
    """Leaves in key order and the merges to make of them.

    `merges[k]` names its inputs: numbers below len(leaves) are leaves, len(leaves) + i is the result of merges[i].
    The last merge is the root; a plan of one leaf has none.
    """

    leaves: tuple[EditGroup, ...]
    merges: tuple[tuple[int, ...], ...]


def plan_merges(groups: Sequence[EditGroup], fan_in: int = 2) -> MergePlan:
    """Lay the groups out along the trie of their keys. Groups must differ in their edits (see `unite_equal`).

    With a `fan_in` above 2 a merge takes in whole levels below it while their inputs fit (the paper's B). That, too,
    depends on the set of groups alone.
    """
    keyed = sorted((group_key(group), group) for group in groups)
    keys = [int.from_bytes(key.ljust(_width(keyed), b"\0"), "big") for key, _ in keyed]
    merges: list[tuple[int, ...]] = []

    def number(node: Node) -> int:
        """The number of a node; its merge is written down after those below it."""
        if isinstance(node, int):
            return node
        inputs = tuple(number(side) for side in _folded(node, fan_in))
        merges.append(inputs)
        return len(keys) + len(merges) - 1

    if keys:
        number(_trie(keys, 0, len(keys) - 1))
    return MergePlan(leaves=tuple(group for _, group in keyed), merges=tuple(merges))


def _trie(keys: Sequence[int], first: int, last: int) -> Node:
    """The compressed trie over leaves first..last: a leaf's number, or its two sides."""
    if first == last:
        return first
    bit = (keys[first] ^ keys[last]).bit_length() - 1
    low, high = first + 1, last
    while low < high:  # keys are sorted, so the first one with the bit set is found by halving
        middle = (low + high) // 2
        low, high = (low, middle) if keys[middle] >> bit & 1 else (middle + 1, high)
    return (_trie(keys, first, low - 1), _trie(keys, low, last))


def _folded(node: tuple[Node, Node], fan_in: int) -> list[Node]:
    """The inputs of a merge: its two sides, opened level by level while all of them fit."""
    sides: list[Node] = list(node)
    while True:
        opened = [inner for side in sides for inner in (side if isinstance(side, tuple) else (side,))]
        if len(opened) > fan_in or len(opened) == len(sides):
            return sides
        sides = opened


def group_key(group: EditGroup) -> bytes:
    """File, section path, locality-sensitive hash of the text, digest: where it lands, what it says, which it is."""
    first = group.edits[0]
    place = "\x1f".join((first.file, *first.section)).encode("utf-8", "surrogatepass")
    exact = digest_of([edit.id for edit in group.edits])
    return place + b"\x1e" + simhash(group.text).to_bytes(HASH_BITS // 8, "big") + bytes.fromhex(exact)


def simhash(text: str) -> int:
    """64-bit SimHash over the words and word pairs of normalised text (Charikar, https://doi.org/10.1145/509907.509965).

    Texts that share most of their words differ in few bits.
    """
    tokens = words(text)
    weights = [0] * HASH_BITS
    for feature in tokens + [f"{a} {b}" for a, b in itertools.pairwise(tokens)]:
        bits = int.from_bytes(hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        for position in range(HASH_BITS):
            weights[position] += 1 if bits >> position & 1 else -1
    return sum(1 << position for position, weight in enumerate(weights) if weight > 0)


def _width(keyed: Sequence[tuple[bytes, EditGroup]]) -> int:
    return max((len(key) for key, _ in keyed), default=0)
