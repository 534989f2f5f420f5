"""Forms of the roof: signing in and one's own account."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from yunhe.ui.forms import YunheForm

LONGEST = 128  # longer passwords cost hashing time and prove nothing more


class LoginForm(YunheForm):
    username = forms.CharField(
        label=_("用户名"), max_length=64, widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label=_("密码"),
        max_length=LONGEST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    next = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)


class PasswordForm(YunheForm):
    old = forms.CharField(
        label=_("现在的密码"),
        max_length=LONGEST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("新密码"),
        max_length=LONGEST,
        strip=False,
        help_text=_("至少 10 个字符，不能全是数字，也不要用常见的密码。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("再输一次新密码"),
        max_length=LONGEST,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_again(self) -> str:
        again = self.cleaned_data["again"]
        if self.cleaned_data.get("new") not in (None, again):
            raise forms.ValidationError(_("两次输入的新密码不一样。"))
        return str(again)
