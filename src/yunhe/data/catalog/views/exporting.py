"""Files of a resource: its contract, its fields."""

from __future__ import annotations

from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.data.catalog import api
from yunhe.data.catalog.types import GRADES, OPENINGS, SHARINGS
from yunhe.data.catalog.views import console, shown
from yunhe.kernel.pages import Page, PageRequest
from yunhe.ui.cells import Column
from yunhe.ui.doors import requires
from yunhe.ui.lists import export_csv

FIELD_COLUMNS = (
    Column(_("字段"), lambda f: f.name),
    Column(_("信息项"), lambda f: f.title),
    Column(_("来源列"), lambda f: f.column),
    Column(_("类型"), shown.type_words),
    Column(_("数据元"), lambda f: f.element),
    Column(_("分级"), lambda f: shown.word(GRADES, str(f.grade))),
    Column(_("共享类型"), lambda f: shown.word(SHARINGS, f.sharing)),
    Column(_("开放类型"), lambda f: shown.word(OPENINGS, f.opening)),
    Column(_("含个人信息"), lambda f: _("是") if f.personal else _("否")),
    Column(_("脱敏"), lambda f: f.mask),
)


@require_safe
@requires("ledger.view")
def contract_file(request: HttpRequest, code: str) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    resource = api.access_resource(code=code, actor=actor, version=console.asked_number(request, "version"))
    text = console.contract_text(resource, actor)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(code.replace('/', '-'))}.yml"}
    return HttpResponse(text, content_type="application/yaml; charset=utf-8", headers=headers)


@require_safe
@requires("ledger.view")
def fields_file(request: HttpRequest, code: str) -> HttpResponse:
    resource = api.access_resource(code=code, actor=request.actor)  # type: ignore[attr-defined]
    fields = resource.contract.fields

    def take(wanted: PageRequest) -> Page[object]:
        return Page(tuple(fields[wanted.offset : wanted.offset + wanted.limit]), len(fields), wanted.page, wanted.limit)

    return export_csv(name=f"{code.replace('/', '-')}-fields", columns=FIELD_COLUMNS, wanted=PageRequest(), take=take)
