"""The serving store: one SQLite file per snapshot, built new, swapped in whole, read by key.

Values are stored as they are answered: integers and booleans as integers, everything else as text
(decimals with all their decimals, dates YYYY-MM-DD, timestamps YYYY-MM-DDTHH:MM:SS[.ffffff]Z).
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from yunhe.engine.duck import read_parquet_sql, session
from yunhe.engine.errors import DiskFull, ServingInvalid
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.room import room_for
from yunhe.engine.types import Column, Limits, Progress

FORMAT: Final = 1
_BATCH_ROWS: Final = 20_000
_MIRRORED_BYTES: Final = 1 << 30


def build_serving(
    *,
    files: Sequence[str | Path],
    columns: Sequence[Column],
    keys: Sequence[str],
    destination: Path,
    limits: Limits,
    progress: Progress = lambda _done, _total, _note: None,
) -> int:
    """Build the serving file of a snapshot at `destination` and return its rows.

    The file appears whole or not at all. Raises: ServingInvalid if two rows share a key.
    Cost: one pass over the files in their own order, then SQLite sorts the keys for the index (spills to the
    folder for temporary files). A sort of whole rows in DuckDB was tried: 3 M rows did not fit in 512 MB.
    """
    if not keys:
        raise ServingInvalid(place=str(destination), expected="at least one key column", found="none")
    destination.parent.mkdir(parents=True, exist_ok=True)
    building = destination.with_name(f".{destination.name}.{os.getpid()}.building")
    building.unlink(missing_ok=True)
    try:
        with room_for(destination):
            rows = _build(building, files, columns, keys, limits, progress)
            _sync(building)
            building.replace(destination)
            _sync(destination.parent)
    except sqlite3.IntegrityError as error:
        raise ServingInvalid(place=str(destination), expected="one row per key", found="a repeated key") from error
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise DiskFull(place=str(destination)) from error
        raise
    finally:
        building.unlink(missing_ok=True)
    return rows


def _build(
    path: Path,
    files: Sequence[str | Path],
    columns: Sequence[Column],
    keys: Sequence[str],
    limits: Limits,
    progress: Progress,
) -> int:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        names = ", ".join(f"{quote_identifier(column.name)} {_storage(column)}" for column in columns)
        connection.execute("CREATE TABLE meta (format INTEGER NOT NULL, columns TEXT NOT NULL, keys TEXT NOT NULL)")
        described = json.dumps([[column.name, column.type] for column in columns], ensure_ascii=False)
        connection.execute(
            "INSERT INTO meta VALUES (?, ?, ?)", (FORMAT, described, json.dumps(list(keys), ensure_ascii=False))
        )
        connection.execute(f"CREATE TABLE record ({names})")
        rows = _insert(connection, files, columns, path, limits, progress) if files else 0
        by_key = ", ".join(quote_identifier(key) for key in keys)
        connection.execute(f"CREATE UNIQUE INDEX record_by_key ON record ({by_key})")
    finally:
        connection.close()
    return rows


def _insert(
    connection: sqlite3.Connection,
    files: Sequence[str | Path],
    columns: Sequence[Column],
    path: Path,
    limits: Limits,
    progress: Progress,
) -> int:
    values = ", ".join(f"{answer_sql(column)} AS {quote_identifier(column.name)}" for column in columns)
    slots = ", ".join("?" * len(columns))
    done = 0
    source = read_parquet_sql(files)
    with session(limits=limits, temp=path.with_suffix(".spill")) as duck:
        total = int(duck.run("serving_count", f"SELECT count(*) FROM {source}")[0][0])
        connection.execute("BEGIN")
        for rows in duck.stream("serving", f"SELECT {values} FROM {source}", size=_BATCH_ROWS):
            connection.executemany(f"INSERT INTO record VALUES ({slots})", rows)
            done += len(rows)
            progress(done, total, "serving")
        connection.execute("COMMIT")
    path.with_suffix(".spill").rmdir()
    return done


def _storage(column: Column) -> str:
    return "INTEGER" if column.type in {"integer", "boolean"} else "TEXT"


def answer_sql(column: Column) -> str:
    """Return the SQL of a column's value as it is answered: an integer or a text."""
    name = quote_identifier(column.name)
    match column.type:
        case "integer" | "string":
            return name
        case "boolean":
            return f"CAST({name} AS INTEGER)"
        case "timestamp":
            naive = f"make_timestamp(epoch_us({name}))"
            return (
                f"CASE WHEN epoch_us({name}) % 1000000 = 0 THEN strftime({naive}, '%Y-%m-%dT%H:%M:%SZ')"
                f" ELSE strftime({naive}, '%Y-%m-%dT%H:%M:%S.%fZ') END"
            )
        case _:
            return f"CAST({name} AS VARCHAR)"


class ServingFile:
    """A serving file opened for reading; `find` may be called from any thread."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises: ServingInvalid if it is absent or not a serving file."""
        self._path = path
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            version, columns, keys = self._connection().execute("SELECT format, columns, keys FROM meta").fetchone()
        except (sqlite3.Error, TypeError) as error:
            self.close()
            raise ServingInvalid(place=str(path), expected="a serving file", found="none that can be read") from error
        if version != FORMAT:
            self.close()
            raise ServingInvalid(place=str(path), expected=f"format {FORMAT}", found=f"format {version}")
        self.columns: tuple[tuple[str, str], ...] = tuple((name, kind) for name, kind in json.loads(columns))
        self.keys: tuple[str, ...] = tuple(json.loads(keys))
        self._kinds = dict(self.columns)
        where = " AND ".join(f"{quote_identifier(key)} = ?" for key in self.keys)
        self._sql = f"SELECT {', '.join(quote_identifier(name) for name in self._kinds)} FROM record WHERE {where}"

    def find(self, keys: Mapping[str, object]) -> dict[str, object] | None:
        """Return the row of these key values, or None.

        Shape: text for string, decimal, date, timestamp; int for integer; bool for boolean.
        Raises: ServingInvalid if the names are not exactly the key columns.
        """
        if set(keys) != set(self.keys):
            found = ", ".join(sorted(keys)) or "none"
            raise ServingInvalid(place=self._path.name, expected=f"the keys {', '.join(self.keys)}", found=found)
        wanted = [self._stored(key, keys[key]) for key in self.keys]
        if any(value is None for value in wanted):
            return None
        row = self._connection().execute(self._sql, wanted).fetchone()
        if row is None:
            return None
        return {
            name: bool(value) if kind == "boolean" and value is not None else value
            for (name, kind), value in zip(self.columns, row, strict=True)
        }

    def count(self) -> int:
        """Return how many rows the file holds."""
        return int(self._connection().execute("SELECT count(*) FROM record").fetchone()[0])

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
            self._local = threading.local()

    def _stored(self, key: str, value: object) -> str | int | None:
        """Return the key value in its stored form; None if no row can have it."""
        kind = self._kinds[key]
        if kind in {"integer", "boolean"}:
            try:
                number = int(str(value)) if not isinstance(value, bool) else int(value)
            except ValueError:
                return None
            return number if -(2**63) <= number < 2**63 else None
        if not isinstance(value, str):
            return None
        try:
            value.encode()
        except UnicodeEncodeError:
            return None
        return value

    def _connection(self) -> sqlite3.Connection:
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is None:
            # `immutable`: the file never changes once it has its name, so no locks are taken.
            uri = f"{self._path.resolve().as_uri()}?mode=ro&immutable=1"
            held = sqlite3.connect(uri, uri=True, check_same_thread=False)
            held.execute(f"PRAGMA mmap_size = {_MIRRORED_BYTES}")
            self._local.connection = held
            with self._lock:
                self._opened.append(held)
        return held


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
