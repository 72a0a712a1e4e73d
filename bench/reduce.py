"""The merge tree with plain threads, as a run has it with Prefect's: a merge starts when its inputs exist.

Where more merges are ready than there are threads, those with the longest way to the root go first: they decide when
the whole is done.
"""

import heapq
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from trace2skill.consolidate.tree import MergePlan

N = TypeVar("N")


def reduce_tree(plan: MergePlan, leaves: Sequence[N], merge: Callable[[int, list[N]], N], workers: int) -> N | None:
    """The root of a tree, None where it has no leaf.

    Args:
        plan: the shape.
        leaves: one node for each leaf of the plan, in its order.
        merge: makes a node of its number and its inputs; called from up to `workers` threads at once.
        workers: threads.

    Raises:
        Exception: the first error of a merge, once all that do not need its result have ended.
    """
    nodes: list[Future[N]] = [Future() for _ in range(len(plan.leaves) + len(plan.merges))]
    for node, leaf in zip(nodes, leaves, strict=False):
        node.set_result(leaf)
    waiting = [sum(i >= len(plan.leaves) for i in inputs) for inputs in plan.merges]
    needed_by = {i: number for number, inputs in enumerate(plan.merges) for i in inputs}
    distance = _distances_to_root(plan)
    ready: list[tuple[int, int]] = []
    guard = threading.Lock()
    with ThreadPoolExecutor(workers) as pool:

        def make_ready(*numbers: int) -> None:
            with guard:
                for number in numbers:
                    heapq.heappush(ready, (-distance[number], number))
            for _ in numbers:
                pool.submit(run_the_farthest)

        def run_the_farthest() -> None:
            with guard:
                number = heapq.heappop(ready)[1]
            node = nodes[len(plan.leaves) + number]
            try:
                node.set_result(merge(number, [nodes[i].result() for i in plan.merges[number]]))
            except BaseException as error:  # noqa: BLE001 - it is raised again by whoever asks for the node
                node.set_exception(error)
            parent = needed_by.get(len(plan.leaves) + number)
            if parent is None:
                return
            with guard:
                waiting[parent] -= 1
                complete = waiting[parent] == 0
            if complete:
                make_ready(parent)

        make_ready(*(number for number, count in enumerate(waiting) if count == 0))
        for node in nodes:
            node.exception()  # waits until every merge has ended, so that the pool takes new ones until then
    return nodes[-1].result() if nodes else None


def _distances_to_root(plan: MergePlan) -> list[int]:
    """How many merges stand between each merge and the root."""
    distance = [0] * len(plan.merges)
    for number in reversed(range(len(plan.merges))):  # a merge stands after those below it
        for i in plan.merges[number]:
            if i >= len(plan.leaves):
                distance[i - len(plan.leaves)] = distance[number] + 1
    return distance
