"""Writing: register, edit, submit, withdraw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from yunhe.data.catalog import api
from yunhe.data.catalog.errors import ContractBroken
from yunhe.data.catalog.forms import ContractForm, NoteForm, ProposalForm, ReasonForm
from yunhe.data.catalog.types import Contract, ContractProblem
from yunhe.kernel.actor import Actor
from yunhe.ui.cells import Column, Table
from yunhe.ui.doors import requires
from yunhe.ui.pages import confirm_page

GET_POST = ("GET", "HEAD", "POST")


@require_http_methods(GET_POST)
@requires("ledger.edit")
def register(request: HttpRequest) -> HttpResponse:
    form = ContractForm(request.POST or None, request.FILES or None)
    return _work_on(request, form, "", lambda contract: contract)


@require_http_methods(GET_POST)
@requires("ledger.edit")
def propose(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = ProposalForm(request.POST or None, initial={"provider": actor.organization_name})
    text = form.submit(_proposed) if request.method == "POST" else None
    if text is None:
        return render(request, "catalog/propose.html", {"form": form}, status=form.status)
    _contract, problems = api.check_contract(text=text, beside=False)
    messages.success(request, _("已按列名写好约定，请核对后保存。"))
    return _page(request, ContractForm(initial={"text": text}), "", problems)


@require_http_methods(GET_POST)
@requires("ledger.edit")
def edit(request: HttpRequest, code: str) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    view = api.view_resource(code=code, actor=actor)
    newest = view.versions[0].contract
    initial = {"text": api.render_contract(contract=newest), "seen": view.edit}
    form = ContractForm(request.POST or None, request.FILES or None, initial=initial)
    return _work_on(request, form, code, lambda contract: _same_code(contract, code))


@require_http_methods(GET_POST)
@requires("ledger.edit")
def submit(request: HttpRequest, code: str) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    resource = api.access_resource(code=code, actor=actor)
    form = NoteForm(request.POST or None)
    if request.method == "POST":
        done = form.submit(lambda data: api.submit_resource(code=code, note=data["note"], actor=actor))
        if done is not None:
            messages.success(request, _("已提交审核。"))
            return redirect("catalog:resource", code)
    return confirm_page(
        request,
        title=_("提交审核"),
        question=_("把“%(title)s”提交本部门负责人审核？") % {"title": resource.title},
        consequences=[_("审核期间不能修改。"), _("部门审核通过后，由数据主管部门统一发布。"), _("编制人不能审核自己的内容。")],
        submit=_("提交审核"),
        cancel=reverse("catalog:resource", args=[code]),
        form=form,
        tone="primary",
    )


@require_http_methods(GET_POST)
@requires("ledger.publish")
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    resource = api.access_resource(code=code, actor=actor)
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        done = form.submit(lambda data: api.withdraw_resource(code=code, reason=data["reason"], actor=actor))
        if done is not None:
            messages.success(request, _("已下架。"))
            return redirect("catalog:resource", code)
    return confirm_page(
        request,
        title=_("下架"),
        question=_("下架“%(title)s”？") % {"title": resource.title},
        consequences=[_("它不再出现在已发布的目录里，也不能再装载。"), _("历次版本和使用记录都保留。")],
        submit=_("下架"),
        cancel=reverse("catalog:resource", args=[code]),
        form=form,
    )


def _proposed(data: dict[str, Any]) -> str:
    texts = {name: value for name, value in data.items() if name not in ("columns", "keys") and value}
    return api.propose_contract(texts=texts, columns=data["columns"], keys=data["keys"])


def _same_code(contract: Contract, code: str) -> Contract:
    return replace(contract, code=code)


def _work_on(
    request: HttpRequest, form: ContractForm, code: str, prepare: Callable[[Contract], Contract]
) -> HttpResponse:
    """Check, save, or save and submit the contract in the form, as its button says."""
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, code, ())
    _contract, problems = api.check_contract(text=form.cleaned_data["text"], file=form.file_name, beside=False)
    wanted = request.POST.get("act")
    if wanted == "check" and not problems:
        messages.success(request, _("没有发现问题，可以保存。"))
    if wanted == "check" or (wanted == "submit" and problems):
        return _page(request, _with_text(form), code, problems)
    try:
        parsed = api.parse_contract(text=form.cleaned_data["text"], file=form.file_name, beside=False)
    except ContractBroken as error:
        return _page(request, _with_text(form), code, error.problems)
    actor: Actor = request.actor  # type: ignore[attr-defined]
    saved = form.submit(
        lambda data: api.register_resource(
            contract=prepare(parsed), actor=actor, expected_edit=data.get("seen"), submit=wanted == "submit"
        )
    )
    if saved is None:
        return _page(request, form, code, ())
    messages.success(request, _("已提交审核。") if saved.open_state == "in_review" else _("已保存草稿。"))
    return redirect("catalog:resource", saved.code)


def _with_text(form: ContractForm) -> ContractForm:
    return ContractForm(initial={"text": form.cleaned_data["text"], "seen": form.cleaned_data.get("seen")})


def _page(request: HttpRequest, form: ContractForm, code: str, problems: tuple[ContractProblem, ...]) -> HttpResponse:
    context = {"form": form, "code": code, "problems": _problem_table(problems) if problems else None}
    status = 422 if problems and request.method == "POST" else form.status
    return render(request, "catalog/register.html", context, status=status)


def _problem_table(problems: tuple[ContractProblem, ...]) -> Table:
    columns = (
        Column(_("行"), lambda p: p.line or None, number=True),
        Column(_("位置"), lambda p: p.field),
        Column(_("需要"), lambda p: p.expected, wide=True),
        Column(_("实际"), lambda p: p.found),
        Column(_("怎么改"), lambda p: p.next_step, wide=True),
    )
    return Table(columns, problems, str(_("需要改正的地方")))
