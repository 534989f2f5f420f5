"""Values for forms out of shared data: read through the one door, as the person who fills the form in."""

from __future__ import annotations

from yunhe.core.cases.types import SourceAnswer, SourceQuestion
from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import api as catalog
from yunhe.data.exchange import api
from yunhe.data.exchange.errors import SeveralRecords, ValueMasked
from yunhe.data.lake import api as lake

ARGUMENTS = ("resource", "field", "key")


def fetch_value(question: SourceQuestion) -> SourceAnswer:
    """Return one field of the record with this key, or that there is none; the look leaves its line of evidence.

    Raises: as `api.read_rows`; ValueMasked, SeveralRecords.
    """
    code, field = str(question.arguments["resource"]), str(question.arguments["field"])
    resource = catalog.access_resource(code=code, actor=question.actor)
    keys = lake.current_release(code=code).keys
    page = api.read_rows(
        actor=question.actor, resource_code=code, purpose=question.purpose, fields=(field,), case=question.case,
        keys={keys[0] if len(keys) == 1 else "key": str(question.arguments["key"])}, limit=2,
    )  # fmt: skip
    if field in page.masked:
        raise ValueMasked(resource=code, field=field)
    if page.total > 1:
        raise SeveralRecords(resource=code, found=page.total)
    body = organizations.find_organization(code=resource.owner)
    owner = body.label if body else resource.owner
    title = {"zh": f"{resource.title}（{owner}）", "en": f"{resource.title} ({owner})"}
    value = page.rows[0].get(field) if page.rows else None
    found = value not in (None, "")
    return SourceAnswer(found, title, value, snapshot=page.release_id, evidence_id=page.evidence_id)
