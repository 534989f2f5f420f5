"""An extension (延期) told as what it is: 5 + 3 workdays, by whom, why, due when before and after; what its form says before."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from tests.conftest import Cast
from tests.core.cases.test_migrating import applied, body, publish
from tests.core.cases.test_operators import notices_of, open_ids, permit, permit_kind, view
from tests.core.cases.test_pages import signed_in
from yunhe.cli.case_lines import case_lines
from yunhe.core.cases import api
from yunhe.core.cases.errors import CannotOperate
from yunhe.core.cases.forms.operators import offer_of
from yunhe.core.cases.models import EventRecord, ObligationRecord
from yunhe.core.cases.panels.clocks import counted_days, due_sentence
from yunhe.core.cases.types import Case
from yunhe.kernel.clock import local
from yunhe.ui.po import compile_texts

__all__ = ["permit"]
compile_texts()
pytestmark = pytest.mark.django_db
LAW, WHY = "行政许可法第四十二条", "情况复杂"
OWN = "行政许可法第三十二条"
CHINESE_SIGNS = re.compile("[：，、。（）；]")


@pytest.fixture
def extended(permit: Any, cast: Cast) -> Case:
    """Return a permit whose acceptance, 5 workdays, was made 3 workdays longer."""
    base = permit_kind().model_dump(mode="json", by_alias=True, exclude_defaults=True)["obligations"]
    base["accept"]["limits"][0] |= {"extend_most": 5, "basis": OWN}
    case: Case = permit(obligations=base)
    (item,) = open_ids(case, cast, "accept")
    api.extend(case_id=case.case_id, obligation_id=item, amount=3, basis=LAW, reason=WHY, actor=cast.leader.actor)
    return case


def dues(case: Case) -> tuple[str, str]:
    """Return when the acceptance was due, and is due."""
    first, last = (event.diff["obligations"] for event in EventRecord.objects.filter(case=case.case_id).order_by("seq"))
    return tuple(local_day(next(iter(part.values()))["due_at"]) for part in (first, last))  # type: ignore[return-value]


def local_day(at: str) -> str:
    return local(datetime.fromisoformat(at)).date().isoformat()


def test_the_step_says_the_limit_and_its_extension_with_both_bases_and_both_dates(extended: Case, cast: Cast) -> None:
    before, after = dues(extended)
    step = view(extended, cast.leader).events[-1]
    told = {fact.name: fact.label for fact in step.facts}
    assert told["limit"]["zh"] == "受理" and told["amount"] == {"zh": "3 个工作日", "en": "3 workdays"}
    assert told["total"] == {"zh": "5 + 3 个工作日", "en": "5 + 3 workdays"}
    assert told["due"] == {"zh": f"由 {before} 改为 {after}", "en": f"{after} instead of {before}"}
    assert (told["limit_basis"]["zh"], told["basis"]["zh"], told["reason"]["zh"]) == (OWN, LAW, WHY)
    assert before < after and step.actor_name == cast.leader.actor.name


def test_how_it_was_counted_says_who_made_it_longer_and_which_days_are_the_extension(extended: Case, cast: Cast) -> None:
    before, after = dues(extended)
    item = next(one for one in view(extended, cast.leader).obligations if one.name == "accept")
    assert item.due is not None and (item.due.limit, item.due.granted, item.due.left) == (5, (3,), 2)
    with translation.override("zh-hans"):
        said = due_sentence(item.due)
        days = [str(counted_days(item.due).columns[2].value(day)) for day in item.due.days if day.number]
    parts = ("5 + 3 个工作日", f"5 个工作日的依据：{OWN}", f"延期 3 个工作日，依据：{LAW}，理由：{WHY}", f"由 {before} 改为 {after}")
    for part in (*parts, cast.leader.actor.name):
        assert part in said, said
    assert [("延期" in day) for day in days] == [False] * 5 + [True] * 3
    with translation.override("en"):
        english = due_sentence(item.due)
    assert "5 + 3 workdays from" in english and f"due {after} instead of {before}" in english and not CHINESE_SIGNS.search(english)


def test_the_page_the_print_the_command_line_and_the_message_say_it(extended: Case, cast: Cast) -> None:
    before, after = dues(extended)
    client = signed_in(cast.leader)
    for address in (f"/inbox/cases/{extended.case_id}/", f"/inbox/cases/{extended.case_id}/print/"):
        page = client.get(address).content.decode()
        assert page.count("5 + 3 个工作日") >= 2 and page.count(f"由 {before} 改为 {after}") >= 2, address
    lines = "\n".join(case_lines(view(extended, cast.leader), language="en", titles={}))
    assert "5 + 3 workdays" in lines and f"{after} instead of {before}" in lines
    told = notices_of(cast.clerk)[0].text
    assert "5 + 3 个工作日" in told["zh"] and f"{after} instead of {before}" in told["en"]


def test_an_extension_of_before_this_was_kept_still_reads(extended: Case, cast: Cast) -> None:
    ObligationRecord.objects.filter(case=extended.case_id, name="accept").update(extensions=[{"amount": 2, "basis": "别的", "reason": "并来"}])
    item = next(one for one in view(extended, cast.leader).obligations if one.name == "accept")
    assert item.due is not None and "at" not in item.due.extensions[0]
    assert "延期 2 个工作日，依据：别的，理由：并来。" in due_sentence(item.due)


def test_the_form_names_the_unit_what_was_granted_what_is_left_and_the_due_date(extended: Case, cast: Cast) -> None:
    client: Client = signed_in(cast.leader)
    (item,) = open_ids(extended, cast, "accept")
    page = client.get(f"/inbox/cases/{extended.case_id}/?op=extend&ob={item}").content.decode()
    for part in ("延长几个工作日", "已延期 3 个工作日", "最多还能延长 2 个工作日", "延长 1 个工作日，", "延长 2 个工作日，"):
        assert part in page, part
    assert "延长 3 个工作日，" not in page
    asked = f"/inbox/cases/{extended.case_id}/extended/?ob={item}&do-amount="
    seen = client.get(f"{asked}2").content.decode()
    assert "超过了上限" in client.get(f"{asked}3").content.decode() and "延长 1 个工作日，" in client.get(f"{asked}x").content.decode()
    sent = {"ob": item, "do-amount": "3", "do-basis": LAW, "do-reason": WHY}
    refused = client.post(f"/inbox/cases/{extended.case_id}/operators/extend/", sent)
    assert refused.status_code == 422 and "最多还能延长 2 个工作日，请改小后重新提交" in refused.content.decode()
    client.post(f"/inbox/cases/{extended.case_id}/operators/extend/", {**sent, "do-amount": "2"})
    due = next(one.due for one in view(extended, cast.leader).obligations if one.name == "accept")
    assert due is not None and due.at is not None and f"{local(due.at).date()} 到期" in seen
    assert (due.amount, due.left) == (10, 0)
    assert signed_in(cast.clerk).get(f"{asked}1").status_code in (403, 404)


def test_beyond_the_most_names_the_unit(extended: Case, cast: Cast) -> None:
    (item,) = open_ids(extended, cast, "accept")
    told = {"case_id": extended.case_id, "obligation_id": item, "basis": LAW, "reason": WHY, "actor": cast.leader.actor}
    with pytest.raises(CannotOperate) as refused:
        api.extend(**told, amount=3)
    assert "最多还能延长 2 个工作日" in refused.value.say("zh") and "2 workdays at most" in refused.value.say("en")


def test_a_limit_without_a_most_says_so(permit: Any, cast: Cast) -> None:
    case = permit()
    seen = view(case, cast.leader)
    one = next(one for one in seen.operators if one.name == "extend")
    field = offer_of(seen, one).fields[0]
    assert field.maximum == 3660 and field.help is not None and "依据没有规定最多延长多少" in field.help.zh and "还没有延期过" in field.help.zh


def test_a_change_that_renamed_what_was_extended_leaves_the_words_of_then(extended: Case, cast: Cast) -> None:
    told = json.loads(json.dumps(body()).replace('"open_obligation": "accept"', '"open_obligation": "receive"'))
    told["obligations"]["receive"] = {**told["obligations"].pop("accept"), "title": "收件"}
    publish(**told)
    plan = api.plan_migration(kind="permit", actor=cast.data_admin.actor)
    applied(cast, replace(plan, moves=tuple(replace(move, renames={"accept": "receive"}) for move in plan.moves)))
    (step,) = [event for event in view(extended, cast.leader).events if event.action == "extend"]
    assert {fact.name: fact.label for fact in step.facts}["limit"] == {"zh": "受理", "en": "Accept"}
