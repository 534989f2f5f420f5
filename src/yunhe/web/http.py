"""The API of the control plane: /api/v1, problem+json for every refusal, OpenAPI for whoever builds on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, SuspiciousOperation
from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Router
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.security import APIKeyCookie

from yunhe import __version__
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError
from yunhe.kernel.sayings import say_expected
from yunhe.ui import problems
from yunhe.ui.doors import requires
from yunhe.ui.errors import BadRequest, CsrfFailed, NoMembership, NotJson, NotSignedIn
from yunhe.ui.strict_json import read_json
from yunhe.ui.trace import current_trace_id
from yunhe.web.rooms import ROOMS

MOST_ERRORS = 50
TYPED = (
    YunheError, Http404, ObjectDoesNotExist, PermissionDenied, SuspiciousOperation, IntegrityError, DataError,
    UnicodeEncodeError, OverflowError,
)  # fmt: skip


class SessionActor(APIKeyCookie):
    """Who signed in on the pages acts here too, in the chosen membership; writes need the CSRF token."""

    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        actor: Actor | None = request.actor  # type: ignore[attr-defined]
        if actor is None and request.user.is_authenticated:
            raise NoMembership()
        return actor


class StrictParser(Parser):
    """JSON that every database can hold: no NUL, no lone surrogate, no integer beyond 64 bits."""

    def parse_body(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            raise NotJson(found=(request.content_type or "-")[:60])
        return read_json(request.body)


class ControlApi(NinjaAPI):
    """The description says what the doors do: refusals as problem+json, the token that writes need."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        view = operation.view_func
        return f"{view.__module__.split('.')[-2]}_{view.__name__}"

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**kwargs)
        for path in schema["paths"].values():
            for method, operation in path.items():
                _describe(method, operation)
        return schema


def _describe(method: str, operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        if int(status) >= 400 and "content" in answer:
            answer["content"] = {"application/problem+json": next(iter(answer["content"].values()))}
    if method != "get":
        token = {"in": "header", "name": "X-CSRFToken", "required": True, "schema": {"type": "string"}}
        operation.setdefault("parameters", []).append(token)


def build_api(routers: Mapping[str, str | Router] | Iterable[tuple[str, str | Router]], *, namespace: str) -> NinjaAPI:
    """Return an API whose every refusal is problem+json. `routers`: address → router or its dotted name."""
    built = ControlApi(
        title="Yunhe 运河",
        version=__version__,
        description="Control plane of one node. Errors are problem+json (RFC 9457) with a stable `code`.",
        openapi_url=None,
        docs_url=None,
        auth=SessionActor(),
        parser=StrictParser(),
        urls_namespace=namespace,
    )
    for prefix, router in routers.items() if isinstance(routers, Mapping) else routers:
        built.add_router(prefix, router)
    for typed in TYPED:
        built.add_exception_handler(typed, _answer_typed)
    built.add_exception_handler(RawPostDataException, _answer_read_already)
    built.add_exception_handler(AuthenticationError, _answer_nobody)
    built.add_exception_handler(HttpError, _answer_http)
    built.add_exception_handler(ValidationError, _answer_invalid)
    return built


def _answer_typed(request: HttpRequest, exception: Exception) -> HttpResponse:
    error = problems.error_of(exception)
    if error is None:
        raise exception
    return problems.answer_json(error)


def _answer_nobody(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problems.answer_json(NotSignedIn())


def _answer_read_already(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A multipart body was read as a form before any door saw it."""
    return problems.answer_json(NotJson(found=(request.content_type or "-")[:60]))


def _answer_http(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception.__cause__, YunheError):  # what StrictParser said about the body
        return problems.answer_json(exception.__cause__)
    refused = isinstance(exception, HttpError) and exception.status_code == 403
    return problems.answer_json(CsrfFailed() if refused else BadRequest())


def _answer_invalid(request: HttpRequest, exception: Exception) -> HttpResponse:
    """One problem with the place of each error; the values sent are not repeated."""
    language = "en" if get_language() == "en" else "zh"
    found = exception.errors if isinstance(exception, ValidationError) else []
    errors = [{"where": _place(one["loc"]), "expected": say_expected(one, language)} for one in found[:MOST_ERRORS]]
    first = errors[0] if errors else {"where": "body", "expected": "?"}
    sentence = {
        "zh": f"{first['where']}：{first['expected']}。共 {len(found)} 处，请改正后重新提交。",
        "en": f"{first['where']}: {first['expected']}. {len(found)} in all; mend and submit again.",
    }
    body = {
        "type": "urn:yunhe:problem:bad_input",
        "title": "bad_input",
        "status": 422,
        "detail": sentence[language],
        "code": "bad_input",
        "kind": "invalid",
        "trace_id": current_trace_id(),
        "errors": errors,
    }
    return JsonResponse(body, status=422, content_type="application/problem+json")


def _place(location: Iterable[object]) -> str:
    """Return where the caller finds it: what our own parameter is called is none of their business."""
    names = [name if name.isprintable() else "?" for name in map(str, location)]
    own = 2 if names[0] == "body" and len(names) > 1 else 1
    return ".".join([*names[:1], *names[own:]])[:200]


api = build_api([("", room.http) for room in ROOMS if room.http], namespace="api-v1")


@require_safe
@requires("signed_in")
def openapi(request: HttpRequest) -> HttpResponse:
    """Give the OpenAPI description of /api/v1."""
    return JsonResponse(api.get_openapi_schema(path_prefix="/api/v1/"), json_dumps_params={"ensure_ascii": False})
