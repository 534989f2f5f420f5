"""What every request meets on its way in and out: trace, content policy, language, problems."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import translation
from django.utils.cache import patch_vary_headers

from yunhe.ui import problems
from yunhe.ui.errors import BadText
from yunhe.ui.measures import REQUESTS
from yunhe.ui.trace import HEADER, current_trace_id, end_trace, start_trace

Answer = Callable[[HttpRequest], HttpResponse]
log = logging.getLogger("yunhe.access")
LANGUAGE_KEY = "language"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class TraceMiddleware:
    """Give each request a trace id; count it, time it and log one line without its query."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token, started = start_trace(), perf_counter()
        try:
            response = self.get_response(request)
            seconds = perf_counter() - started
            response.headers[HEADER] = current_trace_id()
            REQUESTS.count(status=response.status_code, seconds=seconds)
            facts = {"method": request.method, "path": request.path, "status": response.status_code}
            log.info("request", extra={**facts, "ms": round(seconds * 1000, 1)})
            return response
        finally:
            end_trace(token)


class ContentPolicyMiddleware:
    """Pages run and show nothing but what this site sent: no inline script, no inline style."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class LanguageMiddleware:
    """Choose the page's language: the user's choice, the cookie, Accept-Language, else Chinese."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = choose_language(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def choose_language(request: HttpRequest) -> str:
    """Return one of settings.LANGUAGES for this request."""
    known = dict(settings.LANGUAGES)
    session = getattr(request, "session", None)
    for wish in (session.get(LANGUAGE_KEY) if session else None, request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)):
        if wish in known:
            return str(wish)
    return accepted_language(request.headers.get("Accept-Language", ""))


def accepted_language(header: str) -> str:
    """Return the best of settings.LANGUAGES for an Accept-Language header; Chinese when none fits."""
    ranked = sorted(_weighed(header), key=lambda pair: -pair[1])
    for name, weight in ranked:
        if weight > 0 and name.startswith("zh"):
            return "zh-hans"
        if weight > 0 and name.split("-")[0] == "en":
            return "en"
    return settings.LANGUAGE_CODE


def _weighed(header: str) -> Iterable[tuple[str, float]]:
    for part in header[:500].split(","):
        name, _, options = part.strip().partition(";")
        quality = options.strip().removeprefix("q=") or "1"
        try:
            yield name.lower(), float(quality)
        except ValueError:
            continue


class ProblemMiddleware:
    """Turn errors of views into pages or problem+json; refuse text that nothing could store."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed):
            return problems.method_not_allowed(request, response.headers.get("Allow", ""))
        return response

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        for source in (request.GET, request.POST):
            for name, values in source.lists():
                if any(not is_storable(text) for text in (name, *values)):
                    return problems.answer(request, BadText(where=name if is_storable(name) else "?"))
        if not is_storable(request.path):
            return problems.answer(request, BadText(where="URL"))
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        error = problems.error_of(exception)
        if error is None:
            return None
        if error.kind in ("broken", "unavailable"):
            log.error("problem", exc_info=exception, extra={"code": error.code, "path": request.path})
        return problems.answer(request, error)


def is_storable(text: str) -> bool:
    """Tell whether every database can hold the text: no NUL, no lone surrogate.

    U+FFFD is what Django puts in place of bytes that are not UTF-8 (a surrogate sent by a form among them).
    """
    return not any(character in "\x00\ufffd" or "\ud800" <= character <= "\udfff" for character in text)
