"""Pages of the ledger and of standards, as persons of the cast see them."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.conftest import Cast, Member
from tests.data.catalog.contracts import enterprises, persons
from yunhe.core.cases import api as cases
from yunhe.core.organizations.models import User
from yunhe.core.registers.models import EntryRecord
from yunhe.data.catalog import api
from yunhe.kernel.clock import now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


def signed_in(member: Member) -> Client:
    User.objects.filter(pk=member.user_id).update(must_change_password=False)
    client = Client()
    client.force_login(User.objects.get(pk=member.user_id))
    return client


@pytest.fixture
def code(national: None, cast: Cast) -> str:
    contract = api.parse_contract(text=enterprises(), file="a.yml")
    code = api.register_resource(contract=contract, actor=cast.steward.actor).code
    api.submit_resource(code=code, actor=cast.steward.actor)
    api.publish_resource(code=code, actor=cast.leader.actor)
    api.publish_resource(code=code, actor=cast.data_admin.actor)
    counts = {"rows_in": 10, "checked": 100, "failed": 2, "failing_keys": 2}
    api.record_release(code=code, release_id="R1", snapshot_id=7, rows=148274, at=now(), counts=counts)
    return code


def text_of(client: Client, href: str, status: int = 200) -> str:
    page = client.get(href)
    text = page.content.decode()
    assert page.status_code == status, text[:2000]
    assert " style=" not in text and "<style" not in text and "onclick" not in text
    return text


def test_the_ledger_shows_numbers_facets_and_lines(code: str, cast: Cast) -> None:
    text = text_of(signed_in(cast.clerk), "/ledger/")
    for said in ("企业登记信息", code, "市市场监管局", "148,274", "每日", "一级", "98", "导出 CSV", "数据资源"):
        assert said in text
    assert "登记资源" in text  # a steward may register for the own department
    assert "登记资源" not in text_of(signed_in(cast.leader), "/ledger/")


def test_the_ledger_in_english(code: str, cast: Cast) -> None:
    client = signed_in(cast.clerk)
    client.cookies["yunhe_language"] = "en"
    text = text_of(client, "/ledger/")
    for said in ("Data resources", "Daily", "Grade 1", "Update cycle", "Free"):
        assert said in text


def test_the_list_is_exported_as_csv(code: str, cast: Cast) -> None:
    page = signed_in(cast.clerk).get("/ledger/?export=csv")
    rows = page.content.decode("utf-8-sig").splitlines()
    assert page["Content-Type"].startswith("text/csv")
    assert len(rows) == 2 and rows[1].startswith(f"{code},企业登记信息,")


@pytest.mark.parametrize(
    ("tab", "said"),
    [
        ("", "统一社会信用代码"), ("quality/", "质量"), ("loads/", "148,274"), ("users/", "还没有单位使用"),
        ("history/", "第 1 版"), ("contract/", "yunhe: resource/1"),
    ],
)  # fmt: skip
def test_every_tab_of_a_resource(code: str, cast: Cast, tab: str, said: str) -> None:
    text = text_of(signed_in(cast.steward), f"/ledger/{code}/{tab}")
    for wanted in (said, "企业登记信息", code, "无条件", "更新日历", "市市场监管局"):
        assert wanted in text


def test_where_a_department_keeps_its_data_is_its_own_matter(code: str, cast: Cast) -> None:
    assert "/data/enterprises.csv" in text_of(signed_in(cast.steward), f"/ledger/{code}/contract/")
    for href in (f"/ledger/{code}/contract/", f"/ledger/{code}/contract.yml"):
        assert "/data/enterprises.csv" not in text_of(signed_in(cast.clerk), href)


def test_a_resource_that_one_may_not_see_is_not_there(code: str, cast: Cast) -> None:
    hidden = api.register_resource(contract=api.parse_contract(text=persons(), file="a.yml"), actor=cast.steward.actor).code
    text_of(signed_in(cast.steward), f"/ledger/{hidden}/")
    text_of(signed_in(cast.clerk), f"/ledger/{hidden}/", 404)
    text_of(signed_in(cast.clerk), "/ledger/300001/9999/", 404)
    text_of(signed_in(cast.clerk), f"/ledger/{code}/nonsense/", 404)
    text_of(signed_in(cast.clerk), f"/ledger/{code}/?version=99", 404)
    text_of(signed_in(cast.clerk), f"/ledger/{code}/?version=x", 422)
    text_of(signed_in(cast.audit_admin), "/ledger/", 403)


def test_a_contract_is_checked_saved_and_submitted_in_the_browser(national: None, cast: Cast) -> None:
    client = signed_in(cast.steward)
    wrong = enterprises().replace("element: uscc,", "element: uscx,").replace("update_cycle: daily", "update_cycle: often")
    page = client.post("/ledger/register/", {"text": wrong, "act": "save"})
    text = page.content.decode()
    assert page.status_code == 422
    assert "fields[0].element" in text and "often" in text and "uscx" in text  # the place, and what was written is kept
    page = client.post("/ledger/register/", {"text": enterprises(), "act": "check"})
    assert page.status_code == 200 and "没有发现问题" in page.content.decode()
    assert api.list_resources(request=PageRequest(), actor=cast.steward.actor).total == 0
    page = client.post("/ledger/register/", {"text": enterprises(), "act": "submit"})
    assert page.status_code == 302
    assert api.get_resource(code="300001/0001").state == "in_review"
    assert "正在审核" in text_of(client, page["Location"])
    case = cases.find_open_case(kind="publication", subject_type="register_entry", subject_id=EntryRecord.objects.get(code="300001/0001").pk)
    assert case is not None and f"/inbox/cases/{case.case_id}/" in client.get(page["Location"]).content.decode()
    cases.act(case_id=case.case_id, action="send_back", data={"reason": "缺字段说明"}, actor=cast.leader.actor)
    shown = client.get(page["Location"]).content.decode()
    assert "第 1 版被退回修改" in shown and f"/inbox/cases/{case.case_id}/" in shown and "尚未提交审核" not in shown
    cases.act(case_id=case.case_id, action="abandon", data={"reason": "不要了"}, actor=cast.steward.actor)
    assert "尚未提交审核" in text_of(client, page["Location"])


def test_a_file_goes_before_the_text(national: None, cast: Cast) -> None:
    client = signed_in(cast.steward)
    upload = SimpleUploadedFile("约定.yml", persons().encode())
    page = client.post("/ledger/register/", {"file": upload, "text": "x", "act": "save"})
    assert page.status_code == 302
    assert api.get_resource(code="300001/0001").title == "人员信息"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"act": "save"}, "请选择约定文件"),
        ({"file": SimpleUploadedFile("a.yml", b"\xff\xfe\x00"), "act": "save"}, "不是 UTF-8"),
        ({"text": "a: &x 1\nb: *x", "act": "save"}, "引用"),
        ({"text": "title: \ufffd", "act": "save"}, "内容有误"),
        ({"text": "x: " + "[" * 50, "act": "check"}, "层"),
    ],
)
def test_broken_input_is_told(national: None, cast: Cast, data: dict[str, object], said: str) -> None:
    page = signed_in(cast.steward).post("/ledger/register/", data)
    assert page.status_code in (200, 422)
    assert said in page.content.decode()


def test_columns_give_a_contract_to_correct(national: None, cast: Cast) -> None:
    client = signed_in(cast.steward)
    assert "市市场监管局" in text_of(client, "/ledger/register/columns/")
    data = {
        "title": "企业", "provider": "市市场监管局", "summary": "全部企业", "sharing": "unconditional", "opening": "closed",
        "update_cycle": "daily", "source_connector": "csv", "source_location": "/a.csv",
        "columns": "统一社会信用代码,企业名称", "keys": "统一社会信用代码",
    }  # fmt: skip
    page = client.post("/ledger/register/columns/", data)
    text = page.content.decode()
    assert page.status_code == 200 and "element: uscc" in text and "keys:" in text
    assert client.post("/ledger/register/columns/", {**data, "columns": ""}).status_code == 422


def test_editing_makes_a_new_version_and_the_two_are_compared(code: str, cast: Cast) -> None:
    client = signed_in(cast.steward)
    assert "全部登记在册的企业" in text_of(client, f"/ledger/{code}/edit/")
    seen = api.view_resource(code=code, actor=cast.steward.actor).edit
    changed = enterprises().replace("summary: 全部登记在册的企业", "summary: 在业企业")
    page = client.post(f"/ledger/{code}/edit/", {"text": changed, "seen": seen, "act": "save"})
    assert page.status_code == 302
    late = client.post(f"/ledger/{code}/edit/", {"text": enterprises(), "seen": seen, "act": "save"})
    assert late.status_code == 422
    text = text_of(client, f"/ledger/{code}/compare/")
    assert "在业企业" in text and "全部登记在册的企业" in text
    assert "提交审核" in text_of(client, f"/ledger/{code}/submit/")
    assert client.post(f"/ledger/{code}/submit/", {"note": "改摘要"}).status_code == 302
    assert api.view_resource(code=code, actor=cast.steward.actor).resource.open_state == "in_review"


def test_withdrawing_asks_and_needs_a_reason(code: str, cast: Cast) -> None:
    text_of(signed_in(cast.steward), f"/ledger/{code}/withdraw/", 403)
    client = signed_in(cast.data_admin)
    assert "下架" in text_of(client, f"/ledger/{code}/withdraw/")
    assert client.post(f"/ledger/{code}/withdraw/", {"reason": ""}).status_code == 422
    assert client.post(f"/ledger/{code}/withdraw/", {"reason": "停用"}).status_code == 302
    assert "已下架" in text_of(client, f"/ledger/{code}/")


def test_fields_are_exported(code: str, cast: Cast) -> None:
    page = signed_in(cast.clerk).get(f"/ledger/{code}/fields.csv")
    assert len(page.content.decode("utf-8-sig").splitlines()) == 5


def test_standards_list_pages_and_where_used(code: str, cast: Cast) -> None:
    client = signed_in(cast.officer)
    assert "公民身份号码" in text_of(client, "/standards/?q=身份")
    text = text_of(client, "/standards/elements/uscc/")
    assert "GB 32100-2015" in text and "企业登记信息" in text and f"/ledger/{code}/" in text
    assert "土家族" in text_of(client, "/standards/code-sets/ethnic_group/")
    assert "GB/T 2261.1-2003" in text_of(client, "/standards/code-sets/")
    text_of(client, "/standards/code-sets/gender/?on=2020-01-01")
    text_of(client, "/standards/code-sets/gender/?on=never", 422)
    text_of(client, "/standards/elements/nothing/", 404)
    assert len(client.get("/standards/?export=csv").content.splitlines()) > 40


def test_the_list_of_quality_opens_only_what_one_may_read(code: str, cast: Cast) -> None:
    """Everybody sees the ledger's line; the rules' results are for who may see this owner's quality."""
    for member, opens in ((cast.steward, True), (cast.data_admin, True), (cast.clerk, False)):
        client = signed_in(member)
        text = text_of(client, "/quality/")
        assert code in text
        assert (f"/quality/findings/{code}/" in text) is opens
        assert client.get(f"/quality/findings/{code}/").status_code == (200 if opens else 403)
