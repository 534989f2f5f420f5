"""Forms of dead letters."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from yunhe.ui.forms import YunheForm


class DropForm(YunheForm):
    """Why a dead letter is given up."""

    reason = forms.CharField(label=_("丢弃原因"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
