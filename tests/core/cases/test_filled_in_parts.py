"""Fields with parts in forms that people fill in: tables, a value for each name of a list, JSON, ticks; at every door the same."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.forms import CheckboxSelectMultiple, MultipleChoiceField
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api_caller import Caller
from tests.conftest import Cast
from tests.core.cases.form_kinds import EVERY_FIELD, as_posted, form_kind, publish, text
from tests.core.cases.test_pages import signed_in
from tests.soaking import amount
from yunhe.cli.main import main
from yunhe.core.cases import api
from yunhe.core.cases.errors import BadKind, FieldsInvalid
from yunhe.core.cases.forms.parts import PartsBound, RowsField
from yunhe.core.cases.models import CaseRecord
from yunhe.kernel.actor import job_actor
from yunhe.ui.forms import YunheForm

pytestmark = pytest.mark.django_db
PAGE = "/inbox/new/form_case/"
ROWS = text("rows", type="rows", max_items=3, fields=[text("item", required=True, max_length=5), text("qty", type="integer", minimum=1)])
NAMES = text("names", type="list", max_items=5, max_length=20)
EACH = text("each", type="map", subset_of="names", choices=[{"value": "yes_", "title": {"zh": "可", "en": "Fine"}}])
PLEDGE = text("pledge", type="boolean", required=True)
JSON = text("blob", type="json")

WORDS = st.text(st.sampled_from("甲乙丙ab1"), min_size=1, max_size=8)
NAMED = st.lists(WORDS, min_size=1, max_size=4, unique=True)
PLAIN = st.booleans() | st.integers(-9, 9) | WORDS
BLOBS = st.recursive(PLAIN, lambda some: st.lists(some, min_size=1, max_size=3) | st.dictionaries(WORDS, some, min_size=1, max_size=3))


def named(cast: Cast, **more: Any) -> dict[str, Any]:
    """Return what every opening form is asked for, and the rest."""
    return {"do-title": "一件", "do-owner": cast.owner.code, "key": "K1", **more}


def kept(number: int = 0) -> dict[str, Any]:
    return dict(CaseRecord.objects.order_by("opened_at", "id")[number].data)


def errors(page: str) -> list[str]:
    """Return the list of errors on a page, without its tags."""
    found = re.search(r'id="form-errors">(.*?)</div>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", one) for one in re.findall(r"<li>(.*?)</li>", found[1], re.DOTALL)] if found else []


def maybe(some: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | some


@st.composite
def filled(draw: Any) -> dict[str, Any]:
    """Draw what is filled into a form of every field."""
    names = draw(NAMED)
    row = {
        "item": draw(WORDS), "qty": draw(maybe(st.integers(1, 99))), "cost": draw(maybe(st.integers(0, 99).map(str))), "sort": draw(maybe(st.just("x"))),
        "on": draw(maybe(st.just("2026-03-02"))), "ok": draw(st.booleans()), "marks": draw(maybe(NAMED)), "extra": draw(maybe(BLOBS)),
    }  # fmt: skip
    rows = [{**row, "item": item} for item in draw(st.lists(WORDS, max_size=3))]
    return {
        "short": draw(WORDS), "long": draw(maybe(WORDS)), "number": draw(st.integers(1, 100)), "money": draw(maybe(st.integers(0, 99).map(str))),
        "day": draw(maybe(st.just("2026-12-31"))), "free": draw(st.booleans()), "pledge": True, "pick": draw(maybe(st.sampled_from("ab"))), "names": names,
        "rows": rows or None, "each": draw(maybe(st.dictionaries(st.sampled_from(names), st.sampled_from(["yes_", "no_"]), min_size=1))),
        "notes": draw(maybe(st.dictionaries(st.sampled_from(names), WORDS, min_size=1))),
        "plain": draw(maybe(st.dictionaries(WORDS, WORDS, min_size=1, max_size=3))),
        "blob": draw(maybe(BLOBS)),
    }  # fmt: skip


@pytest.fixture
def every(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(EVERY_FIELD)
    monkeypatch.setattr("yunhe.cli.main._start_django", lambda command: None)  # it is set up already


@settings(max_examples=amount(small=12, full=400), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=filled())
def test_the_page_the_api_and_the_command_keep_the_same(every: None, cast: Cast, values: dict[str, Any]) -> None:
    before = CaseRecord.objects.count()
    values = {**values, "body": cast.owner.code, "people": None, "kind": "form_case"}
    given = {name: value for name, value in values.items() if value is not None}
    sent = {**named(cast, key=f"page-{before}"), **as_posted(EVERY_FIELD, values)}
    client = signed_in(cast.clerk)
    answer = client.post(PAGE, sent)
    assert answer.status_code == 302, errors(answer.content.decode())
    told = Caller(cast.clerk).post("/cases", {"kind": "form_case", "title": "一件", "data": given, "owner": cast.owner.code})
    assert told.status == 200, told.body
    asked = ["--title", "一件", "--data", json.dumps(given), "--owner", cast.owner.code, "--as", f"{cast.clerk.username}@{cast.clerk.actor.organization}"]
    assert main(["case", "open", "form_case", *asked]) == 0
    page, called, commanded = (dict(one.data) for one in CaseRecord.objects.order_by("opened_at", "id")[before:])
    assert page == called == commanded
    for name in ("rows", "each", "notes", "plain", "blob", "names"):
        assert (page[name] is None) == (values[name] is None or values[name] in ([], {})), name
    again = api.access_case(case_id=answer["Location"].split("/")[-2], actor=cast.clerk.actor)
    assert client.get(f"/inbox/cases/{again.case.case_id}/").status_code == 200


def test_rows_are_added_and_taken_out_without_script(cast: Cast) -> None:
    publish([ROWS])
    client = signed_in(cast.clerk)
    first = client.get(PAGE).content.decode()
    assert 'name="do-rows__0__item"' in first and 'aria-label="第 1 行 字段item"' in first and 'value="add:rows"' in first
    assert 'name="do-rows__1__item"' not in first
    one = {"do-rows": ["0"], "do-rows__0__item": "笔", "do-rows__0__qty": "x"}
    two = client.post(PAGE, {**named(cast), **one, "row": "add:rows"}).content.decode()
    assert 'name="do-rows__1__item"' in two and 'value="笔"' in two and 'value="x"' in two and "已增加第 2 行" in two
    assert re.search(r'name="do-rows__1__item"[^>]*autofocus', two) and errors(two) == []
    three = {"do-rows": ["0", "1", "2"], "do-rows__0__item": "笔", "do-rows__1__item": "纸", "do-rows__2__item": "墨"}
    full = client.post(PAGE, {**named(cast), **three, "row": "add:rows"}).content.decode()
    assert "最多 3 行" in full and 'name="do-rows__3__item"' not in full and 'value="add:rows"' not in full
    less = client.post(PAGE, {**named(cast), **three, "row": "drop:rows:1"}).content.decode()
    assert "已删除第 2 行" in less and 'value="纸"' not in less and 'name="do-rows__2__item"' not in less
    assert re.search(r'name="do-rows__1__item"[^>]*value="墨"|value="墨"[^>]*name="do-rows__1__item"', less)
    assert CaseRecord.objects.count() == 0
    assert client.post(PAGE, {**named(cast), **three}).status_code == 302
    assert [row["item"] for row in kept()["rows"]] == ["笔", "纸", "墨"]


def test_the_first_button_of_a_form_with_a_table_hands_it_in(cast: Cast) -> None:
    publish([ROWS])
    page = signed_in(cast.clerk).get(PAGE).content.decode()
    form = page[page.index('class="yh-form"') :]
    assert re.search(r"<button[^>]*>", form)[0] == '<button type="submit" hidden>'  # type: ignore[index]


def test_what_is_wrong_in_a_table_is_told_by_row_and_column(cast: Cast) -> None:
    publish([ROWS, JSON])
    client = signed_in(cast.clerk)
    wrong = {"do-rows": ["0", "1", "2"], "do-rows__1__item": "笔", "do-rows__1__qty": "0", "do-rows__2__qty": "3"}  # the first is empty: no row
    refused = client.post(PAGE, {**named(cast), **wrong})
    page = refused.content.decode()
    assert refused.status_code == 422
    assert errors(page) == ["字段rows：第 2 行“字段qty”：不能小于 1。", "字段rows：第 3 行“字段item”：必填。"]
    for anchor in ("id_do-rows__1__qty", "id_do-rows__2__item"):
        assert f'href="#{anchor}"' in page and f'id="{anchor}_error"' in page
        assert re.search(rf'<input[^>]*aria-describedby="{anchor}_error"', page)
    english = client.post(PAGE, {**named(cast), **wrong}, HTTP_ACCEPT_LANGUAGE="en").content.decode()
    assert "Row 2, Field qty: At least 1." in " ".join(errors(english))
    draft = client.get("/inbox/new/").content.decode()
    assert "draft=" in draft
    again = client.get(re.search(r'href="(/inbox/new/form_case/\?draft=[^"#]+)', draft)[1]).content.decode()  # type: ignore[index]
    assert 'value="笔"' in again and 'name="do-rows__2__qty"' in again


def test_a_required_table_needs_a_row(cast: Cast) -> None:
    publish([{**ROWS, "required": True}])
    refused = signed_in(cast.clerk).post(PAGE, {**named(cast), "do-rows": ["0"], "do-rows__0__item": " "})
    assert refused.status_code == 422 and len(errors(refused.content.decode())) == 1
    with pytest.raises(FieldsInvalid):
        api.open_case(kind="form_case", title="一件", data={"rows": []}, actor=cast.clerk.actor, owner=cast.owner.code)


def test_a_case_shows_the_rows_as_people_read_them(cast: Cast) -> None:
    publish(EVERY_FIELD)
    row = {"item": "笔", "qty": 2, "sort": "x", "ok": True, "body": cast.owner.code}
    data = {"short": "短", "number": 1, "pledge": True, "rows": [row], "names": ["张三"], "each": {"张三": "yes_"}, "blob": {"a": [1]}}
    case = api.open_case(kind="form_case", title="一件", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
    client = signed_in(cast.clerk)
    for address in (f"/inbox/cases/{case.case_id}/", f"/inbox/cases/{case.case_id}/print/"):
        page = client.get(address).content.decode()
        assert f"字段item 笔，字段qty 2，字段sort 货物，字段ok 是，字段body {api.organization_choices()[cast.owner.code]}" in page, address
        assert "张三：可" in page and "{&quot;a&quot;: [1]}" in page


def test_a_value_for_each_name_follows_the_list(cast: Cast) -> None:
    publish([NAMES, EACH])
    client = signed_in(cast.clerk)
    first = client.get(PAGE).content.decode()
    assert "先填写名单" in first and re.search(r'name="do-names"[^>]*data-steers', first) and 'id="slot-each"' in first
    assert "更新表单" in first
    drawn = client.post(PAGE, {**named(cast), "do-names": "张三\n李四", "step": "refresh"}).content.decode()
    assert '<label for="id_do-each__0">张三</label>' in drawn and 'name="do-each__1__name" value="李四"' in drawn
    chosen = {"do-each__0__name": "张三", "do-each__0": "", "do-each__1__name": "李四", "do-each__1": "yes_"}
    moved = client.post(PAGE, {**named(cast), "do-names": "李四\n王五", **chosen, "step": "refresh"}).content.decode()
    assert re.search(r'for="id_do-each__0">李四</label>.*?<option value="yes_" selected>', moved, re.DOTALL)
    late = client.post(PAGE, {**named(cast), "do-names": "李四\n王五", **chosen})
    assert late.status_code == 200 and "名单有变动" in late.content.decode() and CaseRecord.objects.count() == 0
    chosen = {"do-each__0__name": "李四", "do-each__0": "yes_", "do-each__1__name": "王五", "do-each__1": ""}
    assert client.post(PAGE, {**named(cast), "do-names": "李四\n王五", **chosen}).status_code == 302
    assert kept()["each"] == {"李四": "yes_"}


def test_what_is_wrong_with_the_value_of_a_name_says_which(cast: Cast) -> None:
    publish([NAMES, text("notes", type="map", subset_of="names", max_length=4)])
    sent = {"do-names": "甲\n乙", "do-notes__0__name": "甲", "do-notes__0": "", "do-notes__1__name": "乙", "do-notes__1": "太长的说明"}
    page = signed_in(cast.clerk).post(PAGE, {**named(cast), **sent}).content.decode()
    assert errors(page) == ["字段notes：“乙”：最多 4 个字符，实际 5 个。"] and 'href="#id_do-notes__1"' in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ('{"a":\n 1,}', "第 2 行第 4 列"),
        ("[1", "⏎"),
        ('{"a": 1, "a": 2}', "“a”在同一处出现了两次"),
        ("[NaN]", "不能有 NaN"),
        ("9" * 20, "不是可以保存的内容"),
        ("[" * 5000, "嵌套过深"),
    ],
)
def test_text_that_is_not_json_is_told_where(cast: Cast, typed: str, said: str) -> None:
    publish([JSON])
    client = signed_in(cast.clerk)
    refused = client.post(PAGE, {**named(cast), "do-blob": typed})
    assert refused.status_code == 422 and said in " ".join(errors(refused.content.decode()))
    (draft,) = api.list_drafts(actor=cast.clerk.actor)
    assert draft.values["blob"] == typed


def test_a_pledge_must_be_ticked_at_every_door(cast: Cast, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yunhe.cli.main._start_django", lambda command: None)
    publish([PLEDGE, text("free", type="boolean"), {**PLEDGE, "name": "hidden_one", "internal": True, "required": False}])
    client = signed_in(cast.clerk)
    page = client.get(PAGE).content.decode()
    assert re.search(r"字段pledge\s*<small[^>]*>必填</small>", page) and re.search(r"字段free\s*<small[^>]*>选填</small>", page)
    refused = client.post(PAGE, named(cast))
    assert refused.status_code == 422 and errors(refused.content.decode()) == ["字段pledge：必须勾选（是）才能提交。"]
    asked = {"kind": "form_case", "title": "一件", "owner": cast.owner.code}
    for data, said in (({"pledge": False}, "必须勾选"), ({}, "必填")):
        answer = Caller(cast.clerk).post("/cases", {**asked, "data": data})
        assert answer.refusal == (422, "fields_invalid") and said in answer.body["errors"][0]["expected"]
    words = ["--owner", cast.owner.code, "--as", f"{cast.clerk.username}@{cast.clerk.actor.organization}"]
    assert main(["case", "open", "form_case", "--title", "一件", "--data", '{"pledge": false}', *words]) == 2
    assert "必须勾选" in capsys.readouterr().err
    assert client.post(PAGE, {**named(cast), "do-pledge": "on"}).status_code == 302
    assert (kept()["pledge"], kept()["free"]) == (True, False)


def test_a_boolean_that_only_rules_read_may_be_false(cast: Cast) -> None:
    publish([{**PLEDGE, "shown": False}])
    case = api.open_case(kind="form_case", title="一件", data={"pledge": False}, actor=cast.clerk.actor, owner=cast.owner.code)
    assert case.data["pledge"] is False


def test_a_text_that_is_too_long_comes_back_whole(cast: Cast) -> None:
    publish([text("short", max_length=10)])
    client = signed_in(cast.clerk)
    assert "maxlength" not in re.findall(r'<input[^>]*name="do-short"[^>]*>', client.get(PAGE).content.decode())[0]
    page = client.post(PAGE, {**named(cast), "do-short": "一二三四五六七八九十多"}).content.decode()
    assert errors(page) == ["字段short：最多 10 个字符，实际 11 个。"] and 'value="一二三四五六七八九十多"' in page


def test_the_link_to_boxes_of_a_row_leads_to_their_group(cast: Cast) -> None:
    class Table(YunheForm):
        rows = RowsField(most=3, cells={"who": MultipleChoiceField(choices=[("a", "甲"), ("b", "乙")], widget=CheckboxSelectMultiple)})

    field = Table({"rows": ["0"]})["rows"]
    assert isinstance(field, PartsBound)
    part = field.part("0__who", field.field.widget.cells["who"], None, "谁")
    assert re.findall(r'<div role="group" id="([^"]+)" tabindex="-1"', part["html"]) == [part["id"]] == ["id_rows__0__who"]
    assert part["html"].count('id="id_rows__0__who"') == 1


def test_a_button_of_a_table_does_not_do_several_at_once(cast: Cast) -> None:
    publish([], [ROWS])
    cases = [api.open_case(kind="form_case", title=name, data={}, actor=cast.clerk.actor, owner=cast.owner.code) for name in "甲乙"]
    picks = [
        f"{view.obligations[0].obligation_id}.{view.case.version}"
        for view in (api.access_case(case_id=case.case_id, actor=cast.leader.actor) for case in cases)
    ]
    client = signed_in(cast.leader)
    asked = {"pick": picks, "act": "finish", "go": "1", "do-rows": ["0"], "do-rows__0__item": "笔"}
    page = client.post("/inbox/bulk/", {**asked, "row": "add:rows"})
    assert page.status_code == 200 and 'name="do-rows__1__item"' in page.content.decode() and 'value="笔"' in page.content.decode()
    assert {api.get_case(case_id=case.case_id).state for case in cases} == {"open"}
    assert client.post("/inbox/bulk/", asked).status_code == 302
    assert {api.get_case(case_id=case.case_id).state for case in cases} == {"closed"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ([text("deep", type="rows", fields=[text("inner", type="rows", fields=[text("a")])])], "不能再套表格"),
        ([text("each", type="map", subset_of="nothing")], "没有名单"),
    ],
)
def test_a_form_that_nobody_could_fill_in_is_not_published(cast: Cast, fields: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(BadKind) as caught:
        publish(fields)
    assert said in caught.value.say("zh") and fields[0]["name"] in caught.value.say("zh")


def test_a_table_in_a_table_is_for_programs(cast: Cast) -> None:
    deep = text("deep", type="rows", fields=[text("inner", type="rows", fields=[text("a")])])
    api.publish_kind(spec=form_kind([deep], by_form=False), source="tests", actor=job_actor("tests"))
    case = api.open_case(kind="form_case", title="一件", data={"deep": [{"inner": [{"a": "x"}]}]}, actor=cast.clerk.actor, owner=cast.owner.code)
    assert case.data["deep"] == [{"inner": [{"a": "x"}]}]
