"""What an actor may see of all cases: counted, and the newest of it, out of indexes alone.

A case is seen by several of its parties at once, so cases are counted, not parties. The places where an actor may see
cases (`seen_places`) are read one by one, each from an index that holds all that is asked (`cases_party_seen`,
`cases_party_person`, `cases_case_kind`). `CaseQuerySet.visible_to` says the same of the cases' own rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from yunhe.core.cases.models import is_whole, seen_places
from yunhe.kernel.actor import ALL, Actor, Right

ROWS_EACH = (4, 64, 4096)
"""How many parties of each case on a page are reckoned with: at first, and where they did not fill it."""
KNOWN_KINDS = "kind_code IN (SELECT code FROM cases_kind)"
"""True of every case: it lets a state be counted kind by kind in the index that begins with the kind."""
OWN_BODY = "organization || ''"
"""The organisation of a person's part, said so that the index of persons is read and not all that the body has."""


@dataclass(frozen=True, slots=True)
class Within:
    """Which cases are asked for: in one of these states, of one of these kinds; empty: any."""

    states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @property
    def conditions(self) -> dict[str, Collection[str]]:
        return {name: given for name, given in (("state", self.states), ("kind_code", self.kinds)) if given}


@dataclass(frozen=True, slots=True)
class _Part:
    """One SELECT of (case_id, kind_code, state, opened_at) with the values for it."""

    text: str
    values: tuple[str, ...]


def count_seen(actor: Actor, within: Within) -> Counter[tuple[str, str]]:
    """Return how many cases there are that the actor may see, by kind and state. Cost: one query."""
    parts, once = list(_parts(actor, within)), _tell_once(actor)
    number, known = ("COUNT(*)", f" WHERE {KNOWN_KINDS}") if once else ("COUNT(DISTINCT case_id)", "")
    text = f"SELECT kind_code, state, {number} FROM ({_joined(parts)}) seen{known} GROUP BY kind_code, state"  # noqa: S608
    return Counter({(kind, state): count for kind, state, count in _fetch(text, parts)})


def list_newest(actor: Actor, within: Within, *, offset: int, limit: int, total: int, oldest: bool = False) -> list[str]:
    """Return a page of the cases that the actor may see, as ids by opening time; `total`: how many there are.

    Cost: one query; a further one where the cases of a page have more parties that the actor sees them by than expected.
    """
    parts, wanted = list(_parts(actor, within)), min(limit, total - offset)
    order = f"ORDER BY opened_at {'ASC' if oldest else 'DESC'}, case_id DESC"
    nearest = f"SELECT case_id, opened_at FROM ({_joined(parts)}) seen {order} LIMIT %s"  # noqa: S608
    text = f"SELECT DISTINCT case_id, opened_at FROM ({nearest}) nearest {order} LIMIT %s OFFSET %s"  # noqa: S608
    found: list[Any] = []
    for each in (1,) if _tell_once(actor) else ROWS_EACH:
        if len(found) < wanted:
            found = _fetch(text, parts, (offset + wanted) * each, wanted, offset)
    return [case_id for case_id, _ in found]


def _parts(actor: Actor, within: Within) -> Iterator[_Part]:
    """Yield what is seen at each place, and what the actor took part in for this organisation."""
    for right in seen_places(actor):
        kinds = within.kinds if ALL in right.kinds else tuple(right.kinds & set(within.kinds or right.kinds))
        if kinds or ALL in right.kinds:
            yield _place(right, Within(within.states, kinds).conditions)
    if not _tell_once(actor):
        yield _select("case_id", "cases_party", {"person": [actor.id], OWN_BODY: [actor.organization], **within.conditions})


def _tell_once(actor: Actor) -> bool:
    """Tell whether every case is seen, so that the table of cases alone is read, each case once."""
    return any(map(is_whole, seen_places(actor)))


def _place(right: Right, asked: Mapping[str, Collection[str]]) -> _Part:
    regions = {} if ALL in right.regions else {"region": right.regions}
    if ALL in right.organizations:
        return _select("id", "cases_case", {**asked, **regions})
    part = _select("case_id", "cases_party", {"organization": right.organizations, **asked})
    if not regions:
        return part
    there = _select("id", "cases_case", regions)
    return _Part(f"{part.text} AND case_id IN (SELECT case_id FROM ({there.text}) there)", part.values + there.values)  # noqa: S608


def _select(key: str, table: str, conditions: Mapping[str, Collection[str]]) -> _Part:
    where = [f"{name} IN ({', '.join(['%s'] * len(given))})" for name, given in conditions.items()]
    text = f"SELECT {key} AS case_id, kind_code, state, opened_at FROM {table} WHERE {' AND '.join(where) or '1 = 1'}"  # noqa: S608
    return _Part(text, tuple(value for given in conditions.values() for value in sorted(given)))


def _joined(parts: list[_Part]) -> str:
    return " UNION ALL ".join(part.text for part in parts)


def _fetch(text: str, parts: list[_Part], *more: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(text, [*(value for part in parts for value in part.values), *more])
        return cursor.fetchall()
