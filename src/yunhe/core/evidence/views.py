"""Pages of evidence: who did what, when, on what."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from functools import partial

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.core.evidence import api
from yunhe.core.evidence.types import VIAS, EvidenceRecord
from yunhe.kernel.clock import SHANGHAI
from yunhe.kernel.pages import PageRequest
from yunhe.ui.cells import Code, Column, Empty, Fact, Lines, Link, Tag
from yunhe.ui.doors import requires
from yunhe.ui.forms import YunheForm
from yunhe.ui.lists import Listing, export_csv, read_page_request
from yunhe.ui.names import Lookup, names_of
from yunhe.ui.templatetags.yh import spoken
from yunhe.ui.times import say_full

FILTERS = ("kind", "actor_id", "organization", "owner_organization", "subject_type", "subject_id")
DAY = {"type": "date"}
DAYS = (MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2200, 1, 1)))


def _columns(organization: Lookup) -> tuple[Column, ...]:
    return (
        Column(_("时间"), lambda r: r.at, sort="at"),
        Column(_("行为"), lambda r: Link(_name("evidence_kind", r.kind), _href(r.id), sub=r.id), wide=True, sub=_("存证编号")),
        Column(_("谁"), lambda r: Lines(r.actor_name or r.actor_id, organization(r.organization)), sub=_("办理单位")),
        Column(_("对象"), lambda r: Lines(_name("subject_type", r.subject_type), r.subject_id), wide=True, sub=_("对象编号")),
        Column(_("权属单位"), lambda r: organization(r.owner_organization)),
        Column(_("来源"), lambda r: Lines(_name("evidence_source", r.source), _way(r)), sub=_("方式")),
    )


def _href(evidence_id: str) -> str:
    return reverse("evidence:record", args=[evidence_id])


def _name(group: str, code: str) -> str:
    return str(spoken(names_of(group, [code]).get(code, code)))


def _way(record: EvidenceRecord) -> str:
    """Say by which door the act came, and who typed it if it was typed."""
    return " · ".join(filter(None, (str(spoken(VIAS.get(record.via, ""))), record.os_user)))


class PeriodForm(YunheForm):
    since = forms.DateField(
        label=_("自"), required=False, validators=DAYS, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("至（含当天）"), required=False, validators=DAYS, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d")
    )
    subject_type = forms.CharField(label=_("对象类型"), required=False, max_length=64)
    subject_id = forms.CharField(label=_("对象编号"), required=False, max_length=200)
    organization = forms.CharField(label=_("办理单位代码"), required=False, max_length=18)


@require_safe
@requires("evidence.view", "evidence.view_own")
def list_evidence(request: HttpRequest) -> HttpResponse:
    form = PeriodForm(request.GET or None)
    wanted = _with_period(read_page_request(request, filters=FILTERS, sorts=("at",), sort="-at"), form)
    take, organization = partial(api.find, actor=request.actor), Lookup("organization")
    columns = _columns(organization)
    if request.GET.get("export"):
        return export_csv(name="evidence", columns=columns, wanted=wanted, take=lambda w: take(request=w))
    page = take(request=wanted)
    organization.prepare(code for r in page.items for code in (r.organization, r.owner_organization))
    listing = Listing(
        request=request, page=page, wanted=wanted, columns=columns, caption=_("存证"), facet_titles={"kind": _("行为")},
        choices={"kind": tuple(names_of("evidence_kind", (f.value for f in page.facets)).items())}, search_label=_("搜索对象、办理人、编号"), export=True,
        empty=Empty(_("还没有存证"), _("每次登记、授权、调用数据都会在这里留下一条。")),
    )  # fmt: skip
    return render(request, "evidence/list.html", {"listing": listing, "form": form}, status=form.status)


def _with_period(wanted: PageRequest, form: PeriodForm) -> PageRequest:
    if not form.is_bound or not form.is_valid():
        return wanted
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    filters = dict(wanted.filters)
    if since:
        filters["since"] = _midnight(since)
    if until:
        filters["until"] = _midnight(until + timedelta(days=1))
    return PageRequest(page=wanted.page, size=wanted.size, search=wanted.search, sort=wanted.sort, filters=filters)


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), SHANGHAI).isoformat()


@require_safe
@requires("evidence.view", "evidence.view_own")
def show_evidence(request: HttpRequest, evidence_id: str) -> HttpResponse:
    record = api.access_evidence(evidence_id=evidence_id, actor=request.actor)
    intact = api.is_intact(record=record)
    context = {
        "title": _name("evidence_kind", record.kind),
        "intact": Tag(_("内容与摘要一致"), "green") if intact else Tag(_("内容与摘要不符"), "red"),
        "facts": _facts(record),
        "facts_text": json.dumps(dict(record.facts), ensure_ascii=False, indent=2, sort_keys=True, default=str),
    }
    return render(request, "evidence/record.html", context)


def _facts(record: EvidenceRecord) -> tuple[Fact, ...]:
    organization = Lookup("organization")
    subject = Lines(_name("subject_type", record.subject_type), Code(record.subject_id))
    return (
        Fact(_("编号"), Code(record.id)),
        Fact(_("行为"), Lines(_name("evidence_kind", record.kind), Code(record.kind))),
        Fact(_("时间"), say_full(record.at)),
        Fact(_("办理人"), Lines(record.actor_name or record.actor_id, record.actor_id)),
        Fact(_("角色"), _name("role", record.actor_role) if record.actor_role else None),
        Fact(_("办理单位"), organization(record.organization)),
        Fact(_("权属单位"), organization(record.owner_organization)),
        Fact(_("对象"), subject),
        Fact(_("来源"), _name("evidence_source", record.source)),
        Fact(_("途径"), _way(record)),
        Fact(_("摘要（SM3）"), Code(record.digest)),
    )
