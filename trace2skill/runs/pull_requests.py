"""Proposing what a run has learned to the people of a repository."""

from trace2skill.core.errors import BadInput
from trace2skill.runs.pull_request_page import page_of, title_of
from trace2skill.runs.read_reviews import keep_proposed
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.skill_reviews import reviews_of
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.git_address import GitAddress
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.versions.forges import forge_of
from trace2skill.versions.pull_request import Forge, ProposedVersion, PullRequest
from trace2skill.versions.records import message
from trace2skill.versions.registry import Registry


def check_proposing(rt: Runtime) -> None:
    """See that what a run may propose can be pushed and asked for, before anything is paid.

    Raises:
        BadInput: the skill is in no repository, there is no token, or nothing may be pushed there.
        SkillInvalid: the skill could not stand there.
    """
    if rt.settings.operation.promote != "pull_request" or not rt.settings.gate.evaluate:
        return
    address = address_of(rt.settings)
    forge_in(rt.settings, address)
    if rt.given_skill is not None:
        PullRequest(address, rt.store.beside, lambda digest: False).check(rt.given_skill)


def address_of(settings: RunSettings) -> GitAddress:
    """The repository that a run read its skill from.

    Raises:
        BadInput: it read it from none.
    """
    where = settings.data.skill
    if isinstance(where, GitAddress):
        return where
    raise BadInput(
        f"{where or 'a new skill'} is in no repository that people merge into: name the place there "
        "(git+https://host/repository@branch#path)"
    )


def pull_request(store: Store, summary: RunSummary, address: GitAddress) -> tuple[PullRequest, Skill]:
    """The pull request of a run's candidate, and the candidate.

    Raises:
        BadInput: the run has learned nothing, or the store no longer has it.
    """
    if not summary.learned:
        raise BadInput(f"run '{summary.run_id}' has learned nothing, so that there is nothing to propose")
    registry = Registry(store)
    skill = registry.skill(summary.candidate.skill)
    known = {item.skill for item in registry.versions(skill.name)}
    return PullRequest(address, store.beside, known.__contains__), skill


def propose(
    store: Store, settings: RunSettings, summary: RunSummary, address: GitAddress, forge: Forge | None
) -> ProposedVersion:
    """Push a run's candidate to its branch, and ask the forge, where there is one, for a pull request. Twice is once.

    Raises:
        BadInput, SkillInvalid: see `PullRequest.propose` and `Forge.request`.
    """
    asked, skill = pull_request(store, summary, address)
    version, base = Registry(store).version(skill.digest), summary.candidate.base
    branch, into = asked.planned(skill, base)
    if forge is not None and (address_of_it := forge.closed(branch, into, skill.digest)):
        return ProposedVersion(branch=branch, into=into, commit="", pushed=False, request=address_of_it, did="refused")
    # the version may have been judged again, by a later run: the evidence is of the run that is proposed
    told = version.model_copy(update={"run_id": summary.run_id, "decision": summary.decision})
    done = asked.propose(skill, base, message(told), version.written)
    if forge is None:
        return done
    page = page_of(summary, report_of(settings, summary), reviews_of(store, skill.name))
    found = forge.request(done.branch, done.into, title_of(summary), page, skill.digest)
    keep_proposed(store, summary, address, forge, found.id)
    return done.model_copy(update={"request": found.address, "did": found.did})


def report_of(settings: RunSettings, summary: RunSummary) -> str:
    """Where the report of a run can be opened by others, '' where it lies on this machine alone."""
    at = settings.operation.reports_at
    return f"{at.rstrip('/')}/{summary.run_id}/report.html" if at else ""


def forge_in(settings: RunSettings, address: GitAddress) -> Forge | None:
    """The forge that settings ask, None where they ask none.

    Raises:
        BadInput: see `forge_of`.
    """
    named = settings.operation.forge
    return None if named == "none" else forge_of(address, named, settings.operation.forge_api)
