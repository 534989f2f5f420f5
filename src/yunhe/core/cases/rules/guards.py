"""Guards and conditions: expressions over the case, the form and who acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.cases.rules.conditions import compile_condition
from yunhe.core.cases.rules.fields import scalar_types, typed_scalars
from yunhe.core.cases.types import FieldSpec, KindSpec
from yunhe.kernel.actor import Actor

# What every expression of a kind can name beside the case's own fields and the form's (`form_…`).
BUILT_IN = (
    "actor_id",
    "actor_kind",
    "actor_organization",
    "actor_role",
    "opener_id",
    "applicant_organization",
    "owner_organization",
    "case_phase",
)
# What the rules of a group can name beside those; `count_OUTCOME` is each outcome's.
COUNTS = ("open_count", "done_count", "total_count")


def expression_fields(kind: KindSpec, form: tuple[FieldSpec, ...] = ()) -> dict[str, str]:
    """Return name and type of each field that an expression of the kind may use."""
    return {**dict.fromkeys(BUILT_IN, "string"), **scalar_types(kind.fields), **scalar_types(form, "form_")}


def reference_types(kind: KindSpec, form: tuple[FieldSpec, ...] = ()) -> dict[str, str]:
    """Return the type of each reference to a scalar: `data.x` and `form.x`; every other reference is a text."""
    return {**scalar_types(kind.fields, "data."), **scalar_types(form, "form.")}


def group_outcomes(kind: KindSpec, group: str) -> tuple[str, ...]:
    """Return the outcomes that obligations of a group can end with, by an action or by their sub-case, each once."""
    found: list[str] = []
    for obligation in kind.obligations.values():
        if obligation.group == group:
            found += [action.outcome for action in obligation.actions.values()]
            found += obligation.child.outcomes if obligation.child else ()
            found += [obligation.on_due.outcome] if obligation.on_due else []
    return tuple(dict.fromkeys(found))


def group_fields(kind: KindSpec, group: str) -> dict[str, str]:
    """Return name and type of what the rules of a group can name beside the case's own fields."""
    counts = [f"count_{outcome}" for outcome in group_outcomes(kind, group)]
    return {**dict.fromkeys([*counts, *COUNTS], "integer"), "score_mean": "decimal"}


def built_in(actor: Actor, case: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of `BUILT_IN`: who acts, and on what; an empty case is one that is not opened yet."""
    return {
        "actor_id": actor.id,
        "actor_kind": actor.kind,
        "actor_organization": actor.organization,
        "actor_role": actor.role,
        "opener_id": case.get("opened_by", actor.id),
        "applicant_organization": case.get("organization", actor.organization),
        "owner_organization": case.get("owner", ""),
        "case_phase": case.get("phase", ""),
    }


def expression_values(
    kind: KindSpec,
    form: tuple[FieldSpec, ...],
    *,
    data: Mapping[str, Any],
    values: Mapping[str, Any],
    built_in: Mapping[str, str],
) -> dict[str, Any]:
    """Return the values that belong to `expression_fields`."""
    return {**built_in, **typed_scalars(kind.fields, data), **typed_scalars(form, values, "form_")}


def holds(text: str, fields: Mapping[str, str], values: Mapping[str, object]) -> bool:
    """Tell whether the condition is true; an empty one is, unknown is not.

    Raises: ExpressionRefused on a text that is no expression over `fields`.
    """
    if not text:
        return True
    return compile_condition(text, tuple(sorted(fields.items())))(values) is True
