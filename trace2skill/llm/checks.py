"""Refusing a model that cannot work, before anything else is done."""

import os

from trace2skill.core.errors import BadInput
from trace2skill.llm import transport
from trace2skill.llm.settings import REFERENCE, ModelSettings
from trace2skill.safety.own_secrets import may_hold_secret
from trace2skill.safety.redaction import Redactor


def check_model(settings: ModelSettings) -> None:
    """Refuse a model that cannot work before anything else is done.

    Raises:
        BadInput: LiteLLM knows no such provider, the provider's key is not set, nobody knows the price, or the folder
            of a model by hand cannot be one.
    """
    _check_address(settings)
    if settings.handoff:  # needs no key and costs nothing
        from trace2skill.llm.handoff.folder import Folder
        from trace2skill.llm.handoff.presence import join

        join(Folder(settings.handoff, make=True))
        return
    if settings.simulated:  # needs no key and has a price: no reason to import litellm for a run from the store
        from trace2skill.sim.profile import profile_of

        profile_of(settings.name)
        return
    lite = transport.litellm_for(settings)
    try:
        lite.get_llm_provider(settings.name)
    except Exception as error:
        raise BadInput(
            f"unknown model '{settings.name}': write it as LiteLLM does, PROVIDER/MODEL, for example "
            f"anthropic/claude-sonnet-4-5, openai/gpt-4o, ollama/qwen3, sim/office or handoff/DIR"
        ) from error
    missing = [key for key in lite.validate_environment(settings.name)["missing_keys"] if key.endswith("_API_KEY")]
    if missing and not settings.api_base:
        raise BadInput(f"model '{settings.name}' needs {' and '.join(missing)} in the environment; it is not set")
    transport.prices(settings)


def check_vision(settings: ModelSettings) -> None:
    """Refuse a model that sees no pictures, where a kind of task shows some.

    Raises:
        BadInput: `settings.vision` says no, or nobody knows that it does.
    """
    if settings.vision == "no" or (settings.vision == "auto" and not _sees(settings)):
        who = "--vision no says" if settings.vision == "no" else "as far as LiteLLM knows,"
        raise BadInput(
            f"{who} model '{settings.name}' sees no pictures, and these tasks are questions on pictures: use one that "
            f"does, such as openai/gpt-4o or anthropic/claude-sonnet-4-5, or say --vision yes if this one does"
        )


def _sees(settings: ModelSettings) -> bool:
    if settings.simulated:
        from trace2skill.sim.profile import profile_of

        return not profile_of(settings.name).blind
    return bool(transport.litellm_for(settings).supports_vision(settings.name))


def _check_address(settings: ModelSettings) -> None:
    """An address is written down with the run, in the store and elsewhere: a secret in it stands as a name."""
    address = settings.api_base or ""
    bare = REFERENCE.sub("", address)
    if Redactor().text(bare) != bare or may_hold_secret(bare):
        raise BadInput(
            "the address of the model (--api-base) holds what may be a secret, and is written down with the run: name "
            "a variable in its place, such as 'http://user:${PASSWORD}@host/v1', and set that in the environment"
        )
    missing = [name for name in REFERENCE.findall(address) if name not in os.environ]
    if missing:
        raise BadInput(f"the address of the model (--api-base) names {', '.join(missing)}, which is not set")
