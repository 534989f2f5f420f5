"""The title of a case follows what it is about: a room says so when that is renamed."""

from __future__ import annotations

from django.db import transaction

from yunhe.core.cases.api import steps, store
from yunhe.core.cases.api.reading import case_of, organization_names
from yunhe.core.cases.rules.course import CLOSED
from yunhe.core.cases.rules.search import BREAK, head_of
from yunhe.core.cases.types import Case
from yunhe.kernel.actor import Actor

MOST_LETTERS = 300


def retitle(*, case_id: str, title: str, actor: Actor) -> Case:
    """Give a case that goes on the name that its subject has now; an event keeps the earlier one, which still finds it.

    For rooms, which know what happened and answer for it. A case that is over, or is called so, stays as it is.
    Raises: CaseNotFound, CaseChanged.
    """
    with transaction.atomic():
        row, spec = steps.read_case(case_id)
        told = " ".join(title.split())[:MOST_LETTERS]
        if not told or told == row.title or row.state == CLOSED:
            return case_of(row, spec)
        course = steps.begin(row, spec, "retitle", actor, values={"title": told, "earlier_title": row.title})
        course.change("case", {"title": told})
        store.write_case(row, course)
        applicant = organization_names([row.organization])[row.organization] if row.organization else ""
        own = row.search.partition(BREAK)[2]
        row.search = f"{head_of(row.number, told, row.opened_by_name, applicant)}{BREAK}{own}"
        store.CASES.update({"search": row.search}, "id = %s", row.pk)
        store.write_event(row.pk, course, kind_digest=row.kind.digest)
        return case_of(row, spec)
