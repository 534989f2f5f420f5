"""How running cases move from one version of a kind to another: the usual move, what is wrong with one, the way back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from yunhe.core.cases.types import KindSpec, Move

Key = tuple[str, tuple[str, ...]]
"""A position: a phase and the sorted names of the open obligations."""
ELSEWHERE = ("*",)


def usual_move(phase: str, obligations: tuple[str, ...], cases: int, again: Iterable[str] = ()) -> Move:
    """Return the move that changes nothing but the version; `again`: what comes again there. `check_move` says whether it will do."""
    return Move(phase, obligations, "move", phase, {name: name for name in (*obligations, *again)}, (), (), cases)


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
        agreed = len({(m.choice, m.to_phase, m.cancel, m.add, m.limits) for m in alike}) == 1
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
    """Return the moves that lead back: what was cancelled opens again, what was added is cancelled, limits are put back."""
    back = []
    for move in moves:
        if move.choice == "keep" or move.obligations == ELSEWHERE:
            continue
        whole = {name for name, organization in move.cancel if not organization}
        renames = {new: old for old, new in move.renames.items() if old not in whole}
        back.append(Move(move.to_phase, stand_after(move), "move", move.phase, renames, move.add, move.cancel, 0, "restore"))
    return tuple(back)


def is_reseated(old: KindSpec, new: KindSpec, name: str, to: str) -> bool:
    """Tell whether somebody else owes an obligation after the change: another person, or another's organisation."""
    before, after = old.obligations[name].who, new.obligations[to].who
    return (before.organization, before.person) != (after.organization, after.person)
