"""What people are told of their cases: that one came to them, was reminded, runs out of time, or ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse

from yunhe.core.cases.models import ANY_BUREAU, CaseRecord
from yunhe.core.cases.rules.course import CLOSED, OPEN, ROLE_JOIN, Course
from yunhe.core.notices import api as notices
from yunhe.core.notices.types import Recipient, ToPerson, ToRole

PERSON = "user:"
KINDS: Mapping[str, Mapping[str, str]] = {
    "cases.turn": {"zh": "轮到我办理", "en": "My turn in a case"},
    "cases.reminded": {"zh": "催办和督办", "en": "Reminders and supervision"},
    "cases.warned": {"zh": "时限预警", "en": "Time running out"},
    "cases.delegated": {"zh": "请我代办", "en": "I stand in for somebody"},
    "cases.closed": {"zh": "我的办件有结果", "en": "My case has ended"},
}
Texts = dict[str, str]


def tell(row: CaseRecord, course: Course) -> None:
    """Write the notices of a transition, in its transaction. Nobody is told of what they did themselves."""
    moment = course.moment
    if moment.action in ("remind", "escalate"):
        said = {"remind": ("催办", "Reminder"), "escalate": ("督办", "Supervision")}[moment.action]
        reason = str(moment.values.get("reason", ""))
        _send("cases.reminded", row, course, _bearers(course, course.open_obligations()), said, (reason, reason))
    if moment.action == "warn":
        late = any(one.get("warned", 0) > 1 for one in course.difference["obligations"].values())
        said = ("已超期", "Overdue") if late else ("即将到期", "Due soon")
        _send("cases.warned", row, course, _bearers(course, course.difference["obligations"]), said)
    mine = [key for key, row_ in _fresh(course).items() if row_["person"].startswith(PERSON) or row_["assignee"].startswith(PERSON)]
    if mine:
        _send("cases.turn", row, course, _bearers(course, mine), ("请您办理", "Your turn"))
    ended = row.state == CLOSED and course.difference.get("case", {}).get("state") == CLOSED
    if ended and row.opened_by.startswith(PERSON) and row.opened_by != moment.actor.id:
        _send("cases.closed", row, course, [ToPerson(row.opened_by)], ("办件已办结", "Case ended"))


def _fresh(course: Course) -> dict[str, Mapping[str, Any]]:
    """Return the obligations that are open and came to somebody in this transition."""
    changed = course.difference.get("obligations", {})
    rows = course.position["obligations"]
    came = (key for key, one in changed.items() if "opened_seq" in one or one.get("assignee"))
    return {key: rows[key] for key in came if rows[key]["state"] == OPEN}


def _bearers(course: Course, keys: Iterable[str]) -> list[Recipient]:
    found: dict[Recipient, None] = {}
    for key in keys:
        item = course.position["obligations"][key]
        person = item["assignee"] or item["person"]
        if person.startswith(PERSON):
            found[ToPerson(person)] = None
        elif item["organization"] not in ("", ANY_BUREAU):
            found |= {ToRole(item["organization"], role): None for role in item["role"].split(ROLE_JOIN) if role}
    return [one for one in found if one != ToPerson(course.moment.actor.id)]


def _send(
    kind: str, row: CaseRecord, course: Course, to: list[Recipient], said: tuple[str, str], text: tuple[str, str] = ("", "")
) -> None:
    if not to:
        return
    title = course.kind.title.as_mapping()
    notices.send(
        to=to,
        kind=kind,
        title={"zh": f"{said[0]}：{title['zh']} {row.number}", "en": f"{said[1]}: {title['en']} {row.number}"},
        text={"zh": text[0] or said[0], "en": text[1] or said[1]},
        href=reverse("cases:case", args=[row.pk]),
        key=f"{row.pk}:{course.moment.seq}:{kind}",
        case_id=row.pk,
        actor=course.moment.actor,
    )
