"""What things are called in a sentence of an error: the fact `what` names one by its code word, each language says its own.

So does the fact `permission`, of which the rooms above say what it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

NOUNS: Mapping[str, Mapping[str, str]] = {
    "attachment": {"zh": "附件", "en": "attachment"},
    "case": {"zh": "办件", "en": "case"},
    "case_kind": {"zh": "办件类型", "en": "case kind"},
    "code": {"zh": "代码", "en": "code"},
    "decision_table": {"zh": "决策表", "en": "decision table"},
    "delegation": {"zh": "代办", "en": "delegation"},
    "draft": {"zh": "草稿", "en": "draft"},
    "entry": {"zh": "名录条目", "en": "register entry"},
    "evidence": {"zh": "存证", "en": "evidence record"},
    "grant": {"zh": "授权", "en": "grant"},
    "job": {"zh": "作业", "en": "job"},
    "key": {"zh": "密钥", "en": "key"},
    "kind_version": {"zh": "办件类型版本", "en": "version of a case kind"},
    "list": {"zh": "列表", "en": "list"},
    "load": {"zh": "装载", "en": "load"},
    "membership": {"zh": "任职", "en": "membership"},
    "migration": {"zh": "流程变更", "en": "change of procedure"},
    "organization": {"zh": "单位", "en": "organisation"},
    "pack": {"zh": "能力包", "en": "pack"},
    "region": {"zh": "行政区划", "en": "region"},
    "register": {"zh": "名录", "en": "register"},
    "release": {"zh": "发布", "en": "release"},
    "resource": {"zh": "数据资源", "en": "data resource"},
    "saved_view": {"zh": "常用筛选", "en": "saved filter"},
    "secret": {"zh": "密钥文件", "en": "secret"},
    "system": {"zh": "调用系统", "en": "calling system"},
    "user": {"zh": "用户", "en": "user"},
}


_permissions: dict[str, Mapping[str, str]] = {}


def declare_permissions(titles: Mapping[str, Mapping[str, str]]) -> None:
    """Have sentences name permissions by these titles; the roof declares what the rooms have."""
    _permissions.update(titles)


def permission_said(code: object, language: str) -> object:
    """Return what people know a permission as; one that nobody declared stands for itself."""
    titles = _permissions.get(code) if isinstance(code, str) else None
    return titles.get(language[:2], titles["zh"]) if titles else code


def said(what: object, language: str) -> object:
    """Return what a thing is called; what is no code word stands for itself."""
    names = NOUNS.get(what) if isinstance(what, str) else None
    return names["en" if language[:2] == "en" else "zh"] if names else what
