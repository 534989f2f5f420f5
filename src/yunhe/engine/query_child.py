"""The process in which a user's query runs: it holds views over the permitted files, then shuts every door.

Protocol: one JSON line in, one JSON line out. The input stays open; when it ends, the parent is gone or done, and
so is this process.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from yunhe.engine.duck import Session, read_parquet_sql, session
from yunhe.engine.errors import DiskFull, OutOfMemory, QueryFailed, QueryInterrupted
from yunhe.engine.quoting import quote_identifier, quote_literal
from yunhe.engine.types import Limits

# Address space beyond DuckDB's own limit: the interpreter, its libraries and thread stacks.
_OVERHEAD_MB: Final = 2048
_SAFE_INTEGER: Final = 2**53
VIEWS_PLACE: Final = ("memory", "main")  # catalogue and schema of the views, as the parent writes them
# No optimiser moves a condition below a LIMIT, so a query cannot learn by its errors of rows the filter hides.
_FENCE: Final = " LIMIT 9223372036854775807"
# What may stand in FROM, by DuckDB's own parser: no table function, no SHOW, no PIVOT, no values.
_SOURCES: Final = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY"})
_STEP: Final = re.compile(r"_cte_[0-9]+")
_PRYING: Final = re.compile(r"(pg_|duckdb_|pragma_|read_|has_|query).*|.*(current_setting|getenv|getvariable|glob)")
_JSON_DEPTH: Final = 20_000


class Unreadable(Exception):
    """DuckDB's parser does not take the statement as a SELECT; its own words."""


class NotAllowed(Exception):
    """The statement reads something else than the views. Its name is what the parent is told."""


def main() -> None:
    """Answer the one request on standard input."""
    sys.setrecursionlimit(_JSON_DEPTH)  # a parsed statement may be nested as deep as DuckDB allows
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    _limit_process(request)
    answer = json.dumps(_answer(request), ensure_ascii=False, allow_nan=False)
    sys.stdout.buffer.write(answer.encode() + b"\n")
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing to tidy: no file was written


def _end_with_the_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _limit_process(request: Mapping[str, Any]) -> None:
    memory = (int(request["memory_mb"]) + _OVERHEAD_MB) * 1024 * 1024
    processor = math.ceil(float(request["seconds"]) * max(1, int(request["threads"]))) + 5
    for what, wanted in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, processor),
        (resource.RLIMIT_FSIZE, 0),  # not one byte can be written, whatever a statement says
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(what, (value, value))


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    limits = Limits(int(request["memory_mb"]), int(request["threads"]), float(request["seconds"]), int(request["rows"]))
    try:
        # The folder is only named, and forgotten below: with writing impossible nothing can spill.
        with session(limits=limits, temp=Path("/")) as duck:
            _make_views(duck, request["views"])
            _check_statement(duck, str(request["sql"]), request["views"].keys())
            return _result(duck, str(request["sql"]))
    except Unreadable as error:
        return {"error": "binding", "problem": _first_line(str(error))}
    except (OutOfMemory, MemoryError, DiskFull):  # a full disk: it wanted to spill
        return {"error": "memory"}
    except QueryInterrupted:
        return {"error": "interrupted"}
    except QueryFailed as error:
        return {"error": "failed", "problem": str(error.facts["problem"])}
    except Exception as error:  # noqa: BLE001 - the door of this process: only the kind of error leaves it
        return {"error": "failed", "problem": type(error).__name__}


def _make_views(duck: Session, views: Mapping[str, Any]) -> None:
    files = sorted({file for view in views.values() for file in view[0]})
    for name, (paths, columns, where) in views.items():
        made = ", ".join(f"{sql} AS {quote_identifier(column)}" for column, sql in columns)
        source = f"SELECT {made} FROM {read_parquet_sql(paths)}" if paths else _nothing(columns)
        condition = f" WHERE {where}{_FENCE}" if where and paths else ""
        duck.run("make view", f"CREATE VIEW {quote_identifier(name)} AS {source}{condition}")
    allowed = ", ".join(quote_literal(file) for file in files)
    for step in (
        f"SET allowed_paths = [{allowed}]",
        "SET preserve_insertion_order = true",
        "SET temp_directory = ''",
        "SET python_enable_replacements = false",
        "SET allow_community_extensions = false",
        "SET allow_persistent_secrets = false",
        "SET catalog_error_max_schemas = 0",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        duck.run("close doors", step)


def _check_statement(duck: Session, sql: str, views: Collection[str]) -> None:
    """Do nothing if `sql` is one SELECT over the views by their full names and steps called `_cte_N`.

    The parent has written it so. This looks again with DuckDB's own parser, so that no difference between two
    parsers and no gap in the parent's rules lets a query read DuckDB's catalogue or a file beside its view.
    Raises: NotAllowed, Unreadable (also for every statement but SELECT), QueryFailed.
    """
    parsed = json.loads(duck.run("parse", "SELECT json_serialize_sql(CAST(? AS VARCHAR))", (sql,))[0][0])
    if parsed["error"]:
        raise Unreadable(str(parsed["error_message"]))
    if len(parsed["statements"]) != 1:
        raise NotAllowed
    waiting: list[Any] = [parsed]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "sample" in node and "from_table" not in node:
                _check_source(node, views)
            if _PRYING.fullmatch(str(node.get("function_name", "")).lower()):
                raise NotAllowed
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _check_source(node: Mapping[str, Any], views: Collection[str]) -> None:
    if node.get("type") not in _SOURCES or node["sample"] is not None:
        raise NotAllowed
    if node["type"] != "BASE_TABLE":
        return
    place, name = (node["catalog_name"], node["schema_name"]), node["table_name"]
    view = place == VIEWS_PLACE and name in views
    step = place == ("", "") and _STEP.fullmatch(name) is not None
    if node["at_clause"] is not None or not (view or step):
        raise NotAllowed


def _nothing(columns: list[list[str]]) -> str:
    empty = ", ".join(f"CAST(NULL AS VARCHAR) AS {quote_identifier(name)}" for name, _ in columns)
    return f"SELECT {empty} WHERE FALSE"


def _result(duck: Session, sql: str) -> dict[str, Any]:
    try:
        # DESCRIBE takes a SELECT and nothing else, and runs nothing: what it says cannot hold a row's value.
        described = duck.run("describe", f"DESCRIBE {sql}")
    except QueryFailed as error:
        return {"error": "binding", "problem": _first_line(str(error.__context__ or error.facts["problem"]))}
    rows = duck.run("query", sql)
    return {
        "columns": [str(row[0]) for row in described],
        "types": [str(row[1]) for row in described],
        "rows": [[_safe(value) for value in row] for row in rows],
    }


def _first_line(text: str) -> str:
    """Return DuckDB's own first sentence, without the paths and the SQL below it."""
    text = text.split("\n\n", maxsplit=1)[0].replace("\n", " ")
    return "refused" if "/" in text else text[:300]


def _safe(value: Any) -> Any:
    """Return a value that any JSON reader keeps exactly."""
    if value is None or isinstance(value, (bool, str)):
        return value
    for kind, make in _SAFE:
        if isinstance(value, kind):
            return make(value)
    return str(value)


def _number(value: int) -> int | str:
    return value if -_SAFE_INTEGER < value < _SAFE_INTEGER else str(value)


def _moment(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat() + "Z"


_SAFE: Final[tuple[tuple[Any, Callable[[Any], Any]], ...]] = (
    (int, _number),
    (float, lambda value: value if math.isfinite(value) else str(value)),
    (Decimal, lambda value: format(value, "f")),
    (datetime, _moment),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: f"PT{value.total_seconds():f}S"),
    (bytes, bytes.hex),
    ((list, tuple), lambda value: [_safe(item) for item in value]),
    (dict, lambda value: {str(key): _safe(item) for key, item in value.items()}),
)
