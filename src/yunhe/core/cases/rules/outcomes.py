"""What an outcome is called, of a case and of what somebody owed: a kind names it by code, where it ends. The one place that says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from yunhe.core.cases.rules.blocks import blocks_of
from yunhe.core.cases.types import KindSpec, ObligationSpec

OWN: Mapping[str, Mapping[str, str]] = {
    "withdrawn": {"zh": "已撤回", "en": "Withdrawn"},
    "cancelled": {"zh": "随主办件终止", "en": "Ended with the case above"},
    "merged": {"zh": "已并案", "en": "Merged"},
    "split": {"zh": "已拆分", "en": "Split"},
}
"""Those that no kind names: the generic operators end a case with them."""


def outcome_title(kind: KindSpec, outcome: str) -> Mapping[str, str]:
    """Return what an outcome of a case is called: the phase in which only such cases end, else what ends it so.

    A phase in which cases end with different outcomes says too little; then it is what the action, or the end of its time,
    is called. Without either it is the phase, an operator's own word, or the code.
    """
    ends = list(_ends(kind))
    phases = [phase for phase, ended, _ in ends if ended == outcome and phase]
    alone = [phase for phase in phases if all(ended == outcome for other, ended, _ in ends if other == phase)]
    if alone:
        return _phase(kind, alone[0])
    titles = _titles(kind)
    called = [titles[place] for _, ended, place in ends if ended == outcome and place in titles]
    if called:
        return called[0]
    return _phase(kind, phases[0]) if phases else OWN.get(outcome, {"zh": outcome, "en": outcome})


def answer_titles(spec: ObligationSpec) -> dict[str, Mapping[str, str]]:
    """Return what the outcomes of an obligation are called: its actions, and the end of its time."""
    ended = (spec.on_due,) if spec.on_due else ()
    found: dict[str, Mapping[str, str]] = {}
    for one in (*spec.actions.values(), *ended):
        found.setdefault(one.outcome, one.title.as_mapping())
    return found


def outcome_titles(kind: KindSpec) -> dict[str, Mapping[str, str]]:
    """Return what every outcome of a kind is called: those with which obligations end, then those with which only the case does."""
    found: dict[str, Mapping[str, str]] = {}
    for spec in kind.obligations.values():
        found = {**answer_titles(spec), **found}
    return found | {code: outcome_title(kind, code) for _, code, _ in _ends(kind) if code not in found}


def _ends(kind: KindSpec) -> Iterator[tuple[str, str, str]]:
    """Yield the phase into which a place of the kind goes ("" for none), the outcome with which it ends the case, and the place."""
    for place, effects, _, _ in blocks_of(kind):
        phase = next((one.go_to_phase for one in effects if one.go_to_phase), "")
        yield from ((phase, one.close_case, place) for one in effects if one.close_case)


def _titles(kind: KindSpec) -> dict[str, Mapping[str, str]]:
    """Return what the places are called that people or the end of time reach."""
    found: dict[str, Mapping[str, str]] = {}
    for name, obligation in kind.obligations.items():
        found |= {f"obligations.{name}.actions.{code}": action.title.as_mapping() for code, action in obligation.actions.items()}
        if obligation.on_due:
            found[f"obligations.{name}.on_due"] = obligation.on_due.title.as_mapping()
    return found


def _phase(kind: KindSpec, code: str) -> Mapping[str, str]:
    return next((one.title.as_mapping() for one in kind.phases if one.code == code), {"zh": code, "en": code})
