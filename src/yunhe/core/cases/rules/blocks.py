"""The places of a kind that have effects."""

from __future__ import annotations

from collections.abc import Iterator

from yunhe.core.cases.types import EffectSpec, FieldSpec, KindSpec

Block = tuple[str, tuple[EffectSpec, ...], tuple[FieldSpec, ...], str]


def blocks_of(kind: KindSpec) -> Iterator[Block]:
    """Yield every place that has effects: where, the effects, the form they can read, the group they belong to."""
    yield "start", kind.start, (), ""
    if kind.waiver:
        yield "waiver", kind.waiver.effects, (), ""
    if kind.withdraw:
        yield "withdraw", kind.withdraw.effects, (), ""
    for name, group in kind.groups.items():
        for number, rule in enumerate(group.rules):
            yield f"groups.{name}.rules[{number}]", rule.effects, (), name
    for name, obligation in kind.obligations.items():
        for action_name, action in obligation.actions.items():
            yield f"obligations.{name}.actions.{action_name}", action.effects, action.fields, ""
        if obligation.on_due:
            yield f"obligations.{name}.on_due", obligation.on_due.effects, (), ""
