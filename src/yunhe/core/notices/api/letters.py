"""What a channel is given: the address opened, the texts in the recipient's language."""

from __future__ import annotations

from typing import cast

from django.conf import settings

from yunhe.core.notices.api.contacts import make_code, open_address, open_secret
from yunhe.core.notices.api.preferences import habit_of
from yunhe.core.notices.models import Announcement, ContactRow, Dispatch
from yunhe.core.notices.rules import code_words, spoken
from yunhe.core.notices.types import Language, Letter
from yunhe.core.organizations import api as organizations

CODE_KIND = "notices.code"


def compose(*, row: Dispatch) -> Letter | None:
    """Return the letter of a dispatch, or None where there is nobody to send it to any more.

    Cost: a letter with a code makes a fresh one, so that the code itself is kept nowhere.
    """
    contact = row.contact or _contact(row)
    if contact is None or not contact.sealed or not _is_open(row):
        return None
    language = cast("Language", habit_of(row.user_id).language if row.user_id else "zh")
    if row.announcement is None:
        title, text = code_words(make_code(contact), language)
        return Letter(
            id=row.pk, address=open_address(contact), kind=CODE_KIND, title=title, text=text, language=language,
            at=row.made_at,
        )
    return _letter(row, row.announcement, contact, language)


def _contact(row: Dispatch) -> ContactRow | None:
    found = ContactRow.objects.filter(channel=row.channel, verified_at__isnull=False, organization=row.organization)
    return found.filter(user_id=row.user_id).first() if row.user_id else found.filter(user__isnull=True).first()


def _is_open(row: Dispatch) -> bool:
    return row.user_id is None or organizations.get_person(user_id=row.user_id).is_active


def _letter(row: Dispatch, told: Announcement, contact: ContactRow, language: Language) -> Letter:
    titles = {"zh": told.title_zh} | ({"en": told.title_en} if told.title_en else {})
    texts = {"zh": told.text_zh} | ({"en": told.text_en} if told.text_en else {})
    public = settings.YUNHE["PUBLIC_URL"].rstrip("/")
    return Letter(
        id=row.pk, address=open_address(contact), secret=open_secret(contact), kind=told.kind,
        title=spoken(titles, language), text=spoken(texts, language), titles=titles, texts=texts, language=language,
        at=told.sent_at, href=f"{public}{told.href}" if public and told.href else "", case_id=told.case_id,
        recipient=row.organization or f"user:{row.user_id}",
    )
