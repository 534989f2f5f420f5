"""Pages of quality: resources by quality, and every rule's finding with its failing keys."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import ResourceLine
from yunhe.data.quality import api
from yunhe.data.quality.errors import NotJudgedYet
from yunhe.data.quality.types import FAILURE_REASONS, DimensionScore, Finding, RunSummary
from yunhe.kernel.actor import Actor
from yunhe.ui import signs
from yunhe.ui.cells import Column, Empty, Kpi, Lines, Link, Meter, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request
from yunhe.ui.templatetags.yh import percent, spoken

DIMENSIONS = {
    "normativity": _("规范性"),
    "completeness": _("完整性"),
    "accuracy": _("准确性"),
    "consistency": _("一致性"),
    "timeliness": _("时效性"),
    "accessibility": _("可访问性"),
}
SEVERITIES = {"block": (_("阻断"), "red"), "warn": (_("告警"), "amber"), "info": (_("提示"), "grey")}


@require_safe
@requires("quality.view")
def list_resources(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request, filters=("provider",), sorts=("title",), sort="title")
    take = partial(catalog.list_resources, actor=request.actor)
    page = take(request=wanted)
    runs = api.latest_shares(owners={line.code: line.owner for line in page.items}, actor=request.actor)
    columns = _list_columns(runs, request.actor)
    if request.GET.get("export"):
        return export_csv(name="quality", columns=columns, wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request,
        page=page,
        wanted=wanted,
        columns=columns,
        caption=_("各资源质量"),
        search_label=_("搜索资源"),
        export=True,
        empty=Empty(_("还没有可检测的资源"), _("资源装载后会自动检测。"), _("打开一本账"), reverse("catalog:list")),
    )
    return render(request, "quality/list.html", {"listing": listing})


@require_safe
@requires("quality.view")
def findings(request: HttpRequest, code: str) -> HttpResponse:
    resource = catalog.access_resource(code=code, actor=request.actor)
    try:
        found = api.list_findings(code=code, actor=request.actor, owner=resource.owner)
        scores = api.score(code=code, actor=request.actor, owner=resource.owner)
    except NotJudgedYet:
        found, scores = (), ()
    may_keys = request.actor.may("quality.keys", organization=resource.owner)
    context = {
        "resource": resource,
        "numbers": [score_number(score) for score in scores],
        "table": Table(
            columns=finding_columns(code, may_keys=may_keys),
            rows=found,
            caption=_("规则结果"),
            empty=Empty(_("还没有质量结果"), _("装载一次后，每条规则的结果会列在这里。")),
        ),
    }
    return render(request, "quality/findings.html", context)


def score_number(score: DimensionScore) -> Kpi:
    """Return a dimension's number with its formula below."""
    language = (get_language() or "zh")[:2]
    formula = score.formula.get(language) or score.formula.get("zh", "")
    value = f"{'≥ ' if score.at_least else ''}{int(score.share * 1000) / 10:.1f}%"
    state = "met" if score.share >= 0.95 else "warn" if score.share >= 0.8 else "missed"
    note = f"{'≥ ' if score.at_least else ''}{score.passed:,} / {score.checked:,}"
    return Kpi(DIMENSIONS[score.dimension], value, note=f"{note} · {formula}" if formula else note, state=state)


def finding_columns(code: str, *, may_keys: bool) -> tuple[Column, ...]:
    """Return the columns of a rules table; failed numbers open to the failing keys."""

    def failed(row: Finding) -> object:
        if not row.failed or not may_keys:
            return f"< {row.below}" if row.told_failed is None else row.failed
        query = urlencode({"source": "failing_keys", "rule": row.rule})
        return Link(f"{row.failed:,}", f"{reverse('exchange:rows', args=[code])}?{query}")

    return (
        Column(_("规则"), lambda r: Lines(r.title, r.rule), wide=True),
        Column(_("维度"), lambda r: DIMENSIONS.get(r.dimension, r.dimension)),
        Column(_("级别"), lambda r: Tag(*SEVERITIES[r.severity])),
        Column(_("检测"), lambda r: f"≤ {r.checked:,}" if r.told_checked is None else r.checked, number=True),
        Column(_("不合格"), failed, number=True),
        Column(_("原因"), _reasons, wide=True),
        Column(_("合格率"), lambda r: Meter(r.share if r.checked else None)),
    )


def _reasons(row: Finding) -> str:
    pairs = sorted(row.reasons.items(), key=lambda pair: -pair[1])
    return signs.sign(signs.COMMA).join(f"{spoken(FAILURE_REASONS.get(name, name))} {count:,}" for name, count in pairs)


def _list_columns(runs: dict[str, RunSummary], actor: Actor) -> tuple[Column, ...]:
    def title(line: ResourceLine) -> object:
        """Open to the findings for whoever may read them; others see the ledger's line only."""
        if not actor.may("quality.view", organization=line.owner):
            return Lines(line.title, line.code)
        return Link(line.title, reverse("quality:findings", args=[line.code]), sub=line.code)

    def of(name: str) -> object:
        return lambda line: getattr(runs[line.code], name) if line.code in runs else None

    return (
        Column(_("资源"), title, sort="title", wide=True, sub=_("代码")),
        Column(_("提供部门"), lambda r: r.owner_name),
        Column(_("合格率"), lambda r: share_meter(runs.get(r.code))),
        Column(_("规则"), of("rules"), number=True),  # type: ignore[arg-type]
        Column(_("有问题的规则"), of("failing_rules"), number=True),  # type: ignore[arg-type]
        Column(_("问题记录"), lambda r: _failing(runs.get(r.code)), number=True),
        Column(_("检测时间"), of("at")),  # type: ignore[arg-type]
    )


def share_meter(run: RunSummary | None) -> Meter:
    """Return the share of passed checks as a bar; "≥" where a small count behind it is hidden."""
    if run is None:
        return Meter(None)
    return Meter(run.share, f"≥ {percent(run.share)}" if run.at_least else "")


def _failing(run: RunSummary | None) -> int | str | None:
    if run is None:
        return None
    return f"≤ {run.failing_keys:,}" if run.at_least else run.failing_keys


def resource_panel(actor: Actor, *, code: str) -> dict[str, object] | None:
    """Return the context of the panel on a resource's page: its scores, opening to the findings."""
    resource = catalog.access_resource(code=code, actor=actor)
    if not actor.may("quality.view", organization=resource.owner):
        return None
    try:
        scores = api.score(code=code, actor=actor, owner=resource.owner)
    except NotJudgedYet:
        return None
    href = reverse("quality:findings", args=[code])
    return {"numbers": [score_number(score) for score in scores], "href": href}
