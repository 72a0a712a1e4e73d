"""What deployments need on a Prefect server besides themselves: storage of results, pools, variables, keys, limits.

Keys of models go into Secret blocks and paths into Variables, by names that say which environment variable each is:
the deployments refer to them, a worker looks them up when a run starts, and no key stands in a deployment or parameter.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import (
    GlobalConcurrencyLimitCreate,
    GlobalConcurrencyLimitUpdate,
    VariableCreate,
    VariableUpdate,
    WorkPoolCreate,
)
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound
from pydantic import SecretStr

from deployments.change import ServerChange, changed
from tasks.results import BLOCK_NAME, StoreResults, saved_block
from trace2skill.core.errors import BadInput

VARIABLES = {"trace2skill_home": "TRACE2SKILL_HOME", "trace2skill_store": "TRACE2SKILL_STORE"}
"""Variables of the server, and the environment variable that each becomes in a run."""
KEY = "trace2skill-key-"
"""What the names of our Secret blocks begin with: `trace2skill-key-openai-api-key` is $OPENAI_API_KEY."""
NAME = re.compile(r"[A-Z][A-Z0-9_]*")
PLAIN = re.compile(r"[A-Z]{1,12}[0-9]{0,2}(_[A-Z]{1,12}[0-9]{0,2})*")
"""What is a name and no key: words, and hardly a number."""


def results(client: SyncPrefectClient) -> ServerChange:
    """The block by which results of tasks are kept in the store."""
    name = f"{StoreResults.get_block_type_slug()}/{BLOCK_NAME}"
    try:
        found = client.read_block_document_by_name(BLOCK_NAME, StoreResults.get_block_type_slug())
    except ObjectNotFound:
        return ServerChange("block", name, "created", carry_out=saved_block)
    schema = found.block_schema.checksum if found.block_schema else ""
    return changed("block", name, schema != StoreResults._calculate_schema_checksum(), "its schema", saved_block)


def work_pool(client: SyncPrefectClient, name: str) -> ServerChange:
    """A work pool; one that is there stays as it is, of whatever type."""
    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        make = WorkPoolCreate(name=name, type="process")
        return ServerChange("work pool", name, "created", "type process", lambda: client.create_work_pool(make))
    return ServerChange("work pool", name, "unchanged")


def variables(client: SyncPrefectClient, given: Mapping[str, str], default: Mapping[str, str]) -> list[ServerChange]:
    """Variables for paths: those given are set, the others have their default where they are not there yet."""
    made = []
    for name in VARIABLES:
        found = client.read_variable_by_name(name)
        value = given.get(name) or ("" if found else default.get(name, ""))
        if found is None and value:
            make = VariableCreate(name=name, value=value, tags=["trace2skill"])
            made.append(ServerChange("variable", name, "created", value, partial(client.create_variable, make)))
        elif found is not None:
            update = VariableUpdate(name=name, value=value)
            detail = f"{found.value} -> {value}"
            differs = bool(value) and found.value != value
            made.append(changed("variable", name, differs, detail, partial(client.update_variable, update)))
    return made


def keys(client: SyncPrefectClient, names: Iterable[str]) -> list[ServerChange]:
    """Secret blocks: those named get the value that this process's environment has, the others stay.

    Raises:
        BadInput: a name is none of an environment variable, or is not set here.
    """
    there = {block.name or "": block for block in _secrets(client)}
    wanted = {_block_of(name): _value_of(name) for name in names}
    made = []
    for block in sorted({*there, *wanted}):
        value = wanted.get(block)
        save = partial(_save, block, value or "")
        shown = f"${variable_of(block)}"
        if block not in there:
            made.append(ServerChange("secret", block, "created", shown, save))
        else:
            differs = value is not None and there[block].data.get("value") != value
            made.append(changed("secret", block, differs, shown, save))
    return made


def limits(client: SyncPrefectClient, wanted: Mapping[str, int | None]) -> list[ServerChange]:
    """Global concurrency limits by name; one without a number has one slot, or stays as it is."""
    made = []
    for name, slots in sorted(wanted.items()):
        try:
            found = client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            make = GlobalConcurrencyLimitCreate(name=name, limit=slots or 1)
            create = partial(client.create_global_concurrency_limit, make)
            made.append(ServerChange("concurrency limit", name, "created", _slots(slots or 1), create))
            continue
        update = GlobalConcurrencyLimitUpdate(name=name, limit=slots)
        differs = slots is not None and found.limit != slots
        do = partial(client.update_global_concurrency_limit, name, update)
        made.append(changed("concurrency limit", name, differs, f"{found.limit} -> {slots}", do))
    return made


def environment(made: Iterable[ServerChange]) -> dict[str, str]:
    """What a run's environment has of these things: references, which a worker follows when the run starts."""
    found = {}
    for item in made:
        if item.kind == "variable":
            found[VARIABLES[item.name]] = f"{{{{ prefect.variables.{item.name} }}}}"
        elif item.kind == "secret":
            found[variable_of(item.name)] = f"{{{{ prefect.blocks.secret.{item.name} }}}}"
    return found


def variable_of(block: str) -> str:
    """The environment variable that a Secret block of ours is."""
    return block.removeprefix(KEY).replace("-", "_").upper()


def _save(block: str, value: str) -> None:
    Secret(value=SecretStr(value)).save(block, overwrite=True)


def _slots(count: int) -> str:
    return f"{count} slot{'s' if count > 1 else ''}"


def _block_of(name: str) -> str:
    if not NAME.fullmatch(name) or name.endswith("_") or "__" in name:
        raise BadInput("--key: give the name of an environment variable, such as OPENAI_API_KEY, not a key")
    return KEY + name.lower().replace("_", "-")


def _value_of(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        shown = f"${name}" if PLAIN.fullmatch(name) else "what was given (not repeated, it may be a key itself)"
        raise BadInput(f"--key: {shown} is not set here; export it for this one command")
    return value


def _secrets(client: SyncPrefectClient) -> Iterator[BlockDocument]:
    """Our Secret blocks; none on a server that has never heard of the kind."""
    try:
        client.read_block_type_by_slug("secret")
    except ObjectNotFound:
        return
    found = client.read_block_documents_by_type("secret")  # all of them: the server has no pages here
    yield from (block for block in found if (block.name or "").startswith(KEY))
