"""Giving files back: always as a download, never as something that a browser shows or runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header, quote_etag
from django.views.decorators.http import require_safe

from yunhe.core.attachments import api
from yunhe.core.attachments.errors import RangeUnsatisfiable
from yunhe.core.attachments.rules.protocol import read_range
from yunhe.core.attachments.types import Attachment
from yunhe.ui.doors import acting, requires
from yunhe.ui.problems import answer

PIECE_BYTES = 1 << 16
HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Accept-Ranges": "bytes",
}


class Part:
    """A part of an open file as a response reads it; closed with the response, read or not."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file = file
        self._start = start
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._start)
        left = self._end - self._start
        while left > 0 and (piece := self._file.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece

    def close(self) -> None:
        self._file.close()


@require_safe
@requires("signed_in")
def download(request: HttpRequest, attachment_id: str) -> HttpResponseBase:
    if request.method == "HEAD":
        one = api.access_attachment(attachment_id=attachment_id, actor=acting(request))
        return HttpResponse(headers=_headers(one) | {"Content-Length": str(one.size)})
    one, file = api.open_bytes(attachment_id=attachment_id, actor=acting(request))
    try:
        wanted = read_range(_range(request, one), size=one.size)
    except RangeUnsatisfiable as error:
        file.close()
        response = answer(request, error)
        response["Content-Range"] = f"bytes */{one.size}"
        return response
    start, end = wanted or (0, one.size)
    headers = _headers(one) | {"Content-Length": str(end - start)}
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{one.size}"
    return StreamingHttpResponse(Part(file, start, end), status=206 if wanted else 200, headers=headers)


def _range(request: HttpRequest, one: Attachment) -> str:
    """Return the range asked for; none where the client has begun with another content (RFC 9110, 13.1.5)."""
    begun_with = request.headers.get("If-Range", "")
    return "" if begun_with and begun_with != quote_etag(one.digest) else request.headers.get("Range", "")


def _headers(one: Attachment) -> dict[str, str]:
    return HARMLESS | {
        "Content-Type": one.media_type or "application/octet-stream",
        "Content-Disposition": content_disposition_header(True, one.name) or "attachment",
        "ETag": quote_etag(one.digest),
    }
