"""What a search over cases finds a case by: one text of lower case, its head in the first line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yunhe.core.cases.types import FieldSpec

MOST_LETTERS = 4000
BREAK = "\n"


def head_of(*parts: str) -> str:
    """Return the first line: number, title and the names of who applies and who opened it, which never change."""
    return " ".join(" ".join(parts).split()).lower()


def search_text(head: str, fields: Iterable[FieldSpec], data: Mapping[str, Any]) -> str:
    """Return the head of a text, and below it what the shown text fields hold now.

    `head` may be a whole earlier text. What people do not see, and codes, is not found either.
    """
    held = (data.get(f.name) for f in fields if f.shown and f.format != "organization" and f.type in ("text", "list"))
    told = (" ".join(map(str, value)) if isinstance(value, list) else str(value) for value in held if value)
    return f"{head.partition(BREAK)[0]}{BREAK}{head_of(*told)}"[:MOST_LETTERS]
