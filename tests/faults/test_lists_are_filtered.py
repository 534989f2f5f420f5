"""Every list, search, count, export, page, API call and message about cases, for everybody: nobody reads what is not theirs.

Each case carries a canary: a word that is nowhere else, in its title, its data and every text that people wrote.
Who may see which case is a table written by hand. The addresses come from the table of addresses itself, so that a
page that is added later is walked, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.db.models import Q
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.conftest import BODIES, Cast, Member, _member
from tests.core.cases.conftest import calendar, clock  # noqa: F401
from tests.faults.world import plain_permit
from tests.soaking import is_soaking
from yunhe.core.cases import api
from yunhe.core.cases.api import seeing
from yunhe.core.cases.models import CaseQuerySet, CaseRecord, EventRecord, ObligationQuerySet
from yunhe.core.jobs import api as jobs
from yunhe.core.notices.api import mailbox
from yunhe.core.notices.models import NoticeRow
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import User
from yunhe.kernel.actor import Actor, Right, job_actor
from yunhe.kernel.pages import PageRequest
from yunhe.ui.po import compile_texts

compile_texts()
pytestmark = [pytest.mark.django_db, pytest.mark.soak, pytest.mark.timeout(3600)]
HEAD = job_actor("tests")
BIRD = "金丝雀"
FAR = {"far": ("113299000032990520", "示范市档案局", "市档案局"), "near": ("113299000032990621", "示范市林业局", "市林业局")}
# What each case is about: who applies, whom it asks, which departments give an opinion, how far it goes.
CASES = {
    "cedar": ("other", "owner", (), "open"),
    "lotus": ("far", "near", (), "open"),
    "maple": ("far", "near", ("near", "far"), "reviewed"),
    "tulip": ("far", "owner", ("owner", "bureau"), "reviewed"),
    "plums": ("near", "far", (), "closed"),
    "birch": ("other", "near", ("near",), "asked"),
    "daisy": ("other", "owner", (), "merged into tulip"),
}
SHARED = {"double": "far", "double_there": "other"}
"""One person in two memberships: as whom of the two, and in which organisation."""
SEES_ALL, SEES_NONE = ("data_admin",), ("system_admin", "security_admin", "audit_admin")
BODY_OF = {"steward": "owner", "leader": "owner", "officer": "owner", "clerk": "other", "bureau_clerk": "bureau", **SHARED}
QUERIES = (
    "", f"?q={BIRD}", f"?search={BIRD}", "?export=1", "?export=csv", "?page=2&size=1", "?size=500", "?kind=permit", "?state=open",
    "?state=closed", "?due=later", "?part=handled", "?sort=title", "?sort=-opened_at", "?case={case}", "?case_id={case}&q={number}",
    "?subject_id={case}", "?print=1",
)  # fmt: skip
ROOMS = ("cases", "notices", "attachments", "evidence", "jobs", "registers", "api", "")


@dataclass(frozen=True, slots=True)
class Zoo:
    """The cast with two organisations that nobody of it belongs to, who is in one of these and in one of the cast's, and the cases by their word."""

    cast: Cast
    strangers: dict[str, Member]
    ids: dict[str, str]
    there: int

    def member(self, person: str) -> Member:
        """Return who this is; of the one in two memberships the first."""
        return self.strangers["far_data_steward"] if person in SHARED else getattr(self.cast, person)

    def client(self, person: str) -> Client:
        """Return a browser in which somebody is signed in, in the membership that their name says."""
        client = browser(self.member(person))
        if person in SHARED:
            chosen = self.there if person == "double_there" else self.member(person).membership_id
            assert client.post("/membership", {"membership": str(chosen)}).status_code == 302
        return client

    def actor(self, person: str) -> Actor:
        """Return somebody as they act."""
        one = self.member(person)
        return organizations.actor_for(user_id=one.user_id, membership_id=self.there) if person == "double_there" else one.actor

    def sees(self, person: str, word: str) -> bool:
        """The judge: whether somebody may see a case."""
        applicant, owner, departments, _ = CASES[word]
        return person in SEES_ALL or BODY_OF.get(person, "-") in {applicant, owner, *departments}


def canary(word: str) -> str:
    """Return the word as nobody would type it."""
    return f"zq{word}qz"


@pytest.fixture
def zoo(clock: Any, cast: Cast, calendar: None) -> Zoo:  # noqa: F811
    bodies = {key: getattr(cast, key) for key in BODIES}
    for key, (code, name, short) in FAR.items():
        bodies[key] = organizations.create_organization(code=code, name=name, short_name=short, region="329900", actor=HEAD)
    strangers = {
        f"{key}_{role}": _member(f"{key}_{role}", bodies[key], role, f"{key}{role}")
        for key, role in product(FAR, ("data_steward", "data_leader"))
    }
    double = strangers["far_data_steward"]
    there = organizations.add_membership(username=double.username, organization=bodies["other"].code, role="data_steward", actor=HEAD)
    api.publish_kind(spec=plain_permit(), source="tests", actor=HEAD)
    people = {
        "owner": (cast.steward, cast.leader), "other": (cast.clerk, cast.clerk), "bureau": (cast.data_admin, cast.data_admin),
        **{key: (strangers[f"{key}_data_steward"], strangers[f"{key}_data_leader"]) for key in FAR},
    }  # fmt: skip
    codes = {key: body.code for key, body in bodies.items()}
    made = Zoo(cast, strangers, {word: live(word, people, codes) for word in CASES}, there.id)
    jobs.run_pending()
    return made


def live(word: str, people: dict[str, tuple[Member, Member]], codes: dict[str, str]) -> str:
    """Open a case and bring it as far as it goes; its canary is in everything that is written."""
    applicant, owner, departments, stage = CASES[word]
    steward = people[owner][0]
    told = {"title": f"{BIRD} {canary(word)}", "data": {"place": canary(word), "area": 3}}
    case_id = api.open_case(kind="permit", actor=people[applicant][0].actor, owner=codes[owner], **told).case_id
    api.remind(case_id=case_id, reason=canary(word), actor=people[applicant][0].actor)
    if departments:
        given = {"departments": [codes[one] for one in departments]}
        api.act(case_id=case_id, action="accept", data=given, actor=steward.actor)
        first = people[departments[0]][1]
        api.act(case_id=case_id, action="object", data={"reason": canary(word)}, actor=first.actor)
    if stage in ("asked", "closed") and not departments:
        api.act(case_id=case_id, action="ask", data={"missing": canary(word)}, actor=steward.actor)
    if stage.startswith("merged"):
        master = CaseRecord.objects.get(title__endswith=canary(stage.split()[-1]))
        api.merge(case_id=case_id, into=master.pk, reason=canary(word), actor=steward.actor)
    elif stage == "closed":
        api.act(case_id=case_id, action="give_up", data={}, actor=people[applicant][0].actor)
    else:
        api.escalate(case_id=case_id, reason=canary(word), actor=HEAD)
    return case_id


def addresses() -> list[tuple[str, str]]:
    """Return every address of the product as (room, route) from its own table."""

    def walk(patterns: Any, before: str, room: str) -> Iterator[tuple[str, str]]:
        for one in patterns:
            route = before + str(one.pattern).removeprefix("^").removesuffix("$")
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, route, one.app_name or room)
            elif isinstance(one, URLPattern):
                yield "api" if route.startswith("/api/") else room, route

    return sorted(set(walk(get_resolver().url_patterns, "/", "")))


def filled(route: str, case_id: str, kind: str = "permit") -> str:
    """Return the address about a case: its id, and its parts' ids, where the route asks for something."""
    row, parts = CaseRecord.objects.get(pk=case_id), route.split("<")
    opened = row.obligations.first()
    notice = NoticeRow.objects.filter(announcement__case_id=case_id).first()
    known = {
        "case_id": case_id, "obligation_id": opened.pk if opened else "x", "kind": kind, "action": "accept",
        "operator": "remind", "notice_id": notice.pk if notice else "x",
    }  # fmt: skip
    for part in parts[1:]:
        inside = part.partition(">")[0]
        converter, _, name = inside.rpartition(":")
        route = route.replace(f"<{inside}>", str(known.get(name, 1 if converter == "int" else case_id)))
    return route


def knocks(zoo: Zoo) -> list[str]:
    """Return what is asked for by everybody: each list in every way, each page of every case."""
    rooms = None if is_soaking() else {"cases", "notices", "api", ""}
    found: dict[str, None] = {}
    for room, route in addresses():
        if (rooms is not None and room not in rooms) or "logout" in route or "static" in route:
            continue
        if rooms is not None and room == "api" and "case" not in route and "notice" not in route:
            continue
        for word, case_id in zoo.ids.items():
            row = CaseRecord.objects.get(pk=case_id)
            told = {"case": case_id, "number": row.number}
            if "<" in route:
                found[filled(route, case_id)] = None
            elif is_soaking() or word in ("lotus", "plums"):
                found |= {route + query.format(**told): None for query in QUERIES if is_soaking() or room in ("cases", "notices", "api")}
        if "<" not in route:
            found[route] = None
    return list(found)


def browser(member: Member) -> Client:
    User.objects.update(must_change_password=False)
    client = Client(raise_request_exception=False)
    answer = client.post("/login", {"username": member.username, "password": member.password, "next": "/"})
    assert answer.status_code == 302
    return client


def leaks(zoo: Zoo, person: str, asked: list[str]) -> tuple[list[str], set[str], Counter[int]]:
    """Knock at every address as somebody; return where they read what is not theirs, what they read, how it was answered."""
    client, found, read, met = zoo.client(person), [], set[str](), Counter[int]()
    for address in asked:
        answer = client.get(address)
        met[answer.status_code] += 1
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        text = body.decode("utf-8", "replace") + str(answer.headers)
        seen = {word for word in zoo.ids if canary(word) in text}
        found += [f"{person} {address}: {word}" for word in seen if not zoo.sees(person, word)]
        found += [f"{person} {address}: {answer.status_code}"] * (answer.status_code >= 500)
        read |= seen
    return found, read, met


def test_nobody_reads_what_is_not_theirs(zoo: Zoo) -> None:
    asked = knocks(zoo)
    assert len(asked) > 100 and any(address.startswith("/api/v1/cases") for address in asked)
    everybody = (*BODY_OF, *SEES_ALL, *SEES_NONE)
    for turn, person in enumerate(everybody if is_soaking() else ("leader", "audit_admin", "double_there")):
        found, read, met = leaks(zoo, person, asked if is_soaking() else asked[turn % 2 :: 2])
        assert found == []
        assert read == {word for word in CASES if zoo.sees(person, word)}, person  # not by seeing nothing at all
        assert met[200] > 5 and (person in SEES_ALL or met[404] + met[403] > 20), (person, met)


def test_a_hole_is_found(zoo: Zoo, monkeypatch: pytest.MonkeyPatch) -> None:
    holes: tuple[tuple[str, tuple[Any, str, Any]], ...] = (
        ("/notices/", (mailbox, "_here", lambda actor: Q())),
        ("/api/v1/notices", (mailbox, "_here", lambda actor: Q())),
        ("/inbox/cases/", (CaseQuerySet, "visible_to", lambda rows, actor, states=(): rows.all())),
        ("/inbox/cases/?", (CaseQuerySet, "visible_to", lambda rows, actor, states=(): rows.all())),
        ("/inbox/cases/?size", (seeing, "seen_places", lambda actor: (Right("cases.view"),))),
        ("/inbox/", (ObligationQuerySet, "waiting_for", lambda rows, actor, roles: rows.filter(state="open"))),
        ("/api/v1/cases/", (api.reading, "require_visible", lambda row, actor: None)),
    )
    asked = knocks(zoo)
    for place, hole in holes:
        with monkeypatch.context() as patch:
            patch.setattr(*hole)
            person = "double_there" if hole[0] is mailbox else "clerk"
            found, _, _ = leaks(zoo, person, [address for address in asked if address.startswith(place)])
        assert any(word in line for line in found for word in ("lotus", "maple", "tulip", "plums")), (place, found)


def test_counts_tell_nothing_of_what_is_not_theirs(zoo: Zoo) -> None:
    filters = {"kind": ("", "permit"), "state": ("", "open", "closed"), "due": ("", "later", "overdue"), "phase": ("", "intake", "review")}
    for person in (*BODY_OF, *SEES_ALL, *SEES_NONE):
        actor = zoo.actor(person)
        mine = [CaseRecord.objects.get(pk=zoo.ids[word]) for word in CASES if zoo.sees(person, word)]
        for values in list(product(*filters.values()))[:: 1 if is_soaking() else 7]:
            wanted = {name: value for name, value in zip(filters, values, strict=True) if value}
            for search in ("", BIRD, "zqlotus", canary("cedar")):
                page = api.list_cases(request=PageRequest(filters=wanted, search=search, size=500), actor=actor)
                expected = {row.pk for row in mine if search in row.search and all(matches(row, *one) for one in wanted.items())}
                assert {case.case_id for case in page.items} == expected and page.total == len(expected), (person, wanted, search)
                counted = {(f.name, f.value): f.count for f in page.facets if f.count}
                others = [one for one in wanted.items() if one[0] != "state"]
                of_any_state = [row for row in mine if search in row.search and all(matches(row, *one) for one in others)]
                assert sum(count for (name, _), count in counted.items() if name == "state") == len(of_any_state)
        assert api.count_waiting(actor=actor) == api.list_waiting(request=PageRequest(), actor=actor).total


def matches(row: CaseRecord, name: str, value: str) -> bool:
    """Return whether a row passes one filter, as read from the words of the filter."""
    if name == "due":
        return row.state != "closed" and value == "later"  # everything is due in weeks, or without a limit
    return bool({"kind": row.kind_code, "state": row.state, "phase": row.phase}[name] == value)


def test_messages_go_to_those_who_may_see_the_case(zoo: Zoo) -> None:
    persons = {f"user:{zoo.member(name).user_id}": name for name in (*BODY_OF, *SEES_ALL, *SEES_NONE) if name not in SHARED}
    words = {case_id: word for word, case_id in zoo.ids.items()}
    told = Counter[str]()
    for notice in NoticeRow.objects.select_related("announcement").exclude(announcement__case_id=""):
        name = persons.get(f"user:{notice.user_id}")
        word = words[notice.announcement.case_id]
        told[name or "strangers"] += 1
        assert name is None or zoo.sees(name, word), (name, word)
        others = {canary(one) for one in CASES if one != word}
        assert not any(one in notice.announcement.text_zh + notice.announcement.title_zh for one in others)
    assert told["steward"] and told["strangers"]


def test_nobody_changes_what_is_not_theirs(zoo: Zoo) -> None:
    client, before = browser(zoo.cast.clerk), EventRecord.objects.count()
    hidden = [zoo.ids[word] for word in CASES if not zoo.sees("clerk", word)]
    asked = [filled(route, case_id) for room, route in addresses() for case_id in hidden if room in ("cases", "api") and "case_id" in route]
    for address in asked:
        answer = client.post(address, {"reason": "x", "version": "1"})
        assert answer.status_code in (400, 403, 404, 405, 415, 422), (address, answer.status_code)
        assert not any(canary(word) in answer.content.decode() for word in CASES if not zoo.sees("clerk", word))
    assert len(asked) > 10 and EventRecord.objects.count() == before
