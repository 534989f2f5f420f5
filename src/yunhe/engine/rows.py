"""Every function of the engine that hands out row values of the lake (architecture 3: one door).

Only data.exchange calls these; the gateway reads its serving files. A test lists the callers.
Values are as in engine.serving: integers, booleans, and texts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from yunhe.engine.checks.keys import OWN_COLUMNS
from yunhe.engine.duck import Session, read_parquet_sql, session
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.serving import answer_sql
from yunhe.engine.types import RECORD_COLUMN, Column, Limits


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of rows; `total` counts all rows the request covers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    total: int


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """One record that could not be read: where it stood and its raw bytes."""

    record: int
    offset: int
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class QuarantinedRecord:
    """One quarantined record: its number, every reason, its original texts by column."""

    record: int
    reasons: tuple[str, ...]
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class FailingKey:
    """One row that failed a rule: sub-reason, record number, key values as text."""

    rule: str
    reason: str
    record: int
    keys: dict[str, str | None]


@contextmanager
def _reading(limits: Limits | None) -> Iterator[Session]:
    with (
        tempfile.TemporaryDirectory(prefix="yunhe-rows-") as folder,
        session(limits=limits or Limits(), temp=Path(folder)) as duck,
    ):
        yield duck


def read_snapshot(
    files: Sequence[str | Path],
    columns: Sequence[Column | tuple[str, str]],
    *,
    where_sql: str = "",
    order: Sequence[str] = (),
    offset: int = 0,
    limit: int = 100,
    limits: Limits,
) -> Rows:
    """Return one page of a snapshot's rows.

    `columns` are columns, or (name, SQL expression giving an integer or a text): a mask. `where_sql`
    and expressions are generated SQL over the stored columns, never a user's text. `order` names
    stored columns (a leading `-`: descending); the record number is always the last of the order.
    """
    names = tuple(column[0] if isinstance(column, tuple) else column.name for column in columns)
    if not files:
        return Rows(names, (), 0)
    values = ", ".join(
        f"{column[1] if isinstance(column, tuple) else answer_sql(column)} AS {quote_identifier(name)}"
        for name, column in zip(names, columns, strict=True)
    )
    # A name given to a masked value must not stand for the stored one: filter inside, order by `stored.`.
    source = f"(SELECT * FROM {read_parquet_sql(files)} WHERE {where_sql or 'true'}) AS stored"
    parts = [
        "stored." + quote_identifier(name.removeprefix("-")) + (" DESC" if name.startswith("-") else "")
        for name in order
    ]
    by = ", ".join([*(f"{part} NULLS LAST" for part in parts), f"stored.{RECORD_COLUMN}"])
    with _reading(limits) as duck:
        total = int(duck.run("count_rows", f"SELECT count(*) FROM {source}")[0][0])
        sql = f"SELECT {values} FROM {source} ORDER BY {by} LIMIT ? OFFSET ?"
        rows = duck.run("read_rows", sql, (limit, offset))
    return Rows(names, tuple(rows), total)


def read_quarantine(
    file: Path, *, offset: int = 0, limit: int = 100, reason: str = "", limits: Limits | None = None
) -> tuple[QuarantinedRecord, ...]:
    """Return quarantined records with their original texts, by record number."""
    with _reading(limits) as duck:
        relation = read_parquet_sql([file])
        names = [row[0] for row in duck.run("quarantine_columns", f"DESCRIBE SELECT * FROM {relation}")]
        texts = ", ".join(quote_identifier(name) for name in names[2:])
        sql = (
            f"SELECT {RECORD_COLUMN}, _reasons, {texts} FROM {relation}"
            f" WHERE ? = '' OR list_contains(_reasons, ?) ORDER BY {RECORD_COLUMN} LIMIT ? OFFSET ?"
        )
        rows = duck.run("read_quarantine", sql, (reason, reason, limit, offset))
    return tuple(QuarantinedRecord(row[0], tuple(row[1]), dict(zip(names[2:], row[2:], strict=True))) for row in rows)


def read_rejected(
    file: Path, *, offset: int = 0, limit: int = 100, limits: Limits | None = None
) -> tuple[RejectedRecord, ...]:
    """Return rejected records with their raw bytes, by record number."""
    sql = f'SELECT record, "offset", reason, raw FROM {read_parquet_sql([file])} ORDER BY record LIMIT ? OFFSET ?'
    with _reading(limits) as duck:
        return tuple(RejectedRecord(*row) for row in duck.run("read_rejected", sql, (limit, offset)))


def read_failing_keys(
    file: Path, rule: str = "", *, offset: int = 0, limit: int = 100, limits: Limits | None = None
) -> tuple[FailingKey, ...]:
    """Return the failing rows of one rule, of every rule if it is empty, by record number.

    engine.checks wrote the file: its own columns first, then the keys, with `key_` before a key of such a name.
    """
    with _reading(limits) as duck:
        relation = read_parquet_sql([file])
        names = [row[0] for row in duck.run("failing_columns", f"DESCRIBE SELECT * FROM {relation}")]
        stored = names[len(OWN_COLUMNS) :]
        keys = [name.removeprefix("key_") if name.removeprefix("key_") in OWN_COLUMNS else name for name in stored]
        picked = "".join(f", CAST({quote_identifier(name)} AS VARCHAR)" for name in stored)
        condition, wanted = ("WHERE rule = ?", (rule,)) if rule else ("", ())
        sql = (
            f"SELECT rule, reason, record{picked} FROM {relation} {condition}"
            " ORDER BY record, rule, reason LIMIT ? OFFSET ?"
        )
        rows = duck.run("read_failing_keys", sql, (*wanted, limit, offset))
    return tuple(FailingKey(row[0], row[1] or "", int(row[2]), dict(zip(keys, row[3:], strict=True))) for row in rows)
