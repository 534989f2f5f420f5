"""Drafts (草稿): forms that are not handed in yet. They follow the person, not the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from yunhe.core.attachments import api as attachments
from yunhe.core.attachments.errors import AttachmentNotFound, UploadEnded
from yunhe.core.cases.api import filling, kinds, steps
from yunhe.core.cases.api.acting import choose_seat
from yunhe.core.cases.api.reading import describe_action, require_visible
from yunhe.core.cases.errors import (
    ActionNotOffered,
    CaseNotFound,
    DraftNotFound,
    DraftTooLarge,
    KindNotFound,
    TooManyDrafts,
)
from yunhe.core.cases.models import CaseRecord, DraftRecord, KindRecord, ObligationRecord, ReceiptRecord
from yunhe.core.cases.rules.course import CLOSED, OPEN
from yunhe.core.cases.rules.digests import canonical_json
from yunhe.core.cases.rules.fields import is_bounded_json
from yunhe.core.cases.rules.operators import FORMS
from yunhe.core.cases.rules.wording import step_named
from yunhe.core.cases.types import ActionView, Draft, FieldSpec, FormPage
from yunhe.core.evidence import api as evidence
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.ids import new_id

MOST_DRAFTS = 50
LIMIT_KB = 1024
KEEP_ENDED = timedelta(days=7)
"""How long a form stays that is not asked for any more: its person may still copy from it, and a step may be taken back."""
BATCH = 200
OPERATOR = "op."
"""Stands before the name of a generic operator where a draft names an action."""


def keep_opening(*, kind: str, scope: str, values: Mapping[str, Any], actor: Actor, page: FormPage | None = None) -> Draft:
    """Keep the opening form of a kind as it stands, under its scope; again replaces it.

    From a `page` that another one has overtaken nothing is replaced: the text is kept beside, and comes back with `beside`.
    Raises: KindNotFound, also when the actor may not open one; DraftTooLarge, TooManyDrafts.
    """
    row = kinds.current_kind(kind)
    spec = kinds.spec_of(row)
    if not spec.by_form or not actor.may(spec.opens.permission):
        raise KindNotFound(name=kind)
    done = is_handed_in(scope)  # a form that went back after it was sent
    return _keep(new_id() if done else scope, values, actor, page, kind_code=kind, kind_digest=row.digest)


def keep_action(
    *, case_id: str, obligation_id: str, action: str, values: Mapping[str, Any], actor: Actor, page: FormPage | None = None
) -> Draft:
    """Keep the form of an action that is the actor's; again replaces it, unless another page did since (as `keep_opening`).

    Raises: CaseNotFound, ActionNotOffered, DraftTooLarge, TooManyDrafts.
    """
    row, spec = steps.read_case(case_id)
    seat = choose_seat(row, spec, actor, action=action, obligation_id=obligation_id)
    scope = filling.action_scope(seat.row.pk, action)
    place = {"case_id": row.pk, "obligation_id": seat.row.pk, "action": action}
    return _keep(scope, values, actor, page, kind_code=row.kind_code, kind_digest=row.kind.digest, **place)


def keep_lost_opening(*, kind: str, scope: str, values: Mapping[str, Any], actor: Actor, page: FormPage | None = None) -> Draft:
    """Keep the opening form of a kind that is not, or no longer, the actor's to open. Raises: as `keep_opening`, for no such kind."""
    row = kinds.current_kind(kind)
    return _keep(scope, values, actor, page, kind_code=kind, kind_digest=row.digest)


def keep_lost_action(
    *, case_id: str, obligation_id: str, action: str, values: Mapping[str, Any], actor: Actor, page: FormPage | None = None
) -> Draft:
    """Keep the form of a step that is not, or no longer, the actor's, on a case that they see; an operator's is named `op.NAME`.

    Raises: CaseNotFound, ActionNotOffered where the case never had such a step, DraftTooLarge, TooManyDrafts.
    """
    row, item, _offered = _find_step(case_id, obligation_id, action, actor)
    place = {"case_id": row.pk, "action": action, **({"obligation_id": item.pk} if item else {})}
    scope = filling.action_scope(item.pk if item else row.pk, action)
    return _keep(scope, values, actor, page, kind_code=row.kind_code, kind_digest=row.kind.digest, **place)


def describe_step(*, case_id: str, obligation_id: str, action: str, actor: Actor) -> ActionView:
    """Return what a step of a case asks for, also when it is over or another's. Raises: CaseNotFound, ActionNotOffered."""
    return _find_step(case_id, obligation_id, action, actor)[2]


def find_step(*, obligation_ids: Sequence[str], action: str, actor: Actor) -> tuple[str, ActionView] | None:
    """Return the first of these obligations that has such a step on a case that the actor sees: its case, and what it asks for."""
    rows = {row.pk: row.case_id for row in ObligationRecord.objects.filter(pk__in=obligation_ids[:BATCH])}
    for key in obligation_ids:
        try:
            return rows[key], _find_step(rows[key], key, action, actor)[2]
        except (KeyError, CaseNotFound, ActionNotOffered):
            continue
    return None


def _find_step(case_id: str, obligation_id: str, action: str, actor: Actor) -> tuple[CaseRecord, ObligationRecord | None, ActionView]:
    row, spec = steps.read_case(case_id)
    require_visible(row, actor)
    item = row.obligations.filter(pk=obligation_id).first()
    name = action.removeprefix(OPERATOR)
    if name != action and name in FORMS and (item or not obligation_id):
        return row, item, ActionView(obligation_id, spec.title.as_mapping(), name, {"zh": name, "en": name}, "primary", FORMS[name], {}, {})
    if item is None or action not in spec.obligation(item.name).actions:
        raise ActionNotOffered(number=row.number, action=action[:60], titles=step_named(spec, action))
    return row, item, describe_action(row, spec, item, action, actor)


def request_key_of(scope: str) -> str:
    """Return the key under which the form of this scope is handed in, once."""
    return f"page:{scope}"[:120]


def list_drafts(*, actor: Actor) -> tuple[Draft, ...]:
    """Return the actor's drafts in this organisation, the last saved first."""
    return tuple(_draft(row) for row in _mine(actor).select_related("case", "obligation")[:MOST_DRAFTS])


def access_draft(*, draft_id: str, actor: Actor) -> Draft:
    """Return one's own draft. Raises: DraftNotFound, also for another's."""
    row = _mine(actor).select_related("case", "obligation").filter(pk=draft_id).first()
    if row is None:
        raise DraftNotFound(name=draft_id[:40])
    return _draft(row)


def find_drafts(*, scope: str, actor: Actor) -> tuple[Draft | None, tuple[Draft, ...]]:
    """Return what the actor kept of a form, None without, and what stands beside it, the last saved first."""
    rows = list(_mine(actor).select_related("case", "obligation").filter(Q(scope=scope) | Q(beside=scope)))
    own = next((_draft(row) for row in rows if row.scope == scope), None)
    return own, tuple(_draft(row) for row in rows if row.scope != scope)


def make_way(*, scope: str, values: Mapping[str, Any], actor: Actor, page: FormPage) -> Draft | None:
    """Put a draft that the `page` did not see beside its form, which is about to be handed in; return it, or None.

    What the page itself kept beside becomes the form's own draft again: it goes with the form.
    """
    with transaction.atomic():
        row = _mine(actor).select_for_update().filter(scope=scope).first()
        newer = row if row and not _may_replace(row, page, _told(values)) else None
        if newer:
            _put(newer, scope=new_id(), beside=scope)
        if newer or row is None:
            _mine(actor).filter(beside=scope, stamp=page.stamp).update(scope=scope, beside="")
    return _draft(newer) if newer else None


def take_draft(*, draft_id: str, actor: Actor) -> Draft:
    """Make what stands beside a form the form's own draft, and put the one that was it beside; return it.

    Where the form was handed in since, it becomes a form of its own. Raises: DraftNotFound, also for another's.
    """
    with transaction.atomic():
        row = _mine(actor).select_for_update().filter(pk=draft_id).first()
        if row is None:
            raise DraftNotFound(name=draft_id[:40])
        scope = row.scope if is_handed_in(row.beside) else row.beside or row.scope
        for other in _mine(actor).filter(scope=scope).exclude(pk=row.pk):
            _put(other, scope=new_id(), beside=scope)
        _put(row, scope=scope, beside="")
    return access_draft(draft_id=draft_id, actor=actor)


def action_scope(*, obligation_id: str, action: str) -> str:
    """Return the scope of an action's form."""
    return filling.action_scope(obligation_id, action)


def is_handed_in(scope: str) -> bool:
    """Tell whether a case was opened by the form of this scope."""
    return CaseRecord.objects.filter(request_key=request_key_of(scope)).exists()


def fields_of_draft(draft: Draft) -> Mapping[str, FieldSpec]:
    """Return the fields of the form version that the draft was typed into, by name; none if that version is gone."""
    row = KindRecord.objects.filter(code=draft.kind, digest=draft.kind_digest).order_by("-number").first()
    if row is None:
        return {}
    if draft.action.startswith(OPERATOR):
        return {field.name: field for field in FORMS[draft.action.removeprefix(OPERATOR)]}
    spec = kinds.spec_of(row)
    forms = [a.fields for o in spec.obligations.values() for name, a in o.actions.items() if name == draft.action]
    return {field.name: field for form in (forms if draft.action else [spec.fields]) for field in form}


def discard_draft(*, draft_id: str, actor: Actor) -> None:
    """Delete one's own draft with its files and receipts. Raises: DraftNotFound, also for another's."""
    draft = access_draft(draft_id=draft_id, actor=actor)
    with transaction.atomic():
        _free(_files(draft) - _named_elsewhere(draft, actor.id, actor.organization), actor)
        mine = {"person": actor.id, "organization": actor.organization, "scope": draft.scope}
        ReceiptRecord.objects.filter(case=None, **mine).delete()
        _mine(actor).filter(pk=draft_id).delete()


def sweep_drafts(*, actor: Actor, check: Callable[[], None] = lambda: None) -> int:
    """Drop forms of what ended a week ago or more, each with its files and receipts; return how many. `check` may raise."""
    before, gone, last = now() - KEEP_ENDED, 0, ""
    ended = DraftRecord.objects.filter(Q(obligation__closed_at__lt=before) | Q(case__closed_at__lt=before)).select_related("case").order_by("pk")
    while batch := list(ended.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        for row in batch:
            check()
            with transaction.atomic():
                gone += _sweep(row, actor) if ended.filter(pk=row.pk).exists() else 0
    return gone


def _sweep(row: DraftRecord, actor: Actor) -> int:
    """Drop one draft, files and receipts with it; the evidence says whose, of which case, not what it held."""
    draft = _draft(row)
    ids = sorted(_files(draft) - _named_elsewhere(draft, row.person, row.organization))
    files = attachments.release_drafts(ids=ids, owner_id=row.person, organization=row.organization, actor=actor)
    mine = {"person": row.person, "organization": row.organization, "scope": row.scope}
    ReceiptRecord.objects.filter(case=None, **mine).delete()
    facts = {"person": row.person, "case": row.case_id or "", "action": row.action, "files": files}
    evidence.append(
        kind="case.draft_swept", actor=actor, subject_type="draft", subject_id=row.pk, facts=facts, organization=row.organization
    )
    row.delete()
    return 1


def _keep(
    scope: str, values: Mapping[str, Any], actor: Actor, page: FormPage | None, *, kind_code: str, kind_digest: str, **place: str
) -> Draft:
    told = _told(values)
    if not is_bounded_json(told):
        raise DraftTooLarge(found_kb="?", limit_kb=LIMIT_KB)
    size_kb = len(canonical_json(told)) // 1024
    if size_kb > LIMIT_KB:
        raise DraftTooLarge(found_kb=size_kb, limit_kb=LIMIT_KB)
    stamp = page.stamp if page and page.stamp else new_id()
    changed = {"kind_code": kind_code, "kind_digest": kind_digest, "values": told, "stamp": stamp, "saved_at": now(), **place}
    with transaction.atomic():
        row, fresh = _row_of(scope[:120], actor, changed)
        if not fresh and page and not _may_replace(row, page, told):
            row, fresh = _row_beside(scope[:120], actor, changed)
        if not fresh:
            _put(row, **changed)
    return _draft(row)


def _row_of(scope: str, actor: Actor, changed: Mapping[str, Any], **where: str) -> tuple[DraftRecord, bool]:
    """Return the draft of the scope, locked, and whether it is made now with what `changed`. Raises: TooManyDrafts."""
    if not _mine(actor).filter(scope=scope).exists() and _mine(actor).count() >= MOST_DRAFTS:
        raise TooManyDrafts(what="draft", name=changed["kind_code"], limit=MOST_DRAFTS)
    first = {**changed, **where, "id": new_id(), "made_at": changed["saved_at"]}
    named = {"person": actor.id, "organization": actor.organization, "scope": scope}
    return DraftRecord.objects.select_for_update().get_or_create(**named, defaults=first)


def _row_beside(scope: str, actor: Actor, changed: Mapping[str, Any]) -> tuple[DraftRecord, bool]:
    """Return what stands beside a form from the same page, or with the same text; else a new one, as `_row_of`."""
    beside = list(_mine(actor).select_for_update().filter(beside=scope))
    held = next((one for one in beside if one.stamp == changed["stamp"] or one.values == changed["values"]), None)
    return (held, False) if held else _row_of(new_id(), actor, changed, beside=scope)


def _may_replace(row: DraftRecord, page: FormPage, told: Mapping[str, Any]) -> bool:
    """Tell whether the page saw what the draft holds, wrote it itself, or says the same."""
    return row.stamp in (page.stamp, page.made_from) or row.values == told


def _put(row: DraftRecord, **changed: Any) -> None:
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a form was filled in."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {}, False)}


def _files(draft: Draft) -> set[str]:
    """Return the files that a draft names."""
    named = [draft.values.get(name) for name, field in fields_of_draft(draft).items() if field.type == "attachments"]
    return {str(one) for value in named if isinstance(value, list) for one in value}


def _named_elsewhere(draft: Draft, person: str, organization: str) -> set[str]:
    """Return the files that the same person's other texts of the form name."""
    form = draft.beside or draft.scope
    others = DraftRecord.objects.filter(Q(scope=form) | Q(beside=form), person=person, organization=organization)
    return {one for row in others.exclude(pk=draft.draft_id) for one in _files(_draft(row))}


def _free(ids: set[str], actor: Actor) -> None:
    for one in sorted(ids):
        try:
            attachments.delete_draft(attachment_id=one, actor=actor)
        except (AttachmentNotFound, UploadEnded):
            continue  # gone already, or on record as infected


def _mine(actor: Actor) -> Any:
    return DraftRecord.objects.filter(person=actor.id, organization=actor.organization)


def _draft(row: DraftRecord) -> Draft:
    spec = kinds.spec_of(kinds.current_kind(row.kind_code))
    return Draft(
        draft_id=row.pk, scope=row.scope, kind=row.kind_code, kind_title=spec.title.as_mapping(), kind_digest=row.kind_digest,
        values=row.values, saved_at=row.saved_at, case_id=row.case_id or "", case_number=row.case.number if row.case else "",
        obligation_id=row.obligation_id or "", action=row.action,
        title=row.case.title if row.case else str(row.values.get("title") or ""),
        is_open=(row.obligation is None or row.obligation.state == OPEN) and (row.case is None or row.case.state != CLOSED),
        stamp=row.stamp, beside=row.beside,
    )  # fmt: skip
