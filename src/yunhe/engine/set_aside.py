"""Compare the set-aside records of two loads by their keys: how many are there again. Gives counts, never rows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from yunhe.engine.duck import read_parquet_sql, session
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Limits


def count_repeated(before: Path, after: Path, *, keys: Sequence[str], limits: Limits) -> int:
    """Return how many quarantined records of `before` stand in `after` again.

    A record is known by its key as it came; of those with the same key, and of those without one, as many count as both files have.
    """
    named = [quote_identifier(key) for key in keys]
    filled = " AND ".join(f"coalesce(trim({name}), '') <> ''" for name in named) or "false"
    columns = ", ".join(named) or "NULL"

    def keyed(file: Path) -> str:
        return f"SELECT {columns} FROM {read_parquet_sql([file])} WHERE {filled}"

    with tempfile.TemporaryDirectory(prefix="yunhe-aside-") as folder, session(limits=limits, temp=Path(folder)) as duck:
        again = duck.run("keys_again", f"SELECT count(*) FROM (({keyed(before)}) INTERSECT ALL ({keyed(after)}))")[0][0]
        bare = [
            duck.run("without_key", f"SELECT count(*) FROM {read_parquet_sql([file])} WHERE NOT ({filled})")[0][0]
            for file in (before, after)
        ]
    return int(again) + min(map(int, bare))
