"""What people read for the codes of exchange: reasons of rows, refusals of the gateway, masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.data.exchange.types import RowSource
from yunhe.data.lake.types import ROW_REASONS
from yunhe.data.quality.types import FAILURE_REASONS
from yunhe.engine.masks import MASKS
from yunhe.ui import signs
from yunhe.ui.templatetags.yh import spoken

REFUSALS: Mapping[str, Any] = {
    "rights_stale": _("权限未及时更新"),
    "replay_guard_unavailable": _("防重放不可用"),
    "unknown_key": _("无此密钥"),
    "key_revoked": _("密钥已收回"),
    "bad_signature": _("签名不符"),
    "clock_skew": _("时间偏差过大"),
    "replayed_nonce": _("重复请求"),
    "not_your_grant": _("非本方授权"),
    "grant_not_active": _("授权不在用"),
    "grant_not_yet_valid": _("授权未生效"),
    "grant_expired": _("授权已到期"),
    "field_not_granted": _("未授权的信息项"),
    "not_yet_served": _("数据准备中"),
    "data_unavailable": _("数据暂不可用"),
    "row_filter_unusable": _("行范围无法执行"),
    "bad_body": _("请求内容有误"),
    "bad_header": _("请求头有误"),
}
TITLES: Mapping[str, Any] = {
    "record": _("记录号"),
    "offset": _("字节位置"),
    "reason": _("原因"),
    "reasons": _("原因"),
    "raw": _("原文"),
    "rule": _("规则"),
}


def refusal_words(code: str) -> str:
    """Return why the gateway refused; a code without words stands for itself."""
    return str(REFUSALS.get(code, code))


def mask_words(mask: str) -> str | None:
    """Return how a field is masked, or None if it is not."""
    if mask in ("", "none"):
        return None
    return str(spoken(MASKS[mask].title)) if mask in MASKS else mask


def reason_words(text: str, titles: Mapping[str, str], source: RowSource) -> str:
    """Return reasons that stand by comma (`key_missing`, `cast:FIELD`, `check_digit`) in words."""
    known = FAILURE_REASONS if source == "failing_keys" else {**FAILURE_REASONS, **ROW_REASONS}
    return signs.sign(signs.COMMA).join(_one_reason(part.strip(), known, titles) for part in text.split(",") if part.strip())


def _one_reason(code: str, known: Mapping[str, Mapping[str, str]], titles: Mapping[str, str]) -> str:
    head, _sep, rest = code.partition(":")
    said = str(spoken(known.get(head, head)))
    return __("%(name)s：%(value)s") % {"name": said, "value": titles.get(rest, rest)} if rest else said
