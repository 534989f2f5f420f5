"""What a move of the change procedure does to a case: pure, all but when the case is due."""

from __future__ import annotations

from typing import Any

from yunhe.core.cases.rules.course import CANCELLED, OPEN, ROLE_JOIN, Course
from yunhe.core.cases.rules.migrating import is_reseated
from yunhe.core.cases.rules.retiming import Past, climb, come_again, note, retime, retime_case, stand_still
from yunhe.core.cases.types import BUILT_IN, KindSpec, Move, ObligationSpec


def take_move(course: Course, old: KindSpec, move: Move, past: Past) -> None:
    """Note what a move changes, all but when the case is due."""
    new = course.kind
    course.change("case", {"phase": move.to_phase})
    stays = dict[str, tuple[ObligationSpec, ObligationSpec]]()
    for key, item in sorted(course.position["obligations"].items()):
        name = item["name"]
        to = move.renames.get(name, name)
        before, after, opened = old.obligation(name), new.obligation(to), item["state"] == OPEN
        if (name, "") in move.cancel or (opened and (name, item["organization"]) in move.cancel) or not (opened or to in new.obligations):
            if opened:
                course.close_obligation(key, "", CANCELLED)
                _unlist(course, before.who.each, item["organization"])
            note(course, "obligations", key, {"next_at": None})
            continue
        note(course, "obligations", key, _renamed(old, new, name, to))
        if (opened or not after.who.each) and name not in BUILT_IN and is_reseated(old, new, name, to):  # done: where the next period comes
            course.reseat(key, to)
        stays[key] = before, after
    for key, (before, after) in stays.items():
        come_again(course, key, before, after)
        if course.position["obligations"][key]["state"] == OPEN:
            retime(course, key, before, after, move.limits, past)
    climb(course, old)
    for name, organization in move.add:
        course.open_added(name, organization)
    stand_still(course)
    retime_case(course, old, move.limits, past)
    course.settle_opened()


def _unlist(course: Course, listing: str, organization: str) -> None:
    """Take an organisation that is no longer asked off the list that names whom to ask."""
    listed = list(course.position["data"].get(listing) or ())
    if organization in listed:
        course.change("data", {listing: [one for one in listed if one != organization]})


def _renamed(old: KindSpec, new: KindSpec, name: str, to: str) -> dict[str, Any]:
    """Return what changes of an obligation that stays: its name, group, and roles where the kind changed them."""
    changes: dict[str, Any] = {"name": to}
    if to in BUILT_IN:
        return changes
    changes["group"] = new.obligation(to).group
    before, after = sorted(old.obligation(name).who.roles), sorted(new.obligation(to).who.roles)
    return changes if before == after else {**changes, "role": ROLE_JOIN.join(after)}
