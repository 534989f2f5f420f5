"""The generic operators on a page: what each is called, what it asks for, and how its form becomes a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from yunhe.core.cases import api
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.cases.rules.operators import FORMS, PHASE, REVIEWERS, TO
from yunhe.core.cases.types import ActionView, Case, CaseView, Choice, FieldSpec, OperatorView, Titles
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest

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
DANGEROUS = ("merge", "split", "withdraw")
CHOSEN = (TO, PHASE)
"""Fields of which the page offers what the case allows now."""


def offer_of(view: CaseView, one: OperatorView) -> ActionView:
    """Return an operator as an action, so that it gets its form like any other."""
    fields = tuple(_with_choices(field, one.choices) if field in CHOSEN else field for field in FORMS[one.name])
    options = {REVIEWERS.name: tuple(one.choices)} if REVIEWERS in fields and one.choices else {}
    title = {"zh": str(LABELS[one.name]), "en": str(LABELS[one.name])}
    place = next((item.title for item in view.obligations if item.obligation_id == one.obligation_id), view.case.kind_title)
    style = "danger" if one.name in DANGEROUS else "primary"
    return ActionView(one.obligation_id, place, one.name, title, style, fields, {}, options)


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
