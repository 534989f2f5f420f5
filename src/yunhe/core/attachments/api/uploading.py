"""Taking files in: begun with a length and a name, filled piece by piece, judged when whole."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable
from typing import BinaryIO, Protocol

from django.conf import settings
from django.db import transaction

from yunhe.core.attachments.api import inspecting, places
from yunhe.core.attachments.api.registry import find_scanner
from yunhe.core.attachments.api.rows import MB, check_room, not_found, own_draft, prove, read_row
from yunhe.core.attachments.api.scanning import ask_for_check
from yunhe.core.attachments.errors import (
    AttachmentDiskFull,
    AttachmentTooLarge,
    ContentRefused,
    UploadEnded,
    UploadError,
    UploadInterrupted,
    UploadOverlong,
    WrongOffset,
)
from yunhe.core.attachments.models import AttachmentRow
from yunhe.core.attachments.rules import media
from yunhe.core.attachments.rules.names import clean_name, extension_of
from yunhe.core.attachments.types import STATE_TITLES, Attachment
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.ids import is_id, new_id

PIECE_BYTES = 1 << 16
SYNC_BYTES = 4 << 20
"""How much may come before it is synced and the offset told: what a power cut takes at most."""

PURPOSE = re.compile(r"([a-z][a-z0-9_]{0,63})?")
DECLARED = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,59}", re.ASCII)
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Content(Protocol):
    """What bytes come from: a request, a file."""

    def read(self, size: int, /) -> bytes: ...


def begin_upload(*, name: str, size: int, actor: Actor, declared_type: str = "", purpose: str = "") -> Attachment:
    """Open a draft upload of `size` bytes under a cleaned name.

    Raises: UploadError, AttachmentTooLarge, TypeNotAllowed by extension, QuotaUsedUp.
    """
    limit_mb = settings.YUNHE["ATTACHMENT_MB"]
    if size < 1:
        raise UploadError(where="Upload-Length", expected=">= 1", found=size)
    if size > limit_mb * MB:
        raise AttachmentTooLarge(found_bytes=size, limit_mb=limit_mb)
    if not PURPOSE.fullmatch(purpose):
        raise UploadError(where="purpose", expected="[a-z][a-z0-9_]*", found=purpose[:40])
    cleaned, at = clean_name(name), now()
    extension = extension_of(cleaned)
    if extension not in media.EXTENSIONS:
        raise media.not_taken(name=cleaned, found=f".{extension}" if extension else "—")
    with transaction.atomic():
        row = AttachmentRow(
            id=new_id(), name=cleaned, size=size, owner_id=actor.id, organization=actor.organization, purpose=purpose,
            declared_type=declared_type if DECLARED.fullmatch(declared_type) else "", created_at=at, touched_at=at,
        )  # fmt: skip
        drafts = AttachmentRow.objects.drafts().filter(owner_id=actor.id)
        check_room(holder=f"person:{actor.id}", rows=drafts, more_bytes=size, more_files=1)
        row.save(force_insert=True)
        places.create(row.pk)
    return read_row(row)


def append_bytes(*, attachment_id: str, offset: int, length: int, content: Content, actor: Actor) -> Attachment:
    """Add `length` bytes at `offset`, which must be where the upload stands; the last byte has the file judged.

    What was synced counts, also when the content breaks off. Nothing to add at the end judges a whole file
    again whose judgement was cut off, and is no fault afterwards.
    Raises: AttachmentNotFound, UploadEnded, UploadBusy, WrongOffset, UploadOverlong, UploadInterrupted,
    AttachmentDiskFull, ContentRefused (the row is then `refused`).
    """
    row = own_draft(attachment_id, actor)
    if row.state != "receiving" and (offset, length) == (row.size, 0):
        return read_row(row)
    with places.writing(row.pk) as file:
        row = _receiving(attachment_id, actor)
        if offset != row.received:
            raise WrongOffset(expected=row.received, found=offset, what="attachment", name=row.pk)
        if length > row.size - offset:
            raise UploadOverlong(found_bytes=length, expected_bytes=row.size - offset)
        _take(file, row, content, length)
        if row.received < offset + length:
            raise UploadInterrupted(offset=row.received)
        return _finish(file, row, actor) if row.received == row.size else read_row(row)


def store_file(
    *, name: str, size: int, content: BinaryIO, actor: Actor, declared_type: str = "", purpose: str = ""
) -> Attachment:
    """Take a whole file in at once, as a form without script sends it. Raises: as begin_upload and append_bytes."""
    begun = begin_upload(name=name, size=size, actor=actor, declared_type=declared_type, purpose=purpose)
    return append_bytes(attachment_id=begun.id, offset=0, length=size, content=content, actor=actor)


def delete_draft(*, attachment_id: str, actor: Actor) -> None:
    """Delete one's own draft, row and bytes; what was found infected stays on record.

    Raises: AttachmentNotFound (also once it is handed in), UploadEnded.
    """
    with transaction.atomic():
        row = own_draft(attachment_id, actor)
        if row.state == "infected":
            raise _ended(row)
        drop(row, actor=actor, reason="owner")


def release_drafts(*, ids: Iterable[str], owner_id: str, organization: str, actor: Actor) -> int:
    """Delete drafts of a person for a room whose form is gone, in the caller's transaction; return how many there were.

    What was found infected stays on record.
    """
    rows = AttachmentRow.objects.drafts().filter(owner_id=owner_id, organization=organization, pk__in=[one for one in ids if is_id(one)])
    return sum(drop(row, actor=actor, reason="form_gone") for row in rows.exclude(state="infected").order_by("pk"))


def drop(row: AttachmentRow, *, actor: Actor, reason: str) -> bool:
    """Delete a draft's row in the caller's transaction, its bytes after it; tell whether it still was a draft."""
    held = AttachmentRow.objects.drafts().select_for_update().filter(pk=row.pk, state=row.state).first()
    if held is None:
        return False
    prove(held, kind="attachments.deleted", actor=actor, reason=reason)
    held.delete()
    transaction.on_commit(lambda: places.remove(row.pk))
    return True


def _receiving(attachment_id: str, actor: Actor) -> AttachmentRow:
    row = own_draft(attachment_id, actor)
    if row.state != "receiving":
        raise _ended(row)
    return row


def _ended(row: AttachmentRow) -> UploadEnded:
    title = STATE_TITLES[row.state]
    return UploadEnded(state_zh=title["zh"], state_en=title["en"], what="attachment", name=row.name)


def _take(file: BinaryIO, row: AttachmentRow, content: Content, length: int) -> None:
    """Write what comes behind what was synced; a tail that nobody vouched for is cut off first."""
    file.truncate(row.received)
    file.seek(row.received)
    left, unsynced = length, 0
    while left > 0 and (piece := _next(content, min(PIECE_BYTES, left))):
        try:
            file.write(piece)
        except OSError as error:
            raise _disk_error(error) from error
        left, unsynced = left - len(piece), unsynced + len(piece)
        if unsynced >= SYNC_BYTES:
            _keep(file, row, unsynced)
            unsynced = 0
    _keep(file, row, unsynced)


def _next(content: Content, count: int) -> bytes:
    try:
        return content.read(count)
    except OSError:  # who sent it has gone
        return b""


def _keep(file: BinaryIO, row: AttachmentRow, more: int) -> None:
    """Sync the file, then tell the new offset: never the other way round."""
    if not more:
        return
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise _disk_error(error) from error
    here = AttachmentRow.objects.drafts().filter(pk=row.pk, state="receiving", received=row.received)
    if not here.update(received=row.received + more, touched_at=now()):
        raise not_found(row.pk)  # deleted meanwhile
    row.received += more


def _disk_error(error: OSError) -> Exception:
    return AttachmentDiskFull(found=error.strerror) if error.errno in FULL else error


def _finish(file: BinaryIO, row: AttachmentRow, actor: Actor) -> Attachment:
    """Judge a whole file: `refused` without its bytes, `checking` where a scanner looks, else `ready`."""
    try:
        row.media_type = inspecting.media_type_of(file, name=row.name, size=row.size)
    except ContentRefused as refusal:
        error = {language: refusal.say(language) for language in ("zh", "en")}
        _settle(row, state="refused", error_code=refusal.code, error=error)
        places.remove(row.pk)
        raise
    row.digest = inspecting.digest_of(file)
    scanned = find_scanner() is not None
    with transaction.atomic():
        state = "checking" if scanned else "ready"
        _settle(row, state=state, media_type=row.media_type, digest=row.digest)
        prove(row, kind="attachments.uploaded", actor=actor, purpose=row.purpose)
        if scanned:
            ask_for_check(row.pk)
    return read_row(AttachmentRow.objects.get(pk=row.pk))


def _settle(row: AttachmentRow, **values: object) -> None:
    here = AttachmentRow.objects.drafts().filter(pk=row.pk, state="receiving")
    if not here.update(finished_at=now(), **values):
        raise not_found(row.pk)  # deleted meanwhile


