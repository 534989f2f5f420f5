"""Rows that share a key: what `unique` needs beyond one row."""

from __future__ import annotations

from collections.abc import Sequence

from yunhe.engine.quoting import quote_identifier


def count_duplicates_sql(source: str, columns: Sequence[str]) -> str:
    """Return SQL for (rows in which all columns are present, rows of them that share their values).

    First the hashes that occur twice are found: 8 bytes per row instead of the values. Only the rows behind them
    are then grouped by the values themselves, so the answer is exact.
    """
    names, present, digest = _names(columns)
    candidates = f"SELECT {digest} AS h FROM {source} WHERE {present} GROUP BY h HAVING count(*) > 1"
    grouped = f"SELECT count(*) AS n FROM {source} WHERE {present} AND {digest} IN ({candidates}) GROUP BY {names}"
    checked = f"SELECT count(*) FROM {source} WHERE {present}"
    return f"SELECT ({checked}), coalesce(sum(n) FILTER (WHERE n > 1), 0) FROM ({grouped})"


def duplicate_rows_sql(source: str, columns: Sequence[str], wanted: str) -> str:
    """Return SQL that selects `wanted` from every row whose values of `columns` another row has too."""
    names, present, digest = _names(columns)
    candidates = f"SELECT {digest} AS h FROM {source} WHERE {present} GROUP BY h HAVING count(*) > 1"
    shared = (
        f"SELECT {names} FROM {source} WHERE {present} AND {digest} IN ({candidates})"
        f" GROUP BY {names} HAVING count(*) > 1"
    )
    return f"SELECT {wanted} FROM {source} WHERE {present} AND ({names}) IN ({shared})"


def _names(columns: Sequence[str]) -> tuple[str, str, str]:
    quoted = [quote_identifier(name) for name in columns]
    return ", ".join(quoted), " AND ".join(f"{name} IS NOT NULL" for name in quoted), f"hash({', '.join(quoted)})"
