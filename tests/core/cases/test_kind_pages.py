"""Pages of kinds: the list, one with its picture and tables, its BPMN file; where a case stands."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.kinds import simple_kind
from tests.core.cases.test_diagram import check_bpmn
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.rules.diagram import draw_kind
from yunhe.core.cases.rules.drawing import svg_of
from yunhe.core.cases.rules.wording import condition_in_words
from yunhe.core.cases.types import EffectSpec, WithdrawSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def test_the_list_tells_versions_and_only_the_cases_that_one_sees(note: Any, cast: Cast) -> None:
    note()
    note(actor=cast.steward.actor, organization=cast.owner.code)
    running = {member: api.list_kind_lines(request=PageRequest(), actor=member.actor).items[0].running for member in (cast.leader, cast.clerk)}
    assert running == {cast.leader: 2, cast.clerk: 1}
    client = signed_in(cast.clerk)
    found = client.get("/inbox/kinds/").content.decode()
    assert "请示" in found and "leave_note" in found and "/inbox/kinds/leave_note/" in found
    assert "leave_note" not in client.get("/inbox/kinds/?q=没有的").content.decode()
    assert "leave_note" in client.get("/inbox/kinds/?q=请示&sort=-running").content.decode()
    assert "leave_note" in client.get("/inbox/kinds/?export=csv").content.decode()
    assert signed_in(cast.audit_admin).get("/inbox/kinds/").status_code == 403
    with pytest.raises(Refused):
        api.read_versions(code="leave_note", actor=cast.audit_admin.actor)


def test_a_kind_is_drawn_and_told_in_tables(note: Any, cast: Cast, founder: Actor) -> None:
    note()
    api.publish_kind(spec=simple_kind(title="请示（第二版）"), source="tests", actor=founder)
    client = signed_in(cast.clerk)
    page = client.get("/inbox/kinds/leave_note/").content.decode()
    assert "<svg" in page and "请示（第二版）" in page and "急件" in page and "当 数额 ≥ 1000" in page
    assert " style=" not in page and "<style" not in page
    assert "（第二版）" not in client.get("/inbox/kinds/leave_note/?version=1").content.decode()
    for address in ("/inbox/kinds/nothing/", "/inbox/kinds/leave_note/?version=9", "/inbox/kinds/leave_note/?version=x"):
        assert client.get(address).status_code == 404
    file = client.get("/inbox/kinds/leave_note/bpmn/")
    assert "leave_note.bpmn" in file["Content-Disposition"]
    check_bpmn(file.content.decode())
    client.cookies["yunhe_language"] = "en"
    assert "Download BPMN" in client.get("/inbox/kinds/leave_note/").content.decode()


def test_a_case_shows_where_it_stands(note: Any, cast: Cast) -> None:
    case = note()
    client = signed_in(cast.leader)
    address = f"/inbox/cases/{case.case_id}/"
    assert _states(client.get(address).content.decode())["答复"] == "now"
    api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    states = _states(client.get(address).content.decode())
    assert (states["答复"], states["补正"], states["会签"]) == ("done", "now", "next")


def test_a_case_shows_which_ways_were_gone_and_who_went_them_when(note: Any, cast: Cast) -> None:
    case = note()
    api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    page = signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/").content.decode()
    svg = _picture(page)
    gone = [part for part in svg.iter("{http://www.w3.org/2000/svg}path") if "yh-d-gone" in part.attrib["class"]]
    assert len(gone) == 2  # from the start to the answer, and from there back
    title = next("".join(part.itertext()) for part in svg.iter("{http://www.w3.org/2000/svg}title") if (part.text or "").startswith("答复"))
    done = next(item for item in api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations if item.closed_at)
    assert done.closed_by_name and done.closed_by_name in title and f"{done.closed_at:%Y-}" in title
    described = next("".join(part.itertext()) for part in svg.iter("{http://www.w3.org/2000/svg}desc"))
    assert described.startswith("现在：补正。")
    table = page[page.index("用表格看") :]
    assert done.closed_by_name in table and "办理中" in table and table.count("✓ 退回") == 1


def test_an_ended_case_marks_nothing_as_going_on_and_its_withdrawal_as_gone(note: Any, cast: Cast, founder: Actor) -> None:
    taken = WithdrawSpec(effects=(EffectSpec(close_case="withdrawn"),))
    api.publish_kind(spec=simple_kind().model_copy(update={"withdraw": taken}), source="tests", actor=founder)
    case = note()
    api.withdraw(case_id=case.case_id, reason="不办了", actor=cast.clerk.actor)
    states = _states(signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/").content.decode())
    assert states["撤回申请"] == "done" and "now" not in states.values()


def _picture(page: str) -> ET.Element:
    start = page.index('<svg xmlns="http://www.w3.org/2000/svg" class="yh-diagram"')
    return ET.fromstring(page[start : page.index("</svg>", start) + 6])


def _states(page: str) -> dict[str, str]:
    """Return the state of each box of the picture by its title."""
    svg = _picture(page)
    found = {}
    for group in svg.iter("{http://www.w3.org/2000/svg}g"):
        (title,) = group.findall("{http://www.w3.org/2000/svg}title")
        found[(title.text or "").splitlines()[0]] = group.attrib["class"].rpartition("yh-d-is-")[2]
    return found


def test_a_kind_says_conditions_guards_withdrawal_operators_and_warnings(founder: Actor, cast: Cast) -> None:
    spec = api.read_kind(path=EXAMPLES / "permit" / "cases" / "permit.yml")
    fields = tuple(field for field in spec.fields if not field.element)  # the standards are not loaded here
    api.publish_kind(spec=spec.model_copy(update={"fields": fields}), source="tests", actor=founder)
    client = signed_in(cast.leader)
    page = client.get("/inbox/kinds/permit/").content.decode()
    assert "仅当 面积（平方米） ≥ 300 时问" in page and "问到时必填" in page
    assert "办理人 ≠ 提出人" in page and "actor_id &lt;&gt; opener_id" in page and "申请人不能作出决定。" in page
    assert "提出人在这些阶段可以撤回：受理、补正、审查、决定" in page
    assert "转办、加签、退回到" in page
    assert "时间用去 80% 时提醒办理人；时间用去 100% 时提醒办理人" in page
    assert 'data-scrolls' in page and "图比页面宽，可左右滚动查看。" in page
    client.cookies["yunhe_language"] = "en"
    english = client.get("/inbox/kinds/permit/").content.decode()
    assert "asked only when Area (m²) ≥ 300" in english and "at 80% of the time its bearers are told" in english
    assert "may take it back in: Intake, Supplement, Review, Decision" in english


@pytest.mark.parametrize(("language", "join", "given_up"), [("zh", "汇合：会签", "撤回申请"), ("en", "Join: Department", "Withdraw the application")])
def test_a_picture_has_titles_where_the_kind_has_codes(language: str, join: str, given_up: str) -> None:
    diagram = draw_kind(api.read_kind(path=EXAMPLES / "permit" / "cases" / "permit.yml"), language=language, roles={})
    whole = {row.whole for box in diagram.boxes for row in box.rows}
    assert any(text.startswith(join) for text in whole) and given_up in whole
    assert not whole & {"opinions", "granted", "given_up", "refused", "withdrawn"}


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("zh", ("撤回申请", "在这些阶段：受理、补正、审查、决定", "全程时限", "20 个工作日", "自“受理”起", "须：办理人 ≠ 提出人")),
        ("en", ("Withdraw", "in: Intake, Supplement, Review, Decision", "Limit of the whole case", "20 workdays", "from “Accept”",
                "only if: who acts ≠ who opened it")),
    ],
)  # fmt: skip
def test_a_picture_shows_what_holds_for_the_whole_case_and_what_actions_ask(language: str, texts: tuple[str, ...]) -> None:
    kind = api.read_kind(path=EXAMPLES / "permit" / "cases" / "permit.yml")
    diagram = draw_kind(kind, language=language, roles={})
    sign = " " if language == "en" else ""
    whole = "\n".join(sign.join(row.whole for row in box.rows) for box in diagram.boxes)
    assert all(text in whole for text in texts)
    assert not [arrow for arrow in diagram.arrows if arrow.source == "start" and arrow.target.startswith("end.")]
    assert [arrow.target for arrow in diagram.arrows if arrow.source == "withdraw"] == ["end.withdrawn.withdrawn"]
    assert [arrow.target for arrow in diagram.arrows if arrow.conditional] == ["end.granted.granted"]
    assert "行政许可法第四十二条" in svg_of(diagram, title="x", description="x")  # the basis, on pointing at the limit
    monthly = draw_kind(api.read_kind(path=EXAMPLES / "award" / "cases" / "award_application.yml"), language="zh", roles={})
    assert any(row.whole == "每月一次" for box in monthly.boxes for row in box.rows)


def test_a_condition_is_said_in_words() -> None:
    spec = simple_kind()
    form = spec.obligations["answer"].actions["agree"].fields
    said = condition_in_words(
        "amount >= 100 AND actor_role = 'data_leader' OR form_text <> 'it''s'", spec, language="zh", roles={"data_leader": "数据负责人"}, form=form
    )
    assert said == "数额 ≥ 100 且 办理人岗位 = “数据负责人” 或 答复 ≠ “it's”"
    told = condition_in_words("count_agreed >= 2 AND NOT nothing_known", spec, language="en", roles={})
    assert told == 'number of "同意" ≥ 2 and not nothing_known'
