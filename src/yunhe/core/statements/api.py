"""One table's rows by statements whose text is made once: what every step of a case reads and writes.

Building a query by the ORM costs several times what the database needs for it. Names of columns come from the
models, values are always bound; a plain row is a mapping of column to value, times as ISO text in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, lru_cache, partial
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from yunhe.core.statements.types import PlainRow, Reader, Writer

__all__ = ["Rows", "among", "ask", "plain_value", "tell"]

M = TypeVar("M", bound=models.Model)
SQLITE = "sqlite"


class Rows(Generic[M]):
    """The plain way to the rows of one model."""

    def __init__(self, model: type[M]) -> None:
        self.model = model
        self.name = f'"{model._meta.db_table}"'
        self.fields = {field.attname: field for field in model._meta.concrete_fields}
        self.columns = {name: f'"{field.column}"' for name, field in self.fields.items()}
        self._texts: dict[tuple[Any, ...], str] = {}

    def records(self, where: str, *values: Any, names: tuple[str, ...] = ()) -> list[M]:
        """Return rows as records of the model, all columns or the named. `where` is a fixed text with a %s for each value."""
        return [record for record, _ in self.records_beside((), where, *values, names=names)]

    def records_beside(
        self, beside: tuple[str, ...], where: str, *values: Any, names: tuple[str, ...] = ()
    ) -> list[tuple[M, tuple[Any, ...]]]:
        """Return records as `records` does, each with what the expressions `beside` say of it."""
        database = connections[DEFAULT_DB_ALIAS]
        chosen = tuple(name for name in self.fields if name in names or not names)  # in the model's order, as `from_db` takes them
        readers, width = _record_readers(self.model, chosen, database.vendor), len(chosen)
        text = self._select((*(self.columns[name] for name in chosen), *beside), where)
        found = ask(database, text, values)
        return [(self.model.from_db(DEFAULT_DB_ALIAS, chosen, _read(row[:width], readers)), row[width:]) for row in found]

    def plain(self, names: tuple[str, ...], where: str, *values: Any) -> list[dict[str, Any]]:
        """Return the named columns of rows as plain rows."""
        database = connections[DEFAULT_DB_ALIAS]
        readers = _plain_readers(self.model, names, database.vendor)
        text = self._select(_plain_columns(self.model, names, database.vendor), where)
        return [dict(zip(names, _read(row, readers), strict=True)) for row in ask(database, text, values)]

    def count(self, names: tuple[str, ...], where: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return each combination of the named columns with how many rows hold it."""
        columns = tuple(self.columns[name] for name in names)
        text = self._select((*columns, "COUNT(*)"), f"{where} GROUP BY {', '.join(columns)}")
        return ask(connections[DEFAULT_DB_ALIAS], text, values)

    def insert(self, rows: Sequence[PlainRow]) -> None:
        """Write rows, all with the same columns."""
        if rows:
            names, database = tuple(rows[0]), connections[DEFAULT_DB_ALIAS]
            tell(database, self._insert(names), [self._written(database, names, row) for row in rows])

    def insert_alike(self, shared: PlainRow, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows that differ in the columns `names` only, of which each row has the values as the database takes them."""
        if not rows:
            return
        database = connections[DEFAULT_DB_ALIAS]
        same = self._written(database, tuple(shared), shared)
        if database.vendor == SQLITE:
            tell(database, self._insert((*names, *shared)), [(*row, *same) for row in rows])
            return
        columns = ", ".join(self.columns[name] for name in (*names, *shared))  # a statement for each row costs a turn of the wire
        told = ", ".join([*(_from_list(self.fields[name], place) for place, name in enumerate(names)), *["%s"] * len(same)])
        text = f"INSERT INTO {self.name} ({columns}) SELECT {told} FROM json_array_elements(%s::json) AS t"  # noqa: S608
        tell(database, text, [[*same, json.dumps(rows)]])

    def insert_first(self, row: PlainRow) -> bool:
        """Write a row unless there is one that it must not stand beside; tell whether it was written."""
        names, database = tuple(row), connections[DEFAULT_DB_ALIAS]
        return tell(database, f"{self._insert(names)} ON CONFLICT DO NOTHING", [self._written(database, names, row)]) > 0

    def update(self, changes: PlainRow, where: str, *values: Any) -> int:
        """Write changed columns of the rows that `where` names; return of how many."""
        names, database = tuple(changes), connections[DEFAULT_DB_ALIAS]
        return tell(database, self._update(names, where), [[*self._written(database, names, changes), *values]])

    def update_each(self, changes: Sequence[tuple[str, PlainRow]]) -> None:
        """Write many rows by their ids, all with the same changed columns."""
        if not changes:
            return
        names, database = tuple(changes[0][1]), connections[DEFAULT_DB_ALIAS]
        tell(database, self._update(names, "id = %s"), [[*self._written(database, names, one), key] for key, one in changes])

    def delete(self, where: str, *values: Any) -> int:
        """Delete the rows that `where` names, which nothing refers to; return how many."""
        return tell(connections[DEFAULT_DB_ALIAS], f"DELETE FROM {self.name} WHERE {where}", [values])  # noqa: S608

    def _insert(self, names: tuple[str, ...]) -> str:
        text = self._texts.get(names)
        if text is None:
            columns, marks = ", ".join(self.columns[name] for name in names), ", ".join(["%s"] * len(names))
            text = self._texts[names] = f"INSERT INTO {self.name} ({columns}) VALUES ({marks})"  # noqa: S608
        return text

    def _update(self, names: tuple[str, ...], where: str) -> str:
        sets = ", ".join(f"{self.columns[name]} = %s" for name in names)
        return f"UPDATE {self.name} SET {sets} WHERE {where}"  # noqa: S608

    def _select(self, columns: tuple[str, ...], where: str) -> str:
        text = self._texts.get((columns, where))
        if text is None:
            text = self._texts[columns, where] = f"SELECT {', '.join(columns)} FROM {self.name} WHERE {where}"  # noqa: S608
        return text

    def _written(self, database: BaseDatabaseWrapper, names: tuple[str, ...], row: PlainRow) -> list[Any]:
        values = [row[name] for name in names]
        for place, write in _writers(self.model, names, database.vendor):
            values[place] = write(values[place], database)
        return values


def among(column: str, values: Sequence[str]) -> tuple[str, Any]:
    """Return a condition, the same text for however many values, and what is bound to it."""
    if connections[DEFAULT_DB_ALIAS].vendor == SQLITE:
        return f'"{column}" IN (SELECT value FROM json_each(%s))', json.dumps(values)  # noqa: S608
    return f'"{column}" = ANY(%s)', list(values)


def ask(database: BaseDatabaseWrapper, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return what a statement finds."""
    database.validate_no_broken_transaction()
    found: list[tuple[Any, ...]]
    if not _is_direct(database):
        with database.cursor() as cursor:
            cursor.execute(text, values)
            found = cursor.fetchall()
    else:
        with database.wrap_database_errors:
            found = database.connection.execute(_in_own_marks(text), values).fetchall()
    return found


def tell(database: BaseDatabaseWrapper, text: str, rows: Sequence[Sequence[Any]]) -> int:
    """Run a statement that writes, once for each of the rows of values; return how many rows of the table it met."""
    database.validate_no_broken_transaction()
    if not _is_direct(database):
        with database.cursor() as cursor:
            return _run(cursor, text, rows)
    with database.wrap_database_errors:
        return _run(database.connection.cursor(), _in_own_marks(text), rows)


def _run(cursor: Any, text: str, rows: Sequence[Sequence[Any]]) -> int:
    if len(rows) == 1:
        cursor.execute(text, rows[0])
    else:
        cursor.executemany(text, rows)
    return int(cursor.rowcount)


def _is_direct(database: BaseDatabaseWrapper) -> bool:
    """Tell whether SQLite is asked without Django's cursor, which rewrites the text each time and costs thrice the statement.

    Whoever listens (a wrapper around statements, a log of queries) hears of all of them.
    """
    opened = database.vendor == SQLITE and database.connection is not None
    return opened and not database.execute_wrappers and not database.queries_logged


@lru_cache(maxsize=1024)
def _in_own_marks(text: str) -> str:
    return text.replace("%s", "?")


def _from_list(field: Any, place: int) -> str:
    """Return how PostgreSQL makes a column's value from a place of a JSON list."""
    casts = {"JSONField": "::jsonb", "PositiveIntegerField": "::integer"}
    return f"(t ->> {place}){casts.get(field.get_internal_type(), '')}"


@cache
def _writers(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[tuple[int, Writer], ...]:
    """Return by place how the columns are written that the database takes in a form of its own."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    found: list[tuple[int, Writer]] = []
    for place, name in enumerate(names):
        if isinstance(fields[name], models.DateTimeField) and vendor == SQLITE:
            found.append((place, partial(_sqlite_text, field=fields[name])))
        elif isinstance(fields[name], models.JSONField) and vendor == SQLITE:
            found.append((place, _sqlite_json))
        elif isinstance(fields[name], models.DateField | models.JSONField | models.DecimalField):
            found.append((place, fields[name].get_db_prep_save))
    return tuple(found)


@cache
def _record_readers(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[tuple[int, Reader], ...]:
    """Return by place how the columns are read that Django converts; what SQLite's driver has made already is left."""
    found: list[tuple[int, Reader]] = []
    fields, database = {field.attname: field for field in model._meta.concrete_fields}, connections[DEFAULT_DB_ALIAS]
    for place, name in enumerate(names):
        column = fields[name].get_col(model._meta.db_table)
        if isinstance(fields[name], models.JSONField):
            found.append((place, _from_json))
        elif vendor == SQLITE and isinstance(fields[name], models.DateTimeField):
            found.append((place, _sqlite_aware))
        elif not (vendor == SQLITE and isinstance(fields[name], models.BooleanField)):
            ways = (*database.ops.get_db_converters(column), *column.get_db_converters(database))
            found += [(place, partial(_converted, one=one, column=column)) for one in ways]
    return tuple(found)


@cache
def _plain_columns(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[str, ...]:
    """Return the columns; times of SQLite as their text, which its driver would parse and Python write again."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    times = {name for name in names if vendor == SQLITE and isinstance(fields[name], models.DateTimeField)}
    return tuple(f'CAST("{fields[name].column}" AS TEXT)' if name in times else f'"{fields[name].column}"' for name in names)


@cache
def _plain_readers(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[tuple[int, Reader], ...]:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    times = {place for place, name in enumerate(names) if isinstance(fields[name], models.DateTimeField)}
    numbers = {place for place, name in enumerate(names) if isinstance(fields[name], models.DecimalField)}
    quick = times if vendor == SQLITE else set[int]()
    found = [(place, reader) for place, reader in _record_readers(model, names, vendor) if place not in quick]
    return (*found, *((place, _sqlite_time if place in quick else plain_value) for place in sorted(times | numbers)))


def _converted(value: Any, *, one: Callable[..., Any], column: Any) -> Any:
    return one(value, column, connections[DEFAULT_DB_ALIAS])


def plain_value(value: Any) -> Any:
    """Return a value of a column as a plain row holds it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:.4f}" if isinstance(value, Decimal) else value


def _sqlite_text(value: Any, database: BaseDatabaseWrapper, *, field: Any) -> Any:
    """Return a time as Django keeps it in SQLite: in UTC, without saying so."""
    if value is None:
        return None
    text = value if isinstance(value, str) else value.isoformat()
    return f"{text[:10]} {text[11:-6]}" if text.endswith("+00:00") else field.get_db_prep_save(value, database)


_json_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _sqlite_json(value: Any, _database: BaseDatabaseWrapper) -> str | None:
    """Return the text of a JSON value; what is empty, as most of them are, without asking the encoder."""
    if value in ({}, []):
        return "{}" if value == {} else "[]"
    return None if value is None else _json_text(value)


def _from_json(text: str | None) -> Any:
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    return None if text is None else json.loads(text)


def _sqlite_aware(value: datetime | None) -> datetime | None:
    """Return a time as SQLite hands it out (in UTC, without saying so) with its zone."""
    return value.replace(tzinfo=UTC) if value else None


def _sqlite_time(text: str | None) -> str | None:
    """Return the ISO text of a time from the text that SQLite keeps."""
    return f"{text[:10]}T{text[11:]}+00:00" if text else None


def _read(row: Iterable[Any], readers: tuple[tuple[int, Reader], ...]) -> list[Any]:
    values = list(row)
    for place, reader in readers:
        values[place] = reader(values[place])
    return values
