"""inspect_ai's logs: `.eval` (a zip of JSON files, one a sample) and the older single JSON document.

Read as plain zip and JSON, so that no package of two dozen dependencies is needed. What inspect_ai keeps once and
points at (`attachment://`) is put back. Targets, which are gold, are not kept.
"""

import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from trace2skill.core.foreign_json import LONGEST_LINE, parse
from trace2skill.traces.attachments import Attachments
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import is_message, say, usage_of
from trace2skill.traces.gold_fields import without
from trace2skill.traces.inspect_questions import gold_in, question_in, verdict_in
from trace2skill.traces.packed import unzipped_zstd
from trace2skill.traces.session import UNLABELLED, Session
from trace2skill.traces.values import identity, label, mapping, number, rest, text
from trace2skill.types.trajectory import Outcome, Trajectory, Usage

MOST_MEMBERS = 100_000
ZSTD = 93
"""The number of Zstandard among a zip's methods: newer logs are compressed so, and Python reads it from 3.14 on."""
MOST_RATIO = 500
NAMES = {"header.json", "_journal/start.json"}
GOLD = {"target", "scores", "score"}
USED = {"id", "epoch", "input", "messages", "output", "events", "attachments", "model_usage", "message_pool", "store",
        "choices", "call_pool"}  # fmt: skip


class Inspect:
    """Reader of inspect_ai logs."""

    name = "inspect"
    turn = 20

    def claims(self, source: Source) -> bool:
        """A zip with inspect_ai's header or journal, or a document with `eval` and `samples`."""
        if source.head.startswith(b"PK"):
            if _first_member(source.head) in NAMES:
                return True
            try:
                with zipfile.ZipFile(source.plain) as archive:
                    return bool(NAMES & set(archive.namelist()))
            except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
                return source.path.suffix == ".eval"
        start = mapping(source.start)
        return "eval" in start and "plan" in start and "version" in start

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a sample and epoch.

        Raises:
            ValueError: no zip that may be opened, or no JSON document.
        """
        if source.head.startswith(b"PK"):
            yield from self._archive(source, notes)
            return
        head = mapping(source.start)
        for place, sample in enumerate(source.items("samples.item"), start=1):
            if isinstance(sample, dict):
                yield _sample(sample, head, source, notes)
            else:
                notes.problem(source, 0, f"sample {place} is no object")

    def _archive(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        try:
            with zipfile.ZipFile(source.plain) as archive:
                members = archive.infolist()
                if len(members) > MOST_MEMBERS:
                    raise ValueError(f"{len(members)} members, more than {MOST_MEMBERS}")
                by_name = {member.filename: member for member in members}
                head = by_name.get("header.json") or by_name.get("_journal/start.json")
                told = mapping(_member(archive, head, source, notes)) if head else {}
                for name, member in sorted(by_name.items()):
                    if name.startswith("samples/") and name.endswith(".json"):
                        sample = _member(archive, member, source, notes)
                        if isinstance(sample, dict):
                            yield _sample(sample, told, source, notes)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise ValueError(f"not a zip that can be read: {error}") from error


def _first_member(head: bytes) -> str:
    """The name in a zip's first local header (APPNOTE 4.3.7): enough to know most logs by, without opening the zip."""
    length = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + length].decode("utf-8", "replace")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: Source, notes: Notes) -> Any:
    """One member's JSON. A member that would unfold into too much is noted and never unfolded."""
    bomb = member.file_size > 2**20 and member.file_size > MOST_RATIO * max(member.compress_size, 1)
    if bomb or member.file_size > LONGEST_LINE:
        notes.problem(source, 0, f"{member.filename} unfolds to {member.file_size} bytes: not opened")
        return None
    try:
        if member.compress_type == ZSTD and not hasattr(zipfile, "ZIP_ZSTANDARD"):
            return parse(unzipped_zstd(_packed(archive, member)[1], LONGEST_LINE))
        raw = _deflated(archive, member)
        if raw is None:
            with archive.open(member) as file:
                raw = file.read(LONGEST_LINE + 1)
        return parse(raw)
    except (ValueError, OSError, NotImplementedError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        notes.problem(source, 0, f"{member.filename} cannot be read: {error}")
    except Exception as error:  # noqa: BLE001 - zlib, lzma and bz2 each raise an error of their own on damaged data
        notes.problem(source, 0, f"{member.filename} is damaged: {error}")
    return None


def _deflated(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | None:
    """A member of the usual kind in one go: to open each as a file takes longer than to unfold it.

    None where it is of another kind, or anything of it is not as the zip says: `zipfile` then says what.
    """
    if member.compress_type != zipfile.ZIP_DEFLATED or member.flag_bits or archive.fp is None:
        return None
    name, packed = _packed(archive, member)
    try:
        raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.file_size + 1)
    except zlib.error:
        return None
    as_said = len(raw) == member.file_size and zlib.crc32(raw) == member.CRC
    return raw if as_said and name.decode("cp437") == member.orig_filename else None


def _packed(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[bytes, bytes]:
    """A member's name and bytes as they stand in the zip, at and behind its local header (APPNOTE 4.3.7)."""
    if member.flag_bits & 1 or archive.fp is None:
        raise ValueError("it is encrypted")
    archive.fp.seek(member.header_offset)
    header = archive.fp.read(30)
    name = archive.fp.read(int.from_bytes(header[26:28], "little"))
    archive.fp.seek(int.from_bytes(header[28:30], "little"), 1)
    packed = archive.fp.read(min(member.compress_size, LONGEST_LINE))
    return (name if header.startswith(b"PK\3\4") else b""), packed


def _sample(sample: dict[str, Any], head: dict[str, Any], source: Source, notes: Notes) -> Trajectory:
    run, held = mapping(head.get("eval")), mapping(sample.get("attachments"))
    attachments = Attachments(held)
    id, epoch = label(sample.get("id")) or text(sample.get("id"))[:200], number(sample.get("epoch"))
    task = label(run.get("task")) or source.stem
    key = label(sample.get("uuid")) or f"{label(run.get('run_id')) or source.name}:{id}:{epoch}"
    session = Session("inspect", key, name=key, agent="inspect_ai", model=label(run.get("model")))
    session.agent_version = label(mapping(run.get("packages")).get("inspect_ai"))
    messages = sample.get("messages")
    for index, message in enumerate(messages if isinstance(messages, list) else [], start=1):
        if is_message(message):
            named = identity(
                "inspect", label(sample.get("uuid")), label(message.get("id"))
            )  # a retried run copies samples
            message = attachments.whole(message) if held else message
            say(session, message, **({"identity": named} if named else {}))
        else:
            notes.problem(source, 0, f"sample {id}, message {index} is no chat message")
    if attachments.left_out:
        left = f"{attachments.left_out} references to attachments are left as they are"
        notes.problem(source, 0, f"sample {id} unfolds into too much: {left}")
    session.extra = {
        **without(rest(sample, USED | GOLD), gold_in(sample)),
        "eval_id": label(run.get("eval_id")) or label(run.get("run_id")),
    }
    events = [event for event in sample.get("events") or () if isinstance(event, dict)]
    rubrics = [mapping(score).get("explanation") for score in mapping(sample.get("scores")).values()]
    notes.hide(session.id, sample.get("target"), mapping(sample.get("metadata")).get("rubric"), rubrics)
    session.extra["events"] = len(events)
    notes.answered(session.id, partial(question_in, sample, head, Attachments(held)))
    total = [usage_of(usage) or Usage() for usage in mapping(sample.get("model_usage")).values()]
    return session.finish(
        task_id=f"{task}:{id}", seed=epoch, outcome=_outcome(sample), usage=sum(total, Usage()) if total else None
    )


def _outcome(sample: dict[str, Any]) -> Outcome:
    """The first scorer's grade; an error of the run is no failure of the agent."""
    if error := sample.get("error"):
        told = error.get("message") if isinstance(error, dict) else error
        return Outcome(kind="infrastructure_error", reason=text(told)[:300], source="log")
    if sample.get("invalidation"):  # somebody looked, and said that it does not count
        return UNLABELLED
    if (found := verdict_in(sample)) is None:
        return UNLABELLED
    name, value, made = found
    return made.model_copy(update={"reason": f"{name}: {label(value) or value}"})
