"""What a sample of text columns seems to hold: counts for drafting a contract, never values."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from yunhe.engine.casts import typed_sql
from yunhe.engine.duck import Session, session
from yunhe.engine.quoting import quote_identifier, quote_literal
from yunhe.engine.types import Column, ColumnProfile, ColumnType, Limits

_TYPES: Final[tuple[ColumnType, ...]] = ("integer", "decimal", "date", "timestamp", "boolean")
_FORMS: Final = {
    "id18": "[1-9][0-9]{16}[0-9Xx]",
    "uscc18": "[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}",
    "mobile11": "1[3-9][0-9]{9}",
    "digits": "[0-9]+",
    "leading_zero": "0[0-9]+",
}

_NULL_MARKS: Final = ("N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "-", "--", "\\N", "无", "不详")


def profile_columns(sample: pa.Table, *, limits: Limits) -> tuple[ColumnProfile, ...]:
    """Return one profile per column of a table of texts (empty text: not filled)."""
    with tempfile.TemporaryDirectory() as folder, session(limits=limits, temp=Path(folder)) as duck:
        plain = sample.rename_columns([f"c{index}" for index in range(sample.num_columns)])
        duck.register("sample", plain)
        return tuple(
            _profile(duck, name, f"c{index}", sample.num_rows) for index, name in enumerate(sample.column_names)
        )


def _profile(duck: Session, name: str, column: str, sampled: int) -> ColumnProfile:
    text = quote_identifier(column)
    fits = [f"count({typed_sql(Column(column, kind), text)})" for kind in _TYPES]
    forms = [f"count(*) FILTER (regexp_full_match({text}, {quote_literal(form)}))" for form in _FORMS.values()]
    marked = ", ".join(quote_literal(mark) for mark in _NULL_MARKS)
    row: tuple[Any, ...] = duck.run(
        "profile",
        f"SELECT count(*), count(DISTINCT {text}), min(length({text})), max(length({text})),"
        f" {', '.join(fits + forms)} FROM sample WHERE {text} NOT IN ('', {marked})",
    )[0]
    marks = duck.run("null_marks", f"SELECT {text}, count(*) FROM sample WHERE {text} IN ({marked}) GROUP BY ALL")
    filled, distinct, shortest, longest = (int(value or 0) for value in row[:4])
    by_type: dict[ColumnType, int] = dict(zip(_TYPES, row[4 : 4 + len(_TYPES)], strict=True))
    by_form = dict(zip(_FORMS, row[4 + len(_TYPES) :], strict=True))
    fitting: dict[ColumnType, int] = {"string": filled, **by_type}
    return ColumnProfile(name, sampled, filled, distinct, shortest, longest, fitting, by_form, dict(marks))
