"""Every generic operator on every kind of the national pack: what rooms hold and where the case stands never part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import Cast, Member
from tests.core.cases.kinds import NATIONAL, load_national_limits, national_kind
from tests.core.registers.conftest import ASSET, BODY
from tests.data import spine
from yunhe.core.cases import api as cases
from yunhe.core.cases.api import slots
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.types import Case
from yunhe.core.jobs import api as jobs
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import User
from yunhe.core.packs import api as packs
from yunhe.core.registers import api as registers
from yunhe.core.registers.models import EntryRecord
from yunhe.core.registers.types import RegisterType
from yunhe.data.lake import api as lake
from yunhe.data.lake.models import LoadRecord, ReleaseRecord
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.errors import YunheError
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import PageRequest
from yunhe.kernel.workdays import read_calendar

pytestmark = pytest.mark.django_db(transaction=True)
Step = tuple[str, str, dict[str, Any]]
Told = dict[str, Any]
REASON = {"reason": "理由"}

# How a case of each kind comes to each position in which people can use operators: who, which action, its form.
WAYS: dict[str, tuple[tuple[Step, ...], ...]] = {
    "publication": (
        (),
        (("leader", "send_back", REASON),),
        (("leader", "approve", {}),),
        (("leader", "send_back", REASON), ("steward", "resubmit", {})),
        (("leader", "approve", {}), ("data_admin", "send_back", REASON)),
    ),
    "data_request": ((), (("leader", "send_back", REASON),)),
    "account_request": (
        (),
        (("system_admin", "create", {}),),
        (("system_admin", "create", {}), ("security_admin", "grant", {})),
    ),
    "account_closing": ((),),
    "role_request": ((),),
    "leave_handover": ((),),
    "quarantine_return": (
        (),
        (("steward", "genuine", {"statement": "属实"}),),
        (("steward", "corrected", {"note": "已改"}),),
        (("steward", "genuine", {"statement": "属实"}), ("data_admin", "reject", REASON)),
    ),
    "release_rollback": ((), (("leader", "approve", {}),)),
}


class _Undone(Exception):
    """Takes back what was tried."""


class World:
    """The rooms and their cases. `open_KIND(n)` opens the n-th case of a kind, `KIND_together(case)` tells whether its room agrees."""

    def __init__(self, cast: Cast, source: Path, grants: list[str]) -> None:
        self.cast, self.source, self.grants, self.resource = cast, source, grants, ""
        registers.define_type(declared=RegisterType.model_validate(ASSET), source="tests", actor=job_actor("tests"))

    def open_publication(self, number: int) -> Case:
        steward = self.cast.steward.actor
        entry = registers.create_entry(type_code="asset", owner=self.cast.owner.code, title=f"目录 {number}", body=BODY, actor=steward)
        registers.submit_entry(entry_id=entry.entry_id, actor=steward)
        found = cases.find_open_case(kind="publication", subject_type="register_entry", subject_id=entry.entry_id)
        assert found is not None
        return found

    def publication_together(self, case: Case) -> bool:
        wanted = {"review": "in_review", "release": "in_review", "revision": "draft"}[case.phase]
        return EntryRecord.objects.get(pk=case.subject_id).open_state == wanted

    def open_data_request(self, number: int) -> Case:
        asked = {"resource": "300001/0001", "resource_title": "企业登记信息", "sharing": "conditional", "automatic": True}
        asked |= {"fields": ["name"], "purpose": "核验", "legal_basis": "条例", "until": "2030-03-01"}
        return self._open("data_request", asked, self.cast.clerk, owner=self.cast.owner.code)

    def data_request_together(self, case: Case) -> bool:
        return (case.case_id in self.grants) == (case.phase == "granted")

    def open_account_request(self, number: int) -> Case:
        asked = {"display_name": "新人", "username": f"xinren{number}", "role": "officer", **REASON}
        return self._open("account_request", asked, self.cast.leader)

    def account_request_together(self, case: Case) -> bool:
        account = User.objects.filter(username=case.data["username"]).first()
        roles = organizations.list_memberships(username=account.username) if account else ()
        held = (account is not None and account.is_active, bool(roles))
        return held == (case.phase in ("granting", "handing_over"), case.phase == "handing_over")

    def open_account_closing(self, number: int) -> Case:
        return self._open("account_closing", {"person": ("officer", "steward")[number], **REASON}, self.cast.leader)

    def account_closing_together(self, case: Case) -> bool:
        return organizations.get_person(username=case.data["person"]).is_active == (case.phase == "closing")

    def open_role_request(self, number: int) -> Case:
        asked = {"change": "grant", "person": "officer", "role": ("data_steward", "data_leader")[number], **REASON}
        return self._open("role_request", asked, self.cast.leader)

    def role_request_together(self, case: Case) -> bool:
        held = {m.role for m in organizations.list_memberships(username=case.data["person"])}
        return (case.data["role"] in held) == (case.phase == "done")

    def open_leave_handover(self, number: int) -> Case:
        today = local(now()).date()
        asked = {"delegate": ("officer", "leader")[number], "since": today, "until": today, **REASON}
        return self._open("leave_handover", asked, self.cast.steward)

    def leave_handover_together(self, case: Case) -> bool:
        running = [d for d in cases.list_delegations(actor=self.cast.steward.actor) if d.ended_at is None]
        return bool(running) == (case.phase == "handed_over")

    def open_quarantine_return(self, number: int) -> Case:
        bad = [spine.uscc(number), "坏日期", "2020-02-30", "329901", 1]
        self._load([*spine.rows(5), bad])
        load = LoadRecord.objects.order_by("-started_at").values_list("pk", flat=True)[0]
        return lake.return_to_source(load_id=load, reason="日期不成立", actor=self.cast.data_admin.actor)

    def quarantine_return_together(self, case: Case) -> bool:
        found = lake.find_return(load_id=case.data["load_id"])
        return found is not None and found.case_id == case.case_id

    def open_release_rollback(self, number: int) -> Case:
        self.resource = ""
        for count in (5, 6):
            self._load(spine.rows(count))
        first = ReleaseRecord.objects.filter(resource_code=self.resource).order_by("number").values_list("pk", flat=True)[0]
        return lake.request_roll_back(code=self.resource, release_id=first, reason="新版缺行", actor=self.cast.steward.actor)

    def release_rollback_together(self, case: Case) -> bool:
        under_way = lake.find_roll_back(code=case.data["resource"])
        waiting = jobs.list_jobs(request=PageRequest(size=50, filters={"state": "ready"}), actor=job_actor("tests")).items
        enqueued = any(job.name == "lake.roll_back" and job.key == case.case_id for job in waiting)
        return under_way is not None and enqueued == (case.phase == "running")

    def _open(self, kind: str, asked: Told, member: Member, **more: str) -> Case:
        return cases.open_case(kind=kind, title="一件", data=asked, actor=member.actor, **more)

    def _load(self, rows: list[list[object]]) -> None:
        spine.write_csv(self.source, rows)
        self.resource = self.resource or spine.publish(self.source, self.cast.owner.code, title=new_id())
        done = spine.load(self.resource, self.cast.steward.actor)
        assert done.state == "successful", done.error


@pytest.fixture
def world(db: None, tmp_path: Path, settings: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    grants: list[str] = []
    granting = slots.Effect("exchange.grant", frozenset(), lambda context: grants.append(context.case.case_id))
    monkeypatch.setitem(slots._effects, "exchange.grant", granting)
    return World(cast, tmp_path / "a.csv", grants)


def load_kind(kind: str) -> None:
    """Load the pack where the case stands on loads of data; else what the kind alone needs."""
    actor = job_actor("tests")
    if kind in ("quarantine_return", "release_rollback"):
        packs.load_pack(name_or_path="national", actor=actor)
        return
    load_national_limits()
    cases.replace_calendar(days=read_calendar(NATIONAL / "calendars" / "workdays.csv").days, source="national")
    cases.publish_kind(spec=national_kind(kind), source="national", actor=actor)


def members(cast: Cast) -> Mapping[str, Member]:
    return {field.name: told for field in fields(cast) if isinstance(told := getattr(cast, field.name), Member)}


def attempts(case: Case, other: Case) -> Iterator[tuple[str, Callable[..., object], Told]]:
    """Yield every operator with every argument that could be right for somebody."""
    limits = {"amount": 1, "basis": "依据", **REASON}
    yield "retract", cases.retract, REASON
    yield "remind", cases.remind, REASON
    yield "escalate", cases.escalate, REASON
    yield "suspend", cases.suspend, {"basis": "依据", **REASON}
    yield "extend", cases.extend, limits
    yield "split", cases.split, {"titles": ["甲", "乙"], **REASON}
    yield "merge", cases.merge, {"into": other.case_id, **REASON}
    for item in cases.access_case(case_id=case.case_id, actor=job_actor("tests")).obligations:
        if item.state != "open":
            continue
        seat = {"obligation_id": item.obligation_id}
        yield "extend", cases.extend, {**seat, **limits}
        for name in ("officer", "leader", "steward"):
            yield "hand_on", cases.hand_on, {**seat, "to": name, **REASON}
        yield "add_reviewer", cases.add_reviewer, {**seat, "to": ["officer"], **REASON}
        for phase in cases.get_kind(code=case.kind).phases:
            yield "send_back", cases.send_back, {**seat, "phase": phase.code, **REASON}


def require_together(world: World, case: Case, known: set[str], after: str) -> None:
    found = cases.get_case(case_id=case.case_id)
    assert set(CaseRecord.objects.filter(kind_code=case.kind).values_list("pk", flat=True)) == known, after
    assert found.state != "closed", after
    assert getattr(world, f"{case.kind}_together")(found), (after, found.phase)


def attempt(call: Callable[..., object], told: Told, actor: Actor, check: Callable[[], None]) -> bool:
    """Use an operator as somebody, check, and take it back; tell whether it was allowed."""
    try:
        with transaction.atomic():
            call(**told, actor=actor)
            check()
            raise _Undone
    except _Undone:
        return True
    except YunheError:
        return False


def try_all(world: World, case: Case, other: Case) -> set[str]:
    """Return the operators that somebody could use where the case stands; after none of them is it apart from its room."""
    known = set(CaseRecord.objects.filter(kind_code=case.kind).values_list("pk", flat=True))
    require_together(world, case, known, "its own steps")
    used = set[str]()
    for name, call, told in attempts(case, other):
        for who, member in members(world.cast).items():
            check = partial(require_together, world, case, known, f"{name} {told} by {who}")
            if attempt(call, {"case_id": case.case_id, **told}, member.actor, check):
                used.add(name)
    return used


def test_every_kind_of_the_national_pack_is_tried() -> None:
    assert WAYS.keys() == {path.stem for path in (NATIONAL / "cases").glob("*.yml")}


@pytest.mark.parametrize("kind", sorted(WAYS))
def test_no_operator_parts_a_case_from_what_its_room_holds(world: World, kind: str) -> None:
    load_kind(kind)
    people, used = members(world.cast), set[str]()
    opened = [getattr(world, f"open_{kind}")(number) for number in (0, 1)]
    for way in WAYS[kind]:
        case, other = (cases.get_case(case_id=one.case_id) for one in opened)
        try:
            with transaction.atomic():
                for who, action, form in way:
                    cases.act(case_id=case.case_id, action=action, data=form, actor=people[who].actor)
                used |= try_all(world, case, other)
                raise _Undone
        except _Undone:
            continue
    assert used <= set(cases.get_kind(code=kind).operators)
    assert "remind" in used
