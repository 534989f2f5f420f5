"""What declared columns must satisfy before a load starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from yunhe.engine.casts import MAX_DIGITS, typed_sql
from yunhe.engine.errors import ColumnsInvalid
from yunhe.engine.types import MAX_COLUMNS, Column, ColumnType


def check_declared(columns: Sequence[Column], keys: Sequence[str]) -> None:
    """Do nothing if the columns can be loaded.

    Raises: ColumnsInvalid for none or too many columns, a name that repeats (letter case aside)
    or starts with `_`, an unknown type, scale or zone, or a key that is not a column.
    """
    if not 0 < len(columns) <= MAX_COLUMNS:
        raise ColumnsInvalid(column="*", expected=f"1 to {MAX_COLUMNS} columns", found=len(columns))
    seen: set[str] = set()
    for column in columns:
        _check_column(column)
        if column.name.lower() in seen:
            raise ColumnsInvalid(column=column.name, expected="each name once, letter case aside", found=column.name)
        seen.add(column.name.lower())
    names = {column.name for column in columns}
    for key in keys:
        if key not in names:
            raise ColumnsInvalid(column=key, expected="a key that is one of the columns", found=key)


def _check_column(column: Column) -> None:
    if not column.name or column.name.startswith("_") or "\0" in column.name:
        raise ColumnsInvalid(column=column.name, expected="a name not starting with _", found=column.name)
    if column.type not in get_args(ColumnType):
        raise ColumnsInvalid(column=column.name, expected=" / ".join(get_args(ColumnType)), found=column.type)
    if not 0 <= column.decimals < MAX_DIGITS:
        raise ColumnsInvalid(column=column.name, expected=f"a scale from 0 to {MAX_DIGITS - 1}", found=column.scale)
    typed_sql(column, "''")
