"""The receipt: an order-free digest of records that a source can work out on its own side.

docs/receipt.md tells the canonical form and how PostgreSQL, MySQL and Python recompute it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from yunhe.crypto import sm3
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Receipt

ALGORITHM: Final = "yunhe-rows-1"
SEPARATOR: Final = "\x1f"
ESCAPE: Final = "\x1e"
_HALF: Final = 1 << 64


@dataclass(slots=True)
class ReceiptSum:
    """The sums of a set of records so far; sets are joined by adding, in any order."""

    rows: int = 0
    high: int = 0
    low: int = 0

    def add(self, other: ReceiptSum) -> None:
        """Add the sums of further records."""
        self.rows += other.rows
        self.high += other.high
        self.low += other.low

    def digest(self) -> str:
        """Return the sealed digest: SM3 over algorithm, row count and both sums, in hex."""
        return sm3.hexdigest(f"{ALGORITHM}\n{self.rows}\n{self.high}\n{self.low}\n".encode())

    def seal(self, *, size: int, file_digest: str) -> Receipt:
        """Return the receipt of these records and of the file that held them."""
        return Receipt(ALGORITHM, self.rows, self.digest(), size, file_digest, self.high, self.low)


def canonical_row(values: Iterable[str | None]) -> bytes:
    """Return the canonical bytes of one record: its fields in UTF-8, joined by U+001F.

    NULL and the empty text are the same. Inside a field U+001E is written as U+001E 0 and U+001F
    as U+001E 1, so that different records never share a form.
    """
    fields = ((value or "").replace(ESCAPE, ESCAPE + "0").replace(SEPARATOR, ESCAPE + "1") for value in values)
    return SEPARATOR.join(fields).encode()


def sum_rows(rows: Iterable[Sequence[str | None]]) -> ReceiptSum:
    """Return the sums over records given as texts, in the order of the contract's fields."""
    total = ReceiptSum()
    for row in rows:
        mark = hashlib.md5(canonical_row(row), usedforsecurity=False).digest()
        total.rows += 1
        total.high += int.from_bytes(mark[8:], "little")
        total.low += int.from_bytes(mark[:8], "little")
    return total


def sums_sql(columns: Sequence[str], relation: str, *, plain: bool = False) -> str:
    """Return the SQL giving (rows, high, low) over non-null text columns.

    `plain`: the caller knows that no text holds U+001E or U+001F, so that none need be escaped.
    """
    fields = [quote_identifier(column) for column in columns]
    if not plain:
        fields = [f"replace(replace({name}, chr(30), chr(30) || '0'), chr(31), chr(30) || '1')" for name in fields]
    # md5_number reads the sixteen bytes as one little-endian number.
    return (
        f"SELECT count(*), sum((mark >> 64)::UBIGINT), sum((mark & {_HALF - 1})::UBIGINT)"
        f" FROM (SELECT md5_number(concat_ws(chr(31), {', '.join(fields)})) AS mark FROM {relation})"
    )
