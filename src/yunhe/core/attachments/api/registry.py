"""The slots of attachments: who decides over a subject's files, and who looks for viruses."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings

from yunhe.core.attachments.api.clamd import scanner_at
from yunhe.core.attachments.errors import AttachmentSlotsClosed, AttachmentSlotTaken, SubjectTypeUnknown
from yunhe.core.attachments.types import MayRead, Scan

_subjects: dict[str, MayRead] = {}
_scanners: list[Scan] = []


def register_subject(*, subject_type: str, may_read: MayRead) -> None:
    """Have a room's subjects take attachments; `may_read(subject_id, actor)` decides who reads them.

    Called from the app's ready(). Raises: AttachmentSlotTaken, AttachmentSlotsClosed.
    """
    _check_open(subject_type)
    if subject_type in _subjects:
        raise AttachmentSlotTaken(name=subject_type, holder=_subjects[subject_type].__module__)
    _subjects[subject_type] = may_read


def register_scanner(scan: Scan) -> None:
    """Have every finished upload pass `scan` instead of the clamd of the settings.

    Called from the app's ready(). Raises: AttachmentSlotTaken, AttachmentSlotsClosed.
    """
    _check_open("scanner")
    if _scanners:
        raise AttachmentSlotTaken(name="scanner", holder=_scanners[0].__module__)
    _scanners.append(scan)


def find_scanner() -> Scan | None:
    """Return the registered scanner, else the clamd of the setting CLAMD, else None."""
    if _scanners:
        return _scanners[0]
    address = settings.YUNHE["CLAMD"]
    return scanner_at(address) if address else None


def find_rule(*, subject_type: str) -> MayRead | None:
    """Return who decides over this kind of subject, or None."""
    return _subjects.get(subject_type)


def check_subject(*, subject_type: str) -> None:
    """Do nothing if such subjects take attachments. Raises: SubjectTypeUnknown."""
    if subject_type not in _subjects:
        raise SubjectTypeUnknown(name=subject_type, known=", ".join(sorted(_subjects)) or "—")


def _check_open(name: str) -> None:
    if apps.ready:
        raise AttachmentSlotsClosed(name=name)
