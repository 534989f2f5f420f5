"""What is wrong with a move of the change procedure before anything moves: what it would strand, and what nobody would hear of."""

from __future__ import annotations

from collections.abc import Iterator

from yunhe.core.cases.rules.migrating import stand_after
from yunhe.core.cases.rules.verdicts import judge_class
from yunhe.core.cases.types import OPINION, KindSpec, Move


def check_move(old: KindSpec, new: KindSpec, move: Move) -> tuple[tuple[str, str], ...]:
    """Return what would strand the cases of this position, in Chinese and English; nothing if each can still end."""
    if move.choice == "keep":
        return ()
    named = (*_problems(new, move), *_unseated(old, new, move), *_unheard(old, new, move))
    names = tuple(name for name in stand_after(move) if name != OPINION)
    judged = None if named else judge_class(new, move.to_phase, names, _may_lack(old, new))
    return named if judged is None else (judged,)


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


def _unheard(old: KindSpec, new: KindSpec, move: Move) -> Iterator[tuple[str, str]]:
    """Yield what would wait for a room alone that does not know of it, or that reports what the new version has no word for."""
    known = {name: _by_room(old, name) for name in move.obligations}
    reports = set().union(*known.values())
    after = {move.renames.get(name, name): name for name in move.obligations if (name, "") not in move.cancel}
    for name in dict.fromkeys(stand_after(move)):
        spec = new.obligations.get(name)
        if spec is None or spec.child or spec.on_due or not all(action.by_room for action in spec.actions.values()):
            continue
        zh, en = spec.title.as_mapping().values()
        unknown = sorted(known.get(after.get(name, ""), frozenset()) - _by_room(new, name))
        if not reports & _by_room(new, name):
            yield f"待办“{zh}”只等业务系统报告，而没有业务系统知道这些办件在等；请取消它或留在旧版本", (
                f'"{en}" waits for a room alone, and no room knows that these cases wait; cancel it or keep the old version'
            )
        elif unknown:
            said = ", ".join(unknown)
            yield f"待办“{zh}”只等业务系统报告，而新版本不认它可能报告的“{said}”；请留在旧版本", (
                f'"{en}" waits for a room alone, which may report {said}: the new version has no such action; keep the old version'
            )


def _by_room(kind: KindSpec, name: str) -> frozenset[str]:
    return frozenset(action for action, told in kind.obligation(name).actions.items() if told.by_room)


def _may_lack(old: KindSpec, new: KindSpec) -> frozenset[str]:
    """Return the fields that the new version needs and cases of the old one may not have, or have of another type."""
    had = {field.name: field for field in old.fields if field.required and not field.internal}
    return frozenset(field.name for field in new.fields if field.name not in had or had[field.name].type != field.type)
