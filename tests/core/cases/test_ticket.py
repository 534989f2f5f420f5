"""The example ticket by the api: dispatch, lead and co-handlers side by side, returns and who settles them, redo, merge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, Member
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.errors import ActionNotOffered, FieldsInvalid
from yunhe.core.cases.models import EventRecord
from yunhe.core.cases.rules.proving import Prover
from yunhe.core.cases.types import Case
from yunhe.core.packs import api as packs
from yunhe.core.packs.models import LoadedPack
from yunhe.engine.decisions import InputRefused
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, local, now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
TICKET = Path(__file__).resolve().parents[3] / "examples" / "ticket"


@pytest.fixture
def hotline(cast: Cast) -> Member:
    """Whoever takes the calls: an officer of the data bureau."""
    return cast.bureau_clerk


@pytest.fixture
def ticket(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor, hotline: Member) -> Callable[..., Case]:
    LoadedPack.objects.create(name="national", version="1", digest="x", sections=[], title={}, grants=[], loaded_at=clock.at, loaded_by="tests")
    packs.load_pack(name_or_path=TICKET, actor=founder)

    def open_ticket(urgency: str = "ordinary", title: str = "路灯不亮", **changes: str) -> Case:
        data = {"category": "help", "topic": "other", "urgency": urgency, "content": "解放路路灯不亮", "place": "解放路", **changes}
        return api.open_case(kind="ticket", title=title, data=data, actor=hotline.actor)

    return open_ticket


def do(case: Case, action: str, member: Member, **data: Any) -> Case:
    return api.act(case_id=case.case_id, action=action, data=data, actor=member.actor)


def dispatched(case: Case, cast: Cast, *helpers: str) -> Case:
    """Accept and dispatch to `owner` as the lead."""
    do(case, "accept", cast.bureau_clerk)
    return do(case, "dispatch", cast.bureau_clerk, lead=cast.owner.code, helpers=list(helpers))


def open_names(case: Case) -> list[str]:
    found = api.access_case(case_id=case.case_id, actor=job_actor("tests")).obligations
    return sorted(item.name for item in found if item.state == "open")


def test_from_the_call_to_the_revisit(ticket: Any, cast: Cast, hotline: Member) -> None:
    case = dispatched(ticket(), cast, cast.other.code)
    assert (case.phase, open_names(case)) == ("signing", ["sign"])
    case = do(case, "sign", cast.officer)
    assert (case.phase, open_names(case)) == ("handling", ["help", "lead"])
    case = do(case, "finish", cast.steward, result="已更换灯泡")
    assert (case.phase, open_names(case)) == ("handling", ["help"])  # the co-handler is waited for
    case = do(case, "assist", cast.clerk, note="已核对产权")
    assert (case.phase, open_names(case)) == ("reply", ["reply"])
    case = do(case, "reply", hotline)  # the lead's result is the answer where nothing else is written
    assert (case.phase, case.data["answer"]) == ("revisit", "已更换灯泡")
    case = do(case, "redo", hotline, wish="仍有两盏不亮")
    assert open_names(case) == ["lead"]
    case = do(case, "finish", cast.officer, result="全部修复")
    case = do(case, "redo", hotline, wish="请附照片")  # the office checks before it answers
    case = do(do(case, "finish", cast.officer, result="照片已附"), "reply", hotline, answer="全部修复，照片已附")
    with pytest.raises(FieldsInvalid):
        do(case, "satisfied", hotline, rating="6")
    assert do(case, "satisfied", hotline, rating="5").outcome == "solved"
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal


@pytest.mark.parametrize(
    ("topic", "category", "proposed", "row"),
    [("market", "complaint", "owner", 2), ("labour", "help", "other", 3), ("other", "advice", "bureau", 10), ("other", "help", "", 11)],
)
def test_the_table_proposes_the_lead(ticket: Any, cast: Cast, hotline: Member, topic: str, category: str, proposed: str, row: int) -> None:
    case = do(ticket(topic=topic, category=category), "accept", hotline)
    code = getattr(cast, proposed).code if proposed else None
    assert case.data["lead"] == code
    (decision,) = EventRecord.objects.get(case_id=case.case_id, action="accept").values["_decisions"]
    assert (decision["table"], [one["row"] for one in decision["rows"]]) == ("dispatch", [row])
    assert decision["rows"][0]["basis"].startswith("示例")
    (offered,) = (one for one in api.access_case(case_id=case.case_id, actor=hotline.actor).actions if one.name == "dispatch")
    assert offered.defaults["lead"] == code
    if code is None:
        with pytest.raises(FieldsInvalid):
            do(case, "dispatch", hotline)
    else:
        assert do(case, "dispatch", hotline).data["lead"] == code  # as it was proposed


def test_whoever_dispatches_may_choose_another_lead(ticket: Any, cast: Cast, hotline: Member) -> None:
    case = do(ticket(topic="market"), "accept", hotline)
    assert do(case, "dispatch", hotline, lead=cast.other.code).data["lead"] == cast.other.code


def test_the_rules_of_the_day_propose(ticket: Any) -> None:
    told = {"topic": "insurance", "category": "consult"}
    leads = [api.try_table(code="dispatch", values=told, on=date(year, 1, 1)).outputs["lead"] for year in (2025, 2026)]
    assert leads == ["11329900003299060T", "11329900003299095D"]
    with pytest.raises(InputRefused):
        api.try_table(code="dispatch", values={**told, "topic": "weather"}, on=date(2026, 1, 1))


def test_the_third_return_is_settled_by_the_office(ticket: Any, cast: Cast, hotline: Member) -> None:
    case = dispatched(ticket(), cast)
    for _round in range(2):
        case = do(case, "return", cast.officer, reason="不属本单位职责")
        assert case.phase == "dispatch"
        case = do(case, "dispatch", hotline, lead=cast.owner.code)
    case = do(case, "return", cast.officer, reason="仍不属本单位")
    assert (case.phase, open_names(case)) == ("arbitration", ["arbitrate"])
    with pytest.raises(ActionNotOffered):
        do(case, "designate", hotline, lead=cast.owner.code, reason="越权")
    case = do(case, "designate", cast.data_admin, lead=cast.owner.code, helpers=[cast.other.code], reason="按职责清单")
    assert (case.phase, open_names(case)) == ("handling", ["help", "lead"])
    do(case, "assist", cast.clerk, note="已配合")
    assert do(case, "finish", cast.officer, result="已修复").phase == "reply"


@pytest.mark.parametrize(
    ("urgency", "amount", "unit", "due"),
    [
        ("emergency", 2, "hours", "2026-03-02 12:00"),
        ("utility", 24, "hours", "2026-03-03 10:00"),
        ("ordinary", 5, "workdays", "2026-03-09 23:59"),
        ("complex", 15, "days", "2026-03-17 23:59"),
    ],
)
def test_the_limit_follows_the_urgency(ticket: Any, hotline: Member, urgency: str, amount: int, unit: str, due: str) -> None:
    case = ticket(urgency)
    view = api.access_case(case_id=case.case_id, actor=hotline.actor)
    assert view.due is not None and view.due.at is not None
    assert (view.due.amount, view.due.unit) == (amount, unit)
    assert local(view.due.at).strftime("%Y-%m-%d %H:%M") == due
    assert view.due.basis


def test_more_time_and_supervision_are_the_offices_leaders(ticket: Any, cast: Cast, clock: FrozenClock) -> None:
    case = do(dispatched(ticket(), cast), "sign", cast.officer)
    before = api.get_case(case_id=case.case_id).due_at
    (lead,) = (o.obligation_id for o in api.access_case(case_id=case.case_id, actor=cast.data_admin.actor).obligations if o.name == "lead")
    told = {"case_id": case.case_id, "basis": "热线管理办法", "reason": "备件在途", "actor": cast.data_admin.actor}
    api.extend(**told, amount=2, obligation_id=lead)
    assert isinstance(before, datetime) and api.get_case(case_id=case.case_id).due_at > before  # type: ignore[operator]
    clock.move_to(now() + timedelta(days=12))
    assert api.warn_due(actor=job_actor("tests")) == 2  # the office's limit and the clock of the case
    for _rung in range(2):
        api.warn_due(actor=job_actor("tests"))
    assert api.get_case(case_id=case.case_id).supervised_at is not None  # the third rung


def test_a_duplicate_goes_into_the_first_one(ticket: Any, cast: Cast, hotline: Member) -> None:
    first, again = dispatched(ticket(), cast), ticket(title="又报路灯不亮")
    done = api.merge(case_id=again.case_id, into=first.case_id, reason="同一处", actor=hotline.actor)
    assert (done.outcome, done.merged_into) == ("merged", first.case_id)
    related = api.access_case(case_id=first.case_id, actor=hotline.actor).related
    assert [(one.relation, one.number) for one in related] == [("merged", again.number)]
    assert api.list_waiting(request=PageRequest(), actor=hotline.actor).total == 0


def test_a_question_is_answered_at_once(ticket: Any, cast: Cast, hotline: Member) -> None:
    assert do(ticket(), "answer", hotline, answer="周一至周五办理").outcome == "answered"


def test_the_file_is_a_sound_kind(ticket: Any) -> None:
    kind = api.read_kind(path=TICKET / "cases" / "ticket.yml")
    api.require_sound(kind)
    assert len(Prover(kind).prove().edges) < 500  # one lead, not a list of them: the proof stays quick


def test_the_form_of_the_dispatch_chooses_one_lead_and_any_co_handlers(ticket: Any, cast: Cast, hotline: Member) -> None:
    case = do(ticket(), "accept", hotline)
    (dispatch,) = api.access_case(case_id=case.case_id, actor=hotline.actor).actions
    client, address = signed_in(hotline), f"/inbox/cases/{case.case_id}/{dispatch.obligation_id}/dispatch/"
    form = client.get(address).content.decode()
    assert '<select name="do-lead"' in form and form.count('type="checkbox" name="do-helpers"') == 3
    data = {"do-lead": cast.owner.code, "do-helpers": [cast.other.code, cast.bureau.code], "version": "2"}
    assert client.post(address, data).status_code == 302
    found = api.get_case(case_id=case.case_id).data
    assert (found["lead"], sorted(found["helpers"])) == (cast.owner.code, sorted([cast.other.code, cast.bureau.code]))
