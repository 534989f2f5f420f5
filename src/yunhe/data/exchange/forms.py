"""Forms of exchange: a data request, a purpose, a query, a system."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yunhe.data.catalog.types import Resource
from yunhe.ui import signs
from yunhe.ui.forms import YunheForm


class RequestForm(YunheForm):
    """What one asks of a resource's owner."""

    fields_wanted = forms.MultipleChoiceField(
        label=_("信息项"), widget=forms.CheckboxSelectMultiple, help_text=_("只勾选办事确需的信息项。")
    )
    purpose = forms.CharField(
        label=_("用途"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}), help_text=_("办什么事、为什么需要。")
    )
    legal_basis = forms.CharField(
        label=_("履职依据"), max_length=500, help_text=_("法律、法规或三定职责的名称和条款。")
    )
    row_filter = forms.CharField(
        label=_("行范围"),
        max_length=2000,
        required=False,
        help_text=_("可不填。用信息项写条件，例如 region = '320902'。"),
    )
    until = forms.DateField(
        label=_("有效期至"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("不填为一年。"),
    )

    def __init__(self, *args: Any, resource: Resource, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contract = resource.contract
        choices = [
            (field.name, signs.in_brackets(field.title or field.name, field.name))
            for field in contract.fields
            if (field.sharing or contract.sharing) != "refused"
        ]
        self.fields["fields_wanted"].choices = choices  # type: ignore[attr-defined]


class PurposeForm(YunheForm):
    """Why one looks at rows; asked each time, kept in the evidence."""

    purpose = forms.CharField(label=_("用途"), max_length=500, help_text=_("每次查看都会记入存证，数源部门可以看到。"))
    case = forms.CharField(label=_("办件号"), max_length=60, required=False)


class QueryForm(YunheForm):
    """One SELECT with its purpose."""

    sql = forms.CharField(
        label=_("查询语句"),
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_('用双引号写资源代码，例如 SELECT count(*) FROM "代码"。'),
    )
    purpose = forms.CharField(label=_("用途"), max_length=500)


class SystemForm(YunheForm):
    """A system that will call the gateway."""

    name = forms.CharField(label=_("系统名称"), max_length=120)
    organization = forms.CharField(label=_("所属机构"), max_length=200, help_text=_("统一社会信用代码、全称或简称。"))


class ReasonForm(YunheForm):
    """Why something is taken back."""

    reason = forms.CharField(label=_("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
