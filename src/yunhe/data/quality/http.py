"""The API of quality: what every rule found."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema

from yunhe.data.catalog import api as catalog
from yunhe.data.quality import api
from yunhe.data.quality.types import Finding
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import REFUSED_READ, Texts

router = Router(tags=["quality"])


class FindingOut(Schema):
    """One rule over the newest snapshot: rows checked, rows failed, why they failed.

    A count under `below` (the small-number floor; 0 for who may see the rows) is null, and the share the
    lowest that it may be.
    """

    rule: str
    title: Texts
    columns: list[str]
    dimension: str
    severity: str
    checked: int | None
    failed: int | None
    reasons: dict[str, int]
    share: float
    below: int

    @staticmethod
    def resolve_checked(found: Finding) -> int | None:
        return found.told_checked

    @staticmethod
    def resolve_failed(found: Finding) -> int | None:
        return found.told_failed


@router.get("/resources/{two_part_code:code}/findings", response={200: list[FindingOut], **REFUSED_READ})
@requires("quality.view")
def list_findings(request: HttpRequest, code: str) -> list[Finding]:
    """List every rule's result for the newest snapshot; counts only, no rows."""
    resource = catalog.access_resource(code=code, actor=acting(request))
    return list(api.list_findings(code=code, owner=resource.owner, actor=acting(request)))
