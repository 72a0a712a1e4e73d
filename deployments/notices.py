"""The automations of automations.yaml on a server, with a notification block filled in by its name."""

from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import BlockDocument
from prefect.events.schemas.automations import Automation, AutomationCore
from ruamel.yaml import YAML

from deployments.change import ServerChange, changed
from deployments.declared import ROOT
from trace2skill.core.errors import BadInput

FILE = ROOT / "deployments" / "automations.yaml"
NO_BLOCK = UUID(int=0)
"""What stands in the file for the block."""


def automations(client: SyncPrefectClient, notify: str | None) -> list[ServerChange]:
    """Every automation of the file; one that tells somebody needs a block, and is left out without one.

    Raises:
        BadInput: no block of that name can tell anybody anything, or several can.
    """
    block = _block(client, notify) if notify else None
    made = []
    for item in YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))["automations"]:
        known = next(iter(client.read_automations_by_name(item["name"])), None)
        wanted = _filled(item, block.id if block else _block_in(known))
        if wanted is not None:
            made.append(_change(client, wanted, known))
    return made


def _change(client: SyncPrefectClient, wanted: AutomationCore, known: Automation | None) -> ServerChange:
    if known is None:
        return ServerChange("automation", wanted.name, "created", carry_out=lambda: client.create_automation(wanted))
    wanted = wanted.model_copy(update={"enabled": wanted.enabled and known.enabled})  # one that was paused stays so
    said = set(wanted.model_dump(exclude_unset=True)) | {"trigger"}
    differs = _plain(wanted, said) != _plain(known, said)
    update = lambda: client.update_automation(known.id, wanted)  # noqa: E731
    return changed("automation", wanted.name, differs, "as the file has it", update)


def _plain(automation: AutomationCore, fields: set[str]) -> dict[str, Any]:
    """What a person decides of it: the server gives each trigger an id of its own, and its sets have no order."""
    found = automation.model_dump(mode="json", include=fields)
    found["trigger"] = {
        name: sorted(value) if isinstance(value, list) else value
        for name, value in found["trigger"].items()
        if name != "id"
    }
    return found


def _filled(item: dict[str, Any], block: UUID | None) -> AutomationCore | None:
    actions = []
    for action in item["actions"]:
        if action.get("block_document_id") == str(NO_BLOCK):
            if block is None:
                return None
            action = {**action, "block_document_id": str(block)}
        actions.append(action)
    return AutomationCore.model_validate({**item, "actions": actions})


def _block_in(known: Automation | None) -> UUID | None:
    """The block that somebody has filled in before."""
    found = [getattr(action, "block_document_id", None) for action in known.actions] if known else []
    return next((id for id in found if id and id != NO_BLOCK), None)


def _block(client: SyncPrefectClient, name: str) -> BlockDocument:
    kind, _, own = name.rpartition("/")
    blocks = _notifying(client)
    found = [block for block in blocks if block.name == own and kind in ("", _slug(block))]
    if len(found) == 1:
        return found[0]
    there = ", ".join(sorted(f"{_slug(block)}/{block.name}" for block in blocks))
    if found:
        raise BadInput(f"--notify {name}: there are several of that name, give its kind, too: {there}")
    raise BadInput(
        f"--notify {name}: the server has no notification block of that name; it has {there or 'none'}. "
        "Make one in the UI: Blocks, +, for example a Slack Webhook"
    )


def _notifying(client: SyncPrefectClient) -> list[BlockDocument]:
    """Blocks that can send a message."""
    found, offset = [], 0
    while page := client.read_block_documents(offset=offset, limit=200, include_secrets=False):
        found += [block for block in page if block.block_schema and "notify" in block.block_schema.capabilities]
        offset += len(page)
    return found


def _slug(block: BlockDocument) -> str:
    return block.block_type.slug if block.block_type else ""
