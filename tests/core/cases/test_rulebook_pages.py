from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.kinds import SIMPLE, simple_kind
from tests.core.cases.test_award import applied
from tests.core.cases.test_award import loaded as loaded  # noqa: PLC0414 - the fixture
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.rules.lengths import amount_in_words
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db


def test_a_table_is_shown_with_its_rows_and_can_be_tried(loaded: None, cast: Cast) -> None:
    browser = signed_in(cast.leader)
    page = browser.get("/inbox/rules/").content.decode()
    assert "奖补标准（示例）" in page
    assert "award.check" in page
    tried = browser.get("/inbox/rules/award_amount/", {"on": "2026-06-30", "turnover": "2000", "first_time": "true"})
    assert "适用的行 <span class=\"num\">4</span>" in tried.content.decode()
    refused = browser.get("/inbox/rules/award_amount/", {"on": "2026-06-30", "turnover": "many", "first_time": "true"})
    assert refused.status_code == 422
    assert "需要整数" in refused.content.decode()
    assert browser.get("/inbox/rules/nothing/").status_code == 404


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_day_is_filled_in_and_amounts_read_well(loaded: None, cast: Cast, language: str) -> None:
    client = signed_in(cast.leader)
    page = client.get("/inbox/rules/award_amount/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
    assert 'value="2026-03-02"' in page
    limits = client.get("/inbox/rules/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
    assert {"zh": "10 个自然日", "en": "10 calendar days"}[language] in limits
    assert amount_in_words(1, "workdays") == {"zh": "1 个工作日", "en": "1 workday"}


def test_the_list_of_a_batch_is_changed_on_its_page(loaded: None, cast: Cast) -> None:
    bids = [applied(cast, 70, 70, 70), applied(cast, 90, 90, 90)]
    batch: Any = api.open_case(
        kind="award_ranking", title="排序", data={"quota": 1, "pass_mark": 60}, actor=cast.clerk.actor, owner=cast.owner.code
    )
    browser, place = signed_in(cast.leader), f"/inbox/cases/{batch.case_id}/members/"
    assert bids[0].number in browser.get(place).content.decode()
    assert browser.post(place, {"add": [bid.number for bid in bids]}).status_code == 302
    page = browser.get(f"/inbox/cases/{batch.case_id}/").content.decode()
    assert page.index(bids[1].number) < page.index(bids[0].number)  # best first
    assert browser.post(place, {"drop": [bids[0].number]}).status_code == 302
    assert [m.number for m in api.list_members(case_id=batch.case_id, actor=cast.leader.actor)] == [bids[1].number]
    assert browser.post(place, {"add": ["SB20260101-00001"]}).status_code == 422
    assert signed_in(cast.bureau_clerk).get(place).status_code == 404


def test_a_table_shows_organisations_by_name_beside_their_code(cast: Cast, founder: Actor) -> None:
    declaration = {
        "code": "who", "title": {"zh": "谁来答"}, "hit": "first", "inputs": {"topic": {"type": "string", "values": ["market", "other"]}},
        "outputs": {"lead": "string"},
    }  # fmt: skip
    unknown = "113299000032990520"
    rules = f"in:topic,out:lead,basis\nmarket,{cast.owner.code},依据\nother,{unknown},依据\n"
    api.publish_table(declaration=declaration, rules=rules, source="tests", actor=founder)
    page = signed_in(cast.leader).get("/inbox/rules/who/", {"on": "2026-06-30", "topic": "market"}).content.decode()
    rows, _sep, tried = page.partition("试一试")
    for part in (rows, tried):
        assert cast.owner.label in part and cast.owner.code in part
    assert unknown in rows  # whose code nobody knows stands for itself


def test_columns_and_codes_of_a_table_are_said_in_words(cast: Cast, founder: Actor) -> None:
    field = {"name": "topic", "title": {"zh": "事由", "en": "Topic"}, "type": "choice",
             "choices": [{"value": "market", "title": {"zh": "市场监管", "en": "Markets"}}, {"value": "labour", "title": "劳动"}]}  # fmt: skip
    header: dict[str, Any] = {
        "code": "desk", "title": "分派", "hit": "first",
        "inputs": {"about": {"type": "string", "values": ["market", "labour"]}, "n": {"type": "integer", "title": {"zh": "件数", "en": "Number"}}},
        "outputs": {"seat": {"type": "string", "default": "x"}},
    }  # fmt: skip
    api.publish_table(declaration=header, rules='in:about,in:n,out:seat\nlabour,null,乙\n"market, labour",-,甲\n', source="tests", actor=founder)
    bare = signed_in(cast.leader).get("/inbox/rules/desk/").content.decode()
    assert "条件 about" in bare and "条件 件数" in bare  # no kind asks it yet: what the file says, else the name
    fields = [*SIMPLE["fields"], field, {"name": "seat", "title": "处室", "internal": True}]
    start = [{"decide": {"table": "desk", "inputs": {"about": "data.topic", "n": "data.days"}}}, *SIMPLE["start"]]
    api.publish_kind(spec=simple_kind(fields=fields, start=start), source="tests", actor=founder)
    page = signed_in(cast.leader).get("/inbox/rules/desk/", {"on": "2026-06-30", "about": "market"}).content.decode()
    for told in ("条件 事由", "条件 件数", "结果 处室", "市场监管, 劳动"):
        assert told in page, told
    assert "条件 about" not in page and ">处室<" in page
    header["inputs"]["n"]["title"] = "几件"
    rules = 'in:about,in:n,out:seat\nlabour,null,乙\n"market, labour",-,甲\n'
    again = api.publish_table(declaration=header, rules=rules, source="tests", actor=founder)
    assert again.number == 1 and "条件 几件" in signed_in(cast.leader).get("/inbox/rules/desk/").content.decode()


def test_what_a_table_lists_is_chosen_by_name_and_what_must_be_known_is_asked_for(cast: Cast, founder: Actor) -> None:
    topic = {"name": "topic", "title": "事由", "type": "choice", "choices": [{"value": "market", "title": "市场监管"}]}
    header: dict[str, Any] = {
        "code": "desk", "title": "分派", "hit": "first",
        "inputs": {"about": {"type": "string", "values": ["market", "labour"]}, "urgent": {"type": "boolean"}},
        "outputs": {"seat": {"type": "string"}},
    }  # fmt: skip
    api.publish_table(declaration=header, rules="in:about,in:urgent,out:seat\nmarket,-,甲\nlabour,true,乙\n-,-,丙\n", source="tests", actor=founder)
    fields = [*SIMPLE["fields"], topic, {"name": "urgent", "title": "急件", "type": "boolean"}, {"name": "seat", "title": "处室", "internal": True}]
    start = [{"decide": {"table": "desk", "inputs": {"about": "data.topic"}}}, *SIMPLE["start"]]
    api.publish_kind(spec=simple_kind(fields=fields, start=start), source="tests", actor=founder)
    browser, place = signed_in(cast.leader), "/inbox/rules/desk/"
    page = browser.get(place).content.decode()
    assert '<option value="market">市场监管</option>' in page and '<option value="labour">labour</option>' in page
    assert '<option value="" selected>未知</option>' in page and '<option value="true">是</option>' in page
    for given in ("", "health"):
        refused = browser.get(place, {"on": "2026-06-30", "about": given, "urgent": ""})
        assert refused.status_code == 422 and 'href="#id_about"' in refused.content.decode()
    tried = browser.get(place, {"on": "2026-06-30", "about": "labour", "urgent": ""}).content.decode()
    assert '适用的行 <span class="num">4</span>' in tried
