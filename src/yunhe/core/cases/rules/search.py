"""What a search over cases finds a case by: texts folded so that what looks alike is alike. A case's own has its head in the first line.

Bodies stand in a text as marks of their codes, so that they are found by what they are called on the day of the search.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from yunhe.core.cases.types import FieldSpec

BREAK = "\n"
MOST_WORDS = 8
"""How many words of a search are looked for each by itself; what is typed beyond them is looked for as it stands."""
_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control characters, and what Unicode lets be shown as nothing (Default_Ignorable_Code_Point, DerivedCoreProperties 15)."""
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")
OWN_WORDS = ("reason", "basis", "earlier_title")
"""What generic operators and rooms write into a step that the page of the case tells."""


def fold(text: str) -> str:
    """Return a text in which what looks alike is alike: width, case, composed or not, dashes, blanks; without what is not seen."""
    shown = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold().translate(_DASHES)
    return " ".join(unicodedata.normalize("NFKC", shown).split())


def asked_words(asked: str) -> tuple[str, ...]:
    """Return the words of a search, each once: every one of them has to be found, wherever it stands."""
    return tuple(dict.fromkeys(fold(asked).split(" ", MOST_WORDS - 1))) if fold(asked) else ()


def head_of(*parts: str) -> str:
    """Return the first line: number, title and the names of who applies and who opened it."""
    return fold(" ".join(parts))


def search_text(head: str, fields: Iterable[FieldSpec], data: Mapping[str, Any]) -> str:
    """Return the head of a text, and below it what the shown fields hold now.

    `head` may be a whole earlier text. What people do not see, and codes, is not found either.
    """
    return f"{head.partition(BREAK)[0]}{BREAK}{head_of(*words_of(fields, data))}"


def step_text(action: str, form: Iterable[FieldSpec], values: Mapping[str, Any]) -> str:
    """Return what was written in one step, as the page tells it; "" for the opening, whose words are the case's own."""
    if action == "open":
        return ""
    fields = tuple(form)
    return head_of(*(words_of(fields, values) if fields else (str(values[name]) for name in OWN_WORDS if values.get(name))))


def words_of(fields: Iterable[FieldSpec], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what people read of the values of fields: texts, the labels of choices in both languages, marks of bodies.

    Of rows a page tells how many there are, so their words are not found.
    """
    for field in fields:
        value = values.get(field.name)
        if not field.shown or value in (None, "", [], {}):
            continue
        if field.type == "map":
            yield from (f"{name} {told}" for name, told in value.items())
        elif field.type in ("text", "list", "choice"):
            for one in value if isinstance(value, list) else [value]:
                yield from _words(field, one)


def body_mark(code: str) -> str:
    """Return what stands in a text for a body."""
    return f"⟦{fold(code)}⟧"


def _words(field: FieldSpec, value: Any) -> Iterator[str]:
    if field.format == "organization":
        yield body_mark(str(value))
        return
    labels = next((choice.title.as_mapping().values() for choice in field.choices if choice.value == value), None)
    yield from dict.fromkeys(labels) if labels else (str(value),)
