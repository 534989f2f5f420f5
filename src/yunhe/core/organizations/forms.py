"""Forms of organisations, accounts and memberships."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from yunhe.core.organizations.types import ORGANIZATION_KINDS, Role
from yunhe.ui.forms import YunheForm
from yunhe.ui.templatetags.yh import spoken

DAY = {"type": "date"}


class OrganizationForm(YunheForm):
    code = forms.CharField(
        label=_("统一社会信用代码"), max_length=18, help_text=_("18 位，字母用大写，不用 I、O、S、V、Z。")
    )
    name = forms.CharField(label=_("全称"), max_length=200)
    short_name = forms.CharField(label=_("简称"), max_length=60, required=False, help_text=_("列表里显示的名称。"))
    kind = forms.ChoiceField(label=_("类别"))
    region = forms.CharField(label=_("行政区划代码"), max_length=12, help_text=_("6、9 或 12 位数字。"))
    parent = forms.CharField(label=_("上级机构"), max_length=200, required=False, help_text=_("代码、全称或简称。"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(code, spoken(title)) for code, title in ORGANIZATION_KINDS.items()]


class EndForm(YunheForm):
    valid_until = forms.DateField(
        label=_("自哪天起撤销"), widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"), help_text=_("这一天起不再有效。")
    )
    successor = forms.CharField(
        label=_("承接机构"), max_length=200, required=False, help_text=_("职责由谁承接：代码、全称或简称。")
    )
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class UserForm(YunheForm):
    username = forms.CharField(
        label=_("用户名"), max_length=64, help_text=_("2 至 64 个小写字母、数字或 . _ -，以字母开头。")
    )
    display_name = forms.CharField(label=_("姓名"), max_length=100)


class MembershipForm(YunheForm):
    organization = forms.CharField(label=_("机构"), max_length=200, help_text=_("代码、全称或简称。"))
    role = forms.ChoiceField(label=_("角色"))
    valid_until = forms.DateField(
        label=_("有效至"),
        required=False,
        widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"),
        help_text=_("不填则长期有效。"),
    )

    def __init__(self, *args: Any, roles: tuple[Role, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.code, spoken(role.title)) for role in roles]
