"""What a channel is given: the address opened, the texts in the recipient's language."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import cast

from django.conf import settings
from django.urls import reverse

from yunhe.core.notices import rules
from yunhe.core.notices.api.contacts import make_code, open_address, open_secret
from yunhe.core.notices.api.held import habit_of
from yunhe.core.notices.api.registry import title_of
from yunhe.core.notices.models import Announcement, ContactRow, Dispatch
from yunhe.core.notices.rules import code_words, spoken, words_of_several
from yunhe.core.notices.types import Item, Language, Letter, Texts
from yunhe.core.organizations import api as organizations

CODE_KIND, SEVERAL = "notices.code", "notices.several"


def compose(*, row: Dispatch, rows: Sequence[Dispatch] = ()) -> Letter | None:
    """Return the letter of a dispatch, telling what `rows` tell together; None where there is nobody to send it to any more.

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
    letter = _letter(row, row.announcement, contact, language)
    told = [one.announcement for one in rows if one.announcement is not None]
    return letter if len(told) < 2 else _together(letter, told)


def _contact(row: Dispatch) -> ContactRow | None:
    found = ContactRow.objects.filter(channel=row.channel, verified_at__isnull=False, organization=row.organization)
    return found.filter(user_id=row.user_id).first() if row.user_id else found.filter(user__isnull=True).first()


def _is_open(row: Dispatch) -> bool:
    return row.user_id is None or organizations.get_person(user_id=row.user_id).is_active


def _letter(row: Dispatch, told: Announcement, contact: ContactRow, language: Language) -> Letter:
    titles, texts = _said(told)
    return Letter(
        id=row.pk, address=open_address(contact), secret=open_secret(contact), kind=told.kind,
        title=spoken(titles, language), text=spoken(texts, language), titles=titles, texts=texts, language=language,
        at=told.sent_at, href=_public(told.href), case_id=told.case_id,
        recipient=row.organization or f"user:{row.user_id}",
    )


def _together(letter: Letter, told: Sequence[Announcement]) -> Letter:
    """Return the letter as one of several notices: the first of them by their titles, and how many there are."""
    kinds = {one.kind for one in told}
    items = tuple(
        Item(kind=one.kind, titles=_said(one)[0], texts=_said(one)[1], href=_public(one.href), case_id=one.case_id, at=one.sent_at)
        for one in told
    )
    titles, texts = words_of_several(items, kind=title_of(told[0].kind) if len(kinds) == 1 else None)
    hrefs = {one.href for one in told}
    return replace(
        letter, kind=told[0].kind if len(kinds) == 1 else SEVERAL, titles=titles, texts=texts, case_id="", items=items,
        title=spoken(titles, letter.language), text=spoken(texts, letter.language),
        href=_public(told[0].href if len(hrefs) == 1 else reverse("notices:list")),
    )  # fmt: skip


def title_of_several(kinds: Collection[str]) -> Texts:
    """Return what a message that tells notices of these kinds, one for each, is called."""
    return rules.title_of_several(len(kinds), kind=title_of(next(iter(kinds))) if len(set(kinds)) == 1 else None)


def _said(told: Announcement) -> tuple[Texts, Texts]:
    titles = {"zh": told.title_zh} | ({"en": told.title_en} if told.title_en else {})
    return titles, {"zh": told.text_zh} | ({"en": told.text_en} if told.text_en else {})


def _public(href: str) -> str:
    public = settings.YUNHE["PUBLIC_URL"].rstrip("/")
    return f"{public}{href}" if public and href else ""
