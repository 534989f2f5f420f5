"""What the users of a resource are told of it."""

from __future__ import annotations

from django.urls import reverse

from yunhe.core.notices import api as notices
from yunhe.core.notices.types import ToRole
from yunhe.data.catalog import api as catalog
from yunhe.data.exchange.models import GrantRecord
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import now

ROLLED_BACK = "exchange.rolled_back"
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
