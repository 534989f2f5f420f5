"""What packs hold beside the kinds: decision tables, which one can try, and dated limits with their basis."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.rules.lengths import amount_in_words
from yunhe.core.cases.types import TableColumn, TableInfo
from yunhe.engine.decisions.types import ANYTHING, Cell
from yunhe.kernel.clock import local, now
from yunhe.ui import signs
from yunhe.ui.cells import Column, Empty, Fact, Lines, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.forms import YunheForm, dress

_LISTED = re.compile(r"[^\W\d]\w*")
"""A word in a cell that may be the code of a choice."""
TRUTHS = {"true": _("是"), "false": _("否")}
POLICIES = {
    "unique": _("只能有一行适用"),
    "first": _("取第一行"),
    "any": _("多行须一致"),
    "priority": _("取优先的结果"),
    "rule_order": _("按顺序取全部"),
    "output_order": _("按优先取全部"),
    "collect": _("取全部"),
    "collect_sum": _("求和"),
    "collect_min": _("取最小"),
    "collect_max": _("取最大"),
    "collect_count": _("计数"),
}


class TryForm(YunheForm):
    """The inputs of one table, and the day whose rules decide."""

    on = forms.DateField(label=_("按哪一天的规则"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))

    def __init__(self, *args: Any, code: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = api.list_columns(code=code)
        asked = {entry.name: entry.values for entry in api.get_table(code=code).declaration.inputs}
        for spec in api.table_fields(code=code):
            told = columns.get(f"in:{spec.name}")
            label = say(told.title) if told else spec.name
            bound = asked.get(spec.name, ANYTHING)
            listed = ("true", "false") if spec.type == "boolean" else _listed(bound)
            field: forms.Field = forms.CharField(label=label, max_length=200)
            if listed:
                field = forms.ChoiceField(label=label, choices=_choices(listed, told, known=not bound.null))
            field.required = not bound.null
            dress(field.widget)
            self.fields[spec.name] = field


def _listed(bound: Cell) -> tuple[str, ...]:
    """Return the values that an input may have, if they are listed one by one."""
    single = not bound.negated and all(span.low == span.high and span.low is not None for span in bound.spans)
    return tuple(str(span.low) for span in bound.spans) if single else ()


def _choices(listed: Iterable[str], told: TableColumn | None, *, known: bool) -> list[tuple[str, Any]]:
    """Return the values with what they are called; the first is none: not chosen yet or, unless it must be `known`, unknown."""
    names = {**TRUTHS, **({code: say(title) for code, title in told.labels.items()} if told else {})}
    return [("", "—" if known else _("未知")), *((value, names.get(value, value)) for value in listed)]


@require_safe
@requires("cases.view")
def show_rulebook(request: HttpRequest) -> HttpResponse:
    """List the decision tables and the dated limits."""
    tables = Table(
        (
            Column(_("决策表"), lambda t: Link(say(t.title), reverse("cases:table", args=[t.code]), sub=t.code), wide=True),
            Column(_("命中方式"), lambda t: str(POLICIES[t.hit])),
            Column(_("规则数"), lambda t: t.rules, number=True),
            Column(_("版本"), lambda t: t.number, number=True),
            Column(_("能力包"), lambda t: t.source),
            Column(_("装入时间"), lambda t: t.loaded_at),
        ),
        api.list_tables(),
        str(_("决策表")),
        Empty(_("还没有决策表"), _("能力包的 tables 文件夹装入后，会列在这里。")),
    )
    limits = Table(
        (
            Column(_("时限"), lambda one: one.title or one.code, wide=True),
            Column(_("代码"), lambda one: one.code),
            Column(_("长度"), lambda one: say(amount_in_words(one.amount, one.unit))),
            Column(_("最多延长"), lambda one: say(amount_in_words(one.extend_most, one.unit)) if one.extend_most is not None else None),
            Column(_("自"), lambda one: one.valid_from.isoformat() if one.valid_from else None),
            Column(_("至（不含）"), lambda one: one.valid_until.isoformat() if one.valid_until else None),
            Column(_("依据"), lambda one: one.basis, wide=True),
        ),
        api.list_limits(),
        str(_("时限")),
        Empty(_("还没有单独的时限"), _("能力包的 limits 文件夹装入后，会列在这里。")),
    )
    return render(request, "cases/rulebook.html", {"tables": tables, "limits": limits})


@require_safe
@requires("cases.view")
def show_table(request: HttpRequest, code: str) -> HttpResponse:
    """Show the rules of one decision table, and what it decides for the values of the form, if any were given."""
    header, rules = api.list_rules(code=code)
    columns = api.list_columns(code=code)
    info = next(one for one in api.list_tables() if one.code == code)
    form = TryForm(request.GET if "on" in request.GET else None, code=code, initial={"on": local(now()).date()})
    decision = form.submit(lambda told: api.try_table(code=code, on=told.pop("on"), values=told)) if form.is_bound else None
    hits = {rule.row for rule in decision.hits} if decision else set[int]()
    written = [cell for _row, cells in rules for cell in cells] + [_answer(value) for value in (decision.outputs.values() if decision else ())]
    bodies, declared = api.organizations_named(texts=written), api.get_table(code=code).declaration
    yes_no = {one.name for one in (*declared.inputs, *declared.outputs) if one.type == "boolean"}
    table = Table(
        (
            Column(_("行"), lambda rule: (rule[0], Tag(__("适用"), "green")) if rule[0] in hits else rule[0], number=True),
            *(_column(name, at, columns.get(name), bodies, yes_no=name.partition(":")[2] in yes_no) for at, name in enumerate(header)),
        ),
        rules,
        say(info.title),
    )
    outputs = decision.outputs if decision else {}
    titles = {name: say(columns[f"out:{name}"].title) if f"out:{name}" in columns else name for name in outputs}
    answers = [Fact(titles[name], _named(_answer(value), bodies)) for name, value in outputs.items()]
    context = {"table": table, "form": form, "info": info, "facts": _facts(info), "answers": answers, "hits": sorted(hits)}
    return render(request, "cases/table.html", context, status=form.status)


@require_safe
@requires("cases.view")
def download_dmn(request: HttpRequest, code: str) -> HttpResponse:
    """Give the decision table as DMN 1.3."""
    text = api.export_table(code=code, actor=request.actor)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(code)}.dmn"}
    return HttpResponse(text, content_type="application/xml; charset=utf-8", headers=headers)


def _column(name: str, at: int, told: TableColumn | None, bodies: Mapping[str, str], *, yes_no: bool) -> Column:
    """Return a column of rules: its title for people, and beside each cell what its codes are called; `yes_no` writes those words."""

    def cell(rule: Any) -> Any:
        text = rule[1][at]
        if yes_no:
            return TRUTHS.get(text.strip(), text) or None
        said = _LISTED.sub(lambda code: say(told.labels[code[0]]) if code[0] in told.labels else code[0], text) if told else text
        return Lines(said, text) if said != text else _named(text, bodies) or None

    return Column(_title(name, say(told.title) if told else ""), cell, wide=name not in ("from", "until"))


def _title(column: str, called: str = "") -> str:
    part, _sign, name = column.partition(":")
    name = called or name
    said = {"in": _("条件 %(name)s"), "out": _("结果 %(name)s"), "from": _("自"), "until": _("至（不含）"), "basis": _("依据")}
    return str(said.get(part, _("说明"))) % {"name": name} if name else str(said.get(part, _("说明")))


def _named(text: str, bodies: Mapping[str, str]) -> Any:
    """Return a cell with the name of each organisation that it holds the code of; the code stays to be read."""
    bare = text.strip().strip('"')
    if bare in bodies:
        return Lines(bodies[bare], bare)
    for code, name in bodies.items():
        text = text.replace(code, __("%(name)s（%(code)s）") % {"name": name, "code": code})
    return text


def _answer(value: Any) -> str:
    if isinstance(value, tuple | list):
        return signs.listed(str(one) for one in value) or "—"
    if isinstance(value, bool):
        return str(TRUTHS[str(value).lower()])
    return "—" if value is None else str(value)


def _facts(info: TableInfo) -> list[Fact]:
    return [
        Fact(_("代码"), info.code),
        Fact(_("命中方式"), str(POLICIES[info.hit])),
        Fact(_("版本"), info.number),
        Fact(_("能力包"), info.source),
    ]
