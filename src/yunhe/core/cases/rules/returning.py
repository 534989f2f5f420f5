"""The way back of one case from a change of procedure: worked out from how it stood before its own event and after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from yunhe.core.cases.rules.course import OPEN
from yunhe.core.cases.rules.digests import digest_of
from yunhe.core.cases.rules.position import Position
from yunhe.core.cases.types import OPINION, WENT_ON, KindSpec, Move

Row = Mapping[str, Any]
Rows = Mapping[str, Row]
Pair = tuple[str, str]


def way_back(old: KindSpec, new: KindSpec, before: Position, after: Position) -> Move:
    """Return the move that leads a case back to where it stood: `old` is the version of then, `new` the one that it was moved to.

    What the change cancelled opens again, by whom owed it; what it opened is cancelled; what it renamed gets its name again.
    Where names alone cannot tell what goes from what stays, all of that name goes, and what belongs there opens again.
    An opinion is asked for by people, so it is left out; so is a sub-case, which ended with its obligation: a new one would begin
    anew, under another number. A case that lacks a sub-case is proposed to stay, until somebody decides what stands in for it.
    """
    were, are = _open(before), _open(after)
    names = {str(row["name"]) for row in are.values()}
    renames, whole = dict[str, str](), set[str]()
    for name in names:
        stays = {str(were[key]["name"]) for key, row in are.items() if row["name"] == name and key in were}
        fresh = [_body(row) for key, row in are.items() if row["name"] == name and key not in were]
        kept = [_body(row) for key, row in are.items() if row["name"] == name and key in were]
        if len(stays) == 1 and not (set(fresh) & set(kept)):
            renames[name] = next(iter(stays))
        else:
            whole.add(name)
    cancel = {(name, "") for name in whole}
    cancel |= {(str(row["name"]), _body(row)) for key, row in are.items() if key not in were and row["name"] not in whole}
    add = [(str(row["name"]), _seat(old, row)) for key, row in were.items() if key not in are or are[key]["name"] in whole]
    left_out = sorted(name for name, _body in add if name == OPINION or old.obligation(name).child)
    add = [pair for pair in add if pair[0] not in left_out]
    for key, row in after["obligations"].items():  # what is to come again at its next period
        if key not in are and row.get("next_at") and key in before["obligations"]:
            renames.setdefault(str(row["name"]), str(before["obligations"][key]["name"]))
    phase, to_phase = str(after["case"]["phase"]), str(before["case"]["phase"])
    stands = tuple(sorted(str(row["name"]) for row in are.values()))
    back = Move(phase, stands, "move", to_phase, dict(sorted(renames.items())), tuple(sorted(cancel)), tuple(sorted(add)), 0, "restore")
    told = asdict(back)
    origin = [*(told[name] for name in ("to_phase", "renames", "cancel", "add")), *([left_out] if left_out else [])]
    lacks = any(name != OPINION for name in left_out)
    return replace(back, choice="keep" if lacks else "move", origin=digest_of(origin)[:12], left_out=tuple(left_out))


def stands_still(after: Position, phase: str, opened: frozenset[str]) -> bool:
    """Tell whether a case still stands where the change left it: the same phase, the same obligations open."""
    return bool(after["case"]["phase"] == phase and _open(after).keys() == opened)


def went_on(phase: str, names: tuple[str, ...] = (), again: tuple[str, ...] = (), cases: int = 0) -> Move:
    """Return what is proposed for cases that went on since: they stay, until somebody decides where they belong."""
    return Move(phase, names, "keep", phase, {name: name for name in (*names, *again)}, (), (), cases, "restore", WENT_ON)


def what_moved(before: Position, after: Position) -> Mapping[str, list[Any]]:
    """Return what a step changed of the obligations that were open, or are: `ended`, `opened` rows, `renamed` pairs of rows."""
    were, are = _open(before), _open(after)
    found: dict[str, list[Any]] = defaultdict(list)
    found["ended"] = [row for key, row in were.items() if key not in are]
    found["opened"] = [row for key, row in are.items() if key not in were]
    found["renamed"] = [(were[key], row) for key, row in are.items() if key in were and were[key]["name"] != row["name"]]
    return found


def _open(position: Position) -> Rows:
    return {key: row for key, row in sorted(position["obligations"].items()) if row.get("state") == OPEN}


def _body(row: Row) -> str:
    return str(row.get("organization") or "")


def _seat(kind: KindSpec, row: Row) -> str:
    """Return the organisation for which it opens again; nothing where the kind says whose it is."""
    known = kind.obligations.get(str(row["name"]))
    return _body(row) if known is not None and known.who.organization == "each" else ""
