"""Several at once: what lines have in common, each case by itself, and what was refused stays."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast, Member
from tests.core.cases.kinds import SIMPLE, simple_kind
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.errors import CannotOperate, CaseChanged, HandOverRefused, TooManyPicked
from yunhe.core.cases.models import ObligationRecord
from yunhe.core.cases.types import Case, EffectSpec, WithdrawSpec
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


def waiting(member: Member) -> dict[str, str]:
    """Return case by obligation, of what waits for somebody."""
    page = api.list_waiting(request=PageRequest(size=200), actor=member.actor)
    return {item.obligation_id: item.case_id for item in page.items}


def picked(member: Member) -> dict[str, int | None]:
    page = api.list_waiting(request=PageRequest(size=200), actor=member.actor)
    return {item.obligation_id: item.version for item in page.items}


def move(case: Case, cast: Cast, reason: str = "好了") -> None:
    """Have somebody do something on the case that leaves its step to whoever had it."""
    api.suspend(case_id=case.case_id, basis="法律第十条", reason="等鉴定", actor=cast.leader.actor)
    api.resume(case_id=case.case_id, reason=reason, actor=cast.leader.actor)


@pytest.fixture
def second_steward(cast: Cast, founder: Actor) -> Member:
    made = organizations.create_user(username="steward2", display_name="数据专员癸", actor=founder)
    body = cast.owner.code
    member = organizations.add_membership(username="steward2", organization=body, role="data_steward", actor=founder)
    actor = organizations.actor_for(user_id=made.person.id, membership_id=member.id)
    return Member("steward2", made.password, made.person.id, member.id, actor)


def test_lines_of_one_obligation_offer_their_actions_and_what_differs_is_done_one_by_one(note: Any, cast: Cast) -> None:
    for _ in range(3):
        note()
    offer = api.offer_bulk(obligation_ids=tuple(waiting(cast.leader)), actor=cast.leader.actor)
    assert {a.name: a.refusal for a in offer.actions} == {"agree": None, "back": None}
    note(data={"items": ["c"]})
    offer = api.offer_bulk(obligation_ids=tuple(waiting(cast.leader)), actor=cast.leader.actor)
    refused = {a.name for a in offer.actions if a.refusal}
    assert refused == {"agree"}  # its choices are the case's own list
    assert [o.name for o in offer.operators] == ["hand_on"] and cast.steward.username in offer.operators[0].choices


def test_lines_of_two_kinds_have_no_action_in_common_but_can_be_handed_on(note: Any, cast: Cast, founder: Actor) -> None:
    note()
    api.publish_kind(spec=simple_kind(code="other_note", prefix="QT"), source="tests", actor=founder)
    api.open_case(kind="other_note", title="另一件", data={"amount": 1}, actor=cast.clerk.actor, owner=cast.owner.code)
    offer = api.offer_bulk(obligation_ids=tuple(waiting(cast.leader)), actor=cast.leader.actor)
    assert offer.actions == () and [o.name for o in offer.operators] == ["hand_on"]


def test_each_case_is_done_by_itself_and_one_that_is_refused_changes_nothing(note: Any, cast: Cast) -> None:
    mine = note(title="自己的", actor=cast.leader.actor, organization=cast.owner.code)  # one may not answer one's own
    stale, good = note(title="被别人动过"), note(title="好的")
    picks = picked(cast.leader)
    move(stale, cast)
    done = api.act_on_each(picks=picks, action="agree", data={"text": "可以", "chosen": ["b"]}, actor=cast.leader.actor)
    told = {one.title: one.refusal for one in done}
    assert told["好的"] is None and "自己" in told["自己的"]["zh"] and "刚被别人办理过" in told["被别人动过"]["zh"]  # type: ignore[index]
    assert [api.get_case(case_id=c.case_id).outcome for c in (mine, stale, good)] == ["", "", "agreed"]
    assert set(waiting(cast.leader).values()) == {mine.case_id, stale.case_id}


def test_who_was_only_told_of_a_case_holds_nobody_up(note: Any, cast: Cast, second_steward: Member) -> None:
    """A reminder, or 督办, between the page and the button moved nothing: what was filled in is taken."""
    answered, handed, alone = note(title="答的"), note(title="转的"), note(title="单办的")
    picks = picked(cast.leader)
    keys = {case_id: key for key, case_id in waiting(cast.leader).items()}
    for case in (answered, handed, alone):
        api.remind(case_id=case.case_id, reason="催", actor=cast.clerk.actor)
        api.escalate(case_id=case.case_id, reason="督", actor=cast.leader.actor)
    given = {"to": "steward2", "reason": "请办", "actor": cast.leader.actor}
    (one,) = api.hand_on_each(picks={keys[handed.case_id]: picks[keys[handed.case_id]]}, **given)
    assert one.refusal is None
    told = {"pick": [f"{keys[answered.case_id]}.1"], "act": "agree", "go": "1", "do-text": "可以", "do-chosen": ["b"]}
    assert "办理了 1 件" in signed_in(cast.leader).post("/inbox/bulk/", told, follow=True).content.decode()
    address = f"/inbox/cases/{alone.case_id}/{keys[alone.case_id]}/agree/"
    wrong = signed_in(cast.leader).post(address, {"do-text": "长" * 30, "do-chosen": ["b"], "version": "1"})
    assert wrong.status_code == 422 and "请核对后再提交" not in wrong.content.decode()
    assert signed_in(cast.leader).post(address, {"do-text": "可以", "do-chosen": ["b"], "version": "1"}).status_code == 302
    with pytest.raises(CaseChanged):
        api.act(case_id=note().case_id, action="agree", data={}, actor=cast.leader.actor, expected_version=9)


def test_handing_on_says_why_it_cannot_go_to_somebody(note: Any, cast: Cast, second_steward: Member) -> None:
    case = note()
    (key,) = waiting(cast.leader)
    hand = partial(api.hand_on, case_id=case.case_id, obligation_id=key, reason="请办")
    with pytest.raises(CannotOperate, match="to themselves"):
        hand(to=cast.leader.username, actor=cast.leader.actor)
    (one,) = api.hand_on_numbers(numbers=[case.number], to=cast.leader.username, reason="请办", actor=cast.leader.actor)
    assert one.refusal and "不能转给自己" in one.refusal["zh"] and "to themselves" in one.refusal["en"]
    with pytest.raises(CannotOperate, match="holds none of its roles"):
        hand(to=cast.bureau_clerk.username, actor=cast.leader.actor)
    hand(to="steward2", actor=cast.leader.actor)
    with pytest.raises(CannotOperate, match="has it already"):
        api.reassign(case_id=case.case_id, obligation_id=key, to="steward2", reason="请办", actor=cast.leader.actor)
    with pytest.raises(CannotOperate, match="to themselves"):
        hand(to="steward2", actor=second_steward.actor)


def test_obligations_of_others_are_neither_shown_nor_done(note: Any, cast: Cast) -> None:
    case = note()
    theirs = tuple(waiting(cast.leader))
    offer = api.offer_bulk(obligation_ids=theirs, actor=cast.bureau_clerk.actor)
    assert (offer.items, offer.gone) == ((), 1)
    (one,) = api.act_on_each(picks=dict.fromkeys(theirs), action="back", data={}, actor=cast.bureau_clerk.actor)
    assert one.refusal is not None and api.get_case(case_id=case.case_id).version == 1
    answer = signed_in(cast.clerk).post("/inbox/bulk/", {"pick": theirs[0]})
    assert case.number not in answer.content.decode()


def test_more_than_two_hundred_are_refused_before_anything_is_done(note: Any, cast: Cast) -> None:
    case = note()
    (mine,) = waiting(cast.leader)
    picks = dict.fromkeys([mine, *(f"x{n}" for n in range(200))])
    with pytest.raises(TooManyPicked):
        api.act_on_each(picks=picks, action="back", data={}, actor=cast.leader.actor)
    assert api.get_case(case_id=case.case_id).version == 1
    page = signed_in(cast.leader).post("/inbox/bulk/", {"pick": list(picks)})
    assert page.status_code == 422 and "200" in page.content.decode()


def test_several_are_handed_on_to_a_colleague(note: Any, cast: Cast, second_steward: Member) -> None:
    for _ in range(3):
        note()
    done = api.hand_on_each(picks=picked(cast.steward), to="steward2", reason="请办", actor=cast.steward.actor)
    assert len(done) == 3 and not any(one.refusal for one in done)
    assert len(waiting(second_steward)) == 3 and not waiting(cast.steward) and not waiting(cast.leader)


def test_several_are_reminded_once_an_hour(note: Any, cast: Cast) -> None:
    cases = [note(), note()]
    stranger = note(actor=cast.steward.actor, organization=cast.owner.code)
    ids = [c.case_id for c in (*cases, stranger)]
    assert [o.refusal for o in api.remind_each(case_ids=ids, reason="急", actor=cast.clerk.actor)] == [None, None]
    assert all(o.refusal for o in api.remind_each(case_ids=ids, reason="急", actor=cast.clerk.actor))
    assert api.get_case(case_id=stranger.case_id).reminders == 0


def test_the_whole_way_on_pages_without_script(note: Any, cast: Cast) -> None:
    note(title="自己的", actor=cast.leader.actor, organization=cast.owner.code)
    moved, good = note(title="动过的"), note(title="好的")
    client = signed_in(cast.leader)
    picks = re.findall(r'name="pick" value="([^"]+)"', client.get("/inbox/").content.decode())
    assert len(picks) == 3
    asked = client.post("/inbox/bulk/", {"pick": picks, "next": "/inbox/?due=week"})["Location"]
    chosen = client.get(asked).content.decode()
    assert 'value="agree"' in chosen and 'value="op.hand_on"' in chosen and 'href="/inbox/?due=week&amp;of=' in chosen
    form = client.get(f"{asked}&act=agree").content.decode()
    assert 'name="do-text"' in form and form.count('name="pick"') == 3
    told = {"pick": picks, "act": "agree", "go": "1", "of": asked.partition("of=")[2], "do-chosen": ["b"]}
    wrong = client.post("/inbox/bulk/", {**told, "do-text": "长" * 30})
    assert wrong.status_code == 422 and api.get_case(case_id=good.case_id).version == 1
    move(moved, cast)
    answer = client.post("/inbox/bulk/", {**told, "do-text": "可以"})
    result = client.get(answer["Location"]).content.decode()
    assert "办理了 1 件" in result and "2 件没有办" in result and "不能答复自己的请示" in result
    again = re.findall(r'href="(/inbox/bulk/[^"]+)">重试 1 件', result)  # only what can be done, as it was filled in
    retry = client.get(again[0].replace("&amp;", "&")).content.decode()
    assert 'value="可以"' in retry and "没有提交" not in retry and retry.count('name="pick"') == 1
    pick = re.findall(r'name="pick" value="([^"]+)"', retry)
    assert "办理了 1 件" in client.post("/inbox/bulk/", {**told, "pick": pick, "do-text": "可以"}, follow=True).content.decode()
    assert api.get_case(case_id=moved.case_id).outcome == "agreed"


def test_what_was_picked_and_what_became_of_it_have_addresses_of_their_own(note: Any, cast: Cast) -> None:
    cases, client = [note(), note()], signed_in(cast.leader)
    picks = [f"{one}.1" for one in waiting(cast.leader)]
    asked = client.post("/inbox/bulk/", {"pick": picks})["Location"]
    assert [client.get(asked).content.decode().count('value="agree"') for _ in range(2)] == [1, 1]
    sent = {"pick": picks, "act": "agree", "go": "1", "of": asked.partition("of=")[2], "do-text": "可以"}
    answers = [client.post("/inbox/bulk/", sent) for _ in range(2)]  # pressed twice: told what the first did
    assert [one.status_code for one in answers] == [302, 302] and answers[0]["Location"] == answers[1]["Location"]
    assert all("办理了 2 件" in client.get(answers[0]["Location"]).content.decode() for _ in range(2))
    assert {api.get_case(case_id=one.case_id).version for one in cases} == {2}
    assert api.list_drafts(actor=cast.leader.actor) == ()
    back = client.get(f"{asked}&act=agree")
    assert back.status_code == 200 and "选中的都已办理" in back.content.decode() and 'name="do-text"' not in back.content.decode()
    other = signed_in(cast.steward).get(answers[0]["Location"])
    assert other.status_code == 302 and other["Location"] == "/inbox/"
    for _ in range(12):
        client.post("/inbox/bulk/", {"pick": picks})
    old = client.get(asked, follow=True)
    assert old.redirect_chain == [("/inbox/", 302)] and "请重新选中" in old.content.decode()


def test_a_reminder_of_several_is_read_again_and_offers_no_second_one_within_the_hour(note: Any, cast: Cast) -> None:
    cases, client = [note(), note()], signed_in(cast.clerk)
    ids = [one.case_id for one in cases]
    api.remind(case_id=ids[0], reason="急", actor=cast.clerk.actor)
    asked = client.post("/inbox/remind/", {"pick": ids, "next": "/inbox/cases/?q=x"})["Location"]
    form = client.get(asked).content.decode()
    assert 'name="do-reason"' in form and form.count('name="pick"') == 2
    told = client.post("/inbox/remind/", {"pick": ids, "go": "1", "do-reason": "请尽快"})["Location"]
    for _ in range(2):
        page = client.get(told).content.decode()
        assert "办理了 1 件" in page and "一小时内已经催办过" in page and "重试" not in page
    assert [api.get_case(case_id=one).reminders for one in ids] == [1, 1]
    assert client.get("/inbox/remind/")["Location"] == "/inbox/cases/"


def test_each_refusal_of_several_says_who_did_what_meanwhile(note: Any, cast: Cast, founder: Actor) -> None:
    taken = WithdrawSpec(effects=(EffectSpec(close_case="withdrawn"),))
    api.publish_kind(spec=simple_kind().model_copy(update={"withdraw": taken}), source="tests", actor=founder)
    done, ended, stopped, moved = (note(title=name) for name in ("办了的", "撤回的", "中止的", "动过的"))
    client, picks = signed_in(cast.leader), [f"{one}.1" for one in waiting(cast.leader)]
    sent = {"pick": picks, "act": "agree", "go": "1", "do-text": "可以"}
    api.withdraw(case_id=ended.case_id, reason="不办了", actor=cast.clerk.actor)
    api.suspend(case_id=stopped.case_id, basis="法律第十条", reason="等鉴定", actor=cast.leader.actor)
    move(moved, cast, "看一看")
    told_at = client.post("/inbox/bulk/", sent)["Location"]
    page = client.get(told_at).content.decode()
    rows = {one.title: next(row for row in page.split("<tr") if one.title in row) for one in (done, ended, stopped, moved)}
    assert "已办理" in rows["办了的"] and "请刷新后再办" not in page
    assert all(text in rows["撤回的"] for text in (cast.clerk.actor.name, "不办了", "这件办件已经办结。"))
    assert all(text in rows["中止的"] for text in ("您 03-02 10:00 中止", "等鉴定", "办件已中止，恢复后才能办理。"))
    assert all(text in rows["动过的"] for text in ("看一看", "现在仍可以办：核对后请重试。"))
    assert "3 件没有办" in page and "重试 1 件" in page
    client.cookies["yunhe_language"] = "en"
    english = client.get(told_at).content.decode()
    assert "This case is closed." in english and "It can be worked on once it is resumed." in english and "Try 1 again" in english


def test_a_refusal_says_that_another_took_the_step_or_oneself_in_another_page(
    note: Any, cast: Cast, second_steward: Member
) -> None:
    handed, mine = note(title="转走的"), note(title="自己转走的")
    client = signed_in(cast.steward)
    picks = {case: f"{one}.1" for one, case in waiting(cast.steward).items()}
    keys = {case: pick.partition(".")[0] for case, pick in picks.items()}
    extra = note(title="还在的")
    picks[extra.case_id] = next(f"{one}.1" for one, case in waiting(cast.steward).items() if case == extra.case_id)
    for case, actor in ((handed, cast.leader.actor), (mine, cast.steward.actor)):
        told = {"obligation_id": keys[case.case_id], "to": "steward2", "reason": "请办"}
        api.hand_on(case_id=case.case_id, actor=actor, expected_version=1, **told)
    sent = {"pick": list(picks.values()), "act": "op.hand_on", "go": "1", "do-to": "steward2", "do-reason": "请办"}
    page = client.post("/inbox/bulk/", sent, follow=True).content.decode()
    rows = {title: next(row for row in page.split("<tr") if title in row) for title in (">转走的<", "自己转走的")}
    assert cast.leader.actor.name in rows[">转走的<"] and "别人先办理了" in rows[">转走的<"]
    assert "您在另一页先办理了" in rows["自己转走的"] and "办理了 1 件" in page and "重试" not in page


def test_handing_on_several_by_the_page(note: Any, cast: Cast, second_steward: Member) -> None:
    note()
    client = signed_in(cast.steward)
    pick = next(iter(waiting(cast.steward)))
    told = {"pick": [f"{pick}.1"], "act": "op.hand_on", "go": "1", "do-to": "steward2", "do-reason": ""}
    assert client.post("/inbox/bulk/", told).status_code == 422
    assert "办理了 1 件" in client.post("/inbox/bulk/", {**told, "do-reason": "请办"}, follow=True).content.decode()
    assert list(waiting(second_steward)) == [pick]


def test_a_leader_hands_over_what_somebody_holds_who_leaves(note: Any, cast: Cast, second_steward: Member) -> None:
    cases: list[Case] = [note() for _ in range(3)]
    api.hand_on_each(picks=picked(cast.steward), to="steward2", reason="请办", actor=cast.steward.actor)
    held, body = f"user:{second_steward.user_id}", cast.owner.code
    with pytest.raises(Refused):
        api.hand_over(organization=body, person=held, to="steward", reason="离职", actor=cast.steward.actor)
    with pytest.raises(Refused):
        api.hand_over(organization=cast.other.code, person=held, to="steward", reason="离职", actor=cast.leader.actor)
    wrong = api.hand_over(organization=body, person=held, to="officer", reason="离职", actor=cast.leader.actor)
    assert all("岗位" in one.refusal["zh"] for one in wrong if one.refusal) and len(waiting(second_steward)) == 3
    done = api.hand_over(organization=body, person=held, to="steward", reason="离职", actor=cast.leader.actor)
    assert len(done) == 3 and not any(one.refusal for one in done)
    assert len(waiting(cast.steward)) == 3 and not waiting(second_steward)
    assert all(api.replay_case(case_id=c.case_id, actor=cast.leader.actor).equal for c in cases)
    view = api.access_case(case_id=cases[0].case_id, actor=cast.leader.actor)
    assert view.events[-1].action == "reassign" and {"离职", "数据专员丙"} <= {f.value for f in view.events[-1].facts}


def test_a_leader_gives_work_back_to_the_role_by_the_page(note: Any, cast: Cast, second_steward: Member) -> None:
    note()
    api.hand_on_each(picks=picked(cast.steward), to="steward2", reason="请办", actor=cast.steward.actor)
    client: Client = signed_in(cast.leader)
    held = f"user:{second_steward.user_id}"
    assert held in client.get("/inbox/team/hand-over/").content.decode()
    told = {"person": held, "to": "", "reason": "离职", "organization": cast.owner.code}
    assert client.post("/inbox/team/hand-over/", {**told, "reason": ""}).status_code == 422
    sent = client.post("/inbox/team/hand-over/", told)
    assert sent.status_code == 302 and "?of=" in sent["Location"]
    for _again in range(2):  # reloaded, or come back to
        assert "办理了 1 件" in client.get(sent["Location"]).content.decode()
    assert client.get("/inbox/team/hand-over/?of=unknown")["Location"] == "/inbox/team/"
    assert len(waiting(cast.steward)) == 1 and len(waiting(cast.leader)) == 1
    assert signed_in(cast.steward).get("/inbox/team/hand-over/").status_code == 403


def test_what_cannot_be_handed_over_says_why_and_how_to_mend_it(note: Any, cast: Cast, second_steward: Member) -> None:
    note()
    held, body = f"user:{second_steward.user_id}", cast.owner.code
    told = {"organization": body, "reason": "离职", "actor": cast.leader.actor}
    for to in ("", "steward"):
        with pytest.raises(HandOverRefused) as empty:
            api.hand_over(person=held, to=to, **told)
        assert "数据专员癸手里没有指定给本人的待办" in empty.value.say("zh") and "nothing was given to 数据专员癸 in person" in empty.value.say("en")
    api.hand_on_each(picks=picked(cast.steward), to="steward2", reason="请办", actor=cast.steward.actor)
    with pytest.raises(HandOverRefused) as same:
        api.hand_over(person=held, to="steward2", **told)
    assert "就是数据专员癸本人，请另选一位同事" in same.value.say("zh") and "岗位可办" not in same.value.say("zh")
    client = signed_in(cast.leader)
    page = client.post("/inbox/team/hand-over/", {"person": held, "to": "steward2", "reason": "离职", "organization": body})
    assert page.status_code == 422 and "接手的人就是数据专员癸本人" in page.content.decode()
    page = client.post("/inbox/team/hand-over/", {"person": "", "to": "", "reason": "", "organization": body}).content.decode()
    assert "请选择移交谁手里的待办。" in page and "请写明为什么移交" in page
    (item,) = waiting(second_steward)
    own = ObligationRecord.objects.filter(pk=item)
    own.update(assignee="", role="", person=held)
    with pytest.raises(HandOverRefused) as personal:
        api.hand_over(person=held, to="", **told)
    assert "只有属于本人的待办" in personal.value.say("zh") and personal.value.facts["field"] == "to"


def test_giving_to_who_has_it_already_is_refused_for_what_it_is(note: Any, cast: Cast, second_steward: Member) -> None:
    case: Case = note()
    api.hand_on_each(picks=picked(cast.steward), to="steward2", reason="请办", actor=cast.steward.actor)
    (item,) = waiting(second_steward)
    told = {"case_id": case.case_id, "obligation_id": item, "reason": "请办", "actor": cast.leader.actor}
    for to, said in (("steward2", "它已由数据专员癸办理"), ("officer", "没有办理它的岗位，请另选一人"), (f"@{cast.other.code}", "本单位有人可以办理它")):
        with pytest.raises(CannotOperate) as refused:
            api.reassign(to=to, **told)
        assert said in refused.value.say("zh") and "不能“指派”" in refused.value.say("zh")
    api.reassign(to="", **told)
    with pytest.raises(CannotOperate, match="waits for its role already"):
        api.reassign(to="", **told)


def test_two_hundred_lines_are_offered_with_a_constant_number_of_queries(
    note: Any, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        note()
    ids = tuple(waiting(cast.leader))
    with django_assert_max_num_queries(16):
        api.offer_bulk(obligation_ids=ids, actor=cast.leader.actor)
    with django_assert_max_num_queries(16):
        api.offer_bulk(obligation_ids=ids[:2], actor=cast.leader.actor)


def test_a_kind_that_forbids_handing_on_offers_none(note: Any, cast: Cast, founder: Actor) -> None:
    note()
    api.publish_kind(spec=simple_kind(code="fixed_note", prefix="QF", operators=("remind",)), source="tests", actor=founder)
    api.open_case(kind="fixed_note", title="不许转", data={"amount": 1}, actor=cast.clerk.actor, owner=cast.owner.code)
    offer = api.offer_bulk(obligation_ids=tuple(waiting(cast.leader)), actor=cast.leader.actor)
    assert offer.operators == () and SIMPLE["code"] in {item.kind for item in offer.items}
