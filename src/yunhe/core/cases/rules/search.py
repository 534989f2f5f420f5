"""What a search over cases finds a case by: texts of lower case. A case's own has its head in the first line.

Bodies stand in a text as marks of their codes, so that they are found by what they are called on the day of the search.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from yunhe.core.cases.types import FieldSpec

BREAK = "\n"
OWN_WORDS = ("reason", "basis", "earlier_title")
"""What generic operators and rooms write into a step that the page of the case tells."""


def head_of(*parts: str) -> str:
    """Return the first line: number, title and the names of who applies and who opened it."""
    return " ".join(" ".join(parts).split()).lower()


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
    return f"⟦{code.lower()}⟧"


def _words(field: FieldSpec, value: Any) -> Iterator[str]:
    if field.format == "organization":
        yield body_mark(str(value))
        return
    labels = next((choice.title.as_mapping().values() for choice in field.choices if choice.value == value), None)
    yield from dict.fromkeys(labels) if labels else (str(value),)
