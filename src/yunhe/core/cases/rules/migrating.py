"""How running cases move from one version of a kind to another: the usual move, which move is whose, where a case stands after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from yunhe.core.cases.types import WENT_ON, KindSpec, Move

Key = tuple[str, tuple[str, ...], str]
"""A position: a phase, the sorted names of the open obligations, and on the way back the origin of the cases."""
ELSEWHERE = ("*",)


def usual_move(phase: str, obligations: tuple[str, ...], cases: int, again: Iterable[str] = ()) -> Move:
    """Return the move that changes nothing but the version; `again`: what comes again there. `check_move` says whether it will do."""
    return Move(phase, obligations, "move", phase, {name: name for name in (*obligations, *again)}, (), (), cases)


def key_of(move: Move) -> Key:
    """Return the position that a move is for."""
    return move.phase, tuple(move.obligations), move.origin


def complete(moves: Iterable[Move]) -> tuple[Move, ...]:
    """Return the moves with one more for each phase whose moves agree: what comes up there later moves alike.

    Cases go on between the plan and its second person; `find_move` gives those the phase's move, which is checked
    like any other. Where the moves of a phase differ, or none is known, what comes up still stops the change.
    """
    given, phases = tuple(moves), defaultdict[tuple[str, str], list[Move]](list)
    for move in given:
        phases[move.phase, move.origin].append(move)
    found = []
    for alike in phases.values():
        renames = {name: to for move in alike for name, to in move.renames.items()}
        agreed = len({(m.choice, m.to_phase, m.cancel, m.add, m.limits) for m in alike}) == 1
        agreed &= all(renames[name] == to for m in alike for name, to in m.renames.items())
        if agreed and all(m.obligations != ELSEWHERE for m in alike):
            found.append(replace(alike[0], obligations=ELSEWHERE, renames=renames, cases=0))
    return (*given, *found)


def find_move(moves: Mapping[Key, Move], position: Key) -> Move | None:
    """Return the move of a position: its own, else the one of its phase; what went on since a plan of the way back stays."""
    phase, names, origin = position
    move = moves.get(position) or moves.get((phase, ELSEWHERE, origin))
    if move is None and origin == WENT_ON:
        return replace(usual_move(phase, names, 0), choice="keep", origin=origin)
    return move and replace(move, obligations=names)


def stand_after(move: Move) -> tuple[str, ...]:
    """Return the names of the obligations that are open after the move."""
    left = list(move.obligations)
    for name, organization in move.cancel:
        if not organization:
            left = [one for one in left if one != name]
        elif name in left:
            left.remove(name)
    return tuple(sorted([*(move.renames.get(name, name) for name in left), *(name for name, _ in move.add)]))


def is_reseated(old: KindSpec, new: KindSpec, name: str, to: str) -> bool:
    """Tell whether somebody else owes an obligation after the change: another person, or another's organisation."""
    before, after = old.obligations[name].who, new.obligations[to].who
    return (before.organization, before.person) != (after.organization, after.person)
