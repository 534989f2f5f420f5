"""What is wrong with a move of the change procedure before anything moves: what it would strand, and what nobody would hear of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from yunhe.core.cases.rules.migrating import stand_after
from yunhe.core.cases.rules.verdicts import judge_class
from yunhe.core.cases.rules.wording import listed, phase_title, step_named
from yunhe.core.cases.types import OPINION, KindSpec, Move

Waits = tuple[str, ...]
"""What comes again by itself at its next period (周期待办), by name."""


def check_move(old: KindSpec, new: KindSpec, move: Move, waits: Iterable[Waits] = ((),)) -> tuple[tuple[str, str], ...]:
    """Return what would strand the cases of this position, in Chinese and English; nothing if each can still end.

    `waits` says of the cases what is to come again in them: each set of names that there is.
    """
    if move.choice == "keep":
        return ()
    every = tuple(waits)
    named = (*_problems(old, new, move), *_unseated(old, new, move, every), *_unheard(old, new, move))
    if named:
        return named
    names = tuple(name for name in stand_after(move) if name != OPINION)
    lacking = _may_lack(old, new)
    for waiting in every:
        for coming in dict.fromkeys(_coming(old, new, move, waiting)):
            if waiting and not (names or coming):
                return (_no_more_periods(old, waiting),)
            if judged := judge_class(new, move.to_phase, names, lacking, coming):
                return (judged,)
    return ()


def _coming(old: KindSpec, new: KindSpec, move: Move, waits: Waits) -> Iterator[Waits]:
    """Yield each set of what may come again after the move; by its day, what the new version plans anew need not come."""
    gains = [name for name in move.obligations if old.obligation(name).recurs is None]
    stays = [name for name in (*waits, *gains) if (name, "") not in move.cancel]
    planned = [(old.obligation(name).recurs, move.renames.get(name, name), name) for name in stays]
    planned += [(None, name, "") for name, _organization in move.add]
    some = {name for name, organization in move.cancel if organization}
    sure, may = set[str](), set[str]()
    for before, to, name in planned:
        after = new.obligations[to].recurs if to in new.obligations else None
        if after:
            (may if name in some or (after.until and after != before) else sure).add(to)
    may -= sure
    for number in range(len(may) + 1):
        yield from (tuple(sorted({*sure, *chosen})) for chosen in combinations(sorted(may), number))


def _no_more_periods(old: KindSpec, waits: Waits) -> tuple[str, str]:
    titles = [old.obligation(name).title.as_mapping() for name in waits]
    zh, en = "、".join(f"“{title['zh']}”" for title in titles), ", ".join(f'"{title["en"]}"' for title in titles)
    return f"这些办件没有待办，在等{zh}的下一期；按新版本不再有下一期（或截止日期可能已过），移动后没有任何待办。请增开一项能办结它们的待办，或留在旧版本", (
        f"nothing is open in these cases, they wait for the next period of {en}; by the new version none comes any more (or its last day may be "
        "over), and nobody would owe anything. Add an obligation by which they can end, or keep the old version"
    )


def _problems(old: KindSpec, new: KindSpec, move: Move) -> Iterator[tuple[str, str]]:
    if move.to_phase not in {phase.code for phase in new.phases}:
        phase = phase_title(old, move.to_phase)
        yield f"新版本没有阶段“{phase['zh']}”", f'the new version has no phase "{phase["en"]}"'
    for name in stand_after(move):
        if name not in new.obligations and name != OPINION:
            gone = old.obligation(name).title.as_mapping()
            yield f"新版本没有待办“{gone['zh']}”，请改名或取消", f'the new version has no obligation "{gone["en"]}"; rename or cancel it'
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


def _unseated(old: KindSpec, new: KindSpec, move: Move, waits: Iterable[Waits]) -> Iterator[tuple[str, str]]:
    """Yield what stays open, or comes again, and would be owed by each of a list, though nothing says by whom of them."""
    gone = {name for name, organization in move.cancel if not organization}
    again = sorted({name for waiting in waits for name in waiting if old.obligation(name).who.organization in ("applicant", "owner")})
    for name in dict.fromkeys(one for one in (*move.obligations, *again) if one in old.obligations and one not in gone):
        to = move.renames.get(name, name)
        was, becomes = old.obligations[name].title.as_mapping(), new.obligation(to).title.as_mapping()
        if to in new.obligations and new.obligations[to].child and not old.obligations[name].child:
            yield f"待办“{was['zh']}”改由子办件完成，请取消它", f'"{was["en"]}" is now a sub-case; cancel it'
        if to in new.obligations and new.obligations[to].who.each and not old.obligations[name].who.each:
            yield f"待办“{was['zh']}”改由各单位分别办理，请取消它并按单位补开“{becomes['zh']}”", (
                f'"{was["en"]}" is now owed by each of a list; cancel it and add "{becomes["en"]}" for each organisation'
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
            said = listed(step_named(old, action)["action"] for action in unknown)
            yield f"待办“{zh}”只等业务系统报告，而新版本不认它可能报告的“{said['zh']}”；请留在旧版本", (
                f'"{en}" waits for a room alone, which may report {said["en"]}: the new version has no such action; keep the old version'
            )


def _by_room(kind: KindSpec, name: str) -> frozenset[str]:
    return frozenset(action for action, told in kind.obligation(name).actions.items() if told.by_room)


def _may_lack(old: KindSpec, new: KindSpec) -> frozenset[str]:
    """Return the fields that the new version needs and cases of the old one may not have, or have of another type."""
    had = {field.name: field for field in old.fields if field.required and not field.internal}
    return frozenset(field.name for field in new.fields if field.name not in had or had[field.name].type != field.type)
