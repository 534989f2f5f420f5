"""What can go wrong with registers and their entries."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Conflict, Invalid, Kind, Missing, Refused, Terminal

__all__ = [
    "BadRegisterType",
    "CodeTaken",
    "EntryChanged",
    "EntryNotFound",
    "EntryStateRefused",
    "NothingChanged",
    "RegisterTypeNotFound",
    "SelfApprovalRefused",
    "VersionNotFound",
]


class EntryNotFound(Missing):
    code = "entry_not_found"

    def __init__(self, **facts: object) -> None:
        super().__init__(**{"what": "entry", **facts})


class RegisterTypeNotFound(Missing):
    code = "register_type_not_found"

    def __init__(self, **facts: object) -> None:
        super().__init__(**{"what": "register", **facts})


class VersionNotFound(Missing):
    code = "entry_version_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”没有{which}。请在版本列表中核对。",
        "en": '"{name}" has no {which_en}. Check the list of versions.',
    }


class CodeTaken(Conflict):
    code = "entry_code_taken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "代码“{name}”已被占用。请换一个代码，或留空由系统编号。",
        "en": 'The code "{name}" is taken. Choose another, or leave it empty to have one issued.',
    }


class EntryChanged(Conflict):
    code = "entry_changed"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”刚被别人改动（您看到的是第 {expected} 次修改）。请刷新后再试。",
        "en": '"{name}" was changed by someone else (you saw edit {expected}). Reload and try again.',
    }


class EntryStateRefused(Conflict):
    """The entry's state does not allow the act."""

    code = "entry_state_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”现在是“{state}”，不能{act}。{next_step}",
        "en": '"{name}" is "{state_en}" now; it cannot be {act_en}. {next_step_en}',
    }


class NothingChanged(Invalid):
    code = "nothing_changed"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”与已发布的第 {version} 版相同，不需要再发布。",
        "en": '"{name}" equals its published version {version}; there is nothing to publish.',
    }


class SelfApprovalRefused(Refused):
    code = "self_approval_refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”须经第二人审核后才能发布。请提交审核。",
        "en": '"{name}" is published by a second person only. Submit it for review.',
    }


class BadRegisterType(Terminal):
    code = "bad_register_type"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "名录 {name}：{problem}。请改正后重新装载。",
        "en": "Register {name}: {problem_en}. Mend it and load it again.",
    }
