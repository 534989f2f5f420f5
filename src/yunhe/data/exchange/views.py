"""Pages of exchange: requests, grants, the door for rows, queries, calling systems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.evidence.types import EvidenceRecord
from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import Resource
from yunhe.data.exchange import api, words
from yunhe.data.exchange.forms import PurposeForm, QueryForm, ReasonForm, RequestForm, SystemForm
from yunhe.data.exchange.types import Grant, RowPage, RowSource
from yunhe.kernel.clock import local
from yunhe.ui import signs
from yunhe.ui.cells import Action, Code, Column, Empty, Fact, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request
from yunhe.ui.pages import confirm_page

STATES = {"active": (_("有效"), "green"), "expired": (_("已到期"), "grey"), "revoked": (_("已收回"), "red")}
SIDES = (("given", _("本单位提供")), ("held", _("本单位使用")))
SOURCES: dict[str, Any] = {
    "current": _("当前数据"),
    "quarantine": _("隔离记录"),
    "rejected": _("拒收记录"),
    "failing_keys": _("不合格主键"),
}
ROWS_A_PAGE = 50
CALLS_A_PAGE = 20


def _state(grant: Grant) -> Tag:
    text, tone = STATES[grant.state]
    return Tag(text, tone)


def _last_day(grant: Grant) -> date:
    """Return the last day on which a grant holds, as the request and its decision name it."""
    return local(grant.valid_until - timedelta(microseconds=1)).date()


GRANT_COLUMNS = (
    Column(
        _("资源"),
        lambda g: Link(g.resource_title, reverse("exchange:grant", args=[g.grant_id]), sub=g.case_number),
        wide=True,
        sub=_("办件编号"),
    ),
    Column(_("使用方"), lambda g: g.consumer_name),
    Column(_("信息项"), lambda g: len(g.fields), number=True),
    Column(_("用途"), lambda g: g.purpose, wide=True),
    Column(_("有效期至"), lambda g: _last_day(g)),
    Column(_("状态"), _state),
)


@require_safe
@requires("exchange.view")
def list_grants(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request, filters=("state", "side", "resource"))
    take = partial(api.list_grants, actor=request.actor)
    if request.GET.get("export"):
        return export_csv(name="grants", columns=GRANT_COLUMNS, wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request,
        page=take(request=wanted),
        wanted=wanted,
        columns=GRANT_COLUMNS,
        caption=_("共享授权"),
        facet_titles={"side": _("我方"), "state": _("状态")},
        choices={"side": SIDES, "state": [(code, text) for code, (text, _tone) in STATES.items()]},
        search_label=_("搜索资源、使用方、用途"),
        export=True,
        empty=Empty(
            _("还没有授权"), _("在资源页点“申请使用”，数源部门同意后授权会列在这里。"), _("打开一本账"), reverse("catalog:list")
        ),
    )
    return render(request, "exchange/list.html", {"listing": listing})


@require_safe
@requires("exchange.view")
def grant_page(request: HttpRequest, grant_id: str) -> HttpResponse:
    grant = api.access_grant(grant_id=grant_id, actor=request.actor)
    context = {
        "grant": grant,
        "state": _state(grant),
        "facts": _grant_facts(grant),
        "fields": Table(
            columns=(
                Column(_("信息项"), lambda f: f.title, wide=True),
                Column(_("字段名"), lambda f: Code(f.name)),
                Column(_("脱敏"), lambda f: words.mask_words(f.mask)),
            ),
            rows=grant.fields,
            caption=_("授权的信息项"),
        ),
        "calls": _calls(request, grant),
        "sample": f"yunhe call {grant.grant_id} KEY=VALUE --key-file system.key.json",
        "may_revoke": grant.state == "active" and request.actor.may("exchange.decide", organization=grant.owner),
        "may_read": grant.state == "active" and request.actor.organization == grant.consumer,
    }
    return render(request, "exchange/grant.html", context)


def _calls(request: HttpRequest, grant: Grant) -> Listing | None:
    """Return the list of a grant's calls, or None for who sees no evidence."""
    if not request.actor.may("evidence.view_own") and not request.actor.may("evidence.view"):
        return None
    wanted = read_page_request(request, size=CALLS_A_PAGE)
    return Listing(
        request=request,
        page=api.list_calls(grant_id=grant.grant_id, request=wanted, actor=request.actor),
        wanted=wanted,
        columns=_call_columns({field.name: field.title for field in grant.fields}),
        caption=_("调用"),
        empty=Empty(_("还没有调用"), _("按下方示例用接入系统的密钥签名调用。")),
    )


def _call_columns(titles: Mapping[str, str]) -> tuple[Column, ...]:
    return (
        Column(_("时间"), lambda r: r.at),
        Column(_("结果"), lambda r: _outcome(r)),
        Column(_("系统"), lambda r: r.actor_name),
        Column(_("信息项"), lambda r: signs.listed(titles.get(f, f) for f in r.facts.get("fields") or ()), wide=True),
        Column(_("存证"), lambda r: Link(__("查看"), reverse("evidence:record", args=[r.id]))),
    )


def _outcome(record: EvidenceRecord) -> Tag:
    outcome = record.facts.get("outcome")
    if outcome == "found":
        return Tag(_("已答复"), "green")
    return Tag(_("查无"), "grey") if outcome == "not_found" else Tag(f"{__('拒绝')} {words.refusal_words(str(record.facts.get('code', '')))}", "red")


def _grant_facts(grant: Grant) -> list[Fact]:
    return [
        Fact(_("资源"), Link(grant.resource_title, reverse("catalog:resource", args=[grant.resource_code]), grant.resource_code)),
        Fact(_("使用方"), grant.consumer_name),
        Fact(_("用途"), grant.purpose),
        Fact(_("依据"), grant.legal_basis or None),
        Fact(_("行范围"), Code(grant.row_filter) if grant.row_filter else _("全部行")),
        Fact(_("办件"), Link(grant.case_number, reverse("cases:case", args=[grant.case_id]))),
        Fact(_("生效"), grant.valid_from),
        Fact(_("有效期至"), _last_day(grant)),
        Fact(_("授权人"), _("系统自动") if grant.granted_by.startswith("job:") else grant.granted_by),
        Fact(_("收回"), grant.revoked_reason or None),
        Fact(_("授权号"), Code(grant.grant_id)),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@requires("exchange.request")
def request_data(request: HttpRequest, code: str) -> HttpResponse:
    resource = catalog.access_resource(code=code, actor=request.actor)
    form = RequestForm(request.POST or None, resource=resource)
    if request.method == "POST":
        case = form.submit(
            lambda data: api.request_access(
                resource_code=code,
                fields=tuple(data["fields_wanted"]),
                purpose=data["purpose"],
                legal_basis=data["legal_basis"],
                row_filter=data["row_filter"],
                until=data["until"].isoformat() if data["until"] else "",
                actor=request.actor,
            )
        )
        if case is not None:
            said = _("申请已提交，数源部门会按时限答复。") if case.is_open else _("所申请的均为无条件共享，已自动授权。")
            messages.success(request, said)
            return redirect("cases:case", case.case_id)
    return render(request, "exchange/request.html", {"form": form, "resource": resource}, status=form.status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("exchange.decide")
def revoke(request: HttpRequest, grant_id: str) -> HttpResponse:
    grant = api.access_grant(grant_id=grant_id, actor=request.actor)
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        done = form.submit(
            lambda data: api.revoke_grant(grant_id=grant_id, reason=data["reason"], actor=request.actor)
        )
        if done is not None:
            messages.success(request, _("授权已收回，网关随即拒绝。"))
            return redirect("exchange:grant", grant_id)
    return confirm_page(
        request,
        title=_("收回授权"),
        question=__("收回 %(who)s 对“%(what)s”的授权？") % {"who": grant.consumer_name, "what": grant.resource_title},
        consequences=[_("网关一秒内开始拒绝。"), _("收回后不能恢复，需要重新申请。"), _("理由记入存证，使用方在授权页可以看到。")],
        submit=_("收回"),
        cancel=reverse("exchange:grant", args=[grant_id]),
        form=form,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("lake.view", "quality.keys", "exchange.view")
def rows(request: HttpRequest, code: str) -> HttpResponse:
    """Show rows only after a purpose was said; the purpose goes with every further page by POST."""
    resource = catalog.access_resource(code=code, actor=request.actor)
    source: RowSource = _source(request)
    form = PurposeForm(request.POST or None)
    page: RowPage | None = None
    if request.method == "POST":
        page = form.submit(lambda data: _read(request, code, source, data))
    context = {
        "resource": resource,
        "form": form,
        "source": SOURCES[source],
        "rule": request.GET.get("rule", ""),
        "page": page,
        "table": _rows_table(page, source, resource) if page else None,
        "next_offset": page.offset + page.limit if page and page.offset + page.limit < page.total else None,
        "previous_offset": max(page.offset - page.limit, 0) if page and page.offset else None,
        "last_row": min(page.offset + page.limit, page.total) if page else 0,
    }
    return render(request, "exchange/rows.html", context, status=form.status)


def _source(request: HttpRequest) -> RowSource:
    wanted = request.GET.get("source", "current")
    return wanted if wanted in SOURCES else "current"  # type: ignore[return-value]


def _read(request: HttpRequest, code: str, source: RowSource, data: dict[str, str]) -> RowPage:
    offset = request.POST.get("offset", "0")
    return api.read_rows(
        actor=request.actor,
        resource_code=code,
        purpose=data["purpose"],
        case=data["case"],
        source=source,
        rule=request.GET.get("rule", "")[:200],
        load_id=request.GET.get("load", "")[:40],
        grant_id=request.GET.get("grant", "")[:40],
        offset=int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 12 else 0,
        limit=ROWS_A_PAGE,
    )


def _rows_table(page: RowPage, source: RowSource, resource: Resource) -> Table:
    fields = {field.name: field.title for field in resource.contract.fields}

    def column(name: str, title: str) -> Column:
        if name in ("reason", "reasons") and name not in fields:
            return Column(words.TITLES[name], lambda row: words.reason_words(str(row.get(name) or ""), fields, source))
        shown = title if name in fields else words.TITLES.get(name, title)
        return Column(signs.in_brackets(shown, __("脱敏") if name in page.masked else ""), lambda row: _plain(row.get(name)), wide=name == "raw")

    columns = tuple(column(name, title) for name, title in zip(page.columns, page.titles, strict=True))
    return Table(columns=columns, rows=page.rows, caption=SOURCES[source], empty=Empty(_("没有记录"), _("这里没有符合条件的记录。")))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | bool) else str(value)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("query.run")
def query(request: HttpRequest) -> HttpResponse:
    form = QueryForm(request.POST or None, initial={"sql": request.GET.get("sql", "")})
    result = None
    if request.method == "POST":
        result = form.submit(
            lambda data: api.run_query(sql=data["sql"], purpose=data["purpose"], actor=request.actor)
        )
    table = None
    if result is not None:
        columns = tuple(
            Column(name, lambda row, i=position: _plain(row[i])) for position, name in enumerate(result.columns)
        )
        table = Table(columns=columns, rows=result.rows, caption=_("查询结果"), empty=Empty(_("没有结果")))
    return render(request, "exchange/query.html", {"form": form, "result": result, "table": table}, status=form.status)


SYSTEM_COLUMNS = (
    Column(_("系统"), lambda s: s.name, wide=True),
    Column(_("密钥号"), lambda s: Code(s.key_id)),
    Column(_("机构"), lambda s: s.organization_name),
    Column(_("创建"), lambda s: s.created_at),
    Column(_("状态"), lambda s: Tag(_("已收回"), "red") if s.revoked_at else Tag(_("有效"), "green")),
    Column("", lambda s: None if s.revoked_at else Link(_("收回"), reverse("exchange:system_revoke", args=[s.key_id]))),
)


@require_safe
@requires("exchange.systems")
def list_systems(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request)
    take = partial(api.list_systems, actor=request.actor)
    if request.GET.get("export"):
        return export_csv(name="systems", columns=SYSTEM_COLUMNS[:-1], wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request,
        page=take(request=wanted),
        wanted=wanted,
        columns=SYSTEM_COLUMNS,
        caption=_("接入系统"),
        search_label=_("搜索系统"),
        export=True,
        empty=Empty(
            _("还没有接入系统"), _("部门的业务系统凭密钥签名调用网关。"), _("新建接入系统"), reverse("exchange:system_create")
        ),
    )
    actions = [Action(_("新建接入系统"), reverse("exchange:system_create"), tone="primary")]
    return render(request, "exchange/systems.html", {"listing": listing, "actions": actions})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("exchange.systems")
def create_system(request: HttpRequest) -> HttpResponse:
    form = SystemForm(request.POST or None, initial={"organization": request.actor.organization})
    if request.method == "POST":
        made = form.submit(
            lambda data: api.create_system(name=data["name"], organization=data["organization"], actor=request.actor)
        )
        if made is not None:
            response = render(request, "exchange/system_made.html", {"made": made})
            response["Cache-Control"] = "no-store"
            return response
    return render(request, "exchange/system_create.html", {"form": form}, status=form.status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("exchange.systems")
def revoke_system(request: HttpRequest, key_id: str) -> HttpResponse:
    if request.method == "POST":
        api.revoke_system(key_id=key_id, actor=request.actor)
        messages.success(request, _("密钥已收回，网关随即拒绝。"))
        return redirect("exchange:systems")
    return confirm_page(
        request,
        title=_("收回密钥"),
        question=__("收回密钥 %(key)s？") % {"key": key_id},
        consequences=[_("该系统随即不能再调用。"), _("收回后不能恢复，需要新建。")],
        submit=_("收回"),
        cancel=reverse("exchange:systems"),
    )
