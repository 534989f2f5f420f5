"""For the supervisor and for monitoring: alive, ready, and a few numbers."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from yunhe.ui.doors import requires
from yunhe.ui.measures import REQUESTS


@never_cache
@require_safe
@requires("public")
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; asks nothing of the database."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
@requires("public")
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the database answers and has its tables."""
    checks = {"database": _database_answers()}
    ready = all(checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


@never_cache
@require_safe
@requires("public")
def metrics(request: HttpRequest) -> HttpResponse:
    """Give this process' counters in Prometheus' text form; counts only, nothing of anyone."""
    return HttpResponse("\n".join(REQUESTS.lines()) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _database_answers() -> bool:
    try:
        return "django_session" in connection.introspection.table_names()
    except DatabaseError:
        return False
