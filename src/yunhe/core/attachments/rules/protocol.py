"""The words of the upload protocol and of downloads: tus 1.0 headers, byte ranges."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from yunhe.core.attachments.errors import RangeUnsatisfiable, UploadError, UploadNotBytes, UploadVersion

VERSION = "1.0.0"
EXTENSIONS = "creation,termination"
BYTES = "application/offset+octet-stream"
MOST_METADATA = 4096
MOST_DIGITS = 18
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def check_version(found: str) -> None:
    """Do nothing for the protocol's one version. Raises: UploadVersion."""
    if found != VERSION:
        raise UploadVersion(expected=VERSION, found=found[:20] or "—")


def check_bytes(found: str) -> None:
    """Do nothing for the one content type that bytes come under. Raises: UploadNotBytes."""
    if found != BYTES:
        raise UploadNotBytes(expected=BYTES, found=found[:60] or "—")


def read_count(headers: Mapping[str, str], name: str) -> int:
    """Return a header that is a number of bytes. Raises: UploadError."""
    text = headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise UploadError(where=name, expected="0-9", found=text[:40] or "—")
    return int(text)


def read_metadata(text: str) -> dict[str, str]:
    """Return the pairs of Upload-Metadata: `key base64(UTF-8)`, by comma. Raises: UploadError."""
    if len(text) > MOST_METADATA:
        raise UploadError(where="Upload-Metadata", expected=f"<= {MOST_METADATA}", found=len(text))
    pairs = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        key, _, value = pair.partition(" ")
        try:
            pairs[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as error:
            expected = "key base64(UTF-8)"
            raise UploadError(where="Upload-Metadata", expected=expected, found=key[:40]) from error
    return pairs


def read_range(text: str, *, size: int) -> tuple[int, int] | None:
    """Return the one range asked for as [start, end), or None where the whole is to be sent.

    Several ranges, and words that are no range, count as none. Source: RFC 9110, 14.
    Raises: RangeUnsatisfiable.
    """
    match = RANGE.fullmatch(text.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= end:
        raise RangeUnsatisfiable(found=text[:60], size_bytes=size)
    return start, end
