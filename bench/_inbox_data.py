"""One million cases for bench.inbox, written by a few statements: into a copy of the node, kept for later runs; or into a
PostgreSQL database of their own, dropped afterwards.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench._cases import HERE, start_node, template
from bench._harness import WORK, note, run_apart

KINDS, BODIES = 200, 400
OPEN_SHARE = 20
"""One case of twenty is open; its obligation waits for the owner's steward."""


def make_rows(cases: int) -> Path:
    """Return the folder of a node with so many cases; made once."""
    home, mark = WORK / f"inbox-{cases}", WORK / f"inbox-{cases}.mark"
    wanted = (WORK / "cases-node.mark").read_text() + Path(__file__).read_text() if template() else ""
    if mark.exists() and home.exists() and mark.read_text() == wanted:
        return home
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template(), home)
    note(f"writing {cases:,} cases")
    run_apart("bench._inbox_data", home, cases)
    mark.write_text(wanted)
    return home


@contextmanager
def rows_on(server: str, cases: int) -> Iterator[tuple[Path, str]]:
    """Yield the folder of a node and the address of a fresh database with so many cases; both are gone afterwards."""
    import psycopg

    name = f"yunhe_bench_{uuid.uuid4().hex[:12]}"
    address = urlsplit(server)._replace(path=f"/{name}").geturl()
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            run_apart("bench._cases", folder, address)
            note(f"writing {cases:,} cases")
            run_apart("bench._inbox_data", folder, str(cases), address)
            yield Path(folder), address
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def fill(home: Path, cases: int, database: str = "") -> dict[str, Any]:
    """Write kinds, cases, parties and obligations."""
    start_node(home, synchronous="OFF", database=database)
    from django.db import connection

    kinds(connection)
    with connection.cursor() as cursor:
        indexes = drop_indexes(cursor, connection.vendor)
        for text in statements(cases, connection.vendor):
            cursor.execute(text)
        for text in indexes:
            cursor.execute(text)
        for text in ("VACUUM ANALYZE",) if database else ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"):
            cursor.execute(text)
    return {"cases": cases}


def kinds(connection: Any) -> None:
    """Write the versions of kinds `k000`…; each the measured permit under another name."""
    from yunhe.core.cases import api
    from yunhe.core.cases.models import KindRecord
    from yunhe.kernel.clock import local, now

    spec = api.read_kind(path=HERE / "kinds/permit.yml").model_dump(mode="json")
    KindRecord.objects.bulk_create(
        KindRecord(
            id=1000 + number, code=f"k{number:03}", number=1, digest=api.digest_of([number]), source="bench",
            body={**spec, "code": f"k{number:03}", "title": {"zh": f"事项 {number}", "en": f"Item {number}"}},
            valid_from=local(now()).date(), loaded_at=now(), loaded_by="bench",
        )
        for number in range(KINDS)
    )  # fmt: skip


def drop_indexes(cursor: Any, vendor: str) -> list[str]:
    """Take the indexes of the big tables away, but those of keys; return the statements that make them again."""
    tables = ("cases_case", "cases_party", "cases_obligation")
    if vendor == "sqlite":
        asked = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (%s, %s, %s)"
    else:
        asked = """SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN (%s, %s, %s)
            AND indexname NOT IN (SELECT conname FROM pg_constraint)"""
    cursor.execute(asked, tables)
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [text for _, text in found]


def statements(cases: int, vendor: str) -> list[str]:
    """Return the statements; case n: kind, applicant and owner by n, each body with all kinds; three opened each minute, one of twenty open."""
    sqlite = vendor == "sqlite"
    series = (
        f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {cases})"
        if sqlite else f"WITH s AS (SELECT generate_series(1, {cases}) AS n)"
    )  # fmt: skip
    number = "printf('%07d', n)" if sqlite else "lpad(n::text, 7, '0')"
    place = f"(n * 7 + n / 8000 * 3) % {KINDS}"
    kind = f"printf('k%03d', {place})" if sqlite else f"'k' || lpad(({place})::text, 3, '0')"
    opened = "datetime('2026-11-01', '-' || (n / 3) || ' minutes')" if sqlite else "timestamptz '2026-11-01 00:00+00' - n / 3 * interval '1 minute'"
    later = "(n * 37) % 40000"
    due = f"datetime('2026-12-01', '+' || ({later}) || ' minutes')" if sqlite else f"timestamptz '2026-12-01 00:00+00' + {later} * interval '1 minute'"
    is_open = f"n % {OPEN_SHARE} = 0"
    applicant, owner = "(n / 20 * 7 + n) % 400", "(n / 20 * 13 + n % 20) % 400"
    false = "0" if sqlite else "FALSE"
    code = "(SELECT code FROM bench_body WHERE place = {})"
    return [
        "DROP TABLE IF EXISTS bench_body",
        "CREATE TABLE bench_body AS SELECT row_number() OVER (ORDER BY code) - 1 AS place, code FROM organizations_organization",
        "CREATE UNIQUE INDEX bench_body_place ON bench_body (place)",
        f"""INSERT INTO cases_case (id, number, kind_id, kind_code, phase, state, outcome, organization, owner, region, subject_type,
            subject_id, title, search, data, version, request_key, opened_by, opened_by_name, opened_at, due_at, estimated, reminders)
            {series} SELECT 'B000000000000000000' || {number}, 'BX-' || {number}, 1000 + {place}, {kind}, 'intake',
            CASE WHEN {is_open} THEN 'open' ELSE 'closed' END, '', {code.format(applicant)}, {code.format(owner)}, '', '', '',
            '申请 ' || n, 'bx-' || n, '{json.dumps({"place": "人民路", "area": 7})}', 1, '', 'user:1', 'opener', {opened},
            CASE WHEN {is_open} THEN {due} END, {false}, 0 FROM s""",
        *(
            f"""INSERT INTO cases_party (case_id, part, organization, person, kind_code, state, opened_at)
            SELECT id, '{part}', {column}, '{person}', kind_code, state, opened_at FROM cases_case WHERE id LIKE 'B%'"""
            for part, column, person in (("applicant", "organization", ""), ("opener", "organization", "user:1"), ("owner", "owner", ""))
        ),
        f"""INSERT INTO cases_obligation (id, case_id, kind_code, name, "group", phase, state, outcome, organization, role, person,
            assignee, "values", opened_at, opened_seq, closed_by, closed_by_name, started_at, limit_unit, limit_basis, due_at,
            first_due_at, estimated, first_estimated, pause_basis, pauses, extensions, warned)
            SELECT 'O' || substr(id, 2), id, kind_code, 'intake', '', 'intake', CASE WHEN state = 'open' THEN 'open' ELSE 'done' END,
            '', owner, 'data_steward', '', '', '{{}}', opened_at, 1, '', '', opened_at, '', '', due_at, due_at, {false}, {false}, '', '[]', '[]', 0
            FROM cases_case WHERE id LIKE 'B%'""",
    ]  # fmt: skip


if __name__ == "__main__":
    import sys

    print(json.dumps(fill(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])))
