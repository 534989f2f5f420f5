"""The list of forms that a person has not handed in."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.types import Draft
from yunhe.ui.cells import Action, Column, Link, Table, Tag


def form_href(draft: Draft) -> str:
    """Return where the form of a draft is filled in."""
    if not draft.case_id:
        return f"{reverse('cases:open', args=[draft.kind])}?draft={draft.draft_id}"
    asked = (
        f"op={draft.action.removeprefix(api.OPERATOR)}"
        if draft.action.startswith(api.OPERATOR)
        else f"act={draft.action}"
    )
    return f"{reverse('cases:case', args=[draft.case_id])}?ob={draft.obligation_id}&{asked}#case"


def drafts_table(drafts: tuple[Draft, ...]) -> Table:
    """Return the forms that a person has not handed in, each to go on with or to delete; what stands beside one is marked."""

    def look(one: Draft) -> str:
        return form_href(one) if one.is_open and not one.beside else reverse("cases:draft", args=[one.draft_id])

    def name(one: Draft) -> Any:
        kind = say(one.kind_title)
        typed = one.title or ("" if one.case_id else str(one.values.get("title") or "").strip())
        link = Link(typed or __("%(kind)s，还没有标题") % {"kind": kind}, look(one), sub=f"{kind} {one.case_number}".strip() if typed else "")
        return (link, Tag(__("另一处未保存的内容"), "amber")) if one.beside else link

    def acts(one: Draft) -> Any:
        first = Action(__("查看差别") if one.beside else __("继续填写"), look(one)) if one.is_open else Tag(__("已不需办理"), "grey")
        return (first, Action(__("删除草稿"), reverse("cases:discard_draft", args=[one.draft_id]), "danger"))

    columns = (
        Column(_("表单"), name, wide=True),
        Column(_("保存于"), lambda d: d.saved_at),
        Column("", acts),
    )
    return Table(columns, drafts, str(_("没有提交的表单")))
