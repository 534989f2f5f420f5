"""Run one user's query in a fresh child process that can read the permitted files and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yunhe
from yunhe.engine.errors import OutOfMemory, QueryFailed, QueryInterrupted
from yunhe.engine.query_check import QueryRefused, rewrite_query, tables_of
from yunhe.engine.types import Limits

MAX_RESULT_BYTES: Final = 64 * 1024 * 1024
DEFAULT_SECONDS: Final = 60.0
DEFAULT_ROWS: Final = 10_000
_BOOT = "import sys; sys.path.insert(0, {root!r}); from yunhe.engine.query_child import main; main()"

__all__ = ["QueryFailed", "QueryInterrupted", "QueryRefused", "QueryResult", "View", "run_query", "tables_of"]


@dataclass(frozen=True, slots=True)
class View:
    """What a query may see of one resource.

    `columns` are (name, SQL over the file's columns, for example a mask); `where_sql` filters rows, empty for all.
    Both come from compiled policies, never from a user.
    """

    files: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    where_sql: str = ""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query as JSON-safe values; `truncated` if there were more than the limit.

    Decimals, dates and integers beyond 2^53 are text; times are UTC with a Z.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool


def run_query(*, sql: str, views: Mapping[str, View], limits: Limits) -> QueryResult:
    """Return the result of one SELECT over `views`.

    `limits.seconds` 0 is 60, `limits.rows` 0 is 10,000. The child ends with its parent, writes no file, and is
    killed when its time is over.
    Raises: QueryRefused (what was written may not run or does not fit the tables), QueryInterrupted, OutOfMemory,
    QueryFailed (without any row value).
    Cost: about 0.3 s to start the child.
    """
    rows = limits.rows or DEFAULT_ROWS
    seconds = limits.seconds or DEFAULT_SECONDS
    text = rewrite_query(sql, views=views.keys(), rows=rows)
    answer = run_child(text, views, Limits(limits.memory_mb, limits.threads, seconds, rows))
    if "error" in answer:
        raise _error(answer, text, limits)
    found = [tuple(row) for row in answer["rows"]]
    return QueryResult(tuple(answer["columns"]), tuple(answer["types"]), tuple(found[:rows]), len(found) > rows)


def run_child(sql: str, views: Mapping[str, View], limits: Limits) -> dict[str, Any]:
    """Return the child's answer to SQL that is already checked (the child trusts it no more than a user's)."""
    request = {
        "sql": sql,
        "views": {name: [list(view.files), [list(pair) for pair in view.columns], view.where_sql]
                  for name, view in views.items()},
        "memory_mb": limits.memory_mb, "threads": limits.threads, "seconds": limits.seconds, "rows": limits.rows,
    }  # fmt: skip
    root = str(Path(yunhe.__file__).resolve().parent.parent)
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        [sys.executable, "-I", "-X", "utf8", "-c", _BOOT.format(root=root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={}, cwd="/", close_fds=True, start_new_session=True,
    )  # fmt: skip
    timer = threading.Timer(limits.seconds, child.kill)
    timer.start()
    try:
        return _talk(child, request, timer)
    finally:
        timer.cancel()
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        child.wait()


def _talk(child: subprocess.Popen[bytes], request: dict[str, Any], timer: threading.Timer) -> dict[str, Any]:
    """Send the request as one line and read the answer; the child's input stays open while it works."""
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        return {"error": "failed", "problem": "ChildEnded"}
    answer = child.stdout.read(MAX_RESULT_BYTES + 1)
    if len(answer) > MAX_RESULT_BYTES:
        return {"error": "too_large"}
    if answer.endswith(b"\n"):
        made: dict[str, Any] = json.loads(answer)
        return made
    return {"error": "failed" if timer.is_alive() else "interrupted", "problem": "ChildEnded"}


def _error(answer: Mapping[str, Any], sql: str, limits: Limits) -> Exception:
    code, problem = answer["error"], str(answer.get("problem", ""))
    if code == "binding":
        return QueryRefused("binding", found=problem)
    if code == "too_large":
        return QueryRefused("too_large")
    if code == "memory":
        return OutOfMemory(step="query", memory_mb=limits.memory_mb)
    if code == "interrupted":
        return QueryInterrupted(step="query", snapshot="", sql=sql)
    return QueryFailed(step="query", snapshot="", sql=sql, problem=problem)
