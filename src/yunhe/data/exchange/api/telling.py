"""What the users and the owner of a resource are told of it."""

from __future__ import annotations

from django.urls import reverse

from yunhe.core.cases.types import Case
from yunhe.core.notices import api as notices
from yunhe.core.notices.types import ToRole
from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import api as catalog
from yunhe.data.exchange.models import GrantRecord
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import now

ROLLED_BACK = "exchange.rolled_back"
GRANTED_AT_ONCE = "exchange.granted_at_once"
USERS = ("data_steward", "data_leader", "data_admin")


def tell_rolled_back(*, code: str, number: int, to: int, reason: str) -> int:
    """Tell every organisation that holds a grant in force that a release was rolled back; return how many.

    Idempotent: one release is told once.
    """
    resource = catalog.find_resource(code=code)
    grants = GrantRecord.objects.filter(resource_code=code, state=GrantRecord.ACTIVE, valid_until__gt=now())
    consumers = sorted(set(grants.values_list("consumer", flat=True)))
    if resource is None or not consumers:
        return 0
    notices.send(
        to=[ToRole(consumer, role) for consumer in consumers for role in USERS],
        kind=ROLLED_BACK,
        title={"zh": f"数据发布回退：{resource.title}", "en": f"Release rolled back: {resource.title}"},
        text={
            "zh": f"当前发布 #{number} 的内容同发布 #{to}。原因：{reason}",
            "en": f"The current release #{number} holds what release #{to} held. Why: {reason}",
        },
        href=reverse("catalog:resource", args=[code]),
        key=f"{ROLLED_BACK}:{code}:{number}",
        actor=job_actor("exchange"),
    )
    return len(consumers)


def tell_granted_at_once(case: Case, *, actor: Actor) -> None:
    """Tell the owner of a resource whom it was opened to without being asked; in the transaction of the grant."""
    by = organizations.get_organization(code=case.organization).label
    title, count, until = case.data["resource_title"], len(case.data["fields"]), case.data["until"]
    notices.send(
        to=[ToRole(case.owner, role) for role in USERS],
        kind=GRANTED_AT_ONCE,
        title={"zh": f"已自动授权：{title} {case.number}", "en": f"Granted at once: {title} {case.number}"},
        text={
            "zh": f"{by}申请的 {count} 个信息项均为无条件共享，已授权至 {until}",
            "en": f"The {count} fields that {by} asked for are shared unconditionally: granted until {until}",
        },
        href=reverse("cases:case", args=[case.case_id]),
        key=f"{GRANTED_AT_ONCE}:{case.case_id}",
        case_id=case.case_id,
        actor=actor,
    )
