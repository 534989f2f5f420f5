"""Entries that packs bring: published as they come, equal ones left alone."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from yunhe.core.registers.api import publishing, store
from yunhe.core.registers.api.drafting import insert_entry, write_version
from yunhe.core.registers.api.types import get_type
from yunhe.core.registers.models import EntryRecord
from yunhe.core.registers.types import EntryDraft, LoadCounts, RegisterType
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now


def load_entries(
    *, type_code: str, owner: str, entries: Sequence[EntryDraft], source: str, actor: Actor
) -> LoadCounts:
    """Put entries of a pack into a register and publish them; equal ones are left as they are.

    The pack is the basis: it was reviewed where it was written, and who loads it holds `packs.load`.
    Raises: Refused, FieldsInvalid.
    """
    actor.require("packs.load")
    declared = get_type(code=type_code)
    counts = {"created": 0, "changed": 0, "unchanged": 0}
    with transaction.atomic():
        codes = [entry.code for entry in entries]
        held = {row.code: row for row in EntryRecord.objects.filter(type_id=type_code, code__in=codes)}
        for entry in entries:
            counts[_load_one(declared, owner, entry, held.get(entry.code), source, actor)] += 1
    return LoadCounts(seen=len(entries), **counts)


def _load_one(
    declared: RegisterType, owner: str, entry: EntryDraft, row: EntryRecord | None, source: str, actor: Actor
) -> str:
    checked = store.checked_body(declared, entry.title, entry.body, partial=False)
    outcome = "created"
    if row is None:
        row, version = insert_entry(declared, owner, entry.title, checked, entry.code, actor, source=source)
    else:
        current = store.published_version(row)
        digest = store.body_digest(entry.title.strip(), checked)
        if current is not None and current.digest == digest and row.state == store.PUBLISHED:
            return "unchanged"
        draft, number = store.open_version(row), row.latest_number + 1
        if draft is not None:
            next_step = ("请先完成或撤回本地修改，再装入能力包。", "Finish or give up the local edit, then load the pack.")
            store.refuse(row, draft.state, ("装入", "loaded"), next_step)
        store.lock_entry(row, None, now(), latest_number=number, open_state=store.DRAFT)
        version, outcome = write_version(row, None, number, entry.title, checked, source, actor), "changed"
    publishing.publish_version(row, version, actor, valid_from=entry.valid_from)
    return outcome
