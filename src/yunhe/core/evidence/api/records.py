"""Writing and reading evidence rows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet

from yunhe.core.evidence.errors import BadEvidence, EvidenceOutsideTransaction
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.evidence.rules import canonical, check_text, facts_text, record_message
from yunhe.core.evidence.types import EvidenceRecord
from yunhe.core.keys.api import derive
from yunhe.core.statements.api import Rows
from yunhe.crypto import sm3
from yunhe.kernel.actor import ALL, Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Missing
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import Facet, Page, PageRequest

FILTERS = ("kind", "actor_id", "subject_type", "subject_id", "organization", "owner_organization", "source")
SORTS = {"at": ("at", "id"), "-at": ("-at", "-id"), "kind": ("kind", "-at", "-id")}


def append(
    *,
    kind: str,
    actor: Actor,
    subject_type: str,
    subject_id: str,
    facts: Mapping[str, Any],
    organization: str = "",
    at: datetime | None = None,
) -> str:
    """Write one record in the caller's transaction and return its id.

    `organization` owns the subject; the acting organisation is the actor's own. Personal values
    among the facts are given as `types.Personal` and stored as commitments only.
    Raises: EvidenceOutsideTransaction, BadEvidence.
    """
    told = {"subject_type": subject_type, "subject_id": subject_id, "facts": facts, "organization": organization}
    return append_all(kind=kind, actor=actor, entries=[told], at=at)[0]


def append_all(
    *, kind: str, actor: Actor, entries: Sequence[Mapping[str, Any]], at: datetime | None = None
) -> tuple[str, ...]:
    """Write many records of one kind by one actor at once, in the caller's transaction; return their ids.

    Shape of an entry: subject_type, subject_id, facts and, if it has an owner, organization, as in `append`.
    Raises: EvidenceOutsideTransaction, BadEvidence.
    """
    if not connection.in_atomic_block:
        raise EvidenceOutsideTransaction(evidence=kind)
    moment = at or now()
    rows = [_content(kind, actor, entry, moment) for entry in entries]
    EVIDENCE.insert(rows)
    return tuple(row["id"] for row in rows)


def _content(kind: str, actor: Actor, entry: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    record_id = new_id()
    return _sealed(
        id=record_id,
        at=at,
        kind=kind,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        actor_role=actor.role,
        organization=actor.organization,
        owner_organization=entry.get("organization", ""),
        via=actor.door.via,
        os_user=actor.door.os_user,
        subject_type=entry["subject_type"],
        subject_id=entry["subject_id"],
        facts_text=facts_text(entry["facts"], commit=partial(_commitment, record_id)),
        source="control",
    )


def build_row(*, at: datetime, **content: str) -> EvidenceRow:
    """Return an unsaved row with its salt and digest. Raises: BadEvidence on text that does not fit."""
    return EvidenceRow(**_sealed(at=at, **content))


def _sealed(*, at: datetime, **content: str) -> dict[str, Any]:
    """Return what a row holds, with every column, its salt and its digest."""
    for name, value in content.items():
        check_text(value, where=name, limit=LIMITS[name])
    row = {**dict.fromkeys(CONTENT, ""), **content, "at": _aware(at), "salt": secrets.token_hex(16)}
    return {**row, "digest": _digest({name: row[name] for name in CONTENT}, str(row["salt"]))}


def find(*, request: PageRequest, actor: Actor, ids: Collection[str] | None = None) -> Page[EvidenceRecord]:
    """Return a page of the evidence that the actor may see, the newest first; with `ids` of these records only.

    Shape: filters by FILTERS plus `since` and `until` (ISO instants, half-open); facets of kind.
    Raises: Refused without evidence.view or evidence.view_own.
    """
    rows = _filtered(_visible(actor), request)
    if ids is not None:
        rows = rows.filter(pk__in=ids)
    total = rows.count()
    kinds = rows.order_by().values("kind").annotate(number=Count("id")).order_by("-number", "kind")
    ordered = rows.order_by(*SORTS.get(request.sort, ("-at", "-id")))
    return Page(
        items=tuple(read_row(row) for row in ordered[request.offset : request.offset + request.limit]),
        total=total,
        page=max(request.page, 1),
        size=request.limit,
        facets=tuple(Facet("kind", row["kind"], row["kind"], row["number"]) for row in kinds),
    )


def get_evidence(*, evidence_id: str) -> EvidenceRecord:
    """Return one record. Raises: Missing."""
    row = EvidenceRow.objects.filter(pk=evidence_id).first()
    if row is None:
        raise Missing(what="evidence", name=evidence_id)
    return read_row(row)


def access_evidence(*, evidence_id: str, actor: Actor) -> EvidenceRecord:
    """Return one record if the actor may see it. Raises: Missing, also for a forbidden one."""
    row = _visible(actor).filter(pk=evidence_id).first()
    if row is None:
        raise Missing(what="evidence", name=evidence_id)
    return read_row(row)


def list_openable(*, ids: Collection[str], actor: Actor) -> frozenset[str]:
    """Return which of these records the actor may open; none without a right to any evidence. Cost: one query."""
    if not (actor.organizations_for("evidence.view") or actor.may("evidence.view_own", organization=actor.organization)):
        return frozenset()
    return frozenset(_visible(actor).filter(pk__in=list(ids)).values_list("pk", flat=True))


def is_intact(*, record: EvidenceRecord) -> bool:
    """Tell whether the record still has the content that its digest was made of."""
    content = {name: getattr(record, name) for name in CONTENT if name != "facts_text"}
    content["facts_text"] = canonical(dict(record.facts)).decode("utf-8")
    return _digest(content, record.salt) == record.digest


def is_commitment_of(*, evidence_id: str, path: str, value: str, commitment: str) -> bool:
    """Tell whether a stored commitment was made of this personal value (only the node can tell)."""
    return secrets.compare_digest(_commitment(evidence_id, path, value), commitment)


CONTENT = (
    "id", "at", "kind", "actor_kind", "actor_id", "actor_name", "actor_role", "organization",
    "owner_organization", "via", "os_user", "subject_type", "subject_id", "facts_text", "source",
)  # fmt: skip
LIMITS = {name: getattr(EvidenceRow._meta.get_field(name), "max_length", None) for name in CONTENT}
EVIDENCE = Rows(EvidenceRow)


def _digest(content: Mapping[str, Any], salt: str) -> str:
    """Return SM3 over the canonical record; the instant is written in UTC."""
    plain = dict(content) | {"at": content["at"].astimezone(UTC).isoformat()}
    return sm3.hexdigest(record_message(plain, salt=bytes.fromhex(salt)))


def _commitment(record_id: str, path: str, value: str) -> str:
    """Commit to a value behind a salt that only this node's key and this record give."""
    salt = sm3.hmac(derive("evidence.salt"), f"{record_id}\x00{path}".encode())
    return sm3.hmac(salt, value.encode("utf-8")).hex()


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadEvidence(where="at", expected="an instant with its zone", found="none")
    return at.astimezone(UTC)


def _visible(actor: Actor) -> QuerySet[EvidenceRow]:
    """Return the rows that the actor's right tuples cover; the only way a query begins here."""
    everywhere = actor.organizations_for("evidence.view")
    own = frozenset({actor.organization} - {""}) if actor.may("evidence.view_own", organization=actor.organization) else frozenset()
    if ALL in everywhere:
        return EvidenceRow.objects.all()
    if not (everywhere or own):
        actor.require("evidence.view")
    codes = everywhere | own
    return EvidenceRow.objects.filter(Q(organization__in=codes) | Q(owner_organization__in=codes))


def _filtered(rows: QuerySet[EvidenceRow], request: PageRequest) -> QuerySet[EvidenceRow]:
    for name, value in request.filters.items():
        if value and name in FILTERS:
            rows = rows.filter(**{name: value})
    for name, lookup in (("since", "at__gte"), ("until", "at__lt")):
        if request.filters.get(name):
            rows = rows.filter(**{lookup: _instant(name, request.filters[name])})
    if request.search:
        text = request.search
        rows = rows.filter(Q(subject_id__icontains=text) | Q(actor_name__icontains=text) | Q(id=text))
    return rows


def _instant(name: str, text: str) -> datetime:
    try:
        return _aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:  # the first and the last day overflow in UTC
        raise BadEvidence(where=name, expected="an ISO 8601 instant", found=text) from error


def read_row(row: EvidenceRow) -> EvidenceRecord:
    """Return a row as what this room hands out."""
    content = {name: getattr(row, name) for name in CONTENT if name != "facts_text"}
    return EvidenceRecord(**content, facts=json.loads(row.facts_text), salt=row.salt, digest=row.digest)
