"""Reads the calls of a script out of requests, by patterns that a model wrote. Run by itself, where commands run.

A pattern can take for ever, and so it is nothing for a process of ours. `python call_reader.py JOB` prints by id of the
request, for those that the script is meant for, the values of its options, null for one that is not found.
"""

import json
import re
import sys


def main(path: str) -> None:
    """Read the job, print the answer as JSON. A pattern that is none, or has not exactly one group, ends it."""
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    when = [re.compile(pattern) for pattern in job["when"]]
    options = [[re.compile(pattern) for pattern in patterns] for patterns in job["options"]]
    for pattern in (pattern for patterns in options for pattern in patterns):
        if pattern.groups != 1:
            sys.exit(f"the pattern {pattern.pattern!r} has {pattern.groups} groups, not one")
    found = {}
    for id, request in job["requests"].items():
        text = " ".join(request.split())
        if any(pattern.search(text) for pattern in when):
            matches = [next(filter(None, (one.search(text) for one in patterns)), None) for patterns in options]
            found[id] = [match[1] if match else None for match in matches]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
