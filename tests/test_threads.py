"""What many threads do at once, first thing in a process, when nothing has been made yet that libraries make once."""

import subprocess
import sys
import textwrap

from conftest import ROOT

PARSE_AT_ONCE = """
import sys
import threading

sys.setswitchinterval(1e-6)
failed = []

def parse(start, links, text):
    start.wait()
    try:
        assert [link.target for link in links(text)] == ["a b.md", "c.md"]
    except Exception as error:
        failed.append(error)

for _ in range(25):
    for name in [name for name in sys.modules if name.split(".")[0] in ("mdurl", "markdown_it", "mdit_py_plugins")]:
        del sys.modules[name]
    sys.modules.pop("trace2skill.skills.markdown", None)
    from trace2skill.skills.markdown import links
    start = threading.Barrier(8)
    text = "# Title\\n\\nSee [one](a%20b.md) and [two](c.md).\\n\\n"
    threads = [threading.Thread(target=parse, args=(start, links, text + str(n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert not failed, failed
"""


def test_the_first_documents_of_a_process_may_be_parsed_by_many_threads() -> None:
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PARSE_AT_ONCE)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
