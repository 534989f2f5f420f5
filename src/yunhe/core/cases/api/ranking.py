"""The order of a batch's members."""

from __future__ import annotations

from yunhe.core.cases.api import kinds
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.rules.fields import scalar_types, typed_scalar
from yunhe.core.cases.types import KindSpec


def ranked_members(row: CaseRecord, spec: KindSpec) -> list[CaseRecord]:
    """Return the members of a batch in the kind's order; equal ones by number, without a value last."""
    members = list(row.members.select_related("kind").order_by("number"))
    by = spec.batch.order_by if spec.batch else ""
    if not by:
        return members
    name, least_first = by.removeprefix("-"), not by.startswith("-")
    types = {code: scalar_types(kinds.spec_of(one.kind).fields) for one in members for code in [one.kind_id]}
    values = {one.pk: typed_scalar(types[one.kind_id].get(name, "string"), one.data.get(name)) for one in members}
    known = sorted((one for one in members if values[one.pk] is not None), key=lambda one: values[one.pk], reverse=not least_first)
    return known + [one for one in members if values[one.pk] is None]
