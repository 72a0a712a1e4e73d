r"""The process behind `checker`: compares answers with `math-verify`, one a line, and dies where one takes too long.

It runs as a program, so that the alarm can end it in the midst of anything; a program that holds threads can not. The
time that it computes is counted: by the clock a busy machine would make a right answer a wrong one.
Only LaTeX is read: for plain expressions the library evaluates the text as Python, and the text is a model's.
"""

import contextlib
import json
import logging
import resource
import signal
import sys

MEMORY = 2**30


def main() -> None:
    """Answer requests on standard input until it is closed."""
    replies, sys.stdout = sys.stdout, sys.stderr
    with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable(logging.CRITICAL)
    from math_verify import LatexExtractionConfig, parse, verify

    config = [LatexExtractionConfig(boxed_match_priority=0, try_extract_without_anchor=False)]

    def same(gold: str, answer: str) -> bool:
        left, right = (parse(f"\\boxed{{{text}}}", config, parsing_timeout=None) for text in (gold, answer))
        return bool(verify(left, right, timeout_seconds=None))

    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    same(r"\frac{1}{2}", "0.5")  # loads the grammar, which is not to count as anyone's time
    print("ready", file=replies, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, request["seconds"])
        found = same(request["gold"], request["answer"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(found), file=replies, flush=True)


if __name__ == "__main__":
    main()
