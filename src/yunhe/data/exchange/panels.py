"""Exchange's part on a resource's page: who uses it, and the way to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language

from yunhe.core.cases.types import Case, SubjectLine, SubjectView
from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import GRADES, SHARINGS, ContractField
from yunhe.data.exchange import api
from yunhe.engine.masks import MASKS
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest


def describe_request(case: Case, actor: Actor) -> SubjectView | None:
    """Return what a data request asks for: its fields by their titles, and the ways to the resource and to the grant that came of it."""
    resource = catalog.find_resource(code=case.subject_id)
    if resource is None:
        return None
    contract = resource.contract
    asked = [field for field in contract.fields if field.name in (case.data.get("fields") or ())]
    language = "en" if (get_language() or "zh").startswith("en") else "zh"

    def told(field: ContractField) -> str:
        mask = MASKS.get(field.mask)
        words = (GRADES.get(str(field.grade)), SHARINGS.get(field.sharing), mask.title if mask else None)
        return " · ".join(word[language] for word in words if word)

    lines = tuple(SubjectLine({"zh": field.title, "en": field.title}, "", told(field)) for field in asked)
    names = {field.name: field.title for field in contract.fields}
    title = {"zh": f"申请的信息项：{resource.title}", "en": f"Fields asked for: {resource.title}"}
    grant = api.find_grant_of_case(case_id=case.case_id, actor=actor)
    links = (({"zh": "查看授权", "en": "The grant"}, reverse("exchange:grant", args=[grant.grant_id])),) if grant else ()
    return SubjectView(
        title=title, lines=lines, href=reverse("catalog:resource", args=[resource.code]), names=names, links=links
    )


def resource_users(actor: Actor, *, code: str, **_more: Any) -> Mapping[str, Any] | None:
    """Return the grants in force that the actor may see, and what the actor may do."""
    resource = catalog.access_resource(code=code, actor=actor)
    page = api.list_grants(request=PageRequest(size=5, filters={"resource": code, "state": "active"}), actor=actor)
    own = actor.organization == resource.owner
    return {
        "grants": page.items,
        "total": page.total,
        "grants_href": f"{reverse('exchange:list')}?resource={code}",
        "rows_href": reverse("exchange:rows", args=[code]),
        "request_href": reverse("exchange:request", args=[code]),
        "may_rows": own and actor.may("lake.view", organization=resource.owner),
        "may_request": not own and resource.is_published and actor.may("exchange.request"),
    }
