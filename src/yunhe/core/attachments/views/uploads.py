"""Resumable uploads over plain HTTP: tus 1.0, core protocol with creation and termination."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from yunhe.core.attachments import api
from yunhe.core.attachments.api.rows import MB
from yunhe.core.attachments.errors import UploadError
from yunhe.core.attachments.rules import protocol
from yunhe.core.attachments.types import Attachment
from yunhe.kernel.errors import YunheError
from yunhe.ui.doors import acting, requires
from yunhe.ui.problems import answer_json

View = Callable[..., HttpResponse]


def speaks_tus(view: View) -> View:
    """Check and name the protocol's version; say every refusal as problem+json."""

    @wraps(view)
    def speaking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method != "OPTIONS":
                protocol.check_version(request.headers.get("Tus-Resumable", ""))
            response = view(request, *args, **kwargs)
        except YunheError as error:
            response = answer_json(error)
            response["Tus-Version"] = protocol.VERSION
        response["Tus-Resumable"] = protocol.VERSION
        response["Cache-Control"] = "no-store"
        return response

    return speaking


@require_http_methods(["POST", "OPTIONS"])
@speaks_tus
@requires("signed_in")
def create_upload(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return _describe()
    told = protocol.read_metadata(request.headers.get("Upload-Metadata", ""))
    begun = api.begin_upload(
        name=told.get("filename", ""), size=protocol.read_count(request.headers, "Upload-Length"),
        declared_type=told.get("filetype", ""), purpose=told.get("purpose", ""), actor=acting(request),
    )  # fmt: skip
    return HttpResponse(status=201, headers={"Location": reverse("attachments:upload", args=[begun.id])})


@require_http_methods(["HEAD", "PATCH", "DELETE", "OPTIONS"])
@speaks_tus
@requires("signed_in")
def upload(request: HttpRequest, attachment_id: str) -> HttpResponse:
    if request.method == "OPTIONS":
        return _describe()
    actor = acting(request)
    if request.method == "DELETE":
        api.delete_draft(attachment_id=attachment_id, actor=actor)
        return HttpResponse(status=204)
    if request.method == "HEAD":
        return _stand(api.access_draft(attachment_id=attachment_id, actor=actor), status=200)
    protocol.check_bytes(request.content_type or "")
    added = api.append_bytes(
        attachment_id=attachment_id, offset=protocol.read_count(request.headers, "Upload-Offset"),
        length=_length(request), content=request, actor=actor,
    )  # fmt: skip
    return _stand(added, status=204)


def _length(request: HttpRequest) -> int:
    """Return how many bytes come; without a length the server would not know a broken body from a whole one."""
    if not request.META.get("CONTENT_LENGTH"):
        raise UploadError(where="Content-Length", expected="0-9", found="—")
    return protocol.read_count({"Content-Length": str(request.META["CONTENT_LENGTH"])}, "Content-Length")


def _stand(draft: Attachment, *, status: int) -> HttpResponse:
    headers = {
        "Upload-Offset": str(draft.received),
        "Upload-Length": str(draft.size),
        "Upload-State": draft.state,
    }
    return HttpResponse(status=status, headers=headers)


def _describe() -> HttpResponse:
    limit = settings.YUNHE["ATTACHMENT_MB"] * MB
    headers = {
        "Tus-Version": protocol.VERSION,
        "Tus-Extension": protocol.EXTENSIONS,
        "Tus-Max-Size": str(limit),
    }
    return HttpResponse(status=204, headers=headers)
