"""What the list of dead letters says of a case: its number, and the way there for who may see it."""

from __future__ import annotations

from django.urls import reverse

from yunhe.core.cases import api
from yunhe.core.cases.errors import CaseNotFound
from yunhe.kernel.actor import Actor


def find_case(case_id: str, actor: Actor | None) -> tuple[str, str]:
    """Return the number of a case, and its address if the actor may see it; both "" where there is none."""
    try:
        number = api.get_case(case_id=case_id).number
    except CaseNotFound:
        return "", ""
    return number, reverse("cases:case", args=[case_id]) if actor is not None and api.may_see(case_id, actor) else ""
