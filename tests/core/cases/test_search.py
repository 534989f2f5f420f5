"""A search over cases: all that its page says of words, and never more than that page."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Cast
from tests.core.cases.kinds import SIMPLE, simple_kind
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.models import CaseRecord, WordsRecord
from yunhe.core.cases.rules.search import asked_words, fold, head_of, step_text
from yunhe.core.cases.types import Case
from yunhe.core.organizations.models import Organization
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
TEMPER = {"name": "temper", "title": "缓急", "type": "choice", "choices": [
    {"value": "zz_soon", "title": {"zh": "加急办理", "en": "Urgently"}}, {"value": "zz_later", "title": {"zh": "平件", "en": "Plain"}}]}  # fmt: skip
FORM = [
    {"name": "text", "title": "答复", "required": True, "max_length": 20},
    {"name": "note", "title": "内部记", "shown": False},
    {**TEMPER, "name": "speed"},
    {"name": "posts", "title": "岗位", "type": "rows", "fields": [{"name": "post", "title": "岗"}, {"name": "dark", "title": "暗", "shown": False}]},
]  # fmt: skip


@pytest.fixture
def case(cast: Cast, founder: Actor) -> Case:
    body = simple_kind().model_dump(mode="json")
    plan, seat = {"name": "plan", "title": "方案", "max_length": 20000}, {"name": "seat", "title": "驻地", "format": "organization"}
    body["fields"] = [*SIMPLE["fields"], TEMPER, plan, seat]
    body["obligations"]["answer"]["actions"]["agree"]["fields"] = FORM
    api.publish_kind(spec=simple_kind(**{name: body[name] for name in ("fields", "obligations")}), source="tests", actor=founder)
    data = {"amount": 100, "items": ["一"], "temper": "zz_soon", "plan": "长" * 15000 + "尾声在此", "seat": cast.bureau.code}
    opened = api.open_case(kind="leave_note", title="夜市", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
    (agree,) = [one for one in api.access_case(case_id=opened.case_id, actor=cast.leader.actor).actions if one.name == "agree"]
    told = {"text": "夜间十点后不得亮灯", "note": "暗语甲", "speed": "zz_later", "posts": [{"post": "看门 人", "dark": "暗语乙"}]}
    api.act(case_id=opened.case_id, action="agree", obligation_id=agree.obligation_id, data=told, actor=cast.leader.actor)
    return opened


def found(actor: Actor, words: str) -> int:
    return api.list_cases(request=PageRequest(search=words), actor=actor).total


SHOWN = ("亮灯", "后不得亮灯", "平件", "plain", "加急", "URGENTLY", "尾声在此", "市数据局", "示范市数据局", "市市场监管局")
SEVERAL = ("夜市 亮灯", "亮灯 夜市 市数据局", "平件　亮灯", "夜市 {holder}", "{clerk} {number}", "亮灯 夜市 亮灯")
ALIKE = (
    ("ＸＫ２０号 Ｃafe\u0301", "xk20号 café"), ("ＸＫ２０号 Ｃafe\u0301", "ＸＫ20号\u200b CAFÉ"), ("a\u200b\ufeff一\u00ad二", "一二"),
    ("一二", "一\u200d二"), ("㈠ ﬁle", "(一) FILE"), ("⼈社", "人社"), ("甲\u2013乙", "甲-乙"), ("STRASSE", "straße"), ("名\x00字", "名字"),
)  # fmt: skip
HIDDEN = ("看门", "暗语甲", "暗语乙", "zz_soon", "zz_later")


@pytest.mark.parametrize("words", SHOWN)
def test_what_the_page_says_is_found(case: Case, cast: Cast, words: str) -> None:
    assert [found(actor, words) for actor in (cast.clerk.actor, cast.leader.actor, cast.steward.actor)] == [1, 1, 1]


@pytest.mark.parametrize("words", SEVERAL)
def test_every_word_is_found_somewhere_in_any_order(case: Case, cast: Cast, words: str) -> None:
    names = {"holder": cast.leader.actor.name, "clerk": cast.clerk.actor.name, "number": case.number}
    assert [found(actor, words.format(**names)) for actor in (cast.clerk.actor, cast.leader.actor)] == [1, 1]
    assert found(cast.clerk.actor, f"{words.format(**names)} 没有的词") == 0


@pytest.mark.parametrize(("written", "asked"), ALIKE)
def test_what_looks_alike_is_alike(written: str, asked: str) -> None:
    assert asked_words(asked) and all(word in head_of(written) for word in asked_words(asked))
    assert fold(fold(written)) == fold(written) and step_text("x", (), {"reason": written}) == fold(written)


def test_a_number_of_full_width_and_a_body_of_another_case_are_found(case: Case, cast: Cast) -> None:
    wide = case.number.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    Organization.objects.filter(code=cast.owner.code).update(short_name="ＡＢＣ局")
    assert (found(cast.clerk.actor, wide), found(cast.clerk.actor, "abc局"), found(cast.clerk.actor, "\u200b")) == (1, 1, 1)


def test_whoever_handles_it_or_did_is_found_by_name(case: Case, cast: Cast) -> None:
    """Who acted, whose turn it is by name, and whose turn it only could be, which is not found."""
    assert found(cast.clerk.actor, cast.leader.actor.name) == 1
    data = {"amount": 1, "items": ["a"], "temper": "zz_soon"}
    other = api.open_case(kind="leave_note", title="转的", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
    assert found(cast.clerk.actor, cast.steward.actor.name) == 0
    owed = api.access_case(case_id=other.case_id, actor=cast.leader.actor).operators[0].obligation_id
    api.hand_on(case_id=other.case_id, to="steward", reason="请办", obligation_id=owed, actor=cast.leader.actor)
    wanted = PageRequest(search=f"{cast.steward.actor.name} 转的")
    assert [one.number for one in api.list_cases(request=wanted, actor=cast.clerk.actor).items] == [other.number]
    assert [one.number for one in api.list_waiting(request=wanted, actor=cast.steward.actor).items] == [other.number]


def test_a_search_asks_as_often_for_many_words_as_for_one(case: Case, cast: Cast) -> None:
    counts = []
    for words in ("夜市", " ".join(["夜市", "亮灯", "平件", "市数据局", cast.clerk.actor.name, *map(str, range(20))])):
        with CaptureQueriesContext(connection) as queries:
            found(cast.leader.actor, words)
            api.list_waiting(request=PageRequest(search=words), actor=cast.leader.actor)
        counts.append(len(queries))
    assert counts[1] <= counts[0]


@pytest.mark.parametrize("words", HIDDEN)
def test_what_no_page_says_is_found_by_nobody(case: Case, cast: Cast, words: str) -> None:
    assert [found(actor, words) for actor in (cast.clerk.actor, cast.leader.actor, cast.data_admin.actor)] == [0, 0, 0]


def test_a_search_never_finds_for_somebody_what_their_page_would_not_say(case: Case, cast: Cast) -> None:
    for member in (cast.clerk, cast.leader, cast.steward, cast.officer, cast.bureau_clerk, cast.data_admin, cast.system_admin):
        answer = signed_in(member).get(f"/inbox/cases/{case.case_id}/")
        zh = answer.content.decode() if answer.status_code == 200 else ""
        for words in ("亮灯", "平件", "加急", "尾声在此", "市数据局", *HIDDEN):
            if "cases.view" in {right.permission for right in member.actor.rights} | {"*"}:
                hits = found(member.actor, words)
                assert not hits or words in zh, (member.username, words)
    assert found(cast.bureau_clerk.actor, "亮灯") == 0  # another body's: no page, nothing found


def test_the_inbox_is_searched_the_same_way(case: Case, cast: Cast) -> None:
    data = {"amount": 1, "items": ["a"], "temper": "zz_soon"}
    other = api.open_case(kind="leave_note", title="待办的", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
    owed = api.access_case(case_id=other.case_id, actor=cast.leader.actor).operators[0].obligation_id
    api.hand_on(case_id=other.case_id, to="steward", reason="请熟悉灯光的来办", obligation_id=owed, actor=cast.leader.actor)
    for words in ("灯光", "加急"):
        assert [one.number for one in api.list_waiting(request=PageRequest(search=words), actor=cast.steward.actor).items] == [other.number]
    assert api.list_waiting(request=PageRequest(search="灯光"), actor=cast.bureau_clerk.actor).total == 0


def test_lists_read_none_of_it_unless_a_search_is_made(case: Case, cast: Cast) -> None:
    with CaptureQueriesContext(connection) as plain:
        api.list_cases(request=PageRequest(), actor=cast.leader.actor)
        api.list_waiting(request=PageRequest(), actor=cast.leader.actor)
    assert not any("cases_words" in one["sql"] or '"search"' in one["sql"] for one in plain.captured_queries)
    with CaptureQueriesContext(connection) as searched:
        found(cast.leader.actor, "亮灯")
    assert any("cases_words" in one["sql"] for one in searched.captured_queries)


def test_cases_of_before_are_found_the_same_after_the_migration(case: Case, cast: Cast) -> None:
    kept = CaseRecord.objects.get(pk=case.case_id).search, list(WordsRecord.objects.values("case", "seq", "obligation_id", "text"))
    WordsRecord.objects.all().delete()
    CaseRecord.objects.update(search=kept[0][:40].partition("\n")[0])
    assert found(cast.clerk.actor, "亮灯") == 0 == found(cast.clerk.actor, "尾声在此")
    importlib.import_module("yunhe.core.cases.migrations.0016_words").fill_words(apps, None)
    now = CaseRecord.objects.get(pk=case.case_id).search, list(WordsRecord.objects.values("case", "seq", "obligation_id", "text"))
    assert now == kept


def test_what_was_written_before_is_folded_by_the_migration(case: Case, cast: Cast) -> None:
    kept = CaseRecord.objects.get(pk=case.case_id).search
    CaseRecord.objects.filter(pk=case.case_id).update(search=kept.replace("夜市", "ＹＳ夜\u200b市").lower())
    WordsRecord.objects.update(text="cafe\u0301 亮\u200b灯")
    assert (found(cast.clerk.actor, "ys夜市"), found(cast.clerk.actor, "café")) == (0, 0)
    importlib.import_module("yunhe.core.cases.migrations.0019_folded_words").fold_words(apps, None)
    assert (found(cast.clerk.actor, "ys夜市"), found(cast.clerk.actor, "café 亮灯")) == (1, 1)
    assert CaseRecord.objects.get(pk=case.case_id).search == kept.replace("夜市", "ys夜市")


def test_the_lists_say_what_is_searched(case: Case, cast: Cast) -> None:
    for place in ("/inbox/", "/inbox/cases/"):
        assert "标题、编号、单位、姓名、内容、意见" in signed_in(cast.leader).get(place).content.decode()
