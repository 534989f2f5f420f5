"""How a call comes in and its answer leaves: exact addresses over ASGI, JSON, problems.

Starlette's request and response, without its middleware and routing: those took a seventh of a call's time.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from yunhe.gateway.errors import MethodNotAllowed, NoSuchPath
from yunhe.kernel.errors import YunheError
from yunhe.kernel.ids import new_id

READING = ("GET", "HEAD")
_LANGUAGE = re.compile(r"\s*([A-Za-z*]+)[^;,]*(?:;\s*q=([01](?:\.[0-9]{1,3})?))?\s*", re.ASCII)
_encode = msgspec.json.Encoder().encode

Endpoint = Callable[[Request], Awaitable[Response]]
Handler = TypeVar("Handler", bound=Callable[..., Any])


class Route(NamedTuple):
    """One address and what answers there."""

    path: str
    methods: tuple[str, ...]
    endpoint: Endpoint


class Application:
    """The ASGI application: a path matches exactly or not at all, for a signature covers it."""

    def __init__(self, routes: Sequence[Route], lifespan: Callable[[Any], AbstractAsyncContextManager[None]]) -> None:
        self.routes = tuple(routes)
        self._by_path = {route.path: route for route in routes}
        self._router = Router(lifespan=lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do answer one call, or start and stop the process."""
        if scope["type"] == "lifespan":
            await self._router.lifespan(scope, receive, send)
            return
        response = await self._answer(Request(scope, receive, send))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        route = self._by_path.get(request.scope["path"])
        if route is not None and request.method in route.methods:
            return await route.endpoint(request)
        language = read_language(read_header(request, "accept-language"))
        if route is None:
            return problem(NoSuchPath(), language, new_id())
        allowed = ", ".join(route.methods)
        response = problem(MethodNotAllowed(allowed=allowed), language, new_id())
        response.headers["Allow"] = allowed
        return response


def permission(name: str) -> Callable[[Handler], Handler]:
    """Do mark a handler with what its caller must hold: "public", or "grant" (judged per call)."""

    def mark(handler: Handler) -> Handler:
        handler.permission = name  # type: ignore[attr-defined]
        return handler

    return mark


def read_header(request: Request, name: str) -> str:
    """Return the first header of that name, "" if there is none."""
    wanted = name.lower().encode("ascii")
    return next((value.decode("latin-1") for key, value in request.scope["headers"] if key == wanted), "")


def read_language(header: str) -> str:
    """Return "zh" or "en", whichever an Accept-Language header likes better; zh if it says neither."""
    best, liking = "zh", 0.0
    for part in header[:200].split(","):
        found = _LANGUAGE.fullmatch(part)
        if found is None or found[1].lower() not in {"zh", "en"}:
            continue
        weight = float(found[2] or 1)
        if weight > liking:
            best, liking = found[1].lower(), weight
    return best


def reply(status: int, content: object, media_type: str = "application/json", language: str = "") -> Response:
    """Return a JSON answer that nothing on the way may keep."""
    headers = {"Cache-Control": "no-store"} | ({"Content-Language": language} if language else {})
    return Response(_encode(content), status, headers, media_type)


def problem(error: YunheError, language: str, trace_id: str) -> Response:
    """Return the RFC 9457 answer of an error."""
    content = error.as_problem(language, trace_id)
    return reply(error.http_status, content, "application/problem+json", language)
