"""A user's query: what runs, what is refused by the parent, and what the child itself refuses."""

# ruff: noqa: DTZ001 - the lake stores UTC without a zone
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import yunhe
from tests.soaking import is_soaking
from yunhe.engine.errors import OutOfMemory, QueryFailed, QueryInterrupted
from yunhe.engine.query import QueryRefused, QueryResult, View, run_child, run_query, tables_of
from yunhe.engine.types import Limits

LIMITS = Limits(memory_mb=256, threads=1, seconds=20, rows=100)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    rows = {
        "id": ["a1", "b2", "c3", "d4"],
        "name": ["甲一", "乙二", "丙三", None],
        "amount": [Decimal("1.50"), Decimal("2.25"), None, Decimal("9007199254740993.00")],
        "big": [2**53, 1, -(2**60), None],
        "born": [date(2000, 1, 2), None, date(1999, 12, 31), date(2024, 2, 29)],
        "updated": [datetime(2026, 1, 1, 16, 0), None, None, None],
        "region": ["320106", "320106", "110101", "320106"],
    }
    pq.write_table(pa.table(rows), tmp_path / "granted.parquet")
    pq.write_table(pa.table({"id": ["x"]}), tmp_path / "other.parquet")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    return tmp_path


def _views(place: Path) -> dict[str, View]:
    columns = (
        ("id", "\"id\""), ("name", "left(\"name\", 1) || '*'"), ("amount", "\"amount\""),
        ("big", "\"big\""), ("born", "\"born\""), ("updated", "\"updated\""),
    )  # fmt: skip
    return {"人员": View((str(place / "granted.parquet"),), columns, "region = '320106'"),
            "nothing": View((), (("id", "\"id\""),))}  # fmt: skip


def _run(place: Path, sql: str, limits: Limits = LIMITS) -> QueryResult:
    return run_query(sql=sql, views=_views(place), limits=limits)


def test_rows_are_filtered_masked_and_safe_for_json(place: Path) -> None:
    result = _run(place, "SELECT * FROM 人员 ORDER BY id")
    assert result.columns == ("id", "name", "amount", "big", "born", "updated")
    assert result.rows == (
        ("a1", "甲*", "1.50", str(2**53), "2000-01-02", "2026-01-01T16:00:00Z"),
        ("b2", "乙*", "2.25", 1, None, None),
        ("d4", None, "9007199254740993.00", None, "2024-02-29", None),
    )
    assert result.types[0] == "VARCHAR" and not result.truncated
    assert json.loads(json.dumps(result.rows)) == [list(row) for row in result.rows]


def test_a_query_may_group_join_and_use_steps(place: Path) -> None:
    sql = """WITH known AS (SELECT id, year(born) AS y FROM 人员 WHERE born IS NOT NULL)
             SELECT count(*), max(k.y), count(DISTINCT p.name) FILTER (WHERE p.amount > 2)
             FROM known k JOIN 人员 p ON p.id = k.id -- a remark"""
    assert _run(place, sql).rows == ((2, 2024, 0),)
    assert _run(place, "SELECT id, row_number() OVER (ORDER BY id) FROM 人员 UNION ALL SELECT 'z', 9 ORDER BY 1 DESC "
                       "LIMIT 2").rows == (("z", 9), ("d4", 3))  # fmt: skip
    assert _run(place, "SELECT * FROM nothing").rows == ()


def test_more_rows_than_the_limit_are_cut_and_said(place: Path) -> None:
    two = Limits(memory_mb=256, threads=1, seconds=20, rows=2)
    cut = _run(place, "SELECT id FROM 人员 ORDER BY id LIMIT 50", two)
    assert (cut.rows, cut.truncated) == ((("a1",), ("b2",)), True)
    full = _run(place, "SELECT id FROM 人员 ORDER BY id LIMIT 2", two)
    assert (len(full.rows), full.truncated) == (2, False)


HOSTILE = [
    "SELECT * FROM read_csv('{place}/other.csv')", "SELECT * FROM '{place}/other.csv'",
    "SELECT * FROM read_parquet('{place}/granted.parquet')", "SELECT * FROM glob('{place}/*')",
    "SELECT read_text('{place}/other.csv')", "SELECT getenv('HOME')", "SELECT current_setting('memory_limit')",
    "ATTACH '{place}/x.db'", "COPY (SELECT 1) TO '{place}/out.csv'", "INSTALL httpfs", "LOAD httpfs",
    "PRAGMA database_list", "SET memory_limit = '9GB'", "RESET lock_configuration", "SELECT 1; SELECT 2",
    "SELECT 1;;SELECT 2", "INSERT INTO 人员 SELECT 1", "CREATE TABLE t AS SELECT 1", "DROP VIEW 人员", "CALL x()",
    "EXPORT DATABASE '{place}'", "SELECT * FROM duckdb_settings()", "SELECT * FROM information_schema.tables",
    "SELECT * FROM main.人员", "SELECT * FROM range(10)", "SELECT unnest([1, 2])", "SELECT * FROM query('SELECT 1')",
    "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 1 FROM a) SELECT * FROM a", "SELECT COLUMNS('.*') FROM 人员",
    "SELECT * FROM 人员 FOR UPDATE", "VALUES (1)", "EXPLAIN SELECT 1", "DESCRIBE 人员", "SHOW TABLES", "SUMMARIZE 人员",
    "SELECT 1 LIMIT (SELECT 1)", "SELECT * FROM other", "SELECT $1", "SELECT ?", "SELECT nextval('s')", "", " ", ";",
    "SELECT", "SELECT ((((", "SELECT 'a", "SELECT \x00", "-- only a remark", "SELECT list_transform([1], x -> x)",
    "MERGE INTO 人员 USING nothing ON 1=1 WHEN MATCHED THEN DELETE", "SELECT * FROM (DELETE FROM 人员)",
    "SELECT * FROM (VALUES (1)) v", "SELECT * FROM unnest([1])", "SELECT * FROM (SHOW TABLES)",
]  # fmt: skip


@pytest.mark.parametrize("sql", HOSTILE)
def test_the_parent_refuses(place: Path, sql: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        _run(place, sql.replace("{place}", str(place)))
    assert refused.value.say("zh") and refused.value.kind == "invalid"


@pytest.mark.parametrize("sql", ["SELECT " + "(" * 500 + "1" + ")" * 500, "SELECT 1" + " + 1" * 5000,
                                 "SELECT " + "1," * 30_000 + "1", "SELECT " + "NOT " * 3000 + "true",
                                 "SELECT " + "-" * 3001 + "1", "SELECT 1 " + "UNION ALL SELECT 1 " * 1500])  # fmt: skip
def test_the_parent_refuses_what_is_too_long_or_too_deep(place: Path, sql: str) -> None:
    with pytest.raises(QueryRefused):
        _run(place, sql)


def test_a_refusal_says_where(place: Path) -> None:
    with pytest.raises(QueryRefused) as refused:
        _run(place, "SELECT id,\n  getenv('HOME') FROM 人员")
    assert (refused.value.facts["line"], refused.value.facts["column"]) == (2, 3)
    with pytest.raises(QueryRefused, match="nope"):
        _run(place, "SELECT nope FROM 人员")


CHILD = [
    "SELECT * FROM read_csv('{place}/other.csv')", "SELECT * FROM '{place}/other.parquet'",
    "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('{place}/*')", "SELECT * FROM sniff_csv('{place}/other.csv')",
    "ATTACH '{place}/x.db'", "COPY (SELECT 1) TO '{place}/out.csv'", "INSTALL httpfs", "LOAD httpfs",
    "COPY (SELECT 1 AS id) TO '{place}/granted.parquet' (FORMAT parquet, USE_TMP_FILE false)",
    "COPY (SELECT 1 AS id) TO '{place}/granted.parquet' (FORMAT parquet)", "EXPORT DATABASE '{place}/x'",
    "SET enable_external_access = true", "SET lock_configuration = false", "SET allowed_paths = ['/']",
    "RESET allowed_paths", "PRAGMA enable_external_access", "SELECT getenv('HOME')", "CREATE SECRET s (TYPE s3)",
    "SELECT 1; SELECT 2", "SELECT 1; COPY (SELECT 1) TO '{place}/out.csv'", "FORCE INSTALL httpfs",
    "CREATE TABLE t AS SELECT 1",
]  # fmt: skip


@pytest.mark.parametrize("sql", CHILD)
def test_the_child_refuses_by_itself(place: Path, sql: str) -> None:
    """The parent's check is left out: what it might miss must still be impossible."""
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    answer = run_child(sql.replace("{place}", str(place)), _views(place), LIMITS)
    assert answer.get("error") in ("binding", "failed")
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before
    assert str(place) not in json.dumps(answer)


# A name made known as a step in one place and read in another, where DuckDB would look for a table, a view of its
# catalogue or a file.
ESCAPES = [
    "SELECT v.* FROM (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) AS t CROSS JOIN {name} AS v",
    "SELECT v.* FROM {name} AS v CROSS JOIN (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) AS t",
    "SELECT * FROM (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) t, {name}",
    "WITH {name} AS (SELECT * FROM {name}) SELECT * FROM {name}",
    "WITH b AS (SELECT * FROM {name}), {name} AS (SELECT 1 AS x) SELECT * FROM b",
    "WITH b AS (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) SELECT * FROM b, {name}",
    "WITH b AS (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}), c AS (SELECT * FROM {name}) SELECT * FROM c",
    "WITH b AS (WITH {name} AS (SELECT * FROM {name}) SELECT * FROM {name}) SELECT * FROM b",
    "SELECT (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}), v.* FROM {name} v",
    "SELECT (SELECT count(*) FROM {name}), x FROM (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) t",
    "SELECT 1 FROM nothing WHERE EXISTS (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) OR 1 IN (SELECT 1 FROM {name})",
    "SELECT 1 AS x WHERE 1 IN (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) UNION ALL SELECT count(*) FROM {name}",
    "(WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) UNION ALL SELECT count(*) FROM {name}",
    "SELECT count(*) FROM {name} EXCEPT (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name})",
    "SELECT count(*) FROM {name} INTERSECT WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}",
    "SELECT * FROM ((WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) t JOIN {name} v ON true)",
    "SELECT * FROM (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) t, LATERAL (SELECT * FROM {name}) v",
    "SELECT * FROM (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) t, (SELECT * FROM {name} LIMIT 1) v",
    "FROM (WITH {name} AS (SELECT 1 AS x) SELECT x FROM {name}) t, {name} v",
    "SELECT * FROM (WITH RECURSIVE {name} AS (SELECT 1 AS x UNION ALL SELECT x FROM {name}) SELECT x FROM {name}) t",
    "WITH a AS (SELECT 1 AS x) SELECT * FROM a WHERE x < (SELECT count(*) FROM {name}) ORDER BY (SELECT 1 FROM {name})",
    "WITH {name}(x) AS (SELECT 1) SELECT x FROM main.{name}",
    "WITH {name}(x) AS (SELECT 1) SELECT x FROM memory.main.{name}",
    "WITH {name}(x) AS (SELECT 1) SELECT x FROM system.main.{name}",
]  # fmt: skip
NAMES = ["duckdb_views", '"DuckDB_Views"', "sqlite_master", "pragma_database_list", '"{place}/granted.parquet"',
         '"{place}/*.parquet"', '"{place}/other.csv"', "pg_views", '"人员 "', "rows"]  # fmt: skip


@pytest.mark.parametrize("sql", ESCAPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_makes_a_name_known_in_its_own_scope_only(place: Path, sql: str, name: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        _run(place, sql.replace("{name}", name).replace("{place}", str(place)))
    assert refused.value.facts["problem"] in ("table", "not_allowed")


@pytest.mark.parametrize("sql", ESCAPES[:-5])
def test_every_table_that_is_no_step_in_scope_is_told(sql: str) -> None:
    if "RECURSIVE" in sql or "LATERAL" in sql:
        return
    assert "duckdb_views" in tables_of(sql.replace("{name}", "duckdb_views"))
    assert "3070/1" in tables_of(sql.replace("{name}", '"3070/1"'))


def test_tables_are_told_once_in_order_without_steps() -> None:
    sql = """WITH a AS (SELECT * FROM "z/1"), b AS (SELECT * FROM A JOIN "y/1" USING (id))
             SELECT * FROM "B" JOIN "x/1" ON true WHERE id IN (SELECT id FROM "z/1" UNION SELECT id FROM b)"""
    assert tables_of(sql) == ("z/1", "y/1", "x/1")
    for odd in ("read_csv('x')", "main.t", "information_schema.tables", "memory.main.t", "duckdb_views()"):
        with pytest.raises(QueryRefused):
            tables_of(f"SELECT * FROM {odd}")
    with pytest.raises(QueryRefused, match="RECURSIVE"):
        tables_of("WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 1 FROM a) SELECT * FROM a")


STEPS = [
    # A step may take the name of a table: it reads the table inside, and stands for it after.
    ("WITH 人员 AS (SELECT id FROM 人员 WHERE id = 'a1') SELECT 人员.id FROM 人员", (("a1",),)),
    ("WITH 人员 AS (SELECT 7 AS x) SELECT * FROM 人员", ((7,),)),
    ("SELECT count(*), max(t.x) FROM 人员, (WITH 人员 AS (SELECT 7 AS x) SELECT x FROM 人员) t", ((3, 7),)),
    ("WITH a AS (SELECT 1 AS x), b AS (WITH a AS (SELECT x + 1 AS x FROM a) FROM a) SELECT a.x, b.x FROM a, b", ((1, 2),)),
    ("WITH a AS (SELECT 1 AS x) SELECT (WITH a AS (SELECT 2 AS x) SELECT x FROM a), (SELECT x FROM a) FROM a", ((2, 1),)),
    ('WITH "A b"(p, q) AS (SELECT 1, 2) SELECT "a B".q, "A b".p FROM "a b"', ((2, 1),)),
    ("WITH Known AS (SELECT id FROM 人员) SELECT k.c FROM KNOWN AS k(c) WHERE k.c = 'b2'", (("b2",),)),
    ("WITH a AS (SELECT 1 AS x) SELECT x FROM a UNION ALL SELECT x + 1 FROM a ORDER BY x", ((1,), (2,))),
    ("WITH a AS (SELECT 1 AS x) (SELECT x FROM a) EXCEPT (SELECT 2 FROM A)", ((1,),)),
    ("SELECT count(*) FROM 人员 WHERE EXISTS (WITH a AS (SELECT 人员.id AS i) SELECT i FROM a WHERE i = 'a1')", ((1,),)),
    ("WITH _cte_2 AS (SELECT 1 AS x), b AS (SELECT 2 AS x) SELECT _cte_2.x, b.x FROM _cte_2, b", ((1, 2),)),
    ("WITH a AS MATERIALIZED (SELECT 1 AS x) FROM a SELECT x", ((1,),)),
    ("WITH duckdb_views AS (SELECT 1 AS x) SELECT duckdb_views.x FROM duckdb_views", ((1,),)),
    ("SELECT 人员.id FROM 人员 JOIN 人员 AS q ON q.id = 人员.id AND q.id = 'a1'", (("a1",),)),
    ("SELECT count(*) FROM (人员 JOIN nothing ON 人员.id = nothing.id)", ((0,),)),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), STEPS)
def test_steps_mean_what_sql_says(place: Path, sql: str, rows: tuple[tuple[object, ...], ...]) -> None:
    assert _run(place, sql).rows == rows


def test_a_step_is_defined_once(place: Path) -> None:
    with pytest.raises(QueryRefused, match="twice"):
        _run(place, "WITH a AS (SELECT 1), A AS (SELECT 2) SELECT * FROM a")


@pytest.mark.soak
@pytest.mark.parametrize("sql", ESCAPES if is_soaking() else ESCAPES[::4])
@pytest.mark.parametrize("name", ["duckdb_views", '"{place}/granted.parquet"'])
def test_the_child_refuses_names_out_of_scope(place: Path, sql: str, name: str) -> None:
    answer = run_child(sql.replace("{name}", name).replace("{place}", str(place)), _views(place), LIMITS)
    assert answer.get("error") in ("binding", "failed")
    assert str(place) not in json.dumps(answer)


PRYING = [
    "SELECT * FROM duckdb_views()", "SELECT sql FROM duckdb_views", "SELECT * FROM information_schema.tables",
    "SELECT * FROM sqlite_master", "SELECT * FROM pg_catalog.pg_views", "SELECT * FROM pragma_table_info('人员')",
    "SELECT * FROM '{place}/granted.parquet'", "SELECT * FROM \"{place}/granted.parquet\"",
    "SELECT * FROM memory.main.\"{place}/granted.parquet\"", "SELECT * FROM read_parquet('{place}/granted.parquet')",
    "SELECT * FROM parquet_schema('{place}/granted.parquet')", "SELECT current_setting('allowed_paths')",
    "SELECT pg_get_viewdef(0)", "SELECT * FROM query('SELECT 1')", "SELECT * FROM query_table(['人员'])", "SHOW TABLES",
    "DESCRIBE 人员", "SELECT * FROM (SHOW ALL TABLES)", "SELECT * FROM (SUMMARIZE 人员)", "SELECT * FROM range(3)",
    "SELECT * FROM 人员", "SELECT * FROM request", "SELECT * FROM views", "EXPLAIN SELECT 1", "PRAGMA show_tables",
    "SELECT * FROM _cte_1", "SELECT (SELECT max(sql) FROM duckdb_views) FROM memory.main.人员",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "PIVOT memory.main.人员 ON id USING count(*)",
]  # fmt: skip


@pytest.mark.parametrize("sql", PRYING)
def test_the_child_reads_views_by_their_full_names_only(place: Path, sql: str) -> None:
    answer = run_child(sql.replace("{place}", str(place)), _views(place), LIMITS)
    assert answer.get("error") in ("binding", "failed")
    assert str(place) not in json.dumps(answer)


def test_a_long_chain_is_no_fault(place: Path) -> None:
    chain = " || ".join(["id"] * 400)
    assert _run(place, f"SELECT length({chain}) FROM 人员 ORDER BY 1 LIMIT 1").rows == ((800,),)


def test_errors_tell_no_value_and_nothing_of_hidden_rows(place: Path) -> None:
    with pytest.raises(QueryFailed) as failed:
        _run(place, "SELECT CAST(name AS INTEGER) FROM 人员")
    assert "甲" not in str(failed.value.facts) and "甲" not in failed.value.say("zh")
    # 'c3' stands only in a row that the filter hides: casting it must not even be tried.
    hidden = _run(
        place, "SELECT count(*) FROM 人员 WHERE CAST(CASE WHEN id = 'c3' THEN 'x' ELSE '1' END AS INTEGER) = 1"
    )
    assert hidden.rows == ((3,),)


def test_time_is_limited_by_killing(place: Path) -> None:
    started = time.monotonic()
    tables, ids = (
        glue.join(f"{name} t{n}" if name else f"t{n}.id" for n in range(20))
        for glue, name in ((", ", "人员"), (" || ", ""))
    )
    endless = f"SELECT count(*) FROM {tables} WHERE {ids} LIKE '%never%'"
    with pytest.raises(QueryInterrupted):
        _run(place, endless, Limits(memory_mb=1024, threads=1, seconds=3, rows=10))
    assert time.monotonic() - started < 60


def test_memory_is_limited(place: Path) -> None:
    crossed = ", ".join(f"人员 t{n}" for n in range(15))
    key = " || ".join(f"t{n}.id" for n in range(12))
    grouped = f"SELECT {key} || CAST(row_number() OVER () AS VARCHAR) AS k FROM {crossed} ORDER BY k DESC"
    with pytest.raises((OutOfMemory, QueryInterrupted)) as stopped:
        _run(place, f"SELECT count(*), max(k) FROM ({grouped}) q", Limits(memory_mb=32, threads=1, seconds=60, rows=10))
    assert isinstance(stopped.value, OutOfMemory)


def test_the_child_ends_with_its_parent(place: Path) -> None:
    """A parent is killed in the middle of a long query; its child must be gone soon after."""
    root = str(Path(yunhe.__file__).resolve().parent.parent)
    script = (
        f"import sys; sys.path.insert(0, {root!r})\n"
        "from yunhe.engine.query import View, run_query\nfrom yunhe.engine.types import Limits\n"
        f"view = View(({str(place / 'granted.parquet')!r},), (('id', 'id'),))\n"
        "tables, ids = ', '.join(f't a{n}' for n in range(20)), ' || '.join(f'a{n}.id' for n in range(20))\n"
        "sql = f\"SELECT count(*) FROM {tables} WHERE {ids} LIKE '%never%'\"\n"
        "print('ready', flush=True)\nrun_query(sql=sql, views={'t': view}, limits=Limits(1024, 1, 300, 10))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None and parent.stdout.readline() == b"ready\n"
    child = _wait_for(lambda: _children(parent.pid))
    time.sleep(2)
    assert _alive(child[0])  # it works, and would for minutes
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert _wait_for(lambda: [] if _alive(child[0]) else ["gone"]) == ["gone"]


def _wait_for(look: object) -> list[object]:
    for _ in range(300):
        if found := look():  # type: ignore[operator]
            return found  # type: ignore[no-any-return]
        time.sleep(0.1)
    raise AssertionError("waited 30 seconds in vain")


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def _alive(pid: object) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
