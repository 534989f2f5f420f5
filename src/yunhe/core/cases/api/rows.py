"""One table's rows by statements whose text is made once: what each transition reads and writes.

Building a query by the ORM costs several times what the database needs for it. Names of columns come from the
models, values are always bound; a row is a mapping of column to value as a position holds it (times as ISO text in UTC).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

M = TypeVar("M", bound=models.Model)
Reader = Callable[[Any], Any]


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
        chosen, database = names or tuple(self.fields), connections[DEFAULT_DB_ALIAS]
        readers = _record_readers(self.model, chosen, database.vendor)
        rows = self._fetch(database, chosen, where, values)
        return [self.model.from_db(DEFAULT_DB_ALIAS, chosen, _read(row, readers)) for row in rows]

    def plain(self, names: tuple[str, ...], where: str, *values: Any) -> list[dict[str, Any]]:
        """Return the named columns of rows as a position holds them."""
        database = connections[DEFAULT_DB_ALIAS]
        readers = _plain_readers(self.model, names, database.vendor)
        return [dict(zip(names, _read(row, readers), strict=True)) for row in self._fetch(database, names, where, values)]

    def count(self, names: tuple[str, ...], where: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return each combination of the named columns with how many rows hold it."""
        columns = ", ".join(self.columns[name] for name in names)
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(f"SELECT {columns}, COUNT(*) FROM {self.name} WHERE {where} GROUP BY {columns}", values)  # noqa: S608
            return cursor.fetchall()

    def insert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows, all with the same columns."""
        if not rows:
            return
        names, database = tuple(rows[0]), connections[DEFAULT_DB_ALIAS]
        text = self._texts.get(names)
        if text is None:
            columns, marks = ", ".join(self.columns[name] for name in names), ", ".join(["%s"] * len(names))
            text = self._texts[names] = f"INSERT INTO {self.name} ({columns}) VALUES ({marks})"  # noqa: S608
        values = [self._written(database, names, row) for row in rows]
        with database.cursor() as cursor:
            if len(values) == 1:
                cursor.execute(text, values[0])
            else:
                cursor.executemany(text, values)

    def update(self, changes: Mapping[str, Any], where: str, *values: Any) -> int:
        """Write changed columns of the rows that `where` names; return of how many."""
        names, database = tuple(changes), connections[DEFAULT_DB_ALIAS]
        with database.cursor() as cursor:
            cursor.execute(self._update(names, where), [*self._written(database, names, changes), *values])
            return int(cursor.rowcount)

    def update_each(self, changes: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Write many rows by their ids, all with the same changed columns."""
        if not changes:
            return
        names, database = tuple(changes[0][1]), connections[DEFAULT_DB_ALIAS]
        values = [[*self._written(database, names, one), key] for key, one in changes]
        with database.cursor() as cursor:
            if len(values) == 1:
                cursor.execute(self._update(names, "id = %s"), values[0])
            else:
                cursor.executemany(self._update(names, "id = %s"), values)

    def _update(self, names: tuple[str, ...], where: str) -> str:
        sets = ", ".join(f"{self.columns[name]} = %s" for name in names)
        return f"UPDATE {self.name} SET {sets} WHERE {where}"  # noqa: S608

    def _fetch(self, database: BaseDatabaseWrapper, names: tuple[str, ...], where: str, values: tuple[Any, ...]) -> list[Any]:
        text = self._texts.get((names, where))
        if text is None:
            columns = ", ".join(self.columns[name] for name in names)
            text = self._texts[names, where] = f"SELECT {columns} FROM {self.name} WHERE {where}"  # noqa: S608
        with database.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall()

    def _written(self, database: BaseDatabaseWrapper, names: tuple[str, ...], row: Mapping[str, Any]) -> list[Any]:
        values = [row[name] for name in names]
        for place, write in _writers(self.model, names, database.vendor):
            values[place] = write(values[place], database)
        return values


@cache
def _writers(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[tuple[int, Callable[[Any, Any], Any]], ...]:
    """Return by place how the columns are written that the database takes in a form of its own."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    found: list[tuple[int, Callable[[Any, Any], Any]]] = []
    for place, name in enumerate(names):
        if isinstance(fields[name], models.DateTimeField) and vendor == "sqlite":
            found.append((place, partial(_sqlite_text, field=fields[name])))
        elif isinstance(fields[name], models.DateField | models.JSONField | models.DecimalField):
            found.append((place, fields[name].get_db_prep_save))
    return tuple(found)


@cache
def _record_readers(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[tuple[int, Reader], ...]:
    """Return by place how Django reads the columns that it converts."""
    found: list[tuple[int, Reader]] = []
    fields, database = {field.attname: field for field in model._meta.concrete_fields}, connections[DEFAULT_DB_ALIAS]
    for place, name in enumerate(names):
        column = fields[name].get_col(model._meta.db_table)
        ways = (*database.ops.get_db_converters(column), *column.get_db_converters(database))
        found += [(place, partial(_converted, one=one, column=column)) for one in ways]
    return tuple(found)


@cache
def _plain_readers(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[tuple[int, Reader], ...]:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    times = {place for place, name in enumerate(names) if isinstance(fields[name], models.DateTimeField)}
    numbers = {place for place, name in enumerate(names) if isinstance(fields[name], models.DecimalField)}
    quick = times if vendor == "sqlite" else set[int]()
    found = [(place, reader) for place, reader in _record_readers(model, names, vendor) if place not in quick]
    return (*found, *((place, _sqlite_time if place in quick else plain_value) for place in sorted(times | numbers)))


def _converted(value: Any, *, one: Callable[..., Any], column: Any) -> Any:
    return one(value, column, connections[DEFAULT_DB_ALIAS])


def plain_value(value: Any) -> Any:
    """Return a value of a column as a position holds it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:.4f}" if isinstance(value, Decimal) else value


def _sqlite_text(value: Any, database: BaseDatabaseWrapper, *, field: Any) -> Any:
    """Return a time as Django keeps it in SQLite: in UTC, without saying so."""
    if value is None:
        return None
    text = value if isinstance(value, str) else value.isoformat()
    return f"{text[:10]} {text[11:-6]}" if text.endswith("+00:00") else field.get_db_prep_save(value, database)


def _sqlite_time(value: datetime | None) -> str | None:
    """Return the ISO text of a time as SQLite hands it out: in UTC, without saying so."""
    return f"{value.isoformat()}+00:00" if value else None


def _read(row: Iterable[Any], readers: tuple[tuple[int, Reader], ...]) -> list[Any]:
    values = list(row)
    for place, reader in readers:
        values[place] = reader(values[place])
    return values
