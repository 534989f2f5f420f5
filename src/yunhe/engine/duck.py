"""The one door to DuckDB: nothing else imports it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from yunhe.engine.errors import DiskFull, OutOfMemory, QueryFailed, QueryInterrupted
from yunhe.engine.quoting import quote_literal
from yunhe.engine.types import Limits

_NO_ROOM = re.compile(
    r"no space left|disk full|file too large|errno (27|28)|failed to write|could not write", re.IGNORECASE
)


class Session:
    """One in-memory DuckDB connection with limits; each statement is a named step."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, limits: Limits, snapshot: str, temp: Path) -> None:
        self._connection = connection
        self._limits = limits
        self._snapshot = snapshot
        self._temp = temp

    def run(self, step: str, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return all its rows.

        Raises: QueryFailed, QueryInterrupted, OutOfMemory, DiskFull; none carries a row.
        """
        rows: list[tuple[Any, ...]] = self._guarded(
            step, sql, lambda: self._connection.execute(sql, list(params)).fetchall()
        )
        return rows

    def fetch_arrow(self, step: str, sql: str, *, ordered: bool = False) -> pa.Table:
        """Run one statement and return its rows as an Arrow table; `ordered`: in the order of the input."""
        if ordered:
            self._connection.execute("SET preserve_insertion_order = true")
        try:
            return self._guarded(step, sql, lambda: self._connection.execute(sql).to_arrow_table())
        finally:
            if ordered:
                self._connection.execute("SET preserve_insertion_order = false")

    def stream(self, step: str, sql: str, *, size: int = 50_000) -> Iterator[list[tuple[Any, ...]]]:
        """Run one statement and yield its rows in lists of at most `size`; memory stays bounded."""
        self._guarded(step, sql, lambda: self._connection.execute(sql))
        while rows := self._guarded(step, sql, lambda: self._connection.fetchmany(size)):
            yield rows

    def register(self, name: str, data: object) -> None:
        """Make an Arrow table readable under `name` without copying it."""
        self._connection.register(name, data)

    def unregister(self, name: str) -> None:
        """Forget a registered Arrow table."""
        self._connection.unregister(name)

    def interrupt(self) -> None:
        """Stop the running statement from another thread."""
        self._connection.interrupt()

    @contextmanager
    def branch(self) -> Iterator[Session]:
        """Yield a second session on the same database, for use in another thread."""
        cursor = self._connection.cursor()
        try:
            yield Session(cursor, limits=self._limits, snapshot=self._snapshot, temp=self._temp)
        finally:
            cursor.close()

    def _guarded(self, step: str, sql: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except duckdb.InterruptException as error:
            raise QueryInterrupted(step=step, snapshot=self._snapshot, sql=sql) from error
        except duckdb.OutOfMemoryException as error:
            if _NO_ROOM.search(str(error)):
                raise DiskFull(place=str(self._temp)) from error
            raise OutOfMemory(step=step, memory_mb=self._limits.memory_mb) from error
        except duckdb.IOException as error:
            if _NO_ROOM.search(str(error)):
                raise DiskFull(place=str(self._temp)) from error
            raise self._failed(step, sql, error) from None
        except duckdb.Error as error:
            raise self._failed(step, sql, error) from None

    def _failed(self, step: str, sql: str, error: Exception) -> QueryFailed:
        # DuckDB's own message may quote a value of a row: only its class goes on.
        return QueryFailed(step=step, snapshot=self._snapshot, sql=sql, problem=type(error).__name__)


@contextmanager
def session(*, limits: Limits, temp: Path, snapshot: str = "") -> Iterator[Session]:
    """Open an in-memory database that spills to `temp` and never loads an extension.

    Raises: QueryInterrupted from a running step once `limits.seconds` have passed.
    """
    temp.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        config={
            "memory_limit": f"{limits.memory_mb}MB",
            "threads": str(limits.threads),
            "temp_directory": str(temp),
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    timer = threading.Timer(limits.seconds, connection.interrupt) if limits.seconds > 0 else None
    try:
        connection.execute("SET TimeZone='UTC'")
        if timer is not None:
            timer.daemon = True
            timer.start()
        yield Session(connection, limits=limits, snapshot=snapshot, temp=temp)
    finally:
        if timer is not None:
            timer.cancel()
        connection.close()


def read_parquet_sql(files: Sequence[str | Path]) -> str:
    """Return the FROM item that reads these Parquet files as one relation.

    Raises: ValueError if there is no file: the caller decides what an empty table is.
    """
    if not files:
        raise ValueError("read_parquet_sql needs at least one file")
    paths = ", ".join(quote_literal(str(file)) for file in files)
    return f"read_parquet([{paths}], union_by_name=false, hive_partitioning=false)"
