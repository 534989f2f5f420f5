"""What people are told of their cases: that one came to them, was reminded, runs out of time, or ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from yunhe.core.cases.api import holding, kinds
from yunhe.core.cases.api.offering import SUPERVISE
from yunhe.core.cases.models import ANY_BUREAU, CaseRecord, TurnRecord
from yunhe.core.cases.rules.course import BATCH, CLOSED, OPEN, ROLE_JOIN, Course
from yunhe.core.cases.rules.lengths import WHOLE, longer_in_words
from yunhe.core.cases.types import KindSpec
from yunhe.core.notices import api as notices
from yunhe.core.notices.types import Recipient, ToPerson, ToRole
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Role
from yunhe.core.statements.api import Rows
from yunhe.kernel.actor import ALL, Actor
from yunhe.kernel.clock import local

PERSON, VACANT = "user:", "cases.vacant"
EXCEPTION = ("例外：无人可办", "Exception: nobody can act")
KINDS: Mapping[str, Mapping[str, str]] = {
    "cases.turn": {"zh": "轮到我办理", "en": "My turn in a case"},
    "cases.gone": {"zh": "不再由我办理", "en": "No longer mine to do"},
    "cases.reminded": {"zh": "催办和督办", "en": "Reminders and supervision"},
    "cases.warned": {"zh": "时限预警", "en": "Time running out"},
    "cases.vacant": {"zh": "例外：无人可办", "en": "Exception: nobody can act"},
    "cases.delegated": {"zh": "请我代办", "en": "I stand in for somebody"},
    "cases.paused": {"zh": "我的办件中止、恢复或延期", "en": "My case is suspended, goes on or gets more time"},
    "cases.closed": {"zh": "我的办件有结果", "en": "My case has ended"},
}
PAUSED = {
    "suspend": ("办件中止", "Case suspended"),
    "resume": ("办件恢复办理", "Case goes on"),
    "extend": ("办件时限延长", "Case gets more time"),
}
IN_ROUNDS = ("cases.reminded", "cases.warned", "cases.vacant", "cases.paused", "cases.closed")
"""What many cases tell one after another: picked in a list, or found by the clock."""
URGENT: Mapping[str, Mapping[str, str]] = {
    "cases.reminded": {"zh": "督办", "en": "supervision"},
    "cases.warned": {"zh": "已超期", "en": "overdue"},
}
SEAT = ("organization", "role", "person", "assignee")
TURNS = Rows(TurnRecord)


def tell(row: CaseRecord, course: Course) -> None:
    """Write the notices of a transition, in its transaction. Nobody is told of what they did themselves."""
    moment = course.moment
    if moment.action in ("remind", "escalate"):
        said = {"remind": ("催办", "Reminder"), "escalate": ("督办", "Supervision")}[moment.action]
        reason = str(moment.values.get("reason", ""))
        keys = course.open_obligations()
        _send("cases.reminded", row, course, _bearers(course, keys), said, (reason, reason), about=keys, is_urgent=moment.action == "escalate")
    if moment.action == "warn":
        _tell_warned(row, course)
    if moment.action == "retract":
        _tell_taken_back(row, course)
    if moment.action in PAUSED:
        _tell_paused(row, course)
    _tell_vacant(row, course)
    note_turns(course)
    if moment.action == "unmerge":
        number = moment.values["number"]
        said = (
            f"并入的 {number} 没有办出结果，本件照原样继续办理，时限接着算。",
            f"{number} ended without an answer; yours goes on as it stood, on its own time.",
        )
        _tell_opener(row, course, ("您的办件继续办理", "Your case goes on"), said)
    if row.state == CLOSED and course.difference.get("case", {}).get("state") == CLOSED:
        said, (zh, en) = ("办件已办结", "Case ended"), _phase(course)
        text = (f"“{row.title}”：{zh}", f'"{row.title}": {en}')
        if moment.action == "split":
            opened = CaseRecord.objects.filter(parent=row, kind_code=row.kind_code, opened_at=moment.at).order_by("number")
            said, parts = ("办件已拆分", "Case split"), ", ".join(opened.values_list("number", flat=True))
            text = (f"拆为 {parts}，分别办理。", f"Into {parts}; each goes on.")
        if row.merged_into_id:
            number = moment.values["number"]
            said, text = ("办件已并案", "Case merged"), (f"并入 {number}，其办结时再告知。", f"Into {number}; you will be told when that ends.")
        _tell_opener(row, course, said, text)


def _tell_taken_back(row: CaseRecord, course: Course) -> None:
    """Tell whom something was handed to that it was taken back from them, and why."""
    why = str(course.moment.values.get("reason", ""))
    for key in course.difference.get("obligations", {}):
        item, was = course.position["obligations"][key], course.before["obligations"].get(key)
        if was and was["state"] == item["state"] == OPEN and any(was[name] != item[name] for name in SEAT):
            roles = [ToRole(was["organization"], role) for role in was["role"].split(ROLE_JOIN) if was["organization"] != item["organization"]]
            to: list[Recipient] = [_person(was["assignee"], was)] if was["assignee"] else [*roles]
            _send("cases.gone", row, course, to, ("转办已撤回", "Taken back from you"), (why, why))


def tell_of_end(double: CaseRecord, course: Course) -> None:
    """Tell who opened a duplicate how the case that it went into ended; they may see no more of that than its phase."""
    number, (zh, en) = course.position["case"]["number"], _phase(course)
    _tell_opener(double, course, ("并入的办件已办结", "The case it went into ended"), (f"{number}：{zh}", f"{number}: {en}"))


def _phase(course: Course) -> tuple[str, str]:
    """Return the title of the phase in which the case stands: what people outside see of its result."""
    titles = {one.code: one.title.as_mapping() for one in course.kind.phases}
    told = titles.get(course.position["case"]["phase"], {"zh": "", "en": ""})
    return told["zh"], told["en"]


def _tell_paused(row: CaseRecord, course: Course) -> None:
    """Tell who opened the case and whose turn it is that it stands still, goes on or gets more time, and why."""
    values, said = course.moment.values, PAUSED[course.moment.action]
    told = [str(values[name]) for name in ("basis", "reason") if values.get(name)]
    why = ("；".join(told), "; ".join(told))
    if course.moment.action == "extend":
        why = _longer_in_words(course)
    opener = _opener(row) if row.opened_by != course.moment.actor.id else []
    to = list(dict.fromkeys([*opener, *_bearers(course, course.open_obligations())]))
    _send("cases.paused", row, course, to, said, why)


def _longer_in_words(course: Course) -> tuple[str, str]:
    """Return what a limit was and is, when it was and is due, and why, in both languages."""
    zh, en = list[str](), list[str]()
    for part in ("obligations", "clocks"):
        for key in course.difference.get(part, {}):
            before, after = course.before[part][key], course.position[part][key]
            if before["extensions"] != after["extensions"]:
                of = course.kind.obligation(after["name"]).title.as_mapping() if part == "obligations" else WHOLE
                told = longer_in_words(before, after, of)
                zh += [f"{title['zh']}：{text['zh']}" for _name, title, text in told]
                en += [f"{title['en']}: {text['en']}" for _name, title, text in told]
    return "；".join(zh), "; ".join(en)


def _opener(row: CaseRecord) -> list[Recipient]:
    """Return who opened the case; once that person left that organisation, those who hold there the role in which it was opened."""
    if not row.opened_by.startswith(PERSON):
        return []
    if holding.is_there(row.opened_by, row.opened_for):
        return [ToPerson(row.opened_by, row.opened_for)]
    opened = row.events.order_by("seq").first()
    return [ToRole(opened.actor_organization, opened.actor_role)] if opened and opened.actor_role else []


def _tell_opener(row: CaseRecord, course: Course, said: tuple[str, str], text: tuple[str, str]) -> None:
    if row.opened_by != course.moment.actor.id:
        _send("cases.closed", row, course, _opener(row), said, text)


def note_turns(course: Course) -> None:
    """Note what came to people in a transition, in its transaction; `announcing` tells them. One statement."""
    told = {"caused_by": course.moment.actor.id, "came_at": course.moment.at, "told_at": None}
    TURNS.insert([{"obligation_id": key, **told} for key in came(course)])


def came(course: Course) -> list[str]:
    """Return the obligations that came to people in this transition: open now, and not before or not theirs."""
    found = []
    for key in course.difference.get("obligations", ()):
        item, was = course.position["obligations"][key], course.before["obligations"].get(key)
        stays = was is not None and was["state"] == OPEN and all(was[name] == item[name] for name in SEAT)
        if item["state"] == OPEN and not stays and item["person"] != BATCH and kinds.is_for_people(course.kind, item["name"]):
            found.append(key)
    return found


def turns(course: Course) -> tuple[list[str], list[str]]:
    """Return the obligations that came to people in this transition, and those that were people's and are theirs no more."""
    gone = []
    for key in course.difference.get("obligations", ()):
        item, was = course.position["obligations"][key], course.before["obligations"].get(key)
        if was is None or was["state"] != OPEN or was["person"] == BATCH:
            continue
        moved = item["state"] != OPEN or any(was[name] != item[name] for name in SEAT)
        if moved and kinds.is_for_people(course.kind, item["name"]):
            gone.append(key)
    return came(course), gone


def _tell_warned(row: CaseRecord, course: Course) -> None:
    """Tell the bearers what runs out of time, all of them where it is the clock of the case."""
    reached = [course.position[part][key] for part in ("obligations", "clocks") for key in course.difference.get(part, {})]
    late = min(datetime.fromisoformat(row_["due_at"]) for row_ in reached) <= course.moment.at
    keys = course.open_obligations() if "clocks" in course.difference else course.difference["obligations"]
    said = ("已超期", "Overdue") if late else ("即将到期", "Due soon")
    _send("cases.warned", row, course, _bearers(course, keys), said, _what_is_due(course), about=keys, is_urgent=late)
    if course.difference.get("case", {}).get("supervised_at"):
        why = ("到了预警的时限，自动列入督办", "A warning of its time put it under supervision")
        _send("cases.reminded", row, course, _supervisors(row), ("督办", "Supervision"), why, is_urgent=True)


def _what_is_due(course: Course) -> tuple[str, str]:
    """Return what runs out of time and until when, each once: “签收”须在 2026-11-22 21:23 前办完."""
    titles = {key: course.kind.obligation(course.position["obligations"][key]["name"]).title.as_mapping() for key in course.difference.get("obligations", {})}
    found: list[tuple[Mapping[str, str], Any]] = [(titles[key], course.position["obligations"][key]["due_at"]) for key in titles]
    found += [(WHOLE, course.position["clocks"][key]["due_at"]) for key in course.difference.get("clocks", {})]
    told = {(title["zh"], title["en"], f"{local(datetime.fromisoformat(due)):%Y-%m-%d %H:%M}"): None for title, due in found if due}
    zh = "；".join(f"“{name}”须在 {due} 前办完" for name, _en, due in told)
    return zh, "; ".join(f"“{name}” is due by {due}" for _zh, name, due in told)


def _tell_vacant(row: CaseRecord, course: Course) -> None:
    """Tell who supervises, there and everywhere, of what came by itself that nobody can fulfil."""
    vacant = holding.list_vacant(course) if holding.happens_by_itself(course) else ()
    if vacant:
        zh = "{organization}没有（或不够）人办“{obligation}”，所需角色：{roles}。请打开办件指派，或先在该单位授予角色。"
        en = 'Nobody, or too few, at {organization} can do "{obligation}" (roles {roles}). Open the case and assign it, or have the role given there.'
        text = tuple("".join(dict.fromkeys(said.format(**one.in_words(language)) for one in vacant)) for language, said in (("zh", zh), ("en", en)))
        _send(VACANT, row, course, [*_supervisors(row), *_everywhere()], EXCEPTION, (text[0], text[1]))


def tell_left(row: CaseRecord, course: Course, keys: Iterable[str]) -> None:
    """Tell who supervises, there and at the owner, of what waits for somebody who left, and that nobody there can take."""
    titles = [course.kind.obligation(course.position["obligations"][key]["name"]).title.as_mapping() for key in keys]
    if titles:
        zh = f"“{titles[0]['zh']}”等本人办理，其已离开本单位，也无人担任提出时的岗位。请打开办件指派。"
        en = f'"{titles[0]["en"]}" waits for somebody who left, and nobody there holds the role in which the case was opened. Open it and assign it.'
        to = list(dict.fromkeys([*_supervisors(row, row.opened_for), *_supervisors(row)]))
        _send(VACANT, row, course, to, EXCEPTION, (zh, en))


def send_vacant(row: CaseRecord, spec: KindSpec, bodies: Iterable[str], *, key: str, text: tuple[str, str], actor: Actor) -> None:
    """Tell who supervises in these organisations and everywhere that a case waits for nobody, without a step that made it so."""
    to = dict.fromkeys([*(one for body in bodies for one in _supervisors(row, body)), *_everywhere()])
    title, href = spec.title.as_mapping(), reverse("cases:case", args=[row.pk])
    said = {"zh": f"{EXCEPTION[0]}：{title['zh']} {row.number}", "en": f"{EXCEPTION[1]}: {title['en']} {row.number}"}
    notices.send(to=list(to), kind=VACANT, title=said, text={"zh": text[0], "en": text[1]}, href=href, key=key, case_id=row.pk, actor=actor)


def _everywhere() -> list[Recipient]:
    return [ToRole(ANY_BUREAU, role.code) for role in organizations.list_roles() if _supervises_all(role)]


def _supervises_all(role: Role) -> bool:
    return any(right.permission in (SUPERVISE, ALL) and ALL in right.organizations for right in role.rights)


def _supervisors(row: CaseRecord, body: str = "") -> list[Recipient]:
    """Return who supervises cases of the kind in an organisation, by default the one that is asked, or that applies where none is."""
    body = body or row.owner or row.organization
    members = organizations.list_members(organization=body)
    actors = [organizations.actor_for(user_id=member.user_id, membership_id=member.id) for member in members]
    return list(dict.fromkeys(ToPerson(who.id, body, (who.role,)) for who in actors if who.may(SUPERVISE, organization=body, kind=row.kind_code)))


def _bearers(course: Course, keys: Iterable[str]) -> list[Recipient]:
    found: dict[Recipient, None] = {}
    items = [course.position["obligations"][key] for key in keys]
    there = holding.find_there({item["person"] for item in items})
    for item in items:
        person = item["assignee"] or item["person"]
        if person.startswith(PERSON):
            gone = not item["assignee"] and (person, item["organization"]) not in there
            found |= {} if gone else {_person(person, item): None}
        elif item["organization"]:
            found |= {ToRole(item["organization"], role): None for role in item["role"].split(ROLE_JOIN) if role}
    return [one for one in found if not isinstance(one, ToPerson) or one.id != course.moment.actor.id]


def _person(person: str, item: Mapping[str, Any]) -> ToPerson:
    """Return a person in the membership in which an obligation is theirs."""
    return ToPerson(person, item["organization"], tuple(filter(None, item["role"].split(ROLE_JOIN))))


def _send(
    kind: str, row: CaseRecord, course: Course, to: list[Recipient], said: tuple[str, str], text: tuple[str, str] = ("", ""), *,
    about: Iterable[str] = (), is_urgent: bool = False,
) -> None:  # fmt: skip
    if not to:
        return
    title = course.kind.title.as_mapping()
    notices.send(
        to=to,
        kind=kind,
        title={"zh": f"{said[0]}：{title['zh']} {row.number}", "en": f"{said[1]}: {title['en']} {row.number}"},
        text={"zh": text[0] or said[0], "en": text[1] or said[1]},
        href=reverse("cases:case", args=[row.pk]),
        key=f"{row.pk}:{course.position['case']['number']}:{course.moment.seq}:{kind}",
        case_id=row.pk,
        about=list(about),
        is_urgent=is_urgent,
        actor=course.moment.actor,
    )
