"""Attachments (附件): files that people hand in; bytes in files of our own, rows, rights and evidence here."""

from yunhe.core.attachments.api.attaching import attach, find_refusals, share
from yunhe.core.attachments.api.reading import (
    access_attachment,
    access_draft,
    find_drafts,
    list_drafts,
    list_for,
    open_bytes,
)
from yunhe.core.attachments.api.registry import register_scanner, register_subject
from yunhe.core.attachments.api.scanning import check_attachment
from yunhe.core.attachments.api.sweeping import sweep
from yunhe.core.attachments.api.uploading import append_bytes, begin_upload, delete_draft, release_drafts, store_file

__all__ = [
    "access_attachment",
    "access_draft",
    "append_bytes",
    "attach",
    "begin_upload",
    "check_attachment",
    "delete_draft",
    "find_drafts",
    "find_refusals",
    "list_drafts",
    "list_for",
    "open_bytes",
    "register_scanner",
    "register_subject",
    "release_drafts",
    "share",
    "store_file",
    "sweep",
]
