"""How running cases move from one version of a kind to another: what changed, the usual move, what is wrong with one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from yunhe.core.cases.rules.verdicts import judge_class
from yunhe.core.cases.types import OPINION, KindSpec, Move

Change = tuple[str, str, str]
"""What is added, gone or changed; of which part; its name. The part `kind` names what the kind says of itself."""
Key = tuple[str, tuple[str, ...]]
"""A position: a phase and the sorted names of the open obligations."""
ELSEWHERE = ("*",)


def compare_kinds(old: KindSpec, new: KindSpec) -> tuple[Change, ...]:
    """Return the change set of two versions."""
    parts: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "phase": ({p.code: p for p in old.phases}, {p.code: p for p in new.phases}),
        "field": ({f.name: f for f in old.fields}, {f.name: f for f in new.fields}),
        "obligation": (old.obligations, new.obligations),
        "group": (old.groups, new.groups),
    }
    found: list[Change] = []
    for part, (before, after) in parts.items():
        found += [("added", part, name) for name in after if name not in before]
        found += [("gone", part, name) for name in before if name not in after]
        found += [("changed", part, name) for name in before if name in after and before[name] != after[name]]
    own = (name for name in KindSpec.model_fields if name not in ("code", "phases", "fields", "obligations", "groups"))
    return (*found, *(("changed", "kind", name) for name in own if getattr(old, name) != getattr(new, name)))


def usual_move(phase: str, obligations: tuple[str, ...], cases: int) -> Move:
    """Return the move that changes nothing but the version; `check_move` says whether it will do."""
    return Move(phase, obligations, "move", phase, {name: name for name in obligations}, (), (), cases)


def check_move(old: KindSpec, new: KindSpec, move: Move) -> tuple[tuple[str, str], ...]:
    """Return what would strand the cases of this position, in Chinese and English; nothing if each can still end."""
    if move.choice == "keep":
        return ()
    named = (*_problems(new, move), *_unseated(old, new, move))
    names = tuple(name for name in stand_after(move) if name != OPINION)
    judged = None if named else judge_class(new, move.to_phase, names, _may_lack(old, new))
    return named if judged is None else (judged,)


def complete(moves: Iterable[Move]) -> tuple[Move, ...]:
    """Return the moves with one more for each phase whose moves agree: what comes up there later moves alike.

    Cases go on between the plan and its second person; `find_move` gives those the phase's move, which is checked
    like any other. Where the moves of a phase differ, or none is known, what comes up still stops the change.
    """
    given, phases = tuple(moves), defaultdict[str, list[Move]](list)
    for move in given:
        phases[move.phase].append(move)
    found = []
    for alike in phases.values():
        renames = {name: to for move in alike for name, to in move.renames.items()}
        agreed = len({(m.choice, m.to_phase, m.cancel, m.add) for m in alike}) == 1
        agreed &= all(renames[name] == to for m in alike for name, to in m.renames.items())
        if agreed and all(m.obligations != ELSEWHERE for m in alike):
            found.append(replace(alike[0], obligations=ELSEWHERE, renames=renames, cases=0))
    return (*given, *found)


def find_move(moves: Mapping[Key, Move], position: Key) -> Move | None:
    """Return the move of a position: its own, else the one of its phase."""
    move = moves.get(position) or moves.get((position[0], ELSEWHERE))
    return move and replace(move, obligations=position[1])


def stand_after(move: Move) -> tuple[str, ...]:
    """Return the names of the obligations that are open after the move."""
    left = list(move.obligations)
    for name, organization in move.cancel:
        if not organization:
            left = [one for one in left if one != name]
        elif name in left:
            left.remove(name)
    return tuple(sorted([*(move.renames.get(name, name) for name in left), *(name for name, _ in move.add)]))


def inverse_of(moves: Iterable[Move]) -> tuple[Move, ...]:
    """Return the moves that lead back; what was cancelled opens again, what was added is cancelled."""
    back = []
    for move in moves:
        if move.choice == "keep" or move.obligations == ELSEWHERE:
            continue
        whole = {name for name, organization in move.cancel if not organization}
        renames = {new: old for old, new in move.renames.items() if old not in whole}
        back.append(Move(move.to_phase, stand_after(move), "move", move.phase, renames, move.add, move.cancel, 0))
    return tuple(back)


def _problems(new: KindSpec, move: Move) -> Iterator[tuple[str, str]]:
    if move.to_phase not in {phase.code for phase in new.phases}:
        yield f"新版本没有阶段“{move.to_phase}”", f'the new version has no phase "{move.to_phase}"'
    for name in stand_after(move):
        if name not in new.obligations and name != OPINION:
            yield f"新版本没有待办“{name}”，请改名或取消", f'the new version has no obligation "{name}"; rename or cancel it'
    for name, organization in move.add:
        known = new.obligations.get(name)
        if known is None:
            continue
        zh, en = known.title.as_mapping().values()
        if (known.who.organization == "each") != bool(organization):
            yield f"待办“{zh}”须写明单位" if not organization else f"待办“{zh}”的单位由流程决定", (
                f'obligation "{en}" needs an organisation' if not organization else f'the kind says who owes "{en}"'
            )
        if known.child:
            yield f"不能补开子办件“{zh}”", f'a sub-case "{en}" cannot be added'


def _unseated(old: KindSpec, new: KindSpec, move: Move) -> Iterator[tuple[str, str]]:
    """Yield what stays open and would be owed by each of a list, though nothing says by whom of them."""
    gone = {name for name, organization in move.cancel if not organization}
    for name in dict.fromkeys(one for one in move.obligations if one in old.obligations and one not in gone):
        to = move.renames.get(name, name)
        if to in new.obligations and new.obligations[to].child and not old.obligations[name].child:
            yield f"待办“{name}”改由子办件完成，请取消它", f'"{name}" is now a sub-case; cancel it'
        if to in new.obligations and new.obligations[to].who.each and not old.obligations[name].who.each:
            yield f"待办“{name}”改由各单位分别办理，请取消它并按单位补开“{to}”", (
                f'"{name}" is now owed by each of a list; cancel it and add "{to}" for each organisation'
            )


def is_reseated(old: KindSpec, new: KindSpec, name: str, to: str) -> bool:
    """Tell whether somebody else owes an obligation after the change: another person, or another's organisation."""
    before, after = old.obligations[name].who, new.obligations[to].who
    return (before.organization, before.person) != (after.organization, after.person)


def _may_lack(old: KindSpec, new: KindSpec) -> frozenset[str]:
    """Return the fields that the new version needs and cases of the old one may not have, or have of another type."""
    had = {field.name: field for field in old.fields if field.required and not field.internal}
    return frozenset(field.name for field in new.fields if field.name not in had or had[field.name].type != field.type)
