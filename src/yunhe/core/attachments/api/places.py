"""Where the bytes of attachments lie, and who may write them: one at a time, for as long as they live."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from yunhe.core.attachments.errors import AttachmentBytesLost, UploadBusy
from yunhe.kernel.ids import is_id


def root() -> Path:
    """Return the folder of all attachments."""
    return Path(settings.HOME) / "attachments"


def file_of(attachment_id: str) -> Path:
    """Return an attachment's file: under the last two letters of its id, which are random. Raises: AttachmentBytesLost."""
    if not is_id(attachment_id):
        raise AttachmentBytesLost(attachment_id="?")
    return root() / attachment_id[-2:] / attachment_id


def create(attachment_id: str) -> None:
    """Make an attachment's empty file, and have its name on the disk before anybody relies on it."""
    path = file_of(attachment_id)
    for folder in (root(), path.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    folder_handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder_handle)
    finally:
        os.close(folder_handle)


@contextmanager
def writing(attachment_id: str) -> Iterator[BinaryIO]:
    """Hold an attachment's file alone; the lock ends with the process, however that ends.

    Raises: UploadBusy while another holds it, AttachmentBytesLost.
    """
    with _open(attachment_id, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusy() from None
        yield file


def reading(attachment_id: str) -> BinaryIO:
    """Return an attachment's file, open for reading. Raises: AttachmentBytesLost."""
    return _open(attachment_id, "rb")


def remove(attachment_id: str) -> bool:
    """Delete an attachment's file; tell whether there was one."""
    try:
        file_of(attachment_id).unlink()
    except FileNotFoundError:
        return False
    return True


def stored_files() -> Iterator[Path]:
    """Yield every file that lies in the place of an attachment."""
    for path in sorted(root().glob("??/*")):
        if is_id(path.name) and path.is_file():
            yield path


def _open(attachment_id: str, mode: str) -> BinaryIO:
    try:
        return file_of(attachment_id).open(mode)  # type: ignore[return-value]
    except FileNotFoundError:
        raise AttachmentBytesLost(attachment_id=attachment_id) from None
