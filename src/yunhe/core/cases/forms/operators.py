"""The generic operators on a page: what each is called, what it asks for, and how its form becomes a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.cases import api
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.cases.forms.actions import ActionForm, build_form, say
from yunhe.core.cases.rules.lengths import amount_in_words, due_in_words
from yunhe.core.cases.rules.operators import AMOUNT, FORMS, PHASE, REVIEWERS, TO
from yunhe.core.cases.types import ActionView, Case, CaseView, Choice, Due, FieldSpec, OperatorView, Titles
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest
from yunhe.ui import signs

LABELS: Mapping[str, Any] = {
    "hand_on": _("转办"),
    "reassign": _("指派"),
    "take_back": _("退还给本岗位"),
    "add_reviewer": _("加签"),
    "drop_reviewer": _("撤回加签"),
    "send_back": _("退回到"),
    "retract": _("撤回上一步"),
    "withdraw": _("撤回申请"),
    "remind": _("催办"),
    "escalate": _("督办"),
    "suspend": _("中止"),
    "resume": _("恢复办理"),
    "extend": _("延期"),
    "merge": _("并案"),
    "split": _("拆分"),
}
EXTEND, SHOWN, MOST = "extend", 3, int(AMOUNT.maximum or 0)
LONGER_BY: Mapping[str, Titles] = {
    "workdays": Titles(zh="延长几个工作日", en="By how many workdays"), "days": Titles(zh="延长几个自然日", en="By how many calendar days"),
    "hours": Titles(zh="延长几小时", en="By how many hours"),
}  # fmt: skip
DANGEROUS = ("merge", "split", "withdraw")
CHOSEN = (TO, PHASE)
"""Fields of which the page offers what the case allows now."""


def offer_of(view: CaseView, one: OperatorView) -> ActionView:
    """Return an operator as an action, so that it gets its form like any other."""
    fields = tuple(_asked(view, one, field) for field in FORMS[one.name])
    options = {REVIEWERS.name: tuple(one.choices)} if REVIEWERS in fields and one.choices else {}
    title = {"zh": str(LABELS[one.name]), "en": str(LABELS[one.name])}
    place = next((item.title for item in view.obligations if item.obligation_id == one.obligation_id), view.case.kind_title)
    style = "danger" if one.name in DANGEROUS else "primary"
    return ActionView(one.obligation_id, place, one.name, title, style, fields, {}, options)


def form_of(view: CaseView, one: OperatorView, data: Any = None, values: Mapping[str, Any] | None = None) -> tuple[ActionView, ActionForm]:
    """Return an operator as an action with its form; that of an extension says while one types when it would be due."""
    offered = offer_of(view, one)
    form = build_form(offered, data, names=names_of(one), values=values)
    if one.name == EXTEND:
        address = f"{reverse('cases:extended', args=[view.case.case_id])}?{urlencode({'ob': one.obligation_id})}"
        told = {"hx-get": address, "hx-trigger": "input changed delay:300ms", "hx-target": f"#{form['amount'].auto_id}_helptext"}
        form.fields["amount"].widget.attrs.update(told)
    return offered, form


def limit_of(view: CaseView, one: OperatorView) -> tuple[str, Due] | None:
    """Return what the limit is of that an operator makes longer, and its clock."""
    if not one.obligation_id:
        return (__("全程"), view.due) if view.due else None
    found = next((item for item in view.obligations if item.obligation_id == one.obligation_id), None)
    return (say(found.title), found.due) if found and found.due else None


def say_extension(of: str, due: Due, amount: int | None = None) -> str:
    """Return what can be made longer, by how much in all, by how much it was and still may be, and when it would be due then."""
    told = [__("“%(of)s”的时限是 %(limit)s，依据：%(basis)s") % {"of": of, "limit": _amount(due, due.limit), "basis": due.basis.rstrip("。")}]
    granted = sum(due.granted)
    told.append(__("已延期 %(amount)s") % {"amount": _amount(due, granted)} if granted else __("还没有延期过"))
    told.append(__("最多还能延长 %(amount)s") % {"amount": _amount(due, due.left)} if due.left is not None else __("依据没有规定最多延长多少"))
    now = due_in_words(due.at, due.unit)
    told.append(__("现于 %(due)s 到期") % {"due": now} if now else __("时限暂停中，恢复时按新时限计算"))
    if now and amount is not None and due.left is not None and amount > due.left:
        told.append(__("延长 %(amount)s，超过了上限") % {"amount": _amount(due, amount)})
    elif now:
        amounts = (amount,) if amount is not None else range(1, min(SHOWN, due.left or SHOWN) + 1)
        told.append(signs.several(__("延长 %(amount)s，%(due)s 到期") % _then(due, one) for one in amounts))
    return signs.sentences(told)


def _then(due: Due, amount: int) -> dict[str, str]:
    mark = api.due_if_longer(due, amount)
    told = due_in_words(mark.at, due.unit) if mark else ""
    return {"amount": _amount(due, amount), "due": signs.in_brackets(told, __("暂按周末推算") if mark and mark.estimated else "")}


def _amount(due: Due, amount: int) -> str:
    return say(amount_in_words(amount, due.unit))


def _asked(view: CaseView, one: OperatorView, field: FieldSpec) -> FieldSpec:
    """Return a field as the form of one case asks for it: choices of that case, an extension in the unit of its limit."""
    if field in CHOSEN:
        return _with_choices(field, one.choices)
    found = limit_of(view, one) if field is AMOUNT else None
    if found is None:
        return field
    of, due = found
    told, most = say_extension(of, due), AMOUNT.maximum if due.left is None else due.left
    return field.model_copy(update={"title": LONGER_BY[due.unit], "help": Titles(zh=told, en=told), "maximum": most})


def offer_among(one: OperatorView) -> ActionView:
    """Return an operator on several cases at once as an action; it names no obligation."""
    fields = tuple(_with_choices(field, one.choices) if field in CHOSEN else field for field in FORMS[one.name])
    title = {"zh": str(LABELS[one.name]), "en": str(LABELS[one.name])}
    return ActionView("", {}, one.name, title, "primary", fields, {}, {})


def _with_choices(field: FieldSpec, choices: Mapping[str, Mapping[str, str]]) -> FieldSpec:
    offered = tuple(Choice(value=code, title=Titles(**told)) for code, told in choices.items())  # type: ignore[operator]
    return field.model_copy(update={"type": "choice", "choices": offered})


def names_of(one: OperatorView) -> dict[str, str]:
    """Return what people read for the options of an operator."""
    return {code: told["zh"] for code, told in one.choices.items()}


def run(one: OperatorView, *, view: CaseView, values: Mapping[str, Any], version: int, actor: Actor) -> Case:
    """Run an operator with what its form held. Raises: what the operator raises."""
    call: Callable[..., Any] = getattr(api, one.name)
    told: dict[str, Any] = {"case_id": view.case.case_id, "actor": actor, **values}
    if one.name != "remind":
        told["expected_version"] = version
    if one.obligation_id:
        told["obligation_id"] = one.obligation_id
    if one.name == "merge":
        told["into"] = _case_id(told["into"], actor)
    call(**told)
    return api.get_case(case_id=view.case.case_id)


def _case_id(number: str, actor: Actor) -> str:
    found = api.list_cases(request=PageRequest(search=number.strip(), size=2), actor=actor).items
    exact = [case for case in found if case.number == number.strip().upper()]
    if not exact:
        raise CaseNotFound(name=number)
    return exact[0].case_id
