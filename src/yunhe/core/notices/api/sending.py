"""Sending: one announcement, a notice per person, a message per person and channel, all in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet

from yunhe.core.jobs.api import outbox
from yunhe.core.notices.api.preferences import wanted_channels
from yunhe.core.notices.api.registry import find_kind
from yunhe.core.notices.errors import BadNotice
from yunhe.core.notices.models import Announcement, ContactRow, Dispatch, NoticeRow
from yunhe.core.notices.rules import check_texts
from yunhe.core.notices.types import ANYWHERE, WEBHOOK, NoticeKind, Recipients, Sent, Texts, ToPerson, ToRole, ToSystem
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import UserNotFound
from yunhe.core.statements.api import Rows
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.ids import new_id

TOPIC = "notices.deliver"
PERSON = "user:"
ANNOUNCEMENTS, NOTICES = Rows(Announcement), Rows(NoticeRow)
MOST_DIGITS = 18
Place = tuple[int, str, str]
"""A person, and the organisation and role in which they are told ("": in any)."""


def send(
    *, to: Recipients, kind: str, title: Texts, text: Texts, actor: Actor, href: str = "", key: str = "", case_id: str = "",
    about: Collection[str] = (), is_urgent: bool = False,
) -> Sent:  # fmt: skip
    """Tell people something (通知); what is written stands and falls with the caller's transaction.

    Who is told in several memberships reads it in each; a message goes to the person, once.
    `about`: the ids of what it asks to do; once none of them is the person's to do, no message leaves. What `is_urgent`
    leaves in quiet hours too, for those who chose so.
    A second one with the same kind and non-empty key is the first one. Accounts that are closed are passed over.
    Title and text leave the house by e-mail and SMS: no personal data of third parties belongs into them.
    Raises: UnknownNoticeKind, BadNotice, OrganizationNotFound.
    """
    known = find_kind(code=kind)
    check_texts(title=title, text=text, href=href, key=key)
    with transaction.atomic():
        announcement = Announcement(
            id=new_id(), kind=kind, key=key, title_zh=title["zh"], title_en=title.get("en", ""), text_zh=text["zh"],
            text_en=text.get("en", ""), href=href, case_id=case_id, about=" ".join(about), is_urgent=is_urgent, actor_id=actor.id, sent_at=now(),
        )
        if not ANNOUNCEMENTS.insert_first({name: getattr(announcement, name) for name in ANNOUNCEMENTS.columns}):
            first = Announcement.objects.get(kind=kind, key=key)
            return Sent(first.pk, notices=0, messages=0, is_new=False)
        places, bodies = _resolve(to)
        persons = list(dict.fromkeys(person for person, _, _ in places))
        told = {"announcement_id": announcement.pk, "read_at": None}
        NOTICES.insert([{"id": new_id(), "user_id": person, "organization": body, "role": role, **told} for person, body, role in places])
        messages = _dispatch(announcement, known, persons, bodies)
    return Sent(announcement.pk, notices=len(persons), messages=messages)


def last_sent(*, kind: str, case_ids: Collection[str]) -> dict[str, datetime]:
    """Return when people were last told something of this kind about these cases, of those of which they were. Cost: one query."""
    found = Announcement.objects.filter(kind=kind, case_id__in=list(case_ids)).order_by().values("case_id")
    return {row["case_id"]: row["at"] for row in found.annotate(at=Max("sent_at"))} if case_ids else {}


def find_systems(*, organizations: Collection[str]) -> frozenset[str]:
    """Return which of these organisations have a webhook of their own. Cost: one query, none where none are asked for."""
    return frozenset(_hooks(organizations).order_by().values_list("organization", flat=True)) if organizations else frozenset()


def _hooks(bodies: Collection[str]) -> QuerySet[ContactRow]:
    return ContactRow.objects.filter(organization__in=bodies, channel=WEBHOOK, user=None).exclude(sealed=b"")


def publish(rows: Iterable[Dispatch]) -> int:
    """Write the outbox messages of dispatches, one each; return how many."""
    count = 0
    for row in rows:
        outbox.publish(topic=TOPIC, payload={"dispatch": row.pk}, key=row.pk)
        count += 1
    return count


def new_dispatch(*, channel: str, at: datetime, announcement: Announcement | None = None, user_id: int | None = None,
                 organization: str = "", contact: ContactRow | None = None) -> Dispatch:  # fmt: skip
    """Return an unsaved dispatch that waits."""
    return Dispatch(
        id=new_id(), announcement=announcement, contact=contact, user_id=user_id, organization=organization,
        channel=channel, made_at=at, due_at=at,
    )


def _resolve(to: Recipients) -> tuple[list[Place], list[str]]:
    """Return who is told in which membership, and the organisations told, each once."""
    places: dict[Place, None] = {}
    bodies: dict[str, None] = {}
    for one in to:
        match one:
            case ToPerson():
                places.update(dict.fromkeys(_places(one)))
            case ToRole(organization=organization, role=role) if organization == ANYWHERE:
                held = organizations.list_holders(role=role)
                places.update(dict.fromkeys((member.user_id, member.organization, role) for member in held))
            case ToRole(organization=organization, role=role):
                body = organizations.get_organization(code=organization)
                held = organizations.list_members(organization=body.code, role=role)
                places.update(dict.fromkeys((member.user_id, body.code, role) for member in held))
                bodies[body.code] = None
            case ToSystem(organization=organization):
                bodies[organization] = None
    return [one for one in places if not _is_within(one, places)], list(bodies)


def _is_within(place: Place, others: Collection[Place]) -> bool:
    """Tell whether the person is told the same in a wider place: in any of their roles there, or wherever they act."""
    person, body, role = place
    return bool((body and (person, "", "") in others) or (role and (person, body, "") in others))


def _places(one: ToPerson) -> tuple[Place, ...]:
    """Return in which memberships a person is told; none for a closed account. Raises: BadNotice."""
    found = _person(one.id)
    if not found or not one.roles or (one.organization != ANYWHERE and len(one.roles) == 1):
        body = "" if one.organization == ANYWHERE else one.organization
        return tuple((person, body, one.roles[0] if one.roles and body else "") for person in found)
    held = organizations.list_memberships(user_id=found[0])
    there = (m for m in held if m.role in one.roles and one.organization in (ANYWHERE, m.organization))
    as_holder = tuple((found[0], m.organization, m.role) for m in there)
    return as_holder or ((found[0], "" if one.organization == ANYWHERE else one.organization, ""),)


def _person(actor_id: str) -> tuple[int, ...]:
    """Return the open account of an Actor's id, or nothing. Raises: BadNotice if it is no person's."""
    number = actor_id.removeprefix(PERSON)
    if not actor_id.startswith(PERSON) or not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
        raise BadNotice(where="to", expected="user:NUMBER", found=actor_id[:60])
    try:
        person = organizations.get_person(user_id=int(number))
    except UserNotFound:
        return ()
    return (person.id,) if person.is_active else ()


def _dispatch(announcement: Announcement, kind: NoticeKind, persons: Collection[int], bodies: Collection[str]) -> int:
    at = announcement.sent_at
    rows = [
        new_dispatch(channel=channel, at=at, announcement=announcement, user_id=person)
        for person, channels in wanted_channels(kind=kind, persons=persons).items()
        for channel in channels
    ]
    if bodies:
        hooks = _hooks(bodies).order_by("id")
        rows += [new_dispatch(channel=WEBHOOK, at=at, announcement=announcement, organization=hook.organization) for hook in hooks]
    Dispatch.objects.bulk_create(rows)
    return publish(rows)
