"""Calls through the gateway: told to the catalogue as uses, listed for each grant."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

from yunhe.core.evidence import api as evidence
from yunhe.core.evidence.types import EvidenceRecord
from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.errors import ResourceNotFound
from yunhe.data.exchange.api.grants import access_grant
from yunhe.data.exchange.models import GrantCall
from yunhe.gateway.audit import KIND
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import is_id
from yunhe.kernel.pages import Page, PageRequest

ANSWERED = ("found", "not_found")
logger = logging.getLogger("yunhe.exchange")


def note_calls(records: Sequence[EvidenceRecord]) -> None:
    """Count the answered calls among newly collected evidence, and note which grant each call names.

    Evidence gives each record once, in the transaction that stores it: so each call counts once. One write per
    resource and consumer; the owner's own calls are no use, as on the other channels.
    """
    calls = [record for record in records if record.kind == KIND]
    GrantCall.objects.bulk_create(
        GrantCall(evidence_id=call.id, grant_id=call.facts["grant"]) for call in calls if is_id(call.facts.get("grant"))
    )
    for (code, consumer), uses in sorted(_uses(calls).items()):
        newest = max(uses, key=lambda use: use.at)
        try:
            catalog.record_use(
                code=code,
                consumer=consumer,
                channel="gateway",
                at=newest.at,
                calls=len(uses),
                purpose=str(newest.facts.get("purpose") or ""),
            )
        except ResourceNotFound:  # evidence waits for no catalogue
            logger.warning("%d calls of %s are not counted: the catalogue has no such resource", len(uses), code)


def list_calls(*, grant_id: str, request: PageRequest, actor: Actor) -> Page[EvidenceRecord]:
    """Return the evidence of a grant's calls, answered and refused, the newest first.

    Raises: Missing unless the actor may see the grant; Refused without evidence.view or evidence.view_own.
    """
    grant = access_grant(grant_id=grant_id, actor=actor)
    rows = GrantCall.objects.filter(grant_id=grant.grant_id)
    ids = rows.order_by("-evidence_id").values_list("evidence_id", flat=True)
    wanted = list(ids[request.offset : request.offset + request.limit])
    found = evidence.find(request=PageRequest(size=request.limit), actor=actor, ids=wanted)
    # Consumer and owner of all calls of a grant are the same: an actor sees the evidence of all or of none.
    total = rows.count() if len(found.items) == len(wanted) else found.total
    return Page(found.items, total, request.page, request.limit)


def _uses(calls: Iterable[EvidenceRecord]) -> dict[tuple[str, str], list[EvidenceRecord]]:
    """Return the answered calls by resource and consumer."""
    uses: defaultdict[tuple[str, str], list[EvidenceRecord]] = defaultdict(list)
    for call in calls:
        if call.facts.get("outcome") in ANSWERED and call.organization != call.owner_organization:
            uses[call.subject_id, call.organization].append(call)
    return uses
