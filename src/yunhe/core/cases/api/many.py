"""What is written of many rows alike, put together; texts that differ in a few words only."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from yunhe.core.cases.rules.digests import canonical_json

SALT_BYTES = 16
Row = Mapping[str, Any]


class Text:
    """A canonical JSON text in which some words, `marks`, differ from case to case."""

    def __init__(self, value: Any, marks: Sequence[str]) -> None:
        parts = re.split(f"({'|'.join(marks)})", canonical_json(value).decode("utf-8"))
        self._text = "%s".join(part.replace("%", "%%") for part in parts[::2])
        self._places = tuple(map(marks.index, parts[1::2]))

    def with_words(self, words: Sequence[str]) -> str:
        """Return the text with each mark's word; the words need no escaping in JSON."""
        return self._text % tuple([words[place] for place in self._places])


def together(written: Iterable[tuple[Row, list[Any]]]) -> Iterable[tuple[Row, list[Any]]]:
    """Put together what is written of many rows alike."""
    found: dict[str, tuple[Row, list[Any]]] = {}
    for row, those in written:
        found.setdefault(repr(row), (row, []))[1].extend(those)
    return found.values()


def fresh_salts(count: int) -> list[str]:
    """Return fresh salts, asked of the system at once."""
    digits = secrets.token_hex(SALT_BYTES * count)
    return [digits[start : start + 2 * SALT_BYTES] for start in range(0, len(digits), 2 * SALT_BYTES)]
