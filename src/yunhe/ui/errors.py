"""Errors of the doors themselves: what a page or an API call may meet before any room is asked."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Kind, Terminal, Transient


class DoorError(Terminal):
    """A refusal at the door. `status` is the HTTP answer; `turn_to` names a page to go to instead."""

    code = "door_error"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "这个请求没有处理。请返回后重新提交。",
        "en": "The request was not handled. Go back and submit again.",
    }
    status: ClassVar[int] = 400
    turn_to: ClassVar[str] = ""

    @property
    def http_status(self) -> int:
        """Return the HTTP status that a door answers with."""
        return self.status


class NotSignedIn(DoorError):
    code = "not_signed_in"
    kind: ClassVar[Kind] = "refused"
    status = 401
    turn_to = "login"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请先登录。",
        "en": "Sign in first.",
    }


class NoMembership(DoorError):
    code = "no_membership"
    kind: ClassVar[Kind] = "refused"
    status = 403
    turn_to = "choose_membership"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请先选择以哪个单位、哪个角色办理。",
        "en": "Choose first for which organisation and in which role you act.",
    }


class PasswordMustChange(DoorError):
    code = "password_must_change"
    kind: ClassVar[Kind] = "refused"
    status = 403
    turn_to = "change_password"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "首次登录请先修改密码。",
        "en": "Change the first password before going on.",
    }


class PageMissing(DoorError):
    code = "page_missing"
    kind: ClassVar[Kind] = "missing"
    status = 404
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有这个页面，或您无权查看。请核对网址，或从左侧目录进入。",
        "en": "No such page, or you may not see it. Check the address, or start from the menu.",
    }


class DoorRefused(DoorError):
    code = "forbidden"
    kind: ClassVar[Kind] = "refused"
    status = 403
    sentences: ClassVar[dict[str, str]] = {
        "zh": "您没有办理此事的权限。如工作需要，请向安全管理员申请。",
        "en": "You may not do this. Ask the security administrator if your work needs it.",
    }


class CsrfFailed(DoorError):
    code = "csrf_failed"
    kind: ClassVar[Kind] = "refused"
    status = 403
    sentences: ClassVar[dict[str, str]] = {
        "zh": "表单已失效：登录状态变了，或浏览器没有带上本站的 Cookie。请返回上一页，刷新后重新提交。",
        "en": "The form is no longer valid: the session changed, or the browser sent no cookie of this site. "
        "Go back, reload and submit again.",
    }


class BadRequest(DoorError):
    code = "bad_request"
    kind: ClassVar[Kind] = "invalid"
    status = 400
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求不完整或格式不对，没有处理。请返回后重新提交。",
        "en": "The request is incomplete or malformed; nothing was done. Go back and submit again.",
    }


class NotJson(DoorError):
    code = "not_json"
    kind: ClassVar[Kind] = "invalid"
    status = 415
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求内容须是 JSON，并注明 Content-Type: application/json（实际是 {found}）。请改正后重新提交。",
        "en": "The body must be JSON, sent with Content-Type: application/json (found {found}). Mend it and send it again.",
    }


class BadJson(DoorError):
    code = "bad_json"
    kind: ClassVar[Kind] = "invalid"
    status = 400
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求内容不是可用的 JSON（{where}）：须是 UTF-8，嵌套不超过 {deepest} 层。请改正后重新提交。",
        "en": "The body is no JSON that can be used ({where}): UTF-8, nested at most {deepest} deep. Mend it and send it again.",
    }


class TextTooLong(DoorError):
    code = "text_too_long"
    kind: ClassVar[Kind] = "invalid"
    status = 422
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where}：文字太长，无法保存。请缩短后重新提交。",
        "en": "{where}: the text is too long to be stored. Shorten it and submit again.",
    }


class MethodNotAllowed(DoorError):
    code = "method_not_allowed"
    kind: ClassVar[Kind] = "invalid"
    status = 405
    sentences: ClassVar[dict[str, str]] = {
        "zh": "此处不接受 {found} 方式的请求，可用：{expected}。",
        "en": "{found} is not accepted here; use {expected}.",
    }


class BadText(DoorError):
    code = "bad_text"
    kind: ClassVar[Kind] = "invalid"
    status = 422
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where}：文字里有无法保存的字符（空字符或残缺的 Unicode 代理项）。请删去后重新提交。",
        "en": "{where}: the text holds a character that cannot be stored (NUL or a lone surrogate). "
        "Remove it and submit again.",
    }


class BadNumber(DoorError):
    code = "bad_number"
    kind: ClassVar[Kind] = "invalid"
    status = 422
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where}：数字超出可以保存的范围，或不是整数。请改正后重新提交。",
        "en": "{where}: the number is beyond what can be stored, or not a whole number. Mend it and submit again.",
    }


class AlreadyThere(DoorError):
    code = "already_there"
    kind: ClassVar[Kind] = "conflict"
    status = 409
    sentences: ClassVar[dict[str, str]] = {
        "zh": "与已有的记录冲突，没有保存。请刷新后核对，再提交一次。",
        "en": "This conflicts with what is already recorded; nothing was saved. Reload, check and submit again.",
    }


class DatabaseBusy(Transient):
    """Others write to the same place, and it was not free in time."""

    code = "database_busy"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "系统正忙，这次没有办成。请稍后再试。",
        "en": "The system is busy; this was not done. Try again in a moment.",
    }
