"""Names of fields: the element's where one is known, else the column's in pinyin initials."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 60


def name_fields(columns: Sequence[str], elements: Sequence[str]) -> tuple[str, ...]:
    """Return one lower_snake name for each column, each once.

    Shape: `elements` holds the code of each column's element, or "". A name that is taken gets the next free number.
    """
    taken: set[str] = set()
    names: list[str] = []
    for column, element in zip(columns, elements, strict=True):
        stem = element or _slug(column)
        name, number = stem, 1
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        taken.add(name)
        names.append(name)
    return tuple(names)


def _slug(column: str) -> str:
    from pypinyin import Style, lazy_pinyin  # heavy: its phrase tables

    latin = "".join(lazy_pinyin(column, style=Style.FIRST_LETTER))
    plain = re.sub(r"[^0-9a-z]+", "_", latin.lower()).strip("_")[:LONGEST]
    return plain if plain and plain[0].isalpha() else f"c_{plain or 'field'}"
