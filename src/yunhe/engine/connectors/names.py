"""Column names of a source, whatever its kind: too many, repeated, missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from yunhe.engine.errors import ColumnMissing, DuplicateHeaders, TooManyColumns
from yunhe.engine.types import MAX_COLUMNS, Column

_SHOWN: Final = 20


def check_names(location: Path, names: Sequence[str], *, delimiter: str) -> tuple[str, ...]:
    """Return the names.

    Raises: TooManyColumns, DuplicateHeaders.
    """
    check_count(location, len(names), delimiter=delimiter)
    repeated = [name for name, count in Counter(names).items() if count > 1 and name]
    if repeated:
        raise DuplicateHeaders(location=str(location), names=shown(repeated))
    return tuple(names)


def check_count(location: Path, found: int, *, delimiter: str) -> None:
    """Do nothing if a source may have so many columns. Raises: TooManyColumns."""
    if found > MAX_COLUMNS:
        raise TooManyColumns(location=str(location), found=found, limit=MAX_COLUMNS, delimiter=delimiter)


def check_columns(location: Path, names: Sequence[str], columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the source's columns that no declared column reads.

    Raises: ColumnMissing if a declared column is not in the source.
    """
    present, wanted = set(names), {column.source_name for column in columns}
    missing = sorted(wanted - present)
    if missing:
        raise ColumnMissing(location=str(location), missing=shown(missing), found=shown(list(names)))
    return tuple(name for name in names if name not in wanted)


def shown(names: Sequence[str]) -> str:
    """Return names for a sentence, the first twenty of them."""
    more = f" … (+{len(names) - _SHOWN})" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
