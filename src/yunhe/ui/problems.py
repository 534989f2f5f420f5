"""One error, one shape: a page for people, problem+json (RFC 9457) for programs, the same code."""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, SuspiciousOperation
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from yunhe.kernel.errors import YunheError
from yunhe.ui.errors import (
    AlreadyThere,
    BadNumber,
    BadRequest,
    BadText,
    CsrfFailed,
    DatabaseBusy,
    DoorError,
    DoorRefused,
    MethodNotAllowed,
    NotSignedIn,
    PageMissing,
    TextTooLong,
)
from yunhe.ui.trace import current_trace_id

TITLES: dict[int, Any] = {
    400: _("请求有误"),
    401: _("请先登录"),
    403: _("没有权限"),
    404: _("没有找到"),
    405: _("不支持这种操作"),
    409: _("与现状冲突"),
    422: _("内容有误"),
    500: _("系统出错"),
    503: _("暂时不可用"),
}
RETRY_SECONDS = 5
"""When to try again what was unavailable."""
BUSY_STATES = ("55P03", "40001", "40P01")
"""PostgreSQL: lock not available, serialization failure, deadlock (its appendix A)."""
AGAIN = ("unavailable", "broken")
"""What may succeed when it is asked for once more."""
TURNS: dict[str, Any] = {"login": _("重新登录"), "choose_membership": _("选择身份"), "change_password": _("修改密码")}
"""What the way to where it is mended is called, on a part of a page that stays."""
ENDED = _("登录已失效")
PLAIN = (500, 503)  # these pages ask nothing of the database: it may be what broke


def wants_json(request: HttpRequest) -> bool:
    """Tell whether the caller is a program: an API path, or JSON preferred in Accept."""
    if request.path.startswith("/api/"):
        return True
    preferred = request.get_preferred_type(["text/html", "application/json", "application/problem+json"])
    return preferred in ("application/json", "application/problem+json")


def error_of(exception: BaseException) -> YunheError | None:
    """Return the typed error that an exception stands for, or None for a fault of ours."""
    if isinstance(exception, YunheError):
        return exception
    if isinstance(exception, Http404 | ObjectDoesNotExist):
        return PageMissing()
    if isinstance(exception, PermissionDenied):
        return DoorRefused()
    if isinstance(exception, SuspiciousOperation):
        return BadRequest()
    if isinstance(exception, IntegrityError):
        return AlreadyThere()
    if isinstance(exception, OperationalError) and is_busy(exception):
        return DatabaseBusy()
    return _unstorable(exception)


def is_busy(exception: BaseException) -> bool:
    """Tell whether a database turned something away because others hold what it needs: the same may succeed later."""
    cause = exception.__cause__
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(cause, "sqlstate", None) in BUSY_STATES


def _unstorable(exception: BaseException) -> YunheError | None:
    """Values that no column can hold: said by each database in its own way."""
    text = str(exception)
    if isinstance(exception, UnicodeEncodeError) and exception.encoding == "utf-8":
        return BadText(where="text")
    if isinstance(exception, ValueError | DataError) and ("NUL" in text or "\\u0000" in text or "0x00" in text):
        return BadText(where="text")
    if isinstance(exception, DataError) and "too long" in text:
        return TextTooLong(where="text")
    too_large = isinstance(exception, OverflowError) and "too large to convert" in text
    out_of_range = isinstance(exception, DataError) and "out of range" in text
    too_many_digits = isinstance(exception, ValueError) and "integer string conversion" in text
    return BadNumber(where="number") if too_large or out_of_range or too_many_digits else None


def answer(request: HttpRequest, error: YunheError) -> HttpResponse:
    """Return the error as the caller can read it: problem+json, a redirect to where it is mended, or a page."""
    if wants_json(request):
        return answer_json(error)
    is_part = getattr(request, "htmx", False)  # the page around it stays, with what was typed there
    if isinstance(error, DoorError) and error.turn_to and not is_part and (place := _place(error.turn_to)):
        return _turn(request, place)
    return answer_page(request, error)


def answer_json(error: YunheError) -> HttpResponse:
    """Return problem+json. Shape: {type,title,status,detail,code,kind,trace_id}, and errors if it names several places."""
    language = get_language() or "zh"
    body = error.as_problem(language, current_trace_id())
    if problems := getattr(error, "problems", ()):
        body["errors"] = [{"where": one.field, "expected": one.say(language)} for one in problems]
    answered = HttpResponse(
        json.dumps(body, ensure_ascii=True), status=error.http_status, content_type="application/problem+json"
    )
    return _with_time(answered)


def _with_time(answered: HttpResponse) -> HttpResponse:
    if answered.status_code == 503:
        answered.headers["Retry-After"] = str(RETRY_SECONDS)
    return answered


def answer_page(request: HttpRequest, error: YunheError) -> HttpResponse:
    """Return the error page: what happened, the next step, the trace id."""
    status = error.http_status
    context = {
        "status": status,
        "title": TITLES.get(status, TITLES[500]),
        "sentence": error.say(get_language() or "zh"),
        "code": error.code,
        "trace_id": current_trace_id(),
        "sent": _sent(request) if isinstance(error, DatabaseBusy) else None,
    }
    template = "ui/problem_plain.html" if status in PLAIN else "ui/problem.html"
    if getattr(request, "htmx", False):
        template = "components/problem_part.html"
        context["title"] = ENDED if isinstance(error, NotSignedIn) else context["title"]
        context |= {"again": error.kind in AGAIN, **_turn_of(request, error)}
    return _with_time(HttpResponse(render_to_string(template, context, request if status not in PLAIN else None), status=status))


def _sent(request: HttpRequest) -> dict[str, Any] | None:
    """Return what a form held, to be sent once more as it was; None where nothing was sent, or a password or a file with it."""
    if request.method != "POST" or getattr(request, "htmx", False):
        return None
    fields = [(name, value) for name, values in request.POST.lists() for value in values]
    whole = not request.FILES and not any("password" in name for name, _value in fields)
    return {"address": request.get_full_path(), "fields": fields} if whole else None


def _place(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _page_of(request: HttpRequest) -> str:
    """Return the address on this site from which a form was sent, "/" if it is not known."""
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(referrer)
    local = f"/{parts.path.lstrip('/')}" + (f"?{parts.query}" if parts.query else "")
    return local if url_has_allowed_host_and_scheme(local, allowed_hosts=None) else "/"


def _turn(request: HttpRequest, place: str) -> HttpResponse:
    """Lead to where it is mended, and back: to the page that was asked for, or from which a form was sent that was not taken."""
    asked = {"next": request.get_full_path()} if request.method == "GET" else {"next": _page_of(request), "sent": "1"}
    return HttpResponseRedirect(f"{place}?{urlencode(asked)}")


def _turn_of(request: HttpRequest, error: YunheError) -> dict[str, Any]:
    """Return the way from a part of a page to where its error is mended, and back to the page; nothing where there is none."""
    if isinstance(error, CsrfFailed):
        return {"turn": _page_of(request), "turn_title": _("重新打开本页")}
    place = _place(error.turn_to) if isinstance(error, DoorError) and error.turn_to else ""
    if not place or not isinstance(error, DoorError):
        return {}
    return {"turn": f"{place}?{urlencode({'next': _page_of(request), 'sent': '1'})}", "turn_title": TURNS.get(error.turn_to, "")}


# Django's own handlers (ROOT_URLCONF names them), for what fails before a view is found.
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, (exception and error_of(exception)) or BadRequest())


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, (exception and error_of(exception)) or DoorRefused())


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, PageMissing())


def server_error(request: HttpRequest) -> HttpResponse:
    fault = sys.exception()  # what no view raised: a session that could not be kept, say
    return answer(request, DatabaseBusy() if isinstance(fault, OperationalError) and is_busy(fault) else YunheError())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(request, CsrfFailed())


def method_not_allowed(request: HttpRequest, allowed: str) -> HttpResponse:
    return answer(request, MethodNotAllowed(found=request.method, expected=allowed))
