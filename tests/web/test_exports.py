"""Every list that can be exported: what the page says, each thing in its own column, local times, text as it was typed."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

import yunhe
from tests.conftest import Cast
from tests.core.cases import form_kinds
from tests.data import spine
from tests.data.exchange import world
from tests.web.conftest import SignIn
from yunhe.core.cases import api as cases
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.models import Delivery
from yunhe.core.organizations import models
from yunhe.core.packs import api as packs
from yunhe.data.exchange import api as exchange
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.pages import PageRequest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
SOURCE = Path(yunhe.__file__).parent
TITLE = "=HYPERLINK(1)面积<300㎡>店 {'a"
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")
MEMBERS = ("leader", "data_admin", "clerk", "system_admin", "audit_admin")


@pytest.fixture
def filled(cast: Cast, tmp_path: Path, settings: Any) -> str:
    """Put something into every list; return the number of a case."""
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    models.User.objects.update(must_change_password=False)
    packs.load_pack(name_or_path="national", actor=job_actor("tests"))
    code = spine.publish(spine.write_csv(tmp_path / "a.csv", spine.rows(20)), cast.owner.code)
    spine.load(code, cast.steward.actor)
    jobs.run_pending(limit=20)
    world.grant(code, cast)
    exchange.create_system(name="社保系统", organization=cast.other.code, actor=cast.clerk.actor)
    form_kinds.publish([form_kinds.text("place")])
    case = cases.open_case(kind="form_case", title=TITLE, data={"place": "x"}, owner=cast.owner.code, actor=cast.clerk.actor)
    form_kinds.publish([form_kinds.text("place")], title={"zh": "第二版", "en": "Second"})
    plan = cases.plan_migration(kind="form_case", source_number=1, actor=cast.data_admin.actor)
    cases.draft_migration(plan=plan, reason="改名", actor=cast.data_admin.actor)
    last = Delivery.objects.latest("id").pk
    Delivery.objects.filter(pk=last).update(state="dead", tries=10, done_at=now(), error={"zh": "没有人接收", "en": "nobody takes it"})
    return case.number


def addresses(patterns: Any, prefix: str = "/") -> Iterator[str]:
    """Yield every address that needs nothing filled in."""
    for pattern in patterns:
        address = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern) and not re.search(r"[<^$(]", address) and "logout" not in address:
            yield address


def declared() -> set[str]:
    """Return the names of the files that lists are exported to; one that a name is filled into belongs to one resource."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "export_csv":
                (name,) = [one.value for one in node.keywords if one.arg == "name"]
                found |= {str(name.value)} if isinstance(name, ast.Constant) else set()
    return found


def exports(cast: Cast, sign_in: SignIn, language: str) -> Iterator[tuple[str, str, list[list[str]]]]:
    for member in MEMBERS:
        client = sign_in(getattr(cast, member), language)
        for address in addresses(get_resolver().url_patterns):
            answer = client.get(address, {"export": "csv"})
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/csv"):
                name = re.findall(r"''([\w-]+)\.csv", answer["Content-Disposition"])[0]
                yield address, name, list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_export_says_what_the_page_says(cast: Cast, sign_in: SignIn, filled: str, language: str) -> None:
    seen: dict[str, int] = {}
    at = local(now())
    for address, name, (head, *rows) in exports(cast, sign_in, language):
        seen[name] = max(seen.get(name, 0), len(rows))
        assert all(head) and len(set(head)) == len(head), (address, head)
        if language == "en":
            assert not re.search(r"[\u4e00-\u9fff]", "".join(head)), (address, head)
        for cell in (cell for row in rows for cell in row if "HYPERLINK" not in cell):
            assert "{'" not in cell and "<" not in cell, (address, cell)
            assert not re.search(r"\d-\d\dT\d\d:|\+00:00|:\d\d\.\d{6}", cell), (address, cell)
            for told in TIME.findall(cell):
                moment = datetime.fromisoformat(f"{told}+08:00")
                assert not at - timedelta(hours=12) < moment < at - timedelta(hours=1), (address, cell)  # all was made just now
        assert {len(row) for row in rows} <= {len(head)}, address
    assert seen.keys() == declared()
    assert not [name for name, count in seen.items() if count == 0]


def test_the_list_of_cases_has_each_thing_in_its_own_column(cast: Cast, sign_in: SignIn, filled: str) -> None:
    case = cases.list_cases(request=PageRequest(search=filled), actor=cast.clerk.actor).items[0]
    told = {}
    for language in ("zh-hans", "en"):
        answer = sign_in(cast.clerk, language).get(f"/inbox/cases/?export=csv&q={filled}")
        head, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        told[language] = dict(zip(head, row, strict=True))
    chinese, english = told["zh-hans"], told["en"]
    assert chinese["编号"] == filled and chinese["办件"] == f"'{TITLE}"  # whole, and no spreadsheet runs it
    assert (chinese["类型"], english["Type"]) == ("表单件", "Form case")
    assert (chinese["状态"], chinese["已超期"], chinese["结果"], chinese["到期"]) == ("办理中", "否", "", "")
    assert chinese["提出时间"] == f"{local(case.opened_at):%Y-%m-%d %H:%M}"
    assert "市市场监管局" in chinese["办理人"] and "data_steward" not in chinese["办理人"]
    cases.act(case_id=case.case_id, action="finish", data={}, actor=cast.leader.actor)
    answer = sign_in(cast.clerk).get(f"/inbox/cases/?export=csv&q={filled}")
    head, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    done = dict(zip(head, row, strict=True))
    assert (done["状态"], done["环节"], done["结果"], done["结果代码"], done["办理人"]) == ("已办结", "办结", "办结", "done", "")
