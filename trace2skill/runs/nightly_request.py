"""The end of a night whose winner is proposed to people, and not put in use."""

from trace2skill.core.errors import Interrupted, Trace2SkillError
from trace2skill.core.forms import as_text
from trace2skill.runs.closing import write_pages
from trace2skill.runs.pull_requests import address_of, forge_in, propose
from trace2skill.runs.report import write_report
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.summary import RunSummary
from trace2skill.safety.code_spans import code_span


def propose_winner(rt: Runtime, summary: RunSummary) -> RunSummary:
    """Propose a candidate that won, where the settings say so; returns the summary with what came of it.

    What goes wrong with that is said and ends no run: the version is kept, and a command proposes it.
    """
    if rt.settings.operation.promote != "pull_request" or summary.outcome != "staged" or not summary.learned:
        return summary
    try:
        address = address_of(rt.settings)
        done = propose(rt.store, rt.settings, summary, address, forge_in(rt.settings, address))
        words = f"proposed: {done.request or 'branch ' + done.branch} ({done.did})"
    except Interrupted:
        raise
    except Trace2SkillError as error:
        words = f"not proposed ({code_span(str(error))}): `trace2skill propose-pr {summary.run_id}` does it"
    told = summary.model_copy(update={"approval": words})
    write_pages(told, rt.run_directory())
    write_report(rt.store, told, rt.settings, rt.run_directory())
    rt.store.finish_run(rt.run_id, "completed", as_text(told))
    return told
