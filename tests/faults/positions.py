"""Where a golden home leaves things, each in the middle: how it is left, how it is found again, how it is ended.

What a home holds is named in the table beside it, so an older home is asked for what it holds and no more. Things are
found by the keys under which clients handed them in, never by what the program that made the home still knew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.conftest import BODIES, PERSONS, Cast, Member
from tests.faults import story
from tests.faults.world import FOUNDER, POST, World
from yunhe.core.attachments import api as attachments
from yunhe.core.cases import api
from yunhe.core.cases.models import CaseRecord, ClockRecord, DraftRecord, MigrationRecord, ObligationRecord
from yunhe.core.cases.types import Case, KindSpec
from yunhe.core.evidence import api as evidence
from yunhe.core.evidence.api.records import read_row
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.notices.models import Dispatch
from yunhe.core.organizations import api as organizations
from yunhe.core.packs import api as packs
from yunhe.kernel.clock import now
from yunhe.kernel.pages import PageRequest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PLAN = "一层平面图".encode()
DRAFT = "golden-form"
WHY = story.WHY


@dataclass(frozen=True, slots=True)
class Position:
    """`leave` puts it into a home; `found` fails unless it is there; `finish` brings it to its end."""

    name: str
    leave: Callable[[World], object]
    found: Callable[[World], object]
    finish: Callable[[World], object]


def leave_all(world: World) -> list[str]:
    """Load the packs of the examples, leave everything in its position; return the names."""
    packs.load_pack(name_or_path="national", actor=FOUNDER)
    older = [one for one in POSITIONS if one.name in OF_OLDER_KINDS]
    for position in older:
        position.leave(world)
    for name in ("permit", "ticket", "award", "opening"):
        packs.load_pack(name_or_path=EXAMPLES / name, actor=FOUNDER)
    for position in POSITIONS:
        if position not in older:
            position.leave(world)
    return [position.name for position in POSITIONS]


def failures(names: list[str], world: World, part: str) -> list[str]:
    """Do one part of each position that a home holds; return what was not as it must be."""
    known = {position.name: position for position in POSITIONS}
    found = []
    for name in names:
        try:
            getattr(known[name], part)(world)
        except Exception as error:  # noqa: BLE001  whatever it is, it is told
            found.append(f"{name}: {type(error).__name__} {error}")
    return found


def broken_seals() -> list[str]:
    """Return the evidence of any kind whose seal does not hold."""
    return [f"{row.kind} {row.pk}" for row in EvidenceRow.objects.order_by("pk") if not evidence.is_intact(record=read_row(row))]


def world_of(home: Path) -> World:
    """Return the people of a home that was made earlier."""
    bodies = {key: organizations.find_organization(code=code) for key, (code, _name, _short) in BODIES.items()}
    assert all(bodies.values()), bodies
    return World(Cast(**bodies, **{name: _person(name) for name in PERSONS}), _person("tongshi"), home / POST)  # type: ignore[arg-type]


def _person(username: str) -> Member:
    person = organizations.get_person(username=username)
    (membership,) = organizations.list_memberships(user_id=person.id)
    actor = organizations.actor_for(user_id=person.id, membership_id=membership.id)
    return Member(username, "", person.id, membership.id, actor)


def _check(holds: object, said: object) -> None:
    if not holds:
        raise AssertionError(str(said))


def _open(world: World, kind: str, key: str, member: Member | None = None, owner: str = "", **data: Any) -> Case:
    told = {"title": f"一件 {key}", "data": data, "actor": (member or world.cast.clerk).actor}
    return api.open_case(kind=kind, owner=owner or world.cast.owner.code, request_key=f"client:{key}", **told)


def _act(member: Member, case: Case | str, action: str, **data: Any) -> Case:
    """Take an action that the page of the case offers this person now."""
    case_id = case.case_id if isinstance(case, Case) else story.case_of(case).case_id
    offered = [one for one in api.access_case(case_id=case_id, actor=member.actor).actions if one.name == action and not one.refusal]
    _check(offered, f"{action} is not offered to {member.username}")
    return api.act(case_id=case_id, action=action, data=data, actor=member.actor, obligation_id=offered[0].obligation_id)


def _stands(key: str, phase: str, state: str = "open") -> Case:
    case = story.case_of(key)
    _check((case.phase, case.state) == (phase, state), f"{key} stands in {case.phase}, {case.state}")
    return case


def _ended(case: Case | str, outcome: str) -> None:
    now_is = api.get_case(case_id=case.case_id) if isinstance(case, Case) else story.case_of(case)
    _check((now_is.state, now_is.outcome) == ("closed", outcome), f"{now_is.number} is {now_is.state}, {now_is.outcome}")


def _upload(member: Member) -> str:
    return attachments.store_file(name="平面图.txt", size=len(PLAN), content=BytesIO(PLAN), actor=member.actor, purpose="papers").id


def _read(file_id: str, member: Member) -> None:
    told, file = attachments.open_bytes(attachment_id=file_id, actor=member.actor)
    with file:
        _check((told.name, file.read()) == ("平面图.txt", PLAN), "the file is another")


# A form that opens a case, with a file in it; and the form of an action.


def _leave_form(world: World) -> None:
    clerk = world.cast.clerk
    values = {"title": "草稿一件", "owner": world.cast.owner.code, "place": "解放路", "area": 20, "papers": [_upload(clerk)]}
    api.keep_opening(kind="permit", scope=DRAFT, values=values, actor=clerk.actor)


def _find_form(world: World) -> dict[str, Any]:
    draft, _beside = api.find_drafts(scope=DRAFT, actor=world.cast.clerk.actor)
    _check(draft and draft.values["place"] == "解放路", draft)
    assert draft is not None
    (file_id,) = draft.values["papers"]
    _check(attachments.access_draft(attachment_id=file_id, actor=world.cast.clerk.actor).is_draft, "the file is no draft")
    return dict(draft.values)


def _hand_form_in(world: World) -> None:
    values, clerk = _find_form(world), world.cast.clerk
    told = {"title": values.pop("title"), "owner": values.pop("owner"), "request_key": api.request_key_of(DRAFT), "draft": DRAFT}
    case = api.open_case(kind="permit", data=values, actor=clerk.actor, **told)
    _read(case.data["papers"][0], world.cast.steward)
    _check(api.find_drafts(scope=DRAFT, actor=clerk.actor) == (None, ()), "the draft is still there")
    _grant(world, case)


def _leave_action(world: World) -> None:
    case = _open(world, "permit", "half-filled", place="解放路", area=20)
    (offered,) = [one for one in api.access_case(case_id=case.case_id, actor=world.cast.steward.actor).actions if one.name == "accept"]
    told = {"obligation_id": offered.obligation_id, "action": "accept", "values": {"departments": [world.cast.owner.code]}}
    api.keep_action(case_id=case.case_id, actor=world.cast.steward.actor, **told)


def _find_action(world: World) -> Any:
    mine = [one for one in api.list_drafts(actor=world.cast.steward.actor) if one.action == "accept"]
    _check([one.case_number for one in mine] == [_stands("half-filled", "intake").number] and mine[0].is_open, mine)
    return mine[0]


def _hand_action_in(world: World) -> None:
    draft = _find_action(world)
    told = {"case_id": draft.case_id, "action": draft.action, "obligation_id": draft.obligation_id, "data": dict(draft.values)}
    api.act(actor=world.cast.steward.actor, **told)
    _check(not DraftRecord.objects.filter(pk=draft.draft_id).exists(), "the draft is still there")
    _grant(world, story.case_of("half-filled"), accepted=True)


def _grant(world: World, case: Case, *, accepted: bool = False) -> None:
    """Lead a permit to its grant; one department is asked."""
    cast = world.cast
    if not accepted:
        _act(cast.steward, case, "accept", departments=[cast.owner.code])
    _act(cast.leader, case, "agree")
    _act(cast.leader, case, "grant")
    _ended(case, "granted")


def _leave_file(world: World) -> None:
    _open(world, "permit", "with-file", place="解放路", area=20, papers=[_upload(world.cast.clerk)])


def _find_file(world: World) -> None:
    (file_id,) = _stands("with-file", "intake").data["papers"]
    for member in (world.cast.clerk, world.cast.steward):
        _read(file_id, member)


# A clock that stands, a case that stands, one that went into another, somebody who is away.


def _leave_paused(world: World) -> None:
    _open(world, "permit", "paused", place="解放路", area=20)
    story.act(world.cast.steward, "paused", "accept", departments=[world.cast.owner.code])
    story.use("send_back", world.cast.leader, "paused", seat=("opinion", world.cast.owner.code), phase="intake", **WHY)
    story.act(world.cast.steward, "paused", "ask", missing="图纸")


def _clock_of(key: str) -> ClockRecord:
    return ClockRecord.objects.get(case_id=story.case_of(key).case_id, stopped_at=None)


def _find_paused(world: World) -> None:
    _stands("paused", "supplement")
    clock = _clock_of("paused")
    _check(clock.paused_at and clock.pause_basis and clock.due_at is None, f"it runs to {clock.due_at}")


def _finish_paused(world: World) -> None:
    _act(world.cast.clerk, "paused", "complete", place="建军路")
    clock = _clock_of("paused")
    _check(clock.paused_at is None and clock.due_at and clock.due_at > now(), f"it stands since {clock.paused_at}")
    _grant(world, story.case_of("paused"))


def _leave_suspended(world: World) -> None:
    _open(world, "permit", "held-up", place="解放路", area=20)
    story.use("suspend", world.cast.leader, "held-up", basis="依据", **WHY)


def _finish_suspended(world: World) -> None:
    story.use("resume", world.cast.leader, "held-up", **WHY)
    (item,) = ObligationRecord.objects.filter(case_id=story.case_of("held-up").case_id, state="open")
    _check(item.due_at and item.paused_at is None, "its time does not run")
    _grant(world, story.case_of("held-up"))


def _leave_merged(world: World) -> None:
    for key in ("kept", "duplicate"):
        _open(world, "permit", key, place="解放路", area=20)
    story.use("merge", world.cast.steward, "duplicate", into=story.case_of("kept").case_id, **WHY)


def _find_merged(world: World) -> None:
    _check(_stands("duplicate", "intake", "closed").merged_into == _stands("kept", "intake").case_id, "it went elsewhere")


def _leave_away(world: World) -> None:
    _open(world, "permit", "for-another", place="解放路", area=20)
    story.act(world.cast.steward, "for-another", "accept", departments=[world.cast.owner.code])


def _find_away(world: World) -> None:
    case = _stands("for-another", "review")
    (handed,) = [one for one in api.list_delegations(actor=world.cast.leader.actor) if one.ended_at is None]
    _check(handed.delegate == world.colleague.actor.id, handed)
    waiting = api.list_waiting(request=PageRequest(size=100), actor=world.colleague.actor)
    _check(case.case_id in {one.case_id for one in waiting.items}, "it is not in the delegate's inbox")


def _finish_away(world: World) -> None:
    _act(world.colleague, "for-another", "agree")
    case = story.case_of("for-another")
    event = api.access_case(case_id=case.case_id, actor=world.cast.leader.actor).events[-1]
    _check(event.on_behalf == world.cast.leader.actor.name or world.cast.leader.actor.name in event.on_behalf, event)
    _act(world.cast.leader, case, "grant")
    _ended(case, "granted")


# Changes of procedures: one that waits for its second person, one that waits to be carried out.


def _leave_approved(world: World) -> None:
    _open(world, "ticket", "to-move", world.cast.bureau_clerk, category="help", topic="market", urgency="complex", content="路灯不亮")
    told = api.get_kind(code="ticket").model_dump(mode="json")
    told["obligations"]["revisit"]["title"] = {"zh": "再次回访", "en": "Revisit again"}
    api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=FOUNDER)
    plan = api.plan_migration(kind="ticket", actor=world.cast.data_admin.actor)
    draft = api.draft_migration(plan=plan, reason="演练", actor=world.cast.data_admin.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=world.cast.system_admin.actor)


def _change(kind: str, state: str) -> MigrationRecord:
    return MigrationRecord.objects.get(kind_code=kind, state=state)


def _find_approved(world: World) -> None:
    _check(_change("ticket", "approved").moved == 0 and api.count_approvals(actor=world.cast.system_admin.actor) >= 1, "it is gone on with")


def _apply(world: World) -> None:
    done = api.apply_migration(migration_id=_change("ticket", "approved").pk, actor=world.cast.data_admin.actor)
    _check(done.moved >= 1 and not CaseRecord.objects.filter(kind_id=_change("ticket", "done").source_id).exclude(state="closed").exists(), done)
    _act(world.cast.bureau_clerk, "to-move", "answer", answer="已转办")
    _ended("to-move", "answered")


def _leave_drafted(world: World) -> None:
    plan = api.plan_migration(kind="permit", source_number=1, actor=world.cast.data_admin.actor)
    api.draft_migration(plan=plan, reason="演练", actor=world.cast.data_admin.actor)


def _approve(world: World) -> None:
    change = _change("permit", "drafted")
    api.approve_migration(migration_id=change.pk, actor=world.cast.system_admin.actor)
    api.start_migration(migration_id=change.pk, actor=world.cast.data_admin.actor)
    story.deliver()  # the worker carries it out
    done = api.get_migration(migration_id=change.pk, actor=world.cast.data_admin.actor)
    _check(done.state == "done" and done.moved >= 4, f"{done.state}, {done.moved} moved")
    _check(not CaseRecord.objects.filter(kind_id=change.source_id).exclude(state="closed").exists(), "some were left behind")


# The packs of the examples: a ticket, applications for an award and their ranking, a matter with its parts.


def _leave_ticket(world: World) -> None:
    clerk = world.cast.bureau_clerk
    case = _open(world, "ticket", "ticket", clerk, category="help", topic="market", urgency="complex", content="路灯不亮")
    _act(clerk, case, "accept")
    _act(clerk, case, "dispatch", lead=world.cast.owner.code, helpers=[world.cast.other.code])
    _act(world.cast.officer, case, "sign")


def _finish_ticket(world: World) -> None:
    clerk = world.cast.bureau_clerk
    _act(world.cast.clerk, "ticket", "assist", note="已配合")
    _act(world.cast.officer, "ticket", "finish", result="修好了")
    _act(clerk, "ticket", "reply", answer="修好了")
    _act(clerk, "ticket", "satisfied", rating="5")
    _ended("ticket", "solved")


def _apply_for(world: World, key: str, *scores: int) -> Case:
    case = _open(world, "award_application", key, turnover=2000, first_time=True)
    if scores:
        _act(world.cast.steward, case, "accept")
        _score(world, case, *scores)
    return case


def _score(world: World, case: Case, *scores: int) -> None:
    for score, member in zip(scores, (world.cast.leader, world.cast.steward, world.colleague), strict=True):
        _act(member, case, "score", score=score)


def _rank(world: World, key: str, *cases: str) -> Case:
    ranking = _open(world, "award_ranking", key, quota=1, pass_mark=60)
    numbers = [story.case_of(one).number for one in cases]
    return api.add_members(case_id=ranking.case_id, numbers=numbers, actor=world.cast.leader.actor)


def _leave_batch(world: World) -> None:
    _apply_for(world, "better", 90, 91, 92)
    _apply_for(world, "worse", 70, 71, 72)
    _rank(world, "ranking", "worse", "better")


def _find_batch(world: World) -> None:
    members = api.list_members(case_id=_stands("ranking", "listing").case_id, actor=world.cast.leader.actor)
    numbers = [story.case_of(key).number for key in ("better", "worse")]
    _check([one.number for one in members] == numbers and {one.value for one in members} == {"91.0000", "71.0000"}, members)


def _finish_batch(world: World) -> None:
    _act(world.cast.leader, "ranking", "settle")
    _ended("ranking", "settled")
    _ended("worse", "passed_over")
    _act(world.cast.leader, _stands("better", "reporting"), "finish")
    _ended("better", "paid")


def _leave_recurring(world: World) -> None:
    _apply_for(world, "reporting", 90, 90, 90)
    _act(world.cast.leader, _rank(world, "settled", "reporting"), "settle")
    _act(world.cast.clerk, "reporting", "report", progress="开工")


def _find_recurring(world: World) -> None:
    (item,) = ObligationRecord.objects.filter(case_id=_stands("reporting", "reporting").case_id, next_at__isnull=False)
    _check(item.state == "done" and item.next_at and item.next_at > now(), item.next_at)


def _pass_time(days: int) -> None:
    """Let time pass, and do what it does by itself."""
    story.frozen_clock().advance(timedelta(days=days))
    failed: list[str] = []
    for does in (api.warn_due, api.lapse_due, api.recur_due):
        does(actor=FOUNDER, failed=failed)
    _check(not failed, f"time does nothing to {failed}")


def _finish_recurring(world: World) -> None:
    _pass_time(32)
    _check(ObligationRecord.objects.filter(case_id=story.case_of("reporting").case_id, name="report").count() == 2, "it did not come again")
    _act(world.cast.clerk, "reporting", "report", progress="完工")
    _act(world.cast.leader, "reporting", "finish")
    _ended("reporting", "paid")


def _find_lapse(world: World) -> None:
    (item,) = ObligationRecord.objects.filter(case_id=_stands("unchecked", "check").case_id, state="open")
    _check(item.lapse_at and item.lapse_at > now(), item.lapse_at)


def _finish_lapse(world: World) -> None:
    _pass_time(7)
    _score(world, _stands("unchecked", "scoring"), 80, 80, 80)
    _act(world.cast.leader, _rank(world, "later", "unchecked"), "settle")
    _act(world.cast.leader, "unchecked", "finish")
    _ended("unchecked", "paid")


def _part(key: str) -> CaseRecord:
    return CaseRecord.objects.exclude(state="closed").get(parent_id=story.case_of(key).case_id)


def _finish_matter(world: World) -> None:
    for number in ("执照-1", "许可-2"):
        _act(world.cast.steward, api.get_case(case_id=_part("matter").pk), "issue", number=number)
    _ended("matter", "opened")
    _check(story.case_of("matter").data["permit"] == "许可-2", "the result of its part did not come back")


# What a person keeps, and what is still to be sent.


def _find_view(world: World) -> None:
    (view,) = api.list_views(page="list", actor=world.cast.leader.actor)
    _check((view.name, dict(view.query)) == ("我的许可", {"kind": "permit", "state": "open"}), view)
    seen = api.list_cases(request=PageRequest(size=100, filters=dict(view.query)), actor=world.cast.leader.actor)
    _check(seen.total == CaseRecord.objects.filter(kind_code="permit", state="open").count() > 0, seen.total)


def _forget_view(world: World) -> None:
    (view,) = api.list_views(page="list", actor=world.cast.leader.actor)
    renamed = api.rename_view(view_id=view.view_id, name="许可", actor=world.cast.leader.actor)
    api.delete_view(view_id=renamed.view_id, actor=world.cast.leader.actor)
    _check(api.list_views(page="list", actor=world.cast.leader.actor) == (), "it is still there")


def _find_letters(world: World) -> None:
    _check(Dispatch.objects.filter(state="waiting", channel="trial").exists() and not world.post.exists(), "nothing waits to be sent")


def _send_letters(world: World) -> None:
    waiting = set(Dispatch.objects.filter(state="waiting", channel="trial").values_list("pk", flat=True))
    story.deliver()
    ended = Dispatch.objects.filter(pk__in=waiting).exclude(state="waiting").values_list("pk", "within", "state", "error")
    left = set(world.post.read_text().split())
    sent = [within or pk for pk, within, state, _error in ended if state == "sent"]
    told = [error for _pk, _within, state, error in ended if state == "dropped" and error]  # what it was about is done
    _check(sent and set(sent) <= left and len(sent) + len(told) == len(waiting), "some letters never left")


def _nothing(world: World) -> None:
    """Do nothing: it is left by the story, or ended with the rest."""


POSITIONS = (
    Position("draft of a form", _leave_form, _find_form, _hand_form_in),
    Position("draft of an action", _leave_action, _find_action, _hand_action_in),
    Position("file", _leave_file, _find_file, lambda w: _grant(w, story.case_of("with-file"))),
    Position("paused clock", _leave_paused, _find_paused, _finish_paused),
    Position("suspended", _leave_suspended, lambda w: _stands("held-up", "intake", "suspended"), _finish_suspended),
    Position("merged duplicate", _leave_merged, _find_merged, lambda w: _grant(w, story.case_of("kept"))),
    Position("absence", _leave_away, _find_away, _finish_away),
    Position("saved view", lambda w: api.save_view(page="list", name="我的许可", query={"kind": "permit", "state": "open"}, actor=w.cast.leader.actor),
             _find_view, _forget_view),
    Position("change approved", _leave_approved, _find_approved, _apply),
    Position("ticket", _leave_ticket, lambda w: _stands("ticket", "handling"), _finish_ticket),
    Position("batch", _leave_batch, _find_batch, _finish_batch),
    Position("parts", lambda w: _open(w, "opening", "matter", shop="书店"), lambda w: (_stands("matter", "registering"), _part("matter")), _finish_matter),
    Position("lapse ahead", lambda w: _apply_for(w, "unchecked"), _find_lapse, _finish_lapse),
    Position("recurrence ahead", _leave_recurring, _find_recurring, _finish_recurring),
    Position("letters", _nothing, _find_letters, _send_letters),
    Position("change drafted", _leave_drafted, lambda w: _change("permit", "drafted"), _approve),
)  # fmt: skip
OF_OLDER_KINDS = ("paused clock", "suspended", "merged duplicate", "absence")
