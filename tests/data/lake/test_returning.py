"""Set-aside records go back to their source: what the case holds, what the source answers, what the next load says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, Member, load_national
from tests.core.cases.test_pages import signed_in
from tests.data import spine
from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import CannotOperate
from yunhe.core.cases.models import CaseRecord, EventRecord
from yunhe.core.cases.types import Case
from yunhe.core.jobs import api as jobs
from yunhe.core.notices import api as notices
from yunhe.data.lake import api as lake
from yunhe.data.lake.errors import NothingSetAside, ReturnUnderWay
from yunhe.data.lake.models import LoadRecord
from yunhe.kernel.actor import job_actor
from yunhe.kernel.errors import Missing, Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db(transaction=True)
BAD_DATE = "2020-02-30"
BAD = [[spine.uscc(1), "坏日期甲", BAD_DATE, "329901", 1], [spine.uscc(2), "坏日期乙", BAD_DATE, "329901", 1]]
KEYLESS = ["", "无码", "2020-01-01", "329901", 1]


@pytest.fixture
def source(db: None, tmp_path: Path, settings: Any) -> Path:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()
    return tmp_path / "a.csv"


@pytest.fixture
def reload(source: Path, cast: Cast) -> Callable[..., str]:
    """Return a function that writes the source with these rows beside good ones, loads it and runs what follows."""
    made: dict[str, str] = {}

    def load(*rows: list[object]) -> str:
        spine.write_csv(source, [*spine.rows(5), *rows])
        code = made.get("code") or made.setdefault("code", spine.publish(source, cast.owner.code))
        done = spine.load(code, cast.steward.actor)
        assert done.state == "successful", done.error
        for job in jobs.list_jobs(request=PageRequest(size=50, filters={"state": "ready"}), actor=job_actor("tests")).items:
            if job.name == "lake.check_returns":
                jobs.run_pending(limit=1, job_id=job.id)
        return str(LoadRecord.objects.order_by("-started_at").first().pk)  # type: ignore[union-attr]

    return load


def give_back(load_id: str, member: Member) -> Case:
    return lake.return_to_source(load_id=load_id, reason="日期不成立", actor=member.actor)


def do(case: Case, action: str, member: Member, **data: Any) -> Case:
    return cases.act(case_id=case.case_id, action=action, data=data, actor=member.actor)


def returned_by_page(load_id: str, cast: Cast) -> Case:
    """Return the records as the data bureau by the load's page; check what the pages offer whom."""
    address = f"/lake/loads/{load_id}/"
    client = signed_in(cast.data_admin)
    assert f"{address}return/" in client.get(address).content.decode()
    assert f"{address}return/" not in signed_in(cast.leader).get(address).content.decode()
    assert "隔离的 3 条" in client.get(f"{address}return/").content.decode()
    assert client.post(f"{address}return/", {"reason": ""}).status_code == 422
    done = client.post(f"{address}return/", {"reason": "日期不成立"})
    assert done.status_code == 302
    page = client.get(address).content.decode()
    assert "这些记录已退回数源" in page and "待数源核实" in page
    page = signed_in(cast.steward).get(done["Location"]).content.decode()
    assert all(text in page for text in ("已在数源更正", "说明属实无误", "部分更正", "类型不符：成立日期"))
    assert "/resolved/" not in page and "act=resolved" not in page and BAD_DATE not in page
    return cases.get_case(case_id=done["Location"].rstrip("/").rpartition("/")[2])


def now_is(case: Case) -> Case:
    return cases.get_case(case_id=case.case_id)


def test_what_is_corrected_at_the_source_ends_by_the_next_load(reload: Any, cast: Cast) -> None:
    load_id = reload(*BAD, KEYLESS)
    with pytest.raises(Missing):
        give_back(load_id, cast.clerk)
    with pytest.raises(Refused):
        give_back(load_id, cast.leader)
    case = returned_by_page(load_id, cast)
    with pytest.raises(ReturnUnderWay, match=case.number):
        give_back(load_id, cast.steward)
    assert case.title == "示范企业：隔离 3 条、拒收 0 条"
    assert case.data["reasons"] == {"cast:registered_on": "2", "key_missing": "1"}
    view = cases.access_case(case_id=case.case_id, actor=cast.steward.actor)
    assert view.obligations[0].due is not None and (view.obligations[0].due.amount, view.obligations[0].due.unit) == (10, "workdays")
    assert view.subject is not None
    assert [href for _label, href in view.subject.links] == [
        f"/lake/loads/{load_id}/", f"/quality/findings/{case.data['resource']}/", f"/exchange/rows/{case.data['resource']}/?source=quarantine&load={load_id}",
    ]  # fmt: skip
    seen = cases.access_case(case_id=case.case_id, actor=cast.data_admin.actor).subject
    assert seen is not None and len(seen.links) == 2  # the records are the owner's
    assert {(line.title["zh"], line.after) for line in view.subject.lines} == {("类型不符：成立日期", "2"), ("主键为空", "1")}
    told = notices.list_notices(request=PageRequest(), actor=cast.steward.actor).items
    assert [notice.kind for notice in told] == ["lake.returned"]
    kept = json.dumps([*CaseRecord.objects.values("data", "search", "title"), *EventRecord.objects.values("values", "diff")], ensure_ascii=False)
    assert not any(str(value) in kept for row in BAD for value in row[:3])
    assert do(case, "corrected", cast.steward, note="已更正两条，补一条").phase == "verifying"
    reload([spine.uscc(9), "别的坏日期", BAD_DATE, "329901", 1])  # another record is wrong now: not these
    assert (now_is(case).outcome, now_is(case).data["left"]) == ("resolved", 0)
    assert cases.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal
    assert notices.list_notices(request=PageRequest(), actor=cast.data_admin.actor).items[0].kind == "cases.closed"


def test_what_is_still_there_opens_it_again_and_is_supervised_in_the_end(reload: Any, cast: Cast) -> None:
    case = give_back(reload(*BAD), cast.steward)
    reload(*BAD)  # nobody said that it was mended: nothing happens
    assert (now_is(case).phase, now_is(case).data["attempts"]) == ("correcting", None)
    for attempt in (1, 2):
        do(case, "corrected", cast.steward, note="已更正")
        reload(BAD[1])
        found = now_is(case)
        assert (found.phase, found.data["left"], found.data["attempts"]) == ("correcting", 1, attempt)
        assert (found.supervised_at is not None) == (attempt == 2)
    clean = reload()
    assert now_is(case).outcome == "resolved"
    with pytest.raises(NothingSetAside):
        give_back(clean, cast.steward)


def test_each_record_of_a_doubled_key_that_is_there_again_counts(reload: Any, cast: Cast) -> None:
    twice = [[spine.uscc(1), name, "2020-01-01", "329901", 1] for name in ("甲", "乙")]
    case = give_back(reload(*twice, *twice, KEYLESS), cast.steward)
    do(case, "corrected", cast.steward, note="已更正")
    reload(*twice, KEYLESS)
    aside = LoadRecord.objects.order_by("-started_at").values_list("quarantined", flat=True)[0]
    assert (now_is(case).data["left"], aside) == (3, 3)
    told = notices.list_notices(request=PageRequest(), actor=cast.steward.actor).items
    assert ("仍有 3 条", "Still there: 3") in {(notice.text["zh"], notice.text["en"]) for notice in told}


def test_the_bureau_judges_what_the_source_calls_right(reload: Any, cast: Cast) -> None:
    case = give_back(reload(*BAD), cast.data_admin)
    do(case, "genuine", cast.steward, statement="历史登记如此")
    with pytest.raises(Refused):
        do(case, "accept", cast.leader)
    do(case, "reject", cast.data_admin, reason="没有这个日期")
    do(case, "partly", cast.steward, note="更正一条", remaining=1, statement="原件如此")
    assert do(case, "accept", cast.data_admin).phase == "verifying"
    reload(BAD[0])
    assert (now_is(case).outcome, now_is(case).data["left"]) == ("resolved", 1)
    case = give_back(str(LoadRecord.objects.order_by("-started_at").values_list("pk", flat=True)[0]), cast.data_admin)
    do(case, "genuine", cast.steward, statement="原件如此")
    assert do(case, "accept", cast.data_admin).outcome == "genuine"
    load_id = reload(*BAD)  # once the records were swept, they are compared by reason
    case = give_back(load_id, cast.data_admin)
    do(case, "corrected", cast.steward, note="已更正")
    LoadRecord.objects.filter(pk=load_id).update(quarantine_file="")
    reload([spine.uscc(9), "别的坏日期", BAD_DATE, "329901", 1])
    assert (now_is(case).phase, now_is(case).data["left"]) == ("correcting", 1)


def test_who_returned_records_takes_that_back_until_the_source_answered(reload: Any, cast: Cast) -> None:
    load_id = reload(*BAD)
    case = give_back(load_id, cast.data_admin)
    offered = {one.name for one in cases.access_case(case_id=case.case_id, actor=cast.data_admin.actor).operators}
    assert "withdraw" in offered
    with pytest.raises(CannotOperate):
        cases.withdraw(case_id=case.case_id, reason="我不想改", actor=cast.steward.actor)
    done = cases.withdraw(case_id=case.case_id, reason="规则写错了", actor=cast.data_admin.actor)
    assert (done.state, done.phase, done.outcome) == ("closed", "withdrawn", "withdrawn")
    told = notices.list_notices(request=PageRequest(), actor=cast.steward.actor).items[0]
    assert told.kind == "lake.returned" and told.title["zh"].startswith("退回已撤回") and told.text["zh"] == "规则写错了"
    again = give_back(load_id, cast.data_admin)  # the records are set aside still, and can be returned anew
    do(again, "genuine", cast.steward, statement="口径如此")
    with pytest.raises(CannotOperate):
        cases.withdraw(case_id=again.case_id, reason="晚了", actor=cast.data_admin.actor)
