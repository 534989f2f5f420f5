"""Requests and grants: what may be asked, what was decided, what still holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import ActionNotOffered
from yunhe.core.cases.types import Case
from yunhe.core.evidence import api as evidence
from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import Resource
from yunhe.data.exchange import rules
from yunhe.data.exchange.api.rights_image import rights_changed
from yunhe.data.exchange.api.telling import tell_granted_at_once
from yunhe.data.exchange.errors import AlreadyRevoked, NotShared, RequestPurposeMissing
from yunhe.data.exchange.models import GrantRecord
from yunhe.data.exchange.types import Grant, GrantedField
from yunhe.engine.expressions import parse_expression
from yunhe.kernel.actor import ALL, Actor, job_actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Conflict, Missing
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import Page, PageRequest

REQUEST_KIND = "data_request"


def request_access(
    *,
    resource_code: str,
    fields: tuple[str, ...],
    purpose: str,
    legal_basis: str,
    row_filter: str = "",
    until: str = "",
    organization: str = "",
    actor: Actor,
) -> Case:
    """Open a data request to the owner (数据需求): unconditional fields are granted at once.

    `organization` asks (by default the actor's own). `row_filter` is an expression over the fields; `until` a date YYYY-MM-DD or "".
    Raises: NotShared, UnknownFields, RequestPurposeMissing, BadUntil, ExpressionRefused, Refused.
    """
    applicant = organizations.get_organization(code=organization or actor.organization).code
    actor.require("exchange.request", organization=applicant)
    resource = catalog.access_resource(code=resource_code, actor=actor)
    asked = check_request(resource=resource, fields=fields, purpose=purpose, row_filter=row_filter, until=until)
    data = {
        "resource": resource.code,
        "resource_title": resource.title,
        "sharing": sharing_of(resource, (*asked, *filter_fields(resource, row_filter))),
        "automatic": True,
        "fields": list(asked),
        "purpose": purpose.strip(),
        "legal_basis": legal_basis.strip(),
        "row_filter": row_filter.strip(),
        "until": until or rules.default_until(at=now()).isoformat(),
    }
    with transaction.atomic():
        case = cases.open_case(
            kind=REQUEST_KIND,
            subject_type="data_resource",
            subject_id=resource.code,
            title=resource.title,
            data=data,
            organization=applicant,
            owner=resource.owner,
            actor=actor,
        )
        return _grant_at_once(case) if data["sharing"] == "unconditional" else case


def _grant_at_once(case: Case) -> Case:
    """Grant what a request asks for as it asks (自动授权); its case says so in a line of its own, and the owner is told.

    A local kind that asks the owner all the same keeps the case open.
    """
    told = {"basis": case.data["sharing"], "fields": case.data["fields"], "until": case.data["until"]}
    actor = job_actor("exchange.grant_at_once")
    try:
        done = cases.report_event(case_id=case.case_id, action="grant_at_once", data=told, actor=actor)
    except ActionNotOffered:
        return case
    tell_granted_at_once(done, actor=actor)
    return done


def check_request(
    *, resource: Resource, fields: tuple[str, ...], purpose: str, row_filter: str, until: str
) -> tuple[str, ...]:
    """Return the asked fields in the resource's order, or raise what is wrong with the request."""
    contract = resource.contract
    if resource.state != "published":
        raise Missing(what="resource", name=resource.code)
    if contract.sharing == "refused":
        raise NotShared(what=f"{resource.code} {resource.title}", basis=contract.sharing_basis or "—")
    sharing = {field.name: field.sharing or contract.sharing for field in contract.fields}
    asked = rules.check_requested_fields(
        resource=resource.code, asked=fields, sharing=sharing, basis=contract.sharing_basis
    )
    if not purpose.strip():
        raise RequestPurposeMissing(resource=resource.code)
    told = filter_fields(resource, row_filter)
    if told:  # a condition on a field tells its value: it is asked for like the field itself
        rules.check_requested_fields(resource=resource.code, asked=told, sharing=sharing, basis=contract.sharing_basis)
    rules.end_of_grant(until=until, at=now())
    return asked


def filter_fields(resource: Resource, row_filter: str) -> tuple[str, ...]:
    """Return the fields that a row filter names, in the resource's order. Raises: ExpressionRefused."""
    if not row_filter.strip():
        return ()
    types = {field.name: field.type for field in resource.contract.fields}
    named = parse_expression(row_filter, types).fields
    return tuple(name for name in types if name in named)


def sharing_of(resource: Resource, fields: tuple[str, ...]) -> str:
    """Return conditional if the resource or any asked field is, else unconditional."""
    wanted = set(fields)
    kinds = {f.sharing or resource.contract.sharing for f in resource.contract.fields if f.name in wanted}
    return "conditional" if kinds - {"unconditional"} else "unconditional"


def grant_from_case(*, case: Case, decision: Mapping[str, Any], actor: Actor, at: datetime) -> Grant:
    """Make the grant that a data request's decision opens; runs inside the case's transaction.

    `decision` may narrow: fields, masks {field: mask}, row_filter, until. The owner can add a row
    filter but never take away the requester's own. Raises: FieldNotGranted, NotShared, BadUntil; Refused
    without exchange.decide over the owner, unless the request was unconditional.
    """
    data = {**case.data, **{key: value for key, value in decision.items() if value not in (None, "", [], {})}}
    resource = catalog.get_resource(code=case.data["resource"])
    asked = check_request(
        resource=resource,
        fields=tuple(case.data["fields"]),
        purpose=case.data["purpose"],
        row_filter=str(case.data.get("row_filter") or ""),
        until=str(data.get("until") or ""),
    )
    filter_fields(resource, str(decision.get("row_filter") or ""))
    if case.data["sharing"] != "unconditional":
        actor.require("exchange.decide", organization=resource.owner)
    chosen = rules.narrow_fields(requested=asked, granted=tuple(data["fields"]), grant=case.number)
    consumer = organizations.get_organization(code=case.organization)
    if GrantRecord.objects.filter(case_id=case.case_id).exists():
        raise Conflict(what="grant", name=case.number)
    record = GrantRecord.objects.create(
        id=new_id(),
        resource_code=resource.code,
        resource_title=resource.title,
        owner=resource.owner,
        consumer=consumer.code,
        consumer_name=consumer.name,
        fields=_field_rows(resource, chosen, data.get("masks") or {}),
        row_filter=_both(str(case.data.get("row_filter") or ""), str(decision.get("row_filter") or "")),
        purpose=case.data["purpose"],
        legal_basis=str(case.data.get("legal_basis") or ""),
        case_id=case.case_id,
        case_number=case.number,
        valid_from=at,
        valid_until=rules.end_of_grant(until=str(data.get("until") or ""), at=at),
        granted_by=actor.id if actor.kind == "job" else actor.name,
        granted_at=at,
    )
    _prove("exchange.granted", record, actor, {"fields": [f["name"] for f in record.fields], "masks": record.fields})
    rights_changed(reason=f"grant {record.id}")
    return _grant(record)


def revoke_grant(*, grant_id: str, reason: str, actor: Actor) -> Grant:
    """Take a grant back; the gateway refuses from its next look at the rights image (≤ 200 ms)."""
    with transaction.atomic():
        record = GrantRecord.objects.select_for_update().filter(pk=grant_id).first()
        if record is None or not actor.may("exchange.decide", organization=record.owner):
            raise Missing(what="grant", name=grant_id)
        if record.state == GrantRecord.REVOKED:
            raise AlreadyRevoked(what="grant", name=grant_id, at=str(record.revoked_at))
        record.state, record.revoked_at = GrantRecord.REVOKED, now()
        record.revoked_by, record.revoked_reason = actor.name, reason
        record.save(update_fields=["state", "revoked_at", "revoked_by", "revoked_reason"])
        _prove("exchange.grant_revoked", record, actor, {"reason": reason})
        rights_changed(reason=f"grant {grant_id}")
    return _grant(record)


def access_grant(*, grant_id: str, actor: Actor) -> Grant:
    """Return a grant that the actor's organisation gives or holds; missing and forbidden sound alike."""
    record = _visible(actor).filter(pk=grant_id).first()
    if record is None:
        raise Missing(what="grant", name=grant_id)
    return _grant(record)


def find_grant_of_case(*, case_id: str, actor: Actor) -> Grant | None:
    """Return the grant that a case made, for who may see it; None if there is none."""
    if not actor.may("exchange.view"):
        return None
    record = _visible(actor).filter(case_id=case_id).first()
    return _grant(record) if record else None


def list_grants(*, request: PageRequest, actor: Actor) -> Page[Grant]:
    """Return grants given or held, newest first. Filters: resource, state, side (given, held)."""
    rows = _visible(actor)
    filters = request.filters
    if filters.get("resource"):
        rows = rows.filter(resource_code=filters["resource"])
    if filters.get("side") == "held":
        rows = rows.filter(consumer=actor.organization)
    if filters.get("side") == "given":
        rows = rows.filter(owner=actor.organization)
    rows = _in_state(rows, filters.get("state", ""))
    if request.search:
        rows = rows.filter(
            Q(resource_title__icontains=request.search)
            | Q(consumer_name__icontains=request.search)
            | Q(purpose__icontains=request.search)
            | Q(case_number__icontains=request.search)
        )
    page = rows.order_by("-granted_at", "-id")[request.offset : request.offset + request.limit]
    return Page(tuple(_grant(record) for record in page), rows.count(), request.page, request.limit)


def _visible(actor: Actor) -> QuerySet[GrantRecord]:
    actor.require("exchange.view")
    codes = actor.organizations_for("exchange.view")
    if ALL in codes:
        return GrantRecord.objects.all()
    return GrantRecord.objects.filter(Q(owner__in=codes) | Q(consumer__in=codes))


def _in_state(rows: QuerySet[GrantRecord], state: str) -> QuerySet[GrantRecord]:
    if state == "revoked":
        return rows.filter(state=GrantRecord.REVOKED)
    if state == "expired":
        return rows.filter(state=GrantRecord.ACTIVE, valid_until__lte=now())
    if state == "active":
        return rows.filter(state=GrantRecord.ACTIVE, valid_until__gt=now())
    return rows


def _both(first: str, second: str) -> str:
    parts = [part.strip() for part in (first, second) if part.strip()]
    if len(parts) == 2 and parts[0] != parts[1]:
        return f"({parts[0]}) AND ({parts[1]})"
    return parts[0] if parts else ""


def _field_rows(resource: Resource, chosen: tuple[str, ...], decided: Mapping[str, str]) -> list[dict[str, str]]:
    fields = {field.name: field for field in resource.contract.fields}
    masks = rules.stricter_masks(fields=chosen, contract={n: f.mask for n, f in fields.items()}, decided=decided)
    return [{"name": name, "title": fields[name].title, "mask": masks[name]} for name in chosen]


def _prove(kind: str, record: GrantRecord, actor: Actor, facts: Mapping[str, Any]) -> None:
    evidence.append(
        kind=kind,
        actor=actor,
        subject_type="grant",
        subject_id=record.id,
        facts={"resource": record.resource_code, "consumer": record.consumer, "case": record.case_number, **facts},
        organization=record.owner,
    )


def _grant(record: GrantRecord) -> Grant:
    expired = record.state == GrantRecord.ACTIVE and record.valid_until <= now()
    return Grant(
        grant_id=record.id,
        resource_code=record.resource_code,
        resource_title=record.resource_title,
        owner=record.owner,
        consumer=record.consumer,
        consumer_name=record.consumer_name,
        fields=tuple(GrantedField(f["name"], f["title"], f["mask"]) for f in record.fields),
        row_filter=record.row_filter,
        purpose=record.purpose,
        legal_basis=record.legal_basis,
        case_id=record.case_id,
        case_number=record.case_number,
        valid_from=record.valid_from,
        valid_until=record.valid_until,
        state="expired" if expired else record.state,
        granted_by=record.granted_by,
        granted_at=record.granted_at,
        revoked_at=record.revoked_at,
        revoked_by=record.revoked_by,
        revoked_reason=record.revoked_reason,
    )
