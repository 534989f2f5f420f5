"""Addresses that fail in every way a view can, for the tests of problems."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import IntegrityError, connection
from django.db.utils import ConnectionHandler
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_POST
from ninja import Router, Schema

from yunhe.kernel.errors import Conflict, Missing, Transient
from yunhe.ui.doors import requires
from yunhe.web import urls
from yunhe.web.http import build_api


class Note(Schema):
    text: str
    number: int = 0


def write_where_another_writes() -> Exception:
    """Write into a database of SQLite while another connection holds its write lock."""
    with TemporaryDirectory() as folder:
        settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(Path(folder) / "busy.sqlite3"), "OPTIONS": {"timeout": 0.05}}
        holder, other = sqlite3.connect(settings["NAME"], isolation_level=None), ConnectionHandler({"default": settings})["default"]
        holder.execute("CREATE TABLE note (text TEXT)")
        holder.execute("BEGIN IMMEDIATE")
        try:
            with other.cursor() as cursor:
                cursor.execute("INSERT INTO note VALUES ('x')")
        finally:
            other.close()
            holder.close()
    return AssertionError("the write lock was not held")


ERRORS = {
    "busy": write_where_another_writes,
    "missing": lambda: Missing(what="x", name="y"),
    "conflict": lambda: Conflict(what="x", name="y"),
    "unavailable": Transient,
    "http404": Http404,
    "denied": PermissionDenied,
    "suspicious": lambda: SuspiciousOperation("x"),
    "integrity": lambda: IntegrityError("UNIQUE"),
    "fault": lambda: RuntimeError("a fault of ours"),
    "surrogate": lambda: UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    "digits": lambda: ValueError("Exceeds the limit (4300 digits) for integer string conversion"),
}


@requires("public")
def fail(request: HttpRequest, how: str) -> HttpResponse:
    raise ERRORS[how]()


@requires("public")
def find(request: HttpRequest, number: int) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 WHERE 1 = %s", [number])
    return HttpResponse("ok")


@requires("public")
def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.POST.get("text", ""))


@require_POST
@requires("public")
def only_post(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


@requires("ledger.view")
def locked(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


router = Router()


@router.get("/mine")
@requires("ledger.view")
def mine(request: HttpRequest) -> dict[str, str]:
    return {"actor": request.actor.name}


@router.post("/notes")
@requires("ledger.view")
def write(request: HttpRequest, note: Note) -> dict[str, object]:
    return {"text": note.text, "number": note.number}


@router.get("/open", auth=None)
@requires("public")
def open_door(request: HttpRequest, how: str = "") -> dict[str, str]:
    if how:
        raise ERRORS[how]()
    return {}


urlpatterns = [
    path("t/fail/<str:how>", fail),
    path("t/find/<int:number>", find),
    path("t/echo", echo),
    path("t/post", only_post),
    path("t/locked", locked),
    path("api/t/", build_api({"/x": router}, namespace="tests").urls),
    path("", include(urls.urlpatterns)),
]
handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
