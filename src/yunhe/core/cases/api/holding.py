"""Whether somebody can fulfil what waits: asked of every seat that a person's step opens, shown where nobody can (例外)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from yunhe.core.cases.api import kinds, store
from yunhe.core.cases.errors import NobodyInSeat, TooFewInSeats
from yunhe.core.cases.models import ANY_BUREAU, ObligationRecord
from yunhe.core.cases.rules.course import BATCH, DONE, OPEN, ROLE_JOIN, Course
from yunhe.core.cases.rules.wording import listed
from yunhe.core.cases.types import OPINION, KindSpec
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor

Row = Mapping[str, Any]
PERSON = "user:"
BY_TIME = ("lapse", "recur")
NOBODY, SHORT = "nobody", "short"
BUREAU_NAME = "数据主管部门"
BUREAU_TITLE = {"zh": BUREAU_NAME, "en": "Data bureau"}


def require_holders(course: Course) -> None:
    """Do nothing if people hold the seats that the step opens or hands on; for a `distinct` group, enough of them.

    What happens by itself is not held up, whoever could mend it did not take the step: it is told. Nor is the local
    operator, who may fulfil everything on a node without people.
    Raises: NobodyInSeat, TooFewInSeats, each with names. Cost: one query, none if whoever acts holds them.
    """
    if happens_by_itself(course) or course.moment.actor.kind == "operator":
        return
    for problem in list_vacant(course):
        raise problem


def happens_by_itself(course: Course) -> bool:
    """Tell whether nobody took the step: a job did, or time."""
    return course.moment.actor.kind == "job" or course.moment.action in BY_TIME


def list_vacant(course: Course) -> tuple[NobodyInSeat | TooFewInSeats, ...]:
    """Return what is wrong with the seats that a transition opened or moved: nobody holds one, or too few a group's."""
    fresh = fresh_seats(course)
    asked = [row for row in fresh if not _holds(course.moment.actor, row)]
    names = sorted({row["group"] for row in fresh} & course.kind.groups.keys())
    groups = {name: _open_of(course, name) for name in names if course.kind.groups[name].distinct}
    if not asked and not groups:
        return ()
    takers = Takers([*asked, *(row for rows in groups.values() for row in rows)])
    vacant = {(row["organization"], row["role"]): row for row in asked if not takers.of(row)}
    empty = (NobodyInSeat(**_told(course, [row])) for row in vacant.values())
    short = (_too_few(course, rows, takers, _signed(course, name)) for name, rows in groups.items())
    return *empty, *filter(None, short)


def fresh_seats(course: Course) -> list[Row]:
    """Return the open obligations of a role that the transition opened or moved to another seat."""
    found = []
    for key in course.difference.get("obligations", {}):
        row, was = course.position["obligations"][key], course.before["obligations"].get(key)
        moved = was is None or any(was[name] != row[name] for name in ("organization", "role"))
        if row["state"] == OPEN and row["role"] and moved and not course.kind.obligation(row["name"]).child:
            found.append(row)
    return found


def find_vacant(rows: Iterable[tuple[ObligationRecord, KindSpec]]) -> dict[str, str]:
    """Return which obligations, each with its kind, are open and nobody's to fulfil, with why.

    NOBODY: nobody holds the role, or whose it is left. SHORT: its group takes a different person for each, and of the group's
    rows that are given, some open ones share too few people who have not fulfilled one. Cost: two queries at most.
    """
    given = list(rows)
    waiting = [row for row, spec in given if row.state == OPEN and row.person != BATCH and kinds.is_for_people(spec, row.name)]
    seats = {row.pk: {"organization": row.organization, "role": row.role, "assignee": "", "person": row.person} for row in waiting}
    takers = Takers(seats.values())
    found = {key: NOBODY for key, seat in seats.items() if not takers.of(seat)}
    groups: dict[tuple[str, str], list[ObligationRecord]] = {}
    for row, spec in given:
        if row.group in spec.groups and spec.groups[row.group].distinct and row.superseded_seq is None:
            groups.setdefault((row.case_id, row.group), []).append(row)
    for members in groups.values():
        signed = {row.closed_by for row in members if row.state == DONE}
        left = [row.pk for row in members if row.pk in seats and row.role and row.pk not in found]
        places, _people = _share_too_few([takers.of(seats[key]) - signed for key in left])
        found |= {left[place]: SHORT for place in places}
    return found


class Takers:
    """Who could fulfil obligations, by their seats: those who hold a role, or whose own it is. Cost: two queries at most."""

    def __init__(self, rows: Collection[Row]) -> None:
        seats = [row for row in rows if not row["person"]]
        own = {row["person"] for row in rows}
        bodies = {row["organization"] for row in seats} - {ANY_BUREAU}
        roles = {role for row in seats if row["organization"] in bodies for role in row["role"].split(ROLE_JOIN)}
        anywhere = {role for row in seats if row["organization"] == ANY_BUREAU for role in row["role"].split(ROLE_JOIN)}
        held = organizations.find_holders(organizations=bodies, roles=roles, anywhere=anywhere) if seats else ()
        self._held: dict[tuple[str, str], set[str]] = {}
        for body, role, user in held:
            for place in (body, ANY_BUREAU):
                self._held.setdefault((place, role), set()).add(f"{PERSON}{user}")
        self._there = find_there(own)

    def of(self, row: Row) -> set[str]:
        """Return who could fulfil it, as `user:…`; who is no account of this node counts as there."""
        if row["person"]:
            there = (row["person"], row["organization"]) in self._there or not row["person"].startswith(PERSON)
            return {row["person"]} if there else set()
        found = {one for role in row["role"].split(ROLE_JOIN) for one in self._held.get((row["organization"], role), ())}
        return found & {row["assignee"]} or found


def find_there(people: Iterable[str]) -> frozenset[tuple[str, str]]:
    """Return in which organisations these people (`user:…`) are today, as pairs; with "" whoever is in any. Cost: one query at most."""
    users = [int(one.removeprefix(PERSON)) for one in people if one.startswith(PERSON)]
    found = organizations.find_employed(user_ids=users) if users else ()
    return frozenset((f"{PERSON}{user}", body) for user, organization in found for body in (organization, ""))


def is_there(person: str, organization: str) -> bool:
    """Tell whether a person (`user:…`) is in the organisation today, in any for ""."""
    return (person, organization) in find_there([person])


def give_to_office(course: Course, keys: Iterable[str] | None = None) -> list[str]:
    """Give a turn that is somebody's own who left that organisation to whoever holds there the role in which the case was opened.

    `keys` names obligations; None is those that came to the opener in this step. Return those that nobody there can take:
    they stay whose they were, for who supervises to give away. Cost: none unless a turn comes to somebody else than who acts.
    """
    case, rows = course.position["case"], course.position["obligations"]
    own = [key for key in (_came_to_opener(course) if keys is None else keys) if not _is_own(course.moment.actor, rows[key])]
    there = find_there(rows[key]["person"] for key in own)
    gone = [key for key in own if (rows[key]["person"], rows[key]["organization"]) not in there]
    opened = store.EVENTS.plain(("actor_role",), "case_id = %s AND seq = 1", case["id"]) if gone else ()
    roles = {row["actor_role"] for row in opened} - {""}
    held = {body for body, _role, _user in organizations.find_holders(organizations=_bodies(rows, gone), roles=roles)} if roles else ()
    taken = [key for key in gone if rows[key]["organization"] in held]
    for key in taken:
        seat = {"organization": rows[key]["organization"], "role": ROLE_JOIN.join(roles), "person": "", "assignee": ""}
        course.change("obligations", {key: seat})
    return [key for key in gone if key not in taken]


def _came_to_opener(course: Course) -> list[str]:
    opener, rows, before = course.position["case"]["opened_by"], course.position["obligations"], course.before["obligations"]
    stood = {key for key, row in before.items() if row["state"] == OPEN and row["person"] == opener}
    found = (key for key in course.difference.get("obligations", {}) if key not in stood and rows[key]["state"] == OPEN)
    return [key for key in found if rows[key]["person"] == opener and rows[key]["name"] != OPINION]


def _is_own(actor: Actor, row: Row) -> bool:
    return not row["person"].startswith(PERSON) or (row["person"], row["organization"]) == (actor.id, actor.organization)


def _bodies(rows: Mapping[str, Row], keys: Iterable[str]) -> set[str]:
    return {rows[key]["organization"] for key in keys}


def _holds(actor: Actor, row: Row) -> bool:
    return row["organization"] in (actor.organization, ANY_BUREAU) and actor.role in row["role"].split(ROLE_JOIN)


def _open_of(course: Course, name: str) -> list[Row]:
    rows = (course.position["obligations"][key] for key in course.open_obligations())
    return [row for row in rows if row["group"] == name and row["role"]]


def _signed(course: Course, name: str) -> set[str]:
    """Return who fulfilled one of the group that still counts after this step."""
    rows = course.position["obligations"].values()
    signed = {row["closed_by"] for row in rows if row["group"] == name and row["state"] == DONE and row.get("superseded_seq") is None}
    sent_back = any("superseded_seq" in changes for changes in course.difference["obligations"].values())
    return signed if sent_back or course.moment.seq == 1 else signed | store.signers(course.position["case"]["id"], name)


def _too_few(course: Course, rows: list[Row], takers: Takers, signed: set[str]) -> TooFewInSeats | None:
    """Return None if each of these can be another person's, else which share too few people; a seat nobody holds says so itself."""
    rows = [row for row in rows if takers.of(row)]
    places, people = _share_too_few([takers.of(row) - signed for row in rows])
    return TooFewInSeats(**_told(course, [rows[at] for at in places]), needed=len(places), found=people) if places else None


def _share_too_few(able: list[set[str]]) -> tuple[list[int], int]:
    """Return the places that share too few people, and how many those are; none if each can have a person of its own."""
    given: dict[str, int] = {}
    for place in range(len(able)):
        seen = _short_of(place, able, given)
        if seen is not None:
            return [at for at, people in enumerate(able) if people <= seen], len(seen)
    return [], 0


def _short_of(place: int, able: list[set[str]], given: dict[str, int]) -> set[str] | None:
    """Give one more obligation a person of its own, moving others along; return the people tried if none is left, else None."""
    came: dict[str, int] = {}
    front = [place]
    while front:
        at = front.pop()
        for person in able[at] - came.keys():
            came[person] = at
            if person in given:
                front.append(given[person])
                continue
            _pass_along(person, came, given, place)
            return None
    return set(came)


def _pass_along(person: str, came: dict[str, int], given: dict[str, int], place: int) -> None:
    while True:
        at = came[person]
        left = next((one for one, holder in given.items() if holder == at), None)
        given[person] = at
        if at == place or left is None:
            return
        person = left


def _told(course: Course, rows: Sequence[Row]) -> dict[str, Any]:
    """Return whom a refusal names, by code and with titles: where the seats are, the roles and the obligation of the first."""
    first, bodies = rows[0], list(dict.fromkeys(row["organization"] for row in rows))
    roles, known = first["role"].split(ROLE_JOIN), {role.code: role.title for role in organizations.list_roles()}
    names = organizations.find_organizations(codes={*bodies} - {ANY_BUREAU})
    called = [BUREAU_TITLE if body == ANY_BUREAU else {"zh": names[body].label if body in names else body or "—"} for body in bodies]
    titles = {
        "organization": listed(called),
        "roles": listed([known.get(role, {"zh": role}) for role in roles]),
        "obligation": course.kind.obligation(first["name"]).title.as_mapping(),
    }
    return {"organization": ", ".join(bodies), "roles": ", ".join(roles), "obligation": first["name"], "titles": titles}
