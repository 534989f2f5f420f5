"""Seeing attachments and reading their bytes: the owner a draft, the subject's room decides afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import BinaryIO

from django.db import transaction
from django.db.models import Count

from yunhe.core.attachments.api import places
from yunhe.core.attachments.api.registry import check_subject, find_rule
from yunhe.core.attachments.api.rows import not_found, own_draft, prove, read_row
from yunhe.core.attachments.errors import AttachmentNotReady
from yunhe.core.attachments.models import AttachmentRow
from yunhe.core.attachments.types import STATE_TITLES, Attachment
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import is_id
from yunhe.kernel.pages import Facet, Page, PageRequest

SORTS = {"created_at": ("created_at", "id"), "name": ("name", "id"), "size": ("size", "id")}


def access_draft(*, attachment_id: str, actor: Actor) -> Attachment:
    """Return one's own draft, in whatever state. Raises: AttachmentNotFound."""
    return read_row(own_draft(attachment_id, actor))


def access_attachment(*, attachment_id: str, actor: Actor) -> Attachment:
    """Return an attachment that the actor may read. Raises: AttachmentNotFound, missing and forbidden alike."""
    return read_row(_readable(attachment_id, actor))


def find_drafts(*, ids: Sequence[str], actor: Actor) -> tuple[Attachment, ...]:
    """Return which of these are the actor's own drafts, in the order given."""
    rows = AttachmentRow.objects.drafts_of(actor).in_bulk([one for one in ids if is_id(one)])
    return tuple(read_row(rows[one]) for one in dict.fromkeys(ids) if one in rows)


def list_drafts(*, request: PageRequest, actor: Actor) -> Page[Attachment]:
    """Return a page of the actor's own drafts, the newest first. Shape: filter state; facets of state."""
    rows = AttachmentRow.objects.drafts_of(actor)
    states = rows.order_by().values("state").annotate(number=Count("id")).order_by("state")
    if request.filters.get("state"):
        rows = rows.filter(state=request.filters["state"])
    if request.search:
        rows = rows.filter(name__icontains=request.search)
    ordered = rows.order_by(*SORTS.get(request.sort, ("-created_at", "-id")))
    return Page(
        items=tuple(read_row(row) for row in ordered[request.offset : request.offset + request.limit]),
        total=rows.count(),
        page=max(request.page, 1),
        size=request.limit,
        facets=tuple(Facet("state", row["state"], row["state"], row["number"]) for row in states),
    )


def list_for(*, subject_type: str, subject_id: str, actor: Actor) -> tuple[Attachment, ...]:
    """Return what is attached to a subject, in the order of handing in; none where the actor may not read it.

    Raises: SubjectTypeUnknown.
    """
    check_subject(subject_type=subject_type)
    rule = find_rule(subject_type=subject_type)
    if rule is None or not rule(subject_id, actor):
        return ()
    return tuple(map(read_row, AttachmentRow.objects.of_subject(subject_type, subject_id)))


def open_bytes(*, attachment_id: str, actor: Actor) -> tuple[Attachment, BinaryIO]:
    """Return an attachment and its file, open for reading; reading another's leaves evidence first.

    The caller closes the file. Raises: AttachmentNotFound, AttachmentNotReady, AttachmentBytesLost.
    """
    row = _readable(attachment_id, actor)
    if row.state != "ready":
        title = STATE_TITLES[row.state]
        raise AttachmentNotReady(state_zh=title["zh"], state_en=title["en"], what="attachment", name=row.name)
    file = places.reading(row.pk)
    try:
        if row.owner_id != actor.id:
            with transaction.atomic():
                prove(row, kind="attachments.downloaded", actor=actor)
    except BaseException:
        file.close()
        raise
    return read_row(row), file


def _readable(attachment_id: str, actor: Actor) -> AttachmentRow:
    row = AttachmentRow.objects.filter(pk=attachment_id).first() if is_id(attachment_id) else None
    if row is None:
        raise not_found(attachment_id)
    if not row.subject_type:
        return own_draft(attachment_id, actor)
    subjects = chain([(row.subject_type, row.subject_id)], row.uses.order_by("pk").values_list("subject_type", "subject_id"))
    if not any((rule := find_rule(subject_type=kind)) and rule(subject_id, actor) for kind, subject_id in subjects):
        raise not_found(attachment_id)
    return row
