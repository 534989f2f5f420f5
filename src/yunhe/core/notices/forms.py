"""Forms of preferences, addresses and webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.notices.types import Channel, NoticeKind, Preferences
from yunhe.ui.forms import YunheForm
from yunhe.ui.templatetags.yh import spoken

LANGUAGES = (("zh", "中文"), ("en", "English"))
CLOCK = {"type": "time"}
KIND = "kind-"


class PreferencesForm(YunheForm):
    """Quiet hours and language, then one row of boxes per kind."""

    quiet_from = forms.TimeField(
        label=_("免打扰开始"), required=False, widget=forms.TimeInput(attrs=CLOCK, format="%H:%M"),
        help_text=_("北京时间。这段时间不发短信和邮件，结束后合成一条补发；两个都不填则随时发送。站内通知、验证码和系统推送不受影响。"),
    )  # fmt: skip
    quiet_until = forms.TimeField(
        label=_("免打扰结束"), required=False, widget=forms.TimeInput(attrs=CLOCK, format="%H:%M")
    )
    urgent_through = forms.BooleanField(label=_("免打扰时段照样收紧急的"), required=False)
    language = forms.ChoiceField(label=_("短信和邮件的语言"), choices=LANGUAGES)

    def __init__(
        self, *args: Any, kinds: tuple[NoticeKind, ...], channels: tuple[Channel, ...], chosen: Preferences, **kwargs: Any
    ) -> None:
        initial: dict[str, Any] = {"quiet_from": chosen.quiet_from, "quiet_until": chosen.quiet_until, "language": chosen.language}
        initial["urgent_through"] = chosen.urgent_through
        initial |= {f"{KIND}{k.code}": [c.code for c in channels if (k.code, c.code) in chosen.wanted] for k in kinds}
        super().__init__(*args, initial=initial, **kwargs)
        unset = frozenset(channel.code for channel in channels if not channel.is_ready())
        titles = {channel.code: spoken(channel.title) for channel in channels}
        boxes = {f"{KIND}{kind.code}": _boxes(spoken(kind.title), list(titles.items()), unset) for kind in kinds}
        self._held = frozenset(pair for pair in chosen.wanted if pair[1] in unset)  # a closed box is never sent
        urgent = [spoken(kind.urgent) for kind in kinds if kind.urgent]
        self.fields["urgent_through"].help_text = __("紧急的是：%(what)s。不勾选则和别的一样等到时段结束。") % {"what": __("、").join(urgent)}
        self.first = [self[name] for name in self.fields]
        self.fields |= boxes
        self.matrix = [self[name] for name in boxes]
        self.columns = [__("%(name)s（本节点未设置）") % {"name": title} if code in unset else title for code, title in titles.items()]
        self.unset = __("、").join(title for code, title in titles.items() if code in unset)
        self._kinds = kinds

    def preferences(self) -> Preferences:
        """Return what was chosen."""
        data = self.cleaned_data
        wanted = frozenset((kind.code, channel) for kind in self._kinds for channel in data[f"{KIND}{kind.code}"])
        return Preferences(wanted | self._held, data["quiet_from"], data["quiet_until"], data["language"], data["urgent_through"])


class _Boxes(forms.MultipleChoiceField):
    """None of them is an answer too, and not a thing left out."""

    def validate(self, value: list[str]) -> None:
        if value:
            super().validate(value)


class _OpenBoxes(forms.CheckboxSelectMultiple):
    """Boxes named by kind and channel, of which those of channels that the node has not set up are closed."""

    kind = ""
    unset: frozenset[str] = frozenset()

    def create_option(self, name: str, value: Any, label: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        made: dict[str, Any] = super().create_option(name, value, label, *args, **kwargs)
        made["attrs"]["aria-label"] = __("%(kind)s：%(channel)s") % {"kind": self.kind, "channel": label}
        if str(value) in self.unset:
            made["attrs"]["disabled"] = True
        return made


def _boxes(label: Any, choices: list[tuple[str, Any]], unset: frozenset[str]) -> _Boxes:
    widget = _OpenBoxes(attrs={"class": "form-check-input"})
    widget.kind, widget.unset = str(label), unset
    return _Boxes(label=label, choices=choices, widget=widget)


class EmailForm(YunheForm):
    address = forms.CharField(
        label=_("邮箱"), max_length=254, help_text=_("如 name@example.org。保存后会发去验证码。"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )  # fmt: skip


class PhoneForm(YunheForm):
    address = forms.CharField(
        label=_("手机号"), max_length=30, help_text=_("境外号码以 + 和国家代码开头。保存后会发去验证码。"),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )  # fmt: skip


class AddressForm(YunheForm):
    address = forms.CharField(label=_("地址"), max_length=500, help_text=_("保存后会发去验证码。"))


FORMS: dict[str, type[YunheForm]] = {"email": EmailForm, "sms": PhoneForm}


class CodeForm(YunheForm):
    code = forms.CharField(
        label=_("验证码"), max_length=20, help_text=_("6 位数字，10 分钟内有效，最多试 5 次。"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )  # fmt: skip


class WebhookForm(YunheForm):
    owner = forms.ChoiceField(
        label=_("发给谁的通知"), choices=(("organization", _("机构")), ("person", _("人员"))), widget=forms.RadioSelect
    )
    name = forms.CharField(label=_("机构或用户名"), max_length=200, help_text=_("机构填代码、全称或简称；人员填用户名。"))
    address = forms.CharField(
        label=_("推送地址"), max_length=500,
        help_text=_("http(s)://主机[:端口]/路径，来源须列在设置 YUNHE_WEBHOOK_HOSTS 里。"),
    )  # fmt: skip
